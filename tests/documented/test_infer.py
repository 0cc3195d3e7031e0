"""Hypothesis tests, fits and test statistics of the documented API, against pyhf and closed forms."""

import logging
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import digamma
from scipy.stats import norm

import pyhf_func as pf
from pyhf_func.exceptions import FailedMinimization, InvalidModel, InvalidTestStatistic, UnspecifiedPOI, Unsupported
from pyhf_func.infer import mle, test_statistics
from pyhf_func.infer.calculators import AsymptoticCalculator, AsymptoticTestStatDistribution
from tests.documented.models import BACKGROUND, SIGNAL, UNCERTAINTY, fixed_rate_spec, flat, start, two_bins

# With exact gradients (its PyTorch backend) and a tolerance of 1e-16, pyhf's SLSQP leaves some 1e-8 in the parameters
# and 1e-11 in CLs. For q0 it stops 1e-6 away whatever the tolerance: compare with MIGRAD's 8e-7.
EXACT, EXACT_Q0 = 1e-10, 2e-6

FLAGS = {"return_tail_probs": True, "return_expected": True, "return_expected_set": True}


@pytest.fixture
def pyhf_exact() -> ModuleType:
    """pyhf at its most exact."""
    pyhf = pytest.importorskip("pyhf", minversion="0.7.6")
    pytest.importorskip("torch")
    logging.getLogger("pyhf").setLevel(logging.ERROR)
    pyhf.set_backend("pytorch", pyhf.optimize.scipy_optimizer(tolerance=1e-16), precision="64b")
    return pyhf


@pytest.fixture(scope="module")
def model() -> Any:
    return two_bins(pf)[0]


@pytest.fixture(scope="module")
def data(model: Any) -> list[float]:
    return two_bins(pf)[1]


@pytest.mark.slow
@pytest.mark.parametrize("test_stat", ["qtilde", "q", "q0"])
def test_hypotest_gives_the_numbers_of_pyhf(
    backend: Any, pyhf_exact: ModuleType, model: Any, data: list[float], test_stat: str
) -> None:
    result = pf.infer.hypotest(0.8, data, model, test_stat=test_stat, **FLAGS)
    theirs, same_data = two_bins(pyhf_exact)
    tensor = pyhf_exact.tensorlib.astensor
    expected = pyhf_exact.infer.hypotest(0.8, tensor(same_data), theirs, test_stat=test_stat, **FLAGS)
    np.testing.assert_allclose(flat(result), flat(expected), rtol=EXACT_Q0 if test_stat == "q0" else EXACT)
    assert [len(part) for part in result if isinstance(part, list)] == [1 if test_stat == "q0" else 2, 5]
    kinds = {type(backend.astensor(0.0))}
    assert {type(result[0]), *map(type, result[1]), type(result[2]), *map(type, result[3])} == kinds
    assert {backend.shape(part) for part in (result[0], *result[1], result[2], *result[3])} == {()}


@pytest.mark.parametrize("optimizer", ["newton", "scipy", "minuit"])
def test_calculators_of_every_optimizer_agree(
    pyhf_exact: ModuleType, model: Any, data: list[float], optimizer: str
) -> None:
    pf.set_backend("numpy", optimizer)
    calculator = AsymptoticCalculator(data, model)
    teststat = calculator.teststatistic(0.8)
    theirs = pyhf_exact.infer.calculators.AsymptoticCalculator(data, two_bins(pyhf_exact)[0])
    # The default stopping criteria of SLSQP and MIGRAD leave some 1e-5 and 1e-4 of q.
    tolerance = {"newton": 1e-10, "scipy": 3e-5, "minuit": 3e-4}[optimizer]
    np.testing.assert_allclose(teststat, theirs.teststatistic(0.8), rtol=0, atol=tolerance)
    both, both_theirs = calculator.distributions(0.8), theirs.distributions(0.8)
    np.testing.assert_allclose(
        flat(calculator.expected_pvalues(*both)), flat(theirs.expected_pvalues(*both_theirs)), rtol=0, atol=tolerance
    )
    for name in ("asimov_pars", "free_fit_to_data", "fixed_poi_fit_to_data", "fixed_poi_fit_to_asimov"):
        found, expected = getattr(calculator.fitted_pars, name), getattr(theirs.fitted_pars, name)
        np.testing.assert_allclose(found, expected, atol=3e-3 if optimizer == "minuit" else 2e-4)


