"""The input of a fit and the output of a minimiser."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from jax import Array

from pyhf_func.core.likelihood.structure import Likelihood


class Problem(NamedTuple):
    """The function to minimise, -log L(pars | data), its bounds and its start; ``fixed`` parameters stay there."""

    model: Likelihood
    data: Array  # (bins + aux,)
    init: Array  # (pars,)
    lower: Array  # (pars,)
    upper: Array  # (pars,)
    fixed: Array  # (pars,) bool


class Minimum(NamedTuple):
    """Where a minimisation ended."""

    pars: Array  # (pars,)
    nll: Array  # () negative log-likelihood (not twice), with all constant terms
    gradient: Array  # (pars,) its gradient
    status: Array  # () a `Status`
    edm: Array  # () its estimated distance to the minimum, before the last step
    iterations: Array  # ()
    minima: Array  # () how many different minima were met
    runner_up: Array  # () how far above the minimum the next one of them lies, in nll; infinite without one
    forces: Array  # (bins,) with which walls hold yields at zero


class Minimiser(Protocol):
    """A method to minimise: hashable, and a pure function of the problem."""

    def __call__(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood."""
        ...
