"""Calculators: the test statistic, its distributions under the hypotheses, and p-values."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tqdm

from pyhf_func._lookup import shown
from pyhf_func.pyhf.infer import engine, toys
from pyhf_func.pyhf.infer.arguments import check_problem
from pyhf_func.pyhf.infer.mle import fixed_poi_fit, one_value, start_of
from pyhf_func.pyhf.infer.test_statistics import advise, function_of, statistic_of, tested_value
from pyhf_func.pyhf.optimize.arrays import to_numpy
from pyhf_func.pyhf.tensor.dispatch import backend_for
from pyhf_func.verbs._arguments import count

log = logging.getLogger("pyhf_func.infer.calculators")  # programs written for pyhf set its level

__all__ = [
    "AsymptoticCalculator",
    "AsymptoticTestStatDistribution",
    "EmpiricalDistribution",
    "ToyCalculator",
    "generate_asimov_data",
]

_PERCENTILES = [2.27501319, 15.86552539, 50.0, 84.13447461, 97.72498681]
"""Of the Normal distribution at -2, -1, 0, 1, 2 standard deviations."""


def __dir__() -> list[str]:
    return __all__


def generate_asimov_data(
    asimov_mu: Any,
    data: Any,
    pdf: Any,
    init_pars: Any,
    par_bounds: Any,
    fixed_params: Any,
    return_fitted_pars: bool = False,
) -> Any:
    """Asimov data: what is expected for a value of the POI, with the other parameters fitted to the data.

    Args:
        asimov_mu: The value of the POI.
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        pdf: The model.
        init_pars: Start values; shape (npars,). None for the model's suggestion.
        par_bounds: (lower, upper) of each parameter; shape (npars, 2); likewise.
        fixed_params: Flags of the parameters that stay at their start values; shape (npars,); likewise.
        return_fitted_pars: Also return the fitted parameters.

    Returns:
        The Asimov data, shape (nmaindata + nauxdata,); with ``return_fitted_pars`` a pair of them and the parameters.

    Raises:
        UnspecifiedPOI: The model has no parameter of interest.
        FailedMinimization: The fit did not converge.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> pyhf.infer.calculators.generate_asimov_data(1.0, data, model, None, None, None).round(4)
        array([ 60.6123,  56.5279, 270.0685,  48.3153])
    """
    pars = fixed_poi_fit(asimov_mu, data, pdf, init_pars, par_bounds, fixed_params)
    asimov_data = pdf.expected_data(pars)
    return (asimov_data, pars) if return_fitted_pars else asimov_data


class AsymptoticTestStatDistribution:
    r"""A test statistic's asymptotic distribution: Normal with unit width around a shift.

    The variable is :math:`-\hat\mu / \sigma`.

    Attributes:
        shift: The mean.
        cutoff: No value below it exists.
    """

    def __init__(self, shift: Any, cutoff: Any = float("-inf")) -> None:
        self.shift = shift
        self.cutoff = cutoff

    def cdf(self, value: Any) -> Any:
        """Probability of a value at most as large.

        Example:
            >>> import pyhf_func as pyhf
            >>> float(pyhf.infer.calculators.AsymptoticTestStatDistribution(0.0).cdf(0.0))
            0.5
        """
        return backend_for(value, self.shift).normal_cdf(value - self.shift)

    def pvalue(self, value: Any) -> Any:
        """Probability of a value at least as large: Equations (57) and (59); NaN below the cutoff.

        Example:
            >>> import pyhf_func as pyhf
            >>> float(pyhf.infer.calculators.AsymptoticTestStatDistribution(0.0).pvalue(2.0).round(8))
            0.02275013
        """
        tensorlib = backend_for(value, self.shift, self.cutoff)
        # The left tail of the mirror image keeps its digits.
        pvalue = tensorlib.astensor(tensorlib.normal_cdf(-(value - self.shift)))
        missing = tensorlib.ones(tensorlib.shape(pvalue)) * float("nan")
        return tensorlib.where(tensorlib.astensor(value >= self.cutoff, dtype="bool"), pvalue, missing)

    def expected_value(self, nsigma: Any) -> Any:
        """The value that lies a number of standard deviations above the mean, at least the cutoff.

        Example:
            >>> import pyhf_func as pyhf
            >>> float(pyhf.infer.calculators.AsymptoticTestStatDistribution(-1.5).expected_value(2))
            0.5
        """
        tensorlib = backend_for(nsigma, self.shift, self.cutoff)
        value = tensorlib.astensor(self.shift + nsigma)
        above = tensorlib.astensor(value > self.cutoff, dtype="bool")
        return tensorlib.where(above, value, tensorlib.astensor(self.cutoff))


@dataclass(frozen=True)
class HypoTestFitResults:
    """The parameters of the five fits of `AsymptoticCalculator.teststatistic`; shape (npars,) each."""

    asimov_pars: Any
    free_fit_to_data: Any
    free_fit_to_asimov: Any
    fixed_poi_fit_to_data: Any
    fixed_poi_fit_to_asimov: Any


class _Calculator:
    """A test of data and model, with p-values from distributions."""

    def __init__(
        self,
        data: Any,
        pdf: Any,
        init_pars: Any,
        par_bounds: Any,
        fixed_params: Any,
        test_stat: str,
        qtilde: bool | None,
    ) -> None:
        check_problem(data, pdf)
        self.data = data
        self.pdf = pdf
        self.init_pars, self.par_bounds, self.fixed_params = start_of(pdf, init_pars, par_bounds, fixed_params)
        self.test_stat = statistic_of(test_stat, qtilde).name

    @property
    def _start(self) -> engine.Start:
        return self.init_pars, self.par_bounds, self.fixed_params

    def pvalues(self, teststat: Any, sig_plus_bkg_distribution: Any, bkg_only_distribution: Any) -> tuple[Any, ...]:
        """CLs+b, CLb and CLs for a value of the test statistic.

        Args:
            teststat: The value, on the scale of the distributions.
            sig_plus_bkg_distribution: Distribution for signal plus background.
            bkg_only_distribution: Distribution for background only.
        """
        clsb = sig_plus_bkg_distribution.pvalue(teststat)
        clb = bkg_only_distribution.pvalue(teststat)
        tensorlib = backend_for(clsb)
        with np.errstate(divide="ignore", invalid="ignore"):
            return clsb, clb, tensorlib.astensor(clsb / clb)


class AsymptoticCalculator(_Calculator):
    """Hypothesis tests with asymptotic formulae (arXiv:1007.1727).

    Attributes:
        fitted_pars: The parameters of the five fits of the last test, a `HypoTestFitResults`; None before.
        sqrtqmuA_v: Square root of the test statistic for the Asimov data in the last test; None before.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> calculator = pyhf.infer.calculators.AsymptoticCalculator(data, model, test_stat="qtilde")
        >>> teststat = calculator.teststatistic(1.0)
        >>> both = calculator.distributions(1.0)
        >>> [round(float(p), 6) for p in calculator.pvalues(teststat, *both)]
        [0.023325, 0.444154, 0.052516]
        >>> [round(float(p), 6) for p in calculator.expected_pvalues(*both)[-1]]
        [0.002606, 0.013821, 0.064455, 0.235261, 0.573042]
        >>> calculator.fitted_pars.fixed_poi_fit_to_data.round(4)
        array([1.    , 0.9722, 0.8755])
    """

    def __init__(
        self,
        data: Any,
        pdf: Any,
        init_pars: Any = None,
        par_bounds: Any = None,
        fixed_params: Any = None,
        test_stat: str = "qtilde",
        calc_base_dist: str = "normal",
        *,
        qtilde: bool | None = None,
    ) -> None:
        """A calculator for data and model.

        Args:
            data: Main and auxiliary data; shape (nmaindata + nauxdata,).
            pdf: The model.
            init_pars: Start values; shape (npars,). None for the model's suggestion.
            par_bounds: (lower, upper) of each parameter; shape (npars, 2); likewise.
            fixed_params: Flags of the parameters that stay at their start values; shape (npars,); likewise.
            test_stat: ``"qtilde"``, ``"q"`` or ``"q0"``.
            calc_base_dist: ``"normal"``; or ``"clipped_normal"``, which keeps the expected test statistics from
                lying where the best fit would exceed the tested value.
            qtilde: True for ``"qtilde"`` and False for ``"q"``, as in older versions of pyhf.
        """
        super().__init__(data, pdf, init_pars, par_bounds, fixed_params, test_stat, qtilde)
        if calc_base_dist not in ("normal", "clipped_normal"):
            raise ValueError(f"calc_base_dist is {shown(calc_base_dist)}; choose 'normal' or 'clipped_normal'.")
        self.calc_base_dist = calc_base_dist
        self.sqrtqmuA_v: Any = None
        self.fitted_pars: HypoTestFitResults | None = None

    def distributions(self, poi_test: Any) -> tuple[AsymptoticTestStatDistribution, AsymptoticTestStatDistribution]:
        """Distributions of the test statistic for signal plus background and for background only.

        Args:
            poi_test: The tested value, as in the last call of `teststatistic`.

        Raises:
            RuntimeError: `teststatistic` was not called before.
        """
        if self.sqrtqmuA_v is None:
            raise RuntimeError("Call teststatistic(poi_test) first: the distributions depend on its Asimov value.")
        cutoff = {"normal": float("-inf"), "clipped_normal": -self.sqrtqmuA_v}[self.calc_base_dist]
        return (
            AsymptoticTestStatDistribution(-self.sqrtqmuA_v, cutoff),
            AsymptoticTestStatDistribution(0.0, cutoff),
        )

    def teststatistic(self, poi_test: Any) -> Any:
        """The test statistic for the data, on the scale of the distributions; shape ().

        Five fits are made; their parameters are in ``fitted_pars`` afterwards.

        Args:
            poi_test: The tested value.

        Raises:
            InvalidTestStatistic: There is no such test statistic.
            FailedMinimization: A fit did not converge.
        """
        statistic_of(self.test_stat)
        minimiser = engine.engine_minimiser(self.pdf)
        if minimiser is None:
            return self._step_by_step(poi_test)
        return self._in_engine(minimiser, poi_test, ("t",))["t"]

    def _in_engine(
        self, minimiser: Any, poi_test: Any, fields: tuple[str, ...], *, keep: bool = True
    ) -> dict[str, Any]:
        """Fields of the engine's test; its fits are kept."""
        statistic = statistic_of(self.test_stat)
        advise(statistic, self.pdf, self.par_bounds)
        poi_test = tested_value(statistic, poi_test)
        wanted = (*fields, "root_asimov", *engine.FITS) if keep else fields
        found = engine.test(minimiser, statistic, poi_test, self.data, self.pdf, self._start, wanted)
        if keep:
            self.sqrtqmuA_v = found["root_asimov"]
            self.fitted_pars = HypoTestFitResults(
                asimov_pars=found["asimov_fit"],
                free_fit_to_data=found["free_fit"],
                free_fit_to_asimov=found["free_fit_asimov"],
                fixed_poi_fit_to_data=found["conditional_fit"],
                fixed_poi_fit_to_asimov=found["conditional_fit_asimov"],
            )
        return found

    def _step_by_step(self, poi_test: Any) -> Any:
        """The same with any optimizer and any model."""
        statistic, compute = statistic_of(self.test_stat), function_of(self.test_stat)
        q, (conditional, free) = compute(poi_test, self.data, self.pdf, *self._start, return_fitted_pars=True)
        asimov_data, asimov_pars = generate_asimov_data(
            statistic.alternative, self.data, self.pdf, *self._start, return_fitted_pars=True
        )
        q_asimov, (conditional_asimov, free_asimov) = compute(
            poi_test, asimov_data, self.pdf, *self._start, return_fitted_pars=True
        )
        tensorlib = backend_for(q)
        root, root_asimov = tensorlib.sqrt(q), tensorlib.sqrt(q_asimov)
        self.sqrtqmuA_v = root_asimov
        self.fitted_pars = HypoTestFitResults(asimov_pars, free, free_asimov, conditional, conditional_asimov)
        if not statistic.not_negative:
            return tensorlib.astensor(root - root_asimov)
        teststat = tensorlib.conditional(
            root <= root_asimov,  # equal where both are zero
            lambda: root - root_asimov,
            lambda: (q - q_asimov) / (2 * root_asimov),
        )
        return tensorlib.astensor(teststat)

    def expected_pvalues(self, sig_plus_bkg_distribution: Any, bkg_only_distribution: Any) -> list[list[Any]]:
        """Expected CLs+b, CLb and CLs for background-only data at -2, -1, 0, 1, 2 standard deviations.

        Args:
            sig_plus_bkg_distribution: Distribution for signal plus background.
            bkg_only_distribution: Distribution for background only.

        Returns:
            Three lists of five.
        """
        values = [bkg_only_distribution.expected_value(nsigma) for nsigma in (2, 1, 0, -1, -2)]
        every = [self.pvalues(value, sig_plus_bkg_distribution, bkg_only_distribution) for value in values]
        return [list(band) for band in zip(*every, strict=True)]


