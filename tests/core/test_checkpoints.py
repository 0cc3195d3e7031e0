"""Toys are kept whatever ends a run, shared by jobs, and never taken from a file that is damaged or of another test."""

import errno
import importlib
import os
import signal
import struct
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core.inference import toy_files, toy_pieces
from pyhf_func.core.inference.toy_files import Checkpoint, read
from pyhf_func.core.inference.toy_records import digests
from pyhf_func.core.inference.toy_results import record_of
from pyhf_func.core.inference.toys import Toys
from pyhf_func.exceptions import CheckpointNotWritten, InvalidCheckpoint
from pyhf_func.verbs._arguments import start_of
from tests.core.elsewhere import Elsewhere
from tests.core.test_toys import KEY, counting

MODULE: Any = importlib.import_module("pyhf_func.verbs.toys")
FILES = "pyhf_func._files"


def run(**options: Any) -> pf.ToysResult:
    return pf.toys(1.0, [4.0], counting(), KEY, 60, chunk=7, **options)


@cache
def whole() -> pf.ToysResult:
    return run()


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let something happen when toy 14 is drawn."""
    draw = MODULE.toy_chunk

    def at_14(happens: Callable[[], object]) -> None:
        def cut_off(*args: Any) -> Any:
            if args[-2] == 14:
                happens()
            return draw(*args)

        monkeypatch.setattr(MODULE, "toy_chunk", cut_off)

    return at_14


def in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No threads, so that what was done when a run broke off is the same in every run."""
    monkeypatch.setattr(MODULE, "in_order", lambda function, jobs, executor=None: (function(job) for job in jobs))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGXCPU"])
