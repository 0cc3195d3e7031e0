"""Results as JSON documents, and back: format ``pyhf_func result 1``, whose schema is shipped beside this file.

``kind`` is the class of the result, ``names`` the names of its model, ``about`` what it was made with, and ``content``
its fields. Arrays are nested lists; ``types`` has the type and the shape of each. Statuses are words. NaN is null,
infinite numbers are the strings ``"inf"`` and ``"-inf"``: JSON has none of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from pyhf_func.exceptions import Fault, InvalidDocument, cut
from pyhf_func.results.about import restored
from pyhf_func.results.base import KINDS, Result, is_status, named
from pyhf_func.results.names import ModelNames
from pyhf_func.results.status import Status, words

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


def result_of(document: Any) -> Any:
    """The result that a document holds.

    Raises:
        InvalidDocument: It is not such a document, or damaged.
    """
    _check(document)
    names = document["names"]
    try:
        result = _result(document["kind"], document)
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid("$", f"the document of a {document['kind']} is damaged: {error!r}") from error
    about = restored(document["about"]) if document["about"] else None
    return named(result, names and _names(names), about)


@cache
def schema() -> Any:
    """The JSON schema of documents of results."""
    return json.loads(files("pyhf_func.results").joinpath("result-1.json").read_text(encoding="utf-8"))


def _check(document: Any) -> None:
    import jsonschema

    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        given = document.get("format") if isinstance(document, Mapping) else None
        told = f"its format is {given!r}" if given else "it has no format"
        raise _invalid("$", f"is not the document of a result that this version reads: {told}, not {FORMAT!r}")
    fault = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema()).iter_errors(document))
    if fault is not None:
        raise _invalid(fault.json_path, cut(fault.message, 300))
    if document["kind"] not in KINDS:
        raise _invalid("$.kind", f"there is no result {document['kind']!r}; there are {', '.join(KINDS)}")


def _invalid(place: str, message: str) -> InvalidDocument:
    return InvalidDocument(faults=[Fault(place, message, InvalidDocument)])


def _names_document(names: ModelNames) -> dict[str, Any]:
    return {
        "parameters": [{"name": name, "size": size} for name, size in names.parameters],
        "poi": names.poi,
        "channels": [{"name": name, "bins": size} for name, size in names.channels],
        "samples": [*names.samples],
        "axes": [*names.axes],
    }


def _names(document: Mapping[str, Any]) -> ModelNames:
    return ModelNames(
        tuple((one["name"], one["size"]) for one in document["parameters"]),
        document["poi"],
        tuple((one["name"], one["bins"]) for one in document["channels"]),
        tuple(document["samples"]),
        tuple(document["axes"]),
    )


def _node(result: Result) -> dict[str, Any]:
    types: dict[str, list[Any]] = {}
    content = {name: _written(value, name, types) for name, value in result._asdict().items()}
    return {"types": types, "content": content}


def _written(value: Any, name: str, types: dict[str, list[Any]]) -> Any:
    if isinstance(value, Result):
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


def _result(kind: str, node: Mapping[str, Any]) -> Result:
    content, types, made = node["content"], node["types"], KINDS[kind]
    fields = {name: _read(content[name], name, types) for name in made._fields}
    return made(**{name: float(x) if made.__annotations__[name] == "float" else x for name, x in fields.items()})


def _read(value: Any, name: str, types: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return _result(value["kind"], value)
    if name in types:
        dtype, shape = types[name]
        flat = [*_flat(value)]
        numbers = [Status[one].value for one in flat] if is_status(name.partition("[")[0]) else [*map(_parsed, flat)]
        return np.array(numbers, np.dtype(dtype)).reshape(shape)
    if isinstance(value, list):
        return tuple(_read(one, f"{name}[{i}]", types) for i, one in enumerate(value))
    return value


def _flat(value: Any) -> Any:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, list):
            yield from _flat(one)
        else:
            yield one


def _parsed(number: Any) -> Any:
    return math.nan if number is None else float(number) if isinstance(number, str) else number
