"""Every minimiser behind the one signature: the same minimum, or a status that says that it is none."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import pytest
from jax import Array

import pyhf_func as pf
from pyhf_func.exceptions import InvalidOptimizer
from tests.core import toy
from tests.parity import cases

IN_JAX = [("lbfgs", 1e-8), (pf.FirstOrder(optax.adam(0.1)), 1e-5)]
ON_HOST = [("scipy", 1e-8), (pf.SciPy(method="SLSQP"), 1e-8), ("minuit", 1e-5), (pf.Minuit(strategy=0), 1e-5)]


def need(minimiser: Any) -> None:
    if minimiser == "minuit" or isinstance(minimiser, pf.Minuit):
        pytest.importorskip("iminuit")


@pytest.mark.slow
@pytest.mark.parametrize(("minimiser", "digits"), [("newton", 1e-9), (pf.Newton(), 1e-9), *IN_JAX, *ON_HOST])
def test_they_agree(minimiser: Any, digits: float) -> None:
    """Free, with the POI fixed, and with the POI at its bound."""
    need(minimiser)
    model, data = toy.toy()
    for counts, fixed in ((data, {}), (data, {"mu": 1.5}), (toy.with_counts(45.0, 35.0), {})):
        best = pf.fit(counts, model, fixed=fixed)
        found = pf.fit(counts, model, fixed=fixed, minimiser=minimiser)
        assert pf.Status(int(found.status)) is pf.Status.CONVERGED
        assert float(found.twice_nll) == pytest.approx(float(best.twice_nll), abs=digits)
        np.testing.assert_allclose(found.pars, best.pars, atol=10 * digits**0.5)
        np.testing.assert_array_equal(found.at_bound, best.at_bound)
    assert found.at_bound[toy.place("mu")]
    unbounded = pf.fit(data, model, bounds={"mu": (0, np.inf), "norm": (-np.inf, np.inf)}, minimiser=minimiser)
    assert pf.Status(int(unbounded.status)) is pf.Status.CONVERGED
    np.testing.assert_allclose(unbounded.pars, pf.fit(data, model).pars, atol=10 * digits**0.5)


@pytest.mark.slow
@pytest.mark.parametrize("minimiser", [pf.FirstOrder(optax.adam(1e-3), iterations=20), pf.SciPy(iterations=1)])
def test_too_few_iterations_say_so(minimiser: Any) -> None:
    model, _ = toy.toy()
    found = pf.fit(toy.with_counts(120.0, 20.0), model, init={"mu": 9.0}, minimiser=minimiser)
    assert pf.Status(int(found.status)) is pf.Status.ITERATION_LIMIT
    assert np.all(np.isfinite(found.pars))


@pytest.mark.parametrize("minimiser", ["scipy", "minuit"])
def test_host_minimisers_refuse_to_be_traced(minimiser: str) -> None:
    need(minimiser)
    model, data = toy.toy()

    def value(data: Array) -> Array:
        return pf.fit(data, model, minimiser=minimiser).twice_nll

    for transformed, argument in ((jax.jit(value), data), (jax.grad(value), data), (jax.vmap(value), data[None])):
        with pytest.raises(TypeError, match="host"):
            transformed(argument)


def test_unknown_minimiser() -> None:
    model, data = toy.toy()
    for call in (
        lambda: pf.fit(data, model, minimiser="simplex"),
        lambda: pf.hypotest(1.0, data, model, minimiser="simplex"),
    ):
        with pytest.raises(InvalidOptimizer, match="'simplex'.*newton.*minuit"):
            call()


def random_starts(model: Any, count: int, seed: int) -> np.ndarray:
    """Anywhere inside the bounds."""
    low, high = np.array(model.config.suggested_bounds()).T
    return np.random.default_rng(seed).uniform(low, high, (count, len(low)))


def assert_same_minimum(model: Any, data: Any, count: int, digits: float) -> None:
    """Every start that claims to have converged found the lowest minimum, and nearly all did."""
    fixed = np.array(model.config.suggested_fixed())
    init = np.where(fixed, np.array(model.config.suggested_init()), random_starts(model, count, 17))
    best = pf.fit(data, model)
    assert pf.Status(int(best.status)) is pf.Status.CONVERGED
    found = [pf.fit(data, model, init=start) for start in init]
    converged = np.array([int(f.status) == 0 for f in found])
    above = np.array([float(f.twice_nll) for f in found]) - float(best.twice_nll)
    assert np.all(np.abs(above[converged]) < digits)
    assert np.mean(converged) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", ["everything", "ragged_channels"])
def test_random_starts(name: str) -> None:
    assert_same_minimum(cases.ours(name), np.array(cases.observed(name)), 20, 1e-8)


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.filterwarnings("ignore::pyhf_func.exceptions.WorkspaceWarning")
@pytest.mark.parametrize("name", ["multibinC-2018-22", "sbottomA-2018-31", "3l-onshell-2019-09"])
def test_random_starts_on_published_files(name: str, shared_data: Path) -> None:
    workspace = pf.Workspace(json.loads((shared_data / f"{name}.json").read_text(encoding="utf-8")))
    model = workspace.model()
    assert_same_minimum(model, np.array(workspace.data(model)), 50, 1e-6)