class EmpiricalDistribution:
    """The distribution of values that were drawn.

    Attributes:
        samples: The values; shape (n,).

    Example:
        >>> import pyhf_func as pyhf
        >>> distribution = pyhf.infer.calculators.EmpiricalDistribution(pyhf.tensorlib.astensor([0.0, 1.0, 3.0, 4.0]))
        >>> float(distribution.pvalue(3.0)), float(distribution.expected_value(0.0))
        (0.5, 2.0)
    """

    def __init__(self, samples: Any) -> None:
        self.samples = backend_for(samples).ravel(samples)

    def pvalue(self, value: Any) -> Any:
        """Fraction of the values that are at least as large; shape ().

        Args:
            value: The value to compare with.
        """
        tensorlib = backend_for(self.samples)
        above = tensorlib.where(self.samples >= value, tensorlib.astensor(1), tensorlib.astensor(0))
        return tensorlib.astensor(tensorlib.sum(above) / tensorlib.shape(self.samples)[0])

    def expected_value(self, nsigma: Any) -> Any:
        """The quantile that a Normal variable has at a number of standard deviations.

        Args:
            nsigma: Number of standard deviations, or a tensor of them.
        """
        tensorlib = backend_for(self.samples)
        quantile = tensorlib.normal_cdf(tensorlib.astensor(nsigma)) * 100
        return tensorlib.percentile(self.samples, quantile, interpolation="linear")


