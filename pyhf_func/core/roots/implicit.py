"""Located roots as functions of their inputs, by the implicit function theorem."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def attach(miss: Callable[[Array, Any], Array], inputs: Any, roots: Array) -> Array:
    """Roots that were located, as a function of the inputs: derivatives of any order.

    Args:
        miss: A function of roots and inputs, elementwise in the roots, that is zero at them.
        inputs: A pytree.
        roots: The roots, however they were found. Where the slope is zero, or a root infinite, the derivative is zero.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> def root(square):
        ...     return attach(lambda root, square: root**2 - square, square, jnp.sqrt(jax.lax.stop_gradient(square)))
        >>> float(jax.grad(root)(4.0)), float(jax.grad(jax.grad(root))(4.0))
        (0.25, -0.03125)
    """
    return roots


@attach.defjvp
def _attach_jvp(
    miss: Callable[[Array, Any], Array], primals: tuple[Any, Array], tangents: tuple[Any, Array]
) -> tuple[Array, Array]:
    inputs, located = primals
    roots = attach(miss, inputs, located)
    change = jax.jvp(partial(miss, roots), (inputs,), (tangents[0],))[1]
    slope = jax.jvp(lambda roots: miss(roots, inputs), (roots,), (jnp.ones_like(roots),))[1]
    known = jnp.isfinite(roots) & (slope != 0)
    return roots, jnp.where(known, -change / jnp.where(known, slope, 1.0), 0.0)