def test_hypotest_returns_the_calculator_last(model: Any, data: list[float]) -> None:
    cls, calculator = pf.infer.hypotest(0.8, data, model, return_calculator=True)
    distributions = calculator.distributions(0.8)
    again = calculator.pvalues(calculator.teststatistic(0.8), *distributions)[2]
    np.testing.assert_allclose(cls, again, rtol=1e-12)
    assert len(pf.infer.hypotest(0.8, data, model, return_calculator=True, **FLAGS)) == 5


def test_the_clipped_base_distribution_is_that_of_pyhf(pyhf_exact: ModuleType, model: Any, data: list[float]) -> None:
    options = {"calc_base_dist": "clipped_normal", "return_expected_set": True}
    ours = pf.infer.hypotest(0.8, data, model, **options)
    theirs = pyhf_exact.infer.hypotest(0.8, data, two_bins(pyhf_exact)[0], **options)
    np.testing.assert_allclose(flat(ours), flat(theirs), rtol=EXACT)
    with pytest.raises(ValueError, match="clipped_normal"):
        pf.infer.hypotest(0.8, data, model, calc_base_dist="triangle")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [list, tuple, np.array, jnp.array])
def test_start_values_may_be_arrays(model: Any, data: list[float], kind: Any) -> None:
    init, bounds, fixed = start(model)
    bounds[model.config.poi_index] = (0.0, 8.0)
    cls = pf.infer.hypotest(0.8, data, model, kind(init), np.array(bounds), np.array(fixed))
    np.testing.assert_allclose(cls, pf.infer.hypotest(0.8, data, model), rtol=1e-12)
    pars = mle.fit(data, model, kind(init), kind(bounds), kind(fixed))
    np.testing.assert_allclose(pars, mle.fit(data, model), rtol=1e-12)


