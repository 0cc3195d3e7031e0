"""Standard streams that are closed, full or not read to their end: a message, an exit code, no traceback."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.studies import SPEC, refused, run, written

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
COMMANDS = {
    "--help": "",
    "sort": "w",
    "digest": "w",
    "digest nothing.json": "",
    "completions bash": "",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path / "w", SPEC)
    return tmp_path


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """A line of the shell in which ``$P`` is the program."""
    environment = {**os.environ, "P": f"{sys.executable} -m pyhf_func", "PYTHONWARNINGS": "error"}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_closed_output_is_a_failure(folder: Path, command: str) -> None:
    line = f"$P {command} {COMMANDS[command]}"
    done = shell(folder, f"{line} >&-; echo $? >&2; {line} >/dev/full; echo $? >&2; {line} >&- 2>&- <&-; echo $?")
    assert done.stdout == "1\n"
    *_, first, code, second, other = done.stderr.splitlines()
    assert (code, other) == ("1", "1")
    why = ("nothing.json", "nothing.json") if "nothing" in command else ("output: is closed", "output: No space left")
    assert why[0] in first
    assert why[1] in second
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 4


@pytest.mark.slow
def test_a_reader_that_stops_early_ends_a_command_quietly(folder: Path) -> None:
    done = shell(folder, "(sleep 1; $P sort w; echo $? >&2) | true")
    assert done.stderr == "141\n"


def test_closed_input_and_messages(folder: Path) -> None:
    done = shell(folder, "$P digest <&-; echo $?; $P digest w 2>&-; echo $?; $P digest nothing 2>&-; echo $?")
    assert done.stderr == "Error: standard input: is closed\n"
    sha, *codes = done.stdout.splitlines()[1:]
    assert sha.startswith("sha256:")
    assert codes == ["0", "1"]


def test_closed_streams_never_become_files(folder: Path) -> None:
    """A file that is opened does not get the number of a stream that is closed, and with it what is meant for that."""
    done = shell(folder, "$P sort w --output-file out >&- 2>&- <&-; $P sort w | cmp - out && echo same")
    assert done.stdout == "same\n"


def test_interrupted_commands_exit_as_the_shell_expects(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pyhf_func.read", interrupt)
    assert refused(run("cls", folder / "w"), 130) == "Interrupted.\n"


def test_long_work_is_told_on_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyhf_func.cli import waiting

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(waiting, "_FIRST", 0.01)
    monkeypatch.setattr(waiting, "_STEP", 0.01)
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        with waiting.told("impacts"):
            time.sleep(0.05)
        text = stream.getvalue()
        assert ("\rimpacts: 0 s" in text) == stream.isatty()
        assert text.split("\r")[-1] == ""
