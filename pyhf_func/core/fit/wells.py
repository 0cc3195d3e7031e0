"""Other wells: where the likelihood may have further minima, by the structure of the model.

Templates for up and down that lie on one side of the nominal one make yields that turn back as their parameter moves,
and a well of the likelihood on each side of the turn. From one minimum, a model of the likelihood around it predicts
where the other wells are, and how deep: each parameter that turns is moved alone through its range, and all others
follow it. With the effect ``u(t)`` on the bins of moving the parameter from its best value to ``t``,

    N(t) - N = g' u + u' V u / 2 + constraint,    V = W - W J H^-1 J' W,

where ``g`` and ``W`` are first and second derivatives with respect to the bins, ``J`` the Jacobian of the bins and
``H^-1`` the inverse metric of the other parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.density import ratio
from pyhf_func.core.fit.descent import Box, blocked
from pyhf_func.core.fit.metric import inverse_metric
from pyhf_func.core.fit.pieces import at_kink, piece
from pyhf_func.core.likelihood.expansion import Structured, expand, jacobian
from pyhf_func.core.likelihood.groups import every_group, histosys_code, normsys_factors
from pyhf_func.core.likelihood.interpolation import Additive, Multiplicative, factor_code, shift_code
from pyhf_func.core.likelihood.objective import Prepared, constraint_gradient
from pyhf_func.core.likelihood.structure import Group, Likelihood
from pyhf_func.core.likelihood.terms import histosys_matrix, normsys_matrix

_MOST = 32  # parameters that are looked at, those of the largest effects
_MOST_KINKED = 96  # where there are kinks: weak effects make wells there, too
_POINTS = 41  # of the range of each
_NEAR_KINK = np.outer([-1.0, 1.0], 0.001 * 2.5 ** np.arange(7)).ravel()  # more points
_APART = 0.3  # how far the bottoms of two wells are apart at least
_WIDEST = 10.0  # from the best value of a parameter, where it has no bounds
_STRONG = 4.0  # squared effect, in standard deviations of the bins, beyond which a quadratic model may be blind
_STRONGEST = 5  # parameters of which two are moved at once
_NEAREST = 0.5  # to zero that the mirror image of a strong parameter is
WORTH = 1.0  # how much higher than a known minimum the prediction for another well may be that is searched
_ERROR = 0.25  # of predictions for the other side of a kink, in units of squared effects
_IMAGED = 0.4 * WORTH  # in place of a prediction, where there is none


Basis = Callable[[Array], Array]
"""How an effect grows with its parameter."""


class Wells(NamedTuple):
    """Predicted minima, n of them."""

    starts: Array  # (n, pars)
    heights: Array  # (n,) above the minimum that they were predicted from; infinite where there is none


def turning(model: Likelihood) -> Array:
    """Which parameters have an effect that turns back; shape (pars,) of bool."""
    found = jnp.zeros(model.n_pars, bool)
    if not model.is_plain:
        return found
    for code, templates, par in every_group(model):
        found = found.at[par].max(code.turns(code.prepare(*templates)))
    return found


def interpolating(model: Likelihood) -> Array:
    """Which parameters interpolate between templates; shape (pars,) of bool."""
    every = model.indices.histosys_par, model.indices.normsys_par
    return jnp.zeros(model.n_pars, bool).at[jnp.concatenate(every)].set(True)


def none_of(model: Likelihood, init: Array) -> Wells:
    """No predictions."""
    chosen = _looked_at(model)
    single, double = _moves(3 if _jumps(model) else 1, chosen)
    n = chosen + len(single[0]) + len(double[0])
    return Wells(jnp.zeros((n, *init.shape), init.dtype), jnp.full(n, jnp.inf, init.dtype))


def _jumps(model: Likelihood) -> bool:
    """Whether the likelihood is not continuous."""
    return any(break_ != 0 for code, *_ in every_group(model) for break_ in code.breaks)


def _bends(model: Likelihood) -> bool:
    """Whether the likelihood has kinks."""
    return any(break_ == 0 for code, *_ in every_group(model) for break_ in code.breaks)


def _looked_at(model: Likelihood) -> int:
    """How many parameters are looked at."""
    return min(_MOST_KINKED if _bends(model) else _MOST, model.n_pars)


def predict(p: Prepared, pars: Array, box: Box) -> Wells:
    """The other wells around a minimum."""
    x = expand(p, pars)
    if not isinstance(x, Structured):
        return none_of(p.model, pars)
    fisher = ratio(ratio(p.main, x.rates), x.rates)
    bases, effects = _effects(x, pars)  # (effects, bins, shared)
    jumps = _jumps(p.model)
    strength = p.places.only(fisher @ jnp.sum(effects[0 if jumps else 1 :] ** 2, axis=0))
    # On each side of a kink all is nearly linear: where one holds a parameter, there are no wells beyond.
    movable = (box.turning | box.breaks.kinked) & (~at_kink(pars, box.breaks) | (strength > _STRONG))
    strength = jnp.where(movable, strength, -1.0)
    chosen = jax.lax.top_k(strength, _looked_at(p.model))[1]
    place = p.places.place[chosen]  # private parameters do not turn, and have no column
    effects = effects.at[..., place].get(mode="fill", fill_value=0.0)
    at = pars[chosen]

    free = (box.low < box.high) & ~blocked(x.gradient, pars, *piece(pars, box.breaks, box.low, box.high))
    inverse = jax.vmap(inverse_metric(x, free))  # of rows
    own = jax.nn.one_hot(chosen, pars.shape[0], dtype=pars.dtype)
    columns = inverse(own)
    slopes = jacobian(x)

    def follow(effect: Array) -> tuple[Array, Array]:
        """By how much an effect pushes the other parameters, and how far they follow; (chosen, pars) each."""
        push = jnp.where((own > 0) | ~free[None], 0.0, jax.vmap(slopes.transposed_times)(fisher[None] * effect.T))
        response = inverse(push)
        along = jnp.sum(columns * push, axis=1) / jnp.sum(columns * own, axis=1)
        return push, jnp.where(own > 0, 0.0, response - along[:, None] * columns)

    pushes, follows = (jnp.stack(parts) for parts in zip(*(follow(effect) for effect in effects), strict=True))
    bend = jnp.einsum("b,kbc,lbc->klc", fisher, effects, effects) - jnp.einsum("kcp,lcp->klc", pushes, follows)
    bend = bend.at[0, 0].add(x.constraint[chosen])
    slope = jnp.einsum("b,kbc->kc", 1 - ratio(p.main, x.rates), effects)
    slope = slope.at[0].add(constraint_gradient(p, pars)[chosen])

    def moves(t: Array) -> Array:
        """By how much the effects change; (effects, ...)."""
        return jnp.stack([basis(t) - basis(jnp.broadcast_to(at, t.shape)) for basis in bases])

    def heights(t: Array) -> Array:
        """Above the minimum, where each parameter is at ``t`` (points, chosen) and all others have followed."""
        moved = moves(t)
        return jnp.einsum("kc,kpc->pc", slope, moved) + 0.5 * jnp.einsum("klc,kpc,lpc->pc", bend, moved, moved)

    near = _NEAR_KINK if _bends(p.model) else np.zeros(0)
    predicted, t = _bottoms(heights, at, box.breaks.kinked[chosen], near, *_window(box, chosen, at))
    moved = (t - at)[:, None] * own - jnp.einsum("kc,kcp->cp", moves(t), follows)
    # Predictions for the other side of a kink, which is near, are precise.
    worth = jnp.where(box.breaks.kinked[chosen], _ERROR * strength[chosen] * jnp.abs(t - at), WORTH)
    # Predictions for the other side of a kink, which is near, are precise.
    worth = jnp.where(box.breaks.kinked[chosen], _ERROR * strength[chosen] * jnp.abs(t - at), WORTH)
    # A quadratic model is blind where effects are strong: images are tried instead.
    strong = movable[chosen] & ((strength[chosen] > _STRONG) | jumps)
    predicted = jnp.where(movable[chosen] & ~strong & (predicted < worth), predicted, jnp.inf)
    imaged, heights_imaged = _imaged(pars, own, strong, _images(at, jumps))
    return Wells(
        jnp.clip(jnp.concatenate([pars[None] + moved, imaged]), box.low[None], box.high[None]),
        jnp.concatenate([predicted, heights_imaged]),
    )


def _imaged(pars: Array, own: Array, strong: Array, images: Array) -> tuple[Array, Array]:
    """The minimum with one parameter at an image, or two at once, and heights in place of predictions for them."""
    single, double = _moves(*images.shape)
    one = jnp.where(own[single[1]] > 0, images[single][:, None], pars[None])
    first, second = double
    two = jnp.where(own[single[1][second]] > 0, one[second], one[first])
    heights = jnp.where(strong[single[1]], _IMAGED, jnp.inf)
    return jnp.concatenate([one, two]), jnp.concatenate([heights, heights[first] + heights[second]])


def _images(at: Array, jumps: bool) -> Array:
    """Where else parameters may have wells, whatever a model of the likelihood predicts; shape (images, chosen)."""
    side = jnp.where(at < 0, -1.0, 1.0)
    mirror = -side * jnp.maximum(jnp.abs(at), _NEAREST)
    if not jumps:
        return mirror[None]
    beyond = side * jnp.where(jnp.abs(at) > 1, 0.5, 1.5)
    return jnp.stack([mirror, beyond, -beyond])


def _moves(images: int, chosen: int) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Every (image, parameter), and pairs of them by number, for the strongest parameters."""
    single = np.indices((images, chosen)).reshape(2, -1)
    first, second = np.triu_indices(images * chosen, 1)
    apart = (single[1, first] != single[1, second]) & (np.maximum(single[1, first], single[1, second]) < _STRONGEST)
    return tuple(single), (first[apart], second[apart])


