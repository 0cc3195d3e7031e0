"""A systematic uncertainty of the normalisation: a factor between those at one standard deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyhf_func.core.codes import is_positive
from pyhf_func.core.modifiers.base import Modifier, Report, Systematic, Use
from pyhf_func.core.values import is_finite, short
from pyhf_func.exceptions import InvalidModifier

if TYPE_CHECKING:
    from pyhf_func.core.compiler.order import Row
    from pyhf_func.core.compiler.terms import Terms


class NormSys(Systematic):
    """A factor of the whole sample."""

    name = "normsys"
    keys = frozenset({"constraint", "interpolation"})

    def check(self, use: Use, report: Report, code: str) -> None:
        """The two factors are finite, and have a logarithm where the interpolation takes it."""
        for key in ("lo", "hi"):
            factor, steps = use.modifier["data"][key], (*use.steps, "data", key)
            if factor > 0 and is_finite(factor):
                continue
            if not is_finite(factor):
                report.fault(steps, f"{short(factor, 20)} is not finite", InvalidModifier)
            elif factor == 0 and code == "code1":
                report.doubt(steps, "a factor of zero: the derivative is not finite there")
            elif is_positive(code):
                message = f"must be positive, not {factor}: the interpolation ({code}) takes its logarithm"
                report.fault(steps, message, InvalidModifier)

    def add(self, terms: Terms, row: Row, modifier: Modifier, first: int) -> None:
        """One term of the row."""
        terms.add_normsys(row, modifier, first)
