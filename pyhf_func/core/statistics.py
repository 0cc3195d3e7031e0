"""The test statistics by name: what is tested against what, and which data speak against it.

Each is -2 log of a profile likelihood ratio (arXiv:1007.1727). What is stated of one here fixes its fits
(`pyhf_func.core.inference.statistics`), its asymptotic distribution (`pyhf_func.core.inference.asymptotics`), and
how its results are called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

TestStat = Literal["q", "qtilde", "q0"]


@dataclass(frozen=True)
class Statistic:
    """A test statistic; hashable, so that it can be part of a program.

    Attributes:
        name: Its name in verbs and commands.
        purpose: What it is for, in help texts.
        side: The side of the tested value on which a best value of the POI speaks against it.
        p_value: The p-value that it is made for: ``"CLs"``, or the name of the tested hypothesis's own.
        tested: The only value of the POI that it tests; None for any.
        alternative: The POI of the alternative, with which Asimov data and the toys of CLb are made.
        not_negative: Whether the best value is never negative, whatever the bounds. Its asymptotic distribution then
            has a second region, of data whose best value would be negative.
        beyond: Whether the best value may lie beyond an upper bound that nobody has set.
    """

    name: str
    purpose: str
    side: Literal["below", "above"]
    p_value: str = "CLs"
    tested: float | None = None
    alternative: float = 0.0
    not_negative: bool = False
    beyond: bool = True

    @property
    def sets_limits(self) -> bool:
        """Whether upper limits can be set with it: where CLs has a meaning."""
        return self.p_value == "CLs"

    @property
    def field(self) -> str:
        """The field of results that holds its p-value."""
        return "cls" if self.sets_limits else "clsb"

    def counts(self, best: Any, tested: Any) -> Any:
        """Whether a best value speaks against the tested one; elsewhere the test statistic is zero."""
        return best <= tested if self.side == "below" else best >= tested


Q = Statistic("q", "upper limits", "below")
"""Equation (14): the best value may be negative."""
QTILDE = Statistic("qtilde", "upper limits", "below", not_negative=True)
"""Equation (16)."""
Q0 = Statistic("q0", "discovery", "above", p_value="p0", tested=0.0, alternative=1.0, beyond=False)
"""Equation (12). The significance is that of a best value inside the bounds."""

_EVERY = (
    Q,
    QTILDE,
    Q0,
)
STATISTICS = {statistic.name: statistic for statistic in _EVERY}
"""Every test statistic by its name."""


def names(*, limits: bool = False) -> tuple[str, ...]:
    """The names of the test statistics, or of those with which upper limits can be set."""
    return tuple(name for name, statistic in STATISTICS.items() if statistic.sets_limits or not limits)
