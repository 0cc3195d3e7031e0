"""One small workspace, and how its commands are run: all tests share what is compiled for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from pyhf_func.cli import main

SAMPLES = [
    {"name": "signal", "data": [8.0, 3.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
    {
        "name": "background",
        "data": [50.0, 60.0],
        "modifiers": [
            {"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.15}},
            {"name": "other", "type": "normsys", "data": {"lo": 0.97, "hi": 1.02}},
        ],
    },
]
SPEC: dict[str, Any] = {
    "version": "1.0.0",
    "channels": [{"name": "region", "samples": SAMPLES}],
    "observations": [{"name": "region", "data": [56.0, 58.0]}],
    "measurements": [{"name": "search", "config": {"poi": "mu", "parameters": []}}],
}
EMPTY_BIN = [
    {"op": "replace", "path": "/channels/0/samples/0/data", "value": [0.0, 3.0]},
    {"op": "replace", "path": "/channels/0/samples/1/data", "value": [0.0, 60.0]},
]
"""A patch after which 56 events are observed where none can be."""
NO_SIGNAL = [{"op": "replace", "path": "/channels/0/samples/0/data", "value": [0.0, 0.0]}]


def written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def command_of(name: str) -> click.Command:
    """The command of a name."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return command


def run(command: str, *arguments: object, stdin: str | None = None) -> Result:
    """The command in this process, without the cache: JAX decides once a process whether it has one."""
    cache = [] if command == "toys-merge" else ["--no-cache"]
    return CliRunner().invoke(main, [command, *cache, *map(str, arguments)], input=stdin)


def values(result: Result) -> Any:
    """What was written, by a reader that takes JSON and nothing else."""
    assert result.exit_code == 0, (result.stderr, result.exception)
    return parsed(result.stdout)


def alike(document: Any) -> Any:
    """What equals a document but for the last digits of its numbers: other runs may use other compiled programs."""
    match document:
        case dict():
            return {name: alike(value) for name, value in document.items()}
        case list():
            return [alike(value) for value in document]
        case float():
            return pytest.approx(document, rel=1e-9, abs=1e-12)
    return document


def parsed(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def refused(result: Result, code: int = 1) -> str:
    """The message of a refusal."""
    assert result.exit_code == code
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.stderr
    return result.stderr
