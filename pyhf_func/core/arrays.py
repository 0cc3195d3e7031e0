"""Numbers that users give as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

Numbers = ArrayLike | Sequence[float]
"""An array, a tracer, or a list of numbers."""


def floats(values: Numbers) -> Array:
    """Values as an array of JAX's floating-point type; tracers stay tracers, and lists compile nothing.

    Example:
        >>> floats([1, 2]).dtype.kind
        'f'
    """
    if isinstance(values, jax.Array):
        as_they_should_be = values.dtype == jnp.result_type(float) and not values.weak_type
        return values if as_they_should_be else jnp.asarray(values, float)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values)):
        return jnp.asarray(values, float)
    return jax.device_put(np.asarray(values, dtype=float))


def argument(values: Numbers) -> Array:
    """Values as an argument of a compiled function: as `floats`, but what is on the host stays there, as a copy.

    The compiled function takes it over, and makes it an array of JAX's, faster than that could be done before.

    Example:
        >>> argument([1, 2])
        array([1., 2.])
    """
    if any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(values)):
        return floats(values)
    return cast(Array, np.array(values, dtype=float))
