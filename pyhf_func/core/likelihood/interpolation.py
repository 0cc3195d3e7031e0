"""Interpolation between the down, nominal and up variation of one systematic uncertainty.

Each code is a pair of pure functions: ``prepare`` turns templates into coefficients once, and those and the nuisance
parameter alpha give the effect. Additive codes give a shift of the yield (0 at alpha = 0), multiplicative codes a
factor (1 at alpha = 0). A shift is linear in its coefficients: ``sum_k c_k basis_k(alpha)``, with a basis that does
not depend on the templates. All functions are elementwise; all arguments broadcast.

The codes are those of the HistFactory note (CERN-OPEN-2012-016) and of RooStats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

Coefficients = tuple[Array, ...]


class Additive(NamedTuple):
    """A code for yields: a shift that is linear in its coefficients.

    ``breaks`` are the values of alpha at which the shift is not smooth, ``turns`` tells of each set of coefficients
    whether the shift turns back, so that two values of alpha can give one yield.
    """

    prepare: Callable[[Array, Array, Array], Coefficients]
    basis: Callable[[Array], tuple[Array, ...]]
    turns: Callable[[Coefficients], Array]
    breaks: tuple[float, ...] = ()

    def __call__(self, lo: Array, nominal: Array, hi: Array, alpha: Array) -> Array:
        """The shift of a yield with the templates ``lo``, ``nominal``, ``hi``.

        Example:
            >>> import jax.numpy as jnp
            >>> float(ADDITIVE["code0"](jnp.array(8.0), jnp.array(10.0), jnp.array(11.0), jnp.array(-0.5)))
            -1.0
        """
        first, second = (c * b for c, b in zip(self.prepare(lo, nominal, hi), self.basis(alpha), strict=True))
        return first + second


class Multiplicative(NamedTuple):
    """A code for factors; ``breaks`` and ``turns`` as for `Additive`."""

    prepare: Callable[[Array, Array, Array], Coefficients]
    evaluate: Callable[[Coefficients, Array], Array]
    turns: Callable[[Coefficients], Array]
    breaks: tuple[float, ...] = ()

    def __call__(self, lo: Array, nominal: Array, hi: Array, alpha: Array) -> Array:
        """The factor on a yield with the templates ``lo``, ``nominal``, ``hi``.

        Example:
            >>> import jax.numpy as jnp
            >>> float(MULTIPLICATIVE["code1"](jnp.array(0.5), jnp.array(1.0), jnp.array(2.0), jnp.array(2.0)))
            4.0
        """
        return self.evaluate(self.prepare(lo, nominal, hi), alpha)


def _up_and_down(lo: Array, nominal: Array, hi: Array) -> Coefficients:
    return hi - nominal, nominal - lo


def _piecewise_linear(alpha: Array) -> tuple[Array, Array]:
    return jnp.where(alpha > 0, alpha, 0.0), jnp.where(alpha > 0, 0.0, alpha)


def _even_and_odd(lo: Array, nominal: Array, hi: Array) -> Coefficients:
    return (hi + lo) / 2 - nominal, (hi - lo) / 2


def _quadratic(alpha: Array) -> tuple[Array, Array]:
    # As the HistFactory note prints it: at alpha = +-1 the linear parts start from zero.
    size = jnp.abs(alpha)
    outside = size > 1
    return (
        jnp.where(outside, 2 * (size - 1), alpha**2),
        jnp.where(outside, jnp.sign(alpha) * (size - 1), alpha),
    )


def _polynomial_linear(alpha: Array) -> tuple[Array, Array]:
    square = alpha**2
    inside = square * (15 + square * (3 * square - 10)) / 8
    return jnp.where(square > 1, jnp.abs(alpha), inside), alpha


def _logarithms(lo: Array, nominal: Array, hi: Array) -> Coefficients:
    return jnp.log(hi / nominal), -jnp.log(lo / nominal)


def _exponential(coefficients: Coefficients, alpha: Array) -> Array:
    up, down = coefficients
    return jnp.exp(alpha * jnp.where(alpha >= 0, up, down))


def _polynomial_coefficients(lo: Array, nominal: Array, hi: Array) -> Coefficients:
    """Coefficients of the sixth-order polynomial that meets both exponentials at alpha = +-1.

    Value, slope and curvature agree there. The even and the odd part of the polynomial are three equations
    each, for the even and the odd parts of the value (0), slope (1) and curvature (2) of the exponentials.
    """
    up, down = _logarithms(lo, nominal, hi)
    hi, lo = hi / nominal, lo / nominal
    even0, odd0 = (hi + lo) / 2 - 1, (hi - lo) / 2
    even1, odd1 = (up * hi - down * lo) / 2, (up * hi + down * lo) / 2
    even2, odd2 = (up**2 * hi + down**2 * lo) / 2, (up**2 * hi - down**2 * lo) / 2
    return (
        up,
        down,
        (15 * odd0 - 7 * odd1 + odd2) / 8,
        (24 * even0 - 9 * even1 + even2) / 8,
        (-5 * odd0 + 5 * odd1 - odd2) / 4,
        (-12 * even0 + 7 * even1 - even2) / 4,
        (3 * odd0 - 3 * odd1 + odd2) / 8,
        (8 * even0 - 5 * even1 + even2) / 8,
    )


def _polynomial_exponential(coefficients: Coefficients, alpha: Array) -> Array:
    up, down, c1, c2, c3, c4, c5, c6 = coefficients
    inside = 1 + alpha * (c1 + alpha * (c2 + alpha * (c3 + alpha * (c4 + alpha * (c5 + alpha * c6)))))
    return jnp.where(jnp.abs(alpha) < 1, inside, _exponential((up, down), alpha))


def _even_wins(coefficients: Coefficients) -> Array:
    """Whether the slope of ``even * basis + odd * alpha`` changes its sign: no basis is steeper than 2."""
    even, odd = coefficients
    return 2 * jnp.abs(even) > jnp.abs(odd)


def _any_effect(coefficients: Coefficients) -> Array:
    """Whether there is a shift at all: one that starts from zero again turns back."""
    even, odd = coefficients
    return (even != 0) | (odd != 0)


def _same_side(coefficients: Coefficients) -> Array:
    """Whether the slopes up and down have opposite signs, or nearly so: between them a polynomial may turn, too."""
    up, down = coefficients[:2]
    return (up * down < 0.01 * jnp.maximum(up**2, down**2)) & (up != down)


ADDITIVE = {
    "code0": Additive(_up_and_down, _piecewise_linear, _same_side, (0.0,)),
    "code2": Additive(_even_and_odd, _quadratic, _any_effect, (-1.0, 1.0)),
    "code4p": Additive(_even_and_odd, _polynomial_linear, _even_wins),
}
"""Piecewise linear; quadratic, then linear; polynomial, then piecewise linear. They give a shift."""

MULTIPLICATIVE = {
    "code1": Multiplicative(_logarithms, _exponential, _same_side, (0.0,)),
    "code4": Multiplicative(_polynomial_coefficients, _polynomial_exponential, _same_side),
}
"""Piecewise exponential; polynomial, then exponential. They give a factor."""
