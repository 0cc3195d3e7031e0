"""The command group that the console script ``pyhf-func`` and ``python -m pyhf_func`` run."""

from typing import Any

import click

from pyhf_func._version import __version__
from pyhf_func.cli.build import build
from pyhf_func.cli.certify import certify
from pyhf_func.cli.complete import completions
from pyhf_func.cli.contrib import contrib
from pyhf_func.cli.convert import convert
from pyhf_func.cli.covariance import correlation
from pyhf_func.cli.discovery import discovery
from pyhf_func.cli.fit import fit
from pyhf_func.cli.goodness_of_fit import gof
from pyhf_func.cli.grid import grid
from pyhf_func.cli.group_impacts import impacts
from pyhf_func.cli.hypotest import cls
from pyhf_func.cli.impacts import ranking
from pyhf_func.cli.intervals import intervals
from pyhf_func.cli.lint import lint
from pyhf_func.cli.patchset import patchset
from pyhf_func.cli.rootio import json2xml, xml2json
from pyhf_func.cli.scan import scan
from pyhf_func.cli.spec import combine, digest, inspect, prune, rename, sort
from pyhf_func.cli.streams import echo, guarded
from pyhf_func.cli.toys import toys, toys_merge
from pyhf_func.cli.upper_limit import limit
from pyhf_func.cli.yields import yields

_SECTIONS = {
    "Statistics": (
        *(cls, limit, discovery, scan, toys, toys_merge, grid),
        *(fit, intervals, ranking, impacts, correlation, yields, gof),
    ),
    "Workspaces": (
        *(build, inspect, lint, certify, prune, rename, combine, sort, digest),
        *(patchset, convert, json2xml, xml2json),
    ),
    "Around": (contrib, completions),
}


class _Sections(click.Group):
    """A group whose help shows its commands in sections, in our order; standard streams and Ctrl-C are looked after."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Parse the command line, or write the help."""
        with guarded():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with guarded():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        longest = max(map(len, self.commands))
        room = formatter.width - 6 - longest
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(f"{command.name:<{longest}}", command.get_short_help_str(room)) for command in commands]
                )


def _print_citation(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from pyhf_func.utils import citation

    echo(citation() + "\n")
    context.exit()


@click.group(cls=_Sections, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pyhf-func")
@click.option(
    "--cite",
    "--citation",
    is_flag=True,
    callback=_print_citation,
    expose_value=False,
    is_eager=True,
    help="Write what to cite, in BibTeX, and exit.",
)
def main() -> None:
    """HistFactory likelihoods from published JSON workspaces."""


for _commands in _SECTIONS.values():
    for _command in _commands:
        main.add_command(_command)
