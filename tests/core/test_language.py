"""Yields of the model language in the engine, against the slow evaluation of the document by its formulas."""

from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import pyhf_func as pf
from pyhf_func.core.compiler import padding
from pyhf_func.core.likelihood import main_logpdf
from pyhf_func.core.likelihood.expansion import Structured, expand
from pyhf_func.core.likelihood.objective import prepare
from tests import language
from tests.core.test_expansion import Everything, close, everything
from tests.reference.extended import ExtendedModel

LUMINOSITY = {"name": "other", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}, "interpolation": "asympow"}
FACTORS = ("mu", "c", "q")  # parameters of which square roots and logarithms are taken


class Case(NamedTuple):
    model: pf.Model
    data: Any
    reference: ExtendedModel
    points: Any

    def values(self, pars: Any) -> dict[str, float]:
        """The parameters by name, as the reference takes them."""
        return dict(zip(self.model.config.par_names, map(float, pars), strict=True))


def case(document: Any, points: int = 4) -> Case:
    workspace = pf.read(document)
    model = workspace.model()
    rng = np.random.default_rng(3)
    names, fixed = model.config.par_names, np.array(model.config.suggested_fixed())
    init = np.array(model.config.suggested_init())
    found = init + np.linspace(0.0, 1.3, points)[:, None] * rng.normal(size=(points, init.size)) * ~fixed
    found[:, [name in FACTORS for name in names]] = np.abs(found[:, [name in FACTORS for name in names]])
    return Case(model, jnp.array(workspace.data(model)), ExtendedModel(document), found)


@cache
def whole() -> Case:
    return case(language.everything())


@cache
def derivatives() -> Everything:
    model, data, _, points = whole()
    return jax.tree.map(np.asarray, everything(model.likelihood, data, jnp.array(points)))


@pytest.mark.slow
def test_yields_and_likelihoods_are_those_of_the_formulas() -> None:
    """Every code, expressions, morphed and floored samples, additive uncertainties: eager, and mapped under jit."""
    here = whole()
    theirs, ours = [], []
    for pars in here.points:
        expected = here.reference.expected(here.values(pars))
        found = here.model.expected_actualdata(pars)
        np.testing.assert_allclose(found, np.concatenate([expected["A"], expected["B"]]), rtol=1e-12)
        theirs.append(here.reference.twice_nll(here.values(pars)))
        ours.append(-2 * float(here.model.logpdf(pars, here.data)))
    np.testing.assert_allclose(np.diff(ours), np.diff(theirs), rtol=0, atol=1e-10)
    mapped = jax.jit(jax.vmap(here.model.logpdf, (0, None)))(jnp.array(here.points), here.data)
    np.testing.assert_allclose(-2 * mapped, ours, rtol=1e-13)


@pytest.mark.slow
def test_least_yields_are_those_of_samples_and_bins() -> None:
    """An additive uncertainty belongs to no sample: it may be negative."""
    document = {**language.small(), "settings": {"clip_sample_data": 5.0, "clip_bin_data": 18.0}}
    here = case(document, 3)
    pars = np.where(np.char.startswith(here.model.config.par_names, "mc_"), -3.0, here.points[1])
    for at in (here.points[1], pars):
        np.testing.assert_allclose(here.model.expected_actualdata(at), here.reference.expected(here.values(at))["A"])


@pytest.mark.slow
def test_every_sample_has_its_share() -> None:
    """The yields of samples add up to those of bins, but for the additive uncertainties, which belong to none."""
    here = whole()
    pars = np.where(np.char.startswith(here.model.config.par_names, "mc_"), 0.0, here.points[1])
    shares = here.model.main_model.expected_data(pars, return_by_sample=True)
    np.testing.assert_allclose(np.sum(shares, axis=0), here.model.expected_actualdata(pars), rtol=1e-13)


def test_the_likelihood_is_expanded_by_its_structure() -> None:
    here = whole()
    assert here.model.likelihood.is_plain
    assert isinstance(jax.eval_shape(expand, prepare(here.model.likelihood, here.data), here.points[0]), Structured)


@pytest.mark.slow
def test_value_gradient_jacobian_and_hessian_are_exact() -> None:
    """The structured expansion against automatic differentiation of the log density."""
    x = derivatives()
    close(x.value + x.constant, x.plain[0])
    close(x.alone, x.value, 1e-13)
    close(x.gradient, x.plain[1])
    close(x.jacobian, x.plain[2])
    close(x.hessian, x.plain[3], 1e-10)


@cache
def small() -> Case:
    return case(language.small())


@pytest.mark.slow
def test_a_fit_finds_the_minimum_that_scipy_finds() -> None:
    here = small()
    fit = pf.fit(here.data, here.model)
    assert int(fit.status) == 0
    bounds = here.model.config.suggested_bounds()

    def twice_nll(pars: Any) -> float:
        return here.reference.twice_nll(here.values(pars))

    theirs = scipy.optimize.minimize(twice_nll, here.model.config.suggested_init(), method="L-BFGS-B", bounds=bounds)
    ours = twice_nll(fit.pars)
    assert ours <= theirs.fun + 1e-9
    assert ours == pytest.approx(theirs.fun, abs=1e-3)
    np.testing.assert_allclose(fit.pars[0], theirs.x[0], atol=0.02)


@pytest.mark.slow
def test_limits_tests_and_toys_take_such_models() -> None:
    here = small()
    result = pf.hypotest(1.0, here.data, here.model)
    assert int(result.status) == 0
    assert 0 < float(result.cls) < 1
    toys = here.model.make_pdf(here.model.config.suggested_init()).sample((5,))
    fits = jax.jit(jax.vmap(pf.fit, (0, None)))(jnp.array(toys), here.model)
    assert np.all(np.asarray(fits.status) == 0)


@pytest.mark.slow
def test_padded_likelihoods_say_the_same() -> None:
    """One with a further sample, as the points of a signal grid have."""
    document = language.small()
    (channel,) = document["channels"]
    channel["samples"].append({"name": "other", "data": [1.0, 2.0], "modifiers": [language.MU, dict(LUMINOSITY)]})
    models = [small().model, pf.read(document).model()]
    data = [np.array([20.0, 30.0, *model.config.auxdata]) for model in models]
    assert padding.kind(models[0].likelihood) == padding.kind(models[1].likelihood)
    sizes = padding.common_sizes([model.likelihood for model in models])
    for model, observed in zip(models, data, strict=True):
        padded, its_data = padding.pad(model.likelihood, observed, sizes)
        pars = np.array(model.config.suggested_init()) + 0.1
        longer = np.concatenate([pars, np.ones(padded.n_pars - pars.size)])
        found = main_logpdf(padded, longer, its_data[:2])
        assert float(found) == pytest.approx(float(main_logpdf(model.likelihood, pars, observed[:2])), rel=1e-13)
