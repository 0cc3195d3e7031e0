"""Read a document of any format: what it is shows from its content."""

from __future__ import annotations

import gzip
import io
import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from pyhf_func import readxml
from pyhf_func.documents.formats import datacards, hs3
from pyhf_func.documents.plain import plain
from pyhf_func.exceptions import Fault, InvalidDocument, PyhfFuncError
from pyhf_func.schema import extended
from pyhf_func.schema.reading import load, name_of
from pyhf_func.workspace import Workspace

__all__ = ["read", "read_document"]

Document = dict[str, Any]
Readable = str | os.PathLike[str] | IO[str] | IO[bytes] | Mapping[str, Any]

MOST_BYTES = 1 << 30
"""Bytes of a file that is unpacked or comes from elsewhere, at most."""


def read(
    source: Readable,
    *,
    analysis: str | None = None,
    strict: bool = False,
    folder: str | os.PathLike[str] | None = None,
    allow_outside: bool = False,
    mass: float = 120.0,
    maps: Sequence[str] = (),
    keywords: Mapping[str, str] | None = None,
) -> Workspace:
    """Read a likelihood of any format: pyhf's JSON, HS3, HistFactory's XML or a datacard of Combine's.

    Args:
        source: A path, an address (``https://...``), ``-`` for standard input, a stream open for reading, or a
            document. JSON may be packed with gzip.
        analysis: Of HS3, the analysis to read; by default the first whose name holds ``obs``, else the first. Of XML,
            the measurement, by default the first, with all others of the same constraint terms.
        strict: Whether what is otherwise warned of is refused.
        folder: Of XML and datacards, where relative paths start; by default the folder of the file, or of XML the one
            above where it lies in a folder ``config`` and its paths say so.
        allow_outside: Whether files outside of that folder may be read.
        mass: Of datacards, what ``$MASS`` in names of histograms stands for.
        maps: Of datacards, the maps of Combine's ``multiSignalModel``, such as ``.*/ggH:r_ggH[1,-5,5]``; by default
            ``r`` scales every signal.
        keywords: Of datacards, what other words after ``$`` stand for.

    Returns:
        The workspace. ``foreign_names`` has the owner's names of parameters.

    Raises:
        InvalidDocument: The content is of no format that is known.
        InvalidSpecification: It does not follow its format.
        UnsupportedExtension: It says what the engine cannot compute yet; everything at once, each with its place.
            :func:`pyhf_func.documents.read_document` reads it all the same.
        OSError: A file is missing or cannot be read.

    Example:
        >>> import pyhf_func as pf
        >>> document = {
        ...     "distributions": [{"name": "model_SR", "type": "histfactory_dist", "axes": [{"name": "x", "nbins": 1}],
        ...         "samples": [{"name": "s", "data": {"contents": [5.0]}, "modifiers": [
        ...             {"name": "mu", "type": "normfactor", "parameter": "mu"}, {"name": "jes", "type": "normsys",
        ...              "parameter": "alpha_jes", "data": {"hi": 1.1, "lo": 0.9}}]}]}],
        ...     "data": [{"name": "obs_SR", "type": "binned", "contents": [6]}],
        ...     "likelihoods": [{"name": "L", "distributions": ["model_SR"], "data": ["obs_SR"]}],
        ...     "analyses": [{"name": "fit", "likelihood": "L", "parameters_of_interest": ["mu"]}]}
        >>> workspace = pf.read(document)
        >>> workspace.model().config.par_names, workspace.foreign_names["alpha_jes"]
        (['mu', 'jes'], 'jes')
    """
    document, name = _read(
        source,
        analysis=analysis,
        strict=strict,
        folder=folder,
        allow_outside=allow_outside,
        mass=mass,
        maps=maps,
        keywords=keywords,
    )
    if not extended.is_extended(document):
        return Workspace(document, source=name, strict=strict)
    extended.check(document, name)
    same = plain(document, name, computed=extended.COMPUTED)
    return Workspace(same.document, source=name, strict=strict, settings=same.settings, metadata=same.metadata)


def read_document(source: Readable, **options: Any) -> Document:
    """Read a likelihood of any format into a document of the model language.

    Args:
        source: As for :func:`read`.
        options: Likewise.

    Returns:
        The document: a workspace of pyhf's format, with optional keys where that is not enough.

    Raises:
        InvalidDocument: The content is of no format that is known.
        InvalidSpecification: It does not follow its format.
        OSError: A file is missing or cannot be read.
    """
    document, name = _read(source, **options)
    extended.check(document, name)
    return document


