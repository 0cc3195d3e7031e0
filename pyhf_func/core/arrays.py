"""Numbers that users give as arrays."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from numbers import Real
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from pyhf_func._lookup import shown

Numbers = ArrayLike | Sequence[float]
"""An array, a tracer, or a list of numbers."""

_PLAIN = frozenset((float, int, np.float64))


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


def argument(values: Any, name: str) -> Array:
    """A value that was given under a name, as an argument of a compiled function.

    As `floats`, but what is on the host stays there, as a copy: the compiled function takes it over, and makes it an
    array of JAX's, faster than that could be done before.

    Raises:
        TypeError: They are no numbers: strings, None, flags, complex numbers, ...

    Example:
        >>> argument([1, 2], "mus")
        array([1., 2.])
        >>> argument("1.0", "mu")
        Traceback (most recent call last):
        TypeError: mu is '1.0'; give a number.
    """
    if type(values) in _PLAIN or (isinstance(values, list | tuple) and _PLAIN.issuperset(map(type, values))):
        return _on_host(values, values, name)
    if isinstance(values, jax.Array) and _is_numeric(values):
        return floats(values)
    elements = jax.tree.leaves(values, is_leaf=lambda value: not isinstance(value, list | tuple))
    for element in elements:
        if not _is_numeric(element):
            raise TypeError(_no_numbers(element, values, name))
    if not any(isinstance(element, jax.Array) for element in elements):
        return _on_host(values, elements, name)
    try:
        return floats(values)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} holds arrays of different shapes; give one array, or a list of numbers.") from error


def _on_host(values: Any, elements: Sequence[Any], name: str) -> Array:
    try:
        return cast(Array, np.array(values, dtype=float))
    except OverflowError as error:
        raise TypeError(f"{name} holds an integer beyond the range of floating-point numbers.") from error
    except (TypeError, ValueError) as error:
        raise TypeError(_no_numbers(values, elements, name)) from error


def _is_numeric(element: Any) -> bool:
    """Whether something is a real number or an array of such; not so flags, which count as numbers elsewhere."""
    dtype = getattr(element, "dtype", None)
    if dtype is None:
        is_array = hasattr(element, "__array__") or (isinstance(element, Sequence) and not isinstance(element, str))
        return (isinstance(element, Real) or is_array) and not isinstance(element, bool | bytes)
    if isinstance(element, jax.core.Tracer):
        return True
    kinds = "fiuO" if isinstance(element, np.ndarray) else "fiu"
    return getattr(dtype, "kind", "?") in kinds or jnp.issubdtype(dtype, jnp.floating)


def count(value: Any, name: str, least: int = 1) -> int:
    """A number of things.

    Raises:
        TypeError: It is not an integer.
        ValueError: It is too small.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or is_flag(value):
        raise TypeError(f"{name} is {shown(value)}; give an integer, which no function may trace.")
    if number < least:
        raise ValueError(f"{name} is {number}; it must be at least {least}.")
    return number


def positive(value: Any, name: str) -> None:
    """Check a positive number that is an option, thus no array.

    Raises:
        TypeError: It is not a number.
        ValueError: It is not positive, or not finite.
    """
    if not isinstance(value, Real) or is_flag(value):
        raise TypeError(f"{name} is {shown(value)}; give a number.")
    if not 0 < float(value) < math.inf:
        raise ValueError(f"{name} is {value}; it must be positive and finite.")


def is_flag(value: Any) -> bool:
    """Whether something is true or false, or an array of such."""
    return isinstance(value, bool) or getattr(getattr(value, "dtype", None), "kind", "") == "b"


def _no_numbers(wrong: Any, values: Any, name: str) -> str:
    if wrong is values and not isinstance(values, list | tuple):
        return f"{name} is {shown(wrong)}; give a number."
    return f"{name} holds {shown(wrong)}; give numbers only."
