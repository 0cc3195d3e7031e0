"""Commands on documents: what they write, as pyhf's command writes it, and how they refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from pyhf_func.cli import main
from pyhf_func.utils import digest
from tests.cli.studies import command_of
from tests.documents.documents import Document, drop, put, spoiled, workspace_spec
from tests.documents.test_patchset import patchset_spec

ROOT = Path(__file__).parents[2]


def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), input=stdin)


def written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return written(tmp_path / "workspace.json", workspace_spec())


@pytest.fixture
def patchset(tmp_path: Path) -> Path:
    return written(tmp_path / "patchset.json", patchset_spec())


@pytest.fixture
def their_command() -> Any:
    pytest.importorskip("pyhf", reason="pyhf is not installed")
    from pyhf.cli import cli

    return lambda *arguments: CliRunner().invoke(cli, list(map(str, arguments)))


def refused(result: Result, code: int = 1) -> str:
    """The message of a refusal: one, on standard error, without a traceback."""
    assert result.exit_code == code
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.count("Error: ") == 1
    return result.stderr


CHANGES: dict[str, list[str]] = {
    "sort": ["sort"],
    "prune": ["prune", "-c", "CR", "-s", "signal", "-m", "shape", "-m", "tilt", "-t", "normsys"],
    "rename": ["rename", "-c", "CR", "control", "-m", "mu", "strength", "--measurement", "fit", "best"],
    "digest": ["digest"],
    "digests": ["digest", "-a", "md5", "-a", "sha256"],
    "digests as JSON": ["digest", "-a", "md5", "-a", "sha256", "--json"],
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_writes_what_pyhf_writes(name: str, workspace: Path, their_command: Any) -> None:
    command, *options = CHANGES[name]
    ours, theirs = run(command, workspace, *options), their_command(command, workspace, *options)
    assert ours.exit_code == theirs.exit_code == 0
    assert ours.stdout == theirs.stdout
    assert ours.stderr == ""
    assert run(command, *options, stdin=workspace.read_text()).stdout == ours.stdout


@pytest.mark.parametrize("join", ["none", "outer", "left outer", "right outer"])
def test_combines_as_pyhf(join: str, workspace: Path, tmp_path: Path, their_command: Any) -> None:
    other = tmp_path / "other.json"
    assert run("rename", workspace, "-c", "SR", "SR2", "-c", "CR", "CR2", "--measurement", "fit", "fit2",
               "--output-file", other).exit_code == 0  # fmt: skip
    ours, theirs = (command("combine", workspace, other, "--join", join) for command in (run, their_command))
    assert ours.exit_code == theirs.exit_code == 0
    assert ours.stdout == theirs.stdout
    through_file = tmp_path / "both.json"
    assert run("combine", "-", other, "-j", join, "--output-file", through_file,
               stdin=workspace.read_bytes()).stdout == ""  # fmt: skip
    assert json.loads(through_file.read_text()) == json.loads(ours.stdout)


def test_merges_channels(workspace: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    run("prune", workspace, "-s", "background", "-c", "CR", "--output-file", other)
    run("rename", other, "-s", "signal", "more signal", "--output-file", other)
    result = run("combine", workspace, other, "--merge-channels", "-j", "left outer")
    samples = json.loads(result.stdout)["channels"][0]["samples"]
    assert [sample["name"] for sample in samples] == ["signal", "background", "more signal"]


def test_inspects(workspace: Path, tmp_path: Path, their_command: Any) -> None:
    ours, theirs = (command("inspect", workspace, "--output-file", tmp_path / name)
                    for command, name in ((run, "ours"), (their_command, "theirs")))  # fmt: skip
    assert json.loads((tmp_path / "ours").read_text()) == json.loads((tmp_path / "theirs").read_text())
    words = [line.split() for line in ours.stdout.splitlines()]
    assert [line for line in words if line and line[0] in ("scale", "shape", "(*)")] == [
        line for line in map(str.split, theirs.stdout.splitlines()) if line and line[0] in ("scale", "shape", "(*)")
    ]
    assert ["channels", "2"] in words
    assert ours.stderr == ""


def test_inspect_marks_the_measurement(tmp_path: Path) -> None:
    spec = workspace_spec()
    spec["measurements"].append({"name": "second", "config": {"poi": "scale", "parameters": []}})
    path = written(tmp_path / "two.json", spec)
    assert "(*) fit" in run("inspect", path).stdout
    marked = run("inspect", path, "--measurement", "second").stdout
    assert "(*) second" in marked
    assert "(*) fit" not in marked
    assert "third" in refused(run("inspect", path, "--measurement", "third"))


def test_inspect_shows_the_constraints_that_the_likelihood_has(tmp_path: Path) -> None:
    """As the model has them: by the modifiers, and by the configuration of the chosen measurement."""
    import pyhf_func as pf

    spec = workspace_spec()
    normfactor = {"name": "squared", "type": "normfactor", "data": None, "expression": "a * b"}
    other = {"name": "loose", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}, "constraint": "none"}
    stat = {"name": "stat", "type": "staterror", "data": [1.0, 2.0], "constraint": "poisson"}
    lognormal = {"name": "wide", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}, "constraint": "lognormal"}
    count = len(spec["channels"][0]["samples"][0]["data"])
    stat["data"] = [1.0] * count
    spec["channels"][0]["samples"][0]["modifiers"] += [normfactor, other, stat, lognormal]
    measured = {"name": "a", "constraint": "gauss", "auxdata": [1.0], "sigmas": [0.1]}
    spec["measurements"][0]["config"]["parameters"].append(measured)
    path = written(tmp_path / "w.json", spec)
    assert run("inspect", path, "--output-file", tmp_path / "summary.json").exit_code == 0
    found = dict(json.loads((tmp_path / "summary.json").read_text())["parameters"])
    config = pf.Workspace(spec).model().config
    assert {*found} == {*config.par_order}
    for name, words in found.items():
        own = config.param_set(name)
        constraint = own.pdf_type if own.constrained else "unconstrained"
        assert words.removeprefix("constrained_by_") == constraint
    assert (found["a"], found["b"], found["loose"]) == ("constrained_by_normal", "unconstrained", "unconstrained")


# patch sets


def test_patchset_commands_write_what_pyhf_writes(workspace: Path, patchset: Path, their_command: Any) -> None:
    for arguments in (
        ["extract", patchset, "--name", "heavy"],
        ["extract", patchset, "--name", "heavy", "--with-metadata"],
        ["apply", workspace, patchset, "--name", "heavy"],
        ["verify", workspace, patchset],
        ["inspect", patchset],
    ):
        ours, theirs = run("patchset", *arguments), their_command("patchset", *arguments)
        assert ours.exit_code == theirs.exit_code == 0
        assert ours.stdout == theirs.stdout
        assert ours.stderr == ""


def test_patchset_output(workspace: Path, patchset: Path, tmp_path: Path) -> None:
    patch, patched = tmp_path / "patch.json", tmp_path / "patched.json"
    run("patchset", "extract", patchset, "--name", "light", "--output-file", patch)
    run("patchset", "apply", "-", patchset, "--name", "light", "--output-file", patched, stdin=workspace.read_text())
    assert json.loads(patch.read_text()) == patchset_spec()["patches"][0]["patch"]
    assert json.loads(patched.read_text())["channels"][0]["samples"][-1]["name"] == "signal point"


# conversions


@pytest.fixture
def converted(workspace: Path, tmp_path: Path) -> Path:
    pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")
    patch = written(tmp_path / "p.json", [{"op": "replace", "path": "/observations/0/data/0", "value": 99}])
    result = run("json2xml", workspace, "--output-dir", tmp_path / "xml", "--patch", patch, "--resultprefix", "Our",
                 "--specroot", "spec", "--dataroot", "root")  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, "")
    assert "lumi: the bounds of a lumi parameter have no place" in result.stderr
    return tmp_path / "xml"


def test_to_xml_and_back(converted: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in (converted / "spec").iterdir()) == ["Our_CR.xml", "Our_SR.xml"]
    output = tmp_path / "again.json"
    result = run("xml2json", converted / "Our.xml", "--output-file", output, "--hide-progress")
    assert (result.exit_code, result.output) == (0, "")
    again = json.loads(output.read_text())
    assert again["observations"][0]["data"] == [99.0, 66.0]
    shown = run("xml2json", converted / "Our.xml", "--basedir", converted)
    assert json.loads(shown.stdout) == again
    assert "channel" in shown.stderr


def test_mounts(converted: Path) -> None:
    moved = converted.rename(converted.parent / "moved")
    message = refused(run("xml2json", moved / "Our.xml", "--hide-progress"))
    assert str(converted) in message
    result = run("xml2json", moved / "Our.xml", "--hide-progress", "-v", f"{moved}:{converted}")
    assert json.loads(result.stdout)["channels"]
    assert "colon-separated" in refused(run("xml2json", moved / "Our.xml", "-v", f"{moved}"), code=2)


@pytest.mark.filterwarnings("default:3 faults:UserWarning")
def test_wrong_xml(tmp_path: Path) -> None:
    path = tmp_path / "wrong.xml"
    for text, words in {
        "no XML": "syntax error",
        "<Combination><Measurement Name='a' Lumi='1' LumiRelErr='0'/></Combination>": "missing POI",
        "<Combination><Measurement Lumi='1'/></Combination>": "lacks the attribute Name",
        "<Combination/>": "measurements",
    }.items():
        path.write_text(text)
        assert words in refused(run("xml2json", path, "--hide-progress"))
    warned = run("xml2json", path, "--hide-progress", "--validation-as-warning")
    assert json.loads(warned.stdout)["channels"] == []


# refusals

WRONG_USE: dict[str, list[str]] = {
    "two from standard input": ["combine"],
    "also two": ["patchset", "apply", "--name", "heavy"],
    "merge without join": ["combine", "a", "b", "--merge-channels"],
    "unknown join": ["combine", "a", "b", "--join", "inner"],
    "unknown type": ["prune", "-t", "none"],
    "half a pair": ["rename", "-c", "SR"],
    "no name": ["patchset", "extract"],
    "unknown shell": ["completions", "cmd"],
}


@pytest.mark.parametrize("name", WRONG_USE)
def test_wrong_use(name: str) -> None:
    refused(run(*WRONG_USE[name], stdin="{}"), code=2)


REFUSALS: dict[str, tuple[list[str], str]] = {
    "unknown channel": (["prune", "WORKSPACE", "-c", "VR"], "has no channel 'VR'"),
    "unknown sample": (["rename", "WORKSPACE", "-s", "VR", "x"], "has no sample 'VR'"),
    "names that collide": (["rename", "WORKSPACE", "-c", "SR", "CR"], "share the name"),
    "nothing left": (["prune", "WORKSPACE", "-c", "SR", "-c", "CR"], "channels"),
    "same channels": (["combine", "WORKSPACE", "WORKSPACE"], "SR"),
    "unknown algorithm": (["digest", "WORKSPACE", "-a", "md6"], "md6"),
    "unknown patch": (["patchset", "extract", "PATCHSET", "--name", "none"], "none"),
    "a patch set is no workspace": (["sort", "PATCHSET"], "measurements"),
    "a workspace is no patch set": (["patchset", "inspect", "WORKSPACE"], "patches"),
    "no such file": (["sort", "none.json"], "none.json"),
    "no patch set": (["patchset", "inspect", "WORKSPACE"], "workspace.json:"),
    "cannot write": (["sort", "WORKSPACE", "--output-file", "none/none.json"], "none.json"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name: str, workspace: Path, patchset: Path) -> None:
    arguments, words = REFUSALS[name]
    files = {"WORKSPACE": workspace, "PATCHSET": patchset}
    assert words in refused(run(*(files.get(argument, argument) for argument in arguments)))


@pytest.mark.parametrize("command", ["inspect", "prune", "rename", "digest", "sort", "json2xml", "fit"])
@pytest.mark.parametrize(
    "text",
    ["", "[1]", "{", json.dumps(spoiled(workspace_spec, drop("channels")))],
    ids=["empty", "list", "truncated", "no channels"],
)
def test_wrong_documents(command: str, text: str) -> None:
    assert refused(run(command, stdin=text)).startswith("Error: the input: ")


def test_another_background(workspace: Path, patchset: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other.json", spoiled(workspace_spec, put("observations.0.data", [1, 2])))
    for arguments in (["verify", other, patchset], ["apply", other, patchset, "--name", "heavy"]):
        assert digest(workspace_spec()) in refused(run("patchset", *arguments))


# the rest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    script = run("completions", shell).stdout
    assert "_PYHF_FUNC_COMPLETE" in script
    assert run("completions").stdout == script
    monkeypatch.setenv("SHELL", "/usr/bin/csh")
    assert "csh" in refused(run("completions"))


@pytest.mark.parametrize("option", ["--cite", "--citation"])
def test_citation(option: str) -> None:
    from pyhf_func.utils import citation

    assert run(option).stdout == citation() + "\n"


def test_every_command_explains_itself() -> None:
    def walk(command: Any, path: list[str]) -> None:
        help_text = run(*path, "-h").stdout
        assert help_text.startswith("Usage:")
        for name, child in getattr(command, "commands", {}).items():
            assert name in help_text
            assert child.help
            walk(child, [*path, name])

    walk(main, [])


def test_documents_need_no_array_library(workspace: Path, patchset: Path) -> None:
    arguments: list[list[Path | str]] = [
        ["inspect", workspace],
        ["prune", workspace, "-s", "signal"],
        ["rename", workspace],
        ["digest", workspace],
        ["sort", workspace],
        ["combine", workspace, workspace, "-j", "outer"],
        ["patchset", "apply", workspace, patchset, "--name", "heavy"],
        ["patchset", "verify", workspace, patchset],
        ["--cite"],
    ]
    code = (
        "import sys, json; from click.testing import CliRunner; from pyhf_func.cli import main\n"
        f"for line in {[list(map(str, line)) for line in arguments]!r}:\n"
        "    assert CliRunner().invoke(main, line).exit_code == 0, line\n"
        "print(sorted({'jax', 'scipy', 'optax', 'torch', 'uproot'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_document_is_not_changed(workspace: Path) -> None:
    before: Document = json.loads(workspace.read_text())
    run("rename", workspace, "-m", "mu", "strength")
    assert json.loads(workspace.read_text()) == before


def test_a_datacard_is_read_as_the_options_ask(tmp_path: Path) -> None:
    """Every command with a WORKSPACE: the mass chooses histograms, and a map what scales them."""
    uproot = pytest.importorskip("uproot", reason="uproot is not installed")
    with uproot.recreate(tmp_path / "shapes.root") as file:
        for name, counts in {"data_obs": [7.0], "b": [5.0], "s120": [1.0], "s125": [2.0]}.items():
            file[name] = np.array(counts), np.array([0.0, 1.0])
    (tmp_path / "card.txt").write_text(
        "imax 1\njmax 1\nkmax *\nshapes * * shapes.root $PROCESS\nshapes s * shapes.root $PROCESS$MASS\n"
        "bin SR\nobservation 7\nbin SR SR\nprocess s b\nprocess 0 1\nrate -1 -1\nlumi lnN 1.02 -\n"
    )
    for options, expected in (([], 1.0), (["--mass", "125"], 2.0)):
        document = json.loads(run("sort", *options, tmp_path / "card.txt").stdout)
        samples = {sample["name"]: sample["data"] for sample in document["channels"][0]["samples"]}
        assert samples == {"s": [expected], "b": [5.0]}
    mapped = run("sort", tmp_path / "card.txt", "--map", ".*/s:strength[1,0,3]")
    assert json.loads(mapped.stdout)["measurements"][0]["config"]["poi"] == "strength"
    for name in main.list_commands(click.Context(main)):
        parameters = command_of(name).params
        if any(parameter.name == "workspace" for parameter in parameters) and name != "json2xml":
            assert "--mass" in run(name, "--help").stdout
