"""``pyhf-func prune``: a workspace without some of its parts."""

import click

from pyhf_func.cli.documents import output_option, read_workspace, workspace_argument, write
from pyhf_func.cli.errors import reported

_TYPES = ("histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror")


@click.command()
@workspace_argument
@output_option
@click.option("-c", "--channel", "channels", multiple=True, metavar="<CHANNEL>", help="Channel to leave out.")
@click.option("-s", "--sample", "samples", multiple=True, metavar="<SAMPLE>", help="Sample to leave out.")
@click.option("-m", "--modifier", "modifiers", multiple=True, metavar="<MODIFIER>", help="Modifier to leave out.")
@click.option(
    "-t", "--modifier-type", "types", multiple=True, type=click.Choice(_TYPES), help="Modifier type to leave out."
)
@click.option("--measurement", "measurements", multiple=True, metavar="<MEASUREMENT>", help="Measurement to leave out.")
def prune(
    workspace: str,
    output_file: str | None,
    channels: tuple[str, ...],
    samples: tuple[str, ...],
    modifiers: tuple[str, ...],
    types: tuple[str, ...],
    measurements: tuple[str, ...],
) -> None:
    """Write WORKSPACE without some of its parts. Options can be repeated.

    \b
    Example:
      pyhf-func prune workspace.json --channel CR --modifier-type staterror --output-file pruned.json
    """
    with reported():
        opened = read_workspace(workspace)
        write(opened.prune(modifiers, types, samples, channels, measurements), output_file)
