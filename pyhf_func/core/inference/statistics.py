"""From fits to test statistics: bounds of the best value, values that can be tested, and the likelihood ratio."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.problem import Minimum, Problem
from pyhf_func.core.fit.result import FitResult, worst
from pyhf_func.core.fit.status import Status
from pyhf_func.core.likelihood.derived import with_one
from pyhf_func.core.likelihood.structure import Space
from pyhf_func.core.likelihood.yields import to_bins
from pyhf_func.core.statistics import Statistic

ROUNDS = 4
"""How often fits are made at most, until the free one is the lowest."""
_HIDDEN = 1e-4  # by how much -2 log L may fall below that of the free fit before the ratio is invalid


class Ratio(NamedTuple):
    """The value of a test statistic and how it ended."""

    value: Array  # ()
    status: Array  # () a `Status`


def tested_value(statistic: Statistic, mu: Array) -> Array:
    """The value that is tested where ``mu`` was asked for."""
    return mu if statistic.tested is None else jnp.full_like(mu, statistic.tested)


def bounded(statistic: Statistic, start: Start, poi: Array) -> Start:
    """The start of the fits of a test, in bounds with which the best value of the POI is not negative if it must be."""
    if not statistic.not_negative:
        return start
    own = jnp.arange(start.init.shape[-1]) == poi
    lower = jnp.where(own, jnp.maximum(start.lower, 0.0), start.lower)
    return start._replace(init=jnp.where(own, jnp.maximum(start.init, lower), start.init), lower=lower)


def is_open(statistic: Statistic, start: Start, space: Space) -> Array:
    """Whether the free fit may go beyond the POI's upper bound, because nobody has set it; shape () of bool."""
    poi = space.poi
    return statistic.beyond & space.default_upper[poi] & (start.upper[poi] == space.upper[poi])


def opened(statistic: Statistic, start: Start, space: Space, free: Minimum) -> Start:
    """The start with the bounds that a free fit had which went beyond the upper bound of the POI."""
    beyond = is_open(statistic, start, space) & (free.pars[space.poi] > start.upper[space.poi])
    return start._replace(upper=start.upper.at[space.poi].set(jnp.where(beyond, jnp.inf, start.upper[space.poi])))


def lower_by(free: Array, other: Array) -> Array:
    """Whether another minimum of -log L lies below the free one by more than rounding."""
    near = 1e-7 + 1e3 * np.finfo(free.dtype).eps * jnp.abs(free)
    return other < free - near


def restart(
    statistic: Statistic, start: Start, space: Space, free: Minimum, others: Minimum, tested: Array
) -> tuple[Start, Array]:
    """Where the fits are to be made again, and whether: ``others`` are conditional minima, shape (n, ...).

    The free fit goes on beyond an upper bound that nobody has set if larger values are tested; and it is made again
    from a conditional minimum that lies below it.
    """
    poi = space.poi
    upper = start.upper[poi]
    blocked = (free.pars[poi] >= upper) & (free.gradient[poi] < 0) & (free.status == Status.CONVERGED)
    go_on = is_open(statistic, start, space) & blocked & jnp.any(tested > upper)
    inside = (tested >= start.lower[poi]) & (tested <= upper) & (others.status == Status.CONVERGED)
    heights = jnp.where(inside & jnp.isfinite(others.nll), others.nll, jnp.inf)
    lowest = jnp.argmin(heights)
    above = lower_by(free.nll, heights[lowest]) & ~go_on
    init = jnp.where(above, others.pars[lowest], free.pars)
    begin = start._replace(
        init=jnp.where(start.fixed, start.init, init),
        upper=start.upper.at[poi].set(jnp.where(go_on, jnp.inf, upper)),
    )
    return begin, go_on | above


def ratio(
    statistic: Statistic, tested: Array, start: Start, poi: Array, free: FitResult, conditional: FitResult, zero: Array
) -> Ratio:
    """The test statistic of two fits to the same data; infinite where the likelihood is ``zero`` at the tested value.

    It is where there are events in a bin that has no yield then, and with all parameters free there is a minimum.

    Where a bound that was set holds the free fit, and the tested value lies beyond it, there is none (``AT_BOUND``);
    neither where the likelihood is larger at the tested value than at the best one (``BETTER_MINIMUM``).
    """
    difference, best = conditional.twice_nll - free.twice_nll, free.pars[poi]
    against, zero = statistic.counts(best, tested), zero & (free.status == Status.CONVERGED)
    value = jnp.where(against & (difference > 0), difference, 0.0)
    value = jnp.where(zero & against, jnp.inf, value)
    made = jnp.where(zero, Status.CONVERGED, conditional.status)
    ended = ratio_status(tested, start.upper[poi], best, difference, free.twice_nll)
    return Ratio(value, worst(free.status, made, ended, _allowed(statistic, tested, start.lower[poi])))


def ratio_status(tested: Array, upper: Array, best: Array, difference: Array, twice_nll: Array) -> Array:
    """Whether a difference of two minima of -2 log L, the second one free, is a profile likelihood ratio."""
    ended = jnp.where(hidden(difference, twice_nll), Status.BETTER_MINIMUM, Status.CONVERGED)
    return jnp.where((tested > upper) & (best >= upper), Status.AT_BOUND, ended).astype(jnp.int32)


def hidden(difference: Array, twice_nll: Array) -> Array:
    """Whether a difference to the free minimum of -2 log L is negative by more than fits may differ."""
    return difference < -_HIDDEN - 1e3 * np.finfo(difference.dtype).eps * jnp.abs(twice_nll)


def _allowed(statistic: Statistic, tested: Array, lower: Array) -> Array:
    """The status of a tested value: below a bound that keeps the POI from it, a test for limits says nothing."""
    senseless = (tested < 0) & (tested < lower) & (statistic.tested is None)
    return jnp.where(senseless, Status.INVALID_ARGUMENT, Status.CONVERGED).astype(jnp.int32)


def dark_bins(problem: Problem) -> Array:
    """Which bins have no yield wherever the free parameters are; shape (bins,) of bool."""
    model, values, indices = problem.model, problem.model.values, problem.model.indices
    if not model.is_plain:
        return jnp.zeros(model.n_bins, bool)
    templates = jnp.abs(values.histosys_lo) + jnp.abs(values.histosys_hi)
    is_sorted = len(model.histosys) == 1
    template = jax.ops.segment_sum(
        templates, indices.histosys_entry, values.nominal.shape[0], indices_are_sorted=is_sorted
    )
    scales = jnp.where(problem.fixed, problem.init, 1.0)
    lit = (jnp.abs(values.nominal) + template) * jnp.prod(with_one(scales)[indices.entry_scales], axis=-1)
    return to_bins(model, jnp.abs(lit)) == 0


def no_minimum(init: Array, n_bins: int, *shape: int) -> Minimum:
    """Placeholders for minima that have not been searched; of shape (*shape, ...)."""
    zero, number = jnp.zeros(shape, init.dtype), jnp.zeros(shape, int)
    pars = jnp.zeros((*shape, *init.shape), init.dtype)
    forces = jnp.zeros((*shape, n_bins), init.dtype)
    return Minimum(pars, zero, pars, jnp.zeros(shape, jnp.int32), zero, number, number, zero, forces)


def alike(found: Minimum, template: Minimum) -> Minimum:
    """A minimum with the types of another, whatever minimiser it is from."""
    return Minimum(*(jnp.asarray(x, like.dtype) for x, like in zip(found, template, strict=True)))
