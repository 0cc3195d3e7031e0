"""The hypothesis test: five fits, the test statistic and its Asimov value, p-values. One pure function."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.custom_batching import custom_vmap

from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.lanes import by_platform, one_by_one
from pyhf_func.core.fit.problem import Minimiser, Minimum, Problem
from pyhf_func.core.fit.result import FitResult, describe, where_known, worst
from pyhf_func.core.fit.solution import without_derivative
from pyhf_func.core.fit.status import Status
from pyhf_func.core.inference import statistics
from pyhf_func.core.inference.asymptotics import expected_p_values, p_values
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import expected_data
from pyhf_func.core.statistics import Statistic
from pyhf_func.results.base import Result
from pyhf_func.results.tables import band


class HypotestResult(Result):
    """A hypothesis test with everything that went into it.

    Numbers that depend on a fit that did not converge are not numbers (NaN), and their own status says why; those
    that do not depend on it stay.
    The expected values are those for background-only data (for ``q0``: for data with the nominal signal) at -2,
    -1, 0, 1 and 2 standard deviations. For ``q0``, ``clsb`` is p0, the p-value of the background-only hypothesis.

    Returned by `pyhf_func.hypotest`.
    """

    cls: Array
    """() CLs = CLs+b / CLb."""
    clsb: Array
    """() p-value of the tested hypothesis."""
    clb: Array
    """() p-value of the alternative."""
    cls_expected: Array
    """(5,) expected CLs."""
    clsb_expected: Array
    """(5,) expected CLs+b."""
    clb_expected: Array
    """(5,) expected CLb."""
    teststat: Array
    """() the test statistic for the data."""
    teststat_asimov: Array
    """() the test statistic for the Asimov data."""
    status: Array
    """() the worst status of all that the test is made of; ``INVALID_ARGUMENT`` where a negative value is tested and
    the best value may not be negative, as with ``qtilde``, so that no data could exclude it. A `Status`."""
    cls_status: Array
    """() of ``cls`` and ``clb``: a `Status`."""
    clsb_status: Array
    """() of ``clsb``, which for ``q`` and ``q0`` does not depend on the Asimov data."""
    teststat_status: Array
    """() of ``teststat``."""
    expected_status: Array
    """() of the expected values and ``teststat_asimov``."""
    free_fit: FitResult
    """all parameters fitted to the data; for ``qtilde`` with a POI that is not negative. Where its best value lies at
    an upper bound that nobody has set, and larger values are tested, it goes beyond."""
    conditional_fit: FitResult
    """fitted to the data with the POI at the tested value."""
    asimov_fit: FitResult
    """fitted to the data with the POI at the Asimov value (0; 1 for ``q0``): the source of the Asimov data."""
    free_fit_asimov: FitResult
    """all parameters fitted to the Asimov data."""
    conditional_fit_asimov: FitResult
    """fitted to the Asimov data with the POI at the tested value."""

    def _rows(self) -> list[dict[str, Any]]:
        numbers = ("CLs", "cls", self.cls_status), ("CLs+b", "clsb", self.clsb_status), ("CLb", "clb", self.cls_status)
        return [
            {
                "quantity": name,
                "observed": getattr(self, field),
                **band("expected", getattr(self, f"{field}_expected")),
                "status": str(status),
            }
            for name, field, status in numbers
        ]


class _Minima(NamedTuple):
    free: Minimum
    asimov: Minimum
    free_asimov: Minimum
    conditional: Minimum
    conditional_asimov: Minimum


FITS = ("free_fit", "asimov_fit", "free_fit_asimov", "conditional_fit", "conditional_fit_asimov")
"""The fits of a test, in the order in which they are made."""


class Near(NamedTuple):
    """The minima of a similar test, to start from."""

    pars: Array
    """(fits, pars) in the order of `FITS`."""
    usable: Array
    """() whether there is such a test."""


def hypotest(
    minimiser: Minimiser,
    statistic: Statistic,
    mu: Array,
    data: Array,
    model: Likelihood,
    start: Start,
    near: Near | None = None,
) -> HypotestResult:
    """Test the POI value ``mu``, or the only one that the statistic tests, against its alternative."""
    poi, start = model.space.poi, statistics.bounded(statistic, start, model.space.poi)
    tested = statistics.tested_value(statistic, mu)
    alternative = jnp.full_like(mu, statistic.alternative)
    minima = without_derivative(_locator(minimiser, statistic), tested, data, model, start, near)

    start = statistics.opened(statistic, start, model.space, minima.free)
    at_tested = fixed_poi_problem(model, data, start, tested)
    free = describe(fixed_poi_problem(model, data, start), minima.free)
    asimov_fit = describe(fixed_poi_problem(model, data, start, alternative), minima.asimov)
    asimov = expected_data(model, asimov_fit.pars)
    free_asimov = describe(fixed_poi_problem(model, asimov, start), minima.free_asimov)
    conditional = describe(at_tested, minima.conditional)
    conditional_asimov = describe(at_tested._replace(data=asimov), minima.conditional_asimov)

    dark, n_bins = statistics.dark_bins(at_tested), model.n_bins
    zero, zero_asimov = jnp.any(dark & (data[:n_bins] > 0)), jnp.any(dark & (asimov[:n_bins] > 0))
    q = statistics.ratio(statistic, tested, start, poi, free, conditional, zero)
    q_asimov = statistics.ratio(statistic, tested, start, poi, free_asimov, conditional_asimov, zero_asimov)
    on_asimov = worst(asimov_fit.status, q_asimov.status)
    status = worst(q.status, on_asimov)
    observed = p_values(q.value, q_asimov.value, statistic)
    cls_status = jnp.where(jnp.isnan(observed.cls), jnp.maximum(status, Status.NOT_FINITE), status)
    clsb_status = status if statistic.not_negative else q.status
    expected = where_known(on_asimov, expected_p_values(q_asimov.value))
    return HypotestResult(
        cls=where_known(cls_status, observed.cls),
        clsb=where_known(clsb_status, observed.clsb),
        clb=where_known(cls_status, observed.clb),
        cls_expected=expected.cls,
        clsb_expected=expected.clsb,
        clb_expected=expected.clb,
        teststat=where_known(q.status, q.value),
        teststat_asimov=where_known(on_asimov, q_asimov.value),
        status=status,
        cls_status=cls_status,
        clsb_status=clsb_status,
        teststat_status=q.status,
        expected_status=on_asimov,
        free_fit=free,
        conditional_fit=conditional,
        asimov_fit=asimov_fit,
        free_fit_asimov=free_asimov,
        conditional_fit_asimov=conditional_asimov,
    )


def fixed_poi_problem(model: Likelihood, data: Array, start: Start, value: Array | None = None) -> Problem:
    """The free fit, or with a value the fit with the POI fixed there."""
    if value is None:
        return Problem(model, data, *start)
    poi = jnp.arange(model.n_pars) == model.space.poi
    init = jnp.where(poi, value, start.init)
    return Problem(model, data, init, start.lower, start.upper, start.fixed | poi)


def _locator(minimiser: Minimiser, statistic: Statistic) -> Callable[..., _Minima]:
    """Locate the five minima of a test; mapped over tested values, the three that don't depend on them once."""
    chain = partial(_consistent, partial(_chain, minimiser, statistic.alternative), statistic)
    spread = partial(_consistent, partial(_spread, minimiser, statistic.alternative), statistic)

    def alone(tested: Array, data: Array, model: Likelihood, start: Start, near: Near | None) -> _Minima:
        minima = chain(tested[None], data, model, start, near)
        return minima._replace(
            conditional=_at(minima.conditional, 0), conditional_asimov=_at(minima.conditional_asimov, 0)
        )

    locate = custom_vmap(alone)

    @locate.def_vmap
    def rule(axis_size: int, in_batched: Any, *args: Any) -> tuple[_Minima, Any]:
        if any(jax.tree.leaves(in_batched[1:])):
            axes = jax.tree.map(lambda flag: 0 if flag else None, tuple(in_batched))
            minima = jax.vmap(one_by_one(alone), in_axes=axes)(*args)
            return minima, jax.tree.map(lambda _: True, minima)
        minima = by_platform(chain, spread, *args[:-1])
        flags = (False, False, False, True, True)
        return minima, _Minima(*(jax.tree.map(lambda _, f=flag: f, m) for m, flag in zip(minima, flags, strict=True)))

    return locate


