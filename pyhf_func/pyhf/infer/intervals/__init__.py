"""Interval estimation."""

from __future__ import annotations

import warnings
from typing import Any

from pyhf_func.pyhf.infer.intervals import upper_limits

__all__ = ["upper_limits"]


def __dir__() -> list[str]:
    return __all__


def upperlimit(
    data: Any,
    model: Any,
    scan: Any = None,
    level: float = 0.05,
    return_results: bool = False,
    **hypotest_kwargs: Any,
) -> Any:
    """An older name of `pyhf_func.infer.intervals.upper_limits.upper_limit`."""
    old, new = "pyhf.infer.intervals.upperlimit", "pyhf.infer.intervals.upper_limits.upper_limit"
    warnings.warn(f"{old} is deprecated in favor of {new}.", category=DeprecationWarning, stacklevel=2)
    return upper_limits.upper_limit(data, model, scan, level, return_results, **hypotest_kwargs)
