"""Results from JSON documents, which `pyhf_func.results.writing` describes and writes."""

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
from pyhf_func.results.base import KINDS, Result, named
from pyhf_func.results.names import ModelNames
from pyhf_func.results.status import Status, is_status
from pyhf_func.results.writing import FORMAT


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


def _names(document: Mapping[str, Any]) -> ModelNames:
    return ModelNames(
        tuple((one["name"], one["size"]) for one in document["parameters"]),
        document["poi"],
        tuple((one["name"], one["bins"]) for one in document["channels"]),
        tuple(document["samples"]),
        tuple(document["axes"]),
    )


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
