"""Look at the numbers of a document: finite, how many, where not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

import numpy as np

__all__ = ["as_list", "bins", "not_finite", "places"]


def as_list(values: Any) -> list[float]:
    """A list of numbers, or an array of any framework, as a list."""
    return values if isinstance(values, list) else np.asarray(values).tolist()


def is_finite(value: float) -> bool:
    """Whether a number is finite as a float: not so NaN, infinity and integers beyond the range of floats."""
    try:
        return isfinite(value)
    except OverflowError:
        return False


def not_finite(values: Sequence[float]) -> list[int]:
    """Indices of the numbers that are not finite."""
    try:
        if isfinite(sum(values)):
            return []
    except OverflowError:
        pass
    return places(values, lambda value: not is_finite(value))


def places(values: Sequence[float], test: Callable[[float], bool]) -> list[int]:
    """Indices of the numbers that pass a test."""
    return [index for index, value in enumerate(values) if test(value)]


def bins(indices: Sequence[int]) -> str:
    """``bin 2`` or ``bins 0, 2``."""
    return f"{'bin' if len(indices) == 1 else 'bins'} {', '.join(map(str, indices))}"
