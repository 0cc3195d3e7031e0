"""Rows of a grid in a file, one JSON object a line, written as they end: what a run that was cut off goes on from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pyhf_func._files import append, check_regular, locked
from pyhf_func.core.inference.grid import PointResult
from pyhf_func.exceptions import CheckpointNotWritten, InvalidCheckpoint

T = TypeVar("T")

_FORMAT = "pyhf_func grid 2"
_INSTEAD = "Name another file, or remove this one and start again."

Row = tuple[str, str]
"""Name of a point, and fingerprint of its model and data."""


class Rows:
    """The file of a grid: the first line says what was asked for, and each other one is a point.

    Args:
        path: The file; it is made where it is not there.
        settings: What all points have in common: those of another grid are refused.
        points: Names and fingerprints of the points of this grid.

    Raises:
        InvalidCheckpoint: What is in the file is damaged, or of another grid.
        OSError: It can't be read or written.
    """

    def __init__(self, path: str | os.PathLike[str], settings: Mapping[str, Any], points: Sequence[Row]) -> None:
        self.path = os.fspath(path)
        with locked(path):
            if not Path(path).exists() or not Path(path).stat().st_size:
                append(path, _line({"format": _FORMAT, **settings}))
            self.known = self._read(settings, points)

    def add(self, rows: Mapping[Row, PointResult]) -> None:
        """Write rows.

        Raises:
            OSError: They can't be written; what was there is still there.
        """
        with locked(self.path):
            _drop_torn_line(self.path)
            append(self.path, b"".join(_line(_content(row, result)) for row, result in rows.items()))

    def _read(self, settings: Mapping[str, Any], points: Sequence[Row]) -> dict[Row, PointResult]:
        """The rows of points of this grid."""
        check_regular(self.path)
        wanted: dict[str, set[str]] = {}
        for name, fingerprint in points:
            wanted.setdefault(name, set()).add(fingerprint)
        known = {}
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n") and number > 1:
                    break  # the run was killed while it wrote it
                content = self._parsed(line, number)
                if number == 1:
                    self._check(settings, content)
                    continue
                row, result = self._row(content, number)
                if row[0] in wanted and row[1] not in wanted[row[0]]:
                    raise InvalidCheckpoint(
                        f"{self.path} holds the point {row[0]!r} of another workspace, patch or data. {_INSTEAD}"
                    )
                known[row] = result
        return known

    def _parsed(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            content = json.loads(line)
            if _line({name: x for name, x in content.items() if name != "digest"}) == line:
                return dict(content)
        except (ValueError, TypeError, AttributeError, RecursionError):
            pass
        told = "is not a file of grids" if number == 1 else f"is damaged in line {number}"
        raise InvalidCheckpoint(f"{self.path} {told}. {_INSTEAD}")

    def _check(self, settings: Mapping[str, Any], content: dict[str, Any]) -> None:
        if content.pop("format", None) != _FORMAT:
            raise InvalidCheckpoint(f"{self.path} is not a file of grids that this version reads. {_INSTEAD}")
        content.pop("digest")
        for name, value in settings.items():
            if content.get(name) != value:
                raise InvalidCheckpoint(
                    f"{self.path} holds a grid with {name} {content.get(name)!r}, not {value!r}. {_INSTEAD}"
                )

    def _row(self, content: dict[str, Any], number: int) -> tuple[Row, PointResult]:
        try:
            row = str(content["point"]), str(content["fingerprint"])
            return row, PointResult(*(_array(content[name]) for name in PointResult._fields))
        except (KeyError, ValueError, TypeError):
            raise InvalidCheckpoint(f"{self.path} is damaged in line {number}. {_INSTEAD}") from None


class Kept:
    """The points that a checkpoint has, and those that are added to it; nothing where there is no checkpoint."""

    def __init__(self, path: str | os.PathLike[str] | None, common: Mapping[str, Any], points: Iterable[Row]) -> None:
        self.known: dict[int, PointResult] = {}
        self.path, self._fault, self._lost = path, "", dict[Row, PointResult]()
        if path is None:
            return
        self._rows = list(points)
        self._file = Rows(path, common, self._rows)
        known = self._file.known
        self.known = {place: known[row] for place, row in enumerate(self._rows) if row in known}

    def add(self, results: Mapping[int, PointResult]) -> None:
        """Write points; what a full disk does not take is tried again with the next ones."""
        if self.path is None:
            return
        self._lost |= {self._rows[place]: result for place, result in results.items()}
        self._write()

    def _write(self) -> None:
        try:
            self._file.add(self._lost)
            self._lost, self._fault = {}, ""
        except OSError as error:
            self._fault = str(error)

    def checked(self, result: T) -> T:
        """The result, where all of it is saved.

        Raises:
            CheckpointNotWritten: It is not.
        """
        if self._lost:
            self._write()
        if self._lost:
            raise CheckpointNotWritten(f"The grid is done, but not all can be saved: {self._fault}", result)
        return result

    def told(self, broken: BaseException, done: int) -> str:
        """A note on a run that was broken off: what is saved, and how to go on."""
        if self.path is None:
            kept = "No points are kept: a grid with a checkpoint file keeps them when it is broken off."
            return "" if isinstance(broken, Exception) else kept
        saved = f"{done - len(self._lost)} of {len(self._rows)} points are saved in {os.fspath(self.path)}"
        return f"{saved}: run the same again to go on from there."


def _content(row: Row, result: PointResult) -> dict[str, Any]:
    numbers = {name: _written(np.asarray(x).tolist()) for name, x in result._asdict().items()}
    return {"point": row[0], "fingerprint": row[1], **numbers}


def _array(value: Any) -> Any:
    """A result that `_written` wrote: statuses as integers, numbers as floats."""
    array = np.asarray(value)
    return array.astype(np.int32) if array.dtype.kind == "i" else array.astype(float)


def _written(value: Any) -> Any:
    """Numbers as JSON has them; others as words, which Python's float reads."""
    if isinstance(value, list):
        return [_written(x) for x in value]
    return value if np.isfinite(value) else str(value)


def _line(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, allow_nan=False)
    return json.dumps({**content, "digest": sha256(text.encode()).hexdigest()[:16]}, allow_nan=False).encode() + b"\n"


def _drop_torn_line(path: str) -> None:
    """Remove what a run that was killed began to write, and did not end with a newline."""
    with open(path, "rb+") as file:
        end = file.seek(0, os.SEEK_END)
        place, tail = end, b""
        while place and b"\n" not in tail:
            place = max(0, place - 4096)
            file.seek(place)
            tail = file.read(end - place)
        whole = place + tail.rfind(b"\n") + 1
        if whole < end:
            file.truncate(whole)
