"""The solver: a projected trust-region Newton method with exact Hessian products.

Each iteration expands the likelihood to second order, solves the Newton system on the free parameters by
conjugate gradients in the Gauss-Newton metric, and projects the step into the box. One `while_loop`, no
factorisation larger than the bins; a fixed parameter is a mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.fit import conjugate
from pyhf_func.core.fit.metric import inverse_metric
from pyhf_func.core.fit.problem import Minimum, Problem
from pyhf_func.core.fit.status import Status
from pyhf_func.core.likelihood.expansion import Prepared, expand, hessian_product, prepare, value_at

_CONJUGATE_ITERATIONS = 100
_FIRST_RADIUS = 3.0
_PULLS = 12


class _State(NamedTuple):
    pars: Array
    value: Array
    radius: Array
    edm: Array
    iterations: Array
    status: Array
    active: Array


@dataclass(frozen=True)
class Newton:
    """Projected trust-region Newton with exact Hessian products; the default minimiser."""

    iterations: int = 200

    def __call__(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood."""
        return _minimise(problem, self.iterations)


def _minimise(problem: Problem, limit: int) -> Minimum:
    model, data, init, lower, upper, fixed = problem
    prepared = prepare(model, data)
    low, high = jnp.where(fixed, init, lower), jnp.where(fixed, init, upper)
    pars = _finite_start(prepared, jnp.clip(init, low, high), jnp.clip(model.space.init, low, high))
    value = value_at(prepared, pars)
    tolerance = jnp.finfo(pars.dtype).eps ** 0.575  # 1e-9 in 64 bit
    noise = 8 * jnp.finfo(pars.dtype).eps

    def iterate(state: _State) -> _State:
        x = expand(prepared, state.pars)
        free = (low < high) & ~blocked(x.gradient, state.pars, low, high)
        hessian = hessian_product(x)

        def reduced(v: Array) -> Array:
            return jnp.where(free, hessian(jnp.where(free, v, 0.0)), 0.0)

        b = jnp.where(free, -x.gradient, 0.0)
        found = conjugate.solve(
            reduced,
            inverse_metric(x, free),
            b,
            radius=state.radius,
            limit=_CONJUGATE_ITERATIONS,
        )
        edm = 0.5 * (b @ found.step + found.residual @ found.step)
        step = jnp.clip(state.pars + found.step, low, high) - state.pars
        promised = b @ step - 0.5 * step @ reduced(step)
        # A projection that spoils the descent: go as far as the first bound instead.
        room = jnp.where(found.step > 0, high - state.pars, low - state.pars)
        share = jnp.min(jnp.where(free & (found.step != 0), room / jnp.where(found.step != 0, found.step, 1.0), 1.0))
        share = jnp.clip(share, 0.0, 1.0)
        short = share * (b @ found.step) - 0.5 * share**2 * (found.step @ (b - found.residual))
        spoiled = promised < 0.1 * short
        step = jnp.where(spoiled, share * found.step, step)
        promised = jnp.where(spoiled, short, promised)

        trial = state.pars + step
        value = value_at(prepared, trial)
        gain = (state.value - value + noise * jnp.abs(state.value)) / (promised + noise * jnp.abs(state.value))
        done = (edm < tolerance) & ~found.cut
        accepted = done | (gain > 1e-4)
        radius = jnp.where(gain > 0.75, jnp.where(found.cut, 2.0, 1.0) * state.radius, state.radius)
        radius = jnp.where(gain > 0.25, radius, 0.25 * found.length)
        iterations = state.iterations + 1
        stalled = (radius < 1e-10) | ~jnp.isfinite(edm)
        status = jnp.where(
            done,
            Status.CONVERGED,
            jnp.where(stalled, Status.STALLED, Status.ITERATION_LIMIT),
        )
        return _State(
            pars=jnp.where(accepted, trial, state.pars),
            value=jnp.where(accepted, value, state.value),
            radius=radius,
            edm=edm,
            iterations=iterations,
            status=status.astype(state.status.dtype),
            active=~done & ~stalled & (iterations < limit),
        )

    finite = jnp.isfinite(value)
    start = _State(
        pars=pars,
        value=value,
        radius=jnp.full_like(value, _FIRST_RADIUS),
        edm=jnp.full_like(value, jnp.inf),
        iterations=jnp.zeros_like(value, int),
        status=jnp.where(finite, Status.ITERATION_LIMIT, Status.NOT_FINITE).astype(jnp.int32),
        active=finite,
    )
    end = jax.lax.while_loop(lambda s: s.active, iterate, start)
    return Minimum(end.pars, end.status, end.edm, end.iterations)


def blocked(gradient: Array, pars: Array, low: Array, high: Array) -> Array:
    """Which parameters lie at a bound that the gradient pushes them against."""
    return ((pars <= low) & (gradient > 0)) | ((pars >= high) & (gradient < 0))


def _finite_start(prepared: Prepared, init: Array, centre: Array) -> Array:
    """The start, drawn towards the suggested one until the likelihood is finite there."""

    def pull(state: tuple[Array, Array]) -> tuple[Array, Array]:
        pars, count = state
        return (pars + centre) / 2, count + 1

    def wanted(state: tuple[Array, Array]) -> Array:
        pars, count = state
        return (count < _PULLS) & ~jnp.isfinite(value_at(prepared, pars))

    pars, _ = jax.lax.while_loop(wanted, pull, (init, jnp.zeros((), int)))
    return pars
