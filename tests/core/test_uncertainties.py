"""Intervals, impacts, error bands and goodness of fit: closed forms, MINOS, cabinetry, and refits one by one."""

import logging
from functools import cache, partial
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2, norm, poisson

import pyhf_func as pf
from pyhf_func.core.fit import Problem
from pyhf_func.core.inference import covariance, covariance_of
from pyhf_func.exceptions import InvalidPdfParameters, UnspecifiedPOI
from tests import zoo
from tests.core import toy

SIDES = ("prefit_up", "prefit_down", "postfit_up", "postfit_down")


@cache
def counting() -> pf.Model:
    """One bin with one event per unit of mu."""
    channel = zoo.channel("SR", zoo.sample("signal", [1.0], zoo.normfactor()))
    bounds = [{"name": "mu", "bounds": [[0.0, 1000.0]], "inits": [1.0]}]
    return pf.Workspace(zoo.workspace([channel], {"SR": [1.0]}, parameters=bounds)).model()


def poisson_interval(n: int, sigmas: float) -> tuple[float, float]:
    """Where twice the log-likelihood ratio of a Poisson mean is ``sigmas**2``."""

    def height(rate: float) -> float:
        return 2 * (rate - n - (n * np.log(rate / n) if n else 0.0)) - sigmas**2

    upper = brentq(height, max(n, 1e-9), n + 20 * sigmas * np.sqrt(n + 10), xtol=1e-13)
    return (brentq(height, 1e-12, n, xtol=1e-13) if n else 0.0), upper


@cache
def toy_intervals() -> Any:
    model, data = toy.toy()
    return pf.intervals(data, model)


@cache
def toy_impacts() -> Any:
    model, data = toy.toy()
    return pf.impacts(data, model)


@cache
def toy_yields() -> Any:
    model, data = toy.toy()
    return pf.yields(data, model)


def pyhf_toy(pyhf: ModuleType) -> tuple[Any, list[float]]:
    workspace = pyhf.Workspace(toy.spec())
    model = workspace.model()
    return model, workspace.data(model)


def cabinetry_fit(cabinetry: ModuleType, model: Any, ours: pf.CovarianceResult) -> Any:
    """Our minimum, errors and correlations as a fit of cabinetry."""
    numbers = [np.asarray(x) for x in (ours.fit.pars, ours.errors)]
    return cabinetry.fit.FitResults(*numbers, model.config.par_names, np.asarray(ours.correlation), 0.0)


@pytest.fixture
def cabinetry() -> ModuleType:
    logging.getLogger("pyhf").setLevel(logging.ERROR)
    return pytest.importorskip("cabinetry")


