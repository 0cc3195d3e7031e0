"""Rows of a grid in a file, one JSON object a line, written as they end: what a run that was cut off goes on from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pyhf_func._files import append, check_regular, locked
from pyhf_func.core.inference.grid import PointResult, numbers_of, results_of
from pyhf_func.exceptions import CheckpointNotWritten, InvalidCheckpoint

T = TypeVar("T")

_FORMAT = "pyhf_func grid 3"
_INSTEAD = "Name another file, or remove this one and start again."

Row = tuple[str, str]
"""Name of a point, and fingerprint of what it is made of."""


class Rows:
    """The file of a grid: the first line says what was asked for, and each other one is a point.

    Args:
        path: The file; it is made where it is not there.
        settings: What all points have in common: those of another grid are refused.

    Attributes:
        known: The numbers of each point in the file.

    Raises:
        InvalidCheckpoint: What is in the file is damaged, or of another grid.
        OSError: It can't be read or written.
    """

    def __init__(self, path: str | os.PathLike[str], settings: Mapping[str, Any]) -> None:
        self.path = os.fspath(path)
        with locked(path):
            if not Path(path).exists() or not Path(path).stat().st_size:
                append(path, _line({"format": _FORMAT, **settings}))
            self.known = self._read(settings)

    def add(self, rows: Mapping[Row, np.ndarray]) -> None:
        """Write rows.

        Raises:
            OSError: They can't be written; what was there is still there.
        """
        with locked(self.path):
            _drop_torn_line(self.path)
            append(self.path, b"".join(_line(_content(row, numbers)) for row, numbers in rows.items()))

    def _read(self, settings: Mapping[str, Any]) -> dict[Row, np.ndarray]:
        """The numbers of all points that are in the file."""
        check_regular(self.path)
        known = {}
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n") and number > 1:
                    break  # the run was killed while it wrote it
                content = self._parsed(line, number)
                if number == 1:
                    self._check(settings, content)
                    continue
                row, numbers = self._row(content, number)
                known[row] = numbers
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

    def _row(self, content: dict[str, Any], number: int) -> tuple[Row, np.ndarray]:
        try:
            row = str(content["point"]), str(content["fingerprint"])
            fields: Any = (np.asarray(content[name], float) for name in PointResult._fields)
            return row, numbers_of(PointResult(*fields))
        except (KeyError, ValueError, TypeError):
            raise InvalidCheckpoint(f"{self.path} is damaged in line {number}. {_INSTEAD}") from None


class Kept:
    """The points that a checkpoint has, and those that are added to it; nothing where there is no checkpoint."""

    def __init__(self, path: str | os.PathLike[str] | None, common: Mapping[str, Any]) -> None:
        self.path, self._fault, self._lost = path, "", dict[Row, np.ndarray]()
        self._file = None if path is None else Rows(path, common)
        self._known = {} if self._file is None else self._file.known
        self._names = {name for name, _ in self._known}

    def known(self, row: Row) -> np.ndarray | None:
        """The numbers of a point; None where it is to be computed."""
        return self._known.get(row)

    def check(self, rows: Iterable[Row]) -> None:
        """Refuse a file with points that have the name of one of these, and another content.

        Raises:
            InvalidCheckpoint: It has one.
        """
        wanted: dict[str, set[str]] = {}
        for name, fingerprint in rows:
            wanted.setdefault(name, set()).add(fingerprint)
        for name, fingerprint in self._known:
            if name in wanted and fingerprint not in wanted[name]:
                raise InvalidCheckpoint(
                    f"{os.fspath(self.path or '')} holds the point {name!r} of another workspace, patch or data. "
                    f"{_INSTEAD}"
                )

    def checked_row(self, row: Row) -> Row:
        """The same, where the file has it or nothing of its name.

        Raises:
            InvalidCheckpoint: The file has another point of its name.
        """
        if row[0] in self._names and row not in self._known:
            self.check([row])
        return row

    def add(self, rows: Mapping[Row, np.ndarray]) -> None:
        """Write points; what a full disk does not take is tried again with the next ones."""
        if self._file is None:
            return
        self._lost |= rows
        self._write()

    def _write(self) -> None:
        assert self._file is not None
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

    def told(self, broken: BaseException, done: int, total: int | None) -> str:
        """A note on a run that was broken off: what is saved, and how to go on."""
        if self.path is None:
            kept = "No points are kept: a grid with a checkpoint file keeps them when it is broken off."
            return "" if isinstance(broken, Exception) else kept
        of_all = "" if total is None else f" of {total}"
        saved = f"{done - len(self._lost)}{of_all} points are saved in {os.fspath(self.path)}"
        return f"{saved}: run the same again to go on from there."


def _content(row: Row, numbers: np.ndarray) -> dict[str, Any]:
    result = {name: _written(np.asarray(x).tolist()) for name, x in results_of(numbers)._asdict().items()}
    return {"point": row[0], "fingerprint": row[1], **result}


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
