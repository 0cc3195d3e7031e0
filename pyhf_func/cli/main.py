"""The command group that the console script ``pyhf-func`` and ``python -m pyhf_func`` run."""

import importlib
from typing import Any

import click
from click.shell_completion import CompletionItem

import pyhf_func as pf
from pyhf_func._version import __version__
from pyhf_func.cli.streams import echo, guarded

SECTIONS = {
    "Statistics": {
        "cls": "Observed and expected CLs.",
        "limit": "Observed and expected upper limits.",
        "discovery": "Significance of an excess over the background.",
        "scan": "CLs against the signal strength, or a profile likelihood.",
        "toys": "CLs by pseudo-experiments.",
        "toys-merge": "Merge pseudo-experiments of several jobs.",
        "grid": "CLs, and limits, for every signal point of a patch set.",
        "fit": "Maximum likelihood fit of all parameters.",
        "intervals": "Profile-likelihood intervals of parameters.",
        "ranking": "Impacts of all parameters on the one of interest.",
        "impacts": "Impacts of groups of parameters on the one of interest.",
        "correlation": "Correlations of the fitted parameters.",
        "yields": "Observed and expected events, before and after the fit.",
        "gof": "Goodness of fit against the saturated model.",
    },
    "Workspaces": {
        "build": "A workspace from histograms and cabinetry's configuration.",
        "inspect": "Summary of channels, samples, parameters and measurements.",
        "lint": "Physics that is probably not meant.",
        "certify": "One report by all programs that are installed.",
        "prune": "Leave out parts of a workspace.",
        "rename": "Rename parts of a workspace.",
        "combine": "Join two workspaces.",
        "sort": "Sort a workspace by names.",
        "digest": "Digests that do not depend on the order of keys.",
        "patchset": "Signal points as patches to a background-only workspace.",
        "convert": "A likelihood in another format.",
        "json2xml": "Workspace to HistFactory's XML and ROOT files.",
        "xml2json": "Workspace from HistFactory's XML and ROOT files.",
    },
    "Around": {
        "contrib": "Around the library: downloads.",
        "completions": "Completion for your shell.",
    },
}
"""Commands, each in the file of its name in ``commands/``, with their short help, for which none is loaded."""
_SHORT = {name: text for commands in SECTIONS.values() for name, text in commands.items()}


class _Commands(click.Group):
    """A group that loads a command when it is used, and lists all in sections; it looks after streams and Ctrl-C."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return [*_SHORT]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, from its file."""
        if cmd_name not in _SHORT:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"pyhf_func.cli.commands.{name}"), name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names of commands and options that begin so."""
        names = [CompletionItem(name, help=text) for name, text in _SHORT.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Parse the command line, or write the help."""
        with guarded():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with guarded():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        longest = max(map(len, _SHORT))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{longest}}", text) for name, text in commands.items()])


def _print_citation(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        echo(pf.utils.citation() + "\n")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
