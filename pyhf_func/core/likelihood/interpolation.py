"""Interpolation between the down, nominal and up variation of one systematic uncertainty.

Each code is a pair of pure functions: ``prepare`` turns templates into coefficients once, and those and the nuisance
parameter alpha give the effect. Additive codes give a shift of the yield (0 at alpha = 0), multiplicative codes a
factor (1 at alpha = 0). A shift is linear in its coefficients: ``sum_k c_k basis_k(alpha)``, with a basis of any number
of functions that does not depend on the templates. All functions are elementwise; all arguments broadcast.

The codes are those of the HistFactory note (CERN-OPEN-2012-016), of RooStats and HS3, and of Combine. `CODES` holds
them all; `pyhf_func.core.codes` has who may name them, and what their numbers must fulfil.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

Coefficients = tuple[Array, ...]


def _nowhere(lo: Array, nominal: Array, hi: Array) -> Array:
    return jnp.zeros(jnp.broadcast_shapes(jnp.shape(lo), jnp.shape(nominal), jnp.shape(hi)), bool)


class Additive(NamedTuple):
    """A code for yields: a shift that is linear in its coefficients.

    ``breaks`` are the values of alpha at which the shift is not smooth for the templates that are ``broken``;
    ``turns`` marks the coefficients of shifts that turn back, so that two values of alpha can give one yield.
    ``in_logarithm`` marks a shift of the yield's logarithm.
    """

    prepare: Callable[[Array, Array, Array], Coefficients]
    basis: Callable[[Array], tuple[Array, ...]]
    turns: Callable[[Coefficients], Array]
    breaks: tuple[float, ...] = ()
    broken: Callable[[Array, Array, Array], Array] = _nowhere
    in_logarithm: bool = False

    def __call__(self, lo: Array, nominal: Array, hi: Array, alpha: Array) -> Array:
        """The shift of a yield with the templates ``lo``, ``nominal``, ``hi``.

        Example:
            >>> import jax.numpy as jnp
            >>> float(ADDITIVE["code0"](jnp.array(8.0), jnp.array(10.0), jnp.array(11.0), jnp.array(-0.5)))
            -1.0
        """
        return self.evaluate(self.prepare(lo, nominal, hi), alpha)

    def evaluate(self, coefficients: Coefficients, alpha: Array) -> Array:
        """The shift with these coefficients."""
        return reduce(add, (c * b for c, b in zip(coefficients, self.basis(alpha), strict=True)))

    def as_factor(self) -> Multiplicative:
        """The same code for a factor: one plus the shift of a yield of one."""
        return Multiplicative(
            lambda lo, nominal, hi: self.prepare(lo / nominal, jnp.ones_like(nominal), hi / nominal),
            lambda coefficients, alpha: 1 + self.evaluate(coefficients, alpha),
            self.turns,
            self.breaks,
            self.broken,
        )

    def until(self, smooth: float) -> Additive:
        """The same code with a smooth middle that ends at +-``smooth`` in place of +-1."""

        def basis(alpha: Array) -> tuple[Array, ...]:
            return tuple(smooth * b for b in self.basis(alpha / smooth))

        return self._replace(basis=basis)


class Multiplicative(NamedTuple):
    """A code for factors; the attributes are those of `Additive`."""

    prepare: Callable[[Array, Array, Array], Coefficients]
    evaluate: Callable[[Coefficients, Array], Array]
    turns: Callable[[Coefficients], Array]
    breaks: tuple[float, ...] = ()
    broken: Callable[[Array, Array, Array], Array] = _nowhere

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


def _matched_quadratic(alpha: Array) -> tuple[Array, Array]:
    size = jnp.abs(alpha)
    return jnp.where(size > 1, 2 * size - 1, alpha**2), alpha


def _polynomial_linear(alpha: Array) -> tuple[Array, Array]:
    square = alpha**2
    inside = square * (15 + square * (3 * square - 10)) / 8
    return jnp.where(square > 1, jnp.abs(alpha), inside), alpha


def _logarithms(lo: Array, nominal: Array, hi: Array) -> Coefficients:
    return jnp.log(hi / nominal), -jnp.log(lo / nominal)


def _even_and_odd_logarithms(lo: Array, nominal: Array, hi: Array) -> Coefficients:
    """As for templates; zero where one of them, or the nominal yield, is not positive."""

    def ratio(template: Array) -> Array:
        used = (template > 0) & (nominal > 0)
        return jnp.log(jnp.where(used, template, 1.0) / jnp.where(used, nominal, 1.0))

    up, down = ratio(hi), ratio(lo)
    return (up + down) / 2, (up - down) / 2


def _asymmetric(lo: Array, nominal: Array, hi: Array) -> Coefficients:
    up, down = _logarithms(lo, nominal, hi)
    return (up - down) / 4, (up + down) / 2


def _asymmetric_exponential(coefficients: Coefficients, alpha: Array) -> Array:
    even, odd = coefficients
    step, line = _polynomial_linear(2 * alpha)
    return jnp.exp(even * step + odd * line / 2)


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


def _asymmetry(coefficients: Coefficients) -> Array:
    even, odd = coefficients
    return _same_side((odd + 2 * even, odd - 2 * even))


def _apart(lo: Array, nominal: Array, hi: Array) -> Array:
    return hi - nominal != nominal - lo


def _not_inverse(lo: Array, nominal: Array, hi: Array) -> Array:
    return lo * hi != nominal * nominal


def _any_difference(lo: Array, nominal: Array, hi: Array) -> Array:
    return (lo != hi) | (hi != nominal)


_CODE4P = Additive(_even_and_odd, _polynomial_linear, _even_wins)

CODES: dict[str, Additive | Multiplicative] = {
    "code0": Additive(_up_and_down, _piecewise_linear, _same_side, (0.0,), _apart),
    "code1": Multiplicative(_logarithms, _exponential, _same_side, (0.0,), _not_inverse),
    "code2": Additive(_even_and_odd, _quadratic, _any_effect, (-1.0, 1.0), _any_difference),
    "code4": Multiplicative(_polynomial_coefficients, _polynomial_exponential, _same_side),
    "code4p": _CODE4P,
    "code6": _CODE4P.as_factor(),
    "quadratic": Additive(_even_and_odd, _matched_quadratic, _even_wins),
    "asympow": Multiplicative(_asymmetric, _asymmetric_exponential, _asymmetry),
    "shapen": Additive(_even_and_odd_logarithms, _polynomial_linear, _even_wins, in_logarithm=True),
}
"""Every code by its name."""

ADDITIVE = {name: code for name, code in CODES.items() if isinstance(code, Additive)}
"""Codes that give a shift."""

MULTIPLICATIVE = {name: code for name, code in CODES.items() if isinstance(code, Multiplicative)}
"""Codes that give a factor."""


def shift_code(name: str, smooth: float = 1.0) -> Additive:
    """An additive code, with a smooth middle that ends at +-``smooth``."""
    return ADDITIVE[name] if smooth == 1 else ADDITIVE[name].until(smooth)


def factor_code(name: str, smooth: float = 1.0) -> Multiplicative:
    """A code for a factor: a multiplicative one, or an additive one of which it is one plus the shift."""
    return MULTIPLICATIVE[name] if name in MULTIPLICATIVE else shift_code(name, smooth).as_factor()
