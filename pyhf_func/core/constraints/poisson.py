"""Poisson counts."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.constraints.base import Density, over
from pyhf_func.core.density import poisson_logpdf, poisson_value


class Poisson(Density):
    """``aux`` is a count with the mean parameter × ``factor``."""

    name = word = "poisson"
    attributes = ("factors",)
    counts = True

    def logpdf(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """See `poisson_logpdf`."""
        return poisson_logpdf(aux, par * numbers[0])

    def value(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """See `poisson_value`."""
        return poisson_value(aux, par * numbers[0])

    def gradient(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``tau - n / x``."""
        return numbers[0] - aux / _positive(par)

    def curvature(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``n / x^2``."""
        return aux / _positive(par) ** 2

    def constant(self, aux: Array, *numbers: Array) -> Array:
        """Minus the logarithm of the largest probability of the count."""
        return -poisson_logpdf(aux, aux)

    def expected(self, par: Array, *numbers: Array) -> Array:
        """``tau x``."""
        return par * numbers[0]

    def centre(self, aux: Array, start: Array, *numbers: Array) -> Array:
        """``n / tau``."""
        (tau,) = numbers
        return jnp.where(tau > 0, aux / jnp.where(tau > 0, tau, 1.0), start)

    def sample(self, key: Array, par: Array, *numbers: Array) -> Array:
        """Counts are drawn together with the bins."""
        raise NotImplementedError

    def width(self, aux: Array, *numbers: Array) -> Array:
        """``sqrt(n) / tau``; ``1 / tau`` of no count."""
        return over(jnp.sqrt(jnp.where(aux > 0, aux, 1.0)), numbers[0])

    def pull_of_datum(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``sqrt(tau / x)``."""
        return jnp.sqrt(jnp.maximum(over(numbers[0], par), 0.0))

    def lowest(self, *numbers: Array) -> Array:
        """Zero."""
        return jnp.zeros_like(numbers[0])


def _positive(par: Array) -> Array:
    """The parameter, kept from zero, where no count leaves a slope."""
    return jnp.maximum(par, float(np.finfo(par.dtype).tiny) ** 0.25)
