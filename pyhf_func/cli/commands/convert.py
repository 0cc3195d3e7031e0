"""One command between the formats of likelihoods."""

from pathlib import Path
from typing import Any

import click

import pyhf_func as pf
from pyhf_func.cli.documents import source
from pyhf_func.cli.errors import reported
from pyhf_func.cli.settings import strict_option

_FORMATS = ("json", "pyhf", "hs3", "xml", "card")


@click.command()
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
@strict_option
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
    from pyhf_func.cli import converting

    target = wanted or _by_name(out)
    if out == "-" and target in ("card", "xml"):
        raise click.UsageError(f"The format {target} may need files beside it: give OUT a name.")
    with reported():
        document = pf.documents.read_document(source(given) if given == "-" else given, **options)
        converting.write(document, given, out, target, approximate=approximate, strict=options["strict"])


def _by_name(out: str) -> str:
    suffixes = Path(out).suffixes
    if ".hs3" in suffixes:
        return "hs3"
    return {".xml": "xml", ".txt": "card"}.get(Path(out).suffix, "json")
