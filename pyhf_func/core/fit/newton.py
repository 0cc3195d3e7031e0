"""The solver: a projected trust-region Newton method with exact Hessian products.

Each pass through the loop expands the likelihood to second order at a trial point. A trial that lowers the
likelihood becomes the current point, and the Newton system there, solved on the free parameters by conjugate
gradients in the Gauss-Newton metric and projected into the box, gives the next trial; otherwise the next trial is
nearer to the current point. One `while_loop`, no factorisation larger than the bins; a fixed parameter is a mask.

Two templates on the same side of the nominal one make a ridge between two minima. Where the search met a ridge
(negative curvature), it looks once at the mirror image of its minimum, searches from there if that is nearly as
good, and keeps the better minimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.fit import conjugate
from pyhf_func.core.fit.lanes import one_by_one
from pyhf_func.core.fit.metric import inverse_metric
from pyhf_func.core.fit.problem import Minimum, Problem
from pyhf_func.core.fit.status import Status
from pyhf_func.core.likelihood.expansion import Expansion, expand, hessian_product
from pyhf_func.core.likelihood.objective import constant, prepare

_CONJUGATE_ITERATIONS = 100
_FIRST_RADIUS = 3.0  # standard deviations
_SHORTER = 0.25
_SHORTEST = 1e-9  # of a step
_WORSE = 1.0  # how much worse than its minimum the mirror image may be to be worth a search


@dataclass(frozen=True)
class Newton:
    """Projected trust-region Newton with exact Hessian products; the default minimiser.

    Attributes:
        iterations: The most expansions of the likelihood before it gives up.
    """

    iterations: int = 200

    def __call__(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood."""
        return one_by_one(lambda problem: minimise(problem, self.iterations))(problem)


class Step(NamedTuple):
    """A step from one point, inside the box."""

    change: Array  # (pars,)
    promised: Array  # decrease of the quadratic model
    length: Array  # in the metric, before the projection
    cut: Array  # bool: shortened by the radius or for lack of curvature
    edm: Array  # decrease that the whole Newton step promises
    downhill: Array  # (pars,) a direction of negative curvature; zero where none was met


class _Point(NamedTuple):
    pars: Array
    value: Array
    gradient: Array
    edm: Array


class _State(NamedTuple):
    pars: Array
    value: Array
    gradient: Array
    trial: Array
    promised: Array
    radius: Array
    length: Array
    cut: Array
    share: Array  # of the step that the trial takes
    edm: Array
    iterations: Array
    status: Array
    finishing: Array
    active: Array
    ridge: Array  # where negative curvature was met last
    across: Array  # in which direction; zero if never
    first_minimum: _Point  # of the first search
    again: Array  # bool: this is the second search


