"""``pyhf-func limit``, ``discovery``, ``scan``, ``ranking`` and ``fit --report``: the verbs' numbers, and what is said
about them."""

from __future__ import annotations

import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

import pyhf_func as pf
from pyhf_func.cli import main
from tests.cli.studies import EMPTY_BIN, NO_SIGNAL, SPEC, alike, parsed, refused, run, values, written

N = 41
"""Points of a scan by default: what other tests scan, so that one program serves them all."""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return written(tmp_path / "workspace.json", SPEC)


@pytest.fixture
def empty_bin(tmp_path: Path) -> Path:
    return written(tmp_path / "empty_bin.json", EMPTY_BIN)


@pytest.fixture(scope="module")
def model() -> Any:
    return pf.Workspace(SPEC).model()


@pytest.fixture(scope="module")
def data(model: Any) -> Any:
    return pf.Workspace(SPEC).data(model)


def close(expected: Any) -> Any:
    return pytest.approx(np.asarray(expected).tolist(), rel=1e-9, abs=1e-12)


# what is said about results


@pytest.mark.slow
def test_says_what_it_was_made_from(workspace: Path) -> None:
    import jax

    about = values(run("limit", workspace, "--level", 0.1))["about"]
    assert about["versions"] == {"pyhf_func": pf.__version__, "jax": jax.__version__, "format": "1.0.0"}
    digest = hashlib.sha256(json.dumps(SPEC, sort_keys=True).encode()).hexdigest()
    assert about["digest"] == f"sha256:{digest}"
    assert (about["command"], about["measurement"], about["poi"]) == ("limit", "search", "mu")
    assert about["settings"] == {"level": 0.1, "test_stat": "qtilde"}


@pytest.mark.slow
def test_digest_is_that_of_the_patched_workspace(workspace: Path, tmp_path: Path) -> None:
    bins = [{"op": "replace", "path": "/channels/0/samples/0/data", "value": [9.0, 3.0]}]
    fixed = [{"op": "add", "path": "/parameters/-", "value": {"name": "rate", "fixed": True}}]
    paths = written(tmp_path / "bins.json", bins), written(tmp_path / "fixed.json", fixed)
    patched = json.loads(json.dumps(SPEC))
    patched["channels"][0]["samples"][0]["data"] = [9.0, 3.0]
    patched["measurements"][0]["config"]["parameters"].append({"name": "rate", "fixed": True})
    itself = written(tmp_path / "patched.json", patched)
    found = values(run("limit", workspace, "-p", paths[0], "-p", paths[1]))
    assert found == values(run("limit", itself))
    assert found["about"]["digest"] == f"sha256:{pf.utils.digest(patched)}"


def test_goes_to_a_file(workspace: Path, tmp_path: Path) -> None:
    target = tmp_path / "limit.json"
    result = run("limit", workspace, "--output-file", target)
    assert (result.exit_code, result.output) == (0, "")
    assert parsed(target.read_text()) == values(run("limit", stdin=workspace.read_text()))


# numbers


@pytest.mark.slow
def test_limits(workspace: Path, model: Any, data: Any) -> None:
    found = values(run("limit", workspace, "--level", 0.1))
    expected = pf.upper_limit(data, model, level=0.1)
    assert found["limit_obs"] == close(expected.observed)
    assert found["limit_exp"] == close(expected.expected)
    assert (found["status"], found["message"]) == ("CONVERGED", pf.Status.CONVERGED.sentence)


@pytest.mark.slow
def test_discovery(workspace: Path, model: Any, data: Any, tmp_path: Path) -> None:
    picture = tmp_path / "discovery.svg"
    found = values(run("discovery", workspace, "--plot", picture))
    expected = pf.discovery(data, model)
    assert [found["p0_obs"], found["z_obs"]] == close([expected.p0, expected.z])
    assert found["p0_exp"] == close(expected.p0_expected)
    assert found["z_exp"] == close(expected.z_expected)
    assert "<svg" in picture.read_text()


