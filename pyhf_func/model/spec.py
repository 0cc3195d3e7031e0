"""Copies of specs, and specs whose numbers are arrays or tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import is_
from typing import Any

import jax
import numpy as np

from pyhf_func.core.values import as_numpy, is_array
from pyhf_func.schema.frozen import FrozenDict, FrozenList
from pyhf_func.schema.validator import not_too_deep

_NUMBERS = frozenset((float, int))
_SCALARS = _NUMBERS | {str, bool, type(None)}


def numbers_as_lists(spec: Any) -> Any:
    """The same content with lists and numbers for arrays and tensors; the spec itself where it has none.

    Numbers that JAX traces have no values: they are one.

    Raises:
        InvalidSpecification: The spec is nested too deeply.
    """
    with not_too_deep():
        return _numbers_as_lists(spec)


def _numbers_as_lists(spec: Any) -> Any:
    if isinstance(spec, dict | Mapping):
        new = {key: _numbers_as_lists(value) for key, value in spec.items() if type(value) not in _SCALARS}
        return spec if all(value is spec[key] for key, value in new.items()) else {**spec, **new}
    if isinstance(spec, list | tuple):
        if _NUMBERS.issuperset(map(type, spec)):
            return spec
        items = [_numbers_as_lists(value) for value in spec]
        return spec if all(map(is_, items, spec)) else items
    if isinstance(spec, jax.core.Tracer):
        return np.ones(spec.shape).tolist()
    return as_numpy(spec).tolist() if is_array(spec) else spec


def kept(spec: Any) -> Any:
    """A copy that stays as it is when the spec is changed: only immutable parts are shared."""
    return spec if isinstance(spec, FrozenDict | FrozenList) else _copied(spec, kept)


def copied(spec: Any) -> Any:
    """A copy of mappings and lists, all the way down, to change at will; arrays and tensors are shared."""
    return _copied(spec, copied)


def _copied(spec: Any, inner: Callable[[Any], Any]) -> Any:
    if isinstance(spec, dict | Mapping):
        return {key: value if type(value) in _SCALARS else inner(value) for key, value in spec.items()}
    if isinstance(spec, list):
        return list(spec) if _NUMBERS.issuperset(map(type, spec)) else [inner(value) for value in spec]
    return spec