def test_signals_that_end_a_process_keep_the_toys(
    name: str,
    tmp_path: Path,
    breaks: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    number, file = getattr(signal, name), tmp_path / "toys.npz"
    in_turn(monkeypatch)
    breaks(lambda: os.kill(os.getpid(), number))
    with pytest.raises(SystemExit) as ended:
        run(checkpoint=file)
    assert ended.value.code == 128 + number
    assert signal.getsignal(number) is signal.SIG_DFL
    assert pf.ToysResult.load(file).numbers.tolist() == list(range(14))
    assert f"14 of 60 toys are saved in {file}: run the same again" in capsys.readouterr().err
    monkeypatch.undo()
    np.testing.assert_array_equal(run(checkpoint=file).teststats_sb, whole().teststats_sb)
    assert [path.name for path in tmp_path.iterdir()] == ["toys.npz"]


def test_interrupted_runs_say_how_to_go_on(tmp_path: Path, breaks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    in_turn(monkeypatch)
    breaks(lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt) as ended:
        run(checkpoint=tmp_path / "toys.npz")
    assert "14 of 60 toys are saved" in ended.value.__notes__[0]
    with pytest.raises(KeyboardInterrupt) as ended:
        run()
    assert "No toys are kept" in ended.value.__notes__[0]


def test_handlers_of_the_program_are_left_alone(tmp_path: Path, breaks: Any) -> None:
    got: list[int] = []

    def handler(number: int, frame: Any) -> None:
        got.append(number)

    before = signal.signal(signal.SIGTERM, handler)
    try:
        breaks(lambda: os.kill(os.getpid(), signal.SIGTERM))
        assert run(checkpoint=tmp_path / "toys.npz").numbers.size == 60
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)
    assert got == [signal.SIGTERM]


def test_runs_in_other_threads_handle_no_signals(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(run, checkpoint=tmp_path / "toys.npz").result().numbers.size == 60


def test_toys_of_an_executor_are_those_of_this_process() -> None:
    for name in ("teststats_sb", "teststats_b", "status_b", "retries_sb"):
        np.testing.assert_array_equal(getattr(run(executor=Elsewhere()), name), getattr(whole(), name))
    with pytest.raises(TypeError, match="Inside jit or vmap"):
        jax.jit(lambda data: pf.toys(1.0, data, counting(), KEY, 60, executor=Elsewhere()).cls)(np.array([4.0]))


def test_toys_are_kept_when_an_executor_breaks(tmp_path: Path) -> None:
    workers, file = Elsewhere(), tmp_path / "toys.npz"
    workers.lost = 7
    with pytest.raises(BrokenExecutor, match="a worker was lost") as broken:
        run(executor=workers, checkpoint=file)
    assert " of 60 toys are saved" in broken.value.__notes__[0]
    assert 0 < pf.ToysResult.load(file).numbers.size < 60
    np.testing.assert_array_equal(run(executor=Elsewhere(), checkpoint=file).teststats_b, whole().teststats_b)


@pytest.mark.slow
def test_toys_of_other_processes_are_those_of_this_one() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as workers:
        np.testing.assert_array_equal(run(executor=workers).teststats_b, whole().teststats_b)


@pytest.mark.slow
def test_toys_of_dask_are_those_of_this_process() -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = run(executor=client.get_executor())
    np.testing.assert_array_equal(found.teststats_b, whole().teststats_b)


@pytest.mark.slow
def test_toys_of_mpi_are_those_of_this_process() -> None:
    futures = pytest.importorskip("mpi4py.futures")
    with futures.MPIPoolExecutor(1) as workers:
        np.testing.assert_array_equal(run(executor=workers).teststats_b, whole().teststats_b)


def part(first: int, last: int) -> Any:
    record = record_of(whole())
    chosen = slice(first, last)
    return record._replace(numbers=record.numbers[chosen], toys=Toys(*(x[chosen] for x in record.toys)))


@pytest.mark.slow
def test_jobs_that_share_a_file_lose_nothing(tmp_path: Path) -> None:
    """Four jobs with fifteen toys each, saved one by one at the same time; one has the toys of another, too."""
    file, together = tmp_path / "toys.npz", threading.Barrier(4)
    none = part(0, 0)

    def job(first: int) -> None:
        kept = Checkpoint(file, none)
        together.wait()
        for number in range(first, first + 15):
            one = part(number, number + 1)
            kept.add(one.numbers, one.toys)
            kept.save()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(job, [0, 15, 30, 45]))
    assert pf.ToysResult.load(file).numbers.tolist() == list(range(60))
    np.testing.assert_array_equal(pf.ToysResult.load(file).teststats_b, whole().teststats_b)
    assert [path.name for path in tmp_path.iterdir()] == ["toys.npz"]


def test_toys_are_added_to_what_is_there(tmp_path: Path, breaks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often they are saved, the file is written when the run begins and when it ends."""
    file, seen, written, expected = tmp_path / "toys.npz", [], [], whole()
    in_turn(monkeypatch)
    monkeypatch.setattr(toy_files, "_SECONDS", 0.0)
    monkeypatch.setattr(toy_files, "_SHARE", 1e9)
    breaks(lambda: seen.extend([pf.ToysResult.load(file).numbers.size, sorted(os.listdir(tmp_path))]))
    write = toy_files.write
    monkeypatch.setattr(toy_files, "write", lambda *args: (written.append(len(args[0].numbers)), write(*args)))
    np.testing.assert_array_equal(run(checkpoint=file).teststats_b, expected.teststats_b)
    assert seen == [14, ["toys.npz", "toys.npz.added"]]
    assert written == [0, 60]
    assert os.listdir(tmp_path) == ["toys.npz"]


def test_pieces_that_were_added_by_a_killed_run_are_found(tmp_path: Path) -> None:
    """The last one may be cut short; without the file that they belong to, they are a whole one themselves."""
    file, beside, ends = tmp_path / "toys.npz", tmp_path / "toys.npz.added", [0]
    toy_files.write(part(0, 10), file)
    for first in (10, 15, 20):
        toy_pieces.append_to(file, toy_files._bytes_of(part(first, first + 10)))
        ends.append(beside.stat().st_size)
    content = beside.read_bytes()
    for cut, toys in [(ends[3], 30), (ends[3] - 1, 25), (ends[2] + 1, 25), (ends[2] + 80, 25), (ends[1], 20), (7, 10)]:
        beside.write_bytes(content[:cut])
        assert pf.ToysResult.load(file).numbers.tolist() == list(range(toys))
    toy_pieces.append_to(file, toy_files._bytes_of(part(12, 14)))
    assert pf.ToysResult.load(file).numbers.tolist() == [*range(10), 12, 13]
    np.testing.assert_array_equal(run(checkpoint=file).teststats_b, whole().teststats_b)
    assert os.listdir(tmp_path) == ["toys.npz"]
    file.unlink()
    beside.write_bytes(content)
    assert pf.ToysResult.load(file).numbers.tolist() == list(range(10, 30))


def test_pieces_that_are_damaged_or_of_another_test_are_refused(tmp_path: Path) -> None:
    file, beside = tmp_path / "toys.npz", tmp_path / "toys.npz.added"
    toy_files.write(part(0, 10), file)
    toy_pieces.append_to(file, toy_files._bytes_of(part(10, 20)))
    content = bytearray(beside.read_bytes())
    content[len(content) // 2] ^= 1
    beside.write_bytes(content)
    with pytest.raises(InvalidCheckpoint, match=r"toys\.npz\.added is damaged: .*remove this one"):
        run(checkpoint=file)
    beside.unlink()
    toy_pieces.append_to(file, toy_files._bytes_of(part(10, 20)._replace(mu=np.asarray(1.5))))
    with pytest.raises(InvalidCheckpoint, match=r"toys\.npz\.added holds toys of another test.* the tested value"):
        pf.ToysResult.load(file)


def test_memory_is_that_of_the_numbers() -> None:
    kept, chunk = Checkpoint(None, part(0, 0)), part(0, 1).toys
    tracemalloc.start()
    try:
        for first in range(0, 4000 * 50, 50):
            toys = jax.tree.map(lambda x: np.repeat(x, 50, axis=0), chunk)
            kept.add(np.arange(first, first + 50), toys)
        now, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    numbers = sum(x.nbytes for x in (*chunk, np.zeros(1, int)))
    assert now < 1.3 * numbers * 4000 * 50


def test_a_full_disk_costs_no_toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was saved before stays; the run goes on, and its result comes with the exception."""
    file = tmp_path / "toys.npz"
    pf.toys(1.0, [4.0], counting(), KEY, 14, chunk=7, checkpoint=file)
    saved, sync, calls = file.read_bytes(), os.fsync, []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 2:  # the file and its folder, before the first toy
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(f"{FILES}.os.fsync", full)
    with pytest.warns(RuntimeWarning, match="can't be saved"), pytest.raises(CheckpointNotWritten) as ended:
        run(checkpoint=file)
    np.testing.assert_array_equal(ended.value.result.teststats_b, whole().teststats_b)
    assert str(file) in str(ended.value)
    assert "No space left" in str(ended.value)
    assert pf.ToysResult.load(file).numbers.tolist() == list(range(14))
    assert len(file.read_bytes()) == pytest.approx(len(saved), abs=100)
    assert [path.name for path in tmp_path.iterdir()] == ["toys.npz"]


@pytest.mark.slow
def test_checkpoints_of_other_tests_are_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "toys.npz"
    run(checkpoint=file)
    for words, mu, data, model, key, options in (
        ("PRNG key", 1.0, [4.0], counting(), jax.random.key(8), {}),
        ("tested value", 1.5, [4.0], counting(), KEY, {}),
        ("set of data", 1.0, [5.0], counting(), KEY, {}),
        ("model", 1.0, [4.0], counting(3.001), KEY, {}),
        ("set of bounds", 1.0, [4.0], counting(), KEY, {"bounds": {"mu": (0.0, 9.0)}}),
    ):
        with pytest.raises(InvalidCheckpoint, match=f"toys.npz holds toys of another test.* the {words}.*Name another"):
            pf.toys(mu, data, model, key, 60, chunk=7, checkpoint=file, **options)
    assert pf.ToysResult.load(file).numbers.size == 60
    other = record_of(whole())
    with pytest.raises(ValueError, match="the test statistic, or what is fixed, differs"):
        other.check_same(other._replace(test=digests_of(test_stat="q")))


def digests_of(test_stat: str = "qtilde", *, factor: float = 1.0, **fixed: bool) -> np.ndarray:
    model = counting().with_yields("SR", "background", [3.0 * factor])
    return digests(model.likelihood, np.array([4.0]), test_stat, start_of(model, None, None, fixed or None))


def test_digests_forgive_roundings_and_nothing_else() -> None:
    np.testing.assert_array_equal(digests_of(), np.asarray(whole().test))
    np.testing.assert_array_equal(digests_of(factor=1 + 1e-14), digests_of())
    assert (digests_of(factor=1 + 1e-4) == digests_of()).tolist() == [False, True, True]
    assert (digests_of("q") == digests_of()).tolist() == [True, True, False]
    assert (digests_of(mu=True) == digests_of()).tolist() == [True, True, False]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    whole().save(tmp_path / "toys.npz")
    return tmp_path / "toys.npz"


def changed(file: Path, sealed: bool, **changes: Callable[[np.ndarray], Any]) -> None:
    """Change arrays of a file; with a digest of the new ones where that shall not be what gives it away."""
    from pyhf_func.core.inference.toy_files import _digest

    with np.load(file) as opened:
        content = dict(opened)
    for name, change in changes.items():
        content[name] = np.asarray(change(content[name]))
    if sealed:
        head = {name: content.pop(name) for name in ("format", "digest")}
        content |= {"format": head["format"], "digest": np.array(_digest(content))}
    np.savez(file, **content)


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("numbers", lambda x: x - 1),
        ("numbers", lambda x: x[::-1]),
        ("numbers", lambda x: x * 0),
        ("numbers", lambda x: x.astype(float)),
        ("numbers", lambda x: x[:-1]),
        ("numbers", lambda x: x[:, None]),
        ("toys.teststat", lambda x: x * np.nan),
        ("toys.teststat", lambda x: -1 - x),
        ("toys.teststat", lambda x: x + np.inf),
        ("toys.teststat", lambda x: x.astype(complex)),
        ("toys.teststat", lambda x: x.astype("U8")),
        ("toys.status", lambda x: x + 100),
        ("toys.status", lambda x: x.astype(float)),
        ("toys.retries", lambda x: x - 7),
        ("status", lambda x: [x]),
        ("mu", lambda x: "1.0"),
        ("test", lambda x: x[:1]),
        ("free_fit.pars", lambda x: x[:0]),
    ],
)
def test_damaged_arrays_are_refused_by_name(saved: Path, sealed: bool, name: str, change: Any) -> None:
    changed(saved, sealed, **{name: change})
    with pytest.raises(InvalidCheckpoint, match=r"toys\.npz is damaged: .*remove this one"):
        pf.ToysResult.load(saved)


