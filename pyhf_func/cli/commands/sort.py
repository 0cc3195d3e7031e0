"""``pyhf-func sort``: a workspace sorted by names."""

import click

import pyhf_func as pf
from pyhf_func.cli.documents import output_option, read_workspace, workspace_argument, write
from pyhf_func.cli.errors import reported


@click.command()
@workspace_argument
@output_option
def sort(workspace: str, output_file: str | None) -> None:
    """Write WORKSPACE with everything that has a name sorted by it.

    \b
    Example:
      pyhf-func sort workspace.json --output-file sorted.json
    """
    with reported():
        write(pf.Workspace.sorted(read_workspace(workspace)), output_file)
