"""Quadratic interpolation, linear extrapolation."""

from __future__ import annotations

import logging
from typing import ClassVar

from pyhf_func.pyhf.interpolators._sets import Interpolator, OneByOne

log = logging.getLogger("pyhf_func.interpolators.code2")  # programs written for pyhf set its level

__all__ = ["code2"]


class code2(Interpolator):
    """Quadratic interpolation, linear extrapolation. Gives a shift.

    A parabola through the three variations for ``|alpha| <= 1``, lines outside, as the HistFactory note prints them.

    Example:
        >>> code2([[[[8.0], [10.0], [11.0]]]], subscribe=False)([[-1.0, 0.0, 1.0]]).round(10).tolist()
        [[[[-2.0], [0.0], [1.0]]]]
    """

    code: ClassVar[str] = "code2"


class _slow_code2(OneByOne):
    fast: ClassVar[type[Interpolator]] = code2
