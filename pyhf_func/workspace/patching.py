"""Apply JSON patches to documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jsonpatch
from jsonpointer import JsonPointerException

from pyhf_func.exceptions import InvalidWorkspaceOperation

__all__ = ["PatchConflict", "patched"]


class PatchConflict(InvalidWorkspaceOperation, jsonpatch.JsonPatchConflict, JsonPointerException):
    """A patch does not fit the document; also an exception of jsonpatch and jsonpointer, for those who catch these."""


def patched(document: Mapping[str, Any], patches: Iterable[Any]) -> dict[str, Any]:
    """A copy of the document with patches applied, one after the other.

    Args:
        document: The document.
        patches: Lists of operations, or ``jsonpatch.JsonPatch`` objects.

    Raises:
        PatchConflict: A patch is none, or does not fit the document.
    """
    for number, patch in enumerate(patches):
        try:
            document = jsonpatch.JsonPatch(patch).apply(document)
        except (jsonpatch.JsonPatchException, JsonPointerException) as error:
            raise PatchConflict(f"patch {number} does not fit the workspace: {error}") from error
    return dict(document)
