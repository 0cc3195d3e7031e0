"""Write JSON documents: what JSON cannot hold is refused, never written as something else."""

from __future__ import annotations

import json
from math import isfinite
from numbers import Real
from typing import Any

from pyhf_func.exceptions import Fault, InvalidDocument, cut, json_path
from pyhf_func.schema.validator import not_too_deep
from pyhf_func.schema.values import as_list, is_array

__all__ = ["as_json", "dumps"]


def dumps(document: Any, **options: Any) -> str:
    """A document as JSON text; arrays become lists.

    Args:
        document: The document.
        options: What else :func:`json.dumps` takes, such as ``indent``.

    Raises:
        InvalidDocument: It holds NaN, infinity or something that JSON does not have; ``faults`` says where.

    Example:
        >>> import numpy as np
        >>> dumps({"a": np.array([1.0, 2.5])})
        '{"a": [1.0, 2.5]}'
        >>> dumps({"a": [1.0, float("nan")]})
        Traceback (most recent call last):
            ...
        pyhf_func.exceptions.InvalidDocument: $.a[1]: is nan, which JSON cannot hold
    """
    with not_too_deep():
        try:
            return json.dumps(document, **options, allow_nan=False, default=as_json)
        except (TypeError, ValueError) as error:
            faults = _not_json(document, ()) or [Fault("$", f"is no JSON: {cut(str(error), 300)}", InvalidDocument)]
            raise InvalidDocument(faults=faults) from error


def as_json(value: Any) -> Any:
    """An array as a list, for :func:`json.dumps`.

    Raises:
        TypeError: The value is none.
    """
    if is_array(value):
        return as_list(value)
    raise TypeError(f"{type(value).__name__} is no type of JSON")


def _not_json(value: Any, steps: tuple[str | int, ...]) -> list[Fault]:
    """Where numbers stand that are not finite, and values of other types."""
    if is_array(value):
        value = as_list(value)
    if isinstance(value, dict):
        return [fault for key, item in value.items() for fault in _not_json(item, (*steps, str(key)))]
    if isinstance(value, list | tuple):
        return [fault for index, item in enumerate(value) for fault in _not_json(item, (*steps, index))]
    if isinstance(value, float) and not isfinite(value):
        return [Fault(json_path(steps), f"is {value}, which JSON cannot hold", InvalidDocument)]
    if value is None or isinstance(value, str | Real):
        return []
    return [Fault(json_path(steps), f"is of type {type(value).__name__}, which JSON cannot hold", InvalidDocument)]
