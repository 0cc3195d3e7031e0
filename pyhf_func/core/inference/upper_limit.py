"""Upper limits: the values of the POI at which CLs, observed and expected, falls to a level.

All roots are found by one loop of fits. The derivative of a fitted likelihood with respect to the tested value is the
gradient at the conditional minimum (envelope theorem), so that each fit gives a Newton step; a bracket, which grows
from the value of the alternative hypothesis upwards without an end, keeps the steps safe. The roots are attached to
their problem afterwards, by the implicit function theorem.

Where CLs levels off above the level there is no limit: nuisance parameters can make up for any signal then. It is
taken to do so where it does not move over four orders of magnitude of the tested value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import log_ndtr, ndtr, ndtri

from pyhf_func.core import roots
from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.lanes import one_by_one
from pyhf_func.core.fit.problem import Minimiser, Minimum
from pyhf_func.core.fit.result import FitResult, describe, where_known, worst
from pyhf_func.core.fit.solution import without_derivative
from pyhf_func.core.fit.status import Status
from pyhf_func.core.inference import statistics
from pyhf_func.core.inference.asymptotics import EXPECTED_SIGMAS, log_p_values, square_root
from pyhf_func.core.inference.hypotest import fixed_poi_problem
from pyhf_func.core.inference.statistics import Ratio
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import expected_data
from pyhf_func.core.statistics import Statistic
from pyhf_func.results.base import Result
from pyhf_func.results.rootfile import limit_tree
from pyhf_func.results.tables import band

_FITS = 60  # at most, for each limit
_LARGEST = 1e12  # times the first guess, above which there is no limit
_FLAT = 1e-3  # of its fall from one: by how much CLs moves at most where it has levelled off
_FLAT_OVER = 1e4  # by which factor the tested value has grown meanwhile
_FREE, _ASIMOV, _FREE_ASIMOV = range(3)
_OBSERVED = len(EXPECTED_SIGMAS)


def tolerance(dtype: Any) -> float:
    """Of log CLs at an observed limit, and of the significance at an expected one: 1e-8 in double precision."""
    return float(np.finfo(dtype).eps ** 0.511)


class LimitResult(Result):
    """Upper limits on the POI with everything that went into them.

    The expected limits are those for background-only data at -2, -1, 0, 1 and 2 standard deviations. Each limit has its
    own status. Where CLs never falls to the level, the limit is infinite (``NO_LIMIT``); where its search or one of the
    fits that it is made of did not converge, it is not a number.

    Returned by `pyhf_func.upper_limit`.
    """

    observed: Array
    """() observed upper limit."""
    expected: Array
    """(5,) expected upper limits."""
    cls: Array
    """() observed CLs at the observed limit: the level; without a limit, what CLs tends to."""
    cls_expected: Array
    """(5,) expected CLs, each at its own limit: the level; likewise."""
    status: Array
    """() the worst status of all six limits: a `Status`."""
    observed_status: Array
    """() of the observed limit: the worst of its search and of the fits that it ends with. ``AT_BOUND`` where it lies
    beyond an upper bound that was set for the POI, at which the free fit ended."""
    expected_status: Array
    """(5,) of each expected limit."""
    fits: Array
    """() number of fits."""
    free_fit: FitResult
    """all parameters fitted to the data; for ``qtilde`` with a POI that is not negative, and beyond an upper bound of
    it that nobody has set."""
    asimov_fit: FitResult
    """fitted to the data with the POI at zero: the source of the Asimov data."""
    free_fit_asimov: FitResult
    """all parameters fitted to the Asimov data."""
    conditional_fit: FitResult
    """fitted to the data with the POI at the observed limit."""
    conditional_fit_asimov: FitResult
    """(6, ...) fitted to the Asimov data with the POI at each of the expected limits, then at the observed one."""

    def _rows(self) -> list[dict[str, Any]]:
        name = f"upper limit on {self._known_names().poi}"
        status = str(self.observed_status)
        return [{"quantity": name, "observed": self.observed, **band("expected", self.expected), "status": status}]

    def _root_objects(self) -> dict[str, Any]:
        return {"limit": limit_tree(self.observed, self.expected)}


class _Located(NamedTuple):
    mu: Array  # (6,) limits: the expected ones, then the observed one
    status: Array  # (6,) how the searches ended
    fits: Array
    shared: Minimum  # (3, ...) the fits that do not depend on the tested value
    asimov: Minimum  # (6, ...) fits to the Asimov data at the limits
    observed: Minimum  # the fit to the data at the observed limit


def upper_limit(
    minimiser: Minimiser, statistic: Statistic, level: Array, data: Array, model: Likelihood, start: Start
) -> LimitResult:
    """Limits at the level by asymptotic CLs."""
    space, start = model.space, statistics.bounded(statistic, start, model.space.poi)

    def locate(level: Array, data: Array, model: Likelihood, start: Start) -> _Located:
        return _search(_Task(minimiser, statistic, level, data, model, expected_significances(level)), start)

    found = without_derivative(one_by_one(locate), level, data, model, start)
    start = statistics.opened(statistic, start, space, jax.tree.map(lambda x: x[_FREE], found.shared))
    inputs = _Inputs(level, data, model, start, found)
    mu = roots.attach(partial(_miss, statistic), inputs, found.mu)
    fits = _describe(mu, inputs)
    log_cls, on_fits = _log_cls_of(statistic, mu, start, space.poi, fits)
    status = worst(found.status, on_fits, _reached(found.status, log_cls, level), _valid(level))
    mu, cls = where_known(status, (mu, jnp.exp(log_cls)))
    return LimitResult(
        observed=mu[_OBSERVED],
        expected=mu[:_OBSERVED],
        cls=cls[_OBSERVED],
        cls_expected=cls[:_OBSERVED],
        status=jnp.max(status),
        observed_status=status[_OBSERVED],
        expected_status=status[:_OBSERVED],
        fits=found.fits,
        free_fit=fits.free,
        asimov_fit=fits.asimov,
        free_fit_asimov=fits.free_asimov,
        conditional_fit=fits.conditional,
        conditional_fit_asimov=fits.conditional_asimov,
    )


def _reached(searched: Array, log_cls: Array, level: Array) -> Array:
    """The status of limits by CLs there, which is the level; shape (6,)."""
    far = jnp.abs(log_cls - jnp.log(level)) > tolerance(level.dtype) ** 0.5
    return jnp.where(far & (searched == Status.CONVERGED), Status.STALLED, Status.CONVERGED)


def _valid(level: Array) -> Array:
    return jnp.where((level > 0) & (level < 1), Status.CONVERGED, Status.INVALID_ARGUMENT)


class _Inputs(NamedTuple):
    """The inputs on which the limits depend, and where their fits are."""

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


def _miss(statistic: Statistic, mu: Array, inputs: _Inputs) -> Array:
    """How far log CLs is from that of the level at the limits; shape (6,)."""
    fits = _describe(mu, inputs)
    return _log_cls_of(statistic, mu, inputs.start, inputs.model.space.poi, fits)[0] - jnp.log(inputs.level)


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


def _log_cls_of(statistic: Statistic, mu: Array, start: Start, poi: Array, fits: _Fits) -> tuple[Array, Array]:
    """Expected log CLs, each at its own limit, then observed log CLs, and their statuses; shape (6,) each."""

    def ratio(mu: Array, free: FitResult, conditional: FitResult) -> Ratio:
        return statistics.ratio(statistic, mu, start, poi, free, conditional, jnp.zeros((), bool))

    q_asimov = ratio(mu, fits.free_asimov, fits.conditional_asimov)
    q = ratio(mu[_OBSERVED], fits.free, fits.conditional)
    sigmas = jnp.asarray(EXPECTED_SIGMAS, mu.dtype)
    expected = log_ndtr(sigmas - square_root(q_asimov.value[:_OBSERVED])) - log_ndtr(sigmas)
    observed = log_p_values(q.value, q_asimov.value[_OBSERVED], statistic).cls
    status = worst(q_asimov.status, fits.asimov.status)
    return jnp.append(expected, observed), status.at[_OBSERVED].max(q.status)


def expected_significances(level: Array) -> Array:
    """The values of sqrt(q_A) at which the expected CLs is the level; shape (5,)."""
    sigmas = jnp.asarray(EXPECTED_SIGMAS, level.dtype)
    return sigmas - ndtri(level * ndtr(sigmas))


@dataclass(frozen=True)
class _Task:
    """The task of a search."""

    minimiser: Minimiser
    statistic: Statistic
    level: Array
    data: Array
    model: Likelihood
    targets: Array  # (5,) expected significances at the limits

    @property
    def poi(self) -> Array:
        return self.model.space.poi


class _Nearby(NamedTuple):
    """The last conditional fits, to the data and to the Asimov data: where the next ones start."""

    pars: Array  # (2, pars)
    mu: Array  # (2,)
    slope: Array  # (2, pars)


class _Bracket(NamedTuple):
    """The knowledge of one limit."""

    root: roots.Bracket  # of the tested value
    tries: Array
    flat_from: Array  # tested value since which CLs does not move
    flat_miss: Array  # how far it was from the level there


class _Search(NamedTuple):
    located: _Located
    start: Start
    asimov: Array  # (bins + aux,) the Asimov data
    nearby: _Nearby
    stage: Array  # number of the shared fit, then 3 + number of the limit
    on_data: Array  # bool: the observed limit needs a fit to the data at the same value
    bracket: _Bracket
    q_asimov: Array  # at the tested value
    q_asimov_slope: Array
    rounds: Array  # how often all was begun again


def _search(task: _Task, start: Start) -> _Located:
    """All fits one after the other in one loop."""

    def fit(s: _Search) -> _Search:
        shared = s.stage < 3
        use_asimov = jnp.where(shared, s.stage == _FREE_ASIMOV, ~s.on_data)
        value = jnp.where(shared, 0.0, s.bracket.root.at)
        found = _fit(task, s, use_asimov, value)
        nearby = _remember(task, s, found, use_asimov.astype(int))
        s = s._replace(nearby=nearby, located=s.located._replace(fits=s.located.fits + 1))
        after = jax.lax.cond(shared, lambda: _after_shared(task, s, found), lambda: _after_root(task, s, found))
        # The free fit goes on beyond a bound that nobody has set, and from a conditional minimum below it.
        first = s.stage == _FREE
        free = jax.tree.map(lambda one, all: jnp.where(first, one, all[_FREE]), found, s.located.shared)
        others, tested = jax.tree.map(lambda x: x[None], found), jnp.where(first, jnp.inf, value)[None]
        begin, wanted = statistics.restart(task.statistic, s.start, task.model.space, free, others, tested)
        wanted &= ~use_asimov & (s.rounds + 1 < statistics.ROUNDS)
        anew = _begin(task, begin)
        anew = anew._replace(rounds=s.rounds + 1, located=anew.located._replace(fits=s.located.fits))
        return jax.lax.cond(wanted, lambda: anew, lambda: after)

    return jax.lax.while_loop(lambda s: s.stage < 3 + _OBSERVED + 1, fit, _begin(task, start)).located


def _fit(task: _Task, s: _Search, use_asimov: Array, value: Array) -> Minimum:
    """The next fit."""
    which = use_asimov.astype(int)
    conditional = (s.stage >= 3) | (s.stage == _ASIMOV)
    ahead = s.nearby.pars[which] + s.nearby.slope[which] * (s.bracket.root.at - s.nearby.mu[which])
    own = s.start._replace(init=jnp.where(s.stage == _FREE, s.start.init, ahead))
    free, held = (fixed_poi_problem(task.model, task.data, own, at) for at in (None, value))
    found = task.minimiser(
        free._replace(
            data=jnp.where(use_asimov, s.asimov, task.data),
            init=jnp.where(conditional, held.init, free.init),
            fixed=jnp.where(conditional, held.fixed, free.fixed),
        )
    )
    return statistics.alike(found, s.located.observed)


def _remember(task: _Task, s: _Search, found: Minimum, which: Array) -> _Nearby:
    mu = s.bracket.root.at
    step = mu - s.nearby.mu[which]
    moved = (s.stage >= 3) & (step != 0) & (found.status == Status.CONVERGED)
    slope = (found.pars - s.nearby.pars[which]) / jnp.where(moved, step, 1.0)
    new = _Nearby(
        s.nearby.pars.at[which].set(found.pars),
        s.nearby.mu.at[which].set(jnp.where(s.stage < 3, found.pars[task.poi], mu)),
        s.nearby.slope.at[which].set(jnp.where(moved, slope, 0.0)),
    )
    # The Asimov data's own minimum is known: it starts the fits to the Asimov data.
    known = _Nearby(new.pars.at[1].set(found.pars), new.mu.at[1].set(found.pars[task.poi]), new.slope.at[1].set(0.0))
    return _where(s.stage == _ASIMOV, known, new)


def _after_shared(task: _Task, s: _Search, found: Minimum) -> _Search:
    shared = jax.tree.map(lambda all, one: all.at[s.stage].set(one, mode="drop"), s.located.shared, found)
    # Fits to the data start from the free minimum, not from that at zero.
    free = shared.pars[_FREE]
    nearby = s.nearby._replace(pars=s.nearby.pars.at[0].set(free), mu=s.nearby.mu.at[0].set(free[task.poi]))
    root = s.bracket.root
    first = jnp.where(s.stage == _FREE_ASIMOV, _first_guess(task, s.start), root.at)
    return s._replace(
        located=s.located._replace(shared=shared),
        asimov=jnp.where(s.stage == _ASIMOV, expected_data(task.model, found.pars), s.asimov),
        nearby=nearby,
        stage=s.stage + 1,
        bracket=s.bracket._replace(root=root._replace(at=first)),
    )


def _after_root(task: _Task, s: _Search, found: Minimum) -> _Search:
    number, mu = s.stage - 3, s.bracket.root.at
    observed = number == _OBSERVED
    free = jnp.where(s.on_data, _FREE, _FREE_ASIMOV)
    q, slope = jnp.maximum(2 * (found.nll - s.located.shared.nll[free]), 0.0), 2 * found.gradient[task.poi]
    against = task.statistic.counts(s.located.shared.pars[free, task.poi], mu)
    q, slope = jnp.where(against, q, 0.0), jnp.where(against, slope, 0.0)
    minima = s.located.asimov
    here = jax.tree.map(lambda all, one: all.at[number].set(one, mode="drop"), minima, found)
    located = s.located._replace(
        asimov=_where(s.on_data, minima, here),
        observed=_where(s.on_data, found, s.located.observed),
    )
    s = s._replace(
        located=located,
        q_asimov=jnp.where(s.on_data, s.q_asimov, q),
        q_asimov_slope=jnp.where(s.on_data, s.q_asimov_slope, slope),
        bracket=s.bracket._replace(tries=s.bracket.tries + 1),
    )
    miss_observed, slope_observed = jax.jvp(
        lambda q, q_asimov: log_p_values(q, q_asimov, task.statistic).cls - jnp.log(task.level),
        (q, s.q_asimov),
        (slope, s.q_asimov_slope),
    )
    root = square_root(q)
    miss_expected = task.targets[jnp.minimum(number, _OBSERVED - 1)] - root
    slope_expected = -slope / (2 * jnp.where(root > 0, root, 1.0))
    miss = jnp.where(observed, miss_observed, miss_expected)
    searched = _step(task, s, found, miss, jnp.where(observed, slope_observed, slope_expected))
    to_data = observed & ~s.on_data
    return _where(to_data, s._replace(on_data=~s.on_data), searched)


def _step(task: _Task, s: _Search, found: Minimum, miss: Array, slope: Array) -> _Search:
    """The next tested value, or the next limit where this one is found. ``miss`` falls as mu rises."""
    number, b = s.stage - 3, s.bracket
    top = jnp.append(task.targets, -jnp.log(task.level))[number]  # the miss where CLs is one
    guess, epsilon = _first_guess(task, s.start), np.finfo(miss.dtype).eps
    root = roots.step(b.root, miss, slope, guess)
    moves = (miss < b.flat_miss - _FLAT * top) | (miss > (1 - _FLAT) * top)
    flat_from, flat_miss = jnp.where(moves, b.root.at, b.flat_from), jnp.where(moves, miss, b.flat_miss)
    endless = (b.root.at > _LARGEST * guess) | (b.root.at > _FLAT_OVER * flat_from)
    unlimited = endless & (miss > 0) & jnp.isinf(root.high) & (found.status == Status.CONVERGED)
    rounding = 8 * epsilon * jnp.abs(found.nll)
    met = jnp.abs(miss) < tolerance(miss.dtype) + rounding
    ended = met | roots.collapsed(root, 64 * epsilon) | unlimited | (b.tries >= _FITS)
    status = jnp.where(met, Status.CONVERGED, Status.ITERATION_LIMIT)
    status = jnp.where(unlimited & ~met, Status.NO_LIMIT, status).astype(jnp.int32)
    limit = jnp.where(unlimited & ~met, jnp.inf, b.root.at)
    limits = s.located.mu.at[number].set(limit, mode="drop")
    statuses = s.located.status.at[number].set(status, mode="drop")
    located = s.located._replace(
        mu=jnp.where(ended, limits, s.located.mu), status=jnp.where(ended, statuses, s.located.status)
    )
    going_on = _Bracket(root, b.tries, flat_from, flat_miss)
    beginning = _next_bracket(task, s, limits, met)
    return s._replace(
        located=located,
        stage=s.stage + ended,
        on_data=jnp.zeros_like(s.on_data),
        bracket=_where(ended, beginning, going_on),
    )


def _next_bracket(task: _Task, s: _Search, limits: Array, met: Array) -> _Bracket:
    """Where the search of the next limit begins: the significance is about linear in the tested value."""
    number, mu = s.stage - 3, s.bracket.root.at
    targets, guess = task.targets, _first_guess(task, s.start)
    best = jnp.maximum(s.located.shared.pars[_FREE, task.poi], 0.0)
    ratio = targets[jnp.minimum(number + 1, _OBSERVED - 1)] / targets[jnp.minimum(number, _OBSERVED - 1)]
    # The observed limit lies about the median above the best fit.
    ahead = jnp.where(number + 1 == _OBSERVED, best + limits[_OBSERVED // 2], mu * ratio)
    # At the best value CLs is a half or more: a limit at a lower level lies above it.
    lowest = jnp.where(task.level < 0.5, best, 0.0)
    lowest = jnp.where(number + 1 == _OBSERVED, lowest, jnp.where(met, mu, 0.0))
    return _bracket(jnp.where(met & jnp.isfinite(ahead), ahead, jnp.maximum(guess, lowest)), lowest)


def _bracket(mu: Array, low: Array) -> _Bracket:
    return _Bracket(roots.init(mu, low, jnp.zeros_like(mu)), jnp.zeros((), int), mu, jnp.full_like(mu, jnp.inf))


def _first_guess(task: _Task, start: Start) -> Array:
    """About where limits are looked for first."""
    init = start.init[task.poi]
    return jnp.where(init > 0, init, 1.0)


def _begin(task: _Task, start: Start) -> _Search:
    zero, number = jnp.zeros_like(task.level), jnp.zeros((), int)
    n, init, n_bins = _OBSERVED + 1, start.init, task.model.n_bins
    return _Search(
        located=_Located(
            mu=jnp.zeros(n, zero.dtype),
            status=jnp.zeros(n, jnp.int32),
            fits=number,
            shared=statistics.no_minimum(init, n_bins, 3),
            asimov=statistics.no_minimum(init, n_bins, n),
            observed=statistics.no_minimum(init, n_bins),
        ),
        start=start,
        asimov=task.data,
        nearby=_Nearby(jnp.stack([init] * 2), jnp.zeros(2, zero.dtype), jnp.zeros((2, *init.shape), init.dtype)),
        stage=number,
        on_data=jnp.zeros((), bool),
        bracket=_bracket(zero, zero),
        q_asimov=zero,
        q_asimov_slope=zero,
        rounds=number,
    )


def _where(condition: Array, one: Any, other: Any) -> Any:
    """One pytree or the other."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), one, other)


def _at(minima: Any, index: int) -> Any:
    return jax.tree.map(lambda x: x[index], minima)
