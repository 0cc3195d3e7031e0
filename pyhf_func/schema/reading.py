"""Read JSON documents from files and streams, with errors that say what is wrong and where."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO, Any

from pyhf_func._lookup import shown
from pyhf_func.core.values import is_finite, not_finite, short
from pyhf_func.exceptions import Fault, InvalidDocument, json_path
from pyhf_func.schema.validator import of_file, validate

__all__ = ["Source", "load", "load_patch", "name_of"]

_DEEPEST = 100
"""Levels of nesting, at most: a patch set of workspaces has about twenty."""

_NUMBERS = frozenset((int, float))

Steps = tuple[str | int, ...]
Source = str | os.PathLike[str] | IO[str] | IO[bytes]


def load(source: Source) -> dict[str, Any]:
    """Read one JSON object, such as a workspace.

    Args:
        source: A path, or a stream open for reading.

    Returns:
        The document.

    Raises:
        FileNotFoundError: There is no such file (or another OSError of the system, such as PermissionError).
        InvalidDocument: The content is no JSON object: empty, truncated, not JSON, not UTF-8, nested too deeply, a
            key given twice in one object, NaN, infinity or 1e400 for a number, half of a character in a string.
            ``faults`` holds each with its place.
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
    if not isinstance(source, str | os.PathLike) and not callable(getattr(source, "read", None)):
        raise TypeError(f"{shown(source)} is neither a path nor a stream open for reading.")
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
    containers = _containers(document, name)
    faults = [
        *_repeated_keys(containers, repeated, name),
        *_not_finite(containers, name),
        *(_half_characters(containers, name) if _SURROGATE.search(text) else ()),
    ]
    if faults:
        raise InvalidDocument(faults=faults)
    return document


def name_of(source: Source) -> str:
    """The name of a file or stream in messages."""
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
            counts = Counter(key for key, _ in pairs)
            repeated.append((made, sorted(key for key, count in counts.items() if count > 1)))
        return made

    try:
        return json.loads(text, object_pairs_hook=make_object), repeated
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        if not text[error.pos :].strip() or error.msg.startswith("Unterminated string"):
            raise _refusal(f"ends too early ({where}): is the file truncated?", name) from error
        raise _refusal(f"is not JSON: {error.msg} ({where})", name) from error
    except ValueError as error:
        most = sys.get_int_max_str_digits()
        raise _refusal(f"holds an integer of too many digits: write numbers with {most} or fewer", name) from error
    except RecursionError as error:
        raise _too_deep(name) from error


Containers = list[tuple[Steps, Any]]


def _containers(document: Any, name: str) -> Containers:
    """Every object and list of a document with the path to it, in document order.

    Raises:
        InvalidDocument: They are nested too deeply.
    """
    found: Containers = []
    waiting: Containers = [((), document)]
    while waiting:
        steps, value = waiting.pop()
        if len(steps) > _DEEPEST:
            raise _too_deep(name)
        found.append((steps, value))
        if isinstance(value, dict):
            inner = [((*steps, key), item) for key, item in value.items() if isinstance(item, dict | list)]
        elif _NUMBERS.issuperset(map(type, value)):
            continue
        else:
            inner = [((*steps, index), item) for index, item in enumerate(value) if isinstance(item, dict | list)]
        waiting.extend(reversed(inner))
    return found


def _items(value: Any) -> Iterable[tuple[str | int, Any]]:
    """The content of an object or list with its keys."""
    return value.items() if isinstance(value, dict) else enumerate(value)


def _repeated_keys(
    containers: Containers, repeated: list[tuple[dict[str, Any], list[str]]], name: str
) -> Iterator[Fault]:
    """Objects with a key twice: which of the two is meant cannot be known."""
    if repeated:
        keys_of = {id(where): keys for where, keys in repeated}
        for steps, value in containers:
            for key in keys_of.get(id(value), ()):
                message = f"has the key {short(key)} twice. Keep one of them"
                yield Fault(json_path(steps), message, InvalidDocument, name)


def _not_finite(containers: Containers, name: str) -> Iterator[Fault]:
    """Numbers that are NaN, infinite or, as 1e400 and integers of 400 digits, beyond the range of floats."""
    for steps, value in containers:
        if isinstance(value, list) and _NUMBERS.issuperset(map(type, value)) and not not_finite(value):
            continue
        for key, item in _items(value):
            if type(item) in _NUMBERS and not is_finite(item):
                found = short(float(item)) if isinstance(item, float) else short(item)
                message = f"is {found}: only finite numbers are allowed, within ±1.8e308"
                yield Fault(json_path((*steps, key)), message, InvalidDocument, name)


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _half_characters(containers: Containers, name: str) -> Iterator[Fault]:
    r"""Strings with a surrogate such as ``\ud800`` alone, which no file and no terminal can take."""
    for steps, value in containers:
        for key, item in _items(value):
            if any(isinstance(text, str) and not _is_text(text) for text in (key, item)):
                message = "holds half of a surrogate pair, which is no character. Correct the escape"
                yield Fault(json_path((*steps, key)), message, InvalidDocument, name)


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


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


def _too_deep(name: str) -> InvalidDocument:
    return _refusal(f"is nested too deeply to be a workspace: more than {_DEEPEST} levels", name)


def _refusal(message: str, name: str) -> InvalidDocument:
    return InvalidDocument(faults=[Fault("$", message, InvalidDocument, name)])
