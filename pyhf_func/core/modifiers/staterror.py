"""The uncertainty of all samples of a bin together, from the finite number of simulated events."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pyhf_func.core.modifiers.base import Members, Modifier, Report, Uncertainties, Use, check_numbers
from pyhf_func.core.parameters import Constraint, ParameterSet, around_one, measured
from pyhf_func.core.values import as_list, bins, is_finite, not_finite, places
from pyhf_func.exceptions import InvalidNameReuse

if TYPE_CHECKING:
    from pyhf_func.core.compiler.order import Row
    from pyhf_func.core.compiler.terms import Terms


class StatError(Uncertainties):
    """A factor of each bin for the samples that share its name; or with ``style: additive`` a shift of their sum."""

    name = "staterror"
    keys = frozenset({"constraint", "style"})
    constraint = "gauss"
    sorted_by_name = True

    def check(self, use: Use, report: Report, code: str) -> None:
        """Uncertainties are numbers."""
        uncertainties = check_numbers(use, report)
        if not not_finite(use.nominal) and (negative := places(uncertainties, lambda u: u < 0)):
            report.doubt((*use.steps, "data"), f"negative uncertainty in {bins(negative)}: its absolute value is used")

    def components(self, uses: Sequence[Use], report: Report) -> int:
        """One for each bin of the channels, which must be the same for all samples that share the parameter."""
        channels: dict[str, set[int]] = {}
        for use in uses:
            channels.setdefault(use.sample, set()).add(use.place)
        expected = channels[uses[0].sample]
        wrong = {name for name, found in channels.items() if found != expected}
        for name in sorted(wrong):
            use = next(use for use in uses if use.sample == name)
            message = "samples that share a staterror must carry it in the same channels, and sample "
            message += f"{uses[0].sample!r} carries it in others. Give each channel a name of its own"
            report.fault((*use.steps, "name"), message)
        for channel in sorted(expected):
            _check_widths([use for use in uses if use.place == channel], report)
        return 0 if wrong else sum(next(u.n_bins for u in uses if u.place == c) for c in expected)

    def parameter(self, name: str, members: Members, constraint: Constraint | None) -> ParameterSet:
        """Factors of the bins of all channels that carry it; or shifts of these, in standard deviations."""
        styles = {modifier.get("style", "factor") for _, modifier in members}
        if len(styles) > 1:
            raise InvalidNameReuse(f"The staterror modifiers {name!r} differ in style: give all the same one.")
        if styles == {"additive"}:
            return _shifts(name, members)
        widths = tuple(_widths(members))
        fixed, widths = [width == 0.0 for width in widths], tuple(width or 1.0 for width in widths)
        constraint = constraint or "normal"
        return around_one(name, constraint, fixed, **measured(constraint, (1.0,) * len(widths), widths))

    def add(self, terms: Terms, row: Row, modifier: Modifier, first: int) -> None:
        """A factor of each bin, or a part of the shift of all samples that share it."""
        first += terms.first_bin(modifier["name"], row)
        if modifier.get("style") == "additive":
            terms.add_errors(row, modifier["data"], first)
        else:
            super().add(terms, row, modifier, first)


def _by_channel(members: Members) -> Iterator[list[tuple[Sequence[float], Sequence[float]]]]:
    """Yields and uncertainties of the samples of each channel that carries a modifier."""
    for channel in dict.fromkeys(row.channel for row, _ in members):
        yield [(row.spec["data"], modifier["data"]) for row, modifier in members if row.channel == channel]


def _widths(members: Members) -> Iterator[float]:
    """Relative widths of the summed yield, bin by bin of the channels that carry the modifier."""
    for here in _by_channel(members):
        for b in range(len(here[0][0])):
            total = math.fsum(nominal[b] for nominal, _ in here)
            relative = (data[b] / total if total > 0 else 0.0 for _, data in here)
            yield math.sqrt(math.fsum(r * r for r in relative))


def _shifts(name: str, members: Members) -> ParameterSet:
    """Uncertainties that samples share, in standard deviations, bin by bin of the channels that carry the modifier."""
    fixed = [not any(errors) for here in _by_channel(members) for errors in zip(*(d for _, d in here), strict=True)]
    n = len(fixed)
    zeros, ones = (0.0,) * n, (1.0,) * n
    return ParameterSet(name, "normal", False, zeros, ((-7.0, 7.0),) * n, tuple(fixed), zeros, ones)


def _check_widths(uses: Sequence[Use], report: Report) -> None:
    """The relative width in each bin of a channel: Σ uncertainty² over the samples, divided by (Σ yield)²."""
    yields = [use.nominal for use in uses]
    uncertainties = [as_list(use.modifier["data"]) for use in uses]
    if len({*map(len, yields), *map(len, uncertainties)}) != 1 or any(map(not_finite, yields + uncertainties)):
        return
    idle, wrong = [], []
    for b, (here, widths) in enumerate(zip(zip(*yields, strict=True), zip(*uncertainties, strict=True), strict=True)):
        total = math.fsum(here)
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
