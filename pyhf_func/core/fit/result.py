"""The result of a fit: the minimum with everything that tells how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.compiled import Compiled
from pyhf_func.core.fit.descent import blocked
from pyhf_func.core.fit.problem import Minimiser, Minimum, Problem
from pyhf_func.core.fit.solution import Solution, attach, without_derivative
from pyhf_func.core.fit.status import Status
from pyhf_func.results.base import Result

T = TypeVar("T")


class FitResult(Result):
    """The minimum of twice the negative log-likelihood.

    ``pars`` and ``twice_nll`` can be differentiated with respect to data, start values of fixed parameters and
    every number of the model; the other fields are diagnostics.

    Returned by `pyhf_func.fit`.
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
    minima: Array
    """() how many different minima the searches of the fit met."""
    runner_up: Array
    """() by how much the second-best of them is higher, in units of ``twice_nll``; infinite where one was met."""

    def _rows(self) -> list[dict[str, Any]]:
        columns = zip(self._par_names(), self.pars, self.at_bound, strict=True)
        return [{"parameter": name, "value": value, "at_bound": bool(held)} for name, value, held in columns]


def fit_problem(minimiser: Minimiser, problem: Problem) -> FitResult:
    """Locate the minimum and describe it."""
    return describe(problem, without_derivative(minimiser, problem))


compiled_fit = Compiled(fit_problem, static=1)


def describe(problem: Problem, minimum: Minimum) -> FitResult:
    """The result for a minimum that was located, with its derivatives."""
    solution = attach(problem, Solution(minimum.pars, minimum.nll, minimum.forces))
    pars, lower, upper = minimum.pars, problem.lower, problem.upper
    still = problem.fixed | blocked(minimum.gradient, pars, lower, upper)
    return FitResult(
        pars=solution.pars,
        twice_nll=2 * solution.nll,
        status=minimum.status,
        edm=2 * minimum.edm,
        gradient_norm=2 * jnp.linalg.norm(jnp.where(still, 0.0, minimum.gradient)),
        iterations=minimum.iterations,
        at_bound=((pars <= lower) | (pars >= upper)) & ~problem.fixed,
        minima=minimum.minima,
        runner_up=2 * minimum.runner_up,
    )


def worst(*statuses: Array) -> Array:
    """The worst of statuses, element by element."""
    return jnp.max(jnp.stack(jnp.broadcast_arrays(*statuses)), axis=0)


def where_converged(fits: Sequence[FitResult], numbers: T) -> T:
    """Numbers made from fits, each of status (); not numbers where one of the fits did not converge."""
    return where_known(worst(*(fit.status for fit in fits)), numbers)


def where_known(status: Array, numbers: T) -> T:
    """Numbers, and not numbers where their status says that what they are made from is not known.

    The status has the shape of the leading axes of each array of numbers.
    """
    known = status < Status.ITERATION_LIMIT

    def masked(x: Array) -> Array:
        return jnp.where(known.reshape(known.shape + (1,) * (x.ndim - known.ndim)), x, jnp.nan)

    result: T = jax.tree.map(masked, numbers)
    return result
