"""What a fit is given and what a minimiser gives back."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from jax import Array

from pyhf_func.core.likelihood.structure import Likelihood


class Problem(NamedTuple):
    """What is minimised: -log L(pars | data) inside the bounds, from ``init``, where ``fixed`` parameters stay."""

    model: Likelihood
    data: Array  # (bins + aux,)
    init: Array  # (pars,)
    lower: Array  # (pars,)
    upper: Array  # (pars,)
    fixed: Array  # (pars,) bool


class Minimum(NamedTuple):
    """Where a minimisation ended."""

    pars: Array  # (pars,)
    status: Array  # () a `Status`
    edm: Array  # () estimated distance to the minimum of the negative log-likelihood (not twice)
    iterations: Array  # ()


class Minimiser(Protocol):
    """A method to minimise: hashable, and a pure function of the problem."""

    def __call__(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood."""
        ...
