"""``pyhf-func lint``: what a likelihood may mean, though somebody probably means something else."""

from collections import Counter

import click

import pyhf_func as pf
from pyhf_func._lookup import unknown
from pyhf_func.cli import tables
from pyhf_func.cli.documents import output_option, read_workspace, workspace_argument
from pyhf_func.cli.errors import CommandError, reported
from pyhf_func.cli.settings import Number


@click.command()
@workspace_argument
@click.option("--measurement", help="Name of the measurement to look at.  [default: the first]")
@click.option("--ignore", multiple=True, metavar="CHECK", help="Leave out findings of this kind; repeatable.")
@click.option(
    "--tiny",
    type=Number(min=0),
    default=1e-3,
    show_default=True,
    help="Relative effect on a sample, below which an uncertainty is called tiny.",
)
@tables.layout_option("table")
@output_option
def lint(
    workspace: str,
    measurement: str | None,
    ignore: tuple[str, ...],
    tiny: float,
    layout: str,
    output_file: str | None,
) -> None:
    """Look for what is probably not meant in WORKSPACE, a file of any format or - for standard input.

    Empty and negative bins; uncertainties that are one-sided, flat, tiny or large; a parameter of interest without
    effect; names that are shared, or not shared, by accident; data far outside of the expectation; and all that a
    model is refused or warned for. Writes the kind, the place and the message of each finding; as JSON {"findings":
    [{"check": kind, "path": JSON path, "message": text}, ...]}. The exit code is 1 where there is any. No fit is made.

    \b
    Example:
      pyhf-func lint workspace.json --ignore tiny --ignore no-statistics
    """
    with reported():
        from pyhf_func.documents.lint import CHECKS

        for check in ignore:
            if check not in CHECKS:
                raise CommandError(unknown("check", check, CHECKS, "lint"))
        found = pf.lint(read_workspace(workspace), measurement, tiny=tiny)
        rows = [finding._asdict() for finding in found if finding.check not in ignore]
        tables.write_rows(layout, {"findings": rows}, rows, output_file)
    if rows:
        kinds = Counter(row["check"] for row in rows).most_common()
        number = f"{len(rows)} findings" if len(rows) > 1 else "1 finding"
        raise CommandError(f"{number}: {', '.join(f'{n} {check}' for check, n in kinds)}.")
