"""Constraints of the model language: each density on each modifier type, against the slow reference."""

from __future__ import annotations

import copy
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

import pyhf_func as pf
from pyhf_func.core import likelihood
from pyhf_func.core.compiler import padding
from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.inference.constraints import prefit_pars, prefit_widths
from pyhf_func.core.likelihood.expansion import expand, hessian_product, value_at
from pyhf_func.core.likelihood.objective import constant, prepare
from pyhf_func.core.likelihood.sampling import sample
from pyhf_func.exceptions import InvalidModel, InvalidNameReuse, InvalidSpecification
from tests.reference.extended import ExtendedModel

Document = dict[str, Any]


def factor(name: str) -> Document:
    return {"name": name, "type": "normfactor", "data": None}


def document(*samples: Any, parameters: Any = (), **config: Any) -> Document:
    """One channel of three bins with samples of these modifiers."""
    made = [
        {"name": f"s{i}", "data": [10.0 + i, 20.0, 30.0 - 5 * i], "modifiers": list(modifiers)}
        for i, modifiers in enumerate(samples)
    ]
    return {
        "channels": [{"name": "SR", "samples": made}],
        "observations": [{"name": "SR", "data": [float(12 * len(made)), 21.0 * len(made), 25.0 * len(made)]}],
        "measurements": [{"name": "fit", "config": {"poi": "mu", "parameters": list(parameters), **config}}],
        "version": "1.0.0",
    }


def on_all(words: dict[str, str | None], **config: Any) -> Document:
    """A document in which each modifier type has one of the constraints."""
    constraint = {kind: {} if word is None else {"constraint": word} for kind, word in words.items()}
    normsys = {"name": "norm", "type": "normsys", "data": {"lo": 0.8, "hi": 1.25}, **constraint["normsys"]}
    templates = {"lo_data": [9.0, 19.0, 27.0], "hi_data": [12.0, 22.0, 31.0]}
    histosys = {"name": "shape", "type": "histosys", "data": templates, **constraint["histosys"]}
    shapesys = {"name": "bins", "type": "shapesys", "data": [1.0, 4.0, 0.0], **constraint["shapesys"]}
    staterror = {"name": "stat", "type": "staterror", "data": [1.0, 2.0, 3.0], **constraint["staterror"]}
    measured = {"name": "eff", "constraint": words["normfactor"] or "none"}
    if words["normfactor"] not in (None, "none"):
        measured["auxdata"] = [1.2]
        measured |= {"factors": [9.0]} if words["normfactor"] == "poisson" else {"sigmas": [0.2]}
        measured |= {"sigmas_down": [0.4]} if words["normfactor"] == "bifurcated" else {}
    parameters = [
        measured,
        {"name": "stat", "fixed": [False, True, False]},
    ]
    if words["normsys"] in (None, "gauss"):
        parameters.append({"name": "norm", "sigmas": [0.7]})
    return document(
        [factor("mu"), staterror],
        [factor("eff"), normsys, histosys, shapesys, staterror],
        parameters=parameters,
        **config,
    )


DIFFERENT = ("swapped", "all of them", "correlated")
KINDS = ("normsys", "histosys", "shapesys", "staterror", "normfactor")
MODELS = {
    "usual ones": on_all(dict.fromkeys(KINDS)),
    "swapped": on_all({**dict.fromkeys(KINDS), "shapesys": "gauss", "staterror": "poisson", "normfactor": "poisson"}),
    "none": on_all(dict.fromkeys(KINDS, "none")),
    "log-normal": on_all(dict.fromkeys(KINDS, "lognormal")),
    "gamma": on_all(dict.fromkeys(KINDS, "gamma")),
    "all of them": on_all(dict(zip(KINDS, ("lognormal", "gamma", "lognormal", "gamma", "bifurcated"), strict=True))),
    "correlated": on_all(
        {**dict.fromkeys(KINDS), "normfactor": "gauss", "staterror": "lognormal"},
        correlations={"names": ["shape", "norm", "eff"], "matrix": [[1, 0.5, -0.3], [0.5, 1, 0.2], [-0.3, 0.2, 1]]},
    ),
    "mixed": on_all({**dict.fromkeys(KINDS, "gauss"), "staterror": "none"}),
}