def test_fits_give_the_numbers_of_pyhf(backend: Any, pyhf_exact: ModuleType, model: Any, data: list[float]) -> None:
    theirs = two_bins(pyhf_exact)[0]
    for found, expected in (
        (mle.fit(data, model, return_fitted_val=True), pyhf_exact.infer.mle.fit(data, theirs, return_fitted_val=True)),
        (
            mle.fixed_poi_fit(1.3, data, model, return_fitted_val=True),
            pyhf_exact.infer.mle.fixed_poi_fit(1.3, data, theirs, return_fitted_val=True),
        ),
    ):
        np.testing.assert_allclose(flat(found[0]), flat(expected[0]), atol=1e-7)
        np.testing.assert_allclose(flat(found[1]), flat(expected[1]), rtol=1e-10)
        assert backend.shape(found[1]) == ()
        # Where the fit ended, the likelihood is what pyhf computes there.
        at_ours = pyhf_exact.infer.mle.twice_nll(flat(found[0]), data, theirs)
        np.testing.assert_allclose(flat(found[1]), at_ours, rtol=1e-10)
        np.testing.assert_allclose(flat(mle.twice_nll(found[0], data, model)), at_ours, rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qmu", "qmu_tilde", "tmu", "tmu_tilde", "q0"])
def test_statistics_are_those_of_pyhf(pyhf_exact: ModuleType, name: str) -> None:
    ours, theirs = pf.Model(fixed_rate_spec()), pyhf_exact.Model(fixed_rate_spec())
    data = [80.0, 52.0, 0.3, -0.2, 0.1]
    init, bounds, fixed = start(ours)
    bounds = [tuple(bound) for bound in bounds]
    bounds[ours.config.poi_index] = (-5.0 if name in ("qmu", "tmu") else 0.0, 10.0)
    mu = 0.0 if name == "q0" else 2.5
    value, fits = getattr(test_statistics, name)(mu, data, ours, init, bounds, fixed, return_fitted_pars=True)
    expected, expected_fits = getattr(pyhf_exact.infer.test_statistics, name)(
        mu, data, theirs, init, bounds, fixed, return_fitted_pars=True
    )
    np.testing.assert_allclose(value, expected, rtol=EXACT)
    np.testing.assert_allclose(flat(fits), flat(expected_fits), atol=1e-5)
    assert np.shape(value) == ()


@pytest.mark.parametrize(
    ("name", "lower", "advice"),
    [
        ("qmu", 0.0, "qmu_tilde"),
        ("qmu_tilde", -1.0, "qmu test"),
        ("tmu", 0.0, "tmu_tilde"),
        ("tmu_tilde", -1.0, "tmu test"),
        ("q0", 0.0, "POI set to zero"),
    ],
)
def test_advice_is_logged_where_bounds_do_not_suit(
    model: Any, data: list[float], caplog: pytest.LogCaptureFixture, name: str, lower: float, advice: str
) -> None:
    init, bounds, fixed = start(model)
    bounds[model.config.poi_index] = (lower, 10.0)
    getattr(test_statistics, name)(1.0, data, model, init, bounds, fixed)
    assert advice in caplog.text


def test_parameters_that_the_model_fixes_stay_fixed() -> None:
    model = pf.Model(fixed_rate_spec())
    held = model.config.par_names.index("held")
    data = [80.0, 52.0, 0.3, -0.2, 0.1]
    assert mle.fit(data, model)[held] == 0.5
    assert mle.fixed_poi_fit(1.0, data, model)[held] == 0.5
    init, _, fixed = start(model)
    free = mle.fit(data, model, fixed_params=[False] * len(fixed))
    assert abs(free[held] - 0.5) > 1e-3
    moved = [0.25 if index == held else value for index, value in enumerate(init)]
    assert mle.fit(data, model, init_pars=moved)[held] == 0.25


def test_a_parameter_fixed_by_hand_stays_fixed(data: list[float]) -> None:
    model = two_bins(pf)[0]
    model.config.param_set("uncorr_bkguncrt").suggested_fixed = [True, False]
    pars = mle.fit(data, model)
    assert pars[1] == 1.0
    assert pars[2] != 1.0
    model.config.param_set("mu").suggested_fixed = [True]
    with pytest.raises(InvalidModel, match="fixed"):
        pf.infer.hypotest(1.0, data, model)


def test_what_is_suggested_may_change_between_tests(data: list[float]) -> None:
    model = two_bins(pf)[0]
    before = float(pf.infer.hypotest(1.0, data, model))
    assert float(pf.infer.hypotest(1.0, data, model)) == before
    rates = model.config.param_set("uncorr_bkguncrt")
    rates.suggested_bounds[1] = (1.2, 10.0)
    with pytest.raises(ValueError, match="parameter 2"):
        pf.infer.hypotest(1.0, data, model)
    rates.suggested_init[1] = 1.3
    bounds = model.config.suggested_bounds()
    expected = pf.infer.hypotest(1.0, data, model, model.config.suggested_init(), np.array(bounds, dtype=float))
    assert float(pf.infer.hypotest(1.0, data, model)) == float(expected) != before
    model.config.param_set("mu").suggested_bounds[0] = (0.0, 0.9)
    with pytest.raises(ValueError, match="parameter 0"):
        pf.infer.hypotest(1.0, data, model)


def test_single_precision(backend: Any, model: Any, data: list[float]) -> None:
    name = backend.name
    pf.set_backend("numpy")
    expected = pf.infer.hypotest(0.8, data, model, **FLAGS)
    with pf.set_backend(name, precision="32b"):
        found = pf.infer.hypotest(0.8, data, model, **FLAGS)
        assert {"float32" in str(part.dtype) for part in (found[0], *found[1], found[2], *found[3])} == {True}
        np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-6)