class _Round(NamedTuple):
    minima: _Minima
    start: Start  # of the next round
    rounds: Array
    again: Array


def _consistent(
    fits: Callable[..., _Minima],
    statistic: Statistic,
    tested: Array,
    data: Array,
    model: Likelihood,
    start: Start,
    near: Near | None = None,
) -> _Minima:
    """The fits of tests, made again while a conditional one ends below the free one, from there."""
    values = jnp.concatenate([jnp.full(1, statistic.alternative, tested.dtype), tested])

    def once(r: _Round) -> _Round:
        first = None if near is None else near._replace(usable=near.usable & (r.rounds == 0))
        found = fits(tested, data, model, r.start, first)
        minima = _Minima(*map(statistics.alike, found, r.minima))
        on_data = jax.tree.map(lambda one, many: jnp.concatenate([one[None], many]), minima.asimov, minima.conditional)
        begin, wanted = statistics.restart(statistic, r.start, model.space, minima.free, on_data, values)
        rounds = r.rounds + 1
        return _Round(minima, begin, rounds, wanted & (rounds < statistics.ROUNDS))

    one, many = (statistics.no_minimum(start.init, model.n_bins, *shape) for shape in ((), tested.shape))
    begin = _Round(_Minima(one, one, one, many, many), start, jnp.zeros((), int), jnp.ones((), bool))
    return jax.lax.while_loop(lambda r: r.again, once, begin).minima