def points(model: pf.Model, n: int) -> np.ndarray:
    """Points around the start, where all yields are positive."""
    start = np.array(model.config.suggested_init())
    return start + np.random.default_rng(3).uniform(-0.3, 0.3, (n, start.size))


@pytest.mark.parametrize("name", MODELS)
class TestDensities:
    @pytest.mark.slow
    def test_differences_of_the_likelihood_are_those_of_the_reference(self, name: str) -> None:
        workspace, reference = pf.read(MODELS[name]), ExtendedModel(MODELS[name])
        model = workspace.model()
        at = points(model, 5)
        expected = [reference.twice_nll(dict(zip(model.config.par_names, pars, strict=True))) for pars in at]
        data = jnp.asarray(workspace.data(model))
        found = -2 * jax.jit(jax.vmap(likelihood.logpdf, (None, 0, None)))(model.likelihood, at, data)
        np.testing.assert_allclose(np.diff(found), np.diff(expected), rtol=0, atol=1e-9)
        assert model.config.suggested_fixed() == [reference.fixed[entry] for entry in model.config.par_names]

    @pytest.mark.slow
    def test_the_expected_data_have_their_maximum_at_the_parameters(self, name: str) -> None:
        model = pf.read(MODELS[name]).model()
        pars = jnp.asarray(points(model, 1)[0])
        data = likelihood.expected_data(model.likelihood, pars)
        np.testing.assert_allclose(
            jax.jit(jax.grad(likelihood.logpdf, argnums=1))(model.likelihood, pars, data), 0.0, atol=1e-9
        )


@pytest.mark.parametrize("name", DIFFERENT)
class TestDerivativesAndToys:
    @pytest.mark.slow
    def test_structured_derivatives_are_those_of_the_density(self, name: str) -> None:
        workspace = pf.read(MODELS[name])
        model = workspace.model()
        content, data, pars = model.likelihood, jnp.asarray(workspace.data(model)), jnp.asarray(points(model, 1)[0])

        @jax.jit
        def both(content: Any, pars: Any) -> Any:
            def nll(pars: Any) -> Any:
                return -likelihood.logpdf(content, pars, data)

            p = prepare(content, data)
            x = expand(p, pars)
            columns = jax.vmap(hessian_product(x))(jnp.eye(pars.size))
            found = x.value + constant(p), value_at(p, pars) + constant(p), x.gradient, columns
            return found, (nll(pars), nll(pars), jax.grad(nll)(pars), jax.hessian(nll)(pars))

        assert content.is_plain
        for found, expected in zip(*both(content, pars), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)

    @pytest.mark.slow
    def test_toys_have_the_moments_of_the_density(self, name: str) -> None:
        """The score has mean zero, and its covariance is the information, where data follow the likelihood."""
        model = pf.read(MODELS[name]).model()
        content, pars = model.likelihood, jnp.asarray(points(model, 1)[0])

        @jax.jit
        def scores(content: Any, pars: Any) -> Any:
            def one(key: Any) -> Any:
                aux = sample(content, pars, key)[content.n_bins :]
                score = jax.grad(lambda pars: likelihood.constraint_logpdf(content, pars, aux))
                return score(pars), jax.vmap(lambda v: -jax.jvp(score, (pars,), (v,))[1])(jnp.eye(pars.size))

            return jax.lax.map(one, jax.random.split(jax.random.key(1), 4000), batch_size=500)

        score, information = map(np.asarray, scores(content, pars))
        used = np.any(score != 0, axis=0)
        score, information = score[:, used], information[:, used][:, :, used]
        size = np.sqrt(np.mean(score**2, axis=0))
        assert np.all(np.abs(np.mean(score, axis=0)) < 4.5 * size / np.sqrt(len(score)))
        scale = np.outer(size, size)
        np.testing.assert_allclose(np.cov(score.T) / scale, np.mean(information, axis=0) / scale, atol=0.12)


