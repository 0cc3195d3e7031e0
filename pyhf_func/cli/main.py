"""The command group that the console script ``pyhf-func`` and ``python -m pyhf_func`` run."""

import click

from pyhf_func._version import __version__
from pyhf_func.cli.cls import cls
from pyhf_func.cli.complete import completions
from pyhf_func.cli.contrib import contrib
from pyhf_func.cli.fit import fit
from pyhf_func.cli.patchset import patchset
from pyhf_func.cli.rootio import json2xml, xml2json
from pyhf_func.cli.spec import combine, digest, inspect, prune, rename, sort


def _print_citation(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from pyhf_func.utils import citation

    click.echo(citation())
    context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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


for _command in (
    cls,
    fit,
    inspect,
    prune,
    rename,
    combine,
    digest,
    sort,
    patchset,
    json2xml,
    xml2json,
    contrib,
    completions,
):
    main.add_command(_command)
