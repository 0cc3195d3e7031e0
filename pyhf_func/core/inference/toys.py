"""Toys: test statistics of pseudo-experiments, drawn and fitted in chunks of one compiled program.

Toy number ``i`` is drawn with the key ``fold_in(key, i)``, once from the tested hypothesis and once from the
alternative, so that it does not depend on the chunk that it is part of. Its fits start from the parameters that it
was drawn with; a fit that fails is tried again from other starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from pyhf_func.compiled import Compiled
from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.lanes import one_by_one
from pyhf_func.core.fit.problem import Minimiser, Minimum
from pyhf_func.core.fit.result import where_known, worst
from pyhf_func.core.fit.solution import without_derivative
from pyhf_func.core.fit.status import Status
from pyhf_func.core.inference import statistics
from pyhf_func.core.inference.hypotest import HypotestResult, fixed_poi_problem
from pyhf_func.core.likelihood.sampling import sample
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.packed import packed, unpacked
from pyhf_func.core.processes import check_process
from pyhf_func.core.statistics import Statistic

STARTS = 3
"""From how many starts a fit is tried: the nearest known minimum, the suggested start, and between them."""


class Toys(NamedTuple):
    """How the fits to toys ended: arrays of JAX or NumPy, each of shape (toys,)."""

    teststat: Any  # NaN where a fit failed
    status: Any  # the worst `Status` of the toy's fits
    retries: Any  # fits that were made again from another start


class Origins(NamedTuple):
    """The parameters from which toys are drawn and fits start: the tested hypothesis, then the alternative."""

    pars: Array  # (2, pars) conditional minima for the data
    slope: Array  # (pars,) the way of the conditional minima from the alternative to the tested value


def origins(observed: HypotestResult) -> Origins:
    """The origins of toys for a test of data."""
    tested, alternative = observed.conditional_fit.pars, observed.asimov_fit.pars
    move = tested - alternative
    return Origins(jnp.stack([tested, alternative]), jnp.where(jnp.all(jnp.isfinite(move)), move, 0.0))


def draw(model: Likelihood, pars: Array, key: Array, numbers: Array) -> Array:
    """The toys with these numbers for each of the parameter vectors, shape (2, pars); (toys, 2, bins + aux)."""

    def both(number: Array) -> Array:
        keys = jax.random.split(jax.random.fold_in(key, number), pars.shape[0])
        return jax.vmap(partial(sample, model))(pars, keys)

    return jax.vmap(both)(numbers)


def toy_chunk(
    minimiser: Minimiser,
    statistic: Statistic,
    size: int,
    tested: Array,
    model: Likelihood,
    start: Start,
    of: Origins,
    key: Array,
    first: ArrayLike,
    stop: ArrayLike,
) -> Toys:
    """The toys with the numbers from ``first`` on, up to ``size`` and before ``stop``; arrays of shape (size, 2)."""
    drawn = _lanes(size, model, of.pars, key, first, stop)
    found = teststatistics(minimiser, statistic, tested, *drawn, model, start, of.slope)
    return Toys(*(x.reshape(size, 2) for x in found))


class Packed(NamedTuple):
    """Toys of a test as other processes take them."""

    content: bytes

    @classmethod
    def of(cls, *args: Any) -> Packed:
        """The first arguments of `toy_chunk`, up to the key."""
        *others, key = args
        random = np.asarray(jax.random.key_data(key)), str(jax.random.key_impl(key))
        return cls(packed((others, random)))


def packed_chunk(test: Packed, numbers: range) -> Toys:
    """`toy_chunk` for the numbers, in another process: NumPy's arrays."""
    check_process()
    others, (data, implementation) = unpacked(test.content)
    key = jax.random.wrap_key_data(data, impl=implementation)
    args: Any = (*others, key, numbers.start, numbers.stop)
    return cut(toy_chunk(*args), min(args[2], len(numbers)))


def cut(chunk: Toys, n: int) -> Toys:
    """The first toys, copied: views would keep JAX's buffers."""
    return Toys(*(np.array(x[:n]) for x in jax.device_get(chunk)))


# Two compiled programs, so that toys which are drawn elsewhere share the second and larger one.
@partial(jax.jit, static_argnums=0)
def _lanes(
    size: int, model: Likelihood, pars: Array, key: Array, first: ArrayLike, stop: ArrayLike
) -> tuple[Array, Array, Array]:
    """Samples, which of them are wanted, and where their fits start: the hypotheses in turn; (2 size, ...)."""
    numbers = jnp.asarray(first) + jnp.arange(size)
    samples = draw(model, pars, key, numbers)
    wanted = jnp.broadcast_to((numbers < stop)[:, None], (size, 2))
    inits = jnp.broadcast_to(pars, (size, *pars.shape))
    return samples.reshape(2 * size, -1), wanted.reshape(2 * size), inits.reshape(2 * size, -1)


