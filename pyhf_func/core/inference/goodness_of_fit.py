"""Goodness of fit against the saturated model."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import gammaincc

from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.fit.result import FitResult, where_converged
from pyhf_func.core.likelihood.measurements import constrained
from pyhf_func.core.likelihood.objective import constant, prepare
from pyhf_func.results.base import Result


class GoodnessResult(Result):
    """How well the model describes the data: the fit against the model that has a free yield in every bin.

    Returned by `pyhf_func.goodness_of_fit`.
    """

    statistic: Array
    """() -2 log of the likelihood ratio to the saturated model, in which every bin, and every auxiliary datum, is
    expected as it was observed."""
    degrees_of_freedom: Array
    """() bins less the parameters that are fitted without a constraint."""
    p_value: Array
    """() probability of a larger statistic, from its asymptotic chi-squared distribution; not a number where there
    are no degrees of freedom."""
    status: Array
    """() status of the fit: a `Status`."""
    free_fit: FitResult
    """all parameters fitted to the data."""

    def _rows(self) -> list[dict[str, Any]]:
        fields = "statistic", "degrees_of_freedom", "p_value"
        return [{**{name: getattr(self, name) for name in fields}, "status": str(self.status)}]


def goodness_of_fit(problem: Problem, free: FitResult) -> GoodnessResult:
    """Compare the minimum of a problem with the saturated model."""
    model = problem.model
    statistic = jnp.maximum(free.twice_nll - 2 * constant(prepare(model, problem.data)), 0.0)
    fitted = jnp.sum(~problem.fixed & ~constrained(model))
    degrees = model.n_bins - fitted
    enough = degrees > 0
    half = jnp.where(enough, degrees, 1).astype(statistic.dtype) / 2
    p_value = jnp.where(enough, gammaincc(half, statistic / 2), jnp.nan)
    statistic, p_value = where_converged([free], (statistic, p_value))
    return GoodnessResult(statistic, degrees, p_value, free.status, free)
