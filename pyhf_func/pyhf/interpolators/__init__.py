"""Interpolation between the down, nominal and up variation of whole sets of histograms, in every backend.

The codes are those of the HistFactory note (CERN-OPEN-2012-016) and of RooStats.
"""

from __future__ import annotations

from typing import Any

from pyhf_func.exceptions import InvalidInterpCode
from pyhf_func.pyhf.interpolators.code0 import _slow_code0, code0
from pyhf_func.pyhf.interpolators.code1 import _slow_code1, code1
from pyhf_func.pyhf.interpolators.code2 import _slow_code2, code2
from pyhf_func.pyhf.interpolators.code4 import _slow_code4, code4
from pyhf_func.pyhf.interpolators.code4p import _slow_code4p, code4p

__all__ = ["code0", "code1", "code2", "code4", "code4p"]

_FAST = {0: code0, 1: code1, 2: code2, 4: code4, "4p": code4p}
_ONE_BY_ONE = {0: _slow_code0, 1: _slow_code1, 2: _slow_code2, 4: _slow_code4, "4p": _slow_code4p}


def __dir__() -> list[str]:
    return __all__


def get(interpcode: int | str, do_tensorized_calc: bool = True) -> Any:
    """The class of an interpolation code.

    Args:
        interpcode: 0, 1, 2, 4 or ``"4p"``.
        do_tensorized_calc: All histograms at once; else one by one, which gives the same, slowly.

    Raises:
        InvalidInterpCode: There is no such code.

    Example:
        >>> get("4p").__name__
        'code4p'
    """
    classes: Any = _FAST if do_tensorized_calc else _ONE_BY_ONE
    try:
        return classes[interpcode]
    except (KeyError, TypeError):
        raise InvalidInterpCode(
            f"There is no interpolation code {interpcode!r}: choose one of 0, 1, 2, 4 and '4p'."
        ) from None
