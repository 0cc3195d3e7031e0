"""Apply JSON patches to documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any

import jsonpatch
from jsonpointer import JsonPointer, JsonPointerException

from pyhf_func._lookup import shown
from pyhf_func.exceptions import InvalidWorkspaceOperation, cut
from pyhf_func.schema.validator import not_too_deep

__all__ = ["PatchConflict", "apply", "patched"]

MOST_COPIED = 200_000
"""Values that the copies of one patch may make, or as many as the document has if these are more: each copy can double
the document, and forty fill any memory."""


class PatchConflict(InvalidWorkspaceOperation, jsonpatch.JsonPatchConflict, JsonPointerException):
    """A patch does not fit the document; also an exception of jsonpatch and jsonpointer, for those who catch these."""


def patched(document: Mapping[str, Any], patches: Iterable[Any]) -> dict[str, Any]:
    """A document with patches applied, one after the other; the one that is given stays as it is.

    What the patches do not touch is that document's, and what they add is theirs: copy it before you change it.

    Args:
        document: The document.
        patches: Lists of operations, or ``jsonpatch.JsonPatch`` objects.

    Raises:
        InvalidWorkspaceOperation: They are no list of patches.
        PatchConflict: A patch is not valid, does not fit the document, or copies too much.
    """
    result: Any = document
    for number, patch in enumerate(listed(patches)):
        try:
            with not_too_deep():
                result = _applied(jsonpatch.JsonPatch(patch), result)
        except (jsonpatch.JsonPatchException, JsonPointerException) as error:
            # What these say of a place may hold the whole document.
            raise PatchConflict(f"patch {number} does not fit the workspace: {cut(str(error), 400)}") from error
    if not isinstance(result, Mapping):
        raise PatchConflict("the patches leave no JSON object: an operation replaces the whole document")
    return dict(result)


def listed(patches: Any) -> list[Any]:
    """The patches, where they are a list of patches.

    Raises:
        InvalidWorkspaceOperation: They are one patch, the name of one, or something else.
    """
    if patches is None:
        return []
    if isinstance(patches, str) or not isinstance(patches, Iterable):
        raise InvalidWorkspaceOperation(f"patches is {shown(patches)}; {_WANTED}")
    if isinstance(patches, Mapping | jsonpatch.JsonPatch):
        raise InvalidWorkspaceOperation(f"patches is one patch, {shown(patches)}; give a list of patches: [patch]")
    patches = list(patches)
    for patch in patches:
        if isinstance(patch, Mapping) and "op" in patch:
            raise InvalidWorkspaceOperation("patches is a list of operations; give a list of patches: [operations]")
        if not isinstance(patch, list | tuple | jsonpatch.JsonPatch):
            raise InvalidWorkspaceOperation(f"patches holds {shown(patch)}; {_WANTED}")
    return patches


_WANTED = "give a list of JSON patches, each a list of operations; a patch set has patches by name: [patchset['name']]"


def _applied(patch: jsonpatch.JsonPatch, document: Any) -> Any:
    """The document with one patch applied; only the containers on the paths of its operations are copied."""
    operations = patch.patch
    if not all(operation["op"] in ("add", "replace", "remove", "test") for operation in operations):
        return apply(patch, document)
    sharing = _Sharing(document)
    for operation in operations:
        sharing.apply(operation)
    return sharing.document


class _Sharing:
    """A document that is changed, and shares all that is not changed with the one that it was."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self._own: dict[int, Any] = {}  # by identity, which only those that are kept here have for good

    def apply(self, operation: Mapping[str, Any]) -> None:
        """Apply an operation that changes what is at its path, and nothing else."""
        parts = JsonPointer(operation["path"]).parts
        parent = self._parent(parts)
        if (
            operation["op"] in ("add", "replace")
            and "value" in operation
            and parts
            and _put(parent, parts[-1], operation)
        ):
            return
        # All others, and faults, are those of jsonpatch.
        self.document = jsonpatch.JsonPatch([operation]).apply(self.document, in_place=True)

    def _parent(self, parts: Sequence[str]) -> Any:
        """The container that a path leads into, to be changed; None where there is none."""
        if not parts:
            return None
        here = self.document = self._copied(self.document)
        for part in parts[:-1]:
            try:
                place = int(part) if isinstance(here, list) and _INDEX.fullmatch(part) else part
                inner = here[place]
                here[place] = inner = self._copied(inner)
            except (LookupError, TypeError):
                return None
            here = inner
        return here

    def _copied(self, value: Any) -> Any:
        """A container as one of our own."""
        if id(value) in self._own or not isinstance(value, Mapping | list):
            return value
        copy = list(value) if isinstance(value, list) else dict(value)
        self._own[id(copy)] = copy
        return copy


def _put(parent: Any, part: str, operation: Mapping[str, Any]) -> bool:
    """Add or replace a value, where that is possible for sure; whether it was."""
    value, adds = operation["value"], operation["op"] == "add"
    if isinstance(parent, dict) and (adds or part in parent):
        parent[part] = value
    elif isinstance(parent, list) and part == "-" and adds:
        parent.append(value)
    elif isinstance(parent, list) and _INDEX.fullmatch(part) and int(part) < len(parent) + adds:
        if adds:
            parent.insert(int(part), value)
        else:
            parent[int(part)] = value
    else:
        return False
    return True


_INDEX = re.compile("0|[1-9][0-9]*")


def apply(patch: jsonpatch.JsonPatch, document: Any, in_place: bool = False, *args: Any, **options: Any) -> Any:
    """Apply a patch, unless its copies would fill the memory.

    Args:
        patch: The patch.
        document: The document.
        in_place: Whether to change the document itself, rather than a copy.
        args, options: What else ``jsonpatch.JsonPatch.apply`` takes.

    Raises:
        JsonPatchException: The patch does not fit the document, or copies too much.
        JsonPointerException: A path is not valid.
    """
    operations = patch.patch
    if not any(operation["op"] == "copy" for operation in operations):
        return jsonpatch.JsonPatch.apply(patch, document, in_place, *args, **options)
    most = left = max(MOST_COPIED, _count(document))
    for index, operation in enumerate(operations):
        if operation["op"] == "copy":
            left -= _count(JsonPointer(operation["from"]).resolve(document), left)
            if left < 0:
                raise jsonpatch.JsonPatchConflict(
                    f"operation {index}, a copy, makes the document too large: the copies of a patch may add up to "
                    f"{most:,} values. Write what it should hold into the patch"
                )
        document = jsonpatch.JsonPatch([operation]).apply(document, in_place or index > 0, *args, **options)
    return document


def _count(value: Any, most: float = inf) -> int:
    """The number of values in a document; some number above ``most`` where there are more than that."""
    count, waiting = 0, [value]
    while waiting and count <= most:
        here = waiting.pop()
        count += 1
        if isinstance(here, dict):
            waiting.extend(here.values())
        elif isinstance(here, list):
            waiting.extend(here)
    return count if not waiting else count + len(waiting)
