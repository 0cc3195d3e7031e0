"""The option ``--plot``: figures of results in files."""

from typing import TYPE_CHECKING

import click

from pyhf_func.cli.errors import CommandError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

plot_option = click.option(
    "--plot",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Draw the result into this file too; its ending says how: .pdf, .png, .svg.  [needs matplotlib]",
)


def check(path: str) -> None:
    """Refuse a figure that could not be drawn, before anything is computed for it.

    Raises:
        CommandError: matplotlib is not installed, or can't write files of this kind.
    """
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError as error:
        from pyhf_func.exceptions import needs

        raise CommandError(needs("--plot", "matplotlib", "plot", error)) from error
    kinds = sorted(FigureCanvasBase.get_supported_filetypes())
    _, dot, ending = path.rpartition(".")
    if not dot or ending.lower() not in kinds:
        raise CommandError(f"--plot {path}: the file's ending must be one of {', '.join(kinds)}.")


def save(figure: "Figure", path: str) -> None:
    """Write a figure."""
    figure.savefig(path, dpi=150)
