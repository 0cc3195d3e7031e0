"""Preconditioned conjugate gradients inside a trust region (Steihaug, SIAM J. Numer. Anal. 20 (1983) 626)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

Operator = Callable[[Array], Array]

_LOOSEST = 0.1


class Solution(NamedTuple):
    """An approximate solution of ``H d = b``."""

    step: Array  # d
    residual: Array  # b - H d
    length: Array  # norm of d in the metric
    cut: Array  # bool: ended early, by length or by negative curvature
    iterations: Array
    downhill: Array  # a direction of length one along which H does not curve upwards; zero where none was met
    bend: Array  # how H curves along it, in the metric
    size: Array  # squared length of b in the inverse metric
    first: Array  # the solution, if the metric were the Hessian


class _State(NamedTuple):
    solution: Solution
    direction: Array
    rz: Array  # residual in the inverse metric, squared
    dp: Array  # step . M direction
    pp: Array  # direction . M direction
    active: Array


def solve(
    hessian: Operator,
    inverse_metric: Operator,
    b: Array,
    *,
    radius: ArrayLike,
    tolerance: ArrayLike | None = None,
    limit: ArrayLike,
) -> Solution:
    """Solve ``H d = b`` for ``|d| <= radius`` to a residual of ``tolerance`` times that of zero.

    Lengths and residuals are measured in the metric. Where a direction of negative curvature is met, the metric
    stands in for the Hessian and the step ends. Without a tolerance the residual is made as small as the square
    of ``b``, which makes Newton's method converge quadratically.
    """

    def advance(state: _State) -> _State:
        old, p = state.solution, state.direction
        h = hessian(p)
        curvature = p @ h
        alpha = state.rz / jnp.where(curvature > 0, curvature, 1.0)
        length2 = old.length**2 + 2 * alpha * state.dp + alpha**2 * state.pp
        cut = (curvature <= 0) | (length2 >= radius**2)
        # Where the Hessian curves downwards, the metric's curvature stands in for it.
        alpha = jnp.where(curvature > 0, alpha, state.rz / state.pp)
        alpha = jnp.minimum(alpha, _to_radius(old.length, state.dp, state.pp, radius))
        residual = old.residual - alpha * h
        z = inverse_metric(residual)
        rz = residual @ z
        beta = rz / state.rz
        dp = state.dp + alpha * state.pp
        solution = Solution(
            step=old.step + alpha * p,
            residual=residual,
            length=jnp.sqrt(jnp.maximum(old.length**2 + alpha * (state.dp + dp), 0.0)),
            cut=cut,
            iterations=old.iterations + 1,
            downhill=jnp.where(curvature > 0, old.downhill, p / jnp.sqrt(state.pp)),
            bend=jnp.where(curvature > 0, old.bend, curvature / state.pp),
            size=old.size,
            first=old.first,
        )
        active = ~cut & (rz > wanted**2 * rz0) & (solution.iterations < limit)
        return _State(solution, z + beta * p, rz, beta * dp, rz + beta**2 * state.pp, active)

    z = inverse_metric(b)
    rz0 = b @ z
    wanted = jnp.minimum(_LOOSEST, jnp.sqrt(rz0)) if tolerance is None else jnp.asarray(tolerance)
    start = nothing(b)._replace(residual=b, size=rz0, first=z)
    state = _State(start, z, rz0, jnp.zeros_like(rz0), rz0, rz0 > 0)
    return jax.lax.while_loop(lambda s: s.active, advance, state).solution


def nothing(b: Array) -> Solution:
    """The solution for ``b = 0``."""
    zeros, zero = jnp.zeros_like(b), jnp.zeros((), b.dtype)
    return Solution(zeros, zeros, zero, jnp.zeros((), bool), jnp.zeros((), int), zeros, zero, zero, zeros)


def _to_radius(length: Array, dp: Array, pp: Array, radius: ArrayLike) -> Array:
    """How far along the direction the radius is reached."""
    room = jnp.maximum(radius**2 - length**2, 0.0)
    return room / (dp + jnp.sqrt(dp**2 + pp * room))