def minimise(problem: Problem, limit: int) -> Minimum:
    """Minimise the negative log-likelihood inside the box."""
    model, data, init, lower, upper, fixed = problem
    prepared = prepare(model, data)
    low, high = jnp.where(fixed, init, lower), jnp.where(fixed, init, upper)
    epsilon = np.finfo(init.dtype).eps
    tolerance = epsilon**0.575  # 1e-9 in 64 bit
    tiny = np.finfo(init.dtype).tiny

    def iterate(state: _State) -> _State:
        x = expand(prepared, state.trial)
        noise = 8 * epsilon * jnp.abs(state.value)
        first = jnp.isinf(state.value)
        gain = jnp.where(first, 1.0, (state.value - x.value + noise) / (state.promised + noise))
        accepted = jnp.isfinite(x.value) & ((gain > 1e-4) | state.finishing)
        radius = jnp.where(gain > 0.75, jnp.where(state.cut, 2.0, 1.0) * state.radius, state.radius)
        radius = jnp.where(gain > 0.25, radius, _SHORTER * state.share * state.length)
        radius = jnp.where(first, state.radius, radius)

        pars = jnp.where(accepted, state.trial, state.pars)
        wanted = accepted & ~state.finishing
        step = jax.lax.cond(wanted, lambda: newton_step(x, pars, low, high, radius), lambda: _no_step(pars))
        share = jnp.where(wanted, 1.0, _SHORTER * state.share)
        trial = jnp.where(wanted, pars + step.change, pars + _SHORTER * (state.trial - pars))

        turned = wanted & jnp.any(step.downhill != 0)
        ridge = jnp.where(turned, pars, state.ridge)
        across = jnp.where(turned, step.downhill, state.across)

        converged = wanted & (step.edm < tolerance) & ~step.cut
        exact = converged & (step.edm < tolerance**3)  # nothing is left to finish, as where the start is the minimum
        finished = state.finishing | exact
        lost = (share < _SHORTEST) | (wanted & ~jnp.isfinite(step.edm))
        iterations = state.iterations + 1
        lost |= state.again & first & (x.value > state.first_minimum.value + _WORSE)
        ended = finished | lost
        status = jnp.where(finished, Status.CONVERGED, jnp.where(lost, Status.STALLED, Status.ITERATION_LIMIT))
        never = jnp.isinf(state.value) & ~accepted
        status = jnp.where(never, Status.NOT_FINITE, status)
        value = jnp.where(accepted, x.value, state.value)
        gradient = jnp.where(accepted, x.gradient, state.gradient)
        edm = jnp.where(wanted, step.edm, state.edm)

        mirror = pars - 2 * across * (across @ (pars - ridge)) / jnp.maximum(across @ across, tiny)
        repeat = finished & ~state.again & jnp.any(across != 0)
        minimum = _Point(pars, value, gradient, edm)
        return _State(
            pars=pars,
            value=jnp.where(repeat, jnp.inf, value),
            gradient=gradient,
            trial=jnp.where(repeat, jnp.clip(mirror, low, high), trial),
            promised=jnp.where(wanted, step.promised, _SHORTER * state.promised),
            radius=jnp.where(repeat, _FIRST_RADIUS, radius),
            length=jnp.where(wanted, step.length, state.length),
            cut=jnp.where(wanted, step.cut, state.cut),
            share=jnp.where(repeat, 1.0, share),
            edm=edm,
            iterations=iterations,
            status=status.astype(jnp.int32),
            finishing=converged & ~exact,
            active=(~ended | repeat) & (converged | (iterations < limit)),
            ridge=ridge,
            across=across,
            first_minimum=jax.tree.map(lambda new, old: jnp.where(repeat, new, old), minimum, state.first_minimum),
            again=state.again | repeat,
        )

    zero, no = jnp.zeros((), init.dtype), jnp.zeros((), bool)
    start = _State(
        # Until a trial has a finite likelihood, trials are drawn towards the suggested start.
        pars=jnp.clip(model.space.init, low, high),
        value=zero + jnp.inf,
        gradient=jnp.zeros_like(init),
        trial=jnp.clip(init, low, high),
        promised=zero,
        radius=zero + _FIRST_RADIUS,
        length=zero,
        cut=no,
        share=zero + 1.0,
        edm=zero + jnp.inf,
        iterations=jnp.zeros((), int),
        status=jnp.asarray(Status.ITERATION_LIMIT, jnp.int32),
        finishing=no,
        active=~no,
        ridge=jnp.zeros_like(init),
        across=jnp.zeros_like(init),
        first_minimum=_Point(jnp.zeros_like(init), zero, jnp.zeros_like(init), zero),
        again=no,
    )
    end = jax.lax.while_loop(lambda s: s.active, iterate, start)
    found = _Point(end.pars, end.value, end.gradient, end.edm)
    keep = end.again & ((end.status != Status.CONVERGED) | (end.first_minimum.value <= end.value))
    best: _Point = jax.tree.map(lambda old, new: jnp.where(keep, old, new), end.first_minimum, found)
    status = jnp.where(keep, jnp.int32(Status.CONVERGED), end.status)
    return Minimum(best.pars, best.value + constant(prepared), best.gradient, status, best.edm, end.iterations - 1)


def newton_step(x: Expansion, pars: Array, low: Array, high: Array, radius: Array) -> Step:
    """The step to the minimum of the quadratic model on the free parameters, within the radius and the box."""
    free = (low < high) & ~blocked(x.gradient, pars, low, high)
    hessian = hessian_product(x)

    def reduced(v: Array) -> Array:
        return jnp.where(free, hessian(jnp.where(free, v, 0.0)), 0.0)

    b = jnp.where(free, -x.gradient, 0.0)
    found = conjugate.solve(reduced, inverse_metric(x, free), b, radius=radius, limit=_CONJUGATE_ITERATIONS)
    slope, bend = b @ found.step, found.step @ (b - found.residual)

    # The whole step, projected; unless the projection spoils the descent: then only as far as the first bound.
    # A Newton step gains half of what its slope promises; that is taken for the projected step, too.
    projected = jnp.clip(pars + found.step, low, high) - pars
    clipped = jnp.any(projected != (pars + found.step) - pars)
    promised = jnp.where(clipped, 0.5 * (b @ projected), slope - 0.5 * bend)
    moving = free & (found.step != 0)
    room = jnp.where(found.step > 0, high - pars, low - pars) / jnp.where(moving, found.step, 1.0)
    share = jnp.clip(jnp.min(jnp.where(moving, room, 1.0)), 0.0, 1.0)
    shortened = share * slope - 0.5 * share**2 * bend
    spoiled = promised < 0.1 * shortened
    return Step(
        change=jnp.where(spoiled, share * found.step, projected),
        promised=jnp.where(spoiled, shortened, promised),
        length=found.length,
        cut=found.cut,
        edm=slope - 0.5 * bend,
        downhill=found.downhill,
    )


def _no_step(pars: Array) -> Step:
    nowhere, zero = jnp.zeros_like(pars), jnp.zeros((), pars.dtype)
    return Step(nowhere, zero, zero, jnp.zeros((), bool), zero, nowhere)


def blocked(gradient: Array, pars: Array, low: Array, high: Array) -> Array:
    """Which parameters lie at a bound that the gradient pushes them against."""
    return ((pars <= low) & (gradient > 0)) | ((pars >= high) & (gradient < 0))
