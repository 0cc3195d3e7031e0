"""How a fit ended."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import jax
import numpy as np


class Status(IntEnum):
    """How a fit, or everything that a result is made of, ended: a number inside jit, a sentence outside.

    A larger number is worse, and a result has the worst status of all that it is made of. Numbers that depend on
    something with a status from ``ITERATION_LIMIT`` on are not numbers (NaN).

    Example:
        >>> Status(0).sentence
        'The fit converged.'
    """

    CONVERGED = 0
    NO_LIMIT = 1
    NOT_IDENTIFIED = 2
    ITERATION_LIMIT = 3
    BETTER_MINIMUM = 4
    STALLED = 5
    INVALID_ARGUMENT = 6
    NOT_FINITE = 7
    INVALID_MODEL = 8
    NOT_COMPUTED = 9
    AT_BOUND = 10

    @property
    def sentence(self) -> str:
        """A sentence on the outcome, and the next thing to try."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.CONVERGED: "The fit converged.",
    Status.NO_LIMIT: "No value of the parameter of interest is excluded at this level, so that the limit is infinite: "
    "the data are not sensitive to it, or nuisance parameters make up for any signal.",
    Status.NOT_IDENTIFIED: "The fit converged, but the likelihood is flat along a direction of the parameters, so that "
    "those which move there have no error: fix or constrain one of them.",
    Status.ITERATION_LIMIT: "The fit or the search reached its iteration limit before it converged; from Python, init= "
    "starts it elsewhere.",
    Status.BETTER_MINIMUM: "The fit ended above a lower point of -2 log L, in another minimum or on a saddle; start it "
    "elsewhere.",
    Status.STALLED: "The fit found no step that lowers the likelihood although it has not converged; "
    "start it elsewhere, and check for templates that make an expected yield negative.",
    Status.INVALID_ARGUMENT: "An argument has a value that is not allowed for it; its documentation names those that "
    "are.",
    Status.NOT_FINITE: "The likelihood is not finite where the fit starts: a bin with observed events has no "
    "expected yield, a count is negative, or data, model or start hold a number that is not finite.",
    Status.INVALID_MODEL: "The model could not be built; the message beside the status says why.",
    Status.AT_BOUND: "The best value of the parameter of interest lies at the upper bound that was set for it, and the "
    "tested value beyond it, where the likelihood is higher still: raise the bound.",
    Status.NOT_COMPUTED: "It was not computed: it was not asked for, or the computation broke off, and the message "
    "beside the status says why.",
}


class Statuses(np.ndarray[Any, Any]):
    """An array of statuses that prints their words: what fields of results such as ``status`` are outside of jit.

    In all else it is NumPy's array of integers; what is computed from it is, too.

    Example:
        >>> statuses = statuses_of(np.array([0, 5], np.int32))
        >>> print(statuses, statuses[0], int(statuses[1]), bool(statuses[0] == Status.CONVERGED))
        [CONVERGED STALLED] CONVERGED 5 True
        >>> statuses.words
        ['CONVERGED', 'STALLED']
    """

    @property
    def words(self) -> Any:
        """The word of each status; a string for one, nested lists for several."""
        return words(self.tolist())

    def __getitem__(self, key: Any) -> Any:
        return statuses_of(np.asarray(self)[key])

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [np.asarray(x) if isinstance(x, Statuses) else x for x in inputs]
        return getattr(ufunc, method)(*plain, **kwargs)

    def __str__(self) -> str:
        return str(self.words).replace("'", "").replace(",", "")

    def __repr__(self) -> str:
        return f"Statuses({self.words!r})"

    def __format__(self, spec: str) -> str:
        return format(self.item() if spec and not self.ndim else str(self), spec)


def statuses_of(numbers: Any) -> Any:
    """Statuses that print their words; what is traced, or no array of integers, as it is."""
    if isinstance(numbers, jax.core.Tracer) or not isinstance(numbers, jax.Array | np.ndarray | np.generic):
        return numbers
    return np.asarray(numbers).view(Statuses) if numbers.dtype.kind in "iu" else numbers


def worst_words(statuses: Any) -> list[str]:
    """The word of the worst status of each row."""
    numbers = np.asarray(statuses)
    return list(words(numbers.reshape(numbers.shape[0], -1).max(axis=-1).tolist()))


def words(numbers: Any) -> Any:
    """The word of a status; lists of words for lists."""
    return [*map(words, numbers)] if isinstance(numbers, list) else Status(numbers).name


def is_status(name: str) -> bool:
    """Whether a field of this name holds statuses."""
    return name.startswith("status") or name.endswith("_status")
