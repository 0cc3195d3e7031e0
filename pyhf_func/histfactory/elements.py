"""Elements of HistFactory's XML, and their attributes."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.parsers import expat

from pyhf_func.exceptions import Fault, InvalidDocument
from pyhf_func.histfactory.notes import doubt

__all__ = ["KNOWN", "attribute", "check_attributes", "flag", "number", "progress", "tree_of"]


def tree_of(source: Any) -> Any:
    """An XML file, or stream, as a tree of elements.

    Raises:
        InvalidDocument: It is in an unknown encoding, or declares entities, which can grow without bound and stand for
            other files.
        ParseError: It is no XML.
    """
    named = isinstance(source, str | os.PathLike)
    if named:
        with open(source, "rb") as stream:
            content: str | bytes = stream.read()
    else:
        content = source.read()
    name = os.fspath(source) if named else getattr(source, "name", "the input")

    def refuse(*declaration: Any) -> None:
        message = f"declares the entity {declaration[0]}, which HistFactory has no use for. Write it out"
        raise InvalidDocument(faults=[Fault("$", message, InvalidDocument, str(name))])

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
        return ET.ElementTree(ET.fromstring(content))
    except (expat.ExpatError, ET.ParseError) as error:
        raise ET.ParseError(f"{name}: {error}") from error
    except (LookupError, ValueError) as error:
        raise InvalidDocument(
            faults=[Fault("$", f"cannot be decoded: {error}. Use UTF-8", InvalidDocument, str(name))]
        ) from error


KNOWN = {
    "Combination": "OutputFilePrefix Mode",
    "Measurement": "Name Lumi LumiRelErr Mode ExportOnly",
    "POI": "",
    "ParamSetting": "Val Const",
    "Channel": "Name InputFile HistoPath HistoName",
    "Data": "InputFile HistoPath HistoName",
    "StatErrorConfig": "RelErrorThreshold ConstraintType",
    "Sample": "Name InputFile HistoPath HistoName NormalizeByTheory",
    "StatError": "Activate HistoName InputFile HistoPath",
    "HistoSys": "Name InputFile HistoFileHigh HistoPathHigh HistoNameHigh HistoFileLow HistoPathLow HistoNameLow "
    "InputFileHigh InputFileLow HistoFile",
    "OverallSys": "Name High Low",
    "ShapeSys": "Name HistoName HistoPath InputFile HistoFile ConstraintType",
    "NormFactor": "Name Val High Low Const",
    "ShapeFactor": "Name Const",
}
"""Elements that are read, with the attributes that are, or that mean nothing for the likelihood."""


def check_attributes(element: ET.Element, place: str) -> None:
    """Note attributes that are not read."""
    unread = [name for name in element.attrib if name not in KNOWN[element.tag].split()]
    if unread:
        doubt(place, f"<{element.tag} {element.get('Name', '')}> has {', '.join(unread)}, which is not considered")


def attribute(element: ET.Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise KeyError(f"<{element.tag} Name={element.get('Name', '')!r}> lacks the attribute {name}")
    return value


def number(element: ET.Element, name: str) -> float:
    value = attribute(element, name)
    try:
        return float(value)
    except ValueError as error:
        where = f"<{element.tag} Name={element.get('Name', '')!r}>"
        raise ValueError(f"{where}: {name} is {value!r}, which is no number") from error


def flag(element: ET.Element, name: str) -> bool:
    """An attribute that is True or False, False where it is missing."""
    value = element.get(name, "False")
    if value.lower() not in ("true", "false"):
        raise ValueError(f"<{element.tag} Name={element.get('Name', '')!r}>: {name} is {value!r}, not True or False")
    return value.lower() == "true"


def progress(items: Sequence[Any], unit: str, shown: bool) -> Iterator[Any]:
    """The items, with a progress bar on standard error where wanted."""
    if not shown:
        yield from items
        return
    from tqdm import tqdm

    bar = tqdm(items, unit=unit)
    for item in bar:
        bar.set_description(_described(item))
        yield item


def _described(item: Any) -> str:
    if isinstance(item, str):
        return f"Processing {item}"
    attributes: Mapping[str, str] = item.attrib
    return f"  - {item.tag} {attributes.get('Name', '')}"
