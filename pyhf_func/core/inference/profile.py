"""Profile likelihoods on grids of parameter values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.fit.lanes import by_platform
from pyhf_func.core.fit.problem import Minimiser, Minimum, Problem
from pyhf_func.core.fit.result import FitResult, describe, where_known, worst
from pyhf_func.core.fit.solution import without_derivative
from pyhf_func.core.fit.status import Status
from pyhf_func.core.inference import statistics
from pyhf_func.results.base import Result
from pyhf_func.results.tables import Table


class ProfileResult(Result):
    """The profile likelihood on a grid of shape (n1, n2, ...).

    Returned by `pyhf_func.profile`.
    """

    values: tuple[Array, ...]
    """(n1,), (n2,), ... values of each parameter."""
    ratio: Array
    """(n1, n2, ...) -2 log of the profile likelihood ratio: ``twice_nll`` above that of the free fit."""
    status: Array
    """(n1, n2, ...) the worst status of each fit and the free fit; ``BETTER_MINIMUM`` where a fit ended below the free
    one, also when that was made again from there. A `Status`."""
    free_fit: FitResult
    """all parameters fitted."""
    conditional_fit: FitResult
    """(n1, n2, ..., ...) the other parameters fitted."""

    def _keys(self, _: Table) -> tuple[str, ...]:
        return self._known_names().axes

    def _rows(self) -> list[dict[str, Any]]:
        names = self._known_names().axes
        return [
            {
                **{name: axis[i] for name, axis, i in zip(names, self.values, index, strict=True)},
                "ratio": self.ratio[index],
                "status": str(self.status[index]),
            }
            for index in np.ndindex(*self.ratio.shape)
        ]


def profile(minimiser: Minimiser, problem: Problem, places: Array, axes: Sequence[Array]) -> ProfileResult:
    """Fit with the parameters at ``places`` fixed to every point of the grid of their values."""
    grid = jnp.stack([x.ravel() for x in jnp.meshgrid(*axes, indexing="ij")], axis=-1)
    one_by_one, at_once = (partial(_consistent, partial(fits, minimiser)) for fits in (_chain, _together))
    minima = without_derivative(partial(by_platform, one_by_one, at_once), problem, places, grid)
    free = describe(problem, minima.free)
    fits = jax.vmap(lambda point, minimum: describe(held(problem, places, point), minimum))(grid, minima.points)
    ratio = fits.twice_nll - free.twice_nll
    worse = statistics.hidden(ratio, free.twice_nll) & _comparable(problem, places, grid)
    status = worst(fits.status, free.status, jnp.where(worse, Status.BETTER_MINIMUM, Status.CONVERGED))
    shape = tuple(axis.shape[0] for axis in axes)
    fits, ratio, status = jax.tree.map(lambda x: x.reshape(shape + x.shape[1:]), (fits, ratio, status))
    return ProfileResult(tuple(axes), where_known(status, ratio), status.astype(jnp.int32), free, fits)


def _comparable(problem: Problem, places: Array, grid: Array) -> Array:
    """Which points the free fit could have reached; shape (points,) of bool."""
    lower, upper, fixed = (x[places][None] for x in (problem.lower, problem.upper, problem.fixed))
    inside = (grid >= lower) & (grid <= upper) & ~fixed
    return jnp.all(inside, axis=-1)


def held(problem: Problem, places: Array, values: Array) -> Problem:
    """The problem with the parameters at ``places`` fixed to ``values``."""
    return problem._replace(init=problem.init.at[places].set(values), fixed=problem.fixed.at[places].set(True))


class _Minima(NamedTuple):
    free: Minimum
    points: Minimum  # (points, ...)


class _Round(NamedTuple):
    minima: _Minima
    init: Array
    rounds: Array
    again: Array


def _consistent(fits: Callable[..., _Minima], problem: Problem, places: Array, grid: Array) -> _Minima:
    """The fits, made again while one at a point of the grid ends below the free one, from there."""
    inside = _comparable(problem, places, grid)

    def once(r: _Round) -> _Round:
        found = fits(problem._replace(init=r.init), places, grid)
        minima = _Minima(*map(statistics.alike, found, r.minima))
        good = inside & (minima.points.status == Status.CONVERGED) & jnp.isfinite(minima.points.nll)
        heights = jnp.where(good, minima.points.nll, jnp.inf)
        lowest = jnp.argmin(heights)
        again = statistics.lower_by(minima.free.nll, heights[lowest]) & (r.rounds + 1 < statistics.ROUNDS)
        return _Round(minima, minima.points.pars[lowest], r.rounds + 1, again)

    shapes = (), grid.shape[:1]
    nothing = _Minima(*(statistics.no_minimum(problem.init, problem.model.n_bins, *shape) for shape in shapes))
    begin = _Round(nothing, problem.init, jnp.zeros((), int), jnp.ones((), bool))
    return jax.lax.while_loop(lambda r: r.again, once, begin).minima


class _Last(NamedTuple):
    """The last fit of a chain."""

    free: Array  # (pars,) the free minimum
    pars: Array  # (pars,) the last one
    move: Array  # (pars,) by which it moved from the one before
    point: Array  # where it was made
    step: Array  # how far from the one before


def _chain(minimiser: Minimiser, problem: Problem, places: Array, grid: Array) -> _Minima:
    """The free fit, then one after the other, each from the last minimum, moved on as the last ones moved."""

    def fit(last: _Last, job: tuple[Array, Array]) -> tuple[_Last, Minimum]:
        first, point = job
        same = jnp.all(jnp.abs(point - last.point - last.step) <= 1e-6 * jnp.abs(last.step)) & jnp.any(last.step != 0)
        own = problem._replace(init=jnp.where(same, last.pars + last.move, last.pars))
        there = held(own, places, point)
        found = minimiser(
            own._replace(
                init=jnp.where(first, problem.init, there.init), fixed=jnp.where(first, problem.fixed, there.fixed)
            )
        )
        good = (found.status == Status.CONVERGED) | first
        free = jnp.where(first, found.pars, last.free)
        moved = good & ~first
        return _Last(
            free=free,
            pars=jnp.where(good, found.pars, free),
            move=jnp.where(moved, found.pars - last.pars, 0.0),
            point=jnp.where(first, found.pars[places], point),
            step=jnp.where(first, 0.0, point - last.point),
        ), found

    init, at = problem.init, problem.init[places]
    start = _Last(init, init, jnp.zeros_like(init), at, jnp.zeros_like(at))
    points = jnp.concatenate([at[None], grid])
    minima = jax.lax.scan(fit, start, (jnp.arange(points.shape[0]) == 0, points))[1]
    return _Minima(jax.tree.map(lambda x: x[0], minima), jax.tree.map(lambda x: x[1:], minima))


def _together(minimiser: Minimiser, problem: Problem, places: Array, grid: Array) -> _Minima:
    free = minimiser(problem)
    near = problem._replace(init=free.pars)
    return _Minima(free, jax.vmap(lambda point: minimiser(held(near, places, point)))(grid))
