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
from pyhf_func.core.inference.asymptotics import TestStat, expected_p_values, p_values, transformed
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import expected_data


class HypotestResult(NamedTuple):
    """A hypothesis test with everything that went into it.

    Numbers that depend on a fit that did not converge are not numbers (NaN), and the status says why.
    The expected values are those for background-only data (for ``q0``: for data with the nominal signal) at -2,
    -1, 0, 1 and 2 standard deviations. For ``q0``, ``clsb`` is p0, the p-value of the background-only hypothesis.
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
    """() the worst status of the fits; ``INVALID_ARGUMENT`` where a negative value is tested that lies below the POI's
    lower bound, so that no data could exclude it. A `Status`."""
    free_fit: FitResult
    """all parameters fitted to the data."""
    conditional_fit: FitResult
    """fitted to the data with the POI at the tested value."""
    asimov_fit: FitResult
    """fitted to the data with the POI at the Asimov value (0; 1 for ``q0``): the source of the Asimov data."""
    free_fit_asimov: FitResult
    """all parameters fitted to the Asimov data."""
    conditional_fit_asimov: FitResult
    """fitted to the Asimov data with the POI at the tested value."""


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
    test_stat: TestStat,
    mu: Array,
    data: Array,
    model: Likelihood,
    start: Start,
    near: Near | None = None,
) -> HypotestResult:
    """Test the POI value ``mu`` (``q0``: zero, whatever ``mu``) against its Asimov value."""
    tested, alternative = (jnp.zeros_like(mu), 1.0) if test_stat == "q0" else (mu, 0.0)
    minima = without_derivative(_locator(minimiser, alternative), tested, data, model, start, near)

    free = describe(fixed_poi_problem(model, data, start), minima.free)
    asimov_fit = describe(fixed_poi_problem(model, data, start, jnp.full_like(mu, alternative)), minima.asimov)
    asimov = expected_data(model, asimov_fit.pars)
    free_asimov = describe(fixed_poi_problem(model, asimov, start), minima.free_asimov)
    conditional = describe(fixed_poi_problem(model, data, start, tested), minima.conditional)
    conditional_asimov = describe(fixed_poi_problem(model, asimov, start, tested), minima.conditional_asimov)

    poi = model.space.poi
    q = _test_statistic(test_stat, tested, poi, conditional, free)
    q_asimov = _test_statistic(test_stat, tested, poi, conditional_asimov, free_asimov)
    allowed = _allowed(test_stat, tested, start.lower[poi])
    on_data = worst(allowed, free.status, conditional.status)
    on_asimov = worst(allowed, asimov_fit.status, free_asimov.status, conditional_asimov.status)
    status = worst(on_data, on_asimov)
    observed = where_known(status, p_values(transformed(q, q_asimov, test_stat), q_asimov))
    expected = where_known(on_asimov, expected_p_values(q_asimov))
    return HypotestResult(
        cls=observed.cls,
        clsb=observed.clsb,
        clb=observed.clb,
        cls_expected=expected.cls,
        clsb_expected=expected.clsb,
        clb_expected=expected.clb,
        teststat=where_known(on_data, q),
        teststat_asimov=where_known(on_asimov, q_asimov),
        status=status,
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


def _allowed(test_stat: TestStat, tested: Array, lower: Array) -> Array:
    """The status of a tested value: below a bound that keeps the POI from it, a test for limits says nothing."""
    senseless = (tested < 0) & (tested < lower) & (test_stat != "q0")
    return jnp.where(senseless, Status.INVALID_ARGUMENT, Status.CONVERGED).astype(jnp.int32)


def _test_statistic(test_stat: TestStat, tested: Array, poi: Array, conditional: FitResult, free: FitResult) -> Array:
    """q_mu (Equation (14)), q-tilde (16) or q_0 (12): they differ in the bounds of the POI and in the side."""
    best = free.pars[poi]
    counts = best >= tested if test_stat == "q0" else best <= tested
    difference = conditional.twice_nll - free.twice_nll
    return jnp.where(counts & (difference > 0), difference, 0.0)


def _locator(minimiser: Minimiser, alternative: float) -> Callable[..., _Minima]:
    """Locate the five minima of a test; mapped over tested values, the three that don't depend on them once."""
    chain = partial(_chain, minimiser, alternative)
    spread = partial(_spread, minimiser, alternative)

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


class _Known(NamedTuple):
    """What a chain of fits has found so far."""

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
    minimiser: Minimiser, alternative: float, tested: Array, data: Array, model: Likelihood, start: Start
) -> _Minima:
    """The same with the fits at all tested values at once."""
    shared = _chain(minimiser, alternative, tested[:0], data, model, start)
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
