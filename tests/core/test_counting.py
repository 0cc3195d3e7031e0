"""Tests, limits and discovery of counting experiments: against closed forms, wherever the POI's bounds are."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

import pyhf_func as pf
from pyhf_func.core.compiler import Start
from pyhf_func.core.inference import toys
from pyhf_func.core.statistics import QTILDE
from pyhf_func.infer.intervals.upper_limits import upper_limit
from tests import zoo
from tests.core.small import Small

S, B = 5.0, 50.0
BOUNDS = [None, [0.0, 1000.0], [-10.0, 1000.0], [-2.0, 1000.0]]
"""Of the POI: q-tilde is the same with all of them."""


@cache
def _model(bounds: tuple[float, float] | None, background: float) -> pf.Model:
    samples = [zoo.sample("s", [S], zoo.normfactor("mu")), zoo.sample("b", [background])]
    parameters = [] if bounds is None else [{"name": "mu", "bounds": [list(bounds)]}]
    return pf.Model({"channels": [zoo.channel("SR", *samples)], "parameters": parameters})


def model(bounds: list[float] | None = None, background: float = B) -> pf.Model:
    return _model(None if bounds is None else tuple(bounds), background)


def twice_nll(mu: float, n: float) -> float:
    rate = mu * S + B
    return 2 * (rate - n * np.log(rate))


def q_tilde(mu: float, n: float) -> float:
    best = max((n - B) / S, 0.0)
    return max(twice_nll(mu, n) - twice_nll(best, n), 0.0) if best <= mu else 0.0


def cls(mu: float, n: float) -> float:
    q, q_asimov = q_tilde(mu, n), q_tilde(mu, B)
    root, root_asimov = np.sqrt(q), np.sqrt(q_asimov)
    if q > q_asimov:
        return norm.sf((q + q_asimov) / (2 * root_asimov)) / norm.sf((q - q_asimov) / (2 * root_asimov))
    return norm.sf(root) / norm.sf(root - root_asimov)


def cls_expected(mu: float, sigma: float) -> float:
    return norm.cdf(sigma - np.sqrt(q_tilde(mu, B))) / norm.cdf(sigma)


def name(status: Any) -> str:
    return pf.Status(int(status)).name


@pytest.mark.slow
@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("n", [30.0, 48.0, 60.0])
def test_the_best_value_of_q_tilde_is_not_negative(bounds: list[float] | None, n: float) -> None:
    mus = [0.5, 1.0, 3.0]
    found = pf.scan(mus, [n], model(bounds), minimiser=Small())
    for i, mu in enumerate(mus):
        one = pf.hypotest(mu, [n], model(bounds), minimiser=Small())
        for result in (
            one,
            jax.tree.map(lambda x, i=i: x[i], found._replace(free_fit=None, asimov_fit=None, free_fit_asimov=None)),
        ):
            np.testing.assert_allclose(result.teststat, q_tilde(mu, n), rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(result.teststat_asimov, q_tilde(mu, B), rtol=1e-9)
            np.testing.assert_allclose(result.cls, cls(mu, n), rtol=1e-9)
            expected = [cls_expected(mu, sigma) for sigma in (-2, -1, 0, 1, 2)]
            np.testing.assert_allclose(result.cls_expected, expected, rtol=1e-9)
    np.testing.assert_allclose(found.free_fit.pars, max((n - B) / S, 0.0), atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("bounds", BOUNDS)
def test_toys_of_q_tilde_are_fitted_without_negative_values(bounds: list[float] | None) -> None:
    space = model(bounds).likelihood.space
    start = Start(space.init, space.lower, space.upper, space.fixed)
    samples = jnp.array([[30.0], [48.0], [60.0], [0.0]])
    found = toys.teststatistics(
        Small(),
        QTILDE,
        jnp.array(1.0),
        samples,
        jnp.ones(4, bool),
        jnp.ones((4, 1)),
        model(bounds).likelihood,
        start,
        jnp.zeros(1),
    )
    expected = [q_tilde(1.0, 30.0), q_tilde(1.0, 48.0), 0.0, 2 * S]
    np.testing.assert_allclose(found.teststat, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("bounds", BOUNDS)
def test_negative_values_cannot_be_tested_with_q_tilde(bounds: list[float] | None) -> None:
    found = jax.vmap(lambda mu: pf.hypotest(mu, jnp.array([48.0]), model(bounds), minimiser=Small()))(
        jnp.array([-1.0, 1.0])
    )
    assert [name(status) for status in found.status] == ["INVALID_ARGUMENT", "CONVERGED"]
    assert np.isnan([found.cls[0], found.clsb[0], found.teststat[0], *found.cls_expected[0]]).all()
    assert np.isfinite([found.cls[1], *found.cls_expected[1]]).all()


@pytest.mark.slow
def test_negative_values_are_refused_by_the_documented_test() -> None:
    with pytest.raises(ValueError, match="with the statistic 'q'"):
        pf.infer.hypotest(-1.0, [48.0], model([-10.0, 1000.0]))


@pytest.mark.slow
@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("n", [40.0, 60.0, 150.0, 800.0])
def test_limits_do_not_depend_on_bounds_that_do_not_matter(bounds: list[float] | None, n: float) -> None:
    """The last two have best values beyond the default bound of 10."""
    found = pf.upper_limit([n], model(bounds))
    best = max((n - B) / S, 0.0)
    assert name(found.status) == "CONVERGED"
    expected = brentq(lambda mu: cls(mu, n) - 0.05, max(best, 0.01), best + 100.0, xtol=1e-10)
    np.testing.assert_allclose(found.observed, expected, rtol=1e-7)
    for sigma, limit in zip((-2, -1, 0, 1, 2), found.expected, strict=True):
        assert cls_expected(float(limit), sigma) == pytest.approx(0.05, rel=1e-7)
    np.testing.assert_allclose(found.free_fit.pars, best, atol=1e-8)


@pytest.mark.parametrize("mu", [5.0, 15.0, 40.0])
def test_the_best_value_goes_beyond_a_bound_that_nobody_set(mu: float) -> None:
    """Whether a scan or one test, and only where larger values are tested: the numbers of others are the same."""
    one = pf.hypotest(mu, [150.0], model(), minimiser=Small())
    many = pf.scan([5.0, mu], [150.0], model(), minimiser=Small())
    for q in (one.teststat, many.teststat[1]):
        np.testing.assert_allclose(q, q_tilde(mu, 150.0), rtol=1e-9, atol=1e-12)
    best = 20.0 if mu > 10.0 else 10.0
    np.testing.assert_allclose([one.free_fit.pars[0], many.free_fit.pars[0]], best, rtol=1e-8)


def test_a_bound_that_was_set_is_kept_and_named() -> None:
    """Beyond it the likelihood is higher still, so that there is no likelihood ratio; what lies below stays."""
    narrow = model([0.0, 10.0])
    found, test = pf.upper_limit([150.0], narrow), pf.hypotest(15.0, [150.0], narrow, minimiser=Small())
    assert (name(found.observed_status), name(test.cls_status)) == ("AT_BOUND", "AT_BOUND")
    assert np.isnan([found.observed, found.cls, test.cls, test.teststat]).all()
    assert {name(status) for status in (*found.expected_status, test.expected_status)} == {"CONVERGED"}
    free = pf.upper_limit([150.0], model())
    np.testing.assert_allclose(found.expected, free.expected, rtol=1e-7)
    assert "raise the bound" in pf.Status.AT_BOUND.sentence
    # A limit beyond the bound of a best value inside it is none the worse.
    inside = pf.upper_limit([99.0], narrow)
    np.testing.assert_allclose(inside.observed, pf.upper_limit([99.0], model()).observed, rtol=1e-8)


@pytest.mark.slow
def test_documented_limits_go_beyond_a_bound_that_nobody_set() -> None:
    observed, expected = upper_limit([150.0], model(), rtol=1e-10)
    found = pf.upper_limit([150.0], model())
    np.testing.assert_allclose([observed, *expected], [found.observed, *found.expected], rtol=1e-7)
    with pytest.raises(ValueError, match="up to 10.0, the upper bound that was set for the parameter of interest 'mu'"):
        upper_limit([150.0], model([0.0, 10.0]))


def test_changed_parameter_sets_set_their_bounds() -> None:
    changed = pf.Model(
        {"channels": [zoo.channel("SR", zoo.sample("s", [S], zoo.normfactor("mu")), zoo.sample("b", [B]))]}
    )
    changed.config.param_set("mu").suggested_bounds = [(0.0, 11.0)]
    assert name(pf.upper_limit([150.0], changed).observed_status) == "AT_BOUND"


@pytest.mark.slow
def test_levels_that_are_none_give_no_limits() -> None:
    """Where the level is traced, the status says so."""
    levels = jnp.array([0.0, 1.0, -0.1, np.nan, 0.05])
    found = jax.vmap(lambda level: pf.upper_limit(jnp.array([48.0]), model(), level=level, minimiser=Small()))(levels)
    wanted = ["INVALID_ARGUMENT"] * 4 + ["CONVERGED"]
    assert [name(status) for status in found.observed_status] == wanted
    assert [name(status) for status in found.status] == wanted
    numbers = np.column_stack([found.observed, found.expected])
    assert np.isnan(numbers[:4]).all()
    assert np.isfinite(numbers[4]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("n", "p0", "z"), [(0.0, 0.5, 0.0), (1.0, 0.0, np.inf), (7.0, 0.0, np.inf)])
def test_events_without_any_background_are_a_discovery(n: float, p0: float, z: float) -> None:
    """The background-only hypothesis excludes them: p0 is 0; and Asimov data with the signal are excluded as well."""
    found = pf.discovery([n], model(background=0.0), minimiser=Small())
    assert (float(found.p0), float(found.z)) == (p0, z)
    assert np.array_equal(found.p0_expected, [0.0] * 5)
    assert np.array_equal(found.z_expected, [np.inf] * 5)
    assert {name(status) for status in (found.status, found.p0_status, found.expected_status)} == {"CONVERGED"}


def test_a_significance_without_data_is_not_a_number() -> None:
    found = jax.jit(lambda data: pf.discovery(data, model(), minimiser=Small()))(jnp.array([np.nan]))
    assert name(found.status) == "NOT_FINITE"
    assert np.isnan([found.p0, found.z, *found.p0_expected, *found.z_expected]).all()


@pytest.mark.slow
@pytest.mark.parametrize("width", [0.3, 0.4, 0.6])
def test_limits_that_an_uncertainty_makes_up_for_are_infinite(width: float) -> None:
    """A signal of uncertain size can be taken for absent, at 1/width standard deviations: more is never excluded."""
    signal = zoo.sample("s", [S], zoo.normfactor("mu"), zoo.staterror("size", [width * S]))
    uncertain = pf.Model({"channels": [zoo.channel("SR", signal, zoo.sample("b", [B]))]})
    found = pf.upper_limit([B, *uncertain.config.auxdata], uncertain)
    sigmas = np.array([-2, -1, 0, 1, 2])
    wanted = sigmas - norm.ppf(0.05 * norm.cdf(sigmas))
    lost = wanted > 1 / width
    assert [name(status) for status in found.expected_status] == ["NO_LIMIT" if x else "CONVERGED" for x in lost]
    assert np.array_equal(np.isinf(found.expected), lost)
    assert not np.isnan(found.expected).any()
    np.testing.assert_allclose(found.observed, found.expected[2], rtol=1e-7)
    for i in np.flatnonzero(~lost):
        at = pf.hypotest(found.expected[i], [B, *uncertain.config.auxdata], uncertain)
        assert float(at.cls_expected[i]) == pytest.approx(0.05, rel=1e-6)
