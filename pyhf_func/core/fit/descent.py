"""One search for a minimum: a projected trust-region Newton method with exact Hessian products.

Each pass through the loop expands the likelihood to second order at a trial point. A trial that lowers the
likelihood becomes the current point, and the Newton system there, solved on the free parameters by conjugate
gradients in the Gauss-Newton metric and projected into the box, gives the next trial; otherwise the next trial is
nearer to the current point. One `while_loop`, no factorisation larger than the bins; a fixed parameter is a mask.

Where the gradient vanishes the curvature is tested, if the model can have saddles: the search leaves along a
direction in which the likelihood curves downwards. Where yields would fall below zero, see `walls`.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.fit import conjugate
from pyhf_func.core.fit import walls as wall
from pyhf_func.core.fit.metric import Kept, inverse, judged, none_kept
from pyhf_func.core.fit.pieces import Breaks, across, piece, settled
from pyhf_func.core.fit.status import Status
from pyhf_func.core.fit.walls import Push, Walls
from pyhf_func.core.likelihood.expansion import Expansion, Slopes, expand, hessian_product, slopes
from pyhf_func.core.likelihood.objective import Prepared
from pyhf_func.core.likelihood.places import Jacobian
from pyhf_func.core.likelihood.yields import expected_main

_CONJUGATE_ITERATIONS = 100
_FIRST_RADIUS = 3.0  # standard deviations
_SHORTER = 0.25
_SHORTEST = 1e-9  # of a step
_SHORTEST_ESCAPE = 1e-3  # of a standard deviation
_ROUNDINGS = 8  # by which a parameter may miss its bound
_PASSES = 10  # to find which bounds and walls hold a step
_LIFTS = 30  # of yields that are negative where the search starts
_EMPTYINGS = 10  # of those that bins without events are expected to have
_HOPELESS = 0.5  # above its rival that a search may be expected to end without being given up
_TRUSTED = 3.0  # decrease that the quadratic model promises, up to which it is taken at its word
_DOWNWARDS = -1e-6  # curvature, in the metric, that is not rounding


class Box(NamedTuple):
    """Where a search may go. Fixed parameters have equal bounds."""

    low: Array  # (pars,)
    high: Array  # (pars,)
    breaks: Breaks
    turning: Array  # (pars,) bool: parameters that may lead to a saddle; of the free ones


class Point(NamedTuple):
    """Where a search ended."""

    pars: Array
    value: Array
    gradient: Array
    edm: Array
    status: Array
    iterations: Array
    forces: Array  # (bins,) of the walls that hold the point
    met_walls: Array  # bool: on its way
    missed: Array  # (bins,) yields whose walls it may have missed


class Step(NamedTuple):
    """A step from one point, inside the box."""

    change: Array  # (pars,)
    promised: Array  # decrease of the quadratic model
    length: Array  # in the metric, before the projection
    cut: Array  # bool: shortened by the radius or for lack of curvature
    edm: Array  # decrease that the whole Newton step promises
    slope: Array  # square of the gradient's length in the inverse metric
    downhill: Array  # (pars,) a direction of negative curvature, of length one; zero where none was met
    walls: Walls
    kept: Kept | None


class _State(NamedTuple):
    pars: Array
    value: Array
    gradient: Array
    rates: Array
    walls: Walls
    kept: Kept | None
    trial: Array
    promised: Array
    radius: Array
    length: Array
    cut: Array
    share: Array  # of the step that the trial takes
    edm: Array
    iterations: Array
    status: Array
    finishing: Array  # bool: the trial is the last step of a search that has converged
    escaping: Array  # bool: the trial leaves a stationary point along a direction of negative curvature
    met: Array  # bool: walls
    active: Array


def descend(p: Prepared, init: Array, fallback: Array, box: Box, rival: Array, limit: int, emptied: Array) -> Point:
    """Search from ``init``; a start without a finite likelihood is lifted, or drawn towards ``fallback``.

    Constrained parameters first bring the yields of bins that are to be ``emptied`` close to their walls, if they can.
    The search is given up where it will not end below the value of its ``rival``.
    """
    search = _Search(p, box, rival, limit, emptied)
    end = jax.lax.while_loop(lambda s: s.active, partial(_advance, search), _start(p, init, fallback, box))
    return Point(
        end.pars,
        jnp.where(end.status == Status.CONVERGED, end.value, end.value + wall.without(end.walls, end.rates)),
        end.gradient,
        end.edm,
        end.status,
        end.iterations,
        wall.forces(end.walls),
        end.met,
        wall.missed(end.walls, end.rates),
    )


class _Search(NamedTuple):
    p: Prepared
    box: Box
    rival: Array
    limit: int
    emptied: Array  # (bins,) bool

    @property
    def tolerance(self) -> float:
        """Decrease that is not worth another step: 1e-9 in 64 bit."""
        return float(np.finfo(self.box.low.dtype).eps ** 0.575)


class _Here(NamedTuple):
    """Where a pass through the loop goes on: at the trial, if it is accepted, or lifted from there."""

    behind: Prepared
    x: Expansion  # at the trial
    accepted: Array
    radius: Array
    first: Array  # bool: no point had a finite likelihood before
    lifts: Array  # (bins,) bool: yields that the next step lifts
    lifting: Array
    pars: Array
    begin: Array  # (pars,) of the next step
    low: Array  # (pars,) of the piece that it is in
    high: Array
    testing: Array  # bool: nothing is left but to test the curvature
    wanted: Array  # bool: a Newton step


class _Choice(NamedTuple):
    """How the search goes on."""

    status: Array
    share: Array
    finishing: Array
    leaves: Array  # bool: along a direction of negative curvature
    moves: Array  # bool: a step from here; otherwise a shorter one from where it was before
    stays: Array  # bool: the search ends


def _advance(search: _Search, state: _State) -> _State:
    """One pass through the loop."""
    here = _arrive(search, state)
    step = _step(search, state, here)
    flipped, flips = _flipped(here.behind, here.x, here.pars, here.low, here.high, search.box.breaks)
    flips &= here.wanted
    choice = _choose(search, state, here, step, flips)
    wanted, leaves, accepted = here.wanted, choice.leaves, here.accepted

    trial = _snapped(here.begin + jnp.where(leaves, step.downhill, step.change), here.low, here.high)
    shorter = settled(here.pars + _SHORTER * (state.trial - here.pars), search.box.breaks)
    iterations = state.iterations + 1
    return _State(
        pars=here.pars,
        value=jnp.where(accepted, here.x.value + wall.change(state.walls, step.walls, here.x.rates), state.value),
        gradient=jnp.where(accepted, here.x.gradient, state.gradient),
        rates=jnp.where(accepted, here.x.rates, state.rates),
        walls=step.walls,
        kept=step.kept,
        trial=jnp.where(choice.moves, jnp.where(flips, flipped, trial), shorter),
        promised=jnp.where(flips | leaves, 0.0, jnp.where(wanted, step.promised, _SHORTER * state.promised)),
        radius=here.radius,
        length=jnp.where(leaves, 1.0, jnp.where(wanted, step.length, state.length)),
        cut=jnp.where(wanted, step.cut, state.cut),
        share=choice.share,
        edm=jnp.where(wanted, step.edm, state.edm),
        iterations=iterations,
        status=choice.status,
        finishing=choice.finishing,
        escaping=leaves | (state.escaping & ~accepted),
        met=state.met | here.lifting | jnp.any(step.walls.counts > 0),
        active=~choice.stays & (choice.finishing | (iterations < search.limit)),
    )


def _arrive(search: _Search, state: _State) -> _Here:
    """Expand the likelihood at the trial, and judge it."""
    box = search.box
    behind = wall.behind(search.p, state.walls)
    x = expand(behind, state.trial)
    accepted, radius = _judge(state, x)
    first = jnp.isinf(state.value)
    emptying = first & (state.iterations < _EMPTYINGS) & wall.too_full(x, search.emptied)
    accepted &= ~jnp.any(emptying)
    lacking = wall.lacking(x, state.walls) | emptying
    lifting = first & jnp.any(lacking) & (state.iterations < _LIFTS)
    pars = jnp.where(accepted, state.trial, state.pars)
    begin = jnp.where(lifting, state.trial, pars)
    low, high = piece(begin, box.breaks, box.low, box.high)
    # After the last step there is nothing to do but to test the curvature, where a saddle is possible.
    testing = accepted & state.finishing & jnp.any(box.turning)
    wanted = accepted & ~state.finishing
    return _Here(
        behind, x, accepted, radius, first, lifting & lacking, lifting, pars, begin, low, high, testing, wanted
    )


def _step(search: _Search, state: _State, here: _Here) -> Step:
    """The step from there; none, where a shorter trial comes next."""
    whole = (state.share == 1) & (~state.cut | (state.edm < 1e-3 * search.tolerance))
    return jax.lax.cond(
        here.wanted | here.testing | here.lifting,
        lambda: newton_step(
            here.x,
            here.begin,
            here.low,
            here.high,
            here.radius,
            wall.fewer(here.x, state.walls, state.edm, whole),
            jnp.where(here.testing, 1.0, 0.0) * search.box.turning,
            here.lifts,
            search.emptied,
            state.kept,
        ),
        lambda: no_step(here.pars, state.walls, state.kept),
    )


def _choose(search: _Search, state: _State, here: _Here, step: Step, flips: Array) -> _Choice:
    """Whether the search has converged, is lost or hopeless, or goes on, and in which direction."""
    tolerance, wanted, accepted = search.tolerance, here.wanted, here.accepted
    stationary = wanted & (step.edm < tolerance) & ~step.cut
    flat = wanted & (step.slope < tolerance)
    converged = (stationary | flat) & ~flips & wall.settled(here.x, step.walls)
    # Nothing is left to finish.
    exact = converged & (step.slope < tolerance**3) & ~jnp.any(search.box.turning)
    leaves = jnp.any(step.downhill != 0) & (here.testing | (flat & ~stationary)) & ~flips
    moves = wanted | leaves | here.lifting
    share = jnp.where(moves, 1.0, _SHORTER * state.share)
    lost = (share < _SHORTEST) | (wanted & ~jnp.isfinite(step.edm))
    returned = state.escaping & ~accepted & (share < _SHORTEST_ESCAPE)  # as where it is flat
    near = state.edm < 100 * tolerance  # and no step gains more than the rounding of the likelihood
    finished = (state.finishing & ~leaves) | exact | returned | (lost & near)
    # Far from a minimum the quadratic model says nothing about its height.
    close = wanted & ~step.cut & (step.edm < _TRUSTED)
    hopeless = close & (here.x.value - 3 * step.edm > search.rival + _HOPELESS)
    status = jnp.where(lost | hopeless, Status.STALLED, Status.ITERATION_LIMIT)
    status = jnp.where(here.first & ~accepted, Status.NOT_FINITE, status)
    status = jnp.where(finished, Status.CONVERGED, status)
    stays = (finished | lost | hopeless) & ~leaves
    return _Choice(status.astype(jnp.int32), share, converged & ~exact & ~leaves, leaves, moves, stays)


def _start(p: Prepared, init: Array, fallback: Array, box: Box) -> _State:
    zero, no = jnp.zeros((), init.dtype), jnp.zeros((), bool)
    return _State(
        pars=settled(jnp.clip(fallback, box.low, box.high), box.breaks),
        value=zero + jnp.inf,
        gradient=jnp.zeros_like(init),
        rates=p.main,
        walls=wall.none(p),
        kept=none_kept(p.model, init.dtype),
        trial=settled(jnp.clip(init, box.low, box.high), box.breaks),
        promised=zero,
        radius=zero + _FIRST_RADIUS,
        length=zero,
        cut=no,
        share=zero + 1.0,
        edm=zero + jnp.inf,
        iterations=jnp.zeros((), int),
        status=jnp.asarray(Status.ITERATION_LIMIT, jnp.int32),
        finishing=no,
        escaping=no,
        met=no,
        active=~no,
    )


def _judge(state: _State, x: Expansion) -> tuple[Array, Array]:
    """Whether the trial becomes the current point, and the new radius."""
    epsilon = np.finfo(state.trial.dtype).eps
    # Forces of walls multiply the rounding of yields.
    behind = jnp.sum(jnp.where(state.walls.counts > 0, state.walls.force * x.sizes, 0.0))
    noise = 8 * epsilon * (jnp.abs(state.value) + behind) + np.finfo(state.trial.dtype).tiny
    first = jnp.isinf(state.value)
    gain = jnp.where(first, 1.0, (state.value - x.value + noise) / (state.promised + noise))
    lower = jnp.where(state.escaping, x.value < state.value - noise, (gain > 1e-4) | state.finishing)
    accepted = jnp.isfinite(x.value) & (lower | first)
    radius = jnp.where(gain > 0.75, jnp.where(state.cut, 2.0, 1.0) * state.radius, state.radius)
    radius = jnp.where(gain > 0.25, radius, _SHORTER * state.share * state.length)
    return accepted, jnp.where(first | state.escaping, state.radius, radius)


def _flipped(p: Prepared, x: Expansion, pars: Array, low: Array, high: Array, breaks: Breaks) -> tuple[Array, Array]:
    """The point on the other side of the kinks that hold it although the likelihood falls there; whether there is one.

    Yields are the same on both sides, and a parameter's one-sided derivative does not depend on the others' sides.
    """
    if breaks.real.shape[0] == 0:
        return pars, jnp.zeros((), bool)
    other, away = across(pars, breaks)
    falls = blocked(x.gradient, pars, low, high) & (away * expand(p, other).gradient < 0)
    return jnp.where(falls, other, pars), jnp.any(falls)


class _Question(NamedTuple):
    """The system of which a step is the solution: see `newton_step`."""

    x: Expansion
    pars: Array
    low: Array
    high: Array
    radius: Array
    walls: Walls
    probe: Array
    lifted: Array
    emptied: Array
    bins: Jacobian | Slopes
    probing: Array
    lifting: Array

    def pushes(self, held: Array) -> tuple[Push, Array]:
        """The addition of the walls that are held, and the gradient with it."""
        add, lift = wall.push(self.x, self.walls, held), wall.lift(self.x, held, self.emptied)
        push: Push = jax.tree.map(partial(jnp.where, self.lifting), lift, add)
        return push, jnp.where(self.lifting, 0.0, self.x.gradient) - self.bins.transposed_times(push.up)

    def ahead(self, change: Array) -> Array:
        """The yields after a step, to first order."""
        return self.x.rates + self.bins.times(change)

    def through(self, change: Array) -> Array:
        """Which walls a step leads through, not to first order alone; (bins,) of bool.

        Where a bound holds a scale at zero, its bins have no yield at all, whatever else moves.
        """
        likely = wall.through(self.x, self.walls, self.ahead(change))

        def certainly() -> Array:
            return likely & (expected_main(self.x.prepared.model, self.pars + change) < 0)

        return jax.lax.cond(jnp.any(likely), certainly, lambda: likely)

    def pinned(self, through: Array) -> Array:
        """Which parameters lie at a bound that keeps yields at zero, which would fall if they left it; (pars,) of bool.

        No barrier stands where a yield is zero already, since a bound holds its scale at zero.
        """
        falls = -self.bins.transposed_times(jnp.where(through & (self.x.rates <= 0), 1.0, 0.0))
        return ((self.pars <= self.low) & (falls > 0)) | ((self.pars >= self.high) & (falls < 0))


class _Attempt(NamedTuple):
    free: Array
    held: Array  # (bins,) bool: the walls in force
    kept: Kept | None
    found: conjugate.Solution
    b: Array
    counts: Array  # (bins,) see `Walls`
    through: Array  # (bins,) bool: walls that the step still leads through
    passes: Array
    again: Array


def newton_step(
    x: Expansion,
    pars: Array,
    low: Array,
    high: Array,
    radius: Array,
    walls: Walls,
    probe: Array | None = None,
    lifted: Array | None = None,
    emptied: Array | None = None,
    kept: Kept | None = None,
) -> Step:
    """The step to the minimum of the quadratic model on the free parameters, within the radius, the box and the walls.

    Where a ``probe`` is not zero, it takes the place of the gradient: to look for directions of negative curvature.
    Where any bin is to be ``lifted``, or ``emptied`` by what is constrained, the step does that and nothing else.
    """
    probe = jnp.zeros_like(pars) if probe is None else probe
    lifted = jnp.zeros(x.rates.shape, bool) if lifted is None else lifted
    emptied = lifted & (False if emptied is None else emptied)
    probing, lifting = jnp.any(probe != 0), jnp.any(lifted)
    kept = none_kept(x.prepared.model, pars.dtype) if kept is None else kept
    asked = _Question(x, pars, low, high, radius, walls, probe, lifted, emptied, slopes(x), probing, lifting)
    return _taken(asked, _solved(asked, kept))


def _solved(asked: _Question, kept: Kept | None) -> _Attempt:
    """The Newton step, and which bounds and walls hold it."""
    x, pars, low, high, radius, walls, probe, lifted, emptied, bins, probing, lifting = asked
    scattered = probe * _scattered(probe.shape[0], probe.dtype)
    far = np.finfo(pars.dtype).max ** 0.25

    def attempt(state: _Attempt) -> _Attempt:
        push, gradient = asked.pushes(state.held)
        free = state.free & ~((state.passes == 0) & blocked(gradient, pars, low, high))
        hessian = hessian_product(x._replace(prepared=x.prepared._replace(main=push.effective)))

        def reduced(v: Array) -> Array:
            return jnp.where(free, hessian(jnp.where(free, v, 0.0)), 0.0)

        b = jnp.where(free, jnp.where(probing, scattered, -gradient), 0.0)
        at_walls = state.kept is not None and (lifting | jnp.any(state.held))
        metric, kept = inverse(bins, push.weight, x.constraint, free, state.kept, at_walls)
        found = conjugate.solve(
            reduced,
            metric,
            b,
            radius=jnp.where(probing, far, radius),
            limit=jnp.where(lifting, 0, _CONJUGATE_ITERATIONS),
        )
        found = found._replace(step=jnp.where(lifting, found.first, found.step))
        # A parameter at its bound stays there, if it is the Newton step that would lead out.
        out = free & (((pars <= low) & (found.step < 0)) | ((pars >= high) & (found.step > 0)))
        change = jnp.clip(pars + found.step, low, high) - pars
        through = jnp.where(lifting, asked.ahead(change) < 0, asked.through(change)) & ~state.held & ~probing
        out |= free & asked.pinned(through & ~lifting)
        more = (jnp.any(out) | jnp.any(through)) & (state.passes < _PASSES)
        kept = judged(kept, found.iterations, at_walls)
        held = state.held | (through & more & (lifting | (x.rates > 0)))
        return _Attempt(free & ~(out & more), held, kept, found, b, push.counts, through, state.passes + 1, more)

    held = jnp.where(lifting, lifted, walls.counts > 0)
    nothing, yes = conjugate.nothing(pars), jnp.ones((), bool)
    movable = (low < high) & (~jnp.any(emptied) | (x.constraint > 0))
    begin = _Attempt(movable, held, kept, nothing, pars, walls.counts, held, jnp.zeros((), int), yes)
    return jax.lax.while_loop(lambda s: s.again, attempt, begin)


def _taken(asked: _Question, attempt: _Attempt) -> Step:
    """The part of the Newton step that is taken."""
    x, pars, low, high, _, walls, *_, probing, lifting = asked
    free, held, _, found, b, counts, through, *_ = attempt
    slope, bend = b @ found.step, found.step @ (b - found.residual)
    # The whole step, projected; unless the projection spoils the descent: then only as far as the first bound.
    # A Newton step gains half of what its slope promises; that is taken for the projected step, too.
    projected = jnp.clip(pars + found.step, low, high) - pars
    clipped = jnp.any(projected != (pars + found.step) - pars)
    promised = jnp.where(clipped, 0.5 * (b @ projected), slope - 0.5 * bend)
    moving = free & (projected != 0)
    room = jnp.where(found.step > 0, high - pars, low - pars) / jnp.where(moving, found.step, 1.0)
    share = jnp.clip(jnp.min(jnp.where(moving, room, 1.0)), 0.0, 1.0)
    shortened = share * slope - 0.5 * share**2 * bend
    spoiled = (promised < 0.1 * shortened) & ~lifting
    change = jnp.where(spoiled, share * found.step, projected)

    ahead = asked.ahead(change)
    reach = jnp.where(lifting, 1.0, wall.reach(x, held, through, ahead))
    moved = wall.followed(x, walls, counts, ahead)
    return Step(
        change=reach * change,
        promised=reach * jnp.where(spoiled, shortened, promised),
        length=found.length,
        cut=found.cut,
        edm=slope - 0.5 * bend,
        slope=found.size,
        downhill=jnp.where(found.bend < _DOWNWARDS, found.downhill, 0.0),
        walls=jax.tree.map(partial(jnp.where, probing | lifting), walls, moved),
        kept=attempt.kept,
    )


def no_step(pars: Array, walls: Walls, kept: Kept | None) -> Step:
    """Stay where it is."""
    nowhere, zero = jnp.zeros_like(pars), jnp.zeros((), pars.dtype)
    return Step(nowhere, zero, zero, jnp.zeros((), bool), zero, zero, nowhere, walls, kept)


def blocked(gradient: Array, pars: Array, low: Array, high: Array) -> Array:
    """Which parameters lie at a bound that the gradient pushes them against."""
    return ((pars <= low) & (gradient > 0)) | ((pars >= high) & (gradient < 0))


def _snapped(trial: Array, low: Array, high: Array) -> Array:
    """The trial inside the box; parameters that miss a bound by rounding are put there and count as held by it."""
    epsilon = _ROUNDINGS * np.finfo(trial.dtype).eps

    def close(bound: Array) -> Array:
        return jnp.isfinite(bound) & (jnp.abs(trial - bound) <= epsilon * jnp.maximum(jnp.abs(bound), jnp.abs(trial)))

    trial = jnp.clip(trial, low, high)
    return jnp.where(close(low), low, jnp.where(close(high), high, trial))


def _scattered(n: int, dtype: np.dtype) -> Array:
    """Numbers without a pattern, so that no direction is orthogonal to them."""
    return jnp.cos(2.399963229728653 * jnp.arange(1, n + 1, dtype=dtype))