class ToyCalculator(_Calculator):
    """Hypothesis tests with the distributions of toys: data drawn from the model.

    The toys of one hypothesis are drawn with the current backend's random numbers (NumPy's global ones, which
    ``numpy.random.seed`` seeds, under the NumPy backend), and fitted in batches by the engine.

    Example:
        >>> import numpy, pyhf_func as pyhf
        >>> numpy.random.seed(0)
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> calculator = pyhf.infer.calculators.ToyCalculator(data, model, ntoys=100, track_progress=False)
        >>> both = calculator.distributions(1.0)
        >>> [round(float(p), 4) for p in calculator.pvalues(calculator.teststatistic(1.0), *both)]
        [0.03, 0.37, 0.0811]
    """

    def __init__(
        self,
        data: Any,
        pdf: Any,
        init_pars: Any = None,
        par_bounds: Any = None,
        fixed_params: Any = None,
        test_stat: str = "qtilde",
        ntoys: int = 2000,
        track_progress: bool = True,
        *,
        qtilde: bool | None = None,
    ) -> None:
        """A calculator for data and model.

        Args:
            data: Main and auxiliary data; shape (nmaindata + nauxdata,).
            pdf: The model.
            init_pars: Start values; shape (npars,). None for the model's suggestion.
            par_bounds: (lower, upper) of each parameter; shape (npars, 2); likewise.
            fixed_params: Flags of the parameters that stay at their start values; shape (npars,); likewise.
            test_stat: ``"qtilde"``, ``"q"`` or ``"q0"``.
            ntoys: Number of toys for each hypothesis.
            track_progress: Whether to show a progress bar on standard error.
            qtilde: True for ``"qtilde"`` and False for ``"q"``, as in older versions of pyhf.
        """
        super().__init__(data, pdf, init_pars, par_bounds, fixed_params, test_stat, qtilde)
        self.ntoys = count(ntoys, "ntoys")
        self.track_progress = track_progress

    def distributions(
        self, poi_test: Any, track_progress: bool | None = None
    ) -> tuple[EmpiricalDistribution, EmpiricalDistribution]:
        """Distributions of the test statistic for signal plus background and for background only.

        Toys are drawn with the other parameters fitted to the data at the POI of each hypothesis.

        Args:
            poi_test: The tested value.
            track_progress: Whether to show a progress bar on standard error; None for what the calculator does.

        Raises:
            InvalidTestStatistic: There is no such test statistic.
            FailedMinimization: A fit did not converge.
        """
        statistic = self._statistic(poi_test)
        toys_of = {
            "Signal-like": self._draw(poi_test),
            "Background-like": self._draw(statistic_of(self.test_stat).alternative),
        }
        shown = self.track_progress if track_progress is None else track_progress
        tensorlib = backend_for(self.data, poi_test)
        distributions = []
        for description, drawn in toys_of.items():
            with tqdm.tqdm(total=self.ntoys, leave=False, disable=not shown, unit="toy", desc=description) as bar:
                values: list[Any] = []
                for batch in statistic(*drawn):
                    values.extend(batch)
                    bar.update(len(batch))
            distributions.append(EmpiricalDistribution(tensorlib.astensor(values)))
        return distributions[0], distributions[1]

    def _draw(self, mu: Any) -> tuple[Any, Any]:
        """Toys, and the parameters that they are drawn with."""
        pars = fixed_poi_fit(mu, self.data, self.pdf, *self._start)
        return self.pdf.make_pdf(pars).sample((self.ntoys,)), pars

    def _statistic(self, poi_test: Any) -> Callable[[Any, Any], Iterable[Any]]:
        """The test statistics of toys, batch after batch."""
        statistic, compute = statistic_of(self.test_stat), function_of(self.test_stat)
        minimiser = engine.engine_minimiser(self.pdf)
        if minimiser is None:
            return lambda samples, _: ([compute(poi_test, sample, self.pdf, *self._start)] for sample in samples)
        advise(statistic, self.pdf, self.par_bounds)
        mu = one_value(tested_value(statistic, poi_test))
        return lambda samples, pars: toys.teststatistics(
            minimiser, statistic, float(mu), to_numpy(samples), to_numpy(pars), self.pdf, self._start
        )

    def expected_pvalues(self, sig_plus_bkg_distribution: Any, bkg_only_distribution: Any) -> list[list[Any]]:
        """Expected CLs+b, CLb and CLs for background-only data at -2, -1, 0, 1, 2 standard deviations.

        They are the percentiles of the p-values of the background-only toys.

        Args:
            sig_plus_bkg_distribution: Distribution for signal plus background.
            bkg_only_distribution: Distribution for background only.

        Returns:
            Three lists of five.
        """
        tensorlib = backend_for(bkg_only_distribution.samples)
        background = to_numpy(bkg_only_distribution.samples)
        clsb = _fractions_above(to_numpy(sig_plus_bkg_distribution.samples), background)
        clb = _fractions_above(background, background)
        pvalues = tensorlib.astensor(np.stack([clsb, clb, clsb / clb], axis=1))
        bands = tensorlib.transpose(tensorlib.percentile(pvalues, tensorlib.astensor(_PERCENTILES), axis=0))
        return [[tensorlib.astensor(pvalue) for pvalue in band] for band in bands]

    def teststatistic(self, poi_test: Any) -> Any:
        """The test statistic for the data; shape ().

        Args:
            poi_test: The tested value.

        Raises:
            InvalidTestStatistic: There is no such test statistic.
            FailedMinimization: A fit did not converge.
        """
        return function_of(self.test_stat)(poi_test, self.data, self.pdf, *self._start)


def _fractions_above(samples: np.ndarray, values: np.ndarray) -> np.ndarray:
    """For each value the fraction of the samples that are at least as large."""
    return 1 - np.searchsorted(np.sort(samples), values, side="left") / len(samples)