class TestIntervals:
    @pytest.mark.slow
    @pytest.mark.parametrize(("n", "sigmas"), [(100, 1.0), (100, 3.0), (7, 2.0), (1, 1.0)])
    def test_counting(self, n: int, sigmas: float) -> None:
        found = pf.intervals([float(n)], counting(), sigmas=sigmas)
        np.testing.assert_allclose([found.lower[0], found.upper[0]], poisson_interval(n, sigmas), rtol=1e-7)
        np.testing.assert_allclose(found.ratio, sigmas**2, rtol=1e-7)
        assert not np.any(found.at_bound)
        assert not np.any(found.status)
        assert np.max(found.fits) <= 6

    def test_no_events(self) -> None:
        """The best value lies at the bound, and so does the lower end: exp(-mu) falls to exp(-1/2) at 1/2."""
        found = pf.intervals([0.0], counting())
        assert float(found.lower[0]) == float(found.best[0]) == 0.0
        assert float(found.upper[0]) == pytest.approx(0.5, rel=1e-7)
        assert found.at_bound.tolist() == [[True, False]]
        assert not np.any(found.status)

    def test_gaussian_regime(self) -> None:
        found = pf.intervals([1e6], counting(), bounds={"mu": (0.0, 1e7)})
        errors = [found.best[0] - found.lower[0], found.upper[0] - found.best[0]]
        np.testing.assert_allclose(errors, found.covariance.errors[0], rtol=1e-3)
        np.testing.assert_allclose(found.covariance.errors[0], 1e3, rtol=1e-9)

    def test_bounds_come_first(self) -> None:
        found = pf.intervals([100.0], counting(), bounds={"mu": (95.0, 101.5)})
        assert [float(found.lower[0]), float(found.upper[0])] == [95.0, 101.5]
        assert found.at_bound.tolist() == [[True, True]]
        assert np.all(found.ratio < 1.0)
        assert not np.any(found.status)

    def test_confidence(self) -> None:
        by_confidence = pf.intervals([30.0], counting(), confidence=0.9)
        by_sigmas = pf.intervals([30.0], counting(), sigmas=norm.isf(0.05))
        assert float(by_confidence.upper[0]) == pytest.approx(float(by_sigmas.upper[0]), rel=1e-9)

    @pytest.mark.slow
    def test_slope_in_data(self) -> None:
        """From the closed form: d(rate)/dn = log(rate / n) / (1 - n / rate)."""

        @jax.jit
        def ends(data: jax.Array) -> jax.Array:
            found = pf.intervals(data, counting())
            return jnp.stack([found.lower[0], found.upper[0]])

        slopes = jax.jacfwd(ends)(jnp.array([40.0]))[:, 0]
        rates = np.array(poisson_interval(40, 1.0))
        np.testing.assert_allclose(slopes, np.log(rates / 40) / (1 - 40 / rates), rtol=1e-6)

    @pytest.mark.slow
    def test_coverage(self) -> None:
        """Every count that matters in one batch: the coverage is the exact one, and near to that of a normal."""
        counts, rate = np.arange(0, 90), 35.3
        found = jax.vmap(lambda n: pf.intervals(n[None], counting()))(jnp.asarray(counts, float))
        inside = np.asarray((found.lower[:, 0] <= rate) & (rate <= found.upper[:, 0]))
        covered = np.sum(poisson.pmf(counts, rate)[inside])
        exact = [low <= rate <= high for low, high in (poisson_interval(int(n), 1.0) for n in counts)]
        assert inside.tolist() == exact
        assert covered == pytest.approx(norm.cdf(1) - norm.cdf(-1), abs=0.03)

    @pytest.mark.slow
    def test_coverage_with_nuisance_parameters(self) -> None:
        """Toys of a model with every kind of constraint; three standard deviations of a binomial."""
        model, _ = toy.toy()
        truth = np.array(model.config.suggested_init())
        rng, n, means = np.random.default_rng(3), 600, np.asarray(model.expected_data(truth))
        widths = model.likelihood.values.normal_sigma
        normal, counts = model.likelihood.indices.normal_aux, model.likelihood.indices.poisson_aux
        data = rng.poisson(means, (n, len(means))).astype(float)
        places = model.config.nmaindata + np.asarray(normal)
        data[:, places] = rng.normal(means[places], widths, (n, len(places)))
        assert len(places) + len(counts) == model.config.nauxdata
        poi = model.config.poi_index
        found = jax.vmap(lambda d: pf.intervals(d, model, "mu", bounds={"mu": (-10.0, 20.0)}))(jnp.asarray(data))
        assert not np.any(found.status)
        covered = np.mean((found.lower[:, 0] <= truth[poi]) & (truth[poi] <= found.upper[:, 0]))
        assert covered == pytest.approx(0.6827, abs=3 * np.sqrt(0.6827 * 0.3173 / n))

    @pytest.mark.slow
    def test_minos(self) -> None:
        """All parameters as Minuit's MINOS finds them, one after the other."""
        pyhf = pytest.importorskip("pyhf")
        pytest.importorskip("iminuit")
        model, data = pyhf_toy(pyhf)
        pyhf.set_backend("jax", pyhf.optimize.minuit_optimizer(tolerance=1e-4))
        try:
            minuit = pyhf.infer.mle.fit(data, model, return_result_obj=True)[1].minuit
            minuit.minos()
        finally:
            pyhf.set_backend("numpy")
        found = toy_intervals()
        width = np.asarray(found.covariance.errors)
        theirs = np.array([[par.value + end for end in par.merror] for par in minuit.params])
        np.testing.assert_allclose(found.lower / width, theirs[:, 0] / width, atol=2e-3)
        np.testing.assert_allclose(found.upper / width, theirs[:, 1] / width, atol=2e-3)
        assert not np.any(found.status)

    @pytest.mark.slow
    def test_names(self) -> None:
        """A name stands for its components; a fixed parameter has no width."""
        model, data = toy.toy()
        found = pf.intervals(data, model, ["stat_SR" if "stat_SR" in model.config.par_slices else "stat", "mu"])
        names = [model.config.par_names[int(place)] for place in found.parameters]
        assert names[-1] == "mu"
        assert [name[-3:] for name in names[:-1]] == ["[0]", "[1]"]
        every = toy_intervals()
        np.testing.assert_allclose(found.upper, every.upper[found.parameters], rtol=1e-9)

    @pytest.mark.slow
    def test_fixed(self) -> None:
        model, data = toy.toy()
        found = pf.intervals(data, model, fixed={"norm": 0.5})
        place = toy.place("norm")
        assert float(found.lower[place]) == float(found.upper[place]) == 0.5
        assert not np.any(found.at_bound[place])
        assert np.all(np.asarray(found.fits[place]) == 0)

    def test_refusals(self) -> None:
        with pytest.raises(InvalidPdfParameters, match="no parameter 'nu'"):
            pf.intervals([1.0], counting(), "nu")
        with pytest.raises(InvalidPdfParameters, match="at least one"):
            pf.intervals([1.0], counting(), [])
        with pytest.raises(ValueError, match="sigmas is -1"):
            pf.intervals([1.0], counting(), sigmas=-1.0)
        with pytest.raises(ValueError, match="confidence is 95"):
            pf.intervals([1.0], counting(), confidence=95)

    def test_a_height_that_is_none_has_a_status(self) -> None:
        """Inside jit, where nothing can be refused."""
        traced = jax.jit(lambda sigmas: pf.intervals([100.0], counting(), sigmas=sigmas))
        for sigmas in (-1.0, 0.0, np.nan):
            found = traced(sigmas)
            assert np.all(np.asarray(found.status) == pf.Status.INVALID_ARGUMENT)
            assert np.all(np.isnan([found.lower, found.upper]))


