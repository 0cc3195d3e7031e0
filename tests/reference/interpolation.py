"""Interpolation between three templates: down (alpha = -1), nominal (0) and up (+1), one bin at a time.

Codes 0, 2 and 4p return what is *added* to the nominal value; codes 1 and 4 the factor that *multiplies* it.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache

from tests.reference.numbers import Number, power, real


def code0(down: float, nominal: float, up: float, alpha: Number) -> Number:
    """Piecewise linear, additive."""
    if real(alpha) >= 0:
        return alpha * (up - nominal)
    return alpha * (nominal - down)


def code1(down: float, nominal: float, up: float, alpha: Number) -> Number:
    """Piecewise exponential, multiplicative."""
    if real(alpha) >= 0:
        return power(up / nominal, alpha)
    return power(down / nominal, -alpha)


def code2(down: float, nominal: float, up: float, alpha: Number) -> Number:
    """Quadratic inside [-1, 1], linear outside, additive; outside as the HistFactory note prints it.

    The printed lines (b + 2a)(alpha - 1) and (b - 2a)(alpha + 1) vanish at alpha = 1 and -1, where the
    parabola does not: the note's function jumps there.
    """
    a = 0.5 * (up + down) - nominal
    b = 0.5 * (up - down)
    if real(alpha) > 1:
        return (b + 2 * a) * (alpha - 1)
    if real(alpha) < -1:
        return (b - 2 * a) * (alpha + 1)
    return a * alpha * alpha + b * alpha


def code4(down: float, nominal: float, up: float, alpha: Number, alpha0: float = 1.0) -> Number:
    """Exponential from |alpha| = alpha0 on, inside the sixth-order polynomial that joins; multiplicative."""
    if real(alpha) >= alpha0:
        return power(up / nominal, alpha)
    if real(alpha) <= -alpha0:
        return power(down / nominal, -alpha)
    result: Number = 1.0
    for i, coefficient in enumerate(code4_coefficients(up / nominal, down / nominal, alpha0), start=1):
        result = result + coefficient * alpha**i
    return result


def code4p(down: float, nominal: float, up: float, alpha: Number) -> Number:
    """Linear beyond |alpha| = 1, inside the sixth-order polynomial that joins it; additive."""
    if real(alpha) > 1:
        return alpha * (up - nominal)
    if real(alpha) < -1:
        return alpha * (nominal - down)
    result: Number = 0.0
    for i, coefficient in enumerate(code4p_coefficients(up - nominal, nominal - down), start=1):
        result = result + coefficient * alpha**i
    return result


@cache
def code4_coefficients(up: float, down: float, alpha0: float) -> tuple[float, ...]:
    """a_1 ... a_6 of 1 + sum a_i alpha^i, with derivatives 0, 1, 2 of the exponentials at +-alpha0."""
    at_plus = up**alpha0
    at_minus = down**alpha0
    conditions = (
        at_plus - 1.0,
        at_minus - 1.0,
        math.log(up) * at_plus,
        -math.log(down) * at_minus,
        math.log(up) ** 2 * at_plus,
        math.log(down) ** 2 * at_minus,
    )
    return _polynomial_through(conditions, alpha0)


@cache
def code4p_coefficients(slope_up: float, slope_down: float) -> tuple[float, ...]:
    """a_1 ... a_6 of sum a_i alpha^i, with value and slope of the two lines at +-1 and no curvature there."""
    return _polynomial_through((slope_up, -slope_down, slope_up, slope_down, 0.0, 0.0), 1.0)


def _polynomial_through(conditions: tuple[float, ...], alpha0: float) -> tuple[float, ...]:
    """a_1 ... a_6 with the given values, first and second derivatives at (+alpha0, -alpha0)."""
    inverse = _inverse_of_join_matrix(Fraction(alpha0))
    return tuple(math.fsum(float(row[j]) * conditions[j] for j in range(6)) for row in inverse)


@cache
def _inverse_of_join_matrix(alpha0: Fraction) -> tuple[tuple[Fraction, ...], ...]:
    """The exact inverse of the 6 x 6 system: derivatives 0, 1, 2 of alpha^1 ... alpha^6 at +-alpha0."""
    rows: list[list[Fraction]] = []
    for derivative in (0, 1, 2):
        for x in (alpha0, -alpha0):
            rows.append([_derivative_of_power(i, derivative, x) for i in range(1, 7)])
    return _invert(rows)


def _derivative_of_power(i: int, order: int, x: Fraction) -> Fraction:
    """The order-th derivative of x^i."""
    factor = Fraction(1)
    for k in range(order):
        factor *= i - k
    return factor * x ** (i - order) if i >= order else Fraction(0)


def _invert(matrix: list[list[Fraction]]) -> tuple[tuple[Fraction, ...], ...]:
    """Gauss-Jordan elimination in exact arithmetic."""
    n = len(matrix)
    work = [row[:] + [Fraction(int(i == j)) for j in range(n)] for i, row in enumerate(matrix)]
    for column in range(n):
        pivot = next(r for r in range(column, n) if work[r][column] != 0)
        work[column], work[pivot] = work[pivot], work[column]
        scale = work[column][column]
        work[column] = [entry / scale for entry in work[column]]
        for r in range(n):
            if r != column and work[r][column] != 0:
                scale = work[r][column]
                work[r] = [
                    entry - scale * pivot_entry for entry, pivot_entry in zip(work[r], work[column], strict=True)
                ]
    return tuple(tuple(row[n:]) for row in work)


CODES: dict[str, Callable[..., Number]] = {
    "code0": code0,
    "code1": code1,
    "code2": code2,
    "code4": code4,
    "code4p": code4p,
}
