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

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.fit.descent import Box, blocked
from pyhf_func.core.fit.metric import inverse_metric
from pyhf_func.core.likelihood.expansion import Structured, expand, jacobian
from pyhf_func.core.likelihood.interpolation import ADDITIVE, MULTIPLICATIVE
from pyhf_func.core.likelihood.objective import Prepared, constraint_gradient, ratio
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.terms import histosys_matrix, in_bins

_MOST = 32  # parameters that are looked at, those of the largest effects
_POINTS = 41  # of the range of each
_APART = 0.3  # how far the bottoms of two wells are apart at least
_STRONG = 4.0  # squared effect, in standard deviations of the bins, beyond which a quadratic model may be blind
_FAR = 2.0  # where the other well of a strong parameter near zero is looked for
WORTH = 1.0  # how much higher than a known minimum the prediction for another well may be that is searched


class Wells(NamedTuple):
    """Predicted minima, n of them."""

    starts: Array  # (n, pars)
    heights: Array  # (n,) above the minimum that they were predicted from; infinite where there is none


def turning(model: Likelihood) -> Array:
    """Which parameters have an effect that turns back; shape (pars,) of bool."""
    values, indices = model.values, model.indices
    additive, multiplicative = ADDITIVE[model.histosys_code], MULTIPLICATIVE[model.normsys_code]
    nominal = values.nominal[indices.histosys_entry]
    shifts = additive.turns(additive.prepare(values.histosys_lo, nominal, values.histosys_hi))
    one = jnp.ones_like(values.normsys_lo)
    factors = multiplicative.turns(multiplicative.prepare(values.normsys_lo, one, values.normsys_hi))
    found = jnp.zeros(model.n_pars, bool)
    if not model.is_plain:
        return found
    return found.at[indices.histosys_par].max(shifts).at[indices.normsys_par].max(factors)


def none_of(init: Array) -> Wells:
    """No predictions."""
    n = min(_MOST, init.shape[0])
    return Wells(jnp.zeros((n, *init.shape), init.dtype), jnp.full(n, jnp.inf, init.dtype))


def predict(p: Prepared, pars: Array, box: Box) -> Wells:
    """The other wells around a minimum."""
    x = expand(p, pars)
    if not isinstance(x, Structured):
        return none_of(pars)
    fisher = ratio(ratio(p.main, x.rates), x.rates)
    even, odd = _effects(x, pars)
    strength = jnp.where(box.turning, fisher @ even**2, -1.0)
    chosen = jax.lax.top_k(strength, none_of(pars).heights.shape[0])[1]
    even, odd, at = even[:, chosen], odd[:, chosen], pars[chosen]

    free = (box.low < box.high) & ~blocked(x.gradient, pars, box.low, box.high)
    inverse = jax.vmap(inverse_metric(x, free))  # of rows
    own = jax.nn.one_hot(chosen, pars.shape[0], dtype=pars.dtype)
    columns = inverse(own)
    slopes = fisher[:, None] * jacobian(x) * free[None]

    def follow(effect: Array) -> tuple[Array, Array]:
        """What the effects push the other parameters by, and how far they follow; (chosen, pars) each."""
        push = jnp.where(own > 0, 0.0, effect.T @ slopes)
        response = inverse(push)
        along = jnp.sum(columns * push, axis=1) / jnp.sum(columns * own, axis=1)
        return push, jnp.where(own > 0, 0.0, response - along[:, None] * columns)

    (push_even, follow_even), (push_odd, follow_odd) = follow(even), follow(odd)
    ee = fisher @ even**2 - jnp.sum(push_even * follow_even, axis=1)
    eo = fisher @ (even * odd) - jnp.sum(push_even * follow_odd, axis=1)
    oo = fisher @ odd**2 - jnp.sum(push_odd * follow_odd, axis=1)
    g = 1 - ratio(p.main, x.rates)
    constraint = constraint_gradient(p, pars)[chosen], x.constraint[chosen]

    t = jnp.linspace(box.low[chosen], box.high[chosen], _POINTS)  # (points, chosen)
    d_even, d_odd = _even(t) - _even(at)[None], t - at[None]
    heights = (g @ even)[None] * d_even + (g @ odd + constraint[0])[None] * d_odd
    heights += 0.5 * (ee[None] * d_even**2 + 2 * eo[None] * d_even * d_odd + (oo + constraint[1])[None] * d_odd**2)
    heights = jnp.where(jnp.isfinite(heights), heights, jnp.inf)
    beside = jnp.pad(heights, ((1, 1), (0, 0)), constant_values=jnp.inf)
    bottom = (heights < beside[:-2]) & (heights <= beside[2:]) & (jnp.abs(d_odd) > _APART) & box.turning[chosen][None]
    best = jnp.argmin(jnp.where(bottom, heights, jnp.inf), axis=0)[None]

    def there(x: Array) -> Array:
        return jnp.take_along_axis(x, best, axis=0)[0]

    moved = there(d_odd)[:, None] * own - there(d_even)[:, None] * follow_even - there(d_odd)[:, None] * follow_odd
    starts = jnp.clip(pars[None] + moved, box.low[None], box.high[None])
    # Where the effect is strong and no well is predicted, the mirror image is worth a try.
    predicted = there(jnp.where(bottom, heights, jnp.inf))
    blind = box.turning[chosen] & (ee > _STRONG) & ~(predicted < WORTH)
    mirror = jnp.where(jnp.abs(at) > _APART / 3, -at, jnp.where(at > 0, -_FAR, _FAR))
    mirrored = jnp.clip(jnp.where(own > 0, mirror[:, None], pars[None]), box.low[None], box.high[None])
    return Wells(jnp.where(blind[:, None], mirrored, starts), jnp.where(blind, 0.5 * WORTH, predicted))


def _even(t: Array) -> Array:
    return ADDITIVE["code4p"].basis(t)[0]


def _effects(x: Structured, pars: Array) -> tuple[Array, Array]:
    """Even and odd effects of the parameters on the bins, for variations by one; (bins, pars) each."""
    model, values, indices = x.prepared.model, x.prepared.model.values, x.prepared.model.indices
    nominal = values.nominal[indices.histosys_entry]
    factor = x.rows * jnp.prod(x.scales, axis=-1)
    now = MULTIPLICATIVE[model.normsys_code].evaluate(x.prepared.normsys, pars[indices.normsys_par])
    now = jnp.where(now == 0, 1.0, now)

    def in_all_bins(shifts: Array, factors: Array) -> Array:
        by_row = jnp.zeros((indices.row_normsys.shape[0], model.n_pars), pars.dtype)
        by_row = by_row.at[indices.normsys_row, indices.normsys_par].add(factors / now)
        shifted = histosys_matrix(model, shifts).in_bins(factor)
        return shifted + in_bins(model, x.additive * factor, by_row, indices.entry_row)

    lo, hi = values.normsys_lo, values.normsys_hi
    return (
        in_all_bins((values.histosys_hi + values.histosys_lo) / 2 - nominal, (hi + lo) / 2 - 1),
        in_all_bins((values.histosys_hi - values.histosys_lo) / 2, (hi - lo) / 2),
    )
