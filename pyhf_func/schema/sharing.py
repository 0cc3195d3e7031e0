"""The semantic check of parameters that modifiers share, and how many components each parameter has."""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum
from typing import Any

from pyhf_func.exceptions import InvalidNameReuse
from pyhf_func.schema.report import Report
from pyhf_func.schema.samples import Use, Uses
from pyhf_func.schema.values import as_list, bins, is_finite, not_finite

__all__ = ["USUAL_CONSTRAINTS", "check_sharing"]

USUAL_CONSTRAINTS = {
    "histosys": "gauss",
    "lumi": "gauss",
    "normsys": "gauss",
    "shapesys": "poisson",
    "staterror": "gauss",
}
"""The constraint of the parameters of each modifier type, where nothing else is asked for."""


def check_sharing(spec: Mapping[str, Any], uses: Uses, report: Report) -> dict[str, tuple[str, int]]:
    """Check that modifiers of one name can share their parameter.

    Returns:
        Type and number of components of each parameter; those that cannot be shared as they are do not occur.
    """
    parameters: dict[str, tuple[str, int]] = {}
    for name, kinds in uses.items():
        kind = next(iter(kinds))
        if len(kinds) > 1 and kinds.keys() != {"normsys", "histosys"}:
            for other in list(kinds)[1:]:
                message = f"{kind} and {other} need different parameters, so they cannot both be called {name!r}"
                report.fault((*kinds[other][0].steps, "name"), f"{message}. Rename one", InvalidNameReuse)
            continue
        count = _components(spec, kind, kinds[kind], report)
        if count:
            parameters[name] = kind, count
    _check_names(parameters, report)
    return parameters


def _components(spec: Mapping[str, Any], kind: str, uses: list[Use], report: Report) -> int:
    """Number of components of a parameter; 0 where its uses contradict each other."""
    match kind:
        case "shapesys":
            for use in uses[1:]:
                first = spec["channels"][uses[0].channel]["name"]
                message = f"a shapesys of this name acts in channel {first!r} too, and a shapesys cannot be shared"
                report.fault((*use.steps, "name"), f"{message}. Rename one")
            return uses[0].n_bins if len(uses) == 1 else 0
        case "shapefactor":
            return _shapefactor_components(spec, uses, report)
        case "staterror":
            return _staterror_components(spec, uses, report)
    return 1


def _shapefactor_components(spec: Mapping[str, Any], uses: list[Use], report: Report) -> int:
    """As many as the first channel, in sorted order, has bins: no other may have more."""
    first = min(uses, key=lambda use: spec["channels"][use.channel]["name"])
    larger = [use for use in uses if use.n_bins > first.n_bins]
    for use in larger:
        name = spec["channels"][first.channel]["name"]
        message = f"the channel has {use.n_bins} bins, but the factors have the {first.n_bins} of channel {name!r}"
        report.fault((*use.steps, "name"), f"{message}, the first by name that shares them. Rename one")
    return 0 if larger else first.n_bins


def _staterror_components(spec: Mapping[str, Any], uses: list[Use], report: Report) -> int:
    """One for each bin of the channels, which must be the same for all samples that share the parameter."""
    channels: dict[str, set[int]] = {}
    for use in uses:
        channels.setdefault(_sample(spec, use)["name"], set()).add(use.channel)
    expected = channels[_sample(spec, uses[0])["name"]]
    wrong = {name for name, found in channels.items() if found != expected}
    for name in sorted(wrong):
        use = next(use for use in uses if _sample(spec, use)["name"] == name)
        message = "samples that share a staterror must carry it in the same channels, and sample "
        message += f"{_sample(spec, uses[0])['name']!r} carries it in others. Give each channel a name of its own"
        report.fault((*use.steps, "name"), message)
    for channel in sorted(expected):
        _check_widths(spec, [use for use in uses if use.channel == channel], report)
    return 0 if wrong else sum(next(u.n_bins for u in uses if u.channel == c) for c in expected)


def _check_widths(spec: Mapping[str, Any], uses: list[Use], report: Report) -> None:
    """The relative width in each bin of a channel: Σ uncertainty² over the samples, divided by (Σ yield)²."""
    yields = [as_list(_sample(spec, use)["data"]) for use in uses]
    uncertainties = [as_list(_sample(spec, use)["modifiers"][use.modifier]["data"]) for use in uses]
    if len({*map(len, yields), *map(len, uncertainties)}) != 1 or any(map(not_finite, yields + uncertainties)):
        return
    idle, wrong = [], []
    for b, (here, widths) in enumerate(zip(zip(*yields, strict=True), zip(*uncertainties, strict=True), strict=True)):
        total = fsum(here)
        if total > 0:
            if not all(_has_square(width, total) for width in widths):
                wrong.append(b)
        elif any(widths):
            idle.append(b)
    if wrong:
        message = f"(uncertainty/yield)² in {bins(wrong)} is outside the range of floats"
        report.fault((*uses[0].steps, "data"), message)
    if idle:
        message = f"an uncertainty without a positive yield in {bins(idle)}: the parameter is fixed there"
        report.doubt((*uses[0].steps, "data"), message)


def _has_square(width: float, total: float) -> bool:
    try:
        return is_finite((width / total) ** 2)
    except OverflowError:
        return False


def _sample(spec: Mapping[str, Any], use: Use) -> Mapping[str, Any]:
    sample: Mapping[str, Any] = spec["channels"][use.channel]["samples"][use.sample]
    return sample


def _check_names(parameters: Mapping[str, tuple[str, int]], report: Report) -> None:
    """Components are called ``name[i]``: no parameter should be called so itself."""
    if not any(name.endswith("]") for name in parameters):
        return
    vectors = ("shapefactor", "shapesys", "staterror")
    for name, (kind, count) in parameters.items():
        for i in range(count if kind in vectors else 0):
            if f"{name}[{i}]" in parameters:
                message = f"the name of parameter {name}[{i}] is that of a component of {name!r}"
                report.doubt(("channels",), message)
