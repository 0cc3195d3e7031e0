"""``pyhf-func toys-merge``: the pseudo-experiments of several jobs as one result."""

import click

import pyhf_func as pf
from pyhf_func.cli import pictures, tables
from pyhf_func.cli.commands.toys import numbers, table_of, tell_failures
from pyhf_func.cli.documents import output_option
from pyhf_func.cli.errors import reported
from pyhf_func.cli.settings import prepare_jax
from pyhf_func.cli.study import versions
from pyhf_func.core.statistics import Q0, QTILDE


@click.command("toys-merge")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False))
@click.option("--save", type=click.Path(dir_okay=False), metavar="FILE", help="Write all of them to this file (.npz).")
@tables.format_option
@output_option
@pictures.plot_option
def toys_merge(
    files: tuple[str, ...], save: str | None, layout: str, output_file: str | None, plot: str | None
) -> None:
    """Merge the pseudo-experiments in FILES, which toys kept with --checkpoint.

    Writes what one job with all of them would have written. The jobs must be of one test and one seed, and have
    numbers of their own (--first).

    \b
    Example:
      pyhf-func toys workspace.json --checkpoint a.npz
      pyhf-func toys workspace.json --checkpoint b.npz --first 1000
      pyhf-func toys-merge a.npz b.npz --plot toys.pdf
    """
    with reported(ValueError):
        if plot is not None:
            pictures.check(plot)
        prepare_jax(cached=False)
        found = pf.merge_toys(map(pf.ToysResult.load, files))
        if save is not None:
            found.save(save)
        statistic = Q0 if found.of_discovery else QTILDE
        results = numbers(found, statistic)
        about = {"command": "toys-merge", "versions": versions(), "key": found.key, "files": len(files)}
        rows = table_of(found, statistic)
        tables.write_rows(layout, {**results, "about": about}, rows, output_file)
        if plot is not None:
            pictures.save(pf.plot.toys(found), plot)
    tell_failures(found)
