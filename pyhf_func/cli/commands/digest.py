"""``pyhf-func digest``: digests that do not depend on the order of keys."""

import click

import pyhf_func as pf
from pyhf_func.cli.documents import read_workspace, workspace_argument, write
from pyhf_func.cli.errors import reported
from pyhf_func.cli.streams import echo


@click.command()
@workspace_argument
@click.option(
    "-a",
    "--algorithm",
    "algorithms",
    multiple=True,
    default=["sha256"],
    show_default=True,
    help="Hash function; repeatable.",
)
@click.option("-j/-p", "--json/--plaintext", "as_json", default=False, help="Write JSON, or lines of text.")
def digest(workspace: str, algorithms: tuple[str, ...], as_json: bool) -> None:
    """Write digests of WORKSPACE, which do not depend on the order of keys.

    \b
    Example:
      pyhf-func digest workspace.json --algorithm sha256 --json
    """
    with reported(ValueError):
        opened = read_workspace(workspace)
        digests = {algorithm: pf.utils.digest(opened, algorithm=algorithm) for algorithm in algorithms}
        if as_json:
            write(digests, None)
        else:
            echo("".join(f"{algorithm}:{value}\n" for algorithm, value in digests.items()))
