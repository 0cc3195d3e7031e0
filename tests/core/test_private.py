"""Private parameters, which only scale yields of one bin, are eliminated without a trace in any result."""

import runpy
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

import pyhf_func as pf
from pyhf_func.core.compiler.padding import common_sizes, pad
from pyhf_func.core.density import ratio
from pyhf_func.core.fit.metric import inverse, inverse_metric
from pyhf_func.core.fit.newton import minimise
from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.inference.covariance import hessian
from pyhf_func.core.likelihood.expansion import expand, jacobian, slopes
from pyhf_func.core.likelihood.objective import prepare
from pyhf_func.core.likelihood.places import is_large
from pyhf_func.core.likelihood.structure import Likelihood, Private
from tests import zoo

GENERATED = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "generated.py"))
SMALL = GENERATED["Size"](channels=2, bins=3, backgrounds=2, shared=3, shapes=1, rates=1)


def mixed() -> zoo.Spec:
    """Private parameters of every type, in bins that have none, one and two, beside some that only look private."""
    staterror = {"name": "mc", "type": "staterror", "data": [2.0, 0.0, 0.3]}
    staterror_of_control = {"name": "mc_control", "type": "staterror", "data": [3.0, 2.0]}
    shapesys = {"name": "bins", "type": "shapesys", "data": [4.0, 5.0, 0.0]}
    free = {"name": "free", "type": "shapefactor", "data": None}
    signal = zoo.sample("signal", [5.0, 3.0, 1.0], zoo.normfactor(), staterror)
    tilted = zoo.histosys("tilt", [26.0, 31.0, 2.0], [33.0, 29.0, 1.0])
    background = zoo.sample("background", [30.0, 30.0, 1.5], tilted, shapesys, staterror, zoo.normsys("rate", 0.9, 1.1))
    same = zoo.sample("background", [40.0, 20.0], zoo.normsys("rate", 0.9, 1.1), free, staterror_of_control)
    one = zoo.sample("background", [12.0], zoo.normfactor("scale"))
    channels = [zoo.channel("SR", signal, background), zoo.channel("control", same), zoo.channel("single", one)]
    return zoo.workspace(channels, {"SR": [37.0, 0.0, 0.0], "control": [44.0, 17.0], "single": [15.0]})


SPECS = {"mixed": mixed, "large": lambda: GENERATED["workspace"](SMALL)}


@cache
def case(name: str) -> tuple[Any, Array]:
    workspace = pf.Workspace(SPECS[name]())
    model = workspace.model()
    return model, jnp.array(workspace.data(model))


def without_private(model: Likelihood) -> Likelihood:
    """The same likelihood, where all parameters count as shared."""
    return replace(model, private=Private(jnp.arange(model.n_pars, dtype=jnp.int32), model.n_pars, 0))


@jax.jit
def expanded(model: Likelihood, data: Array, pars: Array) -> tuple[Array, Array, Array]:
    x = expand(prepare(model, data), pars)
    return x.rates, x.constraint, jacobian(x).shared


def dense(model: Likelihood, data: Array, pars: Array, free: np.ndarray) -> np.ndarray:
    """``(D + J' W J)^-1`` on the free parameters by NumPy, the identity on the others."""
    rates, constraint, slopes = map(np.asarray, expanded(without_private(model), data, pars))
    weight = np.where(rates > 0, data[: model.n_bins] / np.where(rates > 0, rates, 1.0) ** 2, 0.0)
    bins = slopes * free
    curvature = bins.T @ (weight[:, None] * bins)
    ridge = np.finfo(float).eps ** 0.375 * np.diagonal(curvature)
    diagonal = np.maximum(constraint, ridge)
    return np.linalg.inv(curvature + np.diag(np.where(free & (diagonal > 0), diagonal, 1.0)))


@jax.jit
def metric(model: Likelihood, data: Array, pars: Array, free: Array) -> Array:
    return jax.vmap(inverse_metric(expand(prepare(model, data), pars), free))(jnp.eye(model.n_pars))


def close(found: Array, expected: np.ndarray) -> None:
    """Equal to nine digits, in units of the widths."""
    width = np.sqrt(np.diagonal(expected))
    assert np.max(np.abs(found - expected) / np.outer(width, width)) < 1e-9


def test_parameters_that_only_scale_one_bin_are_private() -> None:
    model = case("mixed")[0]
    private, config = model.likelihood.private, model.config
    names = [f"{name}[{i}]" for name in config.par_order for i in range(len(config.param_set(name).suggested_init))]
    found = {name for name, place in zip(names, np.asarray(private.place), strict=True) if place >= private.shared}
    both = {f"{name}[{i}]" for name in ("mc", "bins") for i in range(3)}
    assert found == both | {f"{name}[{i}]" for name in ("free", "mc_control") for i in range(2)} | {"scale[0]"}
    assert private.per_bin == 2
    assert len(set(np.asarray(private.place).tolist())) == len(names)


def test_rare_private_parameters_take_no_place_in_all_bins() -> None:
    bins = [zoo.channel(f"bin{i}", zoo.sample("all", [9.0], zoo.normsys("rate", 0.9, 1.1))) for i in range(9)]
    bins[0]["samples"][0]["modifiers"].append(zoo.normfactor())
    model = pf.Workspace(zoo.workspace(bins, {f"bin{i}": [9.0] for i in range(9)})).model()
    assert model.likelihood.private.per_bin == 0
    assert model.likelihood.private.shared == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_metric_is_that_of_all_parameters(name: str) -> None:
    """With fixed parameters, bins without events and parameters without constraint."""
    model, data = case(name)
    rng = np.random.default_rng(4)
    pars = jnp.asarray(np.asarray(model.config.suggested_init()) + rng.uniform(0.0, 0.3, model.likelihood.n_pars))
    for share in (0.0, 0.3):
        free = rng.uniform(size=pars.shape[0]) >= share
        expected = dense(model.likelihood, data, pars, free)
        close(metric(model.likelihood, data, pars, free), expected)


