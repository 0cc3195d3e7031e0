"""Newton's method inside a bracket, for the root of a falling function above a lower bound.

The caller evaluates the function: ``init``, then ``step`` after each value, until it is small or the bracket has
``collapsed``. The bracket has no upper end at first; it grows until a value is negative.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike


class Bracket(NamedTuple):
    """Where the root is known to be, and the next trial; shape () each."""

    at: Array  # the next trial
    low: Array  # the largest argument with a positive value, or the lower bound
    high: Array  # the smallest argument with a value that is not; infinite before there is one
    origin: Array  # from which distances are measured: a step is at most 16 times as far as the last trial


def init(at: Array, low: Array, origin: Array) -> Bracket:
    """The bracket before the first trial."""
    return Bracket(at, low, jnp.full_like(at, jnp.inf), origin)


def step(bracket: Bracket, value: Array, slope: Array, least: ArrayLike = 0.0) -> Bracket:
    """The bracket after a trial: next comes Newton's point where that lies inside, or else one between the ends.

    Args:
        bracket: The bracket before.
        value: The function there; shape ().
        slope: Its derivative; where it is not negative, Newton's point is not used.
        least: By how much a bracket without an upper end grows at least.
    """
    at, _, _, origin = bracket
    low, high = jnp.where(value > 0, at, bracket.low), jnp.where(value > 0, bracket.high, at)
    newton = at - value / jnp.where(slope < 0, slope, 1.0)
    beyond = jnp.maximum(origin + 4 * (at - origin), low + least)
    between = jnp.where(jnp.isinf(high), beyond, (low + high) / 2)
    inside = (slope < 0) & (newton > low) & (newton < high) & (newton - origin < 16 * (at - origin))
    return Bracket(jnp.where(inside, newton, between), low, high, origin)


def collapsed(bracket: Bracket, share: float) -> Array:
    """Whether the ends are so near to each other, by a share of the upper one, that no better root can be found."""
    return jnp.isfinite(bracket.high) & (bracket.high - bracket.low <= share * jnp.abs(bracket.high))
