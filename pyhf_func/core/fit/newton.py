"""The solver: searches for minima, one after the other, and the best of what they find.

The first search starts where the problem says. Where the structure of the model allows several minima, predictions
of the other wells around the best minimum start further searches, in the order of what they promise, until none
gains; and random starts, as many as are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.arrays import count
from pyhf_func.core.fit.descent import Box, Point, descend
from pyhf_func.core.fit.lanes import one_by_one
from pyhf_func.core.fit.pieces import breaks_of, rounded
from pyhf_func.core.fit.problem import Minimum, Problem
from pyhf_func.core.fit.status import Status
from pyhf_func.core.fit.wells import WORTH, Wells, none_of, predict, turning
from pyhf_func.core.likelihood.measurements import above_lowest
from pyhf_func.core.likelihood.measurements import widths as measured_widths
from pyhf_func.core.likelihood.objective import constant, prepare

_SEARCHES = 128  # for other wells, at most
_MORE = 8  # random starts where a search met walls, which divide wells in ways that are not predicted
_SEED = 20_26


@dataclass(frozen=True)
class Newton:
    """Projected trust-region Newton with exact Hessian products; the default minimiser.

    Every verb that fits takes it as its ``minimiser``, where other options than the default ones are wanted.

    Attributes:
        iterations: The most expansions of the likelihood in one search before it gives up.
        search: How many random starts are tried beside the given one.

    Example:
        >>> import jax.numpy as jnp
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([10.0], [50.0], [7.0])
        >>> data, thorough = jnp.array([60.0, *model.config.auxdata]), pf.Newton(search=4)
        >>> pf.fit(data, model, minimiser=thorough).minima
        Array(1, dtype=int64)
        >>> print(f"{pf.hypotest(1.0, data, model, minimiser=thorough).cls:.4f}")
        0.6020
    """

    iterations: int = 200
    search: int = 0

    def __post_init__(self) -> None:
        """Check the options."""
        count(self.iterations, "iterations")
        count(self.search, "search", least=0)

    def __call__(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood."""
        find = minimise if problem.model.least_bin is None else _above_floor
        return one_by_one(lambda problem: find(problem, self.iterations, self.search))(problem)


class _State(NamedTuple):
    best: Point
    wells: Wells
    searches: Array
    starts: Array  # () how many random ones are wanted
    iterations: Array
    minima: Array
    runner_up: Array  # () value of the second-best minimum
    start: Array  # (pars,) of the next search
    active: Array


def minimise(problem: Problem, limit: int, search: int = 0) -> Minimum:
    """Minimise the negative log-likelihood inside the box."""
    model, data, init, lower, upper, fixed = problem
    p = prepare(model, data)
    lower = above_lowest(model, lower)
    low, high = jnp.where(fixed, init, lower), jnp.where(fixed, init, upper)
    box = Box(low, high, breaks_of(model, low, high), turning(model) & (low < high))
    several = jnp.any(box.turning)
    random = _random_starts(problem, box, search + _MORE)
    epsilon = np.finfo(init.dtype).eps

    def explore(state: _State) -> _State:
        first = state.searches == 0
        from_wells = state.searches > state.starts
        rival = jnp.where(from_wells, state.best.value, jnp.inf)
        found = descend(p, state.start, model.space.init, box, rival, limit)
        good = found.status == Status.CONVERGED
        near = 1e-7 + 1e3 * epsilon * jnp.abs(state.best.value)
        better = good & ((found.value < state.best.value - near) | (state.best.status != Status.CONVERGED))
        take = better | first
        another = good & ~first & (jnp.abs(found.value - state.best.value) > near)
        runner_up = jnp.minimum(state.runner_up, jnp.where(better & ~first, state.best.value, jnp.inf))
        runner_up = jnp.minimum(runner_up, jnp.where(another & ~better, found.value, jnp.inf))
        best: Point = jax.tree.map(lambda new, old: jnp.where(take, new, old), found, state.best)

        number = jnp.argmin(state.wells.heights)
        left = state.wells._replace(heights=state.wells.heights.at[number].set(jnp.inf))
        left = jax.tree.map(lambda a, b: jnp.where(from_wells, a, b), left, state.wells)
        starts = jnp.where(several & best.met_walls, search + _MORE, state.starts)
        anew = (state.searches >= starts) & (better | ~from_wells) & (best.status == Status.CONVERGED)
        wells = jax.lax.cond(anew & several, lambda: predict(p, best.pars, box), lambda: left)
        searches = state.searches + 1
        place = jnp.argmin(wells.heights)
        start = jnp.where(searches > starts, wells.starts[place], random[jnp.minimum(searches, search + _MORE)])
        return _State(
            best=best,
            wells=wells,
            searches=searches,
            starts=starts,
            iterations=state.iterations + found.iterations,
            minima=state.minima + (good & (first | another)),
            runner_up=runner_up,
            start=start,
            active=(searches <= starts) | ((wells.heights[place] < WORTH) & (searches <= starts + _SEARCHES)),
        )

    zero = jnp.zeros((), init.dtype)
    none, converged, no = jnp.zeros((), int), jnp.zeros((), jnp.int32), jnp.zeros((), bool)
    nothing = Point(init, zero + jnp.inf, jnp.zeros_like(init), zero, converged, none, jnp.zeros_like(p.main), no)
    begin = _State(
        nothing,
        none_of(model, init),
        jnp.zeros((), int),
        jnp.full((), search),
        jnp.zeros((), int),
        jnp.zeros((), int),
        zero + jnp.inf,
        init,
        jnp.ones((), bool),
    )
    end = jax.lax.while_loop(lambda s: s.active, explore, begin)
    best = end.best
    return Minimum(
        pars=rounded(best.pars, box.breaks),
        nll=best.value + constant(p),
        gradient=best.gradient,
        status=best.status,
        edm=best.edm,
        iterations=end.iterations - 1,
        minima=end.minima,
        runner_up=end.runner_up - best.value,
        forces=best.forces,
    )


def _above_floor(problem: Problem, limit: int, search: int) -> Minimum:
    """The same where yields have a least value, whose kinks no search would pass.

    For the minimum a floor is a wall, as long as the force with which the wall pushes back is at most that of an empty
    bin, of which one more event expected costs one: the floor takes this away. Only beyond a stronger one is the
    likelihood lower.
    """
    on_walls = minimise(problem._replace(model=replace(problem.model, least_bin=None)), limit, search)
    below = jnp.any(on_walls.forces > 1) | (on_walls.status != Status.CONVERGED)
    again = problem._replace(init=jnp.where(jnp.isfinite(on_walls.pars), on_walls.pars, problem.init))
    return jax.lax.cond(below, lambda: minimise(again, limit, search), lambda: on_walls)


def _random_starts(problem: Problem, box: Box, n: int) -> Array:
    """The given start, and ``n`` random ones: constrained parameters by their constraints, others around the start."""
    init, low, high = problem.init, box.low, box.high
    draws = np.random.default_rng(_SEED).standard_normal((n, *init.shape)).astype(init.dtype)  # the same for every fit
    aux = problem.data[problem.model.n_bins :]
    widths = 2 * measured_widths(problem.model, aux, 0.25 * jnp.maximum(jnp.abs(init), 1.0))
    return jnp.concatenate([init[None], jnp.clip(init[None] + widths[None] * draws, low[None], high[None])])
