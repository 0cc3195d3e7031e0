"""Uncertainties from the exact Hessian at the minimum."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.linalg import cho_solve

from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.fit.result import FitResult
from pyhf_func.core.fit.status import Status
from pyhf_func.core.likelihood.expansion import expand, hessian_product
from pyhf_func.core.likelihood.objective import prepare


class CovarianceResult(NamedTuple):
    """The covariance of the fitted parameters; zero for those that are fixed or at a bound."""

    covariance: Array
    """(pars, pars) inverse of the Hessian of -log L on the parameters that are free to move."""
    correlation: Array
    """(pars, pars) correlations: one on the diagonal, also where there is no variance."""
    errors: Array
    """(pars,) standard errors."""
    status: Array
    """() status of the fit; ``STALLED`` where the Hessian is not positive there. A `Status`."""
    fit: FitResult
    """the minimum."""


def covariance(problem: Problem, fit: FitResult) -> CovarianceResult:
    """The covariance at the minimum of a problem."""
    free = ~(problem.fixed | fit.at_bound)
    matrix = hessian(problem, fit.pars)
    both = free[:, None] & free[None, :]
    # Scaled to a unit diagonal, which spares digits where parameters have different scales.
    scale = jnp.where(free, jnp.sqrt(jnp.abs(jnp.diagonal(matrix))), 1.0)
    scale = jnp.where(scale > 0, scale, 1.0)
    scaled = jnp.where(both, matrix / scale / scale[:, None], jnp.eye(free.shape[0], dtype=matrix.dtype))
    factor = jnp.linalg.cholesky(scaled)
    positive = jnp.all(jnp.isfinite(factor))
    factor = jnp.where(positive, factor, jnp.eye(free.shape[0], dtype=matrix.dtype))
    inverse = cho_solve((factor, True), jnp.eye(free.shape[0], dtype=matrix.dtype))
    found = jnp.where(both & positive, inverse / scale / scale[:, None], 0.0)
    variance = jnp.diagonal(found)
    errors = jnp.where(variance > 0, jnp.sqrt(jnp.where(variance > 0, variance, 1.0)), 0.0)
    width = jnp.where(errors > 0, errors, 1.0)
    correlation = jnp.where(jnp.eye(free.shape[0], dtype=bool), 1.0, found / width / width[:, None])
    status = jnp.where(positive, fit.status, jnp.maximum(fit.status, Status.STALLED))
    return CovarianceResult(found, correlation, errors, status, fit)


def hessian(problem: Problem, pars: Array) -> Array:
    """The exact Hessian of -log L; shape (pars, pars)."""
    x = expand(prepare(problem.model, problem.data), pars)
    return jax.vmap(hessian_product(x))(jnp.eye(pars.shape[0], dtype=pars.dtype))
