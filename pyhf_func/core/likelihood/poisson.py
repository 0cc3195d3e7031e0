"""Poisson counts at every mean, as exact as the floating-point numbers that they come in.

Rejection from a hat that fits every log-concave distribution of counts: flat around the mode, and beyond it a geometric
tail on each side, which the probabilities, falling ever faster, cannot cross. Some four of five proposals are taken,
at every mean. Probabilities are computed from the distance to the mean, so that they keep their digits where counts are
large (C. Loader, Fast and accurate computation of binomial probabilities, 2000).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

_FLAT = 1.1  # standard deviations on each side of the mode: there the hat is smallest for a normal distribution
_TABLED = 16
_STIRLING = np.array(
    [-0.5 * math.log(2 * math.pi)]
    + [math.lgamma(k + 1) - (k * math.log(k) - k + 0.5 * math.log(2 * math.pi * k)) for k in range(1, _TABLED)]
)
"""``log(k!)`` without Stirling's formula (for ``k = 0`` without that for 1, but for its exponent)."""


class _Hat(NamedTuple):
    """Above the probabilities, in units of the largest one; arrays of the shape of the rates."""

    highest: Array  # logarithm of that one
    first: Array  # of the flat part
    last: Array
    left: Array  # logarithm of the height beside the flat part
    right: Array
    left_ratio: Array  # logarithm of the ratio from one count to the next one outwards
    right_ratio: Array
    left_area: Array
    right_area: Array


class _State(NamedTuple):
    round: Array  # ()
    counts: Array
    open: Array  # bool: there is no count yet


def poisson(key: Array, rate: Array) -> Array:
    """Independent counts with the means ``rate``, as floats of its shape; NaN for a mean that is no such number.

    Counts have no derivative.

    Example:
        >>> poisson(jax.random.key(0), jnp.array([0.0, -1.0])).tolist()
        [0.0, nan]
    """
    rate = jax.lax.stop_gradient(rate)
    possible = (rate >= 0) & jnp.isfinite(rate)
    tiny = np.finfo(rate.dtype).tiny
    mean = jnp.maximum(jnp.where(possible, rate, 0.0), 1e3 * tiny)
    hat = _hat(mean)

    def propose(state: _State) -> _State:
        own = jax.random.fold_in(key, state.round)
        place, height = jax.random.uniform(own, (2, *rate.shape), rate.dtype)
        count, log_hat = _proposal(hat, place)
        fits = jnp.log1p(-height) + log_hat <= _log_probability(count, mean) - hat.highest
        taken = state.open & (count >= 0) & fits
        return _State(state.round + 1, jnp.where(taken, count, state.counts), state.open & ~taken)

    begin = _State(jnp.zeros((), jnp.int32), jnp.full_like(rate, jnp.nan), possible)
    return jax.lax.while_loop(lambda state: jnp.any(state.open), propose, begin).counts


def _hat(mean: Array) -> _Hat:
    mode, width = jnp.floor(mean), jnp.floor(_FLAT * jnp.sqrt(mean))
    first, last = jnp.maximum(mode - width, 0.0), mode + width
    below, above = jnp.maximum(first - 1, 0.0), last + 1
    # From one count to the next one outwards probabilities fall by these shares, and further out by more.
    left_loss, right_loss = (mean - below) / mean, (above + 1 - mean) / (above + 1)
    highest, left, right = _log_probability(jnp.stack([mode, below, above]), mean[None])
    left, right = jnp.where(first > 0, left - highest, -jnp.inf), right - highest
    return _Hat(
        highest=highest,
        first=first,
        last=last,
        left=left,
        right=right,
        left_ratio=jnp.log1p(-left_loss),
        right_ratio=jnp.log1p(-right_loss),
        left_area=jnp.exp(left) / left_loss,
        right_area=jnp.exp(right) / right_loss,
    )


def _proposal(hat: _Hat, uniform: Array) -> tuple[Array, Array]:
    """A count below the hat, and the logarithm of its height there."""
    flat = hat.last - hat.first + 1
    place = uniform * (flat + hat.left_area + hat.right_area)
    beyond = place - flat
    on_right = beyond < hat.right_area
    area = jnp.where(on_right, hat.right_area, hat.left_area)
    ratio = jnp.where(on_right, hat.right_ratio, hat.left_ratio)
    # What is left of the uniform number is one again; one minus it is never zero.
    share = 1 - jnp.where(on_right, beyond, beyond - hat.right_area) / jnp.where(area > 0, area, 1.0)
    steps = jnp.floor(jnp.log(share) / ratio)
    tail = jnp.where(on_right, hat.last + 1 + steps, hat.first - 1 - steps)
    height = jnp.where(on_right, hat.right, hat.left) + jnp.where(steps > 0, steps * ratio, 0.0)
    in_flat = beyond < 0
    return jnp.where(in_flat, hat.first + jnp.floor(place), tail), jnp.where(in_flat, 0.0, height)


def _log_probability(count: Array, mean: Array) -> Array:
    """Logarithm of the probability of a count, which is an integer; with an error of ``|count - mean|`` roundings."""
    at_least_one = jnp.maximum(count, 1.0)
    deviance = count * jnp.log1p((at_least_one - mean) / mean) - (count - mean)
    inverse = 1 / at_least_one
    series = inverse * (1 / 12 - inverse**2 * (1 / 360 - inverse**2 * (1 / 1260 - inverse**2 / 1680)))
    place = jnp.clip(count, 0, _TABLED - 1).astype(jnp.int32)
    excess = jnp.where(count < _TABLED, jnp.asarray(_STIRLING, mean.dtype)[place], series)
    return -deviance - 0.5 * jnp.log(2 * math.pi * at_least_one) - excess
