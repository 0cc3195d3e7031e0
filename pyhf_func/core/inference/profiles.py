"""Profile likelihoods on grids of parameter values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.fit.lanes import by_platform
from pyhf_func.core.fit.problem import Minimiser, Minimum, Problem
from pyhf_func.core.fit.result import FitResult, describe, fit_problem, where_known, worst
from pyhf_func.core.fit.solution import without_derivative
from pyhf_func.core.fit.status import Status


class ProfileResult(NamedTuple):
    """The profile likelihood on a grid of shape (n1, n2, ...)."""

    values: tuple[Array, ...]
    """(n1,), (n2,), ... values of each parameter."""
    ratio: Array
    """(n1, n2, ...) -2 log of the profile likelihood ratio: ``twice_nll`` above that of the free fit."""
    status: Array
    """(n1, n2, ...) the worse status of each fit and the free fit: a `Status`."""
    free_fit: FitResult
    """all parameters fitted."""
    conditional_fit: FitResult
    """(n1, n2, ..., ...) the other parameters fitted."""


def profile(minimiser: Minimiser, problem: Problem, places: Array, axes: Sequence[Array]) -> ProfileResult:
    """Fit with the parameters at ``places`` fixed to every point of the grid of their values."""
    free = fit_problem(minimiser, problem)
    grid = jnp.stack([x.ravel() for x in jnp.meshgrid(*axes, indexing="ij")], axis=-1)
    locate = partial(by_platform, partial(_chain, minimiser), partial(_together, minimiser))
    minima = without_derivative(locate, problem._replace(init=free.pars), places, grid)
    fits = jax.vmap(lambda point, minimum: describe(held(problem, places, point), minimum))(grid, minima)
    shape = tuple(axis.shape[0] for axis in axes)
    fits = jax.tree.map(lambda x: x.reshape(shape + x.shape[1:]), fits)
    status = worst(fits.status, free.status)
    return ProfileResult(tuple(axes), where_known(status, fits.twice_nll - free.twice_nll), status, free, fits)


def held(problem: Problem, places: Array, values: Array) -> Problem:
    """The problem with the parameters at ``places`` fixed to ``values``."""
    return problem._replace(init=problem.init.at[places].set(values), fixed=problem.fixed.at[places].set(True))


class _Last(NamedTuple):
    """The last fit of a chain."""

    pars: Array  # (pars,) its minimum
    move: Array  # (pars,) by which it moved from the one before
    point: Array  # where it was made
    step: Array  # how far from the one before


def _chain(minimiser: Minimiser, problem: Problem, places: Array, grid: Array) -> Minimum:
    """One fit after the other, each from the last minimum, moved on as the last ones moved."""

    def fit(last: _Last, point: Array) -> tuple[_Last, Minimum]:
        pars, move, at, step = last
        same = jnp.all(jnp.abs(point - at - step) <= 1e-6 * jnp.abs(step)) & jnp.any(step != 0)
        found = minimiser(held(problem._replace(init=jnp.where(same, pars + move, pars)), places, point))
        good = found.status == Status.CONVERGED
        kept = jnp.where(good, found.pars, problem.init)
        return _Last(kept, jnp.where(good, found.pars - pars, 0.0), point, point - at), found

    nowhere = jnp.zeros_like(grid[0])
    start = _Last(problem.init, jnp.zeros_like(problem.init), problem.init[places], nowhere)
    return jax.lax.scan(fit, start, grid)[1]


def _together(minimiser: Minimiser, problem: Problem, places: Array, grid: Array) -> Minimum:
    return jax.vmap(lambda point: minimiser(held(problem, places, point)))(grid)
