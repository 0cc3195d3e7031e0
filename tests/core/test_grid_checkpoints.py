"""Points of a grid are kept as they end, whatever ends the run, and never taken from a damaged or foreign file."""

import errno
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core.inference.grid import PointResult
from pyhf_func.exceptions import CheckpointNotWritten, InvalidCheckpoint

GRIDS = importlib.import_module("pyhf_func.verbs.grid")
FILES = "pyhf_func._files"
Fake = Callable[..., PointResult]


def workspace(background: float = 50.0) -> pf.Workspace:
    model = pf.simplemodels.uncorrelated_background([12.0], [background], [3.0])
    return pf.Workspace.build(model, [51.0, *model.config.auxdata])


def points(scale: float = 1.0) -> dict[str, Any]:
    return {f"m{i}": {("singlechannel", "signal"): [scale * i]} for i in range(1, 6)}


class Computed:
    """What stands for the computation: numbers that are known, and a list of what was computed."""

    def __init__(self) -> None:
        self.signals: list[float] = []
        self.at: dict[float, Callable[[], object]] = {}

    def __call__(self, *job: Any) -> PointResult:
        *_, data, models, alike, size = job
        assert (len(data), len(alike)) == (len(models),) * 2
        assert size == 1
        rows = []
        for model in models:
            signal_yield = float(np.asarray(model.values.nominal).min())
            self.at.get(signal_yield, lambda: None)()
            self.signals.append(signal_yield)
            rows.append([1 / (1 + signal_yield), *np.arange(5) / 7, np.inf if signal_yield == 2 else 0.1, np.nan])
        cls, exp, limit, none = (np.array([row[part] for row in rows]) for part in (0, slice(1, 6), 6, 7))
        status = np.array([pf.Status.NO_LIMIT if limit == np.inf else 0 for limit in limit], np.int32)
        numbers = {"cls": cls, "cls_expected": exp, "limit": limit, "limit_expected": np.repeat(none[:, None], 5, 1)}
        several = np.repeat(status[:, None], 5, 1)
        ends = {f"{name}_status": several if name == "limit_expected" else status for name in numbers}
        return PointResult(**numbers, **ends, status=status)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Computed:
    fake = Computed()
    monkeypatch.setattr(GRIDS, "run", fake)
    monkeypatch.setattr(GRIDS, "threads_for", lambda jobs: None)
    return fake


def run(file: Path | None, chosen: Any = None, **options: Any) -> pf.GridResult:
    given = {"workspace": workspace(), **options}
    return pf.grid(points=chosen or points(), batch=1, checkpoint=file, **given)


def same(one: pf.GridResult, other: pf.GridResult) -> None:
    for name, value in one._asdict().items():
        np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


class Finalised:
    """Runs something when it is lost, where Python drops what is raised: as in a callback of the garbage collector."""

    def __init__(self, last: Callable[[], object]) -> None:
        self.last = last

    def __del__(self) -> None:
        self.last()


