"""Log densities of the two distributions that HistFactory uses. Elementwise; all arguments broadcast."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import gammaln
from jax.typing import ArrayLike

_LOG_SQRT_TWO_PI = 0.5 * math.log(2 * math.pi)


def poisson_logpdf(n: Array, rate: Array, *, continued: bool = False) -> Array:
    """``n log(rate) - rate - log Gamma(n + 1)``, continued to real ``n >= 0``.

    A negative rate has no density, whatever was observed, and a rate of zero none for events: ``-inf``. An empty
    observation gives ``-rate``; where the density is ``continued``, also for negative rates. Derivatives are finite
    wherever the value is.

    Example:
        >>> float(poisson_logpdf(jnp.array(0.0), jnp.array(0.0)))
        0.0
        >>> float(poisson_logpdf(jnp.array(0.0), jnp.array(-2.0)))
        -inf
    """
    positive = rate > 0
    logarithm = jnp.log(jnp.where(positive, rate, 1.0))
    # At n = 0 and rate = 0 the term is 0 with slope 0, as the limit n -> 0 at fixed rate has it.
    logarithm = jnp.where(positive | (n == 0), logarithm, -jnp.inf)
    density = n * logarithm - rate - gammaln(n + 1)
    return density if continued else jnp.where(rate < 0, -jnp.inf, density)


def normal_logpdf(x: ArrayLike, mean: ArrayLike, sigma: Array) -> Array:
    """Log density of a Gaussian.

    Example:
        >>> round(float(normal_logpdf(jnp.array(1.0), jnp.array(0.0), jnp.array(1.0))), 6)
        -1.418939
    """
    pull = jnp.subtract(x, mean) / sigma
    return -(jnp.log(sigma) + _LOG_SQRT_TWO_PI + 0.5 * pull**2)


def poisson_value(n: Array, rate: Array, *, continued: bool = False) -> Array:
    """``rate - n log(rate / n) - n``: zero at ``rate = n``, so that small differences keep their digits.

    A negative count has no density; nor has a negative rate, unless the density of empty bins is ``continued``.
    """
    positive = rate > 0
    logarithm = jnp.log(jnp.where(positive, rate, 1.0) / jnp.where(n > 0, n, 1.0))
    term = jnp.where(positive & (n > 0), n * logarithm, -jnp.inf)
    found = rate - n - jnp.where(n == 0, 0.0, term)
    return found if continued else jnp.where(rate < 0, jnp.inf, found)


def ratio(numerator: Array, rate: Array) -> Array:
    """``numerator / rate``, and zero where the rate is not positive."""
    positive = rate > 0
    return jnp.where(positive, numerator / jnp.where(positive, rate, 1.0), 0.0)