def _window(box: Box, chosen: Array, at: Array) -> tuple[Array, Array]:
    """Where other wells are looked for: near the best values of parameters without bounds."""
    return jnp.maximum(box.low[chosen], at - _WIDEST), jnp.minimum(box.high[chosen], at + _WIDEST)


def _bottoms(
    heights: Callable[[Array], Array], at: Array, kinked: Array, near: np.ndarray, low: Array, high: Array
) -> tuple[Array, Array]:
    """The lowest bottom of each profile that is not at the best value, and its place; infinite without one."""
    t = jnp.linspace(low, high, _POINTS)  # (points, chosen)
    if len(near):
        more = jnp.clip(jnp.asarray(near, at.dtype)[:, None], low[None], high[None])
        t = jnp.sort(jnp.concatenate([t, more]), axis=0)
    found = heights(t)
    found = jnp.where(jnp.isfinite(found), found, jnp.inf)
    beside = jnp.pad(found, ((1, 1), (0, 0)), constant_values=jnp.inf)
    elsewhere = (jnp.abs(t - at[None]) > _APART) | (kinked[None] & (t * at[None] < 0))
    bottom = (found < beside[:-2]) & (found <= beside[2:]) & elsewhere
    found = jnp.where(bottom, found, jnp.inf)
    best = jnp.argmin(found, axis=0)[None]
    return jnp.take_along_axis(found, best, axis=0)[0], jnp.take_along_axis(t, best, axis=0)[0]


