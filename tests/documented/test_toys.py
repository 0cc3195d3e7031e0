"""Toys: the distributions of test statistics from samples."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, poisson

import pyhf_func as pf
from pyhf_func.infer.calculators import EmpiricalDistribution, ToyCalculator
from tests.documented.models import flat, start, two_bins


def counting() -> Any:
    """One bin without uncertainties: signal 4 over background 6."""
    signal = {"name": "signal", "data": [4.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}
    background = {"name": "background", "data": [6.0], "modifiers": []}
    return pf.Model({"channels": [{"name": "SR", "samples": [signal, background]}]})


@pytest.mark.slow
def test_pvalues_of_a_counting_experiment_are_poisson_sums() -> None:
    """A larger q means fewer events: CLs+b and CLb are the probabilities of at most as many as observed."""
    model, ntoys, observed = counting(), 5000, 5
    np.random.seed(3)  # noqa: NPY002  (the NumPy backend draws with NumPy's global generator)
    calculator = ToyCalculator([float(observed)], model, ntoys=ntoys, track_progress=False)
    both = calculator.distributions(1.0)
    clsb, clb, cls = (float(p) for p in calculator.pvalues(calculator.teststatistic(1.0), *both))
    for found, mean in ((clsb, 10.0), (clb, 6.0)):
        exact = poisson.cdf(observed, mean)
        assert abs(found - exact) < 4 * np.sqrt(exact * (1 - exact) / ntoys)
    assert cls == pytest.approx(clsb / clb)
    # The median of CLs over background-only toys: that of the median number of events.
    band = calculator.expected_pvalues(*both)
    median = poisson.cdf(6, 10.0)
    assert abs(float(band[0][2]) - median) < 4 * np.sqrt(median * (1 - median) / ntoys)


@pytest.mark.slow
@pytest.mark.parametrize("test_stat", ["qtilde", "q0"])
def test_toys_are_those_of_pyhf(pyhf_numpy: ModuleType, test_stat: str) -> None:
    """The same seed draws the same toys, and each has the same test statistic."""
    found = []
    for library in (pf, pyhf_numpy):
        model, data = two_bins(library)
        np.random.seed(0)  # noqa: NPY002
        calculator = library.infer.calculators.ToyCalculator(
            data, model, ntoys=40, test_stat=test_stat, track_progress=False
        )
        found.append([flat(distribution.samples) for distribution in calculator.distributions(0.7)])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-7, atol=1e-9)


@pytest.mark.slow
def test_hypotest_with_toys(backend: Any) -> None:
    model, data = two_bins(pf)
    result = pf.infer.hypotest(
        1.0,
        data,
        model,
        calctype="toybased",
        ntoys=40,
        track_progress=False,
        return_tail_probs=True,
        return_expected=True,
        return_expected_set=True,
        return_calculator=True,
    )
    cls, tails, median, band, calculator = result
    kind = type(backend.astensor(0.0))
    assert all(isinstance(x, kind) for x in (cls, *tails, median, *band))
    assert 0 <= float(flat(cls)[0]) <= 1
    np.testing.assert_allclose(flat(median), flat(band[2]))
    assert isinstance(calculator, ToyCalculator)


@pytest.mark.slow
def test_batches_do_not_change_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = []
    for size in (100, 10):
        monkeypatch.setattr("pyhf_func.infer.toys._BATCH", size)
        np.random.seed(1)  # noqa: NPY002
        model, data = two_bins(pf)
        calculator = ToyCalculator(data, model, ntoys=35, track_progress=False)
        samples.append([flat(distribution.samples) for distribution in calculator.distributions(0.7)])
    np.testing.assert_allclose(samples[0], samples[1], rtol=1e-9, atol=1e-12)


def test_optimizers_on_the_host_fit_toys_one_by_one() -> None:
    model, data = two_bins(pf)
    values = []
    for optimizer in (None, "scipy"):
        pf.set_backend("numpy", optimizer)
        np.random.seed(2)  # noqa: NPY002
        calculator = ToyCalculator(data, model, ntoys=5, track_progress=False)
        values.append([flat(distribution.samples) for distribution in calculator.distributions(0.7)])
    np.testing.assert_allclose(values[0], values[1], atol=1e-4)  # SLSQP's default criterion


def test_the_progress_bar_can_be_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    model, data = two_bins(pf)
    calculator = ToyCalculator(data, model, ntoys=40)
    calculator.distributions(1.0)
    assert "Signal-like" in capsys.readouterr().err
    calculator.distributions(1.0, track_progress=False)
    assert capsys.readouterr().err == ""


class TestEmpiricalDistribution:
    def test_pvalues_count_samples(self, backend: Any) -> None:
        distribution = EmpiricalDistribution(backend.astensor([[3.0, 1.0], [4.0, 1.0]]))
        assert backend.shape(distribution.samples) == (4,)
        for value, fraction in ((0.0, 1.0), (1.0, 1.0), (1.5, 0.5), (4.0, 0.25), (4.5, 0.0)):
            assert float(flat(distribution.pvalue(value))[0]) == fraction

    def test_quantiles_interpolate(self, backend: Any) -> None:
        values = np.array([0.0, 1.0, 2.0, 5.0, 9.0])
        distribution = EmpiricalDistribution(backend.astensor(values))
        for nsigma in (-2.0, 0.0, 1.0):
            expected = np.quantile(values, norm.cdf(nsigma))
            assert float(flat(distribution.expected_value(nsigma))[0]) == pytest.approx(expected, rel=1e-12)


def test_start_values_are_used() -> None:
    model, data = two_bins(pf)
    init, bounds, fixed = start(model)
    with pytest.raises(ValueError, match="outside of its bounds"):
        ToyCalculator(data, model, init, bounds, fixed, ntoys=2, track_progress=False).distributions(11.0)
