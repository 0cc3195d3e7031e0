"""The hypothesis test: five fits, the test statistic and its Asimov value, p-values. One pure function."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.problem import Minimiser, Problem
from pyhf_func.core.fit.result import FitResult, fit_problem
from pyhf_func.core.inference.asymptotics import TestStat, expected_p_values, p_values, transformed
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import expected_data


class HypotestResult(NamedTuple):
    """A hypothesis test with everything that went into it.

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
    """() the worst status of the fits: a `Status`."""
    free_fit: FitResult
    """all parameters fitted to the data."""
    conditional_fit: FitResult
    """fitted to the data with the POI at the tested value."""
    asimov_pars: FitResult
    """fitted to the data with the POI at the Asimov value (0; 1 for ``q0``): the source of the Asimov data."""
    free_fit_asimov: FitResult
    """all parameters fitted to the Asimov data."""
    conditional_fit_asimov: FitResult
    """fitted to the Asimov data with the POI at the tested value."""


def hypotest(
    minimiser: Minimiser, test_stat: TestStat, mu: Array, data: Array, model: Likelihood, start: Start
) -> HypotestResult:
    """Test the POI value ``mu`` (``q0``: zero, whatever ``mu``) against its Asimov value."""
    tested = jnp.zeros_like(mu) if test_stat == "q0" else mu
    alternative = jnp.ones_like(mu) if test_stat == "q0" else jnp.zeros_like(mu)
    poi = jnp.arange(model.n_pars) == model.space.poi

    def fit(data: Array, init: Array, value: Array, conditional: Array) -> FitResult:
        """One fit, with the POI at a value if conditional. All fits share this program."""
        at_value = poi & conditional
        problem = Problem(
            model, data, jnp.where(at_value, value, init), start.lower, start.upper, start.fixed | at_value
        )
        return fit_problem(minimiser, problem)

    def without_mu(carry: tuple[Array, Array], conditional: Array) -> tuple[tuple[Array, Array], FitResult]:
        """The fits that do not depend on the tested value: free, Asimov, and free on the Asimov data."""
        data, init = carry
        found = fit(data, init, alternative, conditional)
        data = jnp.where(conditional, expected_data(model, found.pars), data)
        return (data, found.pars), found

    (asimov, _), fits = jax.lax.scan(without_mu, (data, start.init), jnp.array([False, True, False]))
    free, alternative_fit, free_asimov = (jax.tree.map(lambda x, i=i: x[i], fits) for i in range(3))

    def with_mu(_: None, data_and_start: tuple[Array, Array]) -> tuple[None, FitResult]:
        return None, fit(*data_and_start, tested, jnp.array(True))

    starts = jnp.stack([free.pars, alternative_fit.pars])
    _, fits = jax.lax.scan(with_mu, None, (jnp.stack([data, asimov]), starts))
    conditional, conditional_asimov = (jax.tree.map(lambda x, i=i: x[i], fits) for i in range(2))

    q = _test_statistic(test_stat, tested, model.space.poi, conditional, free)
    q_asimov = _test_statistic(test_stat, tested, model.space.poi, conditional_asimov, free_asimov)
    observed = p_values(transformed(q, q_asimov, test_stat), q_asimov)
    expected = expected_p_values(q_asimov)
    every = (free, conditional, alternative_fit, free_asimov, conditional_asimov)
    status = jnp.max(jnp.stack([found.status for found in every]))
    return HypotestResult(
        cls=observed.cls,
        clsb=observed.clsb,
        clb=observed.clb,
        cls_expected=expected.cls,
        clsb_expected=expected.clsb,
        clb_expected=expected.clb,
        teststat=q,
        teststat_asimov=q_asimov,
        status=status,
        free_fit=free,
        conditional_fit=conditional,
        asimov_pars=alternative_fit,
        free_fit_asimov=free_asimov,
        conditional_fit_asimov=conditional_asimov,
    )


def _test_statistic(
    test_stat: TestStat, tested: Array, poi: Array, conditional: FitResult, free: FitResult
) -> Array:
    """q_mu (Equation (14)), q-tilde (16) or q_0 (12): they differ in the bounds of the POI and in the side."""
    best = free.pars[poi]
    counts = best >= tested if test_stat == "q0" else best <= tested
    difference = conditional.twice_nll - free.twice_nll
    return jnp.where(counts & (difference > 0), difference, 0.0)