def _smooth(t: Array) -> Array:
    return shift_code("code4p").basis(t)[0]


def _effects(x: Structured, pars: Array) -> tuple[list[Basis], Array]:
    """Odd and even effects of the shared parameters on the bins, for variations by one; (effects, bins, shared).

    An even effect is that of codes with a kink, or of smooth ones; what the model does not have is left out.
    """
    model, values, indices = x.prepared.model, x.prepared.model.values, x.prepared.model.indices
    nominal = values.nominal[indices.histosys_entry]
    factor = x.rows * jnp.prod(x.scales, axis=-1)
    now = normsys_factors(model, x.prepared.normsys, pars[indices.normsys_par])
    now = jnp.where(now == 0, 1.0, now)

    def in_all_bins(shifts: Array, factors: Array) -> Array:
        scaled = normsys_matrix(model, factors / now).in_bins(x.additive * factor)
        return histosys_matrix(model, shifts).in_bins(factor) + scaled

    lo, hi = values.normsys_lo, values.normsys_hi
    lo_shifts, hi_shifts = values.histosys_lo, values.histosys_hi
    even = (hi_shifts + lo_shifts) / 2 - nominal, (hi + lo) / 2 - 1
    kinked = (
        _kinked(model.histosys, [histosys_code(group) for group in model.histosys], lo_shifts.shape[0]),
        _kinked(model.normsys, [factor_code(group.code) for group in model.normsys], lo.shape[0]),
    )
    bases: list[Basis] = [lambda t: t]
    effects = [in_all_bins((hi_shifts - lo_shifts) / 2, (hi - lo) / 2)]
    for kink, basis in ((False, _smooth), (True, jnp.abs)):
        own = [mask == kink for mask in kinked]
        if any(mask.any() for mask in own):
            bases.append(basis)
            effects.append(in_all_bins(*(jnp.where(mask, terms, 0.0) for mask, terms in zip(own, even, strict=True))))
    return bases, jnp.stack(effects)


def _kinked(groups: Sequence[Group], codes: Sequence[Additive | Multiplicative], n: int) -> np.ndarray:
    """Which of a modifier type's n terms have a code with a kink at zero; (n,) of bool."""
    sizes = [n if group.size is None else group.size for group in groups]
    return np.repeat(np.array([0.0 in code.breaks for code in codes], bool), np.array(sizes, int))
