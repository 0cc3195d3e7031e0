"""Upper limits: the values of the POI at which CLs, observed and expected, falls to a level.

All roots are found by one loop of fits. The derivative of a fitted likelihood with respect to the tested value is the
gradient at the conditional minimum (envelope theorem), so that each fit gives a Newton step; a bracket, which grows
from the value of the alternative hypothesis upwards without an end, keeps the steps safe. The roots are attached to
their problem afterwards, by the implicit function theorem.
"""

from __future__ import annotations

from functools import partial, reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import log_ndtr, ndtr, ndtri

from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.lanes import one_by_one
from pyhf_func.core.fit.problem import Minimiser, Minimum
from pyhf_func.core.fit.result import FitResult, describe
from pyhf_func.core.fit.solution import without_derivative
from pyhf_func.core.fit.status import Status
from pyhf_func.core.inference.asymptotics import EXPECTED_SIGMAS, TestStat, square_root, transformed
from pyhf_func.core.inference.hypothesis import fixed_poi_problem
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import expected_data

_TOLERANCE = 1e-8  # of log CLs, and of the expected significance
_FITS = 60  # at most, for each limit
_LARGEST = 1e12  # times the first guess, above which there is no limit
_FREE, _ASIMOV, _FREE_ASIMOV = range(3)
_OBSERVED = len(EXPECTED_SIGMAS)


class LimitResult(NamedTuple):
    """Upper limits on the POI with everything that went into them.

    The expected limits are those for background-only data at -2, -1, 0, 1 and 2 standard deviations. Where there is
    no limit, the value is infinite and the status says so; where the likelihood is not finite, it is not a number.
    """

    observed: Array
    """() observed upper limit."""
    expected: Array
    """(5,) expected upper limits."""
    cls: Array
    """() observed CLs at the observed limit: the level."""
    cls_expected: Array
    """(5,) expected CLs, each at its own limit: the level."""
    status: Array
    """() the worst status of the searches and of the fits that they end with: a `Status`."""
    fits: Array
    """() number of fits."""
    free_fit: FitResult
    """all parameters fitted to the data."""
    asimov_fit: FitResult
    """fitted to the data with the POI at zero: the source of the Asimov data."""
    free_fit_asimov: FitResult
    """all parameters fitted to the Asimov data."""
    conditional_fit: FitResult
    """fitted to the data with the POI at the observed limit."""
    conditional_fit_asimov: FitResult
    """(6, ...) fitted to the Asimov data with the POI at each of the expected limits, then at the observed one."""


class _Located(NamedTuple):
    mu: Array  # (6,) limits: the expected ones, then the observed one
    status: Array
    fits: Array
    shared: Minimum  # (3, ...) the fits that do not depend on the tested value
    asimov: Minimum  # (6, ...) fits to the Asimov data at the limits
    observed: Minimum  # the fit to the data at the observed limit


def upper_limit(
    minimiser: Minimiser, test_stat: TestStat, level: Array, data: Array, model: Likelihood, start: Start
) -> LimitResult:
    """Limits at the level by the asymptotic CLs of ``q`` or ``qtilde``."""

    def locate(level: Array, data: Array, model: Likelihood, start: Start) -> _Located:
        return _search(minimiser, test_stat, level, data, model, start)

    found = without_derivative(one_by_one(locate), level, data, model, start)
    inputs = _Inputs(level, data, model, start, found)
    mu = _attach(test_stat, inputs, found.mu)
    fits = _describe(mu, inputs)
    cls = jnp.exp(_log_cls_of(test_stat, mu, model.space.poi, fits))
    finite = _finite(fits)
    mu, cls = jnp.where(finite, mu, jnp.nan), jnp.where(finite, cls, jnp.nan)
    return LimitResult(
        observed=mu[_OBSERVED],
        expected=mu[:_OBSERVED],
        cls=cls[_OBSERVED],
        cls_expected=cls[:_OBSERVED],
        status=jnp.max(jnp.stack([found.status, *(jnp.max(fit.status) for fit in fits)])),
        fits=found.fits,
        free_fit=fits.free,
        asimov_fit=fits.asimov,
        free_fit_asimov=fits.free_asimov,
        conditional_fit=fits.conditional,
        conditional_fit_asimov=fits.conditional_asimov,
    )


class _Inputs(NamedTuple):
    """What the limits depend on, and where their fits are."""

    level: Array
    data: Array
    model: Likelihood
    start: Start
    located: _Located


