"""Interpolations as formulas, for factors that no line of a nuisance has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

__all__ = ["ADDITIVE", "MULTIPLICATIVE", "added", "factor"]

ADDITIVE = ("code0", "quadratic", "code4p")
MULTIPLICATIVE = ("code1", "code4", "code6", "asympow")
"""Codes of a shift, and of a factor."""


def factor(code: str, lo: float, hi: float, x: str = "@0") -> str:
    """The factor of a multiplicative code, for a parameter ``x``.

    Example:
        >>> factor("code1", 0.5, 2.0)
        'exp(0.6931471805599453*max(@0,0.0)-0.6931471805599453*max(-@0,0.0))'
    """
    return _FACTORS[code](lo, hi, x)


def added(code: str, lo: float, hi: float, x: str = "@0", smooth: float = 1.0) -> str:
    """What an additive code adds, where ``lo`` and ``hi`` are differences from the nominal.

    Example:
        >>> added("code0", -1.0, 2.0)
        '(2.0*max(@0,0.0)+1.0*min(@0,0.0))'
    """
    return _SUMMANDS[code](lo, hi, x, smooth)


def _clipped(x: str, width: float = 1.0) -> str:
    ratio = x if width == 1.0 else f"{x}/{_number(width)}"
    return f"max(-1.0,min(1.0,{ratio}))"


def _number(value: float) -> str:
    return repr(float(value)) if value >= 0 else f"({float(value)!r})"


def _step(x: str, width: float = 1.0) -> str:
    """The odd quintic that joins -1 and 1."""
    c = _clipped(x, width)
    return f"{c}*(15.0+{c}*{c}*(3.0*{c}*{c}-10.0))/8.0"


def _code1(lo: float, hi: float, x: str) -> str:
    return _joined(math.log(hi), f"max({x},0.0)", math.log(lo), f"max(-{x},0.0)")


def _joined(first: float, above: str, second: float, below: str) -> str:
    sign = "-" if second < 0 else "+"
    return f"exp({_number(first)}*{above}{sign}{abs(float(second))!r}*{below})"


def _code4(lo: float, hi: float, x: str) -> str:
    """The polynomial up to one, and the exponential from there on."""
    c = _clipped(x)
    text = ""
    for coefficient in reversed(_polynomial(lo, hi)):
        text = f"{c}*({_number(coefficient)}{'+' + text if text else ''})"
    outside = _joined(math.log(hi), f"max({x}-1.0,0.0)", math.log(lo), f"max(-{x}-1.0,0.0)")
    return f"(1.0+{text})*{outside}"


def _polynomial(lo: float, hi: float) -> list[float]:
    """Coefficients of orders one to six that match value, slope and curvature of the exponentials at one."""
    u, d = math.log(hi), math.log(lo)
    odd = [(hi - lo) / 2, (u * hi - d * lo) / 2, (u * u * hi - d * d * lo) / 2]
    even = [(hi + lo) / 2 - 1, (u * hi + d * lo) / 2, (u * u * hi + d * d * lo) / 2]
    return [
        (15 * odd[0] - 7 * odd[1] + odd[2]) / 8,
        (24 * even[0] - 9 * even[1] + even[2]) / 8,
        (-5 * odd[0] + 5 * odd[1] - odd[2]) / 4,
        (-12 * even[0] + 7 * even[1] - even[2]) / 4,
        (3 * odd[0] - 3 * odd[1] + odd[2]) / 8,
        (8 * even[0] - 5 * even[1] + even[2]) / 8,
    ]


def _asympow(lo: float, hi: float, x: str) -> str:
    up, down = math.log(hi), -math.log(lo)
    return f"exp({x}*({_number((up + down) / 2)}+{_number((up - down) / 2)}*{_step(x, 0.5)}))"


def _code6(lo: float, hi: float, x: str) -> str:
    return f"(1.0+{_code4p(lo - 1, hi - 1, x, 1.0)})"


def _code0(lo: float, hi: float, x: str, smooth: float) -> str:
    return f"({_number(hi)}*max({x},0.0)+{_number(-lo)}*min({x},0.0))"


def _quadratic(lo: float, hi: float, x: str, smooth: float) -> str:
    s, t, c = (hi + lo) / 2, (hi - lo) / 2, _clipped(x)
    inside = f"{_number(s)}*{c}*{c}+{_number(t)}*{c}"
    return f"({inside}+{_number(t + 2 * s)}*max({x}-1.0,0.0)+{_number(2 * s - t)}*max(-{x}-1.0,0.0))"


def _code4p(lo: float, hi: float, x: str, smooth: float) -> str:
    linear, bent = (hi - lo) / 2, (hi + lo) / 2
    if bent == 0:
        return f"({_number(linear)}*{x})"
    return f"{x}*({_number(linear)}+{_number(bent)}*{_step(x, smooth)})"


_FACTORS: Mapping[str, Callable[[float, float, str], str]] = {
    "code1": _code1,
    "code4": _code4,
    "code6": _code6,
    "asympow": _asympow,
}
_SUMMANDS: Mapping[str, Callable[[float, float, str, float], str]] = {
    "code0": _code0,
    "quadratic": _quadratic,
    "code4p": _code4p,
}
