"""``pyhf-func rename``: a workspace with other names."""

import click

from pyhf_func.cli.documents import output_option, read_workspace, workspace_argument, write
from pyhf_func.cli.errors import reported

_PAIR = click.Tuple([str, str])


@click.command()
@workspace_argument
@output_option
@click.option("-c", "--channel", "channels", multiple=True, type=_PAIR, metavar="<OLD> <NEW>", help="Channel.")
@click.option("-s", "--sample", "samples", multiple=True, type=_PAIR, metavar="<OLD> <NEW>", help="Sample.")
@click.option("-m", "--modifier", "modifiers", multiple=True, type=_PAIR, metavar="<OLD> <NEW>", help="Modifier.")
@click.option("--measurement", "measurements", multiple=True, type=_PAIR, metavar="<OLD> <NEW>", help="Measurement.")
def rename(
    workspace: str,
    output_file: str | None,
    channels: tuple[tuple[str, str], ...],
    samples: tuple[tuple[str, str], ...],
    modifiers: tuple[tuple[str, str], ...],
    measurements: tuple[tuple[str, str], ...],
) -> None:
    """Write WORKSPACE with other names. Options can be repeated.

    \b
    Example:
      pyhf-func rename workspace.json --sample ttbar top --output-file renamed.json
    """
    with reported():
        opened = read_workspace(workspace)
        write(opened.rename(dict(modifiers), dict(samples), dict(channels), dict(measurements)), output_file)
