"""Parameters: what each modifier type asks of its parameter, and what the measurement configures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pyhf_func.core.compiler.order import Order, Row, parameter_order
from pyhf_func.exceptions import InvalidModel, InvalidNameReuse

Constraint = Literal["none", "normal", "poisson"]


@dataclass(frozen=True)
class ParameterSet:
    """One named parameter with one or more components.

    ``auxdata``, and ``sigmas`` (Gaussian) or ``factors`` (Poisson) describe the constraint: a measurement
    ``auxdata`` of the parameter with width ``sigmas``, or a count ``auxdata`` with mean parameter × ``factors``.
    ``default_bounds`` says that nobody has set the bounds of a parameter without a constraint.
    """

    name: str
    constraint: Constraint
    is_scalar: bool
    inits: tuple[float, ...]
    bounds: tuple[tuple[float, float], ...]
    fixed: tuple[bool, ...]
    auxdata: tuple[float, ...] = ()
    sigmas: tuple[float, ...] = ()
    factors: tuple[float, ...] = ()
    default_bounds: bool = False

    @property
    def n_parameters(self) -> int:
        """Number of components."""
        return len(self.inits)


def free(name: str, n: int, is_scalar: bool) -> ParameterSet:
    """Parameters without constraint, such as normalisation factors."""
    return ParameterSet(name, "none", is_scalar, (1.0,) * n, ((0.0, 10.0),) * n, (False,) * n, default_bounds=True)


def unit_normal(name: str) -> ParameterSet:
    """The parameter of a systematic uncertainty: in standard deviations."""
    return ParameterSet(name, "normal", True, (0.0,), ((-5.0, 5.0),), (False,), (0.0,), (1.0,))


def _around_one(name: str, constraint: Constraint, fixed: Sequence[bool], **widths: Any) -> ParameterSet:
    n = len(fixed)
    return ParameterSet(name, constraint, False, (1.0,) * n, ((1e-10, 10.0),) * n, tuple(fixed), **widths)


def shapesys(name: str, yields: Sequence[float], uncertainties: Sequence[float]) -> ParameterSet:
    """Counts of (yield / uncertainty)² per bin; a bin without yield or uncertainty is fixed."""
    valid = [y > 0 and u > 0 for y, u in zip(yields, uncertainties, strict=True)]
    counts = tuple(y**2 / u**2 if good else 1.0 for good, y, u in zip(valid, yields, uncertainties, strict=True))
    return _around_one(name, "poisson", [not good for good in valid], auxdata=counts, factors=counts)


def _staterror(name: str, members: Sequence[tuple[Row, Sequence[float]]]) -> ParameterSet:
    """Relative widths of the summed yield, bin by bin of the channels that carry the modifier."""
    sigmas: list[float] = []
    for channel in dict.fromkeys(row.channel for row, _ in members):
        here = [(row.spec["data"], data) for row, data in members if row.channel == channel]
        for b in range(len(here[0][0])):
            total = math.fsum(nominal[b] for nominal, _ in here)
            relative = (data[b] / total if total > 0 else 0.0 for _, data in here)
            sigmas.append(math.sqrt(math.fsum(r * r for r in relative)))
    fixed = [sigma == 0.0 for sigma in sigmas]
    return _around_one(
        name,
        "normal",
        fixed,
        auxdata=(1.0,) * len(sigmas),
        sigmas=tuple(sigma or 1.0 for sigma in sigmas),
    )


def _required(kind: str, name: str, members: Sequence[tuple[Row, Any]]) -> ParameterSet:
    """The parameter that the modifiers of one type and name ask for."""
    first_row, first_data = members[0]
    match kind:
        case "normfactor":
            return free(name, 1, is_scalar=True)
        case "shapefactor":
            return free(name, first_row.n_bins, is_scalar=False)
        case "shapesys":
            return shapesys(name, first_row.spec["data"], first_data)
        case "staterror":
            return _staterror(name, members)
        case "lumi":
            return replace(unit_normal(name), inits=(), bounds=(), auxdata=())
        case _:
            return unit_normal(name)


def _configure(required: ParameterSet, config: Mapping[str, Any]) -> ParameterSet:
    """What the measurement says of a parameter, in place of the defaults."""
    changes: dict[str, Any] = {}
    for key in ("inits", "auxdata", "sigmas", "factors"):
        if key in config:
            changes[key] = tuple(float(value) for value in config[key])
    if "bounds" in config:
        changes["bounds"] = tuple((float(low), float(high)) for low, high in config["bounds"])
        changes["default_bounds"] = False
    elif not required.bounds:  # the luminosity
        measured = zip(changes.get("auxdata", ()), changes.get("sigmas", required.sigmas), strict=False)
        changes["bounds"] = tuple((value - 5 * width, value + 5 * width) for value, width in measured)
    if "fixed" in config:
        changes["fixed"] = (bool(config["fixed"]),) * len(required.fixed)
    return replace(required, **changes)


def _check(parameter: ParameterSet) -> ParameterSet:
    """Every attribute has one number per component. Faults with their places are found before, from the document."""
    lengths = {"inits": len(parameter.inits), "bounds": len(parameter.bounds), "fixed": len(parameter.fixed)}
    if parameter.constraint != "none":
        lengths["auxdata"] = len(parameter.auxdata)
        key = "sigmas" if parameter.constraint == "normal" else "factors"
        lengths[key] = len(getattr(parameter, key))
    if len(set(lengths.values())) != 1 or not parameter.inits:
        given = ", ".join(f"{length} {key}" for key, length in lengths.items())
        raise InvalidModel(
            f"Parameter {parameter.name!r} has {given}; give the same number of each, one per component."
        )
    return parameter


def collect_parameters(order: Order, configs: Sequence[Mapping[str, Any]]) -> tuple[ParameterSet, ...]:
    """Every parameter of the model, in order.

    Raises:
        InvalidNameReuse: one name is asked for by modifiers that need different parameters.
        InvalidModel: a parameter's configuration does not fit it.
    """
    members: dict[str, dict[str, list[tuple[Row, Any]]]] = {}
    for row in order.rows:
        for modifier in row.modifiers:
            same_type = members.setdefault(modifier["type"], {})
            same_type.setdefault(modifier["name"], []).append((row, modifier["data"]))

    required: dict[str, ParameterSet] = {}
    for kind, named in members.items():
        for name, rows in named.items():
            asked = _required(kind, name, rows)
            if required.setdefault(name, asked) != asked:
                raise InvalidNameReuse(
                    f"The name {name!r} is used by modifiers that need different parameters "
                    f"({required[name].constraint} constraint, {required[name].n_parameters} component(s) against "
                    f"{asked.constraint}, {asked.n_parameters}). Give them different names."
                )
    by_name = {config["name"]: config for config in configs}
    names = parameter_order({kind: list(named) for kind, named in members.items()})
    return tuple(_check(_configure(required[name], by_name.get(name, {}))) for name in names)
