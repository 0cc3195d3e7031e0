"""Walls: where expected yields reach zero.

Below zero there is no density. Observed events keep a yield above it by themselves; a bin without events pulls its
yield down with a constant force, so that the minimum may lie on the wall. A search that meets walls follows a barrier
that vanishes (Waechter and Biegler, Math. Program. 106 (2006) 25): a few events ``e`` count as observed behind each
wall, fewer with every step. At the minimum the wall pushes back with the force ``z = e / lambda``; in the Newton
system it stands for itself, with the curvature ``z / lambda``, and follows the step:

    z + dz = (e - z J d) / lambda.

The last ``e`` are too few to be noticed in the likelihood.

Where a search starts behind walls, it first takes the shortest steps, in units of the constraints' widths, that lift
these yields if they are linear in the parameters.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.density import poisson_value, ratio
from pyhf_func.core.likelihood.automatic import Automatic
from pyhf_func.core.likelihood.expansion import Expansion
from pyhf_func.core.likelihood.objective import Prepared

_FEW = 0.01  # observed events that do not keep a search from the wall
_SEVERAL = 3.0  # events that are hardly overlooked
_SOME = 0.5  # events that are worth to look for a wall
_FEWER = 0.1  # from step to step
_FIRST = 0.1  # events behind a new wall, in units of the yield
_REACH = 0.99  # of the way to a wall that a step may take
_WEAKER = 0.01  # times which a force becomes in one step at least
_AT = 1e-7  # yields that are taken to lie at the wall
_STIFF = 1e3  # one over the precision with which they are held there, in units of the contributions
_ROUNDINGS = 8  # of a yield, by which it may miss zero
_MARGIN = 0.05  # of the contributions to a bin, to which its yield is lifted
_STIFFNESS = 300.0  # of the lift: one over the precision of yields, in units of the contributions


class Walls(NamedTuple):
    """The walls of one search, for each bin."""

    observed: Array  # (bins,) events
    counts: Array  # (bins,) events that count as observed behind a wall; zero where the search has met none
    force: Array  # (bins,) with which the wall pushes back


class Push(NamedTuple):
    """The addition of bins to a Newton system."""

    counts: Array  # (bins,) see `Walls`
    effective: Array  # (bins,) observed events that give the Hessian its curvature
    weight: Array  # (bins,) the metric's curvature with respect to the yield
    up: Array  # (bins,) force on the yield that the gradient does not hold yet


def none(p: Prepared) -> Walls:
    """No wall was met."""
    return Walls(p.main, jnp.zeros_like(p.main), jnp.ones_like(p.main))


def behind(p: Prepared, walls: Walls) -> Prepared:
    """The likelihood with the events behind the walls."""
    return p._replace(main=jnp.where(walls.counts > 0, walls.counts, walls.observed))


def lacking(x: Expansion, walls: Walls) -> Array:
    """Which bins have no density; (bins,) of bool."""
    nothing = (x.rates <= 0) & (walls.observed > 0)
    return nothing if x.prepared.model.continued else nothing | (x.rates < 0)


def may_hold(x: Expansion, walls: Walls) -> Array:
    """Which bins need a wall to keep their yields from falling below zero; (bins,) of bool."""
    few = (walls.observed >= 0) & (walls.observed < _FEW)
    return few & (walls.observed > 0) if x.prepared.model.continued else few


def fewest(x: Expansion, walls: Walls) -> Array:
    """The last events behind walls; (bins,)."""
    epsilon = np.finfo(x.rates.dtype).eps
    return jnp.maximum(walls.observed, epsilon**0.7 + 100 * epsilon * x.sizes)


def fewer(x: Expansion, walls: Walls, edm: Array, whole: Array) -> Walls:
    """The events behind walls for the next step: not too few for what is left to gain, or where steps are shortened."""
    counts = walls.counts * jnp.minimum(_FEWER, jnp.sqrt(walls.counts))
    counts = jnp.where(whole, jnp.maximum(counts, jnp.minimum(edm, walls.counts)), walls.counts)
    return walls._replace(counts=jnp.where(walls.counts > 0, jnp.maximum(counts, fewest(x, walls)), 0.0))


def settled(x: Expansion, walls: Walls) -> Array:
    """Whether the events behind walls do not matter any more."""
    return jnp.all(walls.counts <= fewest(x, walls))


def change(old: Walls, new: Walls, rates: Array) -> Array:
    """The addition of other events behind walls to the negative log-likelihood."""
    counts = jnp.stack([jnp.where(old.counts > 0, old.counts, old.observed), new.counts])
    before, after = poisson_value(counts, jnp.stack([rates, rates]))
    return jnp.sum(jnp.where(new.counts != old.counts, after - before, 0.0))


def without(walls: Walls, rates: Array) -> Array:
    """The same for no events but the observed ones."""
    return change(walls, walls._replace(counts=walls.observed), rates)


def push(x: Expansion, walls: Walls, held: Array) -> Push:
    """The addition of the bins that are held by a wall."""
    new = held & (walls.counts == 0)
    first = jnp.maximum(_FIRST * x.rates, fewest(x, walls))
    counts = jnp.where(new, first, walls.counts)
    effective = jnp.where(held, walls.force * x.rates, x.prepared.main)
    up = jnp.where(held, ratio(counts - x.prepared.main, x.rates), 0.0)
    return Push(counts, effective, ratio(ratio(effective, x.rates), x.rates), up)


def lift(x: Expansion, held: Array, emptied: Array) -> Push:
    """The same, for a step that lifts yields, or lowers those that are to be emptied, and does nothing else."""
    size = jnp.where(x.sizes > 0, x.sizes, 1.0)
    weight = jnp.where(held, (_STIFFNESS / size) ** 2, 0.0)
    lacks = _MARGIN * size - x.rates
    up = weight * jnp.where(emptied, lacks, jnp.maximum(lacks, 0.0))
    return Push(jnp.zeros_like(up), jnp.zeros_like(up), weight, up)


def forces(walls: Walls) -> Array:
    """The forces with which walls hold the yields of bins without events; (bins,)."""
    return jnp.where((walls.counts > 0) & (walls.observed == 0), walls.force, 0.0)


def at_walls(x: Expansion) -> Expansion:
    """The likelihood around a minimum, where yields that walls hold at zero cannot move."""
    main = x.prepared.main
    held = (main == 0) & (x.rates > 0) & (x.rates < _AT)
    if isinstance(x, Automatic):
        return x._replace(prepared=x.prepared._replace(main=jnp.where(held, x.rates, main)))
    stiff = (x.sizes / _STIFF) ** 2
    prepared = x.prepared._replace(main=jnp.where(held, stiff, main))
    return x._replace(prepared=prepared, rates=jnp.where(held, stiff, x.rates))


def missed(walls: Walls, rates: Array) -> Array:
    """The yields of bins without events that are expected to have some: a lower minimum may lie at their walls."""
    return jnp.where((walls.observed == 0) & (rates > _SOME), rates, 0.0)


def several(missed: Array) -> Array:
    """Whether they are hardly overlooked."""
    return jnp.any(missed > _SEVERAL)


def too_full(x: Expansion, emptied: Array) -> Array:
    """Which yields are to be lowered, and still are not; (bins,) of bool."""
    return emptied & (x.rates > 2 * _MARGIN * x.sizes)


def through(x: Expansion, walls: Walls, ahead: Array) -> Array:
    """Which walls a step to the yields ``ahead`` would lead through; (bins,) of bool."""
    return may_hold(x, walls) & (ahead < -_ROUNDINGS * np.finfo(ahead.dtype).eps * x.sizes)


def reach(x: Expansion, held: Array, through: Array, ahead: Array) -> Array:
    """The share of a step to the yields ``ahead`` that ends before the walls that hold it, or that it leads through."""
    falls = (held | through) & (ahead < x.rates)
    room = _REACH * x.rates / jnp.where(falls, x.rates - ahead, 1.0)
    return jnp.min(jnp.where(falls, room, 1.0), initial=1.0)


def followed(x: Expansion, walls: Walls, counts: Array, ahead: Array) -> Walls:
    """The walls after a step to the yields ``ahead``."""
    force = jnp.maximum(ratio(counts - walls.force * (ahead - x.rates), x.rates), _WEAKER * walls.force)
    return walls._replace(counts=counts, force=jnp.where(counts > 0, force, walls.force))