def _teststatistics(
    minimiser: Minimiser,
    statistic: Statistic,
    tested: Array,
    samples: Array,
    wanted: Array,
    inits: Array,
    model: Likelihood,
    start: Start,
    slope: Array,
) -> Toys:
    """Test statistics of samples, shape (toys, bins + aux), with fits that start from ``inits``, shape (toys, pars).

    Toys that are not ``wanted``, shape (toys,), are not fitted.
    """

    def lane(
        sample: Array, wanted: Array, init: Array, tested: Array, model: Likelihood, start: Start, slope: Array
    ) -> Toys:
        return _fit_toy(minimiser, statistic, sample, wanted, init, tested, model, start, slope)

    start = statistics.bounded(statistic, start, model.space.poi)
    every = jax.vmap(one_by_one(lane), in_axes=(0, 0, 0, None, None, None, None))
    return without_derivative(every, samples, wanted, inits, tested, model, start, slope)


teststatistics = Compiled(_teststatistics, static=2, alike=True)


class _State(NamedTuple):
    start: Start  # of the free fit
    attempt: Array  # of the fit that is next
    conditional: Array  # bool: the next fit is the conditional one
    free: Minimum
    teststat: Array
    status: Array
    retries: Array
    rounds: Array  # how often the free fit was made again, from a better start
    active: Array


def _fit_toy(
    minimiser: Minimiser,
    statistic: Statistic,
    data: Array,
    wanted: Array,
    origin: Array,
    tested: Array,
    model: Likelihood,
    start: Start,
    slope: Array,
) -> Toys:
    """The free fit, then the conditional one where the test statistic is not zero anyway; one fit in each pass."""
    poi = model.space.poi
    slope = slope / jnp.where(slope[poi] != 0, slope[poi], 1.0)

    def fit(s: _State) -> _State:
        nearest = jnp.where(s.conditional, s.free.pars + slope * (tested - s.free.pars[poi]), s.start.init)
        init = jnp.where(s.attempt == 0, nearest, jnp.where(s.attempt == 1, start.init, (origin + start.init) / 2))
        # A parameter that is fixed stays at its value, wherever the others start.
        own = s.start._replace(init=jnp.where(start.fixed, start.init, init))
        free, held = fixed_poi_problem(model, data, own), fixed_poi_problem(model, data, own, tested)
        found = minimiser(
            free._replace(
                init=jnp.where(s.conditional, held.init, free.init),
                fixed=jnp.where(s.conditional, held.fixed, free.fixed),
            )
        )
        return _after(statistic, tested, model, s, statistics.alike(found, s.free))

    zero, number = jnp.zeros((), origin.dtype), jnp.zeros((), jnp.int32)
    begin = _State(
        start=start._replace(init=origin),
        attempt=number,
        conditional=jnp.zeros((), bool),
        free=statistics.no_minimum(origin, model.n_bins),
        teststat=zero + jnp.nan,
        status=number,
        retries=number,
        rounds=number,
        active=wanted,
    )
    end = jax.lax.while_loop(lambda s: s.active, fit, begin)
    return Toys(end.teststat, end.status, end.retries)


def _after(statistic: Statistic, tested: Array, model: Likelihood, s: _State, found: Minimum) -> _State:
    """The state after a fit: next is the same from another start, the conditional or the free one, or nothing."""
    poi = model.space.poi
    good = (found.status == Status.CONVERGED) & jnp.isfinite(found.nll)
    again = ~good & (s.attempt + 1 < STARTS)
    first = good & ~s.conditional
    free: Minimum = jax.tree.map(lambda new, old: jnp.where(first, new, old), found, s.free)
    others = jax.tree.map(lambda x: x[None], found)
    begin, wanted = statistics.restart(statistic, s.start, model.space, free, others, tested[None])
    anew = wanted & good & (s.rounds + 1 < statistics.ROUNDS)
    to_conditional = first & ~anew & statistic.counts(found.pars[poi], tested)

    difference = jnp.where(s.conditional, 2 * (found.nll - free.nll), 0.0)
    ended = statistics.ratio_status(tested, s.start.upper[poi], free.pars[poi], difference, 2 * free.nll)
    failed = jnp.maximum(found.status, Status.ITERATION_LIMIT)
    status = jnp.where(good, ended, failed).astype(jnp.int32)
    return _State(
        start=jax.tree.map(lambda new, old: jnp.where(anew, new, old), begin, s.start),
        attempt=jnp.where(again, s.attempt + 1, 0),
        conditional=(s.conditional | to_conditional) & ~anew,
        free=free,
        teststat=where_known(status, jnp.maximum(difference, 0.0)),
        status=status,
        retries=s.retries + again,
        rounds=s.rounds + anew,
        active=again | to_conditional | anew,
    )


class Summary(NamedTuple):
    """Tail probabilities from the test statistics of toys, see `ToysResult`."""

    cls: Array
    clsb: Array
    clb: Array
    cls_expected: Array
    clsb_expected: Array
    clb_expected: Array
    cls_error: Array
    clsb_error: Array
    clb_error: Array
    cls_expected_error: Array
    cls_range: Array
    failed: Array
    retried: Array


