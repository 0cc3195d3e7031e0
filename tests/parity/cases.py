"""The three programs on the zoo: the package, the slow reference, and pyhf. Costly things are made once."""

import zlib
from functools import cache
from typing import Any

import jax
import numpy as np
import pytest
from numpy.typing import NDArray

import pyhf_func as pf
from tests import reference, zoo
from tests.reference.fit import gradient, hessian, twice_nll
from tests.reference.inference import Hypotest
from tests.reference.model import ReferenceModel

Array = NDArray[np.float64]

TESTED = [
    "counting",
    "asymmetric_systematics",
    "negative_histosys",
    "ragged_channels",
    "negative_poi_bound",
    "shapesys_empty_bins",
    "over_fluctuation",
    "under_fluctuation",
    "large_counts",
    "tiny_counts",
    "everything",
]
"""The entries on which hypothesis tests are run: seconds of compilation each. The others are fitted."""


@cache
def ours(name: str) -> Any:
    """The package's model."""
    entry = zoo.ZOO[name]
    return pf.Workspace(entry.spec).model(measurement_name=_measurement(name))


@cache
def slow(name: str) -> ReferenceModel:
    """The reference's model."""
    entry = zoo.ZOO[name]
    return reference.reference_model(entry.spec, entry.measurement)


@cache
def theirs(name: str) -> Any:
    """pyhf's model; ask for the fixture `pyhf_numpy` first."""
    import pyhf

    return pyhf.Workspace(zoo.ZOO[name].spec).model(measurement_name=_measurement(name))


def _measurement(name: str) -> str:
    entry = zoo.ZOO[name]
    return entry.measurement or entry.spec["measurements"][0]["name"]


@cache
def observed(name: str) -> tuple[float, ...]:
    """Observed counts and auxiliary data, from the reference."""
    return (*reference.main_data(zoo.ZOO[name].spec), *slow(name).auxdata)


def random_points(model: ReferenceModel, seed: str, count: int = 5) -> Array:
    """Points inside the bounds, near and far from the suggested start; shape (count, pars)."""
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    low, high = np.array(model.bounds).T
    size = rng.choice([0.1, 0.7, 2.0], size=(count, 1))
    moved = np.array(model.inits) + size * rng.normal(size=(count, model.npars))
    inside = np.clip(moved, low, high)
    inside[0] = model.inits
    return inside


@cache
def slow_test(name: str, kind: str = "qtilde") -> Hypotest:
    """The reference's hypothesis test of the entry's signal strength."""
    return reference.hypotest(slow(name), list(observed(name)), zoo.ZOO[name].mu, kind)


@cache
def slow_fit(name: str) -> reference.Fit:
    """The reference's free fit to the observed data."""
    if zoo.ZOO[name].no_test:
        return reference.fit(slow(name), list(observed(name)))
    return slow_test(name, "q").free_fit


@cache
def our_test(name: str, kind: str = "qtilde") -> Any:
    """The package's hypothesis test of the entry; models of one structure share a program."""
    return pf.hypotest(zoo.ZOO[name].mu, np.array(observed(name)), ours(name), test_stat=kind)


@cache
def our_fit(name: str) -> Any:
    """The package's free fit: that of the hypothesis test where there is one, which saves a compilation."""
    if name in TESTED:
        return our_test(name, "q").free_fit
    return pf.fit(np.array(observed(name)), ours(name))


@jax.jit
def evaluate(model: Any, pars: jax.Array, data: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Expected data, log-density and its gradient at several points: one program a model structure."""

    def at(point: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        logpdf, gradient = jax.value_and_grad(lambda p: model.logpdf(p, data))(point)
        return model.expected_data(point), logpdf, gradient

    return jax.vmap(at)(pars)


def assert_relative(actual: Any, expected: Any, tolerance: float = 1e-11) -> None:
    """Element by element, relative to the expected number; zeros must be zeros."""
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=tolerance, atol=0)


def assert_good_fit(name: str, found: Any) -> None:
    """The package's free fit: in the box, at the reference's minimum, with the value of its point."""
    model, data, best = slow(name), list(observed(name)), slow_fit(name)
    pars, low, high = np.asarray(found.pars, dtype=float), *np.array(model.bounds).T
    free = ~np.array(model.fixed)
    rounding = 4 * model.rounding(pars.tolist(), data)
    assert int(found.status) == 0
    assert float(found.twice_nll) == pytest.approx(best.twice_nll, abs=1e-8 + rounding)
    assert float(found.twice_nll) == pytest.approx(twice_nll(model, pars, data), abs=1e-10 + rounding)
    assert np.all((pars >= low) & (pars <= high) | ~free)
    np.testing.assert_array_equal(pars[~free], np.array(model.inits)[~free])
    np.testing.assert_array_equal(np.asarray(found.at_bound)[free], ((pars == low) | (pars == high))[free])
    assert_nothing_pulls(model, pars, data)


def assert_nothing_pulls(slow: ReferenceModel, pars: Array, data: list[float]) -> None:
    """The reference's slope: zero where a parameter may move (to 1e-4 deviations), outward at a bound."""
    free = [i for i, fixed in enumerate(slow.fixed) if not fixed]
    curvatures = np.diag(hessian(slow, pars, data, free))
    for i, slope, curvature in zip(free, gradient(slow, pars, data, free), curvatures, strict=True):
        allowed = 1e-4 * max(1.0, float(np.sqrt(abs(curvature))))
        low, high = slow.bounds[i]
        assert slope > -allowed or pars[i] == high
        assert slope < allowed or pars[i] == low


def assert_not_above_pyhf(name: str, found: Any) -> None:
    """Twice the NLL of the free fit is at most pyhf's."""
    import pyhf

    data = np.array(observed(name))
    pars, value = pyhf.infer.mle.fit(data, theirs(name), return_fitted_val=True)
    rounding = 4 * slow(name).rounding(pars.tolist(), data.tolist())
    assert float(found.twice_nll) <= float(value) + 1e-8 + rounding
