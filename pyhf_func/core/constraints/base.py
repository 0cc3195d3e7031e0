"""The interface of densities of auxiliary measurements; the engine asks nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array


class Density(ABC):
    """The density of an auxiliary datum ``aux``, given the parameter ``par`` that it measures.

    All functions are elementwise: ``aux``, ``par`` and each of the ``numbers``, such as widths, have one element for
    each measurement. Hashable and without state: densities are static arguments of compiled programs.
    """

    name: ClassVar[str]
    """Its name in the engine."""
    word: ClassVar[str]
    """Its name in the model language."""
    attributes: ClassVar[tuple[str, ...]]
    """Attributes of a parameter's configuration that describe the measurement, beside ``auxdata``."""
    counts: ClassVar[bool] = False
    """Whether the datum is a Poisson count around `expected`; all counts of a toy are drawn together."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def numbers(self, parameter: Any) -> tuple[tuple[float, ...], ...]:
        """The numbers of a parameter's components, from its configuration."""
        return tuple(getattr(parameter, attribute) for attribute in self.attributes)

    @abstractmethod
    def logpdf(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """Logarithm of the density."""

    @abstractmethod
    def value(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """Minus `logpdf` without `constant`: zero at its minimum; infinite where there is no density."""

    @abstractmethod
    def gradient(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """Derivative of `value` with respect to the parameter."""

    @abstractmethod
    def curvature(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """Second derivative."""

    @abstractmethod
    def constant(self, aux: Array, *numbers: Array) -> Array:
        """The terms of minus `logpdf` that do not depend on the parameter."""

    def expected(self, par: Array, *numbers: Array) -> Array:
        """The Asimov datum: the one whose density has its maximum, as a function of the parameter, at ``par``."""
        return par

    def centre(self, aux: Array, start: Array, *numbers: Array) -> Array:
        """Where the datum puts the parameter; ``start`` where it says nothing."""
        return aux

    @abstractmethod
    def sample(self, key: Array, par: Array, *numbers: Array) -> Array:
        """A draw of the datum. (Of counts none: they are drawn together.)"""

    @abstractmethod
    def width(self, aux: Array, *numbers: Array) -> Array:
        """Standard deviation of the parameter by this measurement alone."""

    @abstractmethod
    def pull_of_datum(self, aux: Array, par: Array, *numbers: Array) -> Array:
        """By how much the derivative of `value` falls when the datum rises by its standard deviation."""

    def lowest(self, *numbers: Array) -> Array:
        """The lowest parameter that has a density."""
        return jnp.full_like(numbers[0], -jnp.inf)


def over(numerator: Array, denominator: Array) -> Array:
    """A quotient; zero where the denominator is."""
    nonzero = denominator != 0
    return jnp.where(nonzero, numerator / jnp.where(nonzero, denominator, 1.0), 0.0)
