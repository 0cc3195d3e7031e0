"""Write JSON documents: what JSON cannot hold is refused, never written as something else."""

from __future__ import annotations

import hashlib
import json
from math import isfinite
from numbers import Real
from typing import Any

from pyhf_func.core.values import as_list, is_array
from pyhf_func.exceptions import Fault, InvalidDocument, cut, json_path
from pyhf_func.schema.validator import not_too_deep

__all__ = ["as_json", "digest", "dumps"]


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
        TypeError: The value is not JSON.
    """
    if is_array(value):
        return as_list(value)
    raise TypeError(f"{type(value).__name__} is no type of JSON")


def digest(obj: Any, algorithm: str = "sha256") -> str:
    """The digest of a document. It does not depend on the order of keys; arrays count as lists.

    Args:
        obj: Anything that JSON can hold, usually a workspace.
        algorithm: A hash function of :mod:`hashlib`.

    Returns:
        The digest in hexadecimal digits.

    Raises:
        ValueError: The object is no JSON, or the algorithm is not known.

    Example:
        >>> digest({"a": 2.0, "b": 3.0}) == digest({"b": 3.0, "a": 2.0})
        True
        >>> digest({"a": 2.0}, algorithm="md5")
        'b082ba613518c44b697e8015808a9948'
    """
    try:
        # NaN and infinity have a digest, which is pyhf's, though no file can hold them.
        content = json.dumps(obj, sort_keys=True, ensure_ascii=False, default=as_json).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the object is not JSON-serializable, so it has no digest: {error}") from error
    try:
        return hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
    except (ValueError, TypeError) as error:  # TypeError: functions without a digest of fixed length
        raise ValueError(f"{algorithm} is not an algorithm of hashlib that gives a digest") from error


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
