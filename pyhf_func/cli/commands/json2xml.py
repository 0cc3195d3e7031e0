"""``pyhf-func json2xml``: HistFactory's XML and ROOT files from a workspace."""

from pathlib import Path

import click

import pyhf_func as pf
from pyhf_func.cli.documents import only_one_from_standard_input, patch_option, read_patched
from pyhf_func.cli.errors import WRONG_XML, reported
from pyhf_func.cli.settings import strict_option


@click.command()
@click.argument("workspace", default="-", type=click.Path(allow_dash=True))
@click.option(
    "--output-dir", type=click.Path(file_okay=False), default=".", show_default=True, help="Folder to write to."
)
@click.option("--specroot", default="config", show_default=True, help="Folder in it for the channels' XML.")
@click.option("--dataroot", default="data", show_default=True, help="Folder in it for the ROOT file.")
@click.option("--resultprefix", default="FitConfig", show_default=True, help="Start of the names of XML files.")
@patch_option
@strict_option
def json2xml(
    workspace: str,
    output_dir: str,
    specroot: str,
    dataroot: str,
    resultprefix: str,
    patches: tuple[str, ...],
    strict: bool,
) -> None:
    """Write WORKSPACE as HistFactory's XML and ROOT files.

    \b
    Example:
      pyhf-func json2xml workspace.json --output-dir xml
    """
    only_one_from_standard_input(workspace, *patches)
    with reported(*WRONG_XML):
        _ = pf.readxml.uproot  # without which nothing can be written
        spec = read_patched(workspace, patches)
        folder = Path(output_dir)
        for name in (specroot, dataroot):
            (folder / name).mkdir(parents=True, exist_ok=True)
        top = pf.writexml.writexml(spec, folder / specroot, folder / dataroot, resultprefix, strict=strict)
        (folder / f"{resultprefix}.xml").write_bytes(top)