@pytest.mark.slow
@pytest.mark.parametrize("name", DIFFERENT)
def test_fits_end_where_an_independent_minimiser_does(name: str) -> None:
    workspace, reference = pf.read(MODELS[name]), ExtendedModel(MODELS[name])
    model = workspace.model()
    found = pf.fit(jnp.asarray(workspace.data(model)), model)
    names, fixed = model.config.par_names, np.array(model.config.suggested_fixed())
    start = np.array(model.config.suggested_init())

    def height(free: np.ndarray) -> float:
        pars = start.copy()
        pars[~fixed] = free
        return reference.twice_nll(dict(zip(names, pars, strict=True)))

    bounds = np.array(model.config.suggested_bounds())[~fixed]
    bounds[:, 0] = np.where(bounds[:, 0] < 0, bounds[:, 0], 1e-6)
    best = minimize(
        height, start[~fixed] + 0.01, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-7}
    )
    np.testing.assert_allclose(np.asarray(found.pars)[~fixed], best.x, atol=2e-4)
    assert height(np.asarray(found.pars)[~fixed]) <= best.fun + 1e-9


def test_widths_before_the_fit_are_those_of_the_constraints() -> None:
    workspace = pf.read(MODELS["swapped"])
    model = workspace.model()
    space, data = model.likelihood.space, jnp.asarray(workspace.data(model))
    problem = Problem(model.likelihood, data, space.init, space.lower, space.upper, space.fixed)
    widths = dict(zip(model.config.par_names, prefit_widths(problem), strict=True))
    assert widths["norm"] == pytest.approx(0.7)
    assert widths["eff"] == pytest.approx(np.sqrt(1.2) / 9)  # 1.2 counts, of 9 expected at one
    assert widths["bins[1]"] == pytest.approx(0.2)
    assert widths["stat[0]"] == pytest.approx(np.sqrt(2) / 21)
    assert widths["stat[1]"] == widths["mu"] == 0.0
    pars = dict(zip(model.config.par_names, prefit_pars(problem), strict=True))
    assert pars["eff"] == pytest.approx(1.2 / 9)


class TestRefusals:
    def test_measurements_without_numbers(self) -> None:
        config = {"name": "mu", "constraint": "gauss", "auxdata": [1.0]}
        with pytest.raises(InvalidModel, match="no default measurement. Add sigmas"):
            pf.Workspace(document([factor("mu")], parameters=[config])).model()

    def test_numbers_of_another_density(self) -> None:
        config = {"name": "mu", "constraint": "gauss", "auxdata": [1.0], "sigmas": [1.0], "factors": [1.0]}
        with pytest.raises(InvalidModel, match="does not use factors"):
            pf.Workspace(document([factor("mu")], parameters=[config])).model()

    def test_flags_of_another_number_of_bins(self) -> None:
        stat = {"name": "stat", "type": "staterror", "data": [1.0, 1.0, 1.0]}
        with pytest.raises(InvalidSpecification, match="has 2 flags, but the parameter has 3 components"):
            pf.Workspace(document([stat], parameters=[{"name": "stat", "fixed": [True, False]}])).model(poi_name=None)

    def test_two_constraints_of_one_parameter(self) -> None:
        stat = {"name": "stat", "type": "staterror", "data": [1.0, 1.0, 1.0]}
        wrong = document([stat], [{**stat, "constraint": "poisson"}])
        with pytest.raises(InvalidSpecification, match="'stat' has 'gauss' elsewhere"):
            pf.Workspace(wrong)
        with pytest.raises(InvalidNameReuse, match="different constraints"):
            pf.Model({"channels": wrong["channels"]}, poi_name=None, validate=False)


