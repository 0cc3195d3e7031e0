"""A workspace as a document of the model language: with its metadata, and its settings as far as files hold them."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from pyhf_func.core import files
from pyhf_func.core.codes import CODES
from pyhf_func.exceptions import Unsupported
from pyhf_func.pdf.config import settings_of
from pyhf_func.schema.extended import SETTINGS, walk
from pyhf_func.schema.frozen import thaw
from pyhf_func.schema.writing import dumps


def save(
    workspace: Mapping[str, Any], settings: Mapping[str, Any], metadata: Mapping[str, Any], path: str | os.PathLike[str]
) -> None:
    """Write a workspace, with what belongs to it, to a file; see `pyhf_func.Workspace.save`."""
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

    def write(file: BinaryIO) -> None:
        file.write(content)

    content = (dumps(document, indent=4) + "\n").encode("utf-8")
    content = gzip.compress(content, mtime=0) if Path(path).suffix == ".gz" else content
    files.replace(path, write)


def _name_codes(document: dict[str, Any], settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the interpolation codes of all modifiers of a type beside each of them."""
    for _, _, _, modifier in walk(document):
        code = settings.get(modifier["type"], {}).get("interpcode")
        if code is None or "interpolation" in modifier:
            continue
        if modifier["type"] not in CODES[code].modifiers:
            raise Unsupported(f"No file holds the interpolation {code} of {modifier['name']!r}.")
        modifier["interpolation"] = code
