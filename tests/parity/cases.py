"""The three programs on the zoo: the package, the slow reference, and pyhf. Costly things are made once."""

import zlib
from functools import cache
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

import pyhf_func as pf
from tests import reference, zoo
from tests.reference.inference import Hypotest
from tests.reference.model import ReferenceModel

Array = NDArray[np.float64]


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
    return slow_test(name).free_fit


@cache
def our_test(name: str, kind: str = "qtilde") -> Any:
    """The package's hypothesis test of the entry's signal strength, compiled."""
    return compiled_test(kind)(zoo.ZOO[name].mu, np.array(observed(name)), ours(name))


@jax.jit
def evaluate(model: Any, pars: jax.Array, data: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Expected data, log-density and its gradient at several points: one program a model structure."""

    def at(point: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        logpdf, gradient = jax.value_and_grad(lambda p: model.logpdf(p, data))(point)
        return model.expected_data(point), logpdf, gradient

    return jax.vmap(at)(pars)


@cache
def compiled_test(kind: str) -> Any:
    """`pf.hypotest(mu, data, model)` under jit, for one test statistic."""
    return jax.jit(lambda mu, data, model: pf.hypotest(mu, data, model, test_stat=kind))


def assert_relative(actual: Any, expected: Any, tolerance: float = 1e-11) -> None:
    """Element by element, relative to the expected number; zeros must be zeros."""
    np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=tolerance, atol=0)
