"""Fits against the patient reference fit and pyhf; entries with a hypothesis test are with those tests."""

from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from tests import zoo
from tests.parity import cases
from tests.reference import fit_fixed_poi

# Some of these documents are dubious on purpose.
pytestmark = pytest.mark.filterwarnings("default::pyhf_func.exceptions.WorkspaceWarning")

FITTED = pytest.mark.parametrize("name", [name for name in zoo.names() if name not in cases.TESTED])


@pytest.mark.slow
@FITTED
def test_reaches_the_minimum(name: str) -> None:
    cases.assert_good_fit(name, cases.our_fit(name))


@pytest.mark.slow
@FITTED
def test_never_above_pyhf(name: str, pyhf_numpy: ModuleType) -> None:
    cases.assert_not_above_pyhf(name, cases.our_fit(name))


@pytest.mark.parametrize("name", ["two_measurements_second", "awkward_names"])
@pytest.mark.parametrize("mu", [0.0, 2.3])
def test_conditional_fit(name: str, mu: float) -> None:
    """The POI fixed by name, as a mask of the same program."""
    slow, data = cases.slow(name), list(cases.observed(name))
    found = pf.fit(jnp.array(data), cases.ours(name), fixed={str(slow.poi_name): mu})
    best = fit_fixed_poi(slow, data, mu)
    assert slow.poi_index is not None
    assert float(found.pars[slow.poi_index]) == mu
    assert float(found.twice_nll) == pytest.approx(best.twice_nll, abs=1e-8)


@pytest.mark.slow
def test_many_data_sets_at_once() -> None:
    """A mapped fit is the fit of each; one hopeless member does not spoil the others."""
    name = "two_measurements_second"
    model, data = cases.ours(name), np.array(cases.observed(name))
    shifted = np.array([data * np.array([*[f] * 3, 1.0]) for f in (0.8, 1.0, np.nan, 1.3)])
    mapped = jax.vmap(pf.fit, in_axes=(0, None))(shifted, model)
    assert (np.asarray(mapped.status) == 0).tolist() == [True, True, False, True]
    for k in (0, 1, 3):
        alone = pf.fit(shifted[k], model)
        assert float(mapped.twice_nll[k]) == pytest.approx(float(alone.twice_nll), abs=1e-9)
        np.testing.assert_allclose(mapped.pars[k], alone.pars, atol=1e-6)


@pytest.mark.slow
def test_random_starts_reach_the_same_minimum() -> None:
    name = "configured_parameters"
    model, slow = cases.ours(name), cases.slow(name)
    low, high = np.array(slow.bounds).T
    starts = np.random.default_rng(5).uniform(low, np.minimum(high, 5.0), size=(50, slow.npars))
    data = jnp.array(cases.observed(name))
    found = jax.vmap(lambda start: pf.fit(data, model, init=start))(starts)
    reached = np.abs(np.asarray(found.twice_nll) - cases.slow_fit(name).twice_nll) < 1e-7
    assert np.all(reached | (np.asarray(found.status) != 0)), "it says that it converged, but not to the minimum"
    assert np.mean(reached) > 0.9
