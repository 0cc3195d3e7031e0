"""Log densities of the two distributions that HistFactory uses. Elementwise; all arguments broadcast."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import gammaln
from jax.typing import ArrayLike

_LOG_SQRT_TWO_PI = 0.5 * math.log(2 * math.pi)


def poisson_logpdf(n: Array, rate: Array) -> Array:
    """``n log(rate) - rate - log Gamma(n + 1)``, continued to real ``n >= 0``.

    An empty observation (``n = 0``) gives ``-rate`` for any rate; a positive observation at a rate that is not
    positive has no density: ``-inf``. Derivatives are finite wherever the value is.

    Example:
        >>> float(poisson_logpdf(jnp.array(0.0), jnp.array(0.0)))
        0.0
    """
    positive = rate > 0
    logarithm = jnp.log(jnp.where(positive, rate, 1.0))
    # At n = 0 and rate = 0 the term is 0 with slope 0, as the limit n -> 0 at fixed rate has it.
    logarithm = jnp.where(positive | (n == 0), logarithm, -jnp.inf)
    return n * logarithm - rate - gammaln(n + 1)


def normal_logpdf(x: ArrayLike, mean: ArrayLike, sigma: Array) -> Array:
    """Log density of a Gaussian.

    Example:
        >>> round(float(normal_logpdf(jnp.array(1.0), jnp.array(0.0), jnp.array(1.0))), 6)
        -1.418939
    """
    pull = jnp.subtract(x, mean) / sigma
    return -(jnp.log(sigma) + _LOG_SQRT_TWO_PI + 0.5 * pull**2)