class TestImpacts:
    @pytest.mark.slow
    def test_refits_one_by_one(self) -> None:
        model, data = toy.toy()
        found, names = toy_impacts(), model.config.par_names
        around = found.covariance
        width = {"norm": 1.0, "shape": 1.0}
        for rank, place in enumerate(found.parameters.tolist()):
            name, best = names[place], float(around.fit.pars[place])
            steps = [float(around.errors[place]), -float(around.errors[place])]
            if name in width:
                steps = [width[name], -width[name], *steps]
            fits = [pf.fit(data, model, fixed={name: best + step}) for step in steps]
            expected = [
                float(fit.pars[0] if model.config.poi_index == 0 else fit.pars[model.config.poi_index]) for fit in fits
            ]
            got = [float(getattr(found, side)[rank]) for side in SIDES[-len(steps) :]]
            np.testing.assert_allclose(got, np.array(expected) - float(found.poi_best), atol=1e-8)
        assert not np.any(found.status)

    @pytest.mark.slow
    def test_ranked(self) -> None:
        found = toy_impacts()
        size = np.maximum(np.abs(found.postfit_up), np.abs(found.postfit_down))
        assert np.all(np.diff(size) <= 0)
        everyone = set(range(toy.toy()[0].config.npars)) - {int(found.poi)}
        assert set(found.parameters.tolist()) == everyone

    def test_cabinetry(self, cabinetry: ModuleType) -> None:
        """From our minimum and errors: the numerical derivatives of Minuit give errors that are 1% off."""
        pyhf = pytest.importorskip("pyhf")
        pyhf.set_backend("numpy")
        model, data = pyhf_toy(pyhf)
        found, names = toy_impacts(), toy.toy()[0].config.par_names
        start = cabinetry_fit(cabinetry, model, found.covariance)
        theirs = cabinetry.fit.ranking(model, data, fit_results=start, tolerance=1e-4)
        order = [theirs.labels.index(names[place]) for place in found.parameters.tolist()]
        for side in SIDES:
            ours = np.asarray(getattr(found, side))
            np.testing.assert_allclose(ours, getattr(theirs, side)[order], atol=1e-3 * float(found.poi_error))

    def test_components(self) -> None:
        """They are the slopes of the POI in the auxiliary data, times their standard deviations."""
        model, data = toy.toy()
        found, n = toy_impacts(), model.config.nmaindata
        poi, pars = int(found.poi), np.asarray(found.covariance.fit.pars)
        slopes = toy.slope(
            lambda aux: pf.fit(jnp.concatenate([data[:n], jnp.asarray(aux)]), model).pars[poi], data[n:], 1e-2
        )
        indices, values = model.likelihood.indices, model.likelihood.values
        expected = np.zeros(model.config.npars)
        expected[indices.normal_par] = slopes[indices.normal_aux] * values.normal_sigma
        rates = pars[indices.poisson_par] * values.poisson_factor
        expected[indices.poisson_par] = slopes[indices.poisson_aux] * np.sqrt(rates)
        np.testing.assert_allclose(found.components, expected[found.parameters], rtol=1e-5, atol=1e-9)

    @pytest.mark.slow
    def test_gaussian_regime(self) -> None:
        """With a background of 1e6 +- 1% and 1e4 signal events, everything is linear and known."""
        model = pf.simplemodels.uncorrelated_background([1e4], [1e6], [1e4])
        found = pf.impacts([1.01e6, *model.config.auxdata], model)
        assert float(found.prefit_up[0]) == pytest.approx(-1.0, rel=1e-6)
        assert float(found.prefit_linear[0]) == pytest.approx(-1.0, rel=1e-6)
        assert float(found.postfit_down[0]) == pytest.approx(1.0, rel=1e-3)
        assert float(found.components[0]) == pytest.approx(-1.0, rel=1e-3)
        statistical = np.sqrt(1.01e6) / 1e4
        assert float(found.poi_error) == pytest.approx(np.hypot(1.0, statistical), rel=1e-3)
        assert float(found.constraints[0]) == pytest.approx(1.0, rel=1e-3)
        assert float(found.pulls[0]) == pytest.approx(0.0, abs=1e-6)

    @pytest.mark.slow
    def test_another_parameter(self) -> None:
        model, data = toy.toy()
        found = pf.impacts(data, model, "norm")
        assert int(found.poi) == toy.place("norm")
        own, theirs = found.covariance.covariance[toy.place("norm")], found.covariance.errors
        np.testing.assert_allclose(found.postfit_linear, (own / theirs)[found.parameters], rtol=1e-12)

    def test_refusals(self) -> None:
        model = pf.Model({"channels": toy.spec()["channels"]}, poi_name=None)
        with pytest.raises(UnspecifiedPOI):
            pf.impacts(toy.toy()[1], model)
        with pytest.raises(InvalidPdfParameters, match="2 components"):
            pf.impacts(toy.toy()[1], model, "rate")


