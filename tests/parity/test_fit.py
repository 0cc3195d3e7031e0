"""Fits against the patient reference fit and against pyhf, over the zoo."""

from functools import cache
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from tests import zoo
from tests.parity import cases
from tests.reference import fit_fixed_poi
from tests.reference.fit import gradient, twice_nll

EVERY = pytest.mark.parametrize("name", zoo.names())
compiled_fit = jax.jit(lambda data, model: pf.fit(data, model))


@cache
def our_fit(name: str) -> Any:
    return compiled_fit(jnp.array(cases.observed(name)), cases.ours(name))


def rounding(name: str, pars: np.ndarray[Any, Any]) -> float:
    """Twice that of the log-density, for each of two programs."""
    return 4 * cases.slow(name).rounding(pars.tolist(), list(cases.observed(name)))


@EVERY
def test_reaches_the_minimum(name: str) -> None:
    """Twice the NLL within 1e-8 of the reference's; the reported value is that of the point."""
    found, slow, data = our_fit(name), cases.slow(name), list(cases.observed(name))
    pars, best = np.asarray(found.pars), cases.slow_fit(name)
    assert float(found.twice_nll) == pytest.approx(best.twice_nll, abs=1e-8 + rounding(name, pars))
    assert float(found.twice_nll) == pytest.approx(
        twice_nll(slow, pars, data), abs=1e-10 + rounding(name, pars)
    )


@EVERY
def test_stays_inside_the_bounds_and_keeps_fixed_parameters(name: str) -> None:
    pars, slow = np.asarray(our_fit(name).pars), cases.slow(name)
    low, high = np.array(slow.bounds).T
    free = ~np.array(slow.fixed)
    assert np.all(pars[free] >= low[free])
    assert np.all(pars[free] <= high[free])
    np.testing.assert_array_equal(pars[~free], np.array(slow.inits)[~free])


@EVERY
def test_parameters_at_bounds_are_named(name: str) -> None:
    at_bound = np.asarray(our_fit(name).at_bound)
    pars, slow = np.asarray(our_fit(name).pars), cases.slow(name)
    low, high = np.array(slow.bounds).T
    free = ~np.array(slow.fixed)
    np.testing.assert_array_equal(at_bound[free], ((pars == low) | (pars == high))[free])


@EVERY
def test_nothing_pulls_at_the_free_parameters(name: str) -> None:
    """The reference's gradient: zero where a parameter may move, towards the bound where it is held."""
    slow, data, found = cases.slow(name), list(cases.observed(name)), our_fit(name)
    pars = np.asarray(found.pars, dtype=float)
    free = [i for i, fixed in enumerate(slow.fixed) if not fixed]
    slopes = gradient(slow, pars, data, free)
    low, high = np.array(slow.bounds).T
    scale = 1e-4 * np.sqrt(1 + np.abs(cases.slow_fit(name).twice_nll))
    for i, slope in zip(free, slopes, strict=True):
        if pars[i] == low[i]:
            assert slope > -scale
        elif pars[i] == high[i]:
            assert slope < scale
        else:
            assert abs(slope) < scale * max(1.0, curvature_scale(name, i))


@cache
def curvature_scale(name: str, i: int) -> float:
    """Square root of the second derivative: 1e-4 of it is a slope 1e-4 deviations from the minimum."""
    slow, data, pars = cases.slow(name), list(cases.observed(name)), cases.slow_fit(name).pars
    step = 1e-4 * max(1e-2, abs(pars[i]))
    up, down = pars.copy(), pars.copy()
    up[i] += step
    down[i] -= step
    second = (gradient(slow, up, data, [i])[0] - gradient(slow, down, data, [i])[0]) / (2 * step)
    return float(np.sqrt(abs(second)))


@EVERY
def test_never_above_pyhf(name: str, pyhf_numpy: ModuleType) -> None:
    data = np.array(cases.observed(name))
    pars, value = pyhf_numpy.infer.mle.fit(data, cases.theirs(name), return_fitted_val=True)
    found = our_fit(name)
    assert float(found.twice_nll) <= float(value) + 1e-8 + rounding(name, np.asarray(pars))


@pytest.mark.parametrize("name", ["counting", "under_fluctuation", "poi_in_the_middle", "everything"])
@pytest.mark.parametrize("mu", [0.0, 2.3])
def test_conditional_fit(name: str, mu: float) -> None:
    """The POI fixed by name, as a mask of the same program."""
    slow, data = cases.slow(name), list(cases.observed(name))
    found = pf.fit(jnp.array(data), cases.ours(name), fixed={str(slow.poi_name): mu})
    best = fit_fixed_poi(slow, data, mu)
    assert slow.poi_index is not None
    assert float(found.pars[slow.poi_index]) == mu
    assert float(found.twice_nll) == pytest.approx(best.twice_nll, abs=1e-8)


def test_many_data_sets_at_once() -> None:
    """A mapped fit is the fit of each; one hopeless member does not spoil the others."""
    name = "asymmetric_systematics"
    model, data = cases.ours(name), np.array(cases.observed(name))
    shifted = np.array([data * np.array([f, f, 1.0, 1, 1]) for f in (0.8, 1.0, 1.3)])
    mapped = jax.jit(jax.vmap(pf.fit, in_axes=(0, None)))(shifted, model)
    for k, member in enumerate(shifted):
        alone = pf.fit(jnp.array(member), model)
        assert float(mapped.twice_nll[k]) == pytest.approx(float(alone.twice_nll), abs=1e-9)
        np.testing.assert_allclose(mapped.pars[k], alone.pars, atol=1e-5)


def test_random_starts_reach_the_same_minimum() -> None:
    name = "everything"
    model, slow = cases.ours(name), cases.slow(name)
    low, high = np.array(slow.bounds).T
    starts = np.random.default_rng(5).uniform(low, np.minimum(high, 5.0), size=(50, slow.npars))
    data = jnp.array(cases.observed(name))
    found = jax.jit(jax.vmap(lambda start: pf.fit(data, model, init=start)))(starts)
    reached = np.abs(np.asarray(found.twice_nll) - cases.slow_fit(name).twice_nll) < 1e-7
    converged = np.asarray(found.status) == np.asarray(our_fit(name).status)
    assert np.all(reached | ~converged), "a fit says that it converged, but not to the minimum"
    assert np.mean(reached) > 0.9
