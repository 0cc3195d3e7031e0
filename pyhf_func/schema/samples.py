"""The semantic check of channels, samples and modifiers, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from pyhf_func.core.expression import InvalidExpression, parse
from pyhf_func.core.modifiers import MODIFIERS, Use
from pyhf_func.core.values import as_list, bins, is_finite, not_finite, not_finite_in, places, short
from pyhf_func.exceptions import InvalidModifier
from pyhf_func.schema.report import Report
from pyhf_func.schema.wording import Steps

__all__ = ["Uses", "check_channels"]


Uses = dict[str, dict[str, list[Use]]]
"""The uses of every parameter, by its name and the type of the modifier."""


def check_channels(
    spec: Mapping[str, Any], report: Report, *, normsys_code: str, signed: Set[str], clipped: bool
) -> Uses:
    """Check all that can be said of each channel, sample and modifier by itself.

    Args:
        spec: The model spec.
        report: Takes the faults.
        normsys_code: The interpolation code of normsys modifiers.
        signed: Names of the parameters that may be negative.
        clipped: Whether expected yields are clipped from below, so that negative ones do no harm.

    Returns:
        Where each parameter is used.
    """
    uses: Uses = {}
    arguments: list[tuple[str, Use]] = []
    names: set[str] = set()
    for c, channel in enumerate(spec["channels"]):
        name = channel["name"]
        if name in names:
            message = "the name is taken by another channel. Rename one, or merge both"
            report.fault(("channels", c, "name"), message)
        n_bins = len(channel["samples"][0]["data"])
        into = ({}, []) if name in names else (uses, arguments)
        _check_samples(channel, c, n_bins, report, *into, normsys_code)
        _check_totals(channel, c, n_bins, report, signed=signed, clipped=clipped)
        names.add(name)
    introduced = set(uses)
    for name, use in arguments:
        if name not in introduced:
            uses.setdefault(name, {}).setdefault("normfactor", []).append(use)
    return uses


def _arguments(modifier: Mapping[str, Any]) -> tuple[str, ...]:
    """The parameters of an expression; none of one that follows no grammar, which validation refuses."""
    try:
        return parse(modifier["expression"], modifier.get("arguments", ())).names
    except InvalidExpression:
        return ()


def _check_samples(
    channel: Mapping[str, Any],
    c: int,
    n_bins: int,
    report: Report,
    uses: Uses,
    arguments: list[tuple[str, Use]],
    normsys_code: str,
) -> None:
    names: set[str] = set()
    for s, sample in enumerate(channel["samples"]):
        place: Steps = ("channels", c, "samples", s)
        if sample["name"] in names:
            report.fault((*place, "name"), "the name is taken by another sample. Rename one, or add both up")
            uses = {}
        names.add(sample["name"])
        data = as_list(sample["data"])
        _check_yields(data, n_bins, place, report)
        seen: set[tuple[str, str]] = set()
        for m, modifier in enumerate(sample["modifiers"]):
            kind, name = key = modifier["type"], modifier["name"]
            steps = (*place, "modifiers", m)
            if kind not in MODIFIERS:
                message = f"{short(kind)} is no known modifier type. Known: {', '.join(MODIFIERS)}"
                report.fault((*steps, "type"), message, InvalidModifier)
                continue
            use = Use(steps, c, channel["name"], sample["name"], n_bins, data, modifier)
            if "expression" in modifier:
                arguments.extend((argument, use) for argument in _arguments(modifier))
            elif key in seen:
                report.fault(use.steps, f"the sample has another {kind} of this name. Keep one, or rename one")
            else:
                uses.setdefault(name, {}).setdefault(kind, []).append(use)
            seen.add(key)
            usual = {"normsys": normsys_code}.get(kind, "")
            MODIFIERS[kind].check(use, report, modifier.get("interpolation", usual))


def _check_yields(data: list[float], n_bins: int, place: Steps, report: Report) -> None:
    if len(data) != n_bins:
        message = f"has {len(data)} bins, but the channel's first sample has {n_bins}. Give one yield for each bin"
        report.fault((*place, "data"), message)
    if wrong := not_finite(data):
        report.fault((*place, "data"), not_finite_in(data, wrong))
    elif min(data) < 0:
        report.doubt((*place, "data"), f"negative yield in {bins(places(data, lambda y: y < 0))}")


def _check_totals(
    channel: Mapping[str, Any], c: int, n_bins: int, report: Report, *, signed: Set[str], clipped: bool
) -> None:
    """Bins whose summed yield is not finite, negative or zero."""
    rows = [as_list(sample["data"]) for sample in channel["samples"]]
    if any(len(row) != n_bins or not_finite(row) for row in rows):
        return
    empty = []
    for b, total in enumerate(map(sum, zip(*rows, strict=True))):
        if not is_finite(total):
            report.fault(("channels", c), f"the yields of bin {b} add up to more than a float can hold")
        elif total < 0 and (clipped or _can_be_positive(channel, b, signed)):
            message = f"the nominal yields of bin {b} add up to {total:.4g}"
            report.doubt(("channels", c), f"{message}: there the likelihood is not a number")
        elif total < 0:
            message = f"the expected yield of bin {b} is negative for all parameters (nominal: {total:.4g}). "
            report.fault(("channels", c), message + "A Poisson rate must be positive: correct the yields")
        elif total == 0 and not any(row[b] for row in rows):
            empty.append(b)
    if empty:
        report.doubt(("channels", c), f"no sample has a yield in {bins(empty)}: an event there has likelihood zero")


def _can_be_positive(channel: Mapping[str, Any], b: int, signed: Set[str]) -> bool:
    """Whether any parameters make a bin's yield positive: by a sample, a template or a negative factor."""
    return any(
        sample["data"][b] > 0
        or any(
            MODIFIERS[modifier["type"]].can_lift(modifier, b, signed=modifier["name"] in signed)
            for modifier in sample["modifiers"]
            if modifier["type"] in MODIFIERS
        )
        for sample in channel["samples"]
    )
