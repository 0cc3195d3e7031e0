"""Piecewise-linear interpolation."""

from __future__ import annotations

import logging
from typing import ClassVar

from pyhf_func.pyhf.interpolators._sets import Interpolator, OneByOne

log = logging.getLogger("pyhf_func.interpolators.code0")  # programs written for pyhf set its level

__all__ = ["code0"]


class code0(Interpolator):
    """Piecewise-linear interpolation. Gives a shift.

    At ``alpha >= 0`` the shift is ``alpha * (hi - nominal)``, below zero ``alpha * (nominal - lo)``.

    Example:
        >>> code0([[[[8.0], [10.0], [11.0]]]], subscribe=False)([[-0.5, 2.0]]).round(10).tolist()
        [[[[-1.0], [2.0]]]]
    """

    code: ClassVar[str] = "code0"


class _slow_code0(OneByOne):
    fast: ClassVar[type[Interpolator]] = code0
