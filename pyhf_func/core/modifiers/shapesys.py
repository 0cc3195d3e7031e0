"""An independent uncertainty of each bin of a sample: a factor with a Poisson constraint."""

from __future__ import annotations

from collections.abc import Sequence

from pyhf_func.core.modifiers.base import Members, Report, Uncertainties, Use, check_numbers
from pyhf_func.core.parameters import Constraint, ParameterSet, around_one, measured
from pyhf_func.core.values import bins, is_finite, not_finite, places
from pyhf_func.exceptions import InvalidModifier


class ShapeSys(Uncertainties):
    """A factor of each bin, which an auxiliary count measures."""

    name = "shapesys"
    keys = frozenset({"constraint"})
    constraint = "poisson"

    def check(self, use: Use, report: Report, code: str) -> None:
        """Uncertainties are numbers, of which the counts can be computed."""
        uncertainties = check_numbers(use, report)
        if not uncertainties or not_finite(use.nominal):
            return
        if negative := places(uncertainties, lambda u: u < 0):
            message = f"negative uncertainty in {bins(negative)}: the parameter is fixed there, as without uncertainty"
            report.doubt((*use.steps, "data"), message)
        pairs = list(zip(use.nominal, uncertainties, strict=True))
        if idle := [b for b, (y, u) in enumerate(pairs) if u > 0 and y <= 0]:
            message = f"an uncertainty without a positive yield in {bins(idle)}: the parameter is fixed there"
            report.doubt((*use.steps, "data"), message)
        if wrong := [b for b, (y, u) in enumerate(pairs) if y > 0 and u > 0 and not _has_counts(y, u)]:
            message = f"(yield/uncertainty)² in {bins(wrong)} is outside the range of floats"
            report.fault((*use.steps, "data"), message, InvalidModifier)

    def components(self, uses: Sequence[Use], report: Report) -> int:
        """One for each bin of the only sample that has it."""
        for use in uses[1:]:
            message = f"a shapesys of this name acts in channel {uses[0].channel!r} too, and a shapesys cannot be "
            report.fault((*use.steps, "name"), f"{message}shared. Rename one")
        return uses[0].n_bins if len(uses) == 1 else 0

    def parameter(self, name: str, members: Members, constraint: Constraint | None) -> ParameterSet:
        """Factors of bins, which are fixed where there is no yield or no uncertainty."""
        row, modifier = members[0]
        return parameter(name, row.spec["data"], modifier["data"], constraint or "poisson")


def parameter(
    name: str, yields: Sequence[float], uncertainties: Sequence[float], constraint: Constraint = "poisson"
) -> ParameterSet:
    """Counts of (yield / uncertainty)² per bin; a bin without yield or uncertainty is fixed."""
    valid = [y > 0 and u > 0 for y, u in zip(yields, uncertainties, strict=True)]
    numbers = list(zip(valid, yields, uncertainties, strict=True))
    fixed = [not good for good in valid]
    if constraint == "poisson":
        counts = tuple(y**2 / u**2 if good else 1.0 for good, y, u in numbers)
        return around_one(name, constraint, fixed, auxdata=counts, factors=counts)
    widths = tuple(u / y if good else 1.0 for good, y, u in numbers)
    return around_one(name, constraint, fixed, **measured(constraint, (1.0,) * len(widths), widths))


def _has_counts(nominal: float, uncertainty: float) -> bool:
    """Whether (nominal/uncertainty)², the events of the auxiliary measurement, is a positive number."""
    try:
        counts = nominal**2 / uncertainty**2
    except (OverflowError, ZeroDivisionError):
        return False
    return is_finite(counts) and counts > 0
