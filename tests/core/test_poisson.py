"""Poisson counts: moments, tails and whole distributions against SciPy's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array
from scipy import stats

import pyhf_func as pf
from pyhf_func.core.likelihood.poisson import poisson

N = 100_000
MEANS = [1e-3, 0.3, 0.999, 1.0, 2.7, 9.99, 10.0, 33.3, 1234.5, 4e6, 1e8, 1e10, 1e12]
draw = jax.jit(lambda key, rates: poisson(key, rates))


def counts(mean: float) -> np.ndarray:
    return np.asarray(draw(jax.random.key(MEANS.index(mean)), jnp.full(N, mean)))


@pytest.mark.parametrize("mean", MEANS)
def test_counts_follow_the_distribution(mean: float) -> None:
    """Mean, variance, the part beyond three standard deviations, and a chi-squared test in up to 40 groups."""
    found, deviation = counts(mean), np.sqrt(mean)
    np.testing.assert_array_equal(found, np.round(found))
    assert abs(found.mean() - mean) < 4.5 * deviation / np.sqrt(N)
    assert abs(found.var() / mean - 1) < 4.5 * np.sqrt((2 + 1 / mean) / N)
    low, high = np.ceil(mean - 3 * deviation), np.floor(mean + 3 * deviation)
    beyond = stats.poisson.sf(high, mean) + stats.poisson.cdf(low - 1, mean)
    assert abs(np.sum((found < low) | (found > high)) - N * beyond) < 4.5 * np.sqrt(N * beyond) + 1
    inner = np.unique(stats.poisson.ppf(np.linspace(0, 1, 41)[1:-1], mean))
    shares = np.diff([0.0, *stats.poisson.cdf(inner, mean), 1.0])
    observed = np.diff([0, *(np.sum(found <= edge) for edge in inner), N])
    used = N * shares > 5
    chi2 = np.sum((observed[used] - N * shares[used]) ** 2 / (N * shares[used]))
    assert used.sum() < 2 or stats.chi2.sf(chi2, used.sum() - 1) > 1e-4


def test_impossible_means_have_no_counts() -> None:
    found = draw(jax.random.key(0), jnp.array([0.0, -1.0, jnp.nan, jnp.inf]))
    np.testing.assert_array_equal(found, [0.0, np.nan, np.nan, np.nan])


def test_counts_are_the_same_alone_and_in_a_batch() -> None:
    keys, rates = jax.random.split(jax.random.key(1), 5), jnp.array([0.2, 3.0, 40.0, 1e8])
    together = jax.vmap(poisson, in_axes=(0, None))(keys, rates)
    np.testing.assert_array_equal(together, [poisson(key, rates) for key in keys])


def test_counts_have_no_derivative() -> None:
    def total(rates: Array) -> Array:
        return jnp.sum(poisson(jax.random.key(0), rates) * rates)

    rates = jnp.array([3.0, 40.0])
    np.testing.assert_array_equal(jax.grad(total)(rates), poisson(jax.random.key(0), rates))


def test_no_significance_without_a_test_statistic() -> None:
    """A count that is not a number: p-values and significances are NaN together."""
    model = pf.simplemodels.uncorrelated_background([12.0], [50.0], [3.0])
    found = jax.jit(pf.discovery)(jnp.array([np.nan, *model.config.auxdata]), model)
    for values in (found.p0, found.z, found.p0_expected, found.z_expected):
        assert np.all(np.isnan(values))
