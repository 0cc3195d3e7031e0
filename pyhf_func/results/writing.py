"""Results as JSON documents: format ``pyhf_func result 1``, whose schema is shipped beside this file.

``kind`` is the class of the result, ``names`` the names of its model, ``about`` what it was made with, and ``content``
its fields. Arrays are nested lists; ``types`` has the type and the shape of each. Statuses are words. NaN is null,
infinite numbers are the strings ``"inf"`` and ``"-inf"``: JSON has none of them. Read by `pyhf_func.results.documents`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pyhf_func.results.names import ModelNames
from pyhf_func.results.status import is_status, words

if TYPE_CHECKING:
    from pyhf_func.results.base import Result

FORMAT = "pyhf_func result 1"


def document_of(result: Result) -> dict[str, Any]:
    """A result as a JSON document."""
    names = result.model_names
    return {
        "format": FORMAT,
        "kind": type(result).__name__,
        "about": result.about or None,
        "names": names and _names_document(names),
        **_node(result),
    }


def _names_document(names: ModelNames) -> dict[str, Any]:
    return {
        "parameters": [{"name": name, "size": size} for name, size in names.parameters],
        "poi": names.poi,
        "channels": [{"name": name, "bins": size} for name, size in names.channels],
        "samples": [*names.samples],
        "axes": [*names.axes],
    }


def _node(result: Result) -> dict[str, Any]:
    types: dict[str, list[Any]] = {}
    content = {name: _written(value, name, types) for name, value in result._asdict().items()}
    return {"types": types, "content": content}


def _written(value: Any, name: str, types: dict[str, list[Any]]) -> Any:
    if hasattr(value, "model_names"):  # a result
        return {"kind": type(value).__name__, **_node(value)}
    if isinstance(value, tuple):
        return [_written(one, f"{name}[{i}]", types) for i, one in enumerate(value)]
    if value is None or isinstance(value, str):
        return value
    array = np.asarray(value)
    types[name] = [str(array.dtype), [*array.shape]]
    return words(array.tolist()) if is_status(name.partition("[")[0]) else _number(array.tolist())


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [*map(_number, value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