@pytest.mark.parametrize("at", [4.0, 5.0])
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", None)])
def test_signals_where_no_exception_can_be_raised_end_the_run(
    name: str, code: int | None, at: float, tmp_path: Path, computed: Computed, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, dropped, whole = tmp_path / "grid.jsonl", [], run(None)
    monkeypatch.setattr(sys, "unraisablehook", lambda fault: dropped.append(fault.exc_type))
    computed.at[at] = lambda: Finalised(lambda: os.kill(os.getpid(), getattr(signal, name)))
    with pytest.raises(SystemExit if code else KeyboardInterrupt) as ended:
        run(file)
    assert (getattr(ended.value, "code", None), dropped) == (code, [ended.type])
    assert ended.value.__notes__[0].startswith(f"{int(at)} of 5 points are saved")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    computed.at.clear()
    same(run(file), whole)


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", None)])
def test_signals_keep_the_points_that_ended(
    name: str, code: int | None, tmp_path: Path, computed: Computed, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "grid.jsonl"
    whole = run(None)
    computed.signals.clear()
    computed.at[4.0] = lambda: os.kill(os.getpid(), getattr(signal, name))
    with pytest.raises(SystemExit if code else KeyboardInterrupt) as ended:
        run(file)
    assert getattr(ended.value, "code", None) == code
    told = f"3 of 5 points are saved in {file}: run the same again to go on from there."
    assert ended.value.__notes__ == [told]
    assert (told in capsys.readouterr().err) == bool(code)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    computed.at.clear()
    same(run(file), whole)
    assert computed.signals == [1.0, 2.0, 3.0, 4.0, 5.0]
    same(run(file), whole)
    assert len(computed.signals) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["grid.jsonl"]


def test_rows_are_in_the_file_as_they_end(tmp_path: Path, computed: Computed) -> None:
    file, seen = tmp_path / "grid.jsonl", []
    computed.at[3.0] = lambda: seen.extend(json.loads(line) for line in file.read_text().splitlines())
    found = run(file, mu=1.5)
    head, *rows = seen
    assert (head["format"], head["mu"], head["limits"]) == ("pyhf_func grid 3", 1.5, True)
    assert [(row["point"], row["cls"]) for row in rows] == list(zip(("m1", "m2"), found.cls.tolist()[:2], strict=True))


def test_jobs_with_some_points_each_share_a_file(tmp_path: Path, computed: Computed) -> None:
    file, all_of_them = tmp_path / "grid.jsonl", list(points().items())
    for some in (all_of_them[:3], all_of_them[2:]):
        run(file, dict(some))
    assert computed.signals == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert run(file).status.tolist() == [0, pf.Status.NO_LIMIT, 0, 0, 0]


@pytest.mark.slow
def test_a_run_that_was_killed_while_it_wrote_loses_that_row_alone(tmp_path: Path, computed: Computed) -> None:
    file = tmp_path / "grid.jsonl"
    whole = run(file)
    content = file.read_bytes()
    for left in range(content.index(b"\n") + 1, len(content), 97):
        file.write_bytes(content[:left])
        same(run(file), whole)
        assert sorted(file.read_bytes().splitlines()) == sorted(content.splitlines())


class Losing(Executor):
    """It loses every other job."""

    jobs = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.jobs += 1
        future: Future[Any] = Future()
        if self.jobs % 2:
            future.set_result(fn(*args, **kwargs))
        else:
            future.set_exception(RuntimeError("the worker was killed"))
        return future


def test_points_of_lost_workers_are_computed_again(tmp_path: Path, computed: Computed) -> None:
    file = tmp_path / "grid.jsonl"
    found = run(file, executor=Losing())
    assert found.status.tolist() == [0, pf.Status.NOT_COMPUTED, 0, pf.Status.NOT_COMPUTED, 0]
    assert found.message[1] == "RuntimeError: the worker was killed"
    same(run(file), run(None))
    assert sorted(computed.signals[:5]) == [1.0, 2.0, 3.0, 4.0, 5.0]


def dies_once(*job: Any) -> PointResult:
    """What stands for the computation; the worker that gets the third point first is killed."""
    marker = Path(os.environ["DIES_ONCE"])
    if float(np.asarray(job[-3][0].values.nominal).min()) == 3.0 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Computed()(*job)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pool", "dask"])
def test_a_killed_worker_costs_no_point_that_ended(
    kind: str, tmp_path: Path, computed: Computed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask computes again what its worker had; a broken pool says which points are missing: the next run has them."""
    file, whole = tmp_path / "grid.jsonl", run(None)
    monkeypatch.setattr(GRIDS, "run", dies_once)
    monkeypatch.setenv("DIES_ONCE", str(tmp_path / "died"))
    if kind == "dask":
        distributed = pytest.importorskip("distributed", reason="Dask is not installed")
        with (
            distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
            distributed.Client(cluster) as client,
        ):
            found = run(file, executor=client.get_executor())
    else:
        with ProcessPoolExecutor(1, get_context("spawn")) as executor:
            found = run(file, executor=executor)
    lost = found.status == pf.Status.NOT_COMPUTED
    assert lost.sum() == (3 if kind == "pool" else 0)
    assert all("BrokenProcessPool" in found.message[place] for place in np.flatnonzero(lost))
    assert len(file.read_text().splitlines()) == 1 + (~lost).sum()
    monkeypatch.setattr(GRIDS, "run", computed)
    computed.signals.clear()
    same(run(file), whole)
    assert len(computed.signals) == lost.sum()


def test_points_are_kept_in_the_order_in_which_they_end(tmp_path: Path, computed: Computed) -> None:
    class Backwards(Losing):
        waiting: list[tuple[Future[Any], Any]] = []  # noqa: RUF012

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.waiting.append((Future(), (fn, *args)))
            if len(self.waiting) == 5:
                for future, job in reversed(self.waiting):
                    future.set_result(job[0](*job[1:]))
            return self.waiting[-1][0]

    file = tmp_path / "grid.jsonl"
    same(run(file, executor=Backwards()), run(None))
    rows = map(json.loads, file.read_text().splitlines()[1:])
    assert [row["point"] for row in rows] == ["m4", "m3", "m2", "m1", "m5"]


def test_a_full_disk_costs_no_points(tmp_path: Path, computed: Computed, monkeypatch: pytest.MonkeyPatch) -> None:
    file, sync = tmp_path / "grid.jsonl", os.fsync

    def full(descriptor: int) -> None:
        if len(computed.signals) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(f"{FILES}.os.fsync", full)
    with pytest.raises(CheckpointNotWritten, match="No space left") as ended:
        run(file)
    monkeypatch.undo()
    monkeypatch.setattr(GRIDS, "run", computed)
    monkeypatch.setattr(GRIDS, "threads_for", lambda jobs: None)
    same(ended.value.result, run(None))
    assert len(file.read_text().splitlines()) == 3
    computed.signals.clear()
    run(file)
    assert computed.signals == [3.0, 4.0, 5.0]


def test_files_of_other_grids_are_refused_by_name(tmp_path: Path, computed: Computed) -> None:
    file = tmp_path / "grid.jsonl"
    run(file)
    content = file.read_bytes()
    for words, options in (
        ("mu 1.0, not 2.0", {"mu": 2.0}),
        ("level 0.05, not 0.1", {"level": 0.1}),
        ("limits True, not False", {"limits": False}),
        ("test_stat 'qtilde', not 'q'", {"test_stat": "q"}),
        ("point 'm1' of another workspace", {"workspace": workspace(51.0)}),
        ("point 'm1' of another workspace", {"chosen": points(1.01)}),
    ):
        with pytest.raises(InvalidCheckpoint, match=rf"grid\.jsonl holds .*{words}.*Name another file"):
            run(file, **options)
    assert file.read_bytes() == content


def test_damaged_files_are_refused_by_name(tmp_path: Path, computed: Computed) -> None:
    file = tmp_path / "grid.jsonl"
    run(file)
    content = file.read_bytes()
    first, second, *rest = content.splitlines(keepends=True)
    for damaged, words in (
        (second + first, "is not a file of grids"),
        (b"[]\n", "is not a file of grids"),
        (b"\x00\xff" * 100, "is not a file of grids"),
        (b"[" * 100_000 + b"\n", "is not a file of grids"),
        (content.replace(b'"cls": 0.5', b'"cls": 0.4'), "damaged in line 2"),
        (content.replace(b'"inf"', b'"nan"'), "damaged in line 3"),
        (first + second[:-9] + b"\n" + b"".join(rest), "damaged in line 2"),
        (content + b"\n", "damaged in line 7"),
    ):
        file.write_bytes(damaged)
        with pytest.raises(InvalidCheckpoint, match=f"grid.jsonl.*{words}.*Name another"):
            run(file)
        assert file.read_bytes() == damaged
    with pytest.raises(InvalidCheckpoint, match="regular file"):
        run(tmp_path)
    assert len(computed.signals) == 5


def test_points_of_a_generator_come_as_there_is_room_and_go_on_from_a_file(tmp_path: Path, computed: Computed) -> None:
    """Neither all points nor all jobs are ever in memory."""
    model = pf.simplemodels.uncorrelated_background([12.0], [50.0], [3.0])
    whole, file, given = pf.Workspace.build(model, [51.0, *model.config.auxdata]), tmp_path / "grid.jsonl", []

    class Narrow(Losing):
        _max_workers, most = 1, 0

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            self.most = max(self.most, len(given) - len(computed.signals))
            future.set_result(fn(*args, **kwargs))
            return future

    def every(stop: int) -> Any:
        for number in range(1, stop):
            given.append(number)
            yield [{"op": "replace", "path": "/channels/0/samples/1/data", "value": [float(number)]}]

    executor = Narrow()
    place = [sample["name"] for sample in whole["channels"][0]["samples"]].index("signal")
    assert place in (0, 1)
    patches = ([{**patch[0], "path": f"/channels/0/samples/{place}/data"}] for patch in every(101))
    found = pf.grid(whole, patches, batch=1, executor=executor, checkpoint=file)
    assert found.cls.tolist() == [1 / (1 + number) for number in computed.signals]
    assert executor.most <= GRIDS._PROBED + 4
    computed.signals.clear()
    patches = ([{**patch[0], "path": f"/channels/0/samples/{place}/data"}] for patch in every(106))
    again = pf.grid(whole, patches, batch=1, checkpoint=file)
    assert again.cls[:100].tolist() == found.cls.tolist()
    assert len(computed.signals) == 5
