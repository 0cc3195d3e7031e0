"""Which kind of tensor numbers are: plain ones, JAX's, or another framework's, on its tape."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from pyhf_func.adapters import bridge

_NUMBERS = frozenset((float, int, bool, np.float64, np.float32, np.int64, np.bool_))
_PLAIN = (float, int, bool, type(None), np.ndarray, np.generic)


def kind(*values: Any) -> str | None:
    """The framework whose tensors are among the leaves of the values: a backend's name, or None for plain numbers.

    Another framework's tensors count before JAX's, because only their tape can carry the derivatives on.
    """
    found = None
    for value in values:
        here = _kind(value)
        if here is not None and here != "jax":
            return here
        found = found or here
    return found


def _kind(value: Any) -> str | None:
    if isinstance(value, _PLAIN):
        return None
    if isinstance(value, jax.Array):
        return "jax"
    if isinstance(value, list | tuple) and _NUMBERS.issuperset(map(type, value)):
        return None
    framework = bridge.kind(value)
    if framework is not None:
        return framework
    return "jax" if any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(value)) else None
