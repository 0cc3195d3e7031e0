"""Gaussian measurements: of one width, or of one above and one below the datum."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.constraints.base import Density
from pyhf_func.core.density import normal_logpdf


class Normal(Density):
    """``aux`` is Gaussian around the parameter, with the width ``sigma``."""

    name, word = "normal", "gauss"
    attributes = ("sigmas",)

    def logpdf(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """See `normal_logpdf`."""
        return normal_logpdf(aux, par, *numbers)

    def value(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``((x - a) / sigma)^2 / 2``."""
        (sigma,) = numbers
        return 0.5 * ((par - aux) / sigma) ** 2

    def gradient(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``(x - a) / sigma^2``."""
        (sigma,) = numbers
        return (par - aux) / sigma**2

    def curvature(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``1 / sigma^2``."""
        (sigma,) = numbers
        return 1 / sigma**2

    def constant(self, aux: Array, *numbers: Array) -> Array:
        """``log(sqrt(2 pi) sigma)``."""
        return -normal_logpdf(0.0, 0.0, *numbers)

    def sample(self, key: Array, par: Array, *numbers: Array) -> Array:
        """Gaussian around the parameter."""
        (sigma,) = numbers
        return par + sigma * jax.random.normal(key, par.shape, par.dtype)

    def width(self, aux: Array, *numbers: Array) -> Array:
        """``sigma``."""
        return numbers[0]

    def pull_of_datum(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``1 / sigma``."""
        return 1 / numbers[0]


class Bifurcated(Density):
    """Halves of two Gaussians: ``sigma`` where the parameter lies above ``aux``, ``sigma_down`` where below."""

    name, word = "bifurcated", "bifurcated"
    attributes = ("sigmas", "sigmas_down")

    def logpdf(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """Two halves of one height."""
        return -self.value(aux, par, *numbers) - self.constant(aux, *numbers)

    def value(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``((x - a) / sigma)^2 / 2`` with the width of the side."""
        return 0.5 * ((par - aux) / _side(aux, par, *numbers)) ** 2

    def gradient(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``(x - a) / sigma^2``."""
        return (par - aux) / _side(aux, par, *numbers) ** 2

    def curvature(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``1 / sigma^2``."""
        return 1 / _side(aux, par, *numbers) ** 2

    def constant(self, aux: Array, *numbers: Array) -> Array:
        """``log(sqrt(2 pi) sigma)`` with the mean of both widths."""
        return -normal_logpdf(0.0, 0.0, self.width(aux, *numbers))

    def sample(self, key: Array, par: Array, *numbers: Array) -> Array:
        """The parameter lies above the datum as often as its width there is large."""
        up, down = numbers
        of_side, of_size = jax.random.split(key)
        size = jnp.abs(jax.random.normal(of_size, par.shape, par.dtype))
        above = jax.random.uniform(of_side, par.shape, par.dtype) * (up + down) < up
        return par + jnp.where(above, -up, down) * size

    def width(self, aux: Array, *numbers: Array) -> Array:
        """The mean of both."""
        up, down = numbers
        return 0.5 * (up + down)

    def pull_of_datum(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """``1 / sigma`` of the side."""
        return 1 / _side(aux, par, *numbers)


def _side(aux: Array, par: Array, up: Array, down: Array) -> Array:
    return jnp.where(par > aux, up, down)
