"""``pyhf-func grid``: every signal point of a patch set, whatever happens to one of them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import pyhf_func as pf
from pyhf_func.cli.commands import grid
from pyhf_func.cli.workers import workers
from tests.cli.studies import SPEC, alike, parsed, refused, run, values, written

_SIGNAL = "/channels/0/samples/0/data"


def patchset(*points: tuple[str, list[float], list[dict[str, Any]]]) -> dict[str, Any]:
    """A patch set for the small workspace."""
    metadata = {
        "description": "signal points",
        "labels": ["m1", "m2"],
        "references": {"hepdata": "ins1234567"},
        "digests": {"sha256": pf.utils.digest(SPEC)},
    }
    patches = [{"metadata": {"name": name, "values": masses}, "patch": patch} for name, masses, patch in points]
    return {"version": "1.0.0", "metadata": metadata, "patches": patches}


def signal(*yields: float) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": _SIGNAL, "value": list(yields)}]


BAD = "bad", [300.0, 200.0], [{"op": "replace", "path": "/channels/7/samples", "value": []}]
GOOD = [
    ("strong", [100.0, 10.0], signal(40.0, 30.0)),
    ("weak", [200.0, 10.0], signal(8.0, 3.0)),
    ("weaker", [200.0, 50.0], signal(4.0, 1.0)),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return written(tmp_path / "workspace.json", SPEC)


@pytest.fixture
def points(tmp_path: Path) -> Path:
    return written(tmp_path / "patchset.json", patchset(GOOD[0], BAD, *GOOD[1:]))


@pytest.mark.slow
def test_one_bad_point_does_not_lose_the_rest(workspace: Path, points: Path, tmp_path: Path) -> None:
    picture = tmp_path / "contour.svg"
    result = run("grid", workspace, points, "--limits", "--plot", picture, "--axes", "m2", "m1", "--progress")
    found = values(result)
    assert "1 of 4 points failed; the output says which and why." in result.stderr
    assert "4/4" in result.stderr
    expected = pf.grid(SPEC, pf.PatchSet(json.loads(points.read_text())))
    rows = expected.rows()
    assert [row["name"] for row in found["points"]] == ["strong", "bad", "weak", "weaker"]
    for row, wanted in zip(found["points"], rows, strict=True):
        assert row["values"] == wanted["values"]
        for name in ("CLs_obs", "CLs_exp", "limit_obs", "limit_exp", "status"):
            assert row[name] == alike(wanted[name])
    bad = found["points"][1]
    assert (bad["CLs_obs"], bad["limit_exp"], bad["status"]) == (None, [None] * 5, "INVALID_MODEL")
    assert bad["message"] == rows[1]["message"] != ""
    assert found["points"][0]["message"] == pf.Status.CONVERGED.sentence
    assert found["about"]["digest"] == f"sha256:{pf.utils.digest(SPEC)}"
    assert found["about"]["settings"]["limits"] is True
    axes = re.findall("<!-- (m[12]) -->", picture.read_text())  # not the names of markers
    assert axes == ["m2", "m1"]


@pytest.mark.slow
def test_comma_separated_values(workspace: Path, points: Path, tmp_path: Path) -> None:
    target = tmp_path / "grid.csv"
    result = run("grid", workspace, points, "--limits", "--format", "csv", "--output-file", target)
    assert (result.exit_code, result.stdout) == (0, "")
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    wanted = values(run("grid", workspace, points, "--limits"))["points"]
    assert [row["name"] for row in rows] == [row["name"] for row in wanted]
    assert float(rows[2]["limit_obs"]) == alike(wanted[2]["limit_obs"])
    assert rows[1]["CLs_obs"] == ""
    assert rows[1]["m1"] == "300.0"


@pytest.mark.slow
def test_a_grid_goes_on_from_its_checkpoint(
    workspace: Path, points: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "grid.jsonl"
    first = values(run("grid", workspace, points, "--limits", "--checkpoint", file))
    monkeypatch.setattr(sys.modules["pyhf_func.verbs.grid"], "run", pytest.fail)
    assert values(run("grid", workspace, points, "--limits", "--checkpoint", file)) == first
    assert "with level 0.05, not 0.1" in refused(
        run("grid", workspace, points, "--limits", "--checkpoint", file, "--level", 0.1)
    )


def test_only_bad_points(workspace: Path, tmp_path: Path) -> None:
    result = run("grid", workspace, written(tmp_path / "bad.json", patchset(BAD)))
    assert refused(result) == "Error: All 1 points failed; the output says why.\n"
    (row,) = parsed(result.stdout)["points"]
    assert row["status"] == "INVALID_MODEL"
    assert "limit_obs" not in row


def test_jobs_share_the_points(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batches of three points each, by threads, which share what is compiled."""
    asked = []

    def executor(jobs: int, *, cached: bool) -> Executor:
        asked.append((jobs, cached))
        return ThreadPoolExecutor(1)  # which compiles once

    monkeypatch.setattr(grid, "workers", executor)
    twice = [(f"{name}_{i}", [masses[0] + i, masses[1]], patch) for i in (0, 1) for name, masses, patch in GOOD]
    found = values(run("grid", workspace, written(tmp_path / "points.json", patchset(*twice)), "--limits", "-j", 2))
    assert asked == [(2, False)]
    rows = found["points"]
    assert [row["name"] for row in rows] == [name for name, _, _ in twice]
    for one, other in zip(rows[:3], rows[3:], strict=True):
        assert one["limit_obs"] == pytest.approx(other["limit_obs"], rel=1e-9)
        assert one["CLs_exp"] == pytest.approx(other["CLs_exp"], rel=1e-9)


def test_processes_are_set_up_like_this_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYHF_FUNC_CACHE", str(tmp_path))
    make = workers
    for cached in (True, False):
        with make(2, cached=cached) as executor:
            assert executor.submit(os.getpid).result() != os.getpid()
            assert executor.submit(cache_folder).result().startswith(str(tmp_path)) == cached
    with make(1, cached=True) as none:
        assert none is None


def cache_folder() -> str:
    from pyhf_func.compiled import store

    return str(store._folder())


def test_patches_come_before_the_points(workspace: Path, tmp_path: Path) -> None:
    data = [{"op": "replace", "path": "/channels/0/samples/1/data", "value": [55.0, 66.0]}]
    base, points = written(tmp_path / "base.json", data), written(tmp_path / "points.json", patchset(*GOOD))
    spec = json.loads(json.dumps(SPEC))
    spec["channels"][0]["samples"][1]["data"] = [55.0, 66.0]
    itself = written(tmp_path / "itself.json", spec)
    found = values(run("grid", workspace, points, "--limits", "-p", base))
    assert found == values(run("grid", itself, points, "--limits", "--no-verify"))
    assert "not the one that this patch set was made for" in refused(run("grid", itself, points))


def test_refusals(workspace: Path, points: Path, tmp_path: Path) -> None:
    assert "no value 'mass'. They have m1, m2." in refused(run("grid", workspace, points, "--axes", "mass", "m1"))
    assert "nothing.json" in refused(run("grid", workspace, tmp_path / "nothing.json"))
    assert "no measurement 'x'" in refused(run("grid", workspace, points, "--measurement", "x"))
    assert refused(run("grid", workspace, workspace))
    assert "standard input" in refused(run("grid", "-", "-", stdin=workspace.read_text()), 2)
    assert "--jobs" in refused(run("grid", workspace, points, "--jobs", 0), 2)
    assert "Usage:" in refused(run("grid", workspace), 2)