class _Fits(NamedTuple):
    free: FitResult
    asimov: FitResult
    free_asimov: FitResult
    conditional: FitResult
    conditional_asimov: FitResult


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _attach(test_stat: TestStat, inputs: _Inputs, mu: Array) -> Array:
    """The limits that were located, as a function of the inputs: derivatives of any order."""
    return mu


@_attach.defjvp
def _attach_jvp(
    test_stat: TestStat, primals: tuple[_Inputs, Array], tangents: tuple[_Inputs, Array]
) -> tuple[Array, Array]:
    inputs, located = primals
    mu = _attach(test_stat, inputs, located)

    def miss(mu: Array, inputs: _Inputs) -> Array:
        return _log_cls_of(test_stat, mu, inputs.model.space.poi, _describe(mu, inputs)) - jnp.log(inputs.level)

    change = jax.jvp(partial(miss, mu), (inputs,), (tangents[0],))[1]
    slope = jax.jvp(lambda mu: miss(mu, inputs), (mu,), (jnp.ones_like(mu),))[1]
    known = jnp.isfinite(mu) & (slope < 0)
    return mu, jnp.where(known, -change / jnp.where(known, slope, 1.0), 0.0)


def _describe(mu: Array, inputs: _Inputs) -> _Fits:
    """The fits at limits ``mu``, as functions of the limits and the inputs."""
    _, data, model, start, located = inputs
    alternative = describe(fixed_poi_problem(model, data, start, jnp.zeros_like(mu[0])), _at(located.shared, _ASIMOV))
    asimov = expected_data(model, alternative.pars)

    def at(value: Array, minimum: Minimum) -> FitResult:
        return describe(fixed_poi_problem(model, asimov, start, value), minimum)

    return _Fits(
        describe(fixed_poi_problem(model, data, start), _at(located.shared, _FREE)),
        alternative,
        describe(fixed_poi_problem(model, asimov, start), _at(located.shared, _FREE_ASIMOV)),
        describe(fixed_poi_problem(model, data, start, mu[_OBSERVED]), located.observed),
        jax.vmap(at)(mu, located.asimov),
    )


def _finite(fits: _Fits) -> Array:
    """Whether all fits that each limit is made from have a finite likelihood; shape (6,) of bool."""
    statuses = (fit.status for fit in (fits.asimov, fits.free_asimov, fits.conditional_asimov))
    on_asimov = reduce(jnp.maximum, statuses)
    on_data = jnp.maximum(fits.free.status, fits.conditional.status)
    return on_asimov.at[_OBSERVED].max(on_data) < Status.NOT_FINITE


def _log_cls_of(test_stat: TestStat, mu: Array, poi: Array, fits: _Fits) -> Array:
    """Expected log CLs, each at its own limit, then observed log CLs; shape (6,)."""

    def q_above(mu: Array, conditional: FitResult, free: FitResult) -> Array:
        above = jnp.maximum(conditional.twice_nll - free.twice_nll, 0.0)
        return jnp.where(mu >= free.pars[poi], above, 0.0)

    q_asimov = q_above(mu, fits.conditional_asimov, fits.free_asimov)
    q = q_above(mu[_OBSERVED], fits.conditional, fits.free)
    sigmas = jnp.asarray(EXPECTED_SIGMAS, q.dtype)
    expected = log_ndtr(sigmas - square_root(q_asimov[:_OBSERVED])) - log_ndtr(sigmas)
    return jnp.append(expected, _log_cls(q, q_asimov[_OBSERVED], test_stat))


def _log_cls(q: Array, q_asimov: Array, test_stat: TestStat) -> Array:
    t = transformed(q, q_asimov, test_stat)
    return log_ndtr(-(t + square_root(q_asimov))) - log_ndtr(-t)


def expected_significances(level: Array) -> Array:
    """The values of sqrt(q_A) at which the expected CLs is the level; shape (5,)."""
    sigmas = jnp.asarray(EXPECTED_SIGMAS, level.dtype)
    return sigmas - ndtri(level * ndtr(sigmas))


class _Nearby(NamedTuple):
    """The last conditional fits, to the data and to the Asimov data: where the next ones start."""

    pars: Array  # (2, pars)
    mu: Array  # (2,)
    slope: Array  # (2, pars)


class _Search(NamedTuple):
    located: _Located
    asimov: Array  # (bins + aux,) the Asimov data
    nearby: _Nearby
    stage: Array  # number of the shared fit, then 3 + number of the limit
    on_data: Array  # bool: the observed limit needs a fit to the data at the same value
    mu: Array  # tested value
    low: Array
    high: Array
    q_asimov: Array  # at the tested value
    q_asimov_slope: Array
    tries: Array  # for this limit