class TestYields:
    @pytest.mark.slow
    @pytest.mark.parametrize("stage", ["prefit", "postfit"])
    def test_propagation(self, stage: str) -> None:
        """Every table against a Jacobian by finite differences."""
        model, _ = toy.toy()
        band = getattr(toy_yields(), stage)

        def tables(pars: Any) -> Any:
            table = np.asarray(model.main_model.expected_data(pars, return_by_sample=True))
            return np.concatenate([table.ravel(), table.sum(axis=0), table.sum(axis=1), [table.sum()]])

        jacobian = toy.slope(tables, band.pars, 1e-3)
        expected = np.sqrt(np.einsum("pe,pq,qe->e", jacobian, np.asarray(band.covariance), jacobian))
        names = ("samples", "total", "channel_samples", "channels")
        values = np.concatenate([np.ravel(getattr(band, name)) for name in names])
        errors = np.concatenate([np.ravel(getattr(band, f"{name}_error")) for name in names])
        np.testing.assert_allclose(values, tables(band.pars), rtol=1e-12)
        np.testing.assert_allclose(errors, expected, rtol=1e-6, atol=1e-9)

    def test_before_the_fit(self) -> None:
        """Widths of constraints, added in quadrature: normsys and histosys have slopes of half their range."""
        found = toy_yields().prefit
        slope = (np.log(1.12) - np.log(0.93)) / 2  # nearly; the polynomial's slope at zero differs
        assert float(found.channels[0]) == pytest.approx(126.0)
        shapes = np.array([54.5 - 47.0, 41.0 - 43.5]) / 2
        stat, rate = np.array([2.0, 3.0]), np.array([3.0, 2.0])
        expected = np.sqrt((slope * np.array([50.0, 42.0])) ** 2 + shapes**2 + stat**2 + rate**2)
        np.testing.assert_allclose(found.total_error, expected, rtol=5e-3)

    def test_cabinetry(self, cabinetry: ModuleType) -> None:
        """With our fit put in. It takes differences over one standard error, so variations are small: nearly linear."""
        pyhf = pytest.importorskip("pyhf")
        pyhf.set_backend("numpy")
        spec = toy.spec()
        norm, shape = spec["channels"][0]["samples"][1]["modifiers"][:2]
        norm["data"] = {"lo": 0.992, "hi": 1.01}
        shape["data"] = {"lo_data": [49.7, 42.2], "hi_data": [50.4, 41.9]}
        workspace, theirs_workspace = pf.Workspace(spec), pyhf.Workspace(spec)
        found = pf.yields(workspace.data(workspace.model()), workspace.model())
        model = theirs_workspace.model()
        theirs_fit = cabinetry_fit(cabinetry, model, found.covariance)
        for band, theirs in (
            (found.prefit, cabinetry.model_utils.prediction(model)),
            (found.postfit, cabinetry.model_utils.prediction(model, fit_results=theirs_fit)),
        ):
            np.testing.assert_allclose(band.samples, theirs.model_yields[0], rtol=1e-9)
            errors = np.vstack([band.samples_error, band.total_error])
            np.testing.assert_allclose(errors, theirs.total_stdev_model_bins[0], rtol=1e-4)
            errors = np.append(band.channel_samples_error[:, 0], band.channels_error)
            np.testing.assert_allclose(errors, theirs.total_stdev_model_channels[0], rtol=1e-4)