class _Known(NamedTuple):
    """The findings of a chain of fits so far."""

    free: Array  # (pars,) free minimum for the data
    asimov_pars: Array  # (pars,) minimum at the alternative
    asimov: Array  # (bins + aux,) Asimov data
    last: Array  # (pars,) minimum of the previous fit
    last_value: Array  # its tested value; not a number where it should not be started from
    slope: Array  # (pars,) by which the last minima moved with the tested value


def _chain(
    minimiser: Minimiser,
    alternative: float,
    tested: Array,
    data: Array,
    model: Likelihood,
    start: Start,
    near: Near | None = None,
) -> _Minima:
    """All fits one after the other in one loop, each from the nearest minimum that is known.

    With one tested value, that of a similar test is nearer than all but that at which the Asimov data were made.
    """
    n, poi = tested.shape[0], model.space.poi

    def fit(known: _Known, job: tuple[Array, ...]) -> tuple[_Known, Minimum]:
        number, value, conditional, on_asimov = job
        base = jnp.where(on_asimov, known.asimov_pars, known.free)
        nearer = jnp.abs(value - known.last_value) < jnp.abs(value - base[poi])
        ahead = known.last + known.slope * (value - known.last_value)
        init = jnp.where(conditional & nearer, ahead, base)
        if near is not None:
            init = jnp.where(near.usable & (number != 2), near.pars[number], init)
        own = start._replace(init=init)
        free, held = fixed_poi_problem(model, data, own), fixed_poi_problem(model, data, own, value)
        problem = free._replace(
            data=jnp.where(on_asimov, known.asimov, data),
            init=jnp.where(conditional, held.init, free.init),
            fixed=jnp.where(conditional, held.fixed, free.fixed),
        )
        found = minimiser(problem)
        first, second = number == 0, number == 1
        usable = (number > 2) & (number != 2 + n) & (found.status == Status.CONVERGED)
        step = value - known.last_value
        follows = usable & (jnp.abs(step) > 0)
        known = _Known(
            free=jnp.where(first, found.pars, known.free),
            asimov_pars=jnp.where(second, found.pars, known.asimov_pars),
            asimov=jnp.where(second, expected_data(model, found.pars), known.asimov),
            last=found.pars,
            last_value=jnp.where(usable, value, jnp.nan),
            slope=jnp.where(follows, (found.pars - known.last) / jnp.where(follows, step, 1.0), 0.0),
        )
        return known, found

    flags = jnp.array([False, True, False])
    jobs = (
        jnp.arange(3 + 2 * n),
        jnp.concatenate([jnp.array([0.0, alternative, 0.0], tested.dtype), tested, tested]),
        jnp.concatenate([flags, jnp.ones(2 * n, bool)]),
        jnp.concatenate([jnp.array([False, False, True]), jnp.zeros(n, bool), jnp.ones(n, bool)]),
    )
    nothing = _Known(
        start.init, start.init, data, start.init, jnp.asarray(jnp.nan, tested.dtype), jnp.zeros_like(start.init)
    )
    _, minima = jax.lax.scan(fit, nothing, jobs)
    places = (0, 1, 2, slice(3, 3 + n), slice(3 + n, None))
    return _Minima(*(_at(minima, place) for place in places))


def _spread(
    minimiser: Minimiser,
    alternative: float,
    tested: Array,
    data: Array,
    model: Likelihood,
    start: Start,
    near: Near | None = None,
) -> _Minima:
    """The same with the fits at all tested values at once."""
    shared = _chain(minimiser, alternative, tested[:0], data, model, start, near)
    asimov = expected_data(model, shared.asimov.pars)

    def conditional(data: Array, nearest: Array, value: Array) -> Minimum:
        return minimiser(fixed_poi_problem(model, data, start._replace(init=nearest), value))

    every = jax.vmap(conditional, in_axes=(None, None, 0))
    return shared._replace(
        conditional=every(data, shared.free.pars, tested),
        conditional_asimov=every(asimov, shared.asimov.pars, tested),
    )


def _at(minima: Minimum, index: int | slice) -> Minimum:
    return jax.tree.map(lambda x: x[index], minima)
