"""The semantic check of parameter configurations and of the parameter of interest."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from pyhf_func._lookup import close_to
from pyhf_func.core.modifiers import MODIFIERS
from pyhf_func.core.values import as_list, is_finite, not_finite, places
from pyhf_func.schema.report import Report
from pyhf_func.schema.wording import Steps

__all__ = ["check_parameters", "check_poi", "signed_parameters"]

# What describes the measurement of each constraint.
_MEASURED = {
    "none": (),
    "gauss": ("auxdata", "sigmas"),
    "poisson": ("auxdata", "factors"),
    "lognormal": ("auxdata", "sigmas"),
    "gamma": ("auxdata", "sigmas"),
    "bifurcated": ("auxdata", "sigmas", "sigmas_down"),
}
_ALL = ("inits", "bounds", "auxdata", "factors", "sigmas", "sigmas_down")


def signed_parameters(spec: Mapping[str, Any]) -> set[str]:
    """Names of the parameters that are configured with a negative lower bound."""
    signed = set()
    for config in spec.get("parameters", ()):
        if any(as_list(pair)[0] < 0 for pair in config.get("bounds", ())):
            signed.add(config["name"])
    return signed


def check_parameters(
    spec: Mapping[str, Any], used: set[str], parameters: Mapping[str, tuple[str, int]], report: Report
) -> None:
    """Check the parameter configurations of a model spec.

    Args:
        spec: The model spec.
        used: Names of all parameters that modifiers use.
        parameters: Type and number of components of those that are used in a meaningful way.
        report: Takes the faults.
    """
    asked = _asked_constraints(spec)
    configs: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for p, config in enumerate(spec.get("parameters", ())):
        name = config["name"]
        if name in configs:
            report.fault(("parameters", p, "name"), "the parameter is configured twice. Keep one of the two")
            continue
        configs[name] = p, config
        if name not in used:
            report.doubt(("parameters", p, "name"), "no modifier uses this parameter")
        elif name in parameters:
            kind, count = parameters[name]
            before = asked.get(name, MODIFIERS[kind].constraint)
            _check_config(config, kind, count, before, ("parameters", p), report)
    for name, (kind, _) in parameters.items():
        if MODIFIERS[kind].start is None:
            _check_measurement(name, kind, configs.get(name), report)


def _asked_constraints(spec: Mapping[str, Any]) -> dict[str, str]:
    """The constraints that modifiers ask for, by the name of their parameter."""
    return {
        modifier["name"]: modifier["constraint"]
        for channel in spec["channels"]
        for sample in channel["samples"]
        for modifier in sample["modifiers"]
        if "constraint" in modifier
    }


def _check_config(config: Mapping[str, Any], kind: str, count: int, before: str, place: Steps, report: Report) -> None:
    """Check one configuration; ``before`` is the constraint that the parameter has without it."""
    constraint = config.get("constraint", before)
    attributes = ("inits", "bounds", *_MEASURED[constraint])
    values: dict[str, list[Any]] = {}
    for key in _ALL:
        if key not in config:
            continue
        given: list[Any] = [as_list(pair) for pair in config[key]] if key == "bounds" else as_list(config[key])
        if key not in attributes:
            usable = ", ".join((*attributes, "fixed"))
            report.fault((*place, key), f"a {kind} does not use {key}. It can be configured with {usable}")
        elif len(given) != count:
            report.fault((*place, key), f"has {len(given)} values, but the parameter has {count} components")
        elif key != "bounds" and (wrong := not_finite(given)):
            report.fault((*place, key), f"{given[wrong[0]]} is not finite")
        else:
            values[key] = given
    flags = config.get("fixed", False)
    needed = [k for k in _MEASURED[constraint] if k == "sigmas_down" or (before == "none" and k != "factors")]
    if MODIFIERS[kind].start is not None and (missing := [key for key in needed if key not in config]):
        message = f"a {constraint} constraint of a {kind} has no default measurement. Add {', '.join(missing)}"
        report.fault((*place, "constraint"), message)
    _check_bounds(values.get("bounds", []), place, report)
    if flags is not True and (default := MODIFIERS[kind].start) is not None:
        _check_start(values, default, count, place, report)
    _check_constraint(values, constraint, place, report)


def _check_bounds(bounds: list[Any], place: Steps, report: Report) -> None:
    for i, (lower, upper) in enumerate(bounds):
        here = (*place, "bounds", i)
        infinite = lower == -inf or upper == inf
        possible = all(is_finite(bound) or abs(bound) == inf for bound in (lower, upper))
        if not possible or lower == inf or upper == -inf:
            report.fault(here, f"[{lower}, {upper}] holds something that is not a bound. Give finite numbers")
        elif lower > upper:
            report.fault(here, f"the lower bound {lower} is above the upper bound {upper}. Swap them")
        elif lower == upper:
            report.doubt(here, f"both bounds are {lower}, so nothing is left to fit: set fixed instead")
        elif infinite:
            report.doubt(here, f"[{lower}, {upper}] is not finite, which JSON cannot express")


def _check_start(
    values: Mapping[str, list[Any]],
    default: tuple[float, tuple[float, float]],
    count: int,
    place: Steps,
    report: Report,
) -> None:
    """Start values outside of the bounds, whichever of both are defaults."""
    if "inits" not in values and "bounds" not in values:
        return
    init, bound = default
    inits, bounds = values.get("inits", [init] * count), values.get("bounds", [bound] * count)
    for start, (lower, upper) in zip(inits, bounds, strict=True):
        if start < lower or start > upper:
            key = "inits" if "inits" in values else "bounds"
            message = f"the start value {start} is outside of the bounds [{lower}, {upper}]"
            report.doubt((*place, key), f"{message}: fits start at the nearer one")


def _check_constraint(values: Mapping[str, list[Any]], constraint: str, place: Steps, report: Report) -> None:
    """Widths, factors and counts that make no density."""
    for key in ("sigmas", "factors", "sigmas_down"):
        if places(values.get(key, []), lambda value: value <= 0):
            report.fault((*place, key), f"the constraint needs positive {key}, not {values[key]}")
    if constraint == "poisson" and places(values.get("auxdata", []), lambda value: value < 0):
        report.fault((*place, "auxdata"), f"counts of events cannot be negative: {values['auxdata']}")


def _check_measurement(name: str, kind: str, configured: tuple[int, Mapping[str, Any]] | None, report: Report) -> None:
    """A parameter without a default measurement, such as the luminosity, must be configured."""
    place: Steps = ("parameters", configured[0]) if configured else ("parameters",)
    config = configured[1] if configured else {}
    missing = [key for key in ("auxdata", "inits") if key not in config]
    if missing:
        advice = f"add {', '.join((*missing, *(() if 'sigmas' in config else ('sigmas',))))} to its configuration"
        report.fault(place, f"the parameter {name!r} of {kind} modifiers has no default: {advice}")
        return
    if "sigmas" not in config:
        report.doubt(place, f"the parameter {name!r} has no sigmas: a width of 1 is used")
    if "bounds" not in config:
        report.doubt(place, f"the parameter {name!r} has no bounds: five of its sigmas to both sides are used")


def check_poi(poi_name: str | None, used: set[str], parameters: Mapping[str, tuple[str, int]], report: Report) -> None:
    """Check that the parameter of interest, where there is one, exists and is one number."""
    if not poi_name:
        return
    place = report.origin.poi
    if poi_name not in used:
        near = f" (did you mean {' or '.join(map(repr, found))}?)" if (found := close_to(poi_name, used)) else ""
        advice = "Name a parameter that a modifier uses, or choose poi_name=None for a model without one"
        report.fault(place, f"the parameter of interest {poi_name!r} is used by no modifier{near}. {advice}")
    elif parameters.get(poi_name, ("", 1))[1] > 1:
        count = parameters[poi_name][1]
        report.fault(place, f"the parameter of interest {poi_name!r} has {count} components and must have one")