def test_another_parameter_of_interest(data: list[float], pyhf_exact: ModuleType) -> None:
    spec = fixed_rate_spec()
    ours, theirs = pf.Model(spec), pyhf_exact.Model(spec)
    data = [80.0, 52.0, 0.3, -0.2, 0.1]
    for model in (ours, theirs):
        model.config.set_poi("rate")
    found, expected = (
        library.infer.mle.fixed_poi_fit(0.7, data, m) for library, m in ((pf, ours), (pyhf_exact, theirs))
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)
    found, expected = (
        library.infer.test_statistics.qmu(1.5, data, m, *start(m)) for library, m in ((pf, ours), (pyhf_exact, theirs))
    )
    np.testing.assert_allclose(flat(found), flat(expected), rtol=EXACT)


def test_what_is_refused(model: Any, data: list[float]) -> None:
    spec = fixed_rate_spec()
    without = pf.Model(spec, poi_name=None)
    others = [80.0, 52.0, 0.3, -0.2, 0.1]
    for call in (
        lambda: pf.infer.hypotest(1.0, others, without),
        lambda: mle.fixed_poi_fit(1.0, others, without),
        lambda: test_statistics.qmu(1.0, others, without, *start(without)),
    ):
        with pytest.raises(UnspecifiedPOI, match="POI"):
            call()
    for value in (-0.5, 10.5):
        with pytest.raises(ValueError, match="outside of its bounds"):
            pf.infer.hypotest(value, data, model)
    with pytest.raises(ValueError, match="parameter 1 at 20.0, outside"):
        mle.fit(data, model, init_pars=[1.0, 20.0, 1.0])
    with pytest.raises(InvalidTestStatistic, match="'qtilde'"):
        pf.infer.hypotest(1.0, data, model, test_stat="t")
    with pytest.raises(KeyError, match="bayesian"):
        pf.infer.hypotest(1.0, data, model, calctype="bayesian")
    with pytest.raises(RuntimeError, match="teststatistic"):
        AsymptoticCalculator(data, model).distributions(1.0)
    with pytest.raises(pf.exceptions.InvalidPdfData):
        mle.fit(data[:-1], model)


@pytest.mark.slow
def test_a_failed_fit_says_why(model: Any, data: list[float]) -> None:
    impossible = model.with_yields("singlechannel", "signal", [np.nan, 11.0])
    with pytest.raises(FailedMinimization, match="not finite") as caught:
        mle.fit(data, impossible)
    assert caught.value.result.success is False
    with pytest.raises(FailedMinimization, match=r"The fit of all parameters to the data failed.*not finite"):
        pf.infer.hypotest(0.8, data, impossible)
    # Cut short, a fit fails, unless what is left is within the tolerance.
    pf.set_backend("numpy", pf.optimize.newton_optimizer(maxiter=2))
    with pytest.raises(FailedMinimization, match="iteration limit"):
        mle.fit(data, model)
    pf.set_backend("numpy", pf.optimize.newton_optimizer(maxiter=2, tolerance=100.0))
    assert np.isfinite(mle.fit(data, model)).all()


def test_jax_arrays_give_jax_arrays_in_any_backend(backend: Any, model: Any, data: list[float]) -> None:
    traced = jnp.array(data)
    cls, band = pf.infer.hypotest(0.8, traced, model, return_expected_set=True)
    pars, value = mle.fit(traced, model, return_fitted_val=True)
    assert all(isinstance(x, jax.Array) for x in (cls, *band, pars, value))
    assert isinstance(pf.infer.hypotest(jnp.array(0.8), data, model), jax.Array)


@pytest.mark.slow
def test_fits_can_be_differentiated_in_every_framework(backend: Any, model: Any, data: list[float]) -> None:
    """With the POI fixed: by the envelope theorem, the explicit derivative of -2 log L at the fitted parameters."""

    def value(observed: Any) -> Any:
        return mle.fixed_poi_fit(0.8, observed, model, return_fitted_val=True)[1]

    found = gradient(backend, value, data)
    if found is not None:
        pars = flat(mle.fixed_poi_fit(0.8, data, model))
        rates = flat(model.expected_data(pars))
        np.testing.assert_allclose(found, 2 * (digamma(np.array(data) + 1) - np.log(rates)), rtol=1e-10)


