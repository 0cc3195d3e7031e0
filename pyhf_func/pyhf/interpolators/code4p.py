"""Piecewise-linear interpolation with a polynomial inside."""

from __future__ import annotations

import logging
from typing import ClassVar

from pyhf_func.pyhf.interpolators._sets import Interpolator, OneByOne

log = logging.getLogger("pyhf_func.interpolators.code4p")  # programs written for pyhf set its level

__all__ = ["code4p"]


class code4p(Interpolator):
    """Piecewise-linear interpolation with a polynomial inside. Gives a shift.

    For ``|alpha| >= 1`` the shift is that of code0; inside, the polynomial of sixth order that meets it there in
    value, slope and curvature.

    Example:
        >>> code4p([[[[8.0], [10.0], [11.0]]]], subscribe=False)([[-1.0, 0.0, 2.0]]).round(10).tolist()
        [[[[-2.0], [0.0], [2.0]]]]
    """

    code: ClassVar[str] = "code4p"


class _slow_code4p(OneByOne):
    fast: ClassVar[type[Interpolator]] = code4p