def test_plausible_changes_are_refused(saved: Path) -> None:
    changed(saved, False, **{"toys.teststat": lambda x: x[::-1]})
    with pytest.raises(InvalidCheckpoint, match="content is not what was written"):
        pf.ToysResult.load(saved)


def npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


@pytest.mark.parametrize(
    "member",
    [
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000, 2), }\n"),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }\n"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", b"12345678"),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), " + 60000 * " " + "}\n"),
        npy("(" * 3000),
        b"",
        b"no array",
    ],
    ids=["huge", "negative", "objects", "long", "deep", "empty", "none"],
)
def test_headers_that_claim_what_is_not_there_cost_nothing(saved: Path, member: bytes) -> None:
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("more.npy", member)
    with pytest.raises(InvalidCheckpoint, match=r"toys\.npz is not a file of toys"):
        read(saved)


def test_files_that_are_none_are_refused(saved: Path, tmp_path: Path) -> None:
    content = saved.read_bytes()
    for cut in (0, 1, 100, len(content) // 2, len(content) - 1):
        saved.write_bytes(content[:cut])
        with pytest.raises(InvalidCheckpoint, match=r"toys\.npz"):
            run(checkpoint=saved)
        assert saved.read_bytes() == content[:cut]
    for path in (tmp_path, Path(os.devnull)):
        with pytest.raises(InvalidCheckpoint, match="is not a regular file"):
            run(checkpoint=path)
    with pytest.raises(FileNotFoundError):
        run(checkpoint=tmp_path / "no" / "file.npz")
