"""Measurements of positive factors: log-normal and gamma.

The factor is the parameter itself, or ``1 + sigma x`` of parameters in standard deviations, whose nominal datum is
zero: ``b(x) = o + s x`` with ``(o, s) = (0, 1)`` or ``(1, sigma)``. Both densities depend on ``beta = b(x) / b(a)``.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import gammaln

from pyhf_func.core.constraints.base import Density, over
from pyhf_func.core.density import normal_logpdf


class _Positive(Density):
    attributes = ("sigmas",)

    def numbers(self, parameter: Any) -> tuple[tuple[float, ...], ...]:
        """Widths, and the offset of the factor."""
        return parameter.sigmas, tuple(0.0 if datum else 1.0 for datum in parameter.auxdata)

    def logpdf(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """The factor's density, as one of the datum."""
        return -self.value(aux, par, *numbers) - self.constant(aux, *numbers)

    def lowest(self, *numbers: Array) -> Array:
        """Where the factor is zero."""
        return -numbers[1] / _slope(*numbers)


class LogNormal(_Positive):
    """The logarithm of the measured factor is Gaussian around that of the true one, with the width log(1 + sigma)."""

    name = word = "lognormal"

    def value(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``(log(beta) / log(1 + sigma))^2 / 2``."""
        factor = _factor(par, *numbers)
        pull = _log(over(factor, _factor(aux, *numbers))) / jnp.log1p(numbers[0])
        return jnp.where(factor > 0, 0.5 * pull**2, jnp.inf)

    def gradient(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``log(beta) / log(1 + sigma)^2 s / b(x)``."""
        factor = _factor(par, *numbers)
        distance = _log(over(factor, _factor(aux, *numbers)))
        return distance / jnp.log1p(numbers[0]) ** 2 * over(_slope(*numbers), factor)

    def curvature(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``(1 - log(beta)) / log(1 + sigma)^2 (s / b(x))^2``."""
        factor = _factor(par, *numbers)
        distance = _log(over(factor, _factor(aux, *numbers)))
        return (1 - distance) / jnp.log1p(numbers[0]) ** 2 * over(_slope(*numbers), factor) ** 2

    def constant(self, aux: Array, *numbers: Array) -> Array:
        """``log(sqrt(2 pi) log(1 + sigma) b(a) / s)``."""
        return _log(over(_factor(aux, *numbers), _slope(*numbers))) - normal_logpdf(0.0, 0.0, jnp.log1p(numbers[0]))

    def sample(self, key: Array, par: Array, *numbers: Array) -> Array:
        """The factor times a log-normal number."""
        size = jnp.log1p(numbers[0]) * jax.random.normal(key, par.shape, par.dtype)
        return (_factor(par, *numbers) * jnp.exp(size) - numbers[1]) / _slope(*numbers)

    def width(self, aux: Array, *numbers: Array) -> Array:
        """``log(1 + sigma) b(a) / s``."""
        return jnp.log1p(numbers[0]) * over(_factor(aux, *numbers), _slope(*numbers))

    def pull_of_datum(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``s / (b(x) log(1 + sigma))``."""
        return over(_slope(*numbers), _factor(par, *numbers) * jnp.log1p(numbers[0]))


class Gamma(_Positive):
    """The quotient of the true factor and the measured one has a gamma distribution with mean 1 and width sigma."""

    name = word = "gamma"

    def value(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``(beta - 1 - log(beta)) / sigma^2``."""
        factor = _factor(par, *numbers)
        beta = over(factor, _factor(aux, *numbers))
        return jnp.where(factor > 0, (beta - 1 - _log(beta)) / numbers[0] ** 2, jnp.inf)

    def gradient(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``(1 / b(a) - 1 / b(x)) s / sigma^2``."""
        slope = _slope(*numbers) / numbers[0] ** 2
        return over(slope, _factor(aux, *numbers)) - over(slope, _factor(par, *numbers))

    def curvature(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``(s / (sigma b(x)))^2``."""
        return over(_slope(*numbers), numbers[0] * _factor(par, *numbers)) ** 2

    def constant(self, aux: Array, *numbers: Array) -> Array:
        """That of the gamma distribution, with the datum's own scale."""
        shape = 1 / numbers[0] ** 2
        scale = over(_factor(aux, *numbers), _slope(*numbers))
        return gammaln(shape) + shape - shape * jnp.log(shape) + _log(scale)

    def sample(self, key: Array, par: Array, *numbers: Array) -> Array:
        """The factor over a gamma number of mean one."""
        shape = 1 / numbers[0] ** 2
        draw = jax.random.gamma(key, shape, par.shape, par.dtype) / shape
        return (_factor(par, *numbers) / draw - numbers[1]) / _slope(*numbers)

    def width(self, aux: Array, *numbers: Array) -> Array:
        """``sigma b(a) / s``."""
        return numbers[0] * over(_factor(aux, *numbers), _slope(*numbers))

    def pull_of_datum(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``s / (sigma b(a))``."""
        return over(_slope(*numbers), numbers[0] * _factor(aux, *numbers))


def _slope(sigma: Array, offset: Array) -> Array:
    return jnp.where(offset > 0, sigma, 1.0)


def _factor(x: Array, sigma: Array, offset: Array) -> Array:
    return offset + _slope(sigma, offset) * x


def _log(x: Array) -> Array:
    """The logarithm; zero where there is none."""
    return jnp.log(jnp.where(x > 0, x, 1.0))
