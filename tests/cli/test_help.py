"""Help of every command: one page, with an example that its options allow."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from pyhf_func.cli import main


def every(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """All commands and groups of commands."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from every(command, (*path, name))


COMMANDS = [*every(main)]


def help_of(path: tuple[str, ...]) -> str:
    return CliRunner().invoke(main, [*path, "--help"]).output


def examples(text: str) -> list[list[str]]:
    """The arguments of each example."""
    lines = text.partition("Example:\n")[2].splitlines()
    found = [line.strip() for line in lines if "pyhf-func " in line]
    return [shlex.split(line.removeprefix('eval "$(').removesuffix(')"'))[1:] for line in found]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_fits_a_page_and_has_an_example(path: tuple[str, ...]) -> None:
    text = help_of(path)
    assert len(text.splitlines()) <= 80
    own = [arguments for arguments in examples(text) if [*path] == arguments[: len(path)]]
    assert own, "no example of its own"


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_examples_are_commands_that_there_are(path: tuple[str, ...]) -> None:
    for arguments in examples(help_of(path)):
        command: click.Command = main
        rest = arguments
        while isinstance(command, click.Group):
            command, rest = command.get_command(click.Context(command), rest[0]), rest[1:]
        with click.Context(command) as context:
            command.make_parser(context).parse_args(rest)
