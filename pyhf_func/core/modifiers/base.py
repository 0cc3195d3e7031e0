"""The interface of modifier types; the compiler, the semantic check and the model language ask nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from pyhf_func.core.parameters import AROUND_ONE, DEVIATIONS, FREE, Constraint, ParameterSet, free, unit_normal
from pyhf_func.core.values import as_list, not_finite, not_finite_in
from pyhf_func.exceptions import InvalidModel, InvalidModifier, PyhfFuncError

if TYPE_CHECKING:
    from pyhf_func.core.compiler.order import Row
    from pyhf_func.core.compiler.terms import Terms

Modifier = Mapping[str, Any]
Members = Sequence[tuple["Row", Modifier]]
"""The modifiers of one type and name, each with the row that it acts on, in the order of the rows."""
Steps = tuple[str | int, ...]


class Report(Protocol):
    """Collects what is wrong and what is dubious."""

    def fault(self, steps: Steps, message: str, exception: type[PyhfFuncError] = InvalidModel) -> None:
        """Note something that has no defined meaning."""

    def doubt(self, steps: Steps, message: str) -> None:
        """Note something that gives finite numbers and may not be meant."""


class Use(NamedTuple):
    """A modifier where it stands in a model spec."""

    steps: Steps
    """Its path."""
    place: int
    """The number of its channel."""
    channel: str
    sample: str
    n_bins: int
    nominal: list[float]
    """The yields of its sample."""
    modifier: Modifier


class ModifierType(ABC):
    """A modifier type: its parameters, what it does to yields, and what its data must fulfil.

    Hashable and without state.
    """

    name: ClassVar[str]
    """The type in documents."""
    keys: ClassVar[frozenset[str]] = frozenset()
    """Optional keys of the model language."""
    data: ClassVar[Mapping[str, Any] | None] = None
    """JSON schema of ``data``, for a type that pyhf's schema lacks."""
    constraint: ClassVar[str] = "none"
    """The word of the model language for the constraint of its parameter, where nothing else is asked for."""
    start: ClassVar[tuple[float, tuple[float, float]] | None] = FREE
    """Start value and bounds of each component where nothing is configured; None: they must be configured."""
    binwise: ClassVar[bool] = False
    """Whether its parameter has one component for each bin."""
    in_deviations: ClassVar[bool] = False
    """Whether its parameter counts standard deviations: all such types can share one."""
    sorted_by_name: ClassVar[bool] = False
    """Whether its parameters come in the order of their names, not in that in which a walk meets them."""

    def check(self, use: Use, report: Report, code: str) -> None:  # noqa: B027 many have nothing to check
        """Report what is wrong with the data of one modifier; ``code`` is its interpolation."""

    def components(self, uses: Sequence[Use], report: Report) -> int:
        """Number of components of a parameter that modifiers share; 0, with a report, where that is impossible."""
        return 1

    @abstractmethod
    def parameter(self, name: str, members: Members, constraint: Constraint | None) -> ParameterSet:
        """The parameter that modifiers of one name ask for; ``constraint`` in place of the usual one."""

    @abstractmethod
    def add(self, terms: Terms, row: Row, modifier: Modifier, first: int) -> None:
        """Add what a modifier does to a row, by its parameter whose first component is number ``first``."""

    def scaled(self, data: Any, factor: float) -> Any:
        """Its data, where the yields of the sample are multiplied by a factor."""
        return data

    def can_lift(self, modifier: Modifier, b: int, *, signed: bool) -> bool:
        """Whether it can make a yield of zero or less positive; ``signed``: its parameter may be negative."""
        return signed


class Systematic(ModifierType):
    """A type whose one parameter counts standard deviations."""

    constraint = "gauss"
    start = DEVIATIONS
    in_deviations = True

    def parameter(self, name: str, members: Members, constraint: Constraint | None) -> ParameterSet:
        """In standard deviations."""
        return unit_normal(name, constraint or "normal")

    def can_lift(self, modifier: Modifier, b: int, *, signed: bool) -> bool:
        """A positive factor never does."""
        return False


class Scaling(ModifierType):
    """A type whose parameter is a factor of all bins of its samples."""

    def parameter(self, name: str, members: Members, constraint: Constraint | None) -> ParameterSet:
        """One free parameter."""
        return free(name, 1, is_scalar=True)

    def add(self, terms: Terms, row: Row, modifier: Modifier, first: int) -> None:
        """A factor of the whole row."""
        terms.scale(row, first)


class Binwise(ModifierType):
    """A type with a parameter for each bin, which is a factor of it."""

    binwise = True

    def add(self, terms: Terms, row: Row, modifier: Modifier, first: int) -> None:
        """A factor of each bin."""
        terms.scale_bins(row, first)


class Uncertainties(Binwise):
    """A type whose data are uncertainties of the yields: its factors are measured to be one."""

    start = AROUND_ONE

    def scaled(self, data: Any, factor: float) -> Any:
        """Uncertainties are in the unit of the yields."""
        return [factor * x for x in data]


def check_numbers(use: Use, report: Report, key: str | None = None, noun: str = "number") -> list[float]:
    """The list of numbers in a modifier's data, one for each bin; empty, with a report, where it is not."""
    data, steps = use.modifier["data"], (*use.steps, "data")
    if key is not None:
        data, steps = data[key], (*steps, key)
    numbers, usable = as_list(data), True
    if len(numbers) != len(use.nominal):
        message = f"has {len(numbers)} bins, but the sample has {len(use.nominal)}. Give one {noun} for each bin"
        report.fault(steps, message, InvalidModifier)
        usable = False
    if wrong := not_finite(numbers):
        report.fault(steps, not_finite_in(numbers, wrong), InvalidModifier)
        usable = False
    return numbers if usable else []
