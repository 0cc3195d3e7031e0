"""``pyhf-func combine``: two workspaces as one."""

import click

import pyhf_func as pf
from pyhf_func.cli.documents import only_one_from_standard_input, output_option, read_workspace, write
from pyhf_func.cli.errors import reported

_JOINS = ("none", "outer", "left outer", "right outer")


@click.command()
@click.argument("workspace-one", default="-", type=click.Path(allow_dash=True))
@click.argument("workspace-two", default="-", type=click.Path(allow_dash=True))
@click.option(
    "-j",
    "--join",
    type=click.Choice(_JOINS),
    default="none",
    show_default=True,
    help="What to do with channels, observations and measurements that both have: refuse (none), "
    "require that they are equal (outer), take the first's (left outer) or the second's (right outer).",
)
@output_option
@click.option(
    "--merge-channels/--no-merge-channels",
    default=False,
    help="Join channels of one name sample by sample (outer joins only).",
)
def combine(workspace_one: str, workspace_two: str, join: str, output_file: str | None, merge_channels: bool) -> None:
    """Write WORKSPACE_ONE and WORKSPACE_TWO as one workspace.

    \b
    Example:
      pyhf-func combine one.json two.json --join outer --output-file both.json
    """
    only_one_from_standard_input(workspace_one, workspace_two)
    if merge_channels and join == "none":
        raise click.UsageError("--merge-channels needs an outer --join.")
    with reported():
        both = read_workspace(workspace_one), read_workspace(workspace_two)
        write(pf.Workspace.combine(*both, join=join, merge_channels=merge_channels), output_file)