def test_workspaces_of_models_keep_their_constraints() -> None:
    workspace = pf.read(MODELS["swapped"])
    model = workspace.model()
    again = pf.Workspace.build(model, workspace.data(model)).model()
    assert again.config.auxdata == model.config.auxdata
    assert again.config.suggested_fixed() == model.config.suggested_fixed()
    for one, other in zip(jax.tree.leaves(again.likelihood), jax.tree.leaves(model.likelihood), strict=True):
        if one.dtype != bool:  # bounds that are listed are no default ones
            np.testing.assert_array_equal(one, other)


def test_padded_models_keep_their_likelihood() -> None:
    small, large = MODELS["all of them"], copy.deepcopy(MODELS["all of them"])
    extra = {"name": "extra", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}
    large["channels"][0]["samples"][0]["modifiers"].append(extra)
    workspace = pf.read(small)
    models = [workspace.model().likelihood, pf.read(large).model().likelihood]
    assert padding.kind(models[0]) == padding.kind(models[1])
    data = np.asarray(workspace.data(workspace.model()))
    padded, padded_data = padding.pad(models[0], data, padding.common_sizes(models))
    at = points(workspace.model(), 3)
    more = np.concatenate([at, np.ones((len(at), padded.n_pars - at.shape[1]))], axis=1)
    value = jax.jit(jax.vmap(likelihood.logpdf, (None, 0, None)))
    np.testing.assert_allclose(
        np.diff(value(padded, more, padded_data)), np.diff(value(models[0], at, data)), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("word", ["gauss", "poisson", "lognormal", "gamma", "none"])
def test_widths_of_traced_yields_are_those_of_numbers(word: str) -> None:
    def made(yields: Any) -> pf.Model:
        stat = {"name": "stat", "type": "staterror", "data": [1.0, 2.0, 3.0], "constraint": word}
        sample = {"name": "s", "data": yields, "modifiers": [factor("mu"), stat]}
        return pf.Model({"channels": [{"name": "SR", "samples": [sample]}]})

    numbers, pars = [10.0, 20.0, 30.0], jnp.array([1.1, 1.05, 0.9, 1.2])
    data = jnp.array([11.0, 19.0, 33.0, *made(numbers).config.auxdata])

    @jax.jit
    def value(yields: Any) -> Any:
        return likelihood.logpdf(made(yields).likelihood, pars, data)

    assert float(value(jnp.array(numbers))) == pytest.approx(float(made(numbers).logpdf(pars, data)), rel=1e-12)
    assert np.all(np.isfinite(jax.grad(value)(jnp.array(numbers))))


@pytest.mark.parametrize(
    ("correlations", "message"),
    [
        ({"names": ["mu"], "matrix": [[1]]}, "'mu' is no single parameter with a Gaussian constraint"),
        ({"names": ["n", "h"], "matrix": [[1, 1], [1, 1]]}, "not positive definite"),
        ({"names": ["n", "n"], "matrix": [[1, 0], [0, 1]]}, "names a parameter twice"),
        ({"names": ["n", "h"], "matrix": [[1, "a"], ["a", 1]]}, "no list of lists of numbers"),
    ],
)
def test_impossible_correlations_are_refused(correlations: Any, message: str) -> None:
    normsys = {"type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}
    made = document([factor("mu"), {"name": "n", **normsys}, {"name": "h", **normsys}], correlations=correlations)
    with pytest.raises((InvalidModel, InvalidSpecification), match=message):
        pf.Workspace(made).model()


def test_correlations_follow_changes_of_a_workspace() -> None:
    workspace = pf.read(MODELS["correlated"])
    changed = workspace.rename(modifiers={"eff": "efficiency"}).prune(modifiers=["norm"])
    assert changed["measurements"][0]["config"]["correlations"] == {
        "names": ["shape", "efficiency"],
        "matrix": [[1, -0.3], [-0.3, 1]],
    }
    model = workspace.model()
    again = pf.Workspace.build(model, workspace.data(model))
    assert (
        again["measurements"][0]["config"]["correlations"]
        == MODELS["correlated"]["measurements"][0]["config"]["correlations"]
    )
