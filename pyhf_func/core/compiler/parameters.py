"""Parameters: what each modifier type asks of its parameter, and what the measurement configures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from pyhf_func.core.compiler.order import Order, Row, parameter_order
from pyhf_func.core.constraints import DENSITIES, NAMES
from pyhf_func.core.expression import parse
from pyhf_func.exceptions import InvalidModel, InvalidNameReuse

Constraint = Literal["none", "normal", "poisson", "lognormal", "gamma", "bifurcated"]


@dataclass(frozen=True)
class ParameterSet:
    """One named parameter with one or more components.

    ``auxdata``, and ``sigmas`` (Gaussian) or ``factors`` (Poisson) describe the constraint: a measurement
    ``auxdata`` of the parameter with width ``sigmas``, or a count ``auxdata`` with mean parameter × ``factors``. See
    `core.constraints` for the others.
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
    sigmas_down: tuple[float, ...] = ()
    default_bounds: bool = False

    @property
    def n_parameters(self) -> int:
        """Number of components."""
        return len(self.inits)


def free(name: str, n: int, is_scalar: bool) -> ParameterSet:
    """Parameters without constraint, such as normalisation factors."""
    return ParameterSet(name, "none", is_scalar, (1.0,) * n, ((0.0, 10.0),) * n, (False,) * n, default_bounds=True)


def unit_normal(name: str, constraint: Constraint = "normal") -> ParameterSet:
    """The parameter of a systematic uncertainty: in standard deviations."""
    return ParameterSet(
        name, constraint, True, (0.0,), ((-5.0, 5.0),), (False,), **_measured(constraint, (0.0,), (1.0,))
    )


def shapesys(
    name: str, yields: Sequence[float], uncertainties: Sequence[float], constraint: Constraint = "poisson"
) -> ParameterSet:
    """Counts of (yield / uncertainty)² per bin; a bin without yield or uncertainty is fixed."""
    valid = [y > 0 and u > 0 for y, u in zip(yields, uncertainties, strict=True)]
    numbers = list(zip(valid, yields, uncertainties, strict=True))
    fixed = [not good for good in valid]
    if constraint == "poisson":
        counts = tuple(y**2 / u**2 if good else 1.0 for good, y, u in numbers)
        return _around_one(name, constraint, fixed, auxdata=counts, factors=counts)
    widths = tuple(u / y if good else 1.0 for good, y, u in numbers)
    return _around_one(name, constraint, fixed, **_measured(constraint, (1.0,) * len(widths), widths))


def _around_one(name: str, constraint: Constraint, fixed: Sequence[bool], **widths: Any) -> ParameterSet:
    n = len(fixed)
    return ParameterSet(name, constraint, False, (1.0,) * n, ((1e-10, 10.0),) * n, tuple(fixed), **widths)


def _measured(constraint: Constraint, values: tuple[float, ...], widths: tuple[float, ...]) -> dict[str, Any]:
    """The attributes of a measurement of ``values`` with these widths; of counts, relative ones."""
    if constraint == "none":
        return {}
    if constraint == "poisson":
        factors = tuple(1 / width**2 for width in widths)
        counts = tuple(value * factor for value, factor in zip(values, factors, strict=True))
        return {"auxdata": counts, "factors": factors}
    return {"auxdata": values, "sigmas": widths}


def _staterror(
    name: str, members: Sequence[tuple[Row, Mapping[str, Any]]], constraint: Constraint = "normal"
) -> ParameterSet:
    """Relative widths of the summed yield, bin by bin of the channels that carry the modifier."""
    sigmas: list[float] = []
    for channel in dict.fromkeys(row.channel for row, _ in members):
        here = [(row.spec["data"], modifier["data"]) for row, modifier in members if row.channel == channel]
        for b in range(len(here[0][0])):
            total = math.fsum(nominal[b] for nominal, _ in here)
            relative = (data[b] / total if total > 0 else 0.0 for _, data in here)
            sigmas.append(math.sqrt(math.fsum(r * r for r in relative)))
    fixed = [sigma == 0.0 for sigma in sigmas]
    widths = tuple(sigma or 1.0 for sigma in sigmas)
    return _around_one(name, constraint, fixed, **_measured(constraint, (1.0,) * len(widths), widths))


def _shared(name: str, members: Sequence[tuple[Row, Mapping[str, Any]]]) -> ParameterSet:
    """Uncertainties that samples share, in standard deviations, bin by bin of the channels that carry the modifier."""
    fixed: list[bool] = []
    for channel in dict.fromkeys(row.channel for row, _ in members):
        here = [modifier["data"] for row, modifier in members if row.channel == channel]
        fixed += [not any(errors) for errors in zip(*here, strict=True)]
    n = len(fixed)
    zeros, ones = (0.0,) * n, (1.0,) * n
    return ParameterSet(name, "normal", False, zeros, ((-7.0, 7.0),) * n, tuple(fixed), zeros, ones)


def density_of(word: str) -> Constraint:
    """The density that a word of the model language stands for."""
    return cast(Constraint, NAMES.get(word, word))


