"""Fits with a negative signal strength start where all yields are positive."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core.compiler import resolve_start
from pyhf_func.core.fit import Problem
from pyhf_func.core.fit.feasible import feasible_start


def problem(model: Any, data: Any, **start: Any) -> Problem:
    likelihood = model.likelihood
    return Problem(likelihood, jnp.asarray(data), *resolve_start(likelihood.space, model.config.par_slices, **start))


def with_subtracted_signal(rng: np.random.Generator) -> tuple[Any, Any, float]:
    """A model, data and a signal strength at which some nominal yields, but not the reachable ones, are negative."""
    n = 3
    background, uncertainty = rng.uniform(2, 50, n), rng.uniform(0.05, 0.3, n)
    mu = -float(rng.uniform(1.0, 2.0))
    signal = background / -mu * rng.uniform(0.2, 1.25, n)
    signal[0] = background[0] / -mu * rng.uniform(1.02, 1.25)
    spec = {"channels": [{"name": "SR", "samples": [
        {"name": "signal", "data": signal.tolist(), "modifiers": [
            {"name": "mu", "type": "normfactor", "data": None}]},
        {"name": "background", "data": background.tolist(), "modifiers": [
            {"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}},
            {"name": "bins", "type": "shapesys", "data": (uncertainty * background).tolist()}]}]}],
        "parameters": [{"name": "mu", "bounds": [[-5.0, 5.0]]}]}  # fmt: skip
    model = pf.Model(spec)
    return model, [*rng.poisson(background).astype(float), *model.config.auxdata], mu


@pytest.mark.parametrize("seed", range(8))
def test_a_point_with_positive_yields_is_found_inside_the_bounds(seed: int) -> None:
    model, data, mu = with_subtracted_signal(np.random.default_rng(seed))
    asked = problem(model, data, fixed={"mu": mu})
    assert np.any(np.asarray(model.expected_actualdata(asked.init)) < 0)
    found = jax.jit(feasible_start)(asked)
    assert np.all(np.asarray(model.expected_actualdata(found)) > 0)
    assert np.all((found >= asked.lower) & (found <= asked.upper))
    assert found[model.config.poi_index] == mu
    assert np.isfinite(model.logpdf(found, data))


def test_a_start_with_positive_yields_is_kept() -> None:
    model, data, _ = with_subtracted_signal(np.random.default_rng(0))
    asked = problem(model, data, init={"rate": 7.0})
    np.testing.assert_array_equal(feasible_start(asked), jnp.clip(asked.init, asked.lower, asked.upper))


def test_the_search_ends_where_there_is_no_such_point() -> None:
    model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [3.0], "modifiers": [
        {"name": "mu", "type": "normfactor", "data": None}]}]}]})  # fmt: skip
    found = jax.jit(feasible_start)(problem(model, [2.0], fixed={"mu": -1.0}))
    assert found.tolist() == [-1.0]


def test_starts_of_a_batch_are_found_one_by_one() -> None:
    model, data, mu = with_subtracted_signal(np.random.default_rng(3))
    values = jnp.array([1.0, mu, 0.5 * mu])
    batch = jax.vmap(lambda value: feasible_start(problem(model, data, fixed={"mu": value})))(values)
    alone = [feasible_start(problem(model, data, fixed={"mu": value})) for value in values]
    np.testing.assert_allclose(batch, jnp.stack(alone), rtol=1e-12)
    assert all(np.all(np.asarray(model.expected_actualdata(pars)) > 0) for pars in batch[:2])
