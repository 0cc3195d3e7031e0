"""The command group that the console script ``pyhf-func`` and ``python -m pyhf_func`` run."""

import click

from pyhf_func._version import __version__
from pyhf_func.cli.cls import cls


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pyhf-func")
def main() -> None:
    """HistFactory likelihoods from published JSON workspaces."""


main.add_command(cls)
