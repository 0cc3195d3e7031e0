"""Calls of the shell, whatever is asked of whatever input: no traceback, and success only with valid output."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from pyhf_func.cli import main
from pyhf_func.exceptions import FailedMinimization
from tests.cli.studies import SPEC, parsed
from tests.cli.test_grid_command import GOOD, patchset
from tests.fuzz.test_documents import damaged, places

WORDS = (
    "",
    "0",
    "1",
    "-1",
    "0.5",
    "nan",
    "inf",
    "1e400",
    "9" * 400,
    "mu",
    "région",
    "a,b",
    "1,2",
    "1,nan",
    "=",
    "mu=x",
)
FILES = (
    "w.json",
    "damaged.json",
    "patch.json",
    "points.json",
    "badpoints.json",
    "noise",
    "nothing.json",
    "-",
    ".",
    "x/y",
)
GOOD_FILES = ("w.json", "w.json", "points.json", "damaged.json")
SKIPPED = ("help", "jobs", "plot", "progress", "hide_progress")
NUMBERS = (0, -1, 0.5, 1e308, 1e-320, -0.0, 1e6, 3)


def commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*before, name))
        elif name != "download":  # from the network
            yield (*before, name), command


COMMANDS = list(commands(main))


def call(rng: random.Random) -> list[str]:
    """A command line: every argument and some options with words, files and choices, of which some make sense."""
    path, command = rng.choice(COMMANDS)
    line = [*path]
    for parameter in command.params:
        if parameter.name in SKIPPED:
            continue
        if isinstance(parameter, click.Option):
            if rng.random() < 0.9:
                continue
            line.append(rng.choice(parameter.opts))
            if parameter.is_flag:
                continue
        for _ in range(rng.randint(0, 3) if parameter.nargs < 0 else parameter.nargs):
            kinds: list[tuple[str, ...]] = [FILES, WORDS]
            if isinstance(parameter.type, click.Choice):
                choices = tuple(map(str, parameter.type.choices))
                kinds = [choices, choices, choices, WORDS]
            elif isinstance(parameter.type, click.Path):
                kinds = [GOOD_FILES, GOOD_FILES, GOOD_FILES, FILES, WORDS]
            line.append(rng.choice(rng.choice(kinds)))
    return line


def prepared(folder: Path, rng: random.Random) -> None:
    """Files that are whole, and files that are not."""
    points = patchset(*GOOD)
    for name, content in (
        ("w.json", SPEC),
        ("damaged.json", damaged(SPEC, rng)),
        ("points.json", points),
        ("badpoints.json", damaged(points, rng)),
        ("patch.json", points["patches"][0]["patch"]),
    ):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    (folder / "noise").write_bytes(rng.randbytes(200))


def checked(result: Result, line: list[str]) -> None:
    told = (line, result.exit_code, result.stderr[-2000:], repr(result.exception))
    assert result.exception is None or isinstance(result.exception, SystemExit), told
    assert "Traceback" not in result.stderr, told
    assert result.exit_code in (0, 1, 2), told
    assert len(result.stderr) < 20_000, told
    if result.exit_code:
        assert result.stderr.strip(), told
    if result.stdout.lstrip().startswith(("{", "[")):
        parsed(result.stdout)


@pytest.fixture
def nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every computation fails, by one of the library's own exceptions."""

    def fails(*args: Any, **options: Any) -> None:
        raise FailedMinimization(None)

    monkeypatch.setattr("pyhf_func.compiled.Compiled.__call__", fails)
    monkeypatch.setattr("pyhf_func.cli.settings.Settings.in_place", fails)
    for name in ("toys", "grid"):
        monkeypatch.setattr(f"pyhf_func.{name}", fails)


@pytest.mark.usefixtures("nothing_is_computed")
def test_any_call_with_any_input(
    trials: Iterator[random.Random], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for rng in trials:
        prepared(tmp_path, rng)
        for _ in range(5):
            line = call(rng)
            print(line)
            stdin = (tmp_path / rng.choice(FILES[:6])).read_bytes()
            checked(CliRunner().invoke(main, line, input=stdin), line)


@pytest.mark.slow
def test_numbers_that_come_out_are_numbers(
    trials: Iterator[random.Random], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workspaces of one structure with strange numbers: fitted or refused."""
    monkeypatch.chdir(tmp_path)
    for rng in trials:
        document = copy.deepcopy(SPEC)
        leaves = [path for path in places(document) if "data" in path[:-1]]
        for _ in range(rng.randint(1, 3)):
            *path, last = rng.choice(leaves)
            node: Any = document
            for key in path:
                node = node[key]
            node[last] = rng.choice(NUMBERS)
        Path("w.json").write_text(json.dumps(document), encoding="utf-8")
        line = [rng.choice(["fit", "cls"]), "--no-cache", "w.json"]
        checked(CliRunner().invoke(main, line), line)
