"""Uncertainties from the exact Hessian at the minimum."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.fit.cholesky import inverse, smallest_pivot
from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.fit.result import FitResult, where_known, worst
from pyhf_func.core.fit.status import Status
from pyhf_func.core.fit.walls import at_walls
from pyhf_func.core.inference.columns import FLAT, MOVES, columns
from pyhf_func.core.likelihood.expansion import expand, hessian_product
from pyhf_func.core.likelihood.objective import prepare
from pyhf_func.results.base import Result
from pyhf_func.results.rootfile import parameter_objects

_COLUMNS = 256
"""How many columns of the Hessian are computed at once."""


class CovarianceResult(Result):
    """The covariance of n fitted parameters, all or those asked for; zero for those that are fixed or at a bound.

    Returned by `pyhf_func.covariance`.
    """

    covariance: Array
    """(n, n) inverse of the Hessian of -log L on the parameters that are free to move; not a number for those that are
    not identified."""
    correlation: Array
    """(n, n) correlations: one on the diagonal, also where there is no variance."""
    errors: Array
    """(n,) standard errors."""
    status: Array
    """() status of the fit; ``NOT_IDENTIFIED`` where the likelihood is flat in a direction there, ``BETTER_MINIMUM``
    where it is lower on both sides. A `Status`."""
    fit: FitResult
    """the minimum."""
    identified: Array
    """(n,) bool: the likelihood has a curvature in every direction in which the parameter moves."""
    parameters: Array | None = None
    """(n,) places in the parameter vector of those asked for; None for all parameters."""

    def _own(self, numbers: Any) -> Any:
        """Those of the n parameters."""
        return numbers if self.parameters is None else np.asarray(numbers)[np.asarray(self.parameters)]

    def _own_names(self) -> list[str]:
        return [str(name) for name in self._own(np.asarray(self._par_names()))]

    def _rows(self) -> list[dict[str, Any]]:
        fit = self.fit
        columns = zip(self._own_names(), self._own(fit.pars), self.errors, self._own(fit.at_bound), strict=True)
        return [{"parameter": name, "value": x, "value_error": dx, "at_bound": bool(b)} for name, x, dx, b in columns]

    def _root_objects(self) -> dict[str, Any]:
        return parameter_objects(
            self._own_names(), self._own(self.fit.pars), self.errors, self.covariance, self.correlation
        )


class _Curvature(NamedTuple):
    """Where a Hessian with a unit diagonal has no positive curvature."""

    lifted: Array  # (pars, pars) to be added, so that it has
    flat: Array  # (pars,) bool: the parameter moves along a flat direction
    saddle: Array  # () bool: there is a negative curvature


def covariance(problem: Problem, fit: FitResult) -> CovarianceResult:
    """The covariance at the minimum of a problem."""
    free = ~(problem.fixed | fit.at_bound)
    matrix, unit = hessian(problem, fit.pars), jnp.eye(free.shape[0], dtype=fit.pars.dtype)
    both = free[:, None] & free[None, :]
    # Scaled to a unit diagonal, which spares digits where parameters have different scales.
    scale = jnp.where(free, jnp.sqrt(jnp.abs(jnp.diagonal(matrix))), 1.0)
    scale = jnp.where(scale > 0, scale, 1.0)
    scaled = jnp.where(both, matrix / _outer(scale), unit)
    scaled = jnp.where(jnp.all(jnp.isfinite(scaled)), scaled, unit)
    shape = _curvature(jax.lax.stop_gradient(scaled))
    inverted = inverse(scaled + shape.lifted)

    status = jnp.where(jnp.any(shape.flat & free), Status.NOT_IDENTIFIED, Status.CONVERGED)
    status = worst(fit.status, jnp.where(shape.saddle, Status.BETTER_MINIMUM, status).astype(jnp.int32))
    found = jnp.where(both, inverted / _outer(scale), 0.0)
    return _result(found, problem.fixed, ~(free & shape.flat), status, fit)


def covariance_of(problem: Problem, fit: FitResult, places: Array) -> CovarianceResult:
    """The covariance of chosen parameters at the minimum of a problem, without that of all others."""
    free = ~(problem.fixed | fit.at_bound)
    found = columns(problem.model, problem.data, fit.pars, free, places)
    chosen = found.columns[:, places]
    status = jnp.where(jnp.any(found.flat), Status.NOT_IDENTIFIED, Status.CONVERGED)
    status = worst(fit.status, jnp.where(found.saddle, Status.BETTER_MINIMUM, status).astype(jnp.int32))
    fixed = problem.fixed[places]
    return _result((chosen + chosen.T) / 2, fixed, ~found.flat, status, fit)._replace(parameters=jnp.asarray(places))


def _result(found: Array, fixed: Array, identified: Array, status: Array, fit: FitResult) -> CovarianceResult:
    """The result of a matrix (n, n), with numbers only where they are known."""
    known = where_known(status, jnp.where(identified, 1.0, jnp.nan))
    missing = jnp.where(fixed | jnp.isfinite(known), 0.0, jnp.nan)
    found = found + missing[None, :] + missing[:, None]
    variance = jnp.diagonal(found)
    errors = jnp.where(variance > 0, jnp.sqrt(jnp.where(variance > 0, variance, 1.0)), 0.0) + missing
    width = jnp.where(errors > 0, errors, 1.0)
    correlation = jnp.where(jnp.eye(found.shape[0], dtype=found.dtype) > 0, 1.0, found / _outer(width))
    return CovarianceResult(found, correlation, errors, status, fit, identified)


def _outer(x: Array) -> Array:
    return x[:, None] * x[None, :]


def _curvature(scaled: Array) -> _Curvature:
    tolerance = np.finfo(scaled.dtype).eps ** FLAT
    regular = smallest_pivot(scaled) > tolerance  # what is not a number is not larger

    def flat() -> _Curvature:
        curvatures, directions = jnp.linalg.eigh(scaled)
        wrong = curvatures < tolerance
        lifted = (directions * jnp.where(wrong, 1.0 - curvatures, 0.0)[None, :]) @ directions.T
        moves = jnp.any(wrong[None, :] & (jnp.abs(directions) > MOVES), axis=-1)
        return _Curvature(lifted, moves, jnp.min(curvatures) < -tolerance)

    def nowhere() -> _Curvature:
        return _Curvature(jnp.zeros_like(scaled), jnp.zeros(scaled.shape[0], bool), jnp.zeros((), bool))

    return jax.lax.cond(regular, nowhere, flat)


def hessian(problem: Problem, pars: Array) -> Array:
    """The exact Hessian of -log L; shape (pars, pars). Where a yield is held at zero, it is as good as measured."""
    x = at_walls(expand(prepare(problem.model, problem.data), pars))
    unit = jnp.eye(pars.shape[0], dtype=pars.dtype)
    if pars.shape[0] <= _COLUMNS:
        return jax.vmap(hessian_product(x))(unit)
    return jax.lax.map(hessian_product(x), unit, batch_size=_COLUMNS)  # of (columns, terms) at once, not (pars, terms)
