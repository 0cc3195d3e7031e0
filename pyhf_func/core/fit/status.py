"""How a fit ended."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """How a fit, or everything that a result is made of, ended: a number inside jit, a sentence outside.

    A larger number is worse, and a result has the worst status of all that it is made of.

    Example:
        >>> Status(0).sentence
        'The fit converged.'
    """

    CONVERGED = 0
    NO_LIMIT = 1
    ITERATION_LIMIT = 2
    STALLED = 3
    NOT_FINITE = 4
    INVALID_MODEL = 5
    NOT_COMPUTED = 6

    @property
    def sentence(self) -> str:
        """What happened and what to try."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.CONVERGED: "The fit converged.",
    Status.ITERATION_LIMIT: "The fit reached its iteration limit before it converged; start it nearer to the minimum.",
    Status.STALLED: "The fit found no step that lowers the likelihood although it has not converged; "
    "start it elsewhere, and check for templates that make an expected yield negative.",
    Status.NOT_FINITE: "The likelihood is not finite where the fit starts: a bin with observed events has no "
    "expected yield, a count is negative, or data, model or start hold a number that is not finite.",
    Status.NO_LIMIT: "No value of the parameter of interest is excluded at this level: the data are not sensitive "
    "to it.",
    Status.INVALID_MODEL: "The model could not be built; the message beside the status says why.",
    Status.NOT_COMPUTED: "The computation broke off; the message beside the status says why.",
}
