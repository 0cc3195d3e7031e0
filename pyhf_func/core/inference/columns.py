"""Columns of the inverse Hessian by conjugate gradients: for few of many parameters, without the Hessian itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.density import ratio
from pyhf_func.core.fit.metric import inverse_metric
from pyhf_func.core.fit.walls import at_walls
from pyhf_func.core.likelihood.expansion import Expansion, expand, hessian_product, jacobian
from pyhf_func.core.likelihood.objective import prepare
from pyhf_func.core.likelihood.structure import Likelihood

FLAT = 0.625
"""Below this power of the precision an eigenvalue of the Hessian, scaled to a unit diagonal, is taken for zero."""
MOVES = 1e-6
"""How much of a unit vector along a flat direction a parameter has at least."""
_PRECISE = 0.75  # power of the precision to which systems are solved
_ITERATIONS = 500

Operator = Callable[[Array], Array]


class Columns(NamedTuple):
    """Columns of the inverse Hessian on the free parameters."""

    columns: Array  # (n, pars)
    flat: Array  # (n,) bool: the parameter moves along a direction in which the likelihood is flat
    saddle: Array  # () bool: there is a direction in which the likelihood curves downwards


class _State(NamedTuple):
    solution: Array
    residual: Array
    direction: Array
    rz: Array  # residual in the inverse metric, squared
    iterations: Array
    flat: Array  # bool: the right side has a part in a direction without curvature
    saddle: Array  # bool: the last direction curves downwards
    active: Array


def columns(model: Likelihood, data: Array, pars: Array, free: Array, places: Array) -> Columns:
    """The columns of the parameters at ``places``; zero for those that are not free."""
    x = at_walls(expand(prepare(model, data), pars))
    product, metric, scale = hessian_product(x), inverse_metric(x, free), jax.lax.stop_gradient(_scale(x))

    def hessian(v: Array) -> Array:
        return jnp.where(free, product(jnp.where(free, v, 0.0)), v)

    def solve(hessian: Operator, b: Array) -> tuple[Array, Any]:
        end = _solved(hessian, metric, jnp.where(free, scale, 1.0), b)
        return end.solution, (end.flat, end.saddle)

    def column(b: Array) -> tuple[Array, Any]:
        found: tuple[Array, Any] = jax.lax.custom_linear_solve(hessian, b, solve, symmetric=True, has_aux=True)
        return found

    n = pars.shape[0]
    unit = jnp.zeros((places.shape[0], n), pars.dtype).at[jnp.arange(places.shape[0]), places].set(1.0)
    # A vector without a pattern meets directions of negative curvature that no parameter asked for moves along.
    pattern = jnp.cos(2.399963229728653 * jnp.arange(1, n + 1, dtype=pars.dtype)) * jnp.sqrt(scale)
    right = jnp.concatenate([unit, pattern[None]])
    found, (flat, saddle) = jax.lax.map(column, jnp.where(free[None], right, 0.0))
    return Columns(found[:-1], flat[:-1], jnp.any(saddle))


def _scale(x: Expansion) -> Array:
    """The diagonal of the Hessian, about; one where that is zero."""
    weight = ratio(ratio(x.prepared.main, x.rates), x.rates)
    diagonal = x.constraint + jacobian(x).squared().transposed_times(weight)
    return jnp.where(diagonal > 0, diagonal, 1.0)


def _solved(hessian: Operator, metric: Operator, scale: Array, b: Array) -> _State:
    """Conjugate gradients until the residual is small, or a direction without curvature is met."""
    epsilon = np.finfo(b.dtype).eps
    least, precision = epsilon**FLAT, epsilon**_PRECISE

    def advance(state: _State) -> _State:
        p = state.direction
        h, size = hessian(p), jnp.sum(scale * p**2)
        curvature = p @ h
        wrong = curvature < least * size
        alpha = jnp.where(wrong, 0.0, state.rz / jnp.where(wrong, 1.0, curvature))
        residual = state.residual - alpha * h
        z = metric(residual)
        rz = residual @ z
        moves = jnp.any((b != 0) & (scale * p**2 > MOVES**2 * size))
        iterations = state.iterations + 1
        return _State(
            solution=state.solution + alpha * p,
            residual=residual,
            direction=z + rz / state.rz * p,
            rz=rz,
            iterations=iterations,
            flat=(wrong & moves) | (iterations == _ITERATIONS),
            saddle=curvature < -least * size,
            active=~wrong & (rz > precision**2 * rz0) & (iterations < _ITERATIONS),
        )

    z = metric(b)
    rz0, no = b @ z, jnp.zeros((), bool)
    start = _State(jnp.zeros_like(b), b, z, rz0, jnp.zeros((), int), no, no, rz0 > 0)
    return jax.lax.while_loop(lambda s: s.active, advance, start)
