"""Damaged checkpoints of toys and grids are refused by name, or give what they held."""

import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core.fit import FitResult
from pyhf_func.core.inference import toy_files
from pyhf_func.core.inference.grid import PointResult, numbers_of
from pyhf_func.core.inference.grid_files import Kept, Row
from pyhf_func.core.inference.toy_records import Record
from pyhf_func.core.inference.toys import Toys
from pyhf_func.exceptions import InvalidCheckpoint

COMMON = {"mu": 1.0, "level": 0.05, "limits": True, "test_stat": "qtilde"}
ROWS: list[Row] = [(f"m{i}", f"{i:064x}") for i in range(8)]


@cache
def record() -> Record:
    rng = np.random.default_rng(1)
    pars, number = rng.uniform(size=3), np.asarray(1.5)
    zero = np.zeros((), np.int32)
    fit = FitResult(pars, number, zero, number, number, zero, pars > 2, zero, number)
    status = rng.choice([0, 0, 0, 5], (50, 2)).astype(np.int32)
    toys = Toys(np.where(status == 0, rng.exponential(size=(50, 2)), np.nan), status, status // 5)
    key, test = np.array([0, 7], np.uint32), np.arange(3, dtype=np.uint32)
    return Record(number, number, zero, key, test, np.tile([0.0, 9.0], (3, 1)), fit, fit, fit, np.arange(50), toys)


def points() -> dict[Row, np.ndarray]:
    rng = np.random.default_rng(2)

    def point(status: int) -> np.ndarray:
        numbers = {"cls": rng.uniform(), "cls_expected": rng.uniform(size=5), "limit": np.inf}
        ends = {f"{name}status": np.int32(status) for name in ("", "cls_", "cls_expected_", "limit_")}
        bands = {"limit_expected_status": np.full(5, status, np.int32)}
        every = {**numbers, "limit_expected": np.full(5, np.nan), **ends, **bands}
        return numbers_of(PointResult(**{name: np.asarray(x) for name, x in every.items()}))  # type: ignore[arg-type]

    return {row: point(status) for status, row in enumerate(ROWS)}


def damaged(content: bytes, rng: random.Random) -> bytes:
    """One to three bytes or parts changed, dropped, doubled or moved; cut short in the end, now and then."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        place, other = sorted(rng.randrange(len(changed)) for _ in range(2))
        match rng.randint(0, 5):
            case 0:
                changed[place] ^= 1 << rng.randrange(8)
            case 1:
                changed[place : place + 8] = rng.randbytes(8)
            case 2:
                del changed[place : place + rng.randint(1, 20)]
            case 3:
                changed[place:place] = changed[place:other]
            case 4:
                changed[place:other] = bytes(other - place)
            case _:
                del changed[other:]
        if not changed:
            break
    return bytes(changed)


def refused(read: Callable[[], Any]) -> Any:
    """What was read; None where it was refused as it should be."""
    try:
        return read()
    except InvalidCheckpoint as error:
        told = str(error)
    assert "saved" in told
    assert "Name another file, or remove this one" in told
    assert len(told) < 2000
    return None


@pytest.mark.slow
def test_damaged_toys(trials: Iterator[random.Random], tmp_path: Path) -> None:
    file = tmp_path / "saved.npz"
    toy_files.write(record(), file)
    whole = file.read_bytes()
    for rng in trials:
        for _ in range(10):
            file.write_bytes(damaged(whole, rng))
            found = refused(lambda: toy_files.read(file))
            if found is not None:
                jax.tree.map(np.testing.assert_array_equal, found, record())


STRANGE: list[Callable[[np.ndarray], Any]] = [
    lambda x: np.atleast_1d(x)[..., :1],
    lambda x: x[None],
    lambda x: x.astype(complex),
    lambda x: x.astype(str),
    lambda x: x.astype(np.float16),
    lambda x: -x.astype(float) - 1,
    lambda x: x * np.nan,
    lambda x: x + np.inf,
    lambda x: x * 0,
    lambda x: x.ravel()[::-1].reshape(x.shape),
    lambda x: x.astype(np.int64),
    lambda x: np.zeros(0),
    lambda x: x + 2.0**31,
    lambda x: x > 0,
]


@pytest.mark.slow
def test_strange_arrays_that_are_sealed(trials: Iterator[random.Random], tmp_path: Path) -> None:
    """What a program wrote with our seal: a result can be made of it, or it is refused."""
    file = tmp_path / "saved.npz"
    for rng in trials:
        toy_files.write(record(), file)
        with np.load(file) as opened:
            arrays = dict(opened)
        head = {"format": arrays.pop("format")}
        del arrays["digest"]
        name = rng.choice(sorted(arrays))
        arrays[name] = np.asarray(rng.choice(STRANGE)(arrays[name]))
        np.savez(file, **head, digest=toy_files._digest(arrays), **arrays)  # type: ignore[arg-type]
        refused(lambda: pf.ToysResult.load(file).cls_range.tolist())


@pytest.mark.slow
def test_damaged_grids(trials: Iterator[random.Random], tmp_path: Path) -> None:
    file = tmp_path / "saved.jsonl"
    Kept(file, COMMON).add(points())
    whole, lines = file.read_bytes(), file.read_bytes().splitlines(keepends=True)
    for rng in trials:
        for _ in range(10):
            file.write_bytes(damaged(whole, rng))
            kept = refused(lambda: Kept(file, COMMON))
            if kept is None:
                continue
            every = points()
            known = {row: found for row in every if (found := kept.known(row)) is not None}
            for row, found in known.items():
                np.testing.assert_array_equal(found, every[row])
            kept.add({row: found for row, found in every.items() if row not in known})
            assert {*file.read_bytes().splitlines(keepends=True)} == {*lines}
