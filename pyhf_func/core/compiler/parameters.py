"""Parameters: what the modifiers ask of each, and what the measurement configures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from pyhf_func.core.compiler.order import Order, Row, parameter_order
from pyhf_func.core.constraints import DENSITIES, NAMES
from pyhf_func.core.expression import parse
from pyhf_func.core.modifiers import MODIFIERS, NormFactor
from pyhf_func.core.modifiers.base import Members
from pyhf_func.core.parameters import Constraint, ParameterSet, measured
from pyhf_func.exceptions import InvalidModel, InvalidNameReuse


def density_of(word: str) -> Constraint:
    """The density that a word of the model language stands for."""
    return cast(Constraint, NAMES.get(word, word))


def _required(kind: str, name: str, members: Members) -> ParameterSet:
    """The parameter that the modifiers of one type and name ask for."""
    asked = {modifier.get("constraint") for _, modifier in members}
    made = {MODIFIERS[kind].parameter(name, members, None if word is None else density_of(word)) for word in asked}
    if len(made) > 1:
        raise InvalidNameReuse(f"The {kind} modifiers {name!r} ask for different constraints: give all the same one.")
    return made.pop()


def _reconstrained(parameter: ParameterSet, constraint: Constraint) -> ParameterSet:
    """The parameter with another density, of the same widths; where it has none, the measurement gives them."""
    n = parameter.n_parameters
    if parameter.constraint == "none":
        factors = (1.0,) * n if constraint == "poisson" else ()
        return replace(parameter, constraint=constraint, factors=factors)
    widths = parameter.sigmas or tuple(factor**-0.5 for factor in parameter.factors)
    values = (0.0 if parameter.is_scalar else 1.0,) * n
    bare = replace(parameter, constraint=constraint, auxdata=(), sigmas=(), factors=())
    return replace(bare, **measured(constraint, values, widths))


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
    return replace(required, **changes) if changes else required


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
            members.setdefault(modifier["type"], {}).setdefault(modifier["name"], []).append((row, modifier))
    introduced = {name for named in members.values() for name in named}
    for name, first in arguments.items():
        if name not in introduced:
            members.setdefault(NormFactor.name, {})[name] = [first]

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
