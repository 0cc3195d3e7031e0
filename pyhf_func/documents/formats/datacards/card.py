"""A datacard as it was written: bins, processes, rates and nuisance lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from pyhf_func.exceptions import Fault, InvalidSpecification, PyhfFuncError, raise_faults

__all__ = ["Card", "Column", "Effect", "Notes", "Nuisance", "RateParam"]

Column = tuple[str, str]
"""A bin and a process."""

Effect = float | tuple[float, float]
"""What a nuisance does to a column: one number, or one down and one up."""


class Notes:
    """What is wrong, and what is dubious, in a card, each with its line."""

    def __init__(self, source: str | None) -> None:
        self.source = source
        self.faults: list[Fault] = []
        self.doubts: list[Fault] = []

    def fault(self, line: int, message: str, kind: type[PyhfFuncError] = InvalidSpecification) -> None:
        found = Fault(f"line {line}" if line else "the card", message, kind, self.source)
        if found not in self.faults:
            self.faults.append(found)

    def doubt(self, line: int, message: str) -> None:
        self.doubts.append(Fault(f"line {line}" if line else "the card", message, InvalidSpecification, self.source))

    def finish(self) -> None:
        """Raise all faults at once."""
        raise_faults(self.faults)


@dataclass
class Nuisance:
    """A line with an effect on each column: ``lnN``, ``shape``, ``gmN``, ..."""

    name: str
    kind: str
    line: int
    arguments: list[str] = field(default_factory=list)
    effects: dict[Column, Effect] = field(default_factory=dict)
    shape_names: dict[Column, str] = field(default_factory=dict)

    def acts_on(self, column: Column) -> bool:
        effect = self.effects.get(column, 0.0)
        return effect != 0.0 and not (self.kind in ("lnN", "lnU") and effect == 1.0)


@dataclass(frozen=True)
class RateParam:
    """A factor of one column: a parameter, or a formula of others."""

    name: str
    line: int
    column: Column
    start: float = 1.0
    range: tuple[float, float] | None = None
    formula: str | None = None
    arguments: tuple[str, ...] = ()


@dataclass
class Card:
    """A datacard."""

    bins: list[str] = field(default_factory=list)
    observed: dict[str, float] = field(default_factory=dict)
    columns: list[Column] = field(default_factory=list)
    signals: set[str] = field(default_factory=set)
    rates: dict[Column, float] = field(default_factory=dict)
    shapes: dict[str, dict[str, tuple[int, list[str]]]] = field(default_factory=dict)
    nuisances: list[Nuisance] = field(default_factory=list)
    rate_params: list[RateParam] = field(default_factory=list)
    params: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    extra: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    statistics: dict[str, tuple[float, bool, int]] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)
    lines: dict[str, int] = field(default_factory=dict)
    observation_line: int = 0
    rate_line: int = 0

    @cached_property
    def definitions(self) -> dict[str, RateParam]:
        """What defines each rateParam: of several lines the first that is no formula, else the first, by channel.

        Example:
            >>> first, other = RateParam("k", 1, ("A", "b"), formula="2*@0"), RateParam("k", 2, ("B", "b"), start=2.0)
            >>> Card(rate_params=[first, other]).definitions["k"].start
            2.0
        """
        columns = {column: i for i, column in enumerate(dict.fromkeys(param.column for param in self.rate_params))}
        found: dict[str, RateParam] = {}
        for param in sorted(self.rate_params, key=lambda p: (p.formula is not None, columns[p.column])):
            found.setdefault(param.name, param)
        return found