@pytest.mark.slow
def test_cls_can_be_differentiated(backend: Any, model: Any, data: list[float]) -> None:
    def cls(observed: Any) -> Any:
        return pf.infer.hypotest(0.8, observed, model)

    found = gradient(backend, cls, data)
    if found is not None:
        np.testing.assert_allclose(found, jax.grad(cls)(jnp.array(data)), rtol=1e-10, atol=1e-15)
        h = 1e-3
        up, down = (float(flat(cls([data[0] + step, *data[1:]]))[0]) for step in (h, -h))
        np.testing.assert_allclose(found[0], (up - down) / (2 * h), rtol=1e-6)


@pytest.mark.slow
def test_cls_can_be_compiled_and_mapped(model: Any, data: list[float]) -> None:
    def cls(mu: Any) -> Any:
        return pf.infer.hypotest(mu, data, model)

    np.testing.assert_allclose(jax.jit(cls)(0.8), cls(0.8), rtol=1e-12)
    np.testing.assert_allclose(jax.vmap(cls)(jnp.array([0.5, 0.8]))[1], cls(0.8), rtol=1e-9)


def gradient(backend: Any, function: Any, at: list[float]) -> np.ndarray | None:
    """The gradient on the tape of the backend's framework; None where it has none."""
    x = backend.astensor(at)
    if backend.name == "jax":
        return np.asarray(jax.grad(function)(x))
    if backend.name == "pytorch":
        x.requires_grad_(True)
        function(x).backward()
        return x.grad.numpy()
    if backend.name == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x).numpy()
    if backend.name == "mxnet":
        import mxnet as mx

        x.attach_grad()
        with mx.autograd.record():
            y = function(x)
        y.backward()
        return x.grad.asnumpy()
    return None


class TestAsymptoticTestStatDistribution:
    def test_is_normal(self, backend: Any) -> None:
        distribution = AsymptoticTestStatDistribution(-1.5)
        values = backend.astensor([-2.0, 0.0, 1.0])
        np.testing.assert_allclose(flat(distribution.cdf(values)), norm.cdf([-0.5, 1.5, 2.5]), rtol=1e-12)
        np.testing.assert_allclose(flat(distribution.pvalue(values)), norm.sf([-0.5, 1.5, 2.5]), rtol=1e-12)
        assert float(flat(distribution.expected_value(2))[0]) == 0.5

    def test_small_pvalues_keep_their_digits(self, backend: Any) -> None:
        pvalue = AsymptoticTestStatDistribution(0.0).pvalue(backend.astensor(9.0))
        np.testing.assert_allclose(flat(pvalue), norm.sf(9.0), rtol=1e-10)

    def test_nothing_is_below_the_cutoff(self, backend: Any) -> None:
        distribution = AsymptoticTestStatDistribution(0.0, backend.astensor(-1.0))
        assert np.isnan(flat(distribution.pvalue(backend.astensor(-1.1)))).all()
        assert float(flat(distribution.expected_value(-2))[0]) == -1.0


def test_models_of_other_libraries_are_tested_step_by_step(model: Any, data: list[float]) -> None:
    """Any object with a config and a likelihood will do, and CLs is that of our own model."""

    class Alike:
        config = model.config

        def expected_data(self, pars: Any) -> Any:
            tensorlib, _ = pf.get_backend()
            rates = pars[0] * np.array(SIGNAL) + pars[1:] * np.array(BACKGROUND)
            return tensorlib.concatenate([rates, pars[1:] * (np.array(BACKGROUND) / UNCERTAINTY) ** 2])

        def logpdf(self, pars: Any, data: Any) -> Any:
            tensorlib, _ = pf.get_backend()
            terms = tensorlib.poisson_logpdf(tensorlib.astensor(data), self.expected_data(pars))
            return tensorlib.reshape(tensorlib.sum(terms), (1,))

    found = pf.infer.hypotest(0.8, data, Alike(), return_tail_probs=True, return_expected_set=True)
    expected = pf.infer.hypotest(0.8, data, model, return_tail_probs=True, return_expected_set=True)
    np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-3)  # SLSQP's default criterion
    with pytest.raises(Unsupported, match="minuit"):
        mle.fit(data, Alike(), return_uncertainties=True)
