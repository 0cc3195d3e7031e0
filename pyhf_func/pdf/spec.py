"""Copies of specs, and specs whose numbers are arrays or tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyhf_func.schema.values import as_numpy, is_array


def numbers_as_lists(spec: Any) -> Any:
    """The same content with lists and numbers for arrays and tensors; the spec itself where it has none."""
    if isinstance(spec, Mapping):
        changed = {key: numbers_as_lists(value) for key, value in spec.items()}
        return spec if all(changed[key] is spec[key] for key in changed) else changed
    if isinstance(spec, list | tuple):
        if all(type(value) is float or type(value) is int for value in spec):
            return spec
        items = [numbers_as_lists(value) for value in spec]
        return spec if all(new is old for new, old in zip(items, spec, strict=True)) else items
    return as_numpy(spec).tolist() if is_array(spec) else spec


def copied(spec: Any) -> Any:
    """A copy of mappings and lists, all the way down; numbers, arrays and strings are shared."""
    if isinstance(spec, Mapping):
        return {key: copied(value) for key, value in spec.items()}
    if isinstance(spec, list):
        return [copied(value) if isinstance(value, Mapping | list) else value for value in spec]
    return spec
