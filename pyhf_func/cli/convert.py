"""One command between the formats of likelihoods."""

from pathlib import Path
from typing import Any

import click

from pyhf_func.cli.documents import source
from pyhf_func.cli.errors import reported, warn

_FORMATS = ("json", "pyhf", "hs3", "xml", "card")


@click.command(short_help="A likelihood in another format.")
@click.argument("given", metavar="IN", type=click.Path(allow_dash=True))
@click.argument("out", metavar="OUT", type=click.Path(allow_dash=True))
@click.option(
    "--to",
    "wanted",
    type=click.Choice(_FORMATS),
    help="The format of OUT.  [default: by its name: .xml; .txt a card; .hs3 or .hs3.json; otherwise json]",
)
@click.option("--analysis", help="The analysis of HS3 to read.  [default: the first whose name holds obs]")
@click.option("--mass", "-m", type=float, default=120.0, show_default=True, help="What $MASS in a datacard stands for.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    help="bin/process:parameter[start,low,high]: what scales processes of a datacard; repeatable.  [default: r]",
)
@click.option("--folder", type=click.Path(exists=True, file_okay=False), help="Folder that paths in IN start from.")
@click.option("--allow-outside", is_flag=True, help="Read files outside of the folder of IN.")
@click.option("--approximate", is_flag=True, help="Allow another likelihood where OUT cannot hold it, as warned.")
@click.option("--strict", is_flag=True, help="Refuse what would otherwise only be warned about.")
def convert(given: str, out: str, wanted: str | None, approximate: bool, **options: Any) -> None:
    """Write the likelihood IN as OUT.

    IN is pyhf's JSON, HS3, HistFactory's XML or a datacard, which shows from its content. OUT is pyhf's JSON where that
    can hold the likelihood exactly, otherwise JSON of the model language (--to pyhf refuses then, naming all that it
    lacks); HS3 that ROOT and pyhs3 read; XML with its ROOT file, in folders config and data beside it; or a datacard
    with its file of histograms. OUT has the likelihood of IN, or is refused: what a card has no line for becomes
    formulas. With --approximate it may differ, as warned: a card has log-normals, as a person would write it.

    \b
    Example:
      pyhf-func convert card.txt workspace.hs3.json --mass 125
    """
    from pyhf_func.documents import read_document
    from pyhf_func.documents.formats import datacards, hs3

    target = wanted or _by_name(out)
    if out == "-" and target in ("card", "xml"):
        raise click.UsageError(f"The format {target} may need files beside it: give OUT a name.")
    with reported():
        document = read_document(source(given) if given == "-" else given, **options)
        if target == "hs3":
            _write(hs3.write(document, strict=options["strict"], source=given), out)
        elif target == "card":
            datacards.write(document, out, approximate=approximate, strict=options["strict"], source=given)
        elif target == "xml":
            _write_xml(_for_xml(document, given, options["strict"]), out, approximate, options["strict"])
        else:
            _write(_json(document, given, target, options["strict"]), out)


def _by_name(out: str) -> str:
    suffixes = Path(out).suffixes
    if ".hs3" in suffixes:
        return "hs3"
    return {".xml": "xml", ".txt": "card"}.get(Path(out).suffix, "json")


def _json(document: dict[str, Any], given: str, target: str, strict: bool) -> dict[str, Any]:
    """Of pyhf's format where that is exact, otherwise of the model language."""
    from pyhf_func.documents.plain import plain
    from pyhf_func.exceptions import UnsupportedExtension
    from pyhf_func.schema.extended import is_extended

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
    from pyhf_func.documents.plain import plain
    from pyhf_func.exceptions import Unsupported

    same = plain(document, given)
    if same.settings:
        message = f"{given}: the likelihood needs the arguments {same.settings} of the model, which no file holds"
        if strict:
            raise Unsupported(message)
        warn(message)
    return same.document


def _for_xml(document: dict[str, Any], given: str, strict: bool) -> dict[str, Any]:
    """The document as it is where the XML can hold it, else in pyhf's format."""
    from pyhf_func.exceptions import UnsupportedExtension, raise_faults
    from pyhf_func.histfactory.language import unheld

    lacking = unheld(document)
    if not lacking:
        return document
    try:
        same = _plain(document, given, strict)
    except UnsupportedExtension:
        raise_faults(lacking)
        raise
    return same


def _write(document: dict[str, Any], out: str) -> None:
    from pyhf_func.cli.documents import write

    write(document, None if out == "-" else out)


def _write_xml(document: dict[str, Any], out: str, approximate: bool, strict: bool) -> None:
    from pyhf_func import readxml, writexml
    from pyhf_func.exceptions import raise_faults
    from pyhf_func.workspace import Workspace

    _ = readxml.uproot  # without which nothing can be written
    if not approximate:
        raise_faults(writexml.changes(document))
    path = Path(out)
    folders = {name: path.parent / name for name in ("config", "data")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    top = writexml.writexml(Workspace(document), folders["config"], folders["data"], path.stem, strict=strict)
    path.write_bytes(top)