def _search(
    minimiser: Minimiser, test_stat: TestStat, level: Array, data: Array, model: Likelihood, start: Start
) -> _Located:
    """All fits one after the other in one loop."""
    poi = model.space.poi
    targets = expected_significances(level)
    zero = jnp.zeros_like(level)
    first_guess = jnp.where(start.init[poi] > 0, start.init[poi], 1.0)

    def fit(s: _Search) -> _Search:
        shared = s.stage < 3
        use_asimov = jnp.where(shared, s.stage == _FREE_ASIMOV, ~s.on_data)
        which = use_asimov.astype(int)
        conditional = ~shared | (s.stage == _ASIMOV)
        value = jnp.where(shared, zero, s.mu)
        ahead = s.nearby.pars[which] + s.nearby.slope[which] * (s.mu - s.nearby.mu[which])
        own = start._replace(init=jnp.where(s.stage == _FREE, start.init, ahead))
        free, held = fixed_poi_problem(model, data, own), fixed_poi_problem(model, data, own, value)
        found = minimiser(
            free._replace(
                data=jnp.where(use_asimov, s.asimov, data),
                init=jnp.where(conditional, held.init, free.init),
                fixed=jnp.where(conditional, held.fixed, free.fixed),
            )
        )
        s = s._replace(nearby=_remember(s, found, which), located=s.located._replace(fits=s.located.fits + 1))
        after_shared, after_root = _after_shared(s, found), _after_root(s, found)
        return jax.tree.map(lambda a, b: jnp.where(shared, a, b), after_shared, after_root)

    def _remember(s: _Search, found: Minimum, which: Array) -> _Nearby:
        step = s.mu - s.nearby.mu[which]
        moved = (s.stage >= 3) & (step != 0) & (found.status == Status.CONVERGED)
        slope = (found.pars - s.nearby.pars[which]) / jnp.where(moved, step, 1.0)
        new = _Nearby(
            s.nearby.pars.at[which].set(found.pars),
            s.nearby.mu.at[which].set(jnp.where(s.stage < 3, found.pars[poi], s.mu)),
            s.nearby.slope.at[which].set(jnp.where(moved, slope, 0.0)),
        )
        # The Asimov data's own minimum is known: it starts the fits to the Asimov data.
        known = _Nearby(new.pars.at[1].set(found.pars), new.mu.at[1].set(found.pars[poi]), new.slope.at[1].set(0.0))
        return jax.tree.map(lambda a, b: jnp.where(s.stage == _ASIMOV, a, b), known, new)

    def _after_shared(s: _Search, found: Minimum) -> _Search:
        shared = jax.tree.map(lambda all, one: all.at[s.stage].set(one, mode="drop"), s.located.shared, found)
        # Fits to the data start from the free minimum, not from that at zero.
        free = jax.tree.map(lambda x: x[_FREE], shared.pars)
        nearby = s.nearby._replace(pars=s.nearby.pars.at[0].set(free), mu=s.nearby.mu.at[0].set(free[poi]))
        return s._replace(
            located=s.located._replace(shared=shared),
            asimov=jnp.where(s.stage == _ASIMOV, expected_data(model, found.pars), s.asimov),
            nearby=nearby,
            stage=s.stage + 1,
            mu=jnp.where(s.stage == _FREE_ASIMOV, first_guess, s.mu),
        )

    def _after_root(s: _Search, found: Minimum) -> _Search:
        number = s.stage - 3
        observed = number == _OBSERVED
        nll = s.located.shared.nll
        free = jnp.where(s.on_data, _FREE, _FREE_ASIMOV)
        q, slope = jnp.maximum(2 * (found.nll - nll[free]), 0.0), 2 * found.gradient[poi]
        # Where the tested value lies below the best one, the test statistic is zero.
        above = s.mu >= s.located.shared.pars[free, poi]
        q, slope = jnp.where(above, q, 0.0), jnp.where(above, slope, 0.0)
        minima = s.located.asimov
        here = jax.tree.map(lambda all, one: all.at[number].set(one, mode="drop"), minima, found)
        located = s.located._replace(
            asimov=jax.tree.map(lambda a, b: jnp.where(s.on_data, a, b), minima, here),
            observed=jax.tree.map(lambda a, b: jnp.where(s.on_data, a, b), found, s.located.observed),
        )
        to_data = observed & ~s.on_data
        s = s._replace(
            located=located,
            q_asimov=jnp.where(s.on_data, s.q_asimov, q),
            q_asimov_slope=jnp.where(s.on_data, s.q_asimov_slope, slope),
            tries=s.tries + 1,
        )
        miss_observed, slope_observed = jax.jvp(
            lambda q, q_asimov: _log_cls(q, q_asimov, test_stat) - jnp.log(level),
            (q, s.q_asimov),
            (slope, s.q_asimov_slope),
        )
        root = square_root(q)
        miss_expected = targets[jnp.minimum(number, _OBSERVED - 1)] - root
        slope_expected = -slope / (2 * jnp.where(root > 0, root, 1.0))
        miss = jnp.where(observed, miss_observed, miss_expected)
        slope = jnp.where(observed, slope_observed, slope_expected)
        searched = _step(s, miss, slope)
        return jax.tree.map(lambda a, b: jnp.where(to_data, a, b), s._replace(on_data=~s.on_data), searched)

    def _step(s: _Search, miss: Array, slope: Array) -> _Search:
        """The next tested value, or the next limit where this one is found. ``miss`` falls as mu rises."""
        number = s.stage - 3
        low, high = jnp.where(miss > 0, s.mu, s.low), jnp.where(miss > 0, s.high, s.mu)
        newton = s.mu - miss / jnp.where(slope < 0, slope, 1.0)
        between = jnp.where(jnp.isinf(high), jnp.maximum(4 * s.mu, low + first_guess), (low + high) / 2)
        inside = (slope < 0) & (newton > low) & (newton < high) & (newton < 16 * s.mu)
        found = jnp.abs(miss) < _TOLERANCE
        exact = jnp.isfinite(high) & ((high - low) <= 1e-14 * high)
        unlimited = s.mu > _LARGEST * first_guess
        ended = found | exact | unlimited | (s.tries >= _FITS)
        status = jnp.where(found, Status.CONVERGED, Status.ITERATION_LIMIT)
        status = jnp.where(unlimited, Status.NO_LIMIT, status).astype(jnp.int32)
        limits = s.located.mu.at[number].set(jnp.where(unlimited, jnp.inf, s.mu), mode="drop")
        located = s.located._replace(
            mu=jnp.where(ended, limits, s.located.mu),
            status=jnp.where(ended, jnp.maximum(status, s.located.status), s.located.status),
        )
        best = jnp.maximum(located.shared.pars[_FREE, poi], 0.0)
        # The significance is about linear in the value; the observed limit lies about the median above the best fit.
        ratio = targets[jnp.minimum(number + 1, _OBSERVED - 1)] / targets[jnp.minimum(number, _OBSERVED - 1)]
        ahead = jnp.where(number + 1 == _OBSERVED, best + limits[_OBSERVED // 2], s.mu * ratio)
        ahead = jnp.where(jnp.isfinite(ahead), ahead, first_guess)
        # At the best value CLs is a half or more: a limit at a lower level lies above it.
        lowest = jnp.where(level < 0.5, best, 0.0)
        lowest = jnp.where(number + 1 == _OBSERVED, lowest, jnp.where(found, s.mu, 0.0))
        return s._replace(
            located=located,
            stage=s.stage + ended,
            on_data=jnp.zeros_like(s.on_data),
            mu=jnp.where(ended, ahead, jnp.where(inside, newton, between)),
            low=jnp.where(ended, lowest, low),
            high=jnp.where(ended, jnp.inf, high),
            tries=jnp.where(ended, 0, s.tries),
        )

    empty = Minimum(
        jnp.zeros_like(start.init),
        zero,
        jnp.zeros_like(start.init),
        jnp.zeros((), jnp.int32),
        zero,
        jnp.zeros((), int),
        jnp.zeros((), int),
        zero,
    )

    def several(n: int) -> Minimum:
        return jax.tree.map(lambda x: jnp.broadcast_to(x, (n, *x.shape)), empty)

    begin = _Search(
        located=_Located(
            mu=jnp.zeros(_OBSERVED + 1, level.dtype),
            status=jnp.zeros((), jnp.int32),
            fits=jnp.zeros((), int),
            shared=several(3),
            asimov=several(_OBSERVED + 1),
            observed=empty,
        ),
        asimov=data,
        nearby=_Nearby(jnp.stack([start.init] * 2), jnp.zeros(2, level.dtype), jnp.zeros((2, *start.init.shape))),
        stage=jnp.zeros((), int),
        on_data=jnp.zeros((), bool),
        mu=zero,
        low=zero,
        high=zero + jnp.inf,
        q_asimov=zero,
        q_asimov_slope=zero,
        tries=jnp.zeros((), int),
    )
    return jax.lax.while_loop(lambda s: s.stage < 3 + _OBSERVED + 1, fit, begin).located


def _at(minima: Any, index: int) -> Any:
    return jax.tree.map(lambda x: x[index], minima)