@pytest.mark.slow
def test_scan_reaches_beyond_all_limits(workspace: Path, model: Any, data: Any, tmp_path: Path) -> None:
    picture = tmp_path / "scan.png"
    found = values(run("scan", workspace, "--plot", picture))
    mus = [point["mu"] for point in found["points"]]
    limits = values(run("limit", workspace))
    assert len(mus) == N
    assert mus[0] == 0
    assert max(limits["limit_obs"], *limits["limit_exp"]) < mus[-1] < 2 * max(limits["limit_exp"])
    expected = pf.scan(mus, data, model)
    assert [point["CLs_obs"] for point in found["points"]] == close(expected.cls)
    assert np.array([point["CLs_exp"] for point in found["points"]]).ravel().tolist() == close(
        expected.cls_expected.ravel()
    )
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_scan_at_given_values(workspace: Path) -> None:
    spaced = values(run("scan", workspace, "--range", 0, 4, N))["points"]
    assert [point["mu"] for point in spaced] == close(np.linspace(0, 4, N))
    text = ",".join(str(point["mu"]) for point in spaced)
    assert values(run("scan", workspace, "--values", text))["points"] == alike(spaced)


def test_scan_keeps_the_points_that_can_be_fitted(workspace: Path) -> None:
    result = run("scan", workspace, "--range", -100, 1, N)
    points = values(result)["points"]
    good = [point for point in points if point["status"] == "CONVERGED"]
    assert 0 < len(good) < N
    assert result.stderr == f"Warning: {N - len(good)} of {N} points failed; the output says which and why.\n"
    assert points[0]["CLs_obs"] is None
    assert points[0]["CLs_exp"] == [None] * 5
    assert points[0]["status"] == "NOT_FINITE"
    assert points[0]["message"] == pf.Status.NOT_FINITE.sentence
    assert all(0 < point["CLs_obs"] <= 1 for point in good)


def test_scan_without_any_good_point_fails(workspace: Path) -> None:
    result = run("scan", workspace, "--range", -100, -90, N)
    assert refused(result) == f"Error: All {N} points failed; the output says why.\n"
    assert {point["status"] for point in parsed(result.stdout)["points"]} == {"NOT_FINITE"}


@pytest.mark.slow
def test_profile(workspace: Path, model: Any, data: Any, tmp_path: Path) -> None:
    found = values(run("scan", workspace, "--parameter", "rate", "--plot", tmp_path / "profile.pdf"))
    around = pf.covariance(data, model)
    place = model.config.par_names.index("rate")
    best, error = float(around.fit.pars[place]), float(around.errors[place])
    shown = [point["rate"] for point in found["points"]]
    assert found["best"] == {"rate": close(best)}
    assert shown == close(np.linspace(best - 3 * error, best + 3 * error, N))
    expected = pf.profile({"rate": shown}, data, model)
    assert [point["ratio"] for point in found["points"]] == close(expected.ratio)
    assert (tmp_path / "profile.pdf").stat().st_size > 0