def _read(source: Readable, **options: Any) -> tuple[Document, str | None]:
    """The document, and the name of its file."""
    if isinstance(source, Mapping):
        name = getattr(source, "source", None)
        return _of_json(dict(source), name, **options), name
    content, name = _content(source)
    start = content.lstrip()[:1]
    if start == b"<":
        return _of_xml(source, name, **options), name
    if start == b"{":
        stream = io.BytesIO(content)
        stream.name = name
        return _of_json(load(stream), name, **options), name
    text = content.decode("utf-8", errors="replace")
    if datacards.is_datacard(text):
        return _of_card(text, source, name, **options), name
    raise _unknown(content, name)


def _of_card(text: str, source: Any, name: str, **options: Any) -> Document:
    is_path = isinstance(source, str | os.PathLike) and source != "-" and "://" not in str(source)
    folder = options.get("folder") or (Path(source).parent if is_path else None)
    names = ("mass", "maps", "keywords", "allow_outside", "strict")
    given = {key: options[key] for key in names if options.get(key) is not None}
    return datacards.read(text, folder=None if folder is None else Path(folder), source=name, **given)


def _of_json(document: Document, name: str | None, **options: Any) -> Document:
    if hs3.is_hs3(document):
        return hs3.read(document, analysis=options.get("analysis"), strict=options.get("strict", False), source=name)
    return document


def _content(source: Any) -> tuple[bytes, str]:
    """The bytes of a source, unpacked, and its name."""
    if isinstance(source, str) and source == "-":
        source = getattr(sys.stdin, "buffer", sys.stdin)
    if isinstance(source, str) and "://" in source:
        content, name = _downloaded(source), source
    elif isinstance(source, str | os.PathLike):
        content, name = Path(source).read_bytes(), os.fspath(source)
    else:
        found, name = source.read(), name_of(source)
        content = found.encode("utf-8") if isinstance(found, str) else found
    return (_unpacked(content, name) if content[:2] == b"\x1f\x8b" else content), name


def _downloaded(address: str) -> bytes:
    if not address.startswith("https://"):
        raise _refusal(f"only addresses that start with https:// are read, not {address.split(':')[0]}", address)
    with urllib.request.urlopen(address, timeout=60) as answer:
        content: bytes = answer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _refusal(f"has more than {MOST_BYTES >> 20} MiB", address)
    return content


def _unpacked(content: bytes, name: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            found = packed.read(MOST_BYTES + 1)
    except (EOFError, OSError) as error:
        raise _refusal(f"cannot be unpacked: {error}", name) from error
    if len(found) > MOST_BYTES:
        raise _refusal(f"unpacks to more than {MOST_BYTES >> 20} MiB", name)
    return found


def _of_xml(source: Any, name: str, **options: Any) -> Document:
    if not isinstance(source, str | os.PathLike) or "://" in str(source) or source == "-":
        raise _refusal("HistFactory's XML names other files: read it from a path", name)
    folder = options.get("folder") or _folder_of(Path(source))
    try:
        return readxml.parse(
            source,
            folder,
            strict=bool(options.get("strict", False)),
            allow_outside=bool(options.get("allow_outside", False)),
            extended=True,
            measurement=options.get("analysis"),
        )
    except (KeyError, ValueError, RuntimeError, SyntaxError) as error:
        if isinstance(error, PyhfFuncError):
            raise
        raise _refusal(str(error.args[0] if error.args else error), name) from error


def _folder_of(path: Path) -> Path:
    """Where an XML file's relative paths start: HistFactory runs in the folder above ``config``."""
    above = path.resolve().parent
    says_so = f"{above.name}/".encode() in path.read_bytes()
    return above.parent if says_so and above.name == "config" else path.parent


def _unknown(content: bytes, name: str) -> InvalidDocument:
    if content[:4] == b"root":
        return _refusal("is a ROOT file: read the JSON, XML or datacard that belongs to it", name)
    known = "JSON (pyhf's or HS3), HistFactory's XML or a datacard"
    return _refusal(f"is empty: {known} was expected" if not content.strip() else f"is not {known}", name)


def _refusal(message: str, name: str | None) -> InvalidDocument:
    return InvalidDocument(faults=[Fault("$", message, InvalidDocument, name)])