class TestGoodness:
    @pytest.mark.slow
    def test_counting(self) -> None:
        """Two bins with one free rate: the ratio to the saturated model is known."""
        model = pf.Model({"channels": [zoo.channel("SR", zoo.sample("s", [10.0, 20.0, 30.0], zoo.normfactor()))]})
        counts = np.array([14.0, 15.0, 40.0])
        found = pf.goodness_of_fit(counts, model)
        expected = np.array([10.0, 20.0, 30.0]) * counts.sum() / 60
        statistic = 2 * np.sum(expected - counts + counts * np.log(counts / expected))
        assert float(found.statistic) == pytest.approx(statistic, rel=1e-10)
        assert int(found.degrees_of_freedom) == 2
        assert float(found.p_value) == pytest.approx(chi2.sf(statistic, 2), rel=1e-10)
        held = pf.goodness_of_fit(counts, model, fixed={"mu": 1.2})
        assert int(held.degrees_of_freedom) == 3
        assert float(held.statistic) > float(found.statistic)

    def test_perfect_data(self) -> None:
        model, _ = toy.toy()
        found = pf.goodness_of_fit(model.expected_data(model.config.suggested_init()), model)
        assert float(found.statistic) == pytest.approx(0.0, abs=1e-9)
        assert float(found.p_value) == pytest.approx(1.0, abs=1e-4)

    def test_too_many_parameters(self) -> None:
        found = pf.goodness_of_fit([5.0], counting())
        assert int(found.degrees_of_freedom) == 0
        assert np.isnan(found.p_value)

    @pytest.mark.slow
    def test_cabinetry(self, cabinetry: ModuleType) -> None:
        pyhf = pytest.importorskip("pyhf")
        pyhf.set_backend("numpy")
        theirs = cabinetry.fit.fit(*pyhf_toy(pyhf), goodness_of_fit=True, tolerance=1e-3)
        model, data = toy.toy()
        ours = jax.jit(lambda data: pf.goodness_of_fit(data, model).p_value)(data)
        assert float(ours) == pytest.approx(theirs.goodness_of_fit, rel=1e-5)


