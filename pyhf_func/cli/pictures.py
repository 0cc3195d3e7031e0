"""The options ``--plot`` and ``--metadata``: figures of results in files, and how things are called in them."""

from typing import TYPE_CHECKING, Any

import click

from pyhf_func.cli.documents import OutputPath
from pyhf_func.cli.errors import CommandError
from pyhf_func.exceptions import needs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

plot_option = click.option(
    "--plot",
    type=OutputPath(),
    metavar="FILE",
    help="Draw the result into this file too; its ending says how: .pdf, .png, .svg.  [needs matplotlib]",
)
metadata_option = click.option(
    "--metadata",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Labels, units, bin edges, luminosity and energy for the plot: a JSON file as in docs/pictures.md.",
)


def check(path: str) -> None:
    """Refuse a figure that could not be drawn, before anything is computed for it.

    Raises:
        CommandError: matplotlib is not installed, or can't write files of this kind.
    """
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError as error:
        raise CommandError(needs("--plot", "matplotlib", "plot", error)) from error
    kinds = sorted(FigureCanvasBase.get_supported_filetypes())
    _, dot, ending = path.rpartition(".")
    if not dot or ending.lower() not in kinds:
        raise CommandError(f"--plot {path}: the file's ending must be one of {', '.join(kinds)}.")


def save(figure: "Figure", path: str) -> None:
    """Write a figure."""
    figure.savefig(path, dpi=150)


def read_metadata(path: str | None) -> dict[str, Any]:
    """What a file says of names and units; nothing without one.

    Raises:
        CommandError: It is laid out in another way.
        InvalidDocument: It is no JSON object.
    """
    if path is None:
        return {}
    from pyhf_func.plot import labels
    from pyhf_func.schema import reading, validator

    with validator.of_file(path):
        found = reading.load(path)
    try:
        labels.labels_of(None, found, None)
    except (TypeError, ValueError) as error:
        raise CommandError(f"--metadata {path}: {error}") from error
    return found
