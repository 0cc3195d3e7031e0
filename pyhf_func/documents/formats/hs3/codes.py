"""Interpolation codes: HS3's four spellings and ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["code_of", "root_code"]

_ROOT = {
    "normsys": {0: "code0", 1: "code1", 2: "quadratic", 3: "quadratic", 4: "code4", 5: "code4"},
    "histosys": {0: "code0", 1: "code1", 2: "quadratic", 3: "quadratic", 4: "code4p", 5: "code4", 6: "code6"},
}
"""The integers of ROOT's FlexibleInterpVar and PiecewiseInterpolation."""

_WORDS = {
    "lin": "code0",
    "log": "code1",
    "parabolic": "quadratic",
    "poly6": "code4p",
    "code0": "code0",
    "code1": "code1",
    "code2": "quadratic",
    "code4": "code4",
    "code4p": "code4p",
}
"""The words of HS3 0.2.9, and those of pyhs3."""

_STRUCTURED = {
    ("add", "poly1", "poly1"): "code0",
    ("mult", "exp", "exp"): "code1",
    ("add", "poly2", "poly1"): "quadratic",
    ("add", "poly6", "poly1"): "code4p",
    ("mult", "poly6", "exp"): "code4",
    ("mult", "poly6", "poly1"): "code6",
}


def code_of(kind: str, given: Any) -> str | None:
    """Our code for an interpolation of a ``normsys`` or ``histosys``; None where there is none.

    Example:
        >>> code_of("normsys", 5), code_of("histosys", {"type": "add", "in": "poly6", "out": "poly1"})
        ('code4', 'code4p')
    """
    if isinstance(given, bool):
        return None
    if isinstance(given, int | float):
        return _ROOT[kind].get(int(given)) if given in range(10) else None
    if isinstance(given, str):
        return _WORDS.get(given)
    if isinstance(given, Mapping):
        inside = given.get("in")
        return _STRUCTURED.get((str(given.get("type")), str(inside), str(given.get("out") or inside)))
    return None


def root_code(kind: str, code: str) -> int | None:
    """ROOT's integer for our code, the largest where there are two; None where there is none.

    Example:
        >>> root_code("normsys", "code4"), root_code("histosys", "code4p"), root_code("normsys", "asympow")
        (5, 4, None)
    """
    return max((number for number, name in _ROOT[kind].items() if name == code), default=None)
