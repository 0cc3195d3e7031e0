"""Poisson and Gaussian log densities: against SciPy, at the edges of their domain, with finite derivatives."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array
from scipy import stats
from scipy.special import gammaln

from pyhf_func.core.density import normal_logpdf, poisson_logpdf


@jax.jit
def derivatives(n: Array, rate: Array) -> Any:
    """Gradient and Hessian of the Poisson density."""
    return jax.grad(poisson_logpdf, (0, 1))(n, rate), jax.hessian(poisson_logpdf, (0, 1))(n, rate)


def test_poisson_is_that_of_scipy() -> None:
    n, rate = np.meshgrid([0, 1, 2, 7, 300, 10**6], [1e-300, 1e-3, 0.7, 5.0, 299.0, 1e6])
    rounding = 1e-16 * (n * np.abs(np.log(rate)) + rate + gammaln(n + 1))  # of the terms, which cancel
    difference = np.abs(np.asarray(poisson_logpdf(n * 1.0, rate)) - stats.poisson.logpmf(n, rate))
    assert np.all(difference <= 4 * rounding + 1e-14)


def test_poisson_between_the_integers() -> None:
    n, rate = 3.4, 2.1
    expected = n * math.log(rate) - rate - math.lgamma(n + 1)
    assert float(poisson_logpdf(jnp.array(n), jnp.array(rate))) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("rate", [0.0, 1e-310, 2.5])
def test_nothing_observed(rate: float) -> None:
    assert float(poisson_logpdf(jnp.array(0.0), jnp.array(rate))) == pytest.approx(-rate, abs=1e-300)


@pytest.mark.parametrize("rate", [-3.0, -1e-9, -1e-300])
def test_a_negative_rate_has_no_density_unless_it_is_continued(rate: float) -> None:
    none, density = jnp.array(0.0), jnp.array(rate)
    assert float(poisson_logpdf(none, density)) == -math.inf
    assert float(poisson_logpdf(none, density, continued=True)) == -rate
    assert math.isfinite(float(jax.grad(poisson_logpdf, 1)(none, density)))


@pytest.mark.parametrize("rate", [0.0, -0.0, -1e-9, -3.0])
@pytest.mark.parametrize("n", [1e-3, 1.0, 40.0])
def test_events_without_expectation_have_no_density(n: float, rate: float) -> None:
    assert float(poisson_logpdf(jnp.array(n), jnp.array(rate))) == -math.inf


@pytest.mark.parametrize(("n", "rate"), [(0.0, 0.0), (0.0, 3.0), (4.0, 2.5), (0.5, 1e-12), (1e6, 2e6)])
def test_poisson_derivatives(n: float, rate: float) -> None:
    """Finite wherever the value is; ``n / rate - 1`` and ``-n / rate^2``."""
    point = jnp.array(n), jnp.array(rate)
    first, second = derivatives(*point)
    assert all(math.isfinite(float(x)) for x in jax.tree.leaves((first, second)))
    assert float(first[1]) == pytest.approx(n / rate - 1 if n else -1.0, rel=1e-13)
    assert float(second[1][1]) == pytest.approx(-n / rate**2 if n else 0.0, rel=1e-13)
    if rate > 0:
        digamma = float(jax.scipy.special.digamma(n + 1))
        assert float(first[0]) == pytest.approx(math.log(rate) - digamma, rel=1e-10)


def test_normal_is_that_of_scipy() -> None:
    x, mean, sigma = np.meshgrid([-40.0, 0.0, 1.3], [-2.0, 0.0, 1.0], [1e-3, 1.0, 25.0])
    np.testing.assert_allclose(normal_logpdf(x, mean, sigma), stats.norm.logpdf(x, mean, sigma), rtol=1e-13)


def test_normal_derivatives() -> None:
    x, mean, sigma = 1.4, 0.3, 0.6
    pull = (x - mean) / sigma
    found = jax.grad(normal_logpdf, (0, 1, 2))(x, mean, jnp.array(sigma))
    np.testing.assert_allclose(found, [-pull / sigma, pull / sigma, (pull**2 - 1) / sigma], rtol=1e-13)


def test_sums_of_probabilities() -> None:
    """Poisson probabilities sum to one."""
    n = jnp.arange(200.0)
    assert float(jnp.sum(jnp.exp(jax.jit(poisson_logpdf)(n, jnp.array(37.5))))) == pytest.approx(1.0, rel=1e-13)
