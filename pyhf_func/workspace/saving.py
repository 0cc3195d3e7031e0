"""A workspace as a document of the model language: with its metadata, and its settings as far as files hold them."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyhf_func import _files
from pyhf_func.core.codes import CODES, settings_of
from pyhf_func.exceptions import Unsupported
from pyhf_func.schema.extended import SETTINGS, walk
from pyhf_func.schema.frozen import thaw
from pyhf_func.schema.writing import dumps


def document_of(
    workspace: Mapping[str, Any], settings: Mapping[str, Any], metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """A workspace, with what belongs to it, as a document of the model language.

    Raises:
        Unsupported: A setting that no file holds.
    """
    document = thaw(dict(workspace))
    rest = dict(settings)
    codes = rest.pop("modifier_settings", None)
    if codes is not None:
        _name_codes(document, settings_of(codes))
    if unknown := sorted(rest.keys() - set(SETTINGS)):
        raise Unsupported(
            f"No file holds the setting {unknown[0]}: give it to workspace.model() when you read the file."
        )
    if rest:
        document["settings"] = rest
    if metadata:
        document["metadata"] = thaw(dict(metadata))
    return document


def save(document: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a document to a file, packed where the path ends in ``.gz``."""
    content = (dumps(document, indent=4) + "\n").encode("utf-8")
    content = gzip.compress(content, mtime=0) if Path(path).suffix == ".gz" else content
    _files.replace(path, lambda file: file.write(content))


def _name_codes(document: dict[str, Any], settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the interpolation codes of all modifiers of a type beside each of them."""
    for _, _, _, modifier in walk(document):
        code = settings.get(modifier["type"], {}).get("interpcode")
        if code is None or "interpolation" in modifier:
            continue
        if modifier["type"] not in CODES[code].modifiers:
            raise Unsupported(f"No file holds the interpolation {code} of {modifier['name']!r}.")
        modifier["interpolation"] = code