def _required(kind: str, name: str, members: Sequence[tuple[Row, Mapping[str, Any]]]) -> ParameterSet:
    """The parameter that the modifiers of one type and name ask for."""
    asked = {modifier.get("constraint") for _, modifier in members}
    made = {_made(kind, name, members, {} if word is None else {"constraint": density_of(word)}) for word in asked}
    if len(made) > 1:
        raise InvalidNameReuse(f"The {kind} modifiers {name!r} ask for different constraints: give all the same one.")
    return made.pop()


def _made(
    kind: str, name: str, members: Sequence[tuple[Row, Mapping[str, Any]]], constraint: Mapping[str, Constraint]
) -> ParameterSet:
    first_row, first = members[0]
    match kind:
        case "normfactor":
            return free(name, 1, is_scalar=True)
        case "shapefactor":
            return free(name, first_row.n_bins, is_scalar=False)
        case "shapesys":
            return shapesys(name, first_row.spec["data"], first["data"], **constraint)
        case "staterror":
            return _staterror(name, members, **constraint)
        case "additive staterror":
            return _shared(name, members)
        case "lumi":
            return replace(unit_normal(name), inits=(), bounds=(), auxdata=())
        case _:
            return unit_normal(name, **constraint)


def _reconstrained(parameter: ParameterSet, constraint: Constraint) -> ParameterSet:
    """The parameter with another density, of the same widths; where it has none, the measurement gives them."""
    n = parameter.n_parameters
    if parameter.constraint == "none":
        factors = (1.0,) * n if constraint == "poisson" else ()
        return replace(parameter, constraint=constraint, factors=factors)
    widths = parameter.sigmas or tuple(factor**-0.5 for factor in parameter.factors)
    values = (0.0 if parameter.is_scalar else 1.0,) * n
    bare = replace(parameter, constraint=constraint, auxdata=(), sigmas=(), factors=())
    return replace(bare, **_measured(constraint, values, widths))


def _configure(required: ParameterSet, config: Mapping[str, Any]) -> ParameterSet:
    """The settings of a parameter in the measurement, in place of the defaults."""
    if "constraint" in config and density_of(config["constraint"]) != required.constraint:
        required = _reconstrained(required, density_of(config["constraint"]))
    changes: dict[str, Any] = {}
    for key in ("inits", "auxdata", "sigmas", "factors", "sigmas_down"):
        if key in config and (key == "inits" or required.constraint != "none"):
            changes[key] = tuple(float(value) for value in config[key])
    if "bounds" in config:
        changes["bounds"] = tuple((float(low), float(high)) for low, high in config["bounds"])
        changes["default_bounds"] = False
    elif not required.bounds:  # the luminosity
        measured = zip(changes.get("auxdata", ()), changes.get("sigmas", required.sigmas), strict=False)
        changes["bounds"] = tuple((value - 5 * width, value + 5 * width) for value, width in measured)
    elif required.default_bounds and required.constraint != "none":
        changes["bounds"] = tuple(_holding(required, changes))
    if "fixed" in config:
        flags = config["fixed"]
        changes["fixed"] = tuple(map(bool, flags)) if isinstance(flags, list) else (bool(flags),) * len(required.fixed)
    return replace(required, **changes)


def _holding(required: ParameterSet, measured: Mapping[str, tuple[float, ...]]) -> Iterator[tuple[float, float]]:
    """The default bounds of a factor, wide enough for five widths above its measurement."""
    factors = measured.get("factors", required.factors) or (1.0,) * required.n_parameters
    widths = measured.get("sigmas") or tuple(math.sqrt(max(n, 1.0)) for n in measured.get("auxdata", ()))
    for (low, high), n, factor, width in zip(
        required.bounds, measured.get("auxdata", ()), factors, widths, strict=False
    ):
        value, width = n / factor, width / factor
        yield (low if value > 0 else min(low, value - 5 * width)), max(high, value + 5 * width)


def _check(parameter: ParameterSet) -> ParameterSet:
    """Every attribute has one number per component. Faults with their places are found before, from the document."""
    lengths = {"inits": len(parameter.inits), "bounds": len(parameter.bounds), "fixed": len(parameter.fixed)}
    if parameter.constraint != "none":
        for key in ("auxdata", *DENSITIES[parameter.constraint].attributes):
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
    members: dict[str, dict[str, list[tuple[Row, Mapping[str, Any]]]]] = {}
    arguments: dict[str, tuple[Row, Mapping[str, Any]]] = {}
    for row in order.rows:
        for modifier in row.modifiers:
            if "expression" in modifier:
                for name in parse(modifier["expression"], modifier.get("arguments", ())).names:
                    arguments.setdefault(name, (row, modifier))
                continue
            kind = "additive staterror" if modifier.get("style") == "additive" else modifier["type"]
            members.setdefault(kind, {}).setdefault(modifier["name"], []).append((row, modifier))
    introduced = {name for named in members.values() for name in named}
    for name, first in arguments.items():
        if name not in introduced:
            members.setdefault("normfactor", {})[name] = [first]

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
    met = {kind: list(named) for kind, named in members.items()}
    met["staterror"] = [*met.get("staterror", ()), *met.pop("additive staterror", ())]
    names = parameter_order(met)
    return tuple(_check(_configure(required[name], by_name.get(name, {}))) for name in names)
