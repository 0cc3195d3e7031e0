"""The structure of HS3 documents, as far as it is read: what is a list, an object, a text or a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyhf_func.documents.formats.hs3.parts import Notes, Steps

__all__ = ["check_structure"]

_TEXT, _OBJECT, _LIST = (str,), (dict,), (list,)
_TEXT_OR_NUMBER = (str, int, float)
_TEXTS = [_TEXT]

_MODIFIER = {
    "name": _TEXT,
    "type": _TEXT,
    "parameter": _TEXT_OR_NUMBER,
    "parameters": _TEXTS,
    "constraint": _TEXT,
    "constraint_name": _TEXT,
    "constraint_type": _TEXT,
    "constraints": _TEXTS,
}
_AXIS = {"name": _TEXT, "nbins": (int,), "edges": _LIST, "bounds": _LIST}
_NAMED_AXES = [{"name": _TEXT}]

_DOCUMENT = {
    "distributions": [
        {
            "name": _TEXT,
            "type": _TEXT,
            "axes": [_AXIS],
            "samples": [{"name": _TEXT, "data": _OBJECT, "modifiers": [_MODIFIER]}],
            "staterror": _OBJECT,
            "x": _TEXT_OR_NUMBER,
            "mean": _TEXT_OR_NUMBER,
            "sigma": _TEXT_OR_NUMBER,
        }
    ],
    "functions": [{"name": _TEXT, "type": _TEXT, "factors": _LIST, "summands": _LIST}],
    "data": [{"name": _TEXT, "type": _TEXT, "axes": [_AXIS]}],
    "likelihoods": [{"name": _TEXT, "distributions": _TEXTS, "data": _LIST, "aux_distributions": _TEXTS}],
    "analyses": [{"name": _TEXT, "likelihood": _TEXT, "init": _TEXT}],
    "domains": [{"name": _TEXT, "axes": _NAMED_AXES}],
    "parameter_points": [{"name": _TEXT, "parameters": _NAMED_AXES, "entries": _NAMED_AXES}],
    "metadata": {"packages": _LIST},
    "misc": {"pyhf_func": {"settings": _OBJECT}},
}

_WORDS = {dict: "object", list: "list", str: "text", int: "number", float: "number"}


def check_structure(document: Mapping[str, Any], notes: Notes) -> None:
    """Note everything of the wrong kind.

    Example:
        >>> notes = Notes(None)
        >>> check_structure({"data": [{"name": 5}], "domains": {}}, notes)
        >>> [str(fault) for fault in notes.faults]
        ['$.data[0].name: is no text', '$.domains: is no list']
    """
    for steps, message in _wrong(document, _DOCUMENT, ()):
        notes.fault(steps, message)


def _wrong(value: Any, wanted: Any, steps: Steps) -> Iterator[tuple[Steps, str]]:
    kinds = wanted if isinstance(wanted, tuple) else _OBJECT if isinstance(wanted, dict) else _LIST
    if not isinstance(value, kinds) or isinstance(value, bool):
        yield steps, f"is no {' or '.join(dict.fromkeys(_WORDS[kind] for kind in kinds))}"
    elif isinstance(wanted, dict):
        for key, inner in wanted.items():
            if key in value:
                yield from _wrong(value[key], inner, (*steps, key))
    elif isinstance(wanted, list):
        for i, item in enumerate(value):
            yield from _wrong(item, wanted[0], (*steps, i))