@pytest.mark.slow
def test_profile_of_two_parameters(workspace: Path, model: Any, data: Any) -> None:
    ranges = "--range", 0, 2, 3, "--range", -1, 1, 2
    found = values(run("scan", workspace, "--parameter", "mu", "--parameter", "rate", *ranges))
    expected = pf.profile({"mu": [0.0, 1.0, 2.0], "rate": [-1.0, 1.0]}, data, model)
    assert [(point["mu"], point["rate"]) for point in found["points"]][:3] == [(0, -1), (0, 1), (1, -1)]
    assert [point["ratio"] for point in found["points"]] == close(expected.ratio.ravel())


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("scan", "--range", 0, 4, 4),
        ("scan", "--parameter", "rate", "--values", "-1,0,1"),
        ("ranking",),
        ("intervals", "--all"),
    ],
)
def test_jobs_share_the_work(command: tuple[Any, ...], workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a thread, in place of processes, that shares what is compiled."""
    asked = []

    def workers(jobs: int, *, cached: bool) -> Any:
        asked.append((jobs, cached))
        return nullcontext() if jobs == 1 else ThreadPoolExecutor(1)

    monkeypatch.setattr(import_module(f"pyhf_func.cli.commands.{command[0]}"), "workers", workers)
    alone, shared = (values(run(command[0], workspace, *command[1:], "-j", jobs)) for jobs in (1, 2))
    assert shared == alike(alone)
    assert asked == [(1, False), (2, False)]


@pytest.mark.slow
def test_ranking(workspace: Path, model: Any, data: Any, tmp_path: Path) -> None:
    picture = tmp_path / "ranking.svg"
    found = values(run("ranking", workspace, "--plot", picture))
    expected = pf.impacts(data, model)
    rows = found["parameters"]
    assert [row["name"] for row in rows] == [model.config.par_names[place] for place in expected.parameters]
    for name in ("prefit_up", "prefit_down", "postfit_up", "postfit_down", "postfit_linear", "best"):
        assert [row[name] for row in rows] == close(getattr(expected, name))
    assert [row["pull"] for row in rows] == close(expected.pulls)
    assert [row["error"] for row in rows] == close(expected.errors)
    assert found["poi"]["best"] == close(expected.poi_best)
    assert values(run("ranking", workspace, "--top", 1))["parameters"] == rows[:1]
    assert values(run("ranking", workspace, "--poi", "rate"))["poi"]["name"] == "rate"
    assert "<svg" in picture.read_text()


@pytest.mark.slow
def test_report_of_a_fit(workspace: Path, model: Any, data: Any, tmp_path: Path) -> None:
    picture = tmp_path / "pulls.png"
    found = values(run("fit", workspace, "--report", "--plot", picture))
    expected = pf.covariance(data, model)
    assert found["mle_parameters"] == values(run("fit", workspace))["mle_parameters"]
    names = model.config.par_names
    assert [found["errors"][name][0] for name in names] == close(expected.errors)
    assert found["parameters"] == names
    assert found["correlations"] == [close(row) for row in expected.correlation]
    assert found["at_bound"] == {name: [False] for name in names}
    assert found["twice_nll"] == close(expected.fit.twice_nll)
    assert found["about"]["command"] == "fit"
    assert picture.read_bytes().startswith(b"\x89PNG")


# refusals
@pytest.mark.parametrize("command", ["limit", "discovery", "ranking", "fit"])
def test_fit_that_fails_is_an_error(command: str, workspace: Path, empty_bin: Path) -> None:
    result = run(command, workspace, "-p", empty_bin)
    assert refused(result).endswith(f"Error: {pf.Status.NOT_FINITE.sentence}\n")
    assert result.stdout == ""


def test_no_limit(workspace: Path, tmp_path: Path) -> None:
    result = run("limit", workspace, "-p", written(tmp_path / "patch.json", NO_SIGNAL))
    assert refused(result) == f"Error: {pf.Status.NO_LIMIT.sentence}\n"


@pytest.mark.parametrize("command", ["limit", "discovery", "scan", "toys", "ranking"])
def test_no_parameter_of_interest(command: str, tmp_path: Path) -> None:
    spec = json.loads(json.dumps(SPEC))
    spec["measurements"][0]["config"]["poi"] = ""
    message = refused(run(command, written(tmp_path / "workspace.json", spec)))
    assert "no parameter of interest" in message


@pytest.mark.parametrize("command", ["limit", "discovery", "scan", "toys", "ranking", "fit"])
def test_wrong_input(command: str, workspace: Path, tmp_path: Path) -> None:
    assert "no.json" in refused(run(command, tmp_path / "no.json"))
    assert "no measurement 'other'" in refused(run(command, workspace, "--measurement", "other"))
    message = refused(run(command, workspace, "--plot", tmp_path / "picture.doc"))
    assert "picture.doc" in message
    assert "png" in message


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("limit", ["--level", "1.5"]),
        ("limit", ["--level", "nan"]),
        ("limit", ["--test-stat", "q0"]),
        ("limit", ["-p", "-"]),
        ("scan", ["--values", "1,two"]),
        ("scan", ["--values", "1,inf"]),
        ("scan", ["--values", "1,2", "--range", "0", "1", "3"]),
        ("scan", ["--range", "0", "1", "1"]),
        ("scan", ["--values", "1,2", "--values", "3"]),
        ("scan", ["--parameter", "mu", "--parameter", "mu"]),
        ("scan", ["--parameter", "mu", "--parameter", "rate", "--values", "1"]),
        ("ranking", ["--top", "0"]),
        ("fit", ["--report", "--optimizer", "scipy"]),
    ],
    ids=str,
)
def test_wrong_use(command: str, options: list[str], workspace: Path) -> None:
    assert "Usage:" in refused(run(command, "-", *options, stdin=workspace.read_text()), 2)


def test_unknown_parameter(workspace: Path) -> None:
    for options in (["scan", workspace, "--parameter", "no"], ["ranking", workspace, "--poi", "no"]):
        assert "has no parameter 'no'. It has 'mu', 'other', 'rate'" in refused(run(*options))


def test_without_matplotlib(workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.backend_bases", None)
    assert "pip install 'pyhf-func[plot]'" in refused(run("limit", workspace, "--plot", tmp_path / "limit.png"))


def test_help_lists_all_commands() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    listed = [line.split()[0] for line in text.split("Statistics:")[1].splitlines() if line.startswith("  ")]
    assert sorted(listed) == sorted(main.list_commands(click.Context(main)))