class TestCovariance:
    @pytest.mark.slow
    def test_inverse_hessian(self) -> None:
        model, data = toy.toy()
        found = toy_intervals().covariance
        matrix = -np.asarray(jax.hessian(lambda pars: model.logpdf(pars, data))(found.fit.pars))
        np.testing.assert_allclose(found.covariance, np.linalg.inv(matrix), rtol=1e-8, atol=1e-10)
        errors = np.asarray(found.errors)
        np.testing.assert_allclose(found.correlation * np.outer(errors, errors), found.covariance, rtol=1e-12)

    @pytest.mark.slow
    def test_at_a_bound(self) -> None:
        """A parameter at its bound is flagged and has no error; the others are as if it were fixed there."""
        model, _ = toy.toy()
        data = toy.with_counts(40.0, 30.0)
        found, poi = pf.covariance(data, model), model.config.poi_index
        assert np.flatnonzero(found.fit.at_bound).tolist() == [poi]
        assert float(found.errors[poi]) == 0.0
        held = pf.covariance(data, model, fixed={"mu": 0.0})
        np.testing.assert_allclose(found.covariance, held.covariance, rtol=1e-6, atol=1e-9)

    def test_two_factors_of_one_sample_are_not_identified(self) -> None:
        """The fit converges, and only what moves along the flat direction has no error."""
        factors = zoo.normfactor("mu"), zoo.normfactor("k")
        channel = zoo.channel(
            "SR",
            zoo.sample("signal", [10.0, 5.0], *factors),
            zoo.sample("background", [50.0, 40.0], zoo.normsys("rate", 0.9, 1.1)),
        )
        model = pf.Model({"channels": [channel]})
        found = pf.covariance([66.0, 43.0, *model.config.auxdata], model)
        assert int(found.fit.status) == pf.Status.CONVERGED
        assert int(found.status) == pf.Status.NOT_IDENTIFIED
        place = model.config.par_names.index("rate")
        assert (
            np.flatnonzero(found.identified).tolist() == np.flatnonzero(np.isfinite(found.errors)).tolist() == [place]
        )
        chosen = pf.covariance([66.0, 43.0, *model.config.auxdata], model, ["rate", "k"])
        assert int(chosen.status) == pf.Status.NOT_IDENTIFIED
        assert chosen.identified.tolist() == np.isfinite(chosen.errors).tolist() == [True, False]
        assert float(chosen.errors[0]) == pytest.approx(float(found.errors[place]), rel=1e-9)
        rate = pf.covariance([66.0, 43.0, *model.config.auxdata], model, "rate")
        assert int(rate.status) == pf.Status.CONVERGED
        assert float(rate.errors[0]) == pytest.approx(float(found.errors[place]), rel=1e-9)
        held = pf.covariance([66.0, 43.0, *model.config.auxdata], model, fixed=["k"])
        assert int(held.status) == pf.Status.CONVERGED
        assert float(found.errors[place]) == pytest.approx(float(held.errors[place]), rel=1e-6)

    def test_chosen_parameters_have_the_covariance_that_they_have_among_all(self) -> None:
        """With one at its bound and one that is fixed; for each of several data, and differentiated."""
        model, _ = toy.toy()
        data = jnp.stack([toy.with_counts(40.0, 30.0), toy.with_counts(60.0, 55.0)])
        names = [name for name in reversed(model.config.par_names) if name != "norm"]
        places = np.array([model.config.par_names.index(name) for name in names])
        fixed = {names[0]: True}

        def errors(chosen: list[str] | None, data: jax.Array) -> Any:
            found = pf.covariance(data, model, chosen, fixed=fixed)
            errors = found.errors[places] if chosen is None else found.errors
            return jnp.sum(errors), found

        every, chosen = (
            jax.jit(jax.vmap(jax.value_and_grad(partial(errors, asked), has_aux=True)))(data) for asked in (None, names)
        )
        (_, whole), (_, part) = every[0], chosen[0]
        assert part.parameters[0].tolist() == places.tolist()
        assert part.status.tolist() == whole.status.tolist() == [0, 0]
        np.testing.assert_allclose(part.errors, whole.errors[:, places], rtol=1e-9, atol=1e-12)
        inner = np.asarray(whole.covariance)[:, places[:, None], places]
        np.testing.assert_allclose(part.covariance, inner, rtol=1e-9, atol=1e-12)
        inner = np.asarray(whole.correlation)[:, places[:, None], places]
        np.testing.assert_allclose(part.correlation, inner, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(chosen[1], every[1], rtol=1e-7, atol=1e-10)
        table = pf.covariance(data[1], model, names).table()
        assert [row["parameter"] for row in table.rows] == names

    def test_saddles_are_seen_from_any_parameter(self) -> None:
        """Twice too few events for the product of two factors: more of both, or less of both, describes them better."""
        signal = zoo.sample("signal", [10.0, 5.0], zoo.normfactor("mu"), zoo.normfactor("k"))
        model = pf.Model({"channels": [zoo.channel("SR", signal, zoo.sample("background", [50.0, 40.0]))]})
        data, space = jnp.array([200.0, 300.0]), model.likelihood.space
        problem = Problem(model.likelihood, data, space.init, space.lower, space.upper, space.fixed)
        start = pf.fit(data, model)._replace(pars=jnp.ones(2))
        statuses = jax.jit(
            lambda problem, fit: (covariance(problem, fit).status, covariance_of(problem, fit, jnp.array([0])).status)
        )(problem, start)
        assert [int(status) for status in statuses] == [pf.Status.BETTER_MINIMUM] * 2

    def test_no_error_of_a_fit_that_failed(self) -> None:
        model, data = toy.toy()
        found = jax.jit(lambda data: pf.covariance(data, model, fixed=["norm"]))(data.at[0].set(-1.0))
        assert int(found.status) == pf.Status.NOT_FINITE
        free = np.arange(model.config.npars) != toy.place("norm")
        assert np.isnan(found.errors).tolist() == free.tolist()
