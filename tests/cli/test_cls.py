"""``pyhf-func cls``: what it reads and writes, and how it refuses."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pyhf_func import Status
from pyhf_func.cli import main

ROOT = Path(__file__).parents[2]


def document() -> dict:
    """Two bins, a shared systematic uncertainty, two measurements with different parameters of interest."""
    rate = {"name": "rate", "type": "normsys", "data": {"lo": 0.85, "hi": 1.2}}
    signal = [
        {"name": "mu", "type": "normfactor", "data": None},
        {"name": "strength", "type": "normfactor", "data": None},
        rate,
    ]
    bins = {"name": "bins", "type": "shapesys", "data": [5.0, 7.0]}
    samples = [
        {"name": "signal", "data": [8.0, 11.0], "modifiers": signal},
        {"name": "background", "data": [50.0, 60.0], "modifiers": [bins]},
    ]
    fixed = {"name": "strength", "fixed": True}
    doubled = {"name": "mu", "inits": [2.0], "fixed": True}
    return {
        "version": "1.0.0",
        "channels": [{"name": "region", "samples": samples}],
        "observations": [{"name": "region", "data": [55.0, 58.0]}],
        "measurements": [
            {"name": "first", "config": {"poi": "mu", "parameters": [fixed]}},
            {"name": "second", "config": {"poi": "strength", "parameters": [doubled]}},
        ],
    }


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return written(tmp_path / "workspace.json", document())


def written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
    """The command in this process, without the cache: JAX decides once a process whether it has one."""
    return CliRunner().invoke(main, ["cls", "--no-cache", *map(str, arguments)], input=stdin)


def values(result: Result) -> dict:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(result: Result, code: int = 1) -> str:
    """The message of a refusal, after the checks that all refusals must pass."""
    assert result.exit_code == code
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


# what it writes


@pytest.mark.slow
def test_file(workspace: Path) -> None:
    found = values(run(workspace))
    assert list(found) == ["CLs_exp", "CLs_obs"]
    assert len(found["CLs_exp"]) == 5
    assert found["CLs_exp"] == sorted(found["CLs_exp"])
    assert 0 < found["CLs_obs"] < 1


@pytest.mark.slow
def test_layout_is_sorted_and_indented_by_four(workspace: Path) -> None:
    result = run(workspace)
    assert result.stdout == json.dumps(json.loads(result.stdout), sort_keys=True, indent=4) + "\n"


@pytest.mark.slow
def test_equals_the_library(workspace: Path) -> None:
    import pyhf_func as pf

    opened = pf.Workspace(document())
    model = opened.model()
    expected = pf.hypotest(1.0, opened.data(model), model)
    found = values(run(workspace))
    assert found["CLs_obs"] == pytest.approx(float(expected.cls), rel=1e-12)
    assert found["CLs_exp"] == pytest.approx([float(value) for value in expected.cls_expected], rel=1e-12)


def test_equals_pyhf(workspace: Path) -> None:
    pyhf = pytest.importorskip("pyhf", reason="pyhf is not installed")
    opened = pyhf.Workspace(document())
    model = opened.model()
    observed, band = pyhf.infer.hypotest(1.0, opened.data(model), model, return_expected_set=True)
    found = values(run(workspace))
    assert found["CLs_obs"] == pytest.approx(float(observed), abs=1e-4)
    assert found["CLs_exp"] == pytest.approx([float(value) for value in band], abs=1e-4)


def test_standard_input_is_the_default(workspace: Path) -> None:
    text = workspace.read_text()
    assert values(run(stdin=text)) == values(run("-", stdin=text)) == values(run(workspace))


def test_output_file(workspace: Path, tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    result = run(workspace, "--output-file", target)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert json.loads(target.read_text()) == values(run(workspace))


# what it can be told


def test_poi_value_lowers_cls(workspace: Path) -> None:
    small, large = values(run(workspace, "--poi-value", 0.5)), values(run(workspace, "--poi-value", 3))
    assert large["CLs_obs"] < values(run(workspace))["CLs_obs"] < small["CLs_obs"]
    assert values(run(workspace, "--test-poi", 3)) == large


@pytest.mark.parametrize("command", ["cls", "toys"])
def test_a_strength_that_no_data_could_exclude_is_refused(command: str, workspace: Path) -> None:
    result = CliRunner().invoke(main, [command, "--no-cache", str(workspace), "--poi-value", "-1"])
    assert "mu is -1, a negative value below 0" in refused(result)


def test_measurement(workspace: Path) -> None:
    # The second measurement doubles the signal through a fixed mu and tests the other factor.
    second = values(run(workspace, "--measurement", "second"))
    assert second["CLs_obs"] == pytest.approx(values(run(workspace, "--poi-value", 2))["CLs_obs"], rel=1e-6)
    assert values(run(workspace, "--measurement", "first")) == values(run(workspace))


def test_patches_are_applied_in_order(workspace: Path, tmp_path: Path) -> None:
    place = "/channels/0/samples/0/data"
    first = written(tmp_path / "1.json", [{"op": "replace", "path": place, "value": [1.0, 1.0]}])
    second = written(tmp_path / "2.json", [{"op": "replace", "path": place, "value": [16.0, 22.0]}])
    changed = document()
    changed["channels"][0]["samples"][0]["data"] = [16.0, 22.0]
    direct = values(run(written(tmp_path / "changed.json", changed)))
    assert values(run(workspace, "--patch", first, "-p", second)) == direct
    assert values(run(workspace, "-p", "-", "-p", second, stdin=first.read_text())) == direct
    assert direct["CLs_obs"] < values(run(workspace))["CLs_obs"]


@pytest.mark.slow
def test_q0_reports_p0(tmp_path: Path) -> None:
    spec = document()
    spec["observations"][0]["data"] = [70.0, 80.0]
    file = written(tmp_path / "excess.json", spec)
    found = values(run(file, "--test-stat", "q0"))
    assert list(found) == ["p0_exp", "p0_obs"]
    assert 0 < found["p0_obs"] < 0.05
    pyhf = pytest.importorskip("pyhf", reason="pyhf is not installed")
    opened = pyhf.Workspace(spec)
    model = opened.model()
    p0 = pyhf.infer.hypotest(0.0, opened.data(model), model, test_stat="q0")
    assert found["p0_obs"] == pytest.approx(float(p0), abs=1e-4)


@pytest.mark.slow
def test_q_and_qtilde_agree_with_enough_signal(workspace: Path) -> None:
    q, qtilde = (values(run(workspace, "--test-stat", name)) for name in ("q", "qtilde"))
    assert list(q) == ["CLs_exp", "CLs_obs"]
    assert q["CLs_exp"][2] == pytest.approx(qtilde["CLs_exp"][2], abs=2e-2)


# what it refuses

BAD_TEXTS = {
    "empty": "",
    "truncated": json.dumps(document())[:200],
    "not JSON": "channels: []",
    "a list": "[]",
    "a number": "3",
    "null": "null",
    "NaN": json.dumps(document()).replace("50.0", "NaN"),
    "infinity": json.dumps(document()).replace("50.0", "-Infinity"),
    "huge number": json.dumps(document()).replace("50.0", "1e999"),
    "huge integer": json.dumps(document()).replace("50.0", "1" + "0" * 400),
    "duplicate key": '{"version": "1.0.0", "version": "1.0.0"}',
    "no keys": "{}",
    "not UTF-8": b"\xff\xfe{}",
}


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS)
@pytest.mark.parametrize("way", ["file", "standard input"])
def test_bad_text(text: str | bytes, way: str, tmp_path: Path) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    message = refused(run(file) if way == "file" else run(stdin=content))
    assert message.startswith("Error: ")
    assert len(message) < 2000


def altered(**changes: object) -> dict:
    """The document with the values at some JSON pointers (``_`` for ``/``) replaced."""
    spec = document()
    for place, value in changes.items():
        *steps, last = [int(step) if step.isdigit() else step for step in place.split("_")]
        at = spec
        for step in steps:
            at = at[step]
        at[last] = value
    return spec


BAD_DOCUMENTS = {
    "no channels": (altered(channels=[]), "channels"),
    "no measurements": (altered(measurements=[]), "measurements"),
    "text for a yield": (altered(channels_0_samples_1_data=["50", 60.0]), "channels[0].samples[1].data[0]"),
    "too few bins": (altered(channels_0_samples_1_data=[50.0]), "channels[0].samples"),
    "unknown modifier": (altered(channels_0_samples_1_modifiers_0_type="shape"), "modifiers[0]"),
    "unknown POI": (altered(measurements_0_config_poi="nu"), "nu"),
    "too few observations": (altered(observations_0_data=[55.0]), "observations[0]"),
    "no observation": (altered(observations=[]), "$.observations"),
}


@pytest.mark.parametrize(("spec", "named"), BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS)
def test_bad_document_is_located(spec: dict, named: str, tmp_path: Path) -> None:
    message = refused(run(written(tmp_path / "bad.json", spec)))
    assert message.startswith("Error: ")
    assert named in message


def test_no_such_file(tmp_path: Path) -> None:
    message = refused(run(tmp_path / "absent.json"))
    assert "absent.json" in message
    assert len(message.splitlines()) == 1


def test_folder(tmp_path: Path) -> None:
    assert str(tmp_path) in refused(run(tmp_path))


def test_unknown_measurement(workspace: Path) -> None:
    assert "third" in refused(run(workspace, "--measurement", "third"))


def test_model_without_poi(tmp_path: Path) -> None:
    message = refused(run(written(tmp_path / "no_poi.json", altered(measurements_0_config_poi=""))))
    assert "parameter of interest" in message


BAD_PATCHES = {
    "not JSON": "[",
    "no list": "{}",
    "no operation": '[{"path": "/version"}]',
    "unknown operation": '[{"op": "change", "path": "/version", "value": 1}]',
    "no such place": '[{"op": "remove", "path": "/nowhere"}]',
    "failed test": '[{"op": "test", "path": "/version", "value": "2.0.0"}]',
    "makes the document wrong": '[{"op": "remove", "path": "/channels/0/name"}]',
}


@pytest.mark.parametrize("text", BAD_PATCHES.values(), ids=BAD_PATCHES)
def test_bad_patch(text: str, workspace: Path, tmp_path: Path) -> None:
    patch = tmp_path / "patch.json"
    patch.write_text(text)
    assert refused(run(workspace, "--patch", patch)).startswith("Error: ")


def test_output_that_cannot_be_written(workspace: Path, tmp_path: Path) -> None:
    assert "absent" in refused(run(workspace, "--output-file", tmp_path / "absent" / "result.json"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--poi-value", "one"],
        ["--poi-value", "nan"],
        ["--poi-value", "inf"],
        ["--test-stat", "t"],
        ["--test-stat", "q0", "--poi-value", "1"],
        ["--patch", "-"],
        ["--unknown"],
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments: list[str]) -> None:
    assert "Usage:" in refused(run(*arguments, stdin="{}"), code=2)


def test_warning_is_one_line_and_strict_refuses(tmp_path: Path) -> None:
    spec = document()
    spec["measurements"][0]["config"]["parameters"].append({"name": "absent", "inits": [1.0]})
    file = written(tmp_path / "unused.json", spec)
    result = run(file)
    assert values(result)
    assert result.stderr.startswith("Warning: ")
    assert "absent" in result.stderr
    assert ".py:" not in result.stderr
    assert "absent" in refused(run(file, "--strict"))


@pytest.mark.parametrize(
    ("answer", "named"),
    [((0.1, [0.1] * 5, Status.ITERATION_LIMIT), "iteration limit"), ((math.nan, [0.1] * 5, 0), "finite")],
    ids=["fit failed", "NaN"],
)
def test_no_number_without_a_good_fit(
    answer: tuple, named: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls, expected, status = answer
    found = SimpleNamespace(cls=cls, cls_expected=np.array(expected), status=status)
    monkeypatch.setattr("pyhf_func.hypotest", lambda *_, **__: found)
    assert named in refused(run(workspace))


# a process of its own


def process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYHF_FUNC_CACHE"}
    return subprocess.run(
        [sys.executable, "-m", "pyhf_func", *map(str, arguments)],
        env={**inherited, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_cache_is_filled_used_and_can_be_turned_off(workspace: Path, tmp_path: Path) -> None:
    home = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    off = process("cls", workspace, "--no-cache", **home)
    assert off.returncode == 0, off.stderr
    assert not (tmp_path / "cache").exists()

    filling = process("cls", workspace, **home)
    entries = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("program-*")}
    assert entries
    using = process("cls", workspace, **home)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("program-*")} == entries
    assert off.stdout == filling.stdout == using.stdout
    assert off.stderr == filling.stderr == using.stderr == ""


@pytest.mark.slow
def test_cache_that_cannot_be_written_does_not_matter(workspace: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    result = process("cls", workspace, XDG_CACHE_HOME=str(blocked))
    assert result.returncode == 0
    assert result.stderr == ""
    assert json.loads(result.stdout) == values(run(workspace))


def test_version_and_help() -> None:
    from pyhf_func._version import __version__

    version = process("--version")
    assert version.stdout == f"pyhf-func, version {__version__}\n"
    assert "cls" in process("-h").stdout
    assert "--poi-value" in process("cls", "-h").stdout


def test_help_and_completion_load_no_heavy_library() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from pyhf_func.cli import main\n"
        "from pyhf_func.cli.main import SECTIONS\n"
        "for name in [name for names in SECTIONS.values() for name in names]:\n"
        "    assert CliRunner().invoke(main, [name, '--help']).exit_code == 0, name\n"
        "    words = {'_PYHF_FUNC_COMPLETE': 'bash_complete', 'COMP_WORDS': f'x {name} --', 'COMP_CWORD': '2'}\n"
        "    assert CliRunner(env=words).invoke(main, prog_name='pyhf-func').exit_code == 0, name\n"
        "print(sorted({'jax', 'numpy', 'matplotlib', 'scipy', 'optax', 'jsonschema'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
