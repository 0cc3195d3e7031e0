"""Scans, limits and discovery: against pyhf, closed forms and hypothesis tests, and by their derivatives."""

from functools import cache
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core.inference.upper_limit import expected_significances
from tests.parity import cases

DATA = [51.0, 48.0]


@cache
def model(signal: float = 12.0) -> Any:
    return pf.simplemodels.uncorrelated_background([signal, signal - 1], [50.0, 52.0], [3.0, 7.0])


def observed(main: list[float] | None = None) -> jax.Array:
    return jnp.array([*(main or DATA), *model().config.auxdata])


@cache
def limit(level: float = 0.05, test_stat: str = "qtilde") -> pf.LimitResult:
    return pf.upper_limit(observed(), model(), level=level, test_stat=test_stat)


@pytest.mark.slow
@pytest.mark.parametrize("test_stat", ["q", "qtilde"])
@pytest.mark.parametrize("level", [0.3, 0.05, 0.001])
def test_cls_at_the_limit_is_the_level(level: float, test_stat: str) -> None:
    found = limit(level, test_stat)
    assert found.status == pf.Status.CONVERGED
    at = pf.hypotest(found.observed, observed(), model(), test_stat=test_stat)
    assert float(at.cls) == pytest.approx(level, rel=1e-7)
    for k, mu in enumerate(found.expected):
        expected = pf.hypotest(mu, observed(), model(), test_stat=test_stat).cls_expected[k]
        assert float(expected) == pytest.approx(level, rel=1e-7)
    np.testing.assert_allclose([float(found.cls), *found.cls_expected], level, rtol=1e-7)
    assert np.all(np.diff(found.expected) > 0)


@pytest.mark.filterwarnings("ignore:level is")
@pytest.mark.parametrize("level", [0.6, 0.8, 0.99])
def test_limit_below_the_best_value(level: float) -> None:
    """At the best value CLs is a half or a little more: a higher level is met below it."""
    found = pf.upper_limit(observed([68.0, 60.0]), model(), level=level)
    assert found.status == pf.Status.CONVERGED
    assert found.observed < found.free_fit.pars[model().config.poi_index]
    np.testing.assert_allclose([float(found.cls), *found.cls_expected], level, rtol=1e-7)


@pytest.mark.slow
def test_equals_pyhf(pyhf_numpy: ModuleType) -> None:
    """From 0.1: at 0 rounding decides whether pyhf takes the square root of a negative number."""
    theirs = pyhf_numpy.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
    data = DATA + theirs.config.auxdata
    expected = pyhf_numpy.infer.intervals.upper_limits.toms748_scan(data, theirs, 0.1, 10.0, rtol=1e-10)
    assert float(limit().observed) == pytest.approx(float(expected[0]), rel=1e-5)
    np.testing.assert_allclose(limit().expected, expected[1], rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-4, 1e-2, 1e2, 1e4])
def test_scales_with_the_signal(scale: float) -> None:
    """The bracket is found by itself, also far beyond the bound of the POI (10) and far below its start."""
    y = jnp.array([12.0, 11.0])
    scaled = model().with_yields("singlechannel", "signal", scale * y)
    # An excess would be fitted by a POI that its bound limits: take background-like data.
    found = pf.upper_limit(observed([50.0, 52.0]), scaled)
    reference = pf.upper_limit(observed([50.0, 52.0]), model())
    assert found.status == pf.Status.CONVERGED
    np.testing.assert_allclose(scale * found.expected, reference.expected, rtol=1e-6)
    assert scale * float(found.observed) == pytest.approx(float(reference.observed), rel=1e-6)


def test_no_signal_has_no_limit() -> None:
    found = pf.upper_limit(observed(), model().with_yields("singlechannel", "signal", [0.0, 0.0]))
    assert found.status == pf.Status.NO_LIMIT
    assert np.all(np.isinf(found.expected))
    assert "sensitive" in pf.Status(int(found.status)).sentence


def test_no_limit_for_data_without_a_likelihood() -> None:
    with pytest.raises(pf.exceptions.InvalidPdfData, match="bin 0 is nan"):
        pf.upper_limit(observed([np.nan, 48.0]), model())
    found = jax.jit(pf.upper_limit)(observed([np.nan, 48.0]), model())
    assert found.status == pf.Status.NOT_FINITE
    assert np.all(np.isnan([found.observed, found.cls, *found.expected, *found.cls_expected]))


def test_expected_significances_by_hand() -> None:
    """For the median, CLs = 2 Phi(-s): s = Phi^-1(1 - level / 2)."""
    assert float(expected_significances(jnp.array(0.05))[2]) == pytest.approx(1.959963984540054, rel=1e-12)


@pytest.mark.slow
def test_many_data_sets_at_once() -> None:
    rows = jnp.stack([observed(), observed([60.0, 45.0]), observed([80.0, 75.0])])
    batch = jax.jit(jax.vmap(lambda data: pf.upper_limit(data, model())))(rows)
    for row, mu in zip(rows, batch.observed, strict=True):
        assert float(mu) == pytest.approx(float(pf.upper_limit(row, model()).observed), rel=1e-9)
    assert batch.expected.shape == (3, 5)


