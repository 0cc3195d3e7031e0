"""``pyhf-func toys`` and ``toys-merge``: the verb's numbers, whatever jobs they come from."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyhf_func as pf
from tests.cli.studies import EMPTY_BIN, SPEC, refused, run, values, written

_FEW = "--ntoys", 60


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return written(tmp_path / "workspace.json", SPEC)


def numbers(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "about"}


@pytest.mark.slow
def test_numbers_are_the_verbs(workspace: Path, tmp_path: Path) -> None:
    import jax

    picture = tmp_path / "toys.svg"
    found = values(run("toys", workspace, *_FEW, "--seed", 3, "--poi-value", 1.5, "--plot", picture))
    opened = pf.Workspace(SPEC)
    model = opened.model()
    expected = pf.toys(1.5, opened.data(model), model, jax.random.key(3), 60)
    for name, value in (
        ("CLs_obs", expected.cls),
        ("CLs_exp", expected.cls_expected),
        ("CLs_obs_error", expected.cls_error),
        ("CLs_obs_range", expected.cls_range),
        ("CLsb_obs", expected.clsb),
        ("CLb_exp", expected.clb_expected),
    ):
        assert found[name] == pytest.approx(np.asarray(value).tolist(), rel=1e-12)
    assert (found["ntoys"], found["failed"], found["status"]) == (60, 0, "CONVERGED")
    assert found["about"]["settings"] == {
        "poi_value": 1.5,
        "test_stat": "qtilde",
        "ntoys": 60,
        "first": 0,
        "max_error": None,
        "seed": 3,
    }
    assert "<svg" in picture.read_text()


@pytest.mark.slow
def test_a_seed_is_a_result(workspace: Path) -> None:
    first, again = (values(run("toys", workspace, *_FEW, "--seed", 1)) for _ in range(2))
    other = values(run("toys", workspace, *_FEW, "--seed", 2))
    assert first == again
    assert first["CLsb_exp"] != other["CLsb_exp"]


def test_jobs_merge_to_one(workspace: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{first}.npz" for first in (0, 25)]
    run("toys", workspace, "--ntoys", 25, "--checkpoint", files[0])
    run("toys", workspace, "--ntoys", 35, "--first", 25, "--checkpoint", files[1])
    everything, picture = tmp_path / "all.npz", tmp_path / "toys.png"
    merged = values(run("toys-merge", *files, "--save", everything, "--plot", picture))
    assert numbers(merged) == numbers(values(run("toys", workspace, *_FEW)))
    assert merged["about"]["key"] == [0, 0]
    assert numbers(values(run("toys-merge", everything))) == numbers(merged)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_run_goes_on_from_its_checkpoint(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "toys.npz"
    values(run("toys", workspace, "--ntoys", 25, "--checkpoint", file))
    resumed = run("toys", workspace, *_FEW, "--checkpoint", file, "--progress")
    assert "25/60" in resumed.stderr
    assert numbers(values(resumed)) == numbers(values(run("toys", workspace, *_FEW)))


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_toys_that_are_broken_off_say_how_to_go_on(
    name: str, code: int, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["pyhf_func.verbs.toys"]
    draw = module.toy_chunk

    def cut_off(*args: Any) -> Any:
        if args[-2]:
            os.kill(os.getpid(), getattr(signal, name))
        return draw(*args)

    with monkeypatch.context() as patched:
        patched.setattr(module, "toy_chunk", cut_off)
        patched.setattr(module, "in_order", lambda function, jobs, executor=None: (function(job) for job in jobs))
        told = refused(run("toys", workspace, "--ntoys", 100, "--checkpoint", tmp_path / "toys.npz"), code)
    assert f"64 of 100 toys are saved in {tmp_path / 'toys.npz'}: run the same again to go on from there." in told
    result = run("toys-merge", tmp_path / "toys.npz")
    assert '"ntoys": 64' in result.stdout


def test_stops_when_the_error_is_small(workspace: Path) -> None:
    found = values(run("toys", workspace, "--ntoys", 100000, "--max-error", 0.2))
    assert found["ntoys"] < 1000
    assert found["CLs_obs_error"] <= 0.2


@pytest.mark.slow
def test_discovery(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "toys.npz"
    found = values(run("toys", workspace, *_FEW, "--test-stat", "q0", "--checkpoint", file))
    assert 0 < found["p0_obs"] < 1
    assert found["p0_exp"] == sorted(found["p0_exp"])
    assert "CLs_obs" not in found
    assert numbers(values(run("toys-merge", file))) == numbers(found)


def test_refusals(workspace: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "toys.npz", tmp_path / "other.npz"
    values(run("toys", workspace, *_FEW, "--checkpoint", file))
    values(run("toys", workspace, *_FEW, "--seed", 1, "--checkpoint", other))
    assert "PRNG key differs" in refused(run("toys-merge", file, other))
    assert "PRNG key differs" in refused(run("toys", workspace, *_FEW, "--seed", 2, "--checkpoint", file))
    assert "there twice" in refused(run("toys-merge", file, file))
    assert "not a file of toys" in refused(run("toys-merge", written(tmp_path / "no.npz", {})))
    assert "nothing.npz" in refused(run("toys-merge", tmp_path / "nothing.npz"))
    assert "--first" in refused(run("toys", workspace, "--first", -1), 2)
    assert "q0 tests the value 0" in refused(run("toys", workspace, "--test-stat", "q0", "--poi-value", 1), 2)
    assert "Usage:" in refused(run("toys-merge"), 2)


def test_data_that_cannot_be_fitted(workspace: Path, tmp_path: Path) -> None:
    result = run("toys", workspace, *_FEW, "-p", written(tmp_path / "patch.json", EMPTY_BIN))
    assert refused(result).endswith(f"Error: {pf.Status.NOT_FINITE.sentence}\n")
    assert result.stdout == ""
