"""The result of a fit: the minimum with everything that tells how good it is."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.fit.newton import blocked
from pyhf_func.core.fit.problem import Minimiser, Problem
from pyhf_func.core.fit.solution import solve
from pyhf_func.core.likelihood.expansion import expand, prepare


class FitResult(NamedTuple):
    """The minimum of twice the negative log-likelihood.

    ``pars`` and ``twice_nll`` can be differentiated with respect to data, start values of fixed parameters and
    every number of the model; the other fields are diagnostics.
    """

    pars: Array
    """(pars,) parameters at the minimum."""
    twice_nll: Array
    """() -2 log L there, with all constant terms."""
    status: Array
    """() how the fit ended: a `Status`."""
    edm: Array
    """() estimated distance to the minimum, in units of ``twice_nll``, before the last step."""
    gradient_norm: Array
    """() Euclidean norm of the gradient of ``twice_nll`` on the parameters that are free to move."""
    iterations: Array
    """() iterations of the minimiser."""
    at_bound: Array
    """(pars,) bool: the parameter was fitted and lies at one of its bounds."""


def fit_problem(minimiser: Minimiser, problem: Problem) -> FitResult:
    """Solve a problem and describe the minimum."""
    solution = solve(minimiser, problem)
    model, data, pars, lower, upper = jax.lax.stop_gradient(
        (problem.model, problem.data, solution.pars, problem.lower, problem.upper)
    )
    gradient = expand(prepare(model, data), pars).gradient
    at_bound = ((pars <= lower) | (pars >= upper)) & ~problem.fixed
    still = problem.fixed | blocked(gradient, pars, lower, upper)
    return FitResult(
        pars=solution.pars,
        twice_nll=2 * solution.nll,
        status=solution.status,
        edm=2 * solution.edm,
        gradient_norm=2 * jnp.linalg.norm(jnp.where(still, 0.0, gradient)),
        iterations=solution.iterations,
        at_bound=at_bound,
    )
