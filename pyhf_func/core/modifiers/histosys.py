"""A systematic uncertainty of the shape: yields between the templates at one standard deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyhf_func.core.codes import is_positive
from pyhf_func.core.modifiers.base import Modifier, Report, Systematic, Use, check_numbers
from pyhf_func.core.values import as_list, bins
from pyhf_func.exceptions import InvalidModifier

if TYPE_CHECKING:
    from pyhf_func.core.compiler.order import Row
    from pyhf_func.core.compiler.terms import Terms

_SIDES = ("lo_data", "hi_data")


class HistoSys(Systematic):
    """Other yields, bin by bin."""

    name = "histosys"
    keys = frozenset({"constraint", "interpolation", "smooth"})

    def check(self, use: Use, report: Report, code: str) -> None:
        """The two templates are finite, and have the sign of the yields where the interpolation takes a logarithm."""
        for key in _SIDES:
            template = check_numbers(use, report, key, noun="yield")
            if template and is_positive(code) and (wrong := _opposite(template, use.nominal)):
                message = f"{bins(wrong)} must have the sign of the nominal yield: the interpolation ({code}) takes "
                message += "the logarithm of their ratio"
                report.fault((*use.steps, "data", key), message, InvalidModifier)

    def add(self, terms: Terms, row: Row, modifier: Modifier, first: int) -> None:
        """One term of each entry of the row."""
        terms.add_histosys(row, modifier, first)

    def scaled(self, data: Any, factor: float) -> Any:
        """Templates are yields."""
        return {key: [factor * x for x in values] for key, values in data.items()}

    def can_lift(self, modifier: Modifier, b: int, *, signed: bool) -> bool:
        """Where a template is positive."""
        templates = [as_list(modifier["data"][key]) for key in _SIDES]
        return any(template[b] > 0 for template in templates if len(template) > b)


def _opposite(template: list[float], nominal: list[float]) -> list[int]:
    """Bins where a template has not the sign of the nominal yield; where that is zero, there is no effect."""
    return [b for b, (t, n) in enumerate(zip(template, nominal, strict=False)) if n and not t / n > 0]
