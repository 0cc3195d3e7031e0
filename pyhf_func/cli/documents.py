"""Read and write the documents of a command: files, standard input and standard output."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import pyhf_func as pf
from pyhf_func._files import check_folder
from pyhf_func.cli.errors import CommandError
from pyhf_func.cli.streams import echo

if TYPE_CHECKING:
    from pyhf_func.patchset import PatchSet
    from pyhf_func.workspace import Workspace


class OutputPath(click.Path):
    """A file that can be written: what is asked before a command reads and computes what it will hold."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = os.fsdecode(super().convert(value, param, ctx))
        if not os.path.exists(path):
            try:
                check_folder(path)
            except OSError as error:
                raise CommandError(f"{path} can't be written: {error.filename}: {error.strerror}") from error
        return path


_READING = "pyhf_func.reading"
"""Where a command's context keeps how its files are read."""


def _kept(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep an option for `read_workspace`, where it was given."""
    if value not in (None, ()):
        context.meta.setdefault(_READING, {})[parameter.name] = value


_READING_OPTIONS = (
    click.option(
        "--mass",
        type=float,
        expose_value=False,
        callback=_kept,
        help="Of a datacard: what $MASS stands for.  [default: 120]",
    ),
    click.option(
        "--map",
        "maps",
        multiple=True,
        expose_value=False,
        callback=_kept,
        metavar="MAP",
        help="Of a datacard: bin/process:parameter[start,low,high], what scales processes; repeatable.  [default: r]",
    ),
    click.option(
        "--analysis",
        expose_value=False,
        callback=_kept,
        metavar="NAME",
        help="Of HS3: the analysis to read.  [default: the first whose name holds obs]",
    ),
)


def workspace_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its WORKSPACE, a file of any format, with the options that some formats need."""
    for option in reversed(_READING_OPTIONS):
        command = option(command)
    return click.argument("workspace", default="-", type=click.Path(allow_dash=True))(command)


output_option = click.option("--output-file", type=OutputPath(), help="Write here, not to standard output.")
patch_option = click.option(
    "-p",
    "--patch",
    "patches",
    multiple=True,
    type=click.Path(allow_dash=True),
    help="JSON patch to apply first; repeatable, applied in the order given.",
)


def only_one_from_standard_input(*paths: str) -> None:
    """Refuse to read two things from standard input."""
    if paths.count("-") > 1:
        raise click.UsageError("Only one input can come from standard input.")


def source(path: str) -> Any:
    """What ``load`` reads: a path, or standard input for ``-``, in bytes where it has them."""
    return getattr(sys.stdin, "buffer", sys.stdin) if path == "-" else path


def read_workspace(path: str, **options: Any) -> "Workspace":
    """The workspace of a file, of any format, read as the command's options ask."""
    return pf.read(path, **reading_options(), **options)


def reading_options() -> dict[str, Any]:
    """How the command's options ask to read its file."""
    found: dict[str, Any] = click.get_current_context().meta.get(_READING, {})
    return found


def read_patchset(path: str) -> "PatchSet":
    """The patch set of a file."""
    from pyhf_func.schema import reading, validator

    opened = source(path)
    with validator.of_file(reading.name_of(opened)):
        return pf.PatchSet(reading.load(opened))


def read_patches(paths: tuple[str, ...]) -> list[list[Any]]:
    """The JSON patches of several files."""
    return [pf.workspace.load_patch(source(path)) for path in paths]


def read_patched(path: str, patches: tuple[str, ...]) -> "Workspace":
    """The workspace of a JSON file, of which the whole document was patched."""
    from pyhf_func.cli.patched import whole

    return whole(source(path), read_patches(patches))


def write(document: Any, output_file: str | None) -> None:
    """JSON with sorted keys to the file or to standard output."""
    from pyhf_func.schema.writing import dumps

    write_text(dumps(document, sort_keys=True, indent=4) + "\n", output_file)


def write_text(text: str, output_file: str | None) -> None:
    """Text to the file or to standard output."""
    if output_file is None:
        echo(text)
    else:
        Path(output_file).write_text(text, encoding="utf-8")
