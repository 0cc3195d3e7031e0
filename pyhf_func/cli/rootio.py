"""Commands between JSON workspaces and HistFactory's XML and ROOT files."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import click

from pyhf_func.cli.documents import (
    only_one_from_standard_input,
    output_option,
    patch_option,
    read_patches,
    source,
    write,
)
from pyhf_func.cli.errors import reported
from pyhf_func.options import VolumeMountPath

# What wrong XML and ROOT files raise.
_WRONG_INPUT = (ET.ParseError, KeyError, ValueError, RuntimeError)


_strict_option = click.option("--strict", is_flag=True, help="Refuse what would otherwise only be warned about.")


@click.command(short_help="Workspace from HistFactory's XML and ROOT files.")
@click.argument("entrypoint-xml", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--basedir",
    type=click.Path(exists=True, file_okay=False),
    default=".",
    help="Folder that paths in the XML start from.  [default: the current one]",
)
@click.option(
    "-v",
    "--mount",
    "mounts",
    multiple=True,
    type=VolumeMountPath(exists=True, resolve_path=True, path_type=Path),
    help="FOLDER:NAME, where the XML calls a folder NAME that is FOLDER here; repeatable.",
)
@output_option
@click.option("--track-progress/--hide-progress", default=True, help="Whether to show a progress bar.")
@click.option(
    "--validation-as-error/--validation-as-warning",
    default=True,
    help="Whether a result that is not a valid workspace is an error.",
)
@_strict_option
@click.option(
    "--allow-outside",
    is_flag=True,
    help="Read files that the XML names outside of the base folder, its own folder and the mounts.",
)
def xml2json(
    entrypoint_xml: str,
    basedir: str,
    mounts: tuple[tuple[Path, Path], ...],
    output_file: str | None,
    track_progress: bool,
    validation_as_error: bool,
    strict: bool,
    allow_outside: bool,
) -> None:
    """Write a workspace made of ENTRYPOINT_XML, HistFactory's top-level XML, and the files that it names.

    \b
    Example:
      pyhf-func xml2json config/FitConfig.xml --basedir . --output-file workspace.json
    """
    from pyhf_func import readxml

    with reported(*_WRONG_INPUT):
        _ = readxml.uproot  # without which nothing can be read
        spec = readxml.parse(
            entrypoint_xml,
            basedir,
            mounts=mounts,
            track_progress=track_progress,
            validation_as_error=validation_as_error,
            strict=strict,
            allow_outside=allow_outside,
        )
        write(spec, output_file)


@click.command(short_help="Workspace to HistFactory's XML and ROOT files.")
@click.argument("workspace", default="-", type=click.Path(allow_dash=True))
@click.option(
    "--output-dir", type=click.Path(file_okay=False), default=".", show_default=True, help="Folder to write to."
)
@click.option("--specroot", default="config", show_default=True, help="Folder in it for the channels' XML.")
@click.option("--dataroot", default="data", show_default=True, help="Folder in it for the ROOT file.")
@click.option("--resultprefix", default="FitConfig", show_default=True, help="Start of the names of XML files.")
@patch_option
@_strict_option
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
    from pyhf_func import readxml, writexml

    only_one_from_standard_input(workspace, *patches)
    with reported(*_WRONG_INPUT):
        _ = readxml.uproot  # without which nothing can be written
        spec = _patched(workspace, patches)
        folder = Path(output_dir)
        for name in (specroot, dataroot):
            (folder / name).mkdir(parents=True, exist_ok=True)
        top = writexml.writexml(spec, folder / specroot, folder / dataroot, resultprefix, strict=strict)
        (folder / f"{resultprefix}.xml").write_bytes(top)


def _patched(workspace: str, patches: tuple[str, ...]) -> dict[str, Any]:
    """The workspace with patches, which are to the whole document, applied."""
    from pyhf_func.schema.reading import name_of
    from pyhf_func.workspace import Workspace, load
    from pyhf_func.workspace.patching import patched

    opened = source(workspace)
    return Workspace(patched(load(opened), read_patches(patches)), source=name_of(opened))
