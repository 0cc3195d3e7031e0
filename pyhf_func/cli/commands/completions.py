"""``pyhf-func completions``: what a shell needs to complete our commands."""

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from pyhf_func.cli.errors import CommandError
from pyhf_func.cli.streams import echo


@click.command()
@click.argument("shell", required=False, type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completions(context: click.Context, shell: str | None) -> None:
    """Write the completion script of SHELL, by default that of the environment variable SHELL.

    \b
    Example:
      eval "$(pyhf-func completions bash)"
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    found = get_completion_class(name)
    if found is None:
        raise CommandError(f"There is no completion for the shell {name!r}. Name one: bash, zsh or fish.")
    top = context.find_root()
    echo(found(top.command, {}, "pyhf-func", "_PYHF_FUNC_COMPLETE").source() + "\n")
