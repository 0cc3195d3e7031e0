"""``pyhf-func xml2json``: a workspace from HistFactory's XML and ROOT files."""

from pathlib import Path

import click

import pyhf_func as pf
from pyhf_func.cli.documents import output_option, write
from pyhf_func.cli.errors import WRONG_XML, reported
from pyhf_func.cli.settings import strict_option
from pyhf_func.options import VolumeMountPath


@click.command()
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
@strict_option
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
    with reported(*WRONG_XML):
        _ = pf.readxml.uproot  # without which nothing can be read
        spec = pf.readxml.parse(
            entrypoint_xml,
            basedir,
            mounts=mounts,
            track_progress=track_progress,
            validation_as_error=validation_as_error,
            strict=strict,
            allow_outside=allow_outside,
        )
        write(spec, output_file)
