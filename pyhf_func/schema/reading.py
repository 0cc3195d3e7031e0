"""Read JSON documents from files and streams, with errors that say what is wrong and where."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from math import isfinite
from typing import IO, Any

from pyhf_func.exceptions import Fault, InvalidDocument, json_path
from pyhf_func.schema.validator import of_file, validate

__all__ = ["Source", "load", "load_patch", "name_of"]

# What json.loads reads though JSON does not have it.
_LITERALS = ("NaN", "Infinity")

Source = str | os.PathLike[str] | IO[str] | IO[bytes]


def load(source: Source) -> dict[str, Any]:
    """Read one JSON object, such as a workspace.

    Args:
        source: A path, or a stream open for reading.

    Returns:
        The document.

    Raises:
        FileNotFoundError: There is no such file (or another OSError of the system, such as PermissionError).
        InvalidDocument: The content is no JSON object: empty, truncated, not JSON, not UTF-8, a key given
            twice in one object, NaN or infinity for a number. ``faults`` holds each with its place.
    """
    document: dict[str, Any] = _load(source, dict, "a JSON object")
    return document


def load_patch(source: Source) -> list[Any]:
    """Read one JSON patch, a list of operations.

    Args:
        source: A path, or a stream open for reading.

    Returns:
        The operations.

    Raises:
        FileNotFoundError: There is no such file (or another OSError of the system, such as PermissionError).
        InvalidDocument: The content is no JSON list, see :func:`load`.
        InvalidSpecification: The list is no JSON patch.
    """
    operations: list[Any] = _load(source, list, "a list of operations (a JSON patch)")
    with of_file(name_of(source)):
        validate(operations, "jsonpatch.json")
    return operations


def _load(source: Source, kind: type, expected: str) -> Any:
    name = name_of(source)
    content = _read(source, name)
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    except UnicodeDecodeError as error:
        raise _not_text(error, name) from error
    if not text.strip():
        raise _refusal(f"is empty: {expected} was expected", name)
    document, repeated = _parse(text, name)
    if not isinstance(document, kind):
        raise _refusal(f"holds {_kind(document)}: {expected} was expected", name)
    faults = [
        *_repeated_keys(document, repeated, name),
        *(_not_finite(document, name) if any(literal in text for literal in _LITERALS) else ()),
    ]
    if faults:
        raise InvalidDocument(faults=faults)
    return document


def name_of(source: Source) -> str:
    """What to call a file or stream in messages."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "the input"


def _read(source: Source, name: str) -> str | bytes:
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as stream:
            return stream.read()
    try:
        return source.read()
    except UnicodeDecodeError as error:
        raise _not_text(error, name) from error


def _parse(text: str, name: str) -> tuple[Any, list[tuple[dict[str, Any], list[str]]]]:
    """The document, and its objects in which a key stands twice."""
    repeated: list[tuple[dict[str, Any], list[str]]] = []

    def make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            keys = [key for key, _ in pairs]
            repeated.append((made, sorted({key for key in keys if keys.count(key) > 1})))
        return made

    try:
        return json.loads(text, object_pairs_hook=make_object), repeated
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        if not text[error.pos :].strip() or error.msg.startswith("Unterminated string"):
            raise _refusal(f"ends too early ({where}): is the file truncated?", name) from error
        raise _refusal(f"is not JSON: {error.msg} ({where})", name) from error
    except ValueError as error:
        raise _refusal(f"holds an integer of too many digits: {error}", name) from error
    except RecursionError as error:
        raise _refusal("is nested too deeply to be a workspace", name) from error


def _repeated_keys(document: Any, repeated: list[tuple[dict[str, Any], list[str]]], name: str) -> Iterator[Fault]:
    """Objects with a key twice: which of the two is meant cannot be known."""
    if repeated:
        keys_of = {id(where): keys for where, keys in repeated}
        for steps, value in _walk(document, ()):
            for key in keys_of.get(id(value), ()):
                yield Fault(json_path(steps), f"has the key {key!r} twice. Keep one of them", InvalidDocument, name)


def _not_finite(document: Any, name: str) -> Iterator[Fault]:
    """Numbers that are NaN or infinite."""
    for steps, value in _walk(document, ()):
        if isinstance(value, float) and not isfinite(value):
            yield Fault(json_path(steps), f"is {value}: only finite numbers are allowed", InvalidDocument, name)


def _walk(value: Any, steps: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value of a document with the path to it, in document order."""
    yield steps, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, (*steps, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, (*steps, index))


def _kind(value: Any) -> str:
    kinds = {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), "null")


def _not_text(error: UnicodeDecodeError, name: str) -> InvalidDocument:
    return _refusal(f"is not UTF-8 text (byte {error.start}): is it a JSON file?", name)


def _refusal(message: str, name: str) -> InvalidDocument:
    return InvalidDocument(faults=[Fault("$", message, InvalidDocument, name)])
