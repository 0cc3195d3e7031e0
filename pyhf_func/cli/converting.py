"""A likelihood in the format that was asked for."""

from pathlib import Path
from typing import Any

from pyhf_func import readxml, writexml
from pyhf_func.cli import documents
from pyhf_func.cli.errors import warn
from pyhf_func.documents.formats import datacards, hs3
from pyhf_func.documents.plain import plain
from pyhf_func.exceptions import Unsupported, UnsupportedExtension, raise_faults
from pyhf_func.histfactory.language import unheld
from pyhf_func.schema.extended import is_extended
from pyhf_func.workspace import Workspace


def write(document: dict[str, Any], given: str, out: str, target: str, *, approximate: bool, strict: bool) -> None:
    """Write a document of the model language to ``out`` in the format ``target``.

    Raises:
        UnsupportedExtension, Unsupported: The format cannot hold it.
    """
    if target == "card":
        datacards.write(document, out, approximate=approximate, strict=strict, source=given)
    elif target == "xml":
        _write_xml(_for_xml(document, given, strict), out, approximate, strict)
    else:
        hs3_or_json = (
            hs3.write(document, strict=strict, source=given)
            if target == "hs3"
            else _json(document, given, target, strict)
        )
        documents.write(hs3_or_json, None if out == "-" else out)


def _json(document: dict[str, Any], given: str, target: str, strict: bool) -> dict[str, Any]:
    """Of pyhf's format where that is exact, otherwise of the model language."""
    if not is_extended(document):
        return document
    if target == "pyhf":
        return _plain(document, given, strict)
    try:
        same = plain(document, given)
    except UnsupportedExtension:
        warn("written in the model language, since pyhf's format cannot hold the likelihood")
        return document
    if same.settings:
        warn("written in the model language, since the likelihood needs settings that pyhf's format cannot hold")
        return document
    return same.document


def _plain(document: dict[str, Any], given: str, strict: bool) -> dict[str, Any]:
    """The document in pyhf's format; settings of the model that go with it are named, or refused."""
    same = plain(document, given)
    if same.settings:
        message = f"{given}: the likelihood needs the arguments {same.settings} of the model, which no file holds"
        if strict:
            raise Unsupported(message)
        warn(message)
    return same.document


def _for_xml(document: dict[str, Any], given: str, strict: bool) -> dict[str, Any]:
    """The document as it is where the XML can hold it, else in pyhf's format."""
    lacking = unheld(document)
    if not lacking:
        return document
    try:
        same = _plain(document, given, strict)
    except UnsupportedExtension:
        raise_faults(lacking)
        raise
    return same


def _write_xml(document: dict[str, Any], out: str, approximate: bool, strict: bool) -> None:
    _ = readxml.uproot  # without which nothing can be written
    if not approximate:
        raise_faults(writexml.changes(document))
    path = Path(out)
    folders = {name: path.parent / name for name in ("config", "data")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    top = writexml.writexml(Workspace(document), folders["config"], folders["data"], path.stem, strict=strict)
    path.write_bytes(top)
