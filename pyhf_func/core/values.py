"""Look at the values of a document: finite, how many, where not; and how messages show them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from math import isfinite, log10
from typing import Any

import numpy as np

__all__ = [
    "as_list",
    "as_numpy",
    "bins",
    "is_array",
    "not_finite",
    "not_finite_in",
    "places",
    "short",
    "values_as_lists",
]

_NUMBERS = frozenset((float, int))


def as_list(values: Any) -> list[float]:
    """A list of numbers, or an array of any framework, as a list."""
    return values if isinstance(values, list) else as_numpy(values).tolist()


def values_as_lists(document: Any) -> Any:
    """A copy of a document, in which arrays of NumPy and JAX, and NumPy's numbers, are lists and numbers, as in JSON.

    What carries derivatives stays as it is: numbers that JAX traces, and tensors of other frameworks.
    """
    if isinstance(document, dict):
        return {key: values_as_lists(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        if _NUMBERS.issuperset(map(type, document)):
            return list(document)
        return [values_as_lists(item) for item in document]
    if isinstance(document, np.ndarray | np.generic):
        return document.tolist()
    jax = sys.modules.get("jax") if is_array(document) else None
    if jax is not None and isinstance(document, jax.Array) and not isinstance(document, jax.core.Tracer):
        return as_list(document)
    return document


def is_array(value: Any) -> bool:
    """Whether a value is an array or tensor of some framework."""
    return hasattr(value, "dtype") and hasattr(value, "shape")


def as_numpy(values: Any) -> np.ndarray:
    """Arrays of NumPy and JAX, tensors of PyTorch (with or without gradient), TensorFlow and MXNet as NumPy's."""
    for method in ("detach", "cpu", "asnumpy", "numpy"):
        if hasattr(values, method):
            values = getattr(values, method)()
    return np.asarray(values)


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


def not_finite_in(values: Sequence[float], wrong: Sequence[int]) -> str:
    """The message for numbers that are not finite in some bins."""
    found = ", ".join(dict.fromkeys(short(values[index], 20) for index in wrong))
    return f"{found} in {bins(wrong)}. Give finite numbers"


def places(values: Sequence[float], test: Callable[[float], bool]) -> list[int]:
    """Indices of the numbers that pass a test."""
    return [index for index, value in enumerate(values) if test(value)]


def bins(indices: Sequence[int]) -> str:
    """``bin 2`` or ``bins 0, 2``; the first ten where there are more."""
    rest = f" and {len(indices) - 10} more" if len(indices) > 10 else ""
    return f"{'bin' if len(indices) == 1 else 'bins'} {', '.join(map(str, indices[:10]))}{rest}"


def short(value: Any, length: int = 60) -> str:
    """A value as it stands in the document, cut to a readable length, however large or deep it is.

    Example:
        >>> short({"a": [1, 2.5]}), short([0] * 10**6, 20)
        ("{'a': [1, 2.5]}", '[0, 0, 0, 0, 0,  ...')
    """
    text = ""
    for piece in _pieces(value, length):
        text += piece
        if len(text) > length:
            return text[: length - 4] + " ..."
    return text


def _pieces(value: Any, length: int) -> Iterator[str]:
    """The representation of a value, piece by piece: whoever has enough need not make the rest."""
    if isinstance(value, dict | list | tuple) and value:
        start, end = ("{", "}") if isinstance(value, dict) else ("[", "]") if isinstance(value, list) else ("(", ")")
        for number, item in enumerate(value):
            yield start if number == 0 else ", "
            yield from _pieces(item, length)
            if isinstance(value, dict):
                yield ": "
                yield from _pieces(value[item], length)
        yield end
    elif isinstance(value, str | bytes):
        yield repr(value[: length + 1])
    elif isinstance(value, int) and value.bit_length() > 4 * length:
        yield f"an integer of about {int(value.bit_length() * log10(2))} digits"
    else:
        yield repr(value)