_QUANTILES = (0.022750131948179195, 0.15865525393145707, 0.5, 0.8413447460685429, 0.9772498680518208)
"""Of the Normal distribution at -2, -1, 0, 1, 2 standard deviations."""


def summarise(teststat: Array, toys: Toys, total: Array | int, ends: Sequence[Array]) -> Summary:
    """CLs and its parts for a test statistic, and their expected band, from toys of shape (toys, 2).

    The probabilities are fractions of the toys with a test statistic at least as large, as exact as the fits are.
    Behind the ``total`` toys there may be more, without a test statistic, that only fill the arrays. ``ends`` are the
    statuses of the free fit to the data and of those that the toys of both hypotheses are drawn from.
    """
    free, conditional, alternative = ends
    drawn = worst(conditional, alternative)
    teststat = where_known(worst(free, conditional), teststat)
    good = jnp.isfinite(toys.teststat)
    n_sb, n_b = jnp.sum(good[:, 0]), jnp.sum(good[:, 1])
    in_order = jnp.sort(jnp.where(good, toys.teststat, jnp.inf), axis=0)

    def at_least(values: Array) -> tuple[Array, Array]:
        """How many toys of each hypothesis are at least as extreme."""
        lowest = values - tolerance(values)
        below = [jnp.searchsorted(in_order[:, which], lowest) for which in (0, 1)]
        return n_sb - below[0], n_b - below[1]

    k_sb, k_b = at_least(teststat)
    clsb, clb = k_sb / n_sb, k_b / n_b
    clsb_error, clb_error = counting_error(k_sb, n_sb), counting_error(k_b, n_b)

    # What background-only data would give: each background-only toy taken for the data.
    all_sb, all_b = at_least(jnp.where(good[:, 1], toys.teststat[:, 1], 0.0))
    every = jnp.stack([all_sb / n_sb, all_b / n_b])
    every = jnp.sort(jnp.where(good[:, 1], jnp.concatenate([every, every[:1] / every[1:]]), jnp.inf), axis=1)
    levels = jnp.asarray(_QUANTILES, every.dtype)
    wide = jnp.sqrt(levels * (1 - levels) / n_b)
    clsb_expected, clb_expected, cls_expected = _quantiles(every, n_b, levels)
    low, high = _quantiles(every[2], n_b, levels - wide), _quantiles(every[2], n_b, levels + wide)
    counted = ratio_error(
        clsb_expected,
        clb_expected,
        counting_error(clsb_expected * n_sb, n_sb),
        counting_error(clb_expected * n_b, n_b),
    )

    lost_sb, lost_b = total - n_sb, total - n_b
    tested = ~jnp.isnan(teststat)
    known = tested & (k_b > 0)
    cls_range = jnp.stack(
        [
            jnp.where(tested & (k_b + lost_b > 0), k_sb / (k_b + lost_b), 0.0),
            jnp.where(known, (k_sb + lost_sb) / k_b, jnp.inf),
        ]
    )
    return Summary(
        cls=where_known(drawn, jnp.where(known, clsb / clb, jnp.nan)),
        clsb=jnp.where(tested, clsb, jnp.nan),
        clb=where_known(drawn, jnp.where(tested, clb, jnp.nan)),
        cls_expected=where_known(drawn, cls_expected),
        clsb_expected=where_known(drawn, clsb_expected),
        clb_expected=where_known(alternative, clb_expected),
        cls_error=jnp.where(known, ratio_error(clsb, clb, clsb_error, clb_error), jnp.inf),
        clsb_error=clsb_error,
        clb_error=clb_error,
        cls_expected_error=jnp.sqrt(((high - low) / 2) ** 2 + counted**2),
        cls_range=cls_range,
        failed=lost_sb + lost_b,
        retried=jnp.sum(toys.retries > 0),
    )


def _quantiles(in_order: Array, count: Array, levels: Array) -> Array:
    """Quantiles of the first values, which are sorted, by linear interpolation; NaN where there is none."""
    last = jnp.maximum(count - 1, 0)
    place = jnp.clip(levels, 0.0, 1.0) * last
    lower = jnp.floor(place).astype(int)
    below, above = in_order[..., lower], in_order[..., jnp.minimum(lower + 1, last)]
    part = jnp.broadcast_to(place - lower, below.shape)
    return jnp.where(count > 0, below + part * (above - below), jnp.nan)


def ratio_error(clsb: Any, clb: Any, clsb_error: Any, clb_error: Any) -> Any:
    """The error of CLs, to first order in those of its parts."""
    return jnp.sqrt(clsb_error**2 + (clsb / clb * clb_error) ** 2) / clb


def counting_error(successes: Any, trials: Any) -> Any:
    """The standard deviation of a probability, a flat one before ``successes`` were seen: never zero."""
    mean = (successes + 1) / (trials + 2)
    return jnp.sqrt(mean * (1 - mean) / (trials + 3))


def tolerance(teststat: Array) -> Array:
    """By how much two fits to the same data may differ."""
    return float(np.finfo(teststat.dtype).eps) ** 0.5 * (1 + jnp.abs(teststat))
