"""Piecewise-exponential interpolation."""

from __future__ import annotations

import logging
from typing import ClassVar

from pyhf_func.pyhf.interpolators._sets import Interpolator, OneByOne

log = logging.getLogger("pyhf_func.interpolators.code1")  # programs written for pyhf set its level

__all__ = ["code1"]


class code1(Interpolator):
    """Piecewise-exponential interpolation. Gives a factor.

    At ``alpha >= 0`` the factor is ``(hi / nominal) ** alpha``, below zero ``(lo / nominal) ** -alpha``.

    Example:
        >>> code1([[[[0.5], [1.0], [3.0]]]], subscribe=False)([[-2.0, 2.0]]).round(10).tolist()
        [[[[0.25], [9.0]]]]
    """

    code: ClassVar[str] = "code1"


class _slow_code1(OneByOne):
    fast: ClassVar[type[Interpolator]] = code1