@pytest.mark.slow
def test_derivatives() -> None:
    """With respect to signal, data and level: against finite differences, forward equal to reverse."""

    def limits(signal: jax.Array, data: jax.Array, level: jax.Array) -> jax.Array:
        found = pf.upper_limit(data, model().with_yields("singlechannel", "signal", signal), level=level)
        return jnp.append(found.expected, found.observed)

    at = jnp.array([12.0, 11.0]), observed(), jnp.array(0.05)
    plain = jax.jit(limits)
    forward = jax.jit(jax.jacfwd(limits, (0, 1, 2)))(*at)
    reverse = jax.jit(jax.jacrev(limits, (0, 1, 2)))(*at)
    for number in range(3):
        flat = at[number].ravel()
        for k in range(flat.size):
            step = 1e-4 * flat[k]
            sides = []
            for sign in (1, -1):
                moved = flat.at[k].add(sign * step).reshape(at[number].shape)
                sides.append(plain(*at[:number], moved, *at[number + 1 :]))
            numerical = (sides[0] - sides[1]) / (2 * step)
            np.testing.assert_allclose(forward[number].reshape(6, -1)[:, k], numerical, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(forward[number], reverse[number], rtol=1e-8, atol=1e-10)


@pytest.mark.slow
def test_scan_is_one_test_after_the_other() -> None:
    mus = [0.0, 0.3, 1.0, 0.7, 2.5]
    found = pf.scan(mus, observed(), model())
    assert found.cls_expected.shape == (5, 5)
    assert found.free_fit.pars.shape == (3,)
    assert found.conditional_fit.pars.shape == (5, 3)
    for k, mu in enumerate(mus):
        one = pf.hypotest(mu, observed(), model())
        for name in ("cls", "clsb", "clb", "teststat", "teststat_asimov", "cls_expected"):
            np.testing.assert_allclose(getattr(found, name)[k], getattr(one, name), rtol=1e-7, atol=1e-9)


@pytest.mark.slow
def test_discovery_equals_pyhf(pyhf_numpy: ModuleType) -> None:
    theirs = pyhf_numpy.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
    data = [68.0, 60.0, *theirs.config.auxdata]
    found = pf.discovery(data, model())
    p0, expected = pyhf_numpy.infer.hypotest(0.0, data, theirs, test_stat="q0", return_expected_set=True)
    assert float(found.p0) == pytest.approx(float(p0), rel=1e-4)
    np.testing.assert_allclose(found.p0_expected, expected, rtol=1e-3)
    from scipy.stats import norm

    np.testing.assert_allclose(norm.sf(found.z), found.p0, rtol=1e-10)
    np.testing.assert_allclose(norm.sf(found.z_expected), found.p0_expected, rtol=1e-10)


@pytest.mark.slow
def test_profile_of_a_counting_experiment() -> None:
    """-2 log of the ratio is 2 (lambda - n - n log(lambda / n))."""
    spec = {"channels": [{"name": "SR", "samples": [cases_signal()]}]}
    counting = pf.Model(spec)
    mus = np.linspace(0.5, 2.0, 16)
    found = pf.profile({"mu": mus}, [100.0], counting)
    rate = 100 * mus
    np.testing.assert_allclose(found.ratio, 2 * (rate - 100 - 100 * np.log(rate / 100)), rtol=1e-9, atol=1e-9)


def cases_signal() -> dict[str, Any]:
    return {"name": "s", "data": [100.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}


@pytest.mark.slow
def test_profile_on_a_plane() -> None:
    """Every point is the fit with both parameters fixed, also for a component of a parameter."""
    name = "uncorr_bkguncrt[1]"
    axes = {"mu": [0.0, 0.5, 1.0], name: [0.9, 1.1]}
    found = pf.profile(axes, observed(), model())
    assert found.ratio.shape == (3, 2)
    place = model().config.par_names.index(name)
    for i, mu in enumerate(axes["mu"]):
        for j, gamma in enumerate(axes[name]):
            init = np.array(model().config.suggested_init())
            init[[model().config.poi_index, place]] = mu, gamma
            fixed = np.zeros(3, bool)
            fixed[[model().config.poi_index, place]] = True
            one = pf.fit(observed(), model(), init=init, fixed=fixed)
            assert float(found.conditional_fit.twice_nll[i, j]) == pytest.approx(float(one.twice_nll), rel=1e-10)


def test_profile_refuses_no_values() -> None:
    with pytest.raises(pf.exceptions.InvalidPdfParameters, match="n at least 1.*'mu': \\(0,\\)"):
        pf.profile({"mu": []}, observed(), model())


def test_profile_refuses_unknown_names() -> None:
    with pytest.raises(pf.exceptions.InvalidPdfParameters, match="no parameter 'nu'"):
        pf.profile({"nu": [1.0]}, observed(), model())


@pytest.mark.slow
def test_covariance_of_independent_bins() -> None:
    """One Gaussian-constrained background of known width: the Fisher information by hand, and a finite difference."""
    animal = "everything"
    zoo_model, data = cases.ours(animal), jnp.array(cases.observed(animal))
    found = pf.covariance(data, zoo_model)
    free = np.flatnonzero(~np.array(found.fit.at_bound) & ~np.array(zoo_model.likelihood.space.fixed))
    pars = found.fit.pars
    plain = jax.jit(jax.hessian(lambda p: -zoo_model.logpdf(p, data)))(pars)
    expected = np.linalg.inv(np.array(plain)[np.ix_(free, free)])
    np.testing.assert_allclose(np.array(found.covariance)[np.ix_(free, free)], expected, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(found.errors[free], np.sqrt(np.diagonal(expected)), rtol=1e-7)
    rest = np.setdiff1d(np.arange(len(pars)), free)
    assert np.all(np.array(found.covariance)[rest] == 0.0)
    assert np.all(np.diagonal(found.correlation) == 1.0)
    assert np.max(np.abs(found.correlation)) <= 1 + 1e-12
