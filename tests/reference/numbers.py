"""The few functions that must take both real and complex numbers.

A complex argument carries a derivative: f(x + i h) = f(x) + i h f'(x) for a tiny h (the complex-step method),
exact to rounding because nothing is subtracted. All comparisons look at the real part only.
"""

import cmath
import math

Number = float | complex


def real(x: Number) -> float:
    """The real part."""
    return x.real if isinstance(x, complex) else float(x)


def log(x: Number) -> Number:
    """The natural logarithm; the real argument must be positive."""
    return cmath.log(x) if isinstance(x, complex) else math.log(x)


def power(base: float, exponent: Number) -> Number:
    """A positive real base to a real or complex exponent."""
    if isinstance(exponent, complex):
        return cmath.exp(exponent * math.log(base))
    return math.pow(base, exponent)
