"""Toys are kept whatever ends a run, shared by jobs, and never taken from a file that is damaged or of another test."""

import errno
import os
import signal
import struct
import sys
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core.inference.toy_files import Checkpoint, read
from pyhf_func.core.inference.toy_records import digests
from pyhf_func.core.inference.toy_results import record_of
from pyhf_func.core.inference.toys import Toys
from pyhf_func.exceptions import CheckpointNotWritten, InvalidCheckpoint
from pyhf_func.verbs._arguments import start_of
from tests.core.test_toys import KEY, counting

MODULE = sys.modules["pyhf_func.verbs.toys"]
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
    monkeypatch.setattr(MODULE, "in_order", lambda function, jobs: (function(job) for job in jobs))


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
