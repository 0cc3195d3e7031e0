"""Where the likelihood is not smooth: pieces of the box between the breaks of interpolation codes.

Piecewise codes have kinks, or jumps, at known values of their nuisance parameters. Inside a piece the likelihood is
smooth, so that a search treats the ends of the piece that it is in as bounds. A parameter at a kink is kept at one of
the two numbers next to it; the one-sided derivatives there say whether the search goes on, on which side, or ends.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.likelihood.groups import every_group
from pyhf_func.core.likelihood.structure import Likelihood

_NEXT_TO_ZERO = 1e-30  # so small that no yield notices, and not so small that it is flushed to zero


class Breaks(NamedTuple):
    """The breaks of each parameter; the first axis is empty for models that are smooth everywhere."""

    below: Array  # (breaks, 1) the last number below each break
    above: Array  # (breaks, 1) the first number above
    real: Array  # (breaks, pars) bool: the parameter has this break, inside its bounds
    kink: Array  # (breaks, 1) bool: the likelihood is continuous there

    @property
    def kinked(self) -> Array:
        """Which parameters have a kink; (pars,) of bool."""
        return jnp.any(self.real & self.kink, axis=0)


def breaks_of(model: Likelihood, low: Array, high: Array) -> Breaks:
    """The breaks of a model's parameters inside the box."""
    groups = list(every_group(model))
    places = sorted({place for code, *_ in groups for place in code.breaks})
    sides = np.array([_sides(place, low.dtype) for place in places]).reshape(-1, 2).astype(low.dtype)
    below, above = jnp.asarray(sides[:, :1]), jnp.asarray(sides[:, 1:])
    real = [jnp.zeros(low.shape, bool) for _ in places]
    for code, templates, par in groups:
        if code.breaks:
            broken = jnp.zeros(low.shape, bool).at[par].max(code.broken(*templates))
            real = [
                known | broken if place in code.breaks else known for place, known in zip(places, real, strict=True)
            ]
    inside = (low[None] <= below) & (high[None] >= above)
    kinks = np.array([place == 0 for place in places], bool).reshape(-1, 1)
    return Breaks(below, above, jnp.array(real, bool).reshape(len(places), *low.shape) & inside, jnp.asarray(kinks))


def beside_kinks(model: Likelihood, low: Array, high: Array) -> tuple[Array, Array]:
    """The box with bounds at a kink moved into it, so that the likelihood there is that of the box's side."""
    kinked = jnp.zeros(low.shape, bool)
    for code, templates, par in every_group(model):
        if 0.0 in code.breaks:
            kinked = kinked.at[par].max(code.broken(*templates))
    kinked &= low < high
    return (
        jnp.where(kinked & (low == 0), _NEXT_TO_ZERO, low),
        jnp.where(kinked & (high == 0), -_NEXT_TO_ZERO, high),
    )


def _sides(place: float, dtype: np.dtype) -> tuple[float, float]:
    if place == 0:
        return -_NEXT_TO_ZERO, _NEXT_TO_ZERO
    outside = float(np.nextafter(dtype.type(place), dtype.type(2 * place)))
    return (place, outside) if place > 0 else (outside, place)


def settled(pars: Array, breaks: Breaks) -> Array:
    """The parameters, each of them on one side of its breaks."""
    between = breaks.real & (pars[None] > breaks.below) & (pars[None] < breaks.above)
    moved = jnp.max(jnp.where(between, breaks.above, -jnp.inf), axis=0, initial=-jnp.inf)
    return jnp.where(jnp.any(between, axis=0), moved, pars)


def piece(pars: Array, breaks: Breaks, low: Array, high: Array) -> tuple[Array, Array]:
    """The bounds of the piece in which the parameters lie."""
    above = pars[None] >= breaks.above
    from_below = jnp.where(breaks.real & above, breaks.above, -jnp.inf)
    from_above = jnp.where(breaks.real & ~above, breaks.below, jnp.inf)
    low = jnp.maximum(low, jnp.max(from_below, axis=0, initial=-jnp.inf))
    return low, jnp.minimum(high, jnp.min(from_above, axis=0, initial=jnp.inf))


def across(pars: Array, breaks: Breaks) -> tuple[Array, Array]:
    """The same point on the other side of every kink that a parameter lies at, and which direction leads away."""
    at_above = breaks.real & breaks.kink & (pars[None] == breaks.above)
    at_below = breaks.real & breaks.kink & (pars[None] == breaks.below)
    up, down = jnp.any(at_below, axis=0), jnp.any(at_above, axis=0)
    flipped = jnp.where(up, _NEXT_TO_ZERO, jnp.where(down, -_NEXT_TO_ZERO, pars))
    return flipped, jnp.where(up, 1.0, jnp.where(down, -1.0, 0.0))


def at_kink(pars: Array, breaks: Breaks) -> Array:
    """Which parameters lie at a kink; (pars,) of bool."""
    return breaks.kinked & (jnp.abs(pars) <= _NEXT_TO_ZERO)


def rounded(pars: Array, breaks: Breaks) -> Array:
    """The parameters with those at a kink, or at a bound there, exactly at zero."""
    if breaks.real.shape[0] == 0:
        return pars
    return jnp.where(jnp.abs(pars) <= _NEXT_TO_ZERO, 0.0, pars)


def on_kink(model: Likelihood, pars: Array, low: Array, high: Array) -> Array:
    """Which parameters lie exactly on a kink, where the likelihood has no derivative; shape (pars,)."""
    breaks = breaks_of(model, low, high)
    return jnp.any(breaks.real & breaks.kink & (pars[None] == 0), axis=0)
