"""The semantic check of channels, samples and modifiers, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, NamedTuple

from pyhf_func.core.codes import CODES
from pyhf_func.core.expression import InvalidExpression, parse
from pyhf_func.exceptions import InvalidModifier
from pyhf_func.schema.report import Report
from pyhf_func.schema.values import as_list, bins, is_finite, not_finite, places
from pyhf_func.schema.wording import Steps, short

__all__ = ["Use", "Uses", "check_channels"]


class Use(NamedTuple):
    """A modifier where it stands: indices of channel, sample and modifier, and the number of bins."""

    channel: int
    sample: int
    modifier: int
    n_bins: int

    @property
    def steps(self) -> Steps:
        """Path of the modifier in the model spec."""
        return ("channels", self.channel, "samples", self.sample, "modifiers", self.modifier)


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
            check = _CHECKS.get(kind)
            if check is None:
                message = f"{short(kind)} is no known modifier type. Known: {', '.join(_CHECKS)}"
                report.fault((*place, "modifiers", m, "type"), message, InvalidModifier)
                continue
            use = Use(c, s, m, n_bins)
            if "expression" in modifier:
                arguments.extend((argument, use) for argument in _arguments(modifier))
            elif key in seen:
                report.fault(use.steps, f"the sample has another {kind} of this name. Keep one, or rename one")
            else:
                uses.setdefault(name, {}).setdefault(kind, []).append(use)
            seen.add(key)
            usual = {"normsys": normsys_code}.get(kind, "")
            check(modifier["data"], data, use, report, modifier.get("interpolation", usual))


def _check_yields(data: list[float], n_bins: int, place: Steps, report: Report) -> None:
    if len(data) != n_bins:
        message = f"has {len(data)} bins, but the channel's first sample has {n_bins}. Give one yield for each bin"
        report.fault((*place, "data"), message)
    if wrong := not_finite(data):
        report.fault((*place, "data"), _not_finite(data, wrong))
    elif min(data) < 0:
        report.doubt((*place, "data"), f"negative yield in {bins(places(data, lambda y: y < 0))}")


def _not_finite(values: list[float], wrong: list[int]) -> str:
    found = ", ".join(dict.fromkeys(short(values[index], 20) for index in wrong))
    return f"{found} in {bins(wrong)}. Give finite numbers"


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
    for sample in channel["samples"]:
        if sample["data"][b] > 0:
            return True
        for modifier in sample["modifiers"]:
            if modifier["name"] in signed and modifier["type"] not in ("histosys", "normsys"):
                return True
            if modifier["type"] == "histosys":
                templates = [as_list(modifier["data"][key]) for key in ("lo_data", "hi_data")]
                if any(template[b] > 0 for template in templates if len(template) > b):
                    return True
    return False


def _is_positive(code: str) -> bool:
    """Whether an interpolation code takes the logarithm of templates."""
    return code in CODES and CODES[code].positive


def _check_histosys(data: Any, nominal: list[float], use: Use, report: Report, code: str) -> None:
    for key in ("lo_data", "hi_data"):
        template = as_list(data[key])
        if len(template) != len(nominal):
            message = f"has {len(template)} bins, but the sample has {len(nominal)}. Give one yield for each bin"
            report.fault((*use.steps, "data", key), message, InvalidModifier)
        if wrong := not_finite(template):
            report.fault((*use.steps, "data", key), _not_finite(template, wrong), InvalidModifier)
        elif _is_positive(code) and (wrong := _opposite(template, nominal)):
            message = f"{bins(wrong)} must have the sign of the nominal yield: the interpolation ({code}) takes the "
            report.fault((*use.steps, "data", key), f"{message}logarithm of their ratio", InvalidModifier)


def _opposite(template: list[float], nominal: list[float]) -> list[int]:
    """Bins where a template has not the sign of the nominal yield; where that is zero, there is no effect."""
    return [b for b, (t, n) in enumerate(zip(template, nominal, strict=False)) if n and not t / n > 0]


def _check_normsys(data: Any, _: list[float], use: Use, report: Report, code: str) -> None:
    for key in ("lo", "hi"):
        factor = data[key]
        if factor > 0 and is_finite(factor):
            continue
        if not is_finite(factor):
            report.fault((*use.steps, "data", key), f"{short(factor, 20)} is not finite", InvalidModifier)
        elif factor == 0 and code == "code1":
            report.doubt((*use.steps, "data", key), "a factor of zero: the derivative is not finite there")
        elif _is_positive(code):
            message = f"must be positive, not {factor}: the interpolation ({code}) takes its logarithm"
            report.fault((*use.steps, "data", key), message, InvalidModifier)


def _check_uncertainties(data: Any, nominal: list[float], use: Use, report: Report) -> list[float]:
    """Checks shared by shapesys and staterror; the uncertainties, or none where they cannot be used."""
    uncertainties = as_list(data)
    usable = True
    if len(uncertainties) != len(nominal):
        message = f"has {len(uncertainties)} bins, but the sample has {len(nominal)}. Give one number for each bin"
        report.fault((*use.steps, "data"), message, InvalidModifier)
        usable = False
    if wrong := not_finite(uncertainties):
        report.fault((*use.steps, "data"), _not_finite(uncertainties, wrong), InvalidModifier)
        usable = False
    return uncertainties if usable and not not_finite(nominal) else []


def _check_shapesys(data: Any, nominal: list[float], use: Use, report: Report, _: str) -> None:
    uncertainties = _check_uncertainties(data, nominal, use, report)
    if not uncertainties:
        return
    if negative := places(uncertainties, lambda u: u < 0):
        message = f"negative uncertainty in {bins(negative)}: the parameter is fixed there, as without uncertainty"
        report.doubt((*use.steps, "data"), message)
    pairs = list(zip(nominal, uncertainties, strict=True))
    if idle := [b for b, (y, u) in enumerate(pairs) if u > 0 and y <= 0]:
        message = f"an uncertainty without a positive yield in {bins(idle)}: the parameter is fixed there"
        report.doubt((*use.steps, "data"), message)
    if wrong := [b for b, (y, u) in enumerate(pairs) if y > 0 and u > 0 and not _has_counts(y, u)]:
        message = f"(yield/uncertainty)² in {bins(wrong)} is outside the range of floats"
        report.fault((*use.steps, "data"), message, InvalidModifier)


def _has_counts(nominal: float, uncertainty: float) -> bool:
    """Whether (nominal/uncertainty)², the events of the auxiliary measurement, is a positive number."""
    try:
        counts = nominal**2 / uncertainty**2
    except (OverflowError, ZeroDivisionError):
        return False
    return is_finite(counts) and counts > 0


def _check_staterror(data: Any, nominal: list[float], use: Use, report: Report, _: str) -> None:
    negative = places(_check_uncertainties(data, nominal, use, report), lambda u: u < 0)
    if negative:
        message = f"negative uncertainty in {bins(negative)}: its absolute value is used"
        report.doubt((*use.steps, "data"), message)


def _check_nothing(data: Any, nominal: list[float], use: Use, report: Report, code: str) -> None:
    """The factors have no data."""


_CHECKS: dict[str, Callable[[Any, list[float], Use, Report, str], None]] = {
    "histosys": _check_histosys,
    "lumi": _check_nothing,
    "normfactor": _check_nothing,
    "normsys": _check_normsys,
    "shapefactor": _check_nothing,
    "shapesys": _check_shapesys,
    "staterror": _check_staterror,
}