LARGE = [pytest.param("mixed", True, id="mixed"), pytest.param("large", False, marks=pytest.mark.slow, id="fewer-bins")]


@pytest.mark.parametrize(("name", "is_private"), LARGE)
def test_large_models_have_the_same_metric(name: str, is_private: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By products, with a factor of its own; one that is kept is symmetric and positive on fewer parameters."""
    monkeypatch.setattr(sys.modules[is_large.__module__], "_LARGE", 0)
    model, data = case(name)
    likelihood = model.likelihood if is_private else without_private(model.likelihood)
    rng = np.random.default_rng(5)
    pars = jnp.asarray(np.asarray(model.config.suggested_init()) + rng.uniform(0.0, 0.3, likelihood.n_pars))
    unit, free = jnp.eye(pars.shape[0]), rng.uniform(size=pars.shape[0]) >= 0.2
    less = free & (rng.uniform(size=pars.shape[0]) >= 0.3)

    @jax.jit
    def metrics(model: Likelihood, data: Array, pars: Array) -> tuple[Array, Array, Array]:
        x = expand(prepare(model, data), pars)
        weight = ratio(ratio(x.prepared.main, x.rates), x.rates)
        fresh, kept = inverse(slopes(x), weight, x.constraint, jnp.asarray(free))
        reused, kept = inverse(slopes(x), weight, x.constraint, jnp.asarray(less), kept)
        assert kept is not None
        is_kept = jnp.all(kept.free == x.prepared.places.split(jnp.asarray(free))[0])
        return jax.vmap(fresh)(unit), jax.vmap(reused)(unit), is_kept

    fresh, reused, is_kept = metrics(likelihood, data, pars)
    expected = dense(likelihood, data, pars, free)
    close(fresh[np.ix_(free, free)], expected[np.ix_(free, free)])
    assert is_kept
    inner = np.asarray(reused)[np.ix_(less, less)]
    assert np.allclose(inner, inner.T, rtol=1e-9, atol=1e-12)
    assert np.min(np.linalg.eigvalsh(inner)) > 0


@pytest.mark.parametrize(("name", "is_private"), LARGE)
def test_large_models_have_the_same_minima(name: str, is_private: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model, data = case(name)
    expected = pf.fit(data, model)
    monkeypatch.setattr(sys.modules[is_large.__module__], "_LARGE", 0)
    likelihood = model.likelihood if is_private else without_private(model.likelihood)
    space = likelihood.space
    problem = Problem(likelihood, data, space.init, space.lower, space.upper, space.fixed)
    found = jax.jit(lambda problem: minimise(problem, 200))(problem)
    assert found.status == pf.Status.CONVERGED
    assert np.allclose(2 * found.nll, expected.twice_nll, rtol=0, atol=1e-9)
    assert np.allclose(found.pars, expected.pars, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
def test_padded_models_have_the_same_metric() -> None:
    model, data = case("large")
    other = pf.Workspace(GENERATED["workspace"](SMALL._replace(shared=5))).model()
    sizes = common_sizes([model.likelihood, without_private(other.likelihood)])
    padded, more = pad(model.likelihood, np.asarray(data), sizes)
    n, pars = model.likelihood.n_pars, np.asarray(model.config.suggested_init())
    added = sizes.pars - n
    free = np.append(np.ones(n, bool), np.zeros(added, bool))
    found = metric(padded, jnp.asarray(more), jnp.asarray(np.append(pars, np.ones(added))), free)
    expected = metric(model.likelihood, data, jnp.asarray(pars), free[:n])
    assert added > 0
    close(found[:n, :n], expected)
    assert np.array_equal(found[n:], np.eye(n + added)[n:])


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_minima_and_derivatives_are_those_of_all_parameters(name: str) -> None:
    model, data = case(name)
    (likelihood,), names = model.tree_flatten()
    other = model.tree_unflatten(names, (without_private(likelihood),))
    found, expected = pf.covariance(data, model), pf.covariance(data, other)
    assert found.status == expected.status
    assert np.allclose(found.fit.twice_nll, expected.fit.twice_nll, rtol=0, atol=1e-9)
    assert np.allclose(found.fit.pars, expected.fit.pars, rtol=1e-7, atol=1e-7)
    assert np.allclose(found.covariance, expected.covariance, rtol=1e-6, atol=1e-9, equal_nan=True)
    assert np.allclose(pf.hypotest(1.0, data, model).cls, pf.hypotest(1.0, data, other).cls, rtol=1e-9)


def test_hessians_of_many_parameters_are_computed_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    model, data = case("large")
    space = model.likelihood.space
    problem = Problem(model.likelihood, data, space.init, space.lower, space.upper, space.fixed)
    whole = jax.jit(hessian)(problem, space.init)
    monkeypatch.setattr(sys.modules[hessian.__module__], "_COLUMNS", 4)
    blocks = jax.jit(lambda problem, pars: hessian(problem, pars))(problem, space.init)
    assert np.allclose(blocks, whole, rtol=1e-12, atol=1e-12)
