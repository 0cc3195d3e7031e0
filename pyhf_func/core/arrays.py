"""Numbers that users give as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike


def floats(values: ArrayLike | Sequence[Any]) -> Array:
    """Values as an array of JAX's floating-point type; tracers stay tracers, and nothing is compiled.

    Example:
        >>> floats([1, 2]).dtype.kind
        'f'
    """
    if isinstance(values, jax.Array):
        return values if jnp.issubdtype(values.dtype, jnp.floating) else values.astype(float)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values)):
        return jnp.asarray(values, float)
    return jax.device_put(np.asarray(values, dtype=float))
