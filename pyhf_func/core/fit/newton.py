"""The solver: searches for minima, one after the other, and the best of what they find.

The first search starts where the problem says. Where the structure of the model allows several minima, predictions
of the other wells around the best minimum start further searches, in the order of what they promise, until none
gains; and random starts, as many as are asked for, and more where that promises to pay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.arrays import count
from pyhf_func.core.fit import walls
from pyhf_func.core.fit.descent import Box, Point, descend
from pyhf_func.core.fit.lanes import one_by_one
from pyhf_func.core.fit.pieces import beside_kinks, breaks_of, rounded
from pyhf_func.core.fit.problem import Minimum, Problem
from pyhf_func.core.fit.status import Status
from pyhf_func.core.fit.wells import WORTH, Wells, interpolating, none_of, predict, turning
from pyhf_func.core.likelihood.measurements import above_lowest, constrained
from pyhf_func.core.likelihood.measurements import widths as measured_widths
from pyhf_func.core.likelihood.objective import Prepared, constant, prepare

_SEARCHES = 128  # for other wells, at most
_EMPTIED = 4  # bins without events that are expected to have some, one after the other, at most
_CONTINUED = 8  # searches that go on where one was not finished, lower than the best minimum
_MORE = 8  # random starts where there may be wells that are not predicted
_SOME = 6  # of them, where scales compete with parameters that probably have several wells
_WORTHLESS = 0.5  # deviation from the data that does not need a better minimum
_AT_LEAST = 2  # of them, where there are too many parameters to cover
_FEW = 16  # parameters, private ones of single bins aside, of which random starts find most wells
_DEVIATIONS = 2.0  # by which a minimum describes the data badly
_WIDTH = 2.5  # of random starts, in those of the constraints
_FACTOR = 2.0  # by which random scales differ, as a power of e
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
    from_wells: Array  # () searches that they started
    emptied: Array  # (bins,) bool: for which searches were started
    emptying: Array  # (bins,) bool: for which the next one is
    continued: Array  # () searches that went on where another was given up
    begun: Array  # () of the given start and the random ones
    iterations: Array
    minima: Array
    runner_up: Array  # () value of the second-best minimum
    start: Array  # (pars,) of the next search
    active: Array


class _Ground(NamedTuple):
    """Where minima of one problem are looked for."""

    problem: Problem
    prepared: Prepared
    box: Box
    several: Array  # () bool: there are parameters that may have several wells
    few: Array  # () bool: so few parameters that random starts find most wells
    starts: Array  # (n, pars) the given one, and random ones
    search: int  # random starts that are asked for
    limit: int  # iterations of each search


def minimise(problem: Problem, limit: int, search: int = 0) -> Minimum:
    """Minimise the negative log-likelihood inside the box."""
    ground = _ground(problem, limit, search)
    end = jax.lax.while_loop(lambda s: s.active, partial(_explore, ground), _begin(ground))
    best = end.best
    return Minimum(
        pars=rounded(best.pars, ground.box.breaks),
        nll=best.value + constant(ground.prepared),
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


def _ground(problem: Problem, limit: int, search: int) -> _Ground:
    model, data, init, lower, upper, fixed = problem
    lower = above_lowest(model, lower)
    low, high = beside_kinks(model, jnp.where(fixed, init, lower), jnp.where(fixed, init, upper))
    box = Box(low, high, breaks_of(model, low, high), turning(model) & (low < high))
    bent = interpolating(model) & (low < high)
    shared = bent | (~constrained(model) & (low < high))
    return _Ground(
        problem,
        prepare(model, data),
        box,
        several=jnp.any(box.turning),
        few=jnp.any(bent) & (jnp.sum(shared) <= _FEW),
        starts=_random_starts(problem, box, search + _MORE),
        search=search,
        limit=limit,
    )


def _begin(ground: _Ground) -> _State:
    init = ground.problem.init
    zero, none, no = jnp.zeros((), init.dtype), jnp.zeros((), int), jnp.zeros((), bool)
    converged, force = jnp.zeros((), jnp.int32), jnp.zeros_like(ground.prepared.main)
    nothing = Point(init, zero + jnp.inf, jnp.zeros_like(init), zero, converged, none, force, no, force)
    wells, empty = none_of(ground.problem.model, init), jnp.zeros_like(ground.prepared.main, bool)
    return _State(nothing, wells, none, empty, empty, none, none + 1, none, none, zero + jnp.inf, init, ~no)


def _explore(ground: _Ground, state: _State) -> _State:
    """One search, and where the next one starts: in the most promising well, or at random."""
    first = state.iterations == 0
    # Who asks for random starts wants to know of all minima; and few searches of small models are worth giving up.
    rival = jnp.where(ground.few | (ground.search > 0), jnp.inf, state.best.value)
    home = ground.problem.model.space.init
    found = descend(ground.prepared, state.start, home, ground.box, rival, ground.limit, state.emptying)
    good = found.status == Status.CONVERGED
    height = jnp.where(jnp.isfinite(state.best.value), state.best.value, 0.0)
    near = 1e-7 + 1e3 * np.finfo(found.pars.dtype).eps * jnp.abs(height)
    # Where a search that was not finished is lower, no higher minimum is the answer.
    lower = found.value < state.best.value - near
    better = lower | (good & (state.best.status != Status.CONVERGED) & (found.value < state.best.value + near))
    another = good & ~first & (jnp.abs(found.value - state.best.value) > near)
    runner_up = jnp.minimum(state.runner_up, jnp.where(better & ~first, state.best.value, jnp.inf))
    runner_up = jnp.minimum(runner_up, jnp.where(another & ~better, found.value, jnp.inf))
    best: Point = jax.tree.map(partial(jnp.where, better | first), found, state.best)

    wells = jax.lax.cond(
        good & (better | first) & (ground.several | jnp.any(ground.box.breaks.kinked)),
        lambda: predict(ground.prepared, best.pars, ground.box),
        lambda: state.wells,
    )
    unfinished = better & ~good & (state.minima > 0) & (state.continued < _CONTINUED)
    place = jnp.argmin(wells.heights)
    promising = (wells.heights[place] < WORTH) & (state.from_wells < _SEARCHES) & ~unfinished
    full = jnp.where(state.emptied, 0.0, best.missed)
    emptying = (jnp.arange(full.size) == jnp.argmax(full)) & (full > 0) & (jnp.sum(state.emptied) < _EMPTIED)
    emptying &= ground.few & ~promising & ~unfinished
    planned = unfinished | promising | jnp.any(emptying)
    begun = state.begun + ~planned
    random = ground.starts[jnp.where(planned, 0, jnp.minimum(begun, len(ground.starts)) - 1)]
    return _State(
        best=best,
        wells=wells._replace(heights=jnp.where(promising, wells.heights.at[place].set(jnp.inf), wells.heights)),
        from_wells=state.from_wells + promising,
        emptied=state.emptied | emptying,
        emptying=emptying,
        continued=state.continued + unfinished,
        begun=begun,
        iterations=state.iterations + found.iterations,
        minima=state.minima + (good & (first | another)),
        runner_up=runner_up,
        start=jnp.where(promising, wells.starts[place], jnp.where(unfinished, best.pars, random)),
        active=planned | (begun <= 1 + _wanted(ground, best, state.from_wells > 0)),
    )


def _wanted(ground: _Ground, best: Point, predicted: Array) -> Array:
    """How many random starts are tried.

    They are where walls divide wells in ways that are not predicted; and in small models where scales end at bounds,
    or another well was predicted and the best minimum so far describes the data badly, so that another one may well be
    better; some, where another well was predicted and scales are free to compete. Twice the value is the distance from
    a perfect description, of the auxiliary data, too: none can gain more than that.
    """
    model, box = ground.problem.model, ground.box
    bins = float(model.n_bins)
    free = (box.low < box.high) & ~constrained(model) & (jnp.arange(model.n_pars) != model.space.poi)
    predicted = predicted & ground.several  # what lies beyond a kink is predicted well
    strained = predicted & (2 * best.value > bins + _DEVIATIONS * (2 * bins) ** 0.5)
    strained |= jnp.any(free & ((best.pars <= box.low) | (best.pars >= box.high)))
    strained |= best.status != Status.CONVERGED
    strained |= ground.several & walls.several(best.missed)
    several = (ground.several & best.met_walls) | (ground.few & strained)
    competing = ground.few & predicted & jnp.any(free) & (2 * best.value > _WORTHLESS)
    some = jnp.where(competing, _SOME, 0)
    return ground.search + jnp.where(several, jnp.where(ground.few, _MORE, _AT_LEAST), some)


def _random_starts(problem: Problem, box: Box, n: int) -> Array:
    """The given start, and ``n`` random ones: constrained parameters by their constraints, scales by factors."""
    init, low, high = problem.init, box.low, box.high
    draws = np.random.default_rng(_SEED).standard_normal((n, *init.shape)).astype(init.dtype)  # the same for every fit
    aux = problem.data[problem.model.n_bins :]
    # Not too far in all from where the search would begin, however many parameters there are.
    shrink = jnp.minimum(1.0, jnp.sqrt(_FEW / jnp.maximum(1, jnp.sum(low < high))))
    widths = _WIDTH * measured_widths(problem.model, aux, jnp.maximum(jnp.abs(init), 1.0))
    scales = (low >= 0) & ~constrained(problem.model)
    random = jnp.where(
        scales[None], init[None] * jnp.exp(shrink * _FACTOR * draws), init[None] + (shrink * widths)[None] * draws
    )
    return jnp.concatenate([init[None], jnp.clip(random, low[None], high[None])])
