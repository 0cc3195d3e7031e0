"""Files of toys: NumPy's format npz with a digest of all arrays, read with care and shared by jobs."""

from __future__ import annotations

import io
import os
import time
import warnings
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZipFile

import numpy as np
from numpy.lib import format as npy

from pyhf_func._files import check_regular, locked, replace
from pyhf_func.core.fit.result import FitResult
from pyhf_func.core.fit.status import Status
from pyhf_func.core.inference import toy_pieces
from pyhf_func.core.inference.toy_records import FITS, ONCE, Chunk, Record, together
from pyhf_func.core.inference.toys import Toys
from pyhf_func.exceptions import CheckpointNotWritten, InvalidCheckpoint, cut

_FORMAT = "pyhf_func toys 4"
_SECONDS, _SHARE = 5.0, 0.05
"""Between two checkpoints; and the part of the time that they may take."""
_SEVERAL = 256
"""Chunks that are kept as they come."""
_INSTEAD = toy_pieces.INSTEAD


class Checkpoint:
    """The toys of a run, added to a file from time to time; only here where there is no file.

    What other jobs have saved to the same file stays, and is part of the result.

    Raises:
        InvalidCheckpoint: What is in the file are no toys, or those of another test.
        OSError: It can't be read or written.
    """

    def __init__(self, path: str | os.PathLike[str] | None, record: Record) -> None:
        self.path, self._fault, self._none = path, "", record.at(slice(0, 0))
        self._found, self._new = list[Chunk](), list[Chunk]()
        self.record = record
        self.record = self._save()  # if that fails, it fails before the work
        self._next = time.monotonic() + _SECONDS

    def add(self, numbers: Any, toys: Toys) -> None:
        """Take toys, and save them if it is time; a disk that is full now may have room later."""
        self._new.append((np.array(numbers), toys))
        if self.path is not None and time.monotonic() > self._next:
            self._append(self.path)
        elif self.path is None and len(self._new) > _SEVERAL:
            self._take()

    def save(self) -> Record:
        """Save all toys in one piece; return them, with those of other jobs."""
        self._take()
        self.record, self._found = self.record.with_toys(self._found), []
        try:
            every, self._fault = self._save(), ""
        except (OSError, InvalidCheckpoint) as error:
            every = self.record
            self._warn(error)
        return every

    def finish(self, result: Callable[[Record], Any]) -> Any:
        """Save all toys and return the result of all.

        Raises:
            CheckpointNotWritten: They could not be saved; it has the result.
        """
        found = result(self.save())
        if self._fault:
            raise CheckpointNotWritten(f"The run is done, but its toys can't be saved: {self._fault}", result=found)
        return found

    def told(self, broken: BaseException, wanted: range) -> str:
        """A note on a run that was broken off: what is saved, and how to go on."""
        if self.path is None:
            kept = "No toys are kept: a run with a checkpoint file keeps them when it is broken off."
            return "" if isinstance(broken, Exception) else kept
        if self._fault:
            return f"The last toys are lost: {self._fault}"
        done = np.isin(self.record.numbers, np.array(wanted)).sum()
        return (
            f"{done} of {len(wanted)} toys are saved in {os.fspath(self.path)}: run the same again to go on from there."
        )

    def _append(self, path: str | os.PathLike[str]) -> None:
        began = time.monotonic()
        try:
            toy_pieces.append_to(path, _bytes_of(self._none.with_toys(self._new)))
            self._take()
        except OSError as error:
            self._warn(error)
        self._next = began + max(_SECONDS, (time.monotonic() - began) / _SHARE)

    def _take(self) -> None:
        """Put the new toys to the others: few arrays, which take less memory than many."""
        self._found, self._new = [together([*self._found, *self._new])] if self._new else self._found, []

    def _save(self) -> Record:
        return self.record if self.path is None else save(self.record, self.path)

    def _warn(self, error: Exception) -> None:
        self._fault = str(error)
        warnings.warn(f"The toys can't be saved, for now: {error}", RuntimeWarning, stacklevel=5)


def save(record: Record, path: str | os.PathLike[str]) -> Record:
    """Add a record to those that this and other jobs have saved to the file, and return all of them.

    Raises:
        InvalidCheckpoint: What is there are no toys, or those of another test.
        OSError: It can't be read or written.
    """
    with locked(path):
        if Path(path).exists() or toy_pieces.are_beside(path):
            saved = read(path)
            try:
                record.check_same(saved)
            except ValueError as error:
                raise InvalidCheckpoint(f"{os.fspath(path)} holds toys of another test. {error} {_INSTEAD}") from None
            record = record.joined(saved)
        write(record, path)
        toy_pieces.remove(path)
    return record


def write(record: Record, path: str | os.PathLike[str]) -> None:
    """Write a record; the file that was there is replaced at once, or not at all."""
    content = _bytes_of(record)
    replace(path, lambda file: file.write(content))


def _bytes_of(record: Record) -> bytes:
    """A record in the format npz."""
    arrays = {name: np.asarray(getattr(record, name)) for name in (*ONCE, "numbers") if name not in FITS}
    for name in FITS:
        arrays |= {f"{name}.{field}": np.asarray(x) for field, x in getattr(record, name)._asdict().items()}
    arrays |= {f"toys.{field}": np.asarray(x) for field, x in record.toys._asdict().items()}
    file = io.BytesIO()
    np.savez_compressed(file, format=_FORMAT, digest=_digest(arrays), **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def read(path: str | os.PathLike[str]) -> Record:
    """Read the record of a result or of a run that was cut off, with what was added beside it.

    Raises:
        InvalidCheckpoint: The file is not of this kind, or damaged.
        OSError: It can't be read.
    """
    beside = toy_pieces.path_of(path)
    # These first: should another job join them to the file meanwhile, they are there twice rather than not at all.
    records = [_record(beside, io.BytesIO(piece)) for piece in toy_pieces.read(path)]
    if not records or Path(path).exists():
        check_regular(path)
        with open(path, "rb") as file:
            records = [_record(path, file), *records]
    for record in records[1:]:
        try:
            records[0].check_same(record)
        except ValueError as error:
            raise InvalidCheckpoint(f"{beside} holds toys of another test. {error} {_INSTEAD}") from None
    numbers, toys = together([(record.numbers, record.toys) for record in records])
    return records[0]._replace(numbers=numbers, toys=toys)


def _record(path: str | os.PathLike[str], file: BinaryIO) -> Record:
    """The record in a file that is open.

    Raises:
        InvalidCheckpoint: It is not of this kind, or damaged.
    """
    try:
        arrays: dict[str, Any] = _arrays(file)
    except Exception as error:  # whatever zipfile, zlib and NumPy give for bytes that are damaged
        told = f"{type(error).__name__}: {cut(str(error), 200)}"
        raise InvalidCheckpoint(
            f"{os.fspath(path)} is not a file of toys, or not a whole one ({told}). {_INSTEAD}"
        ) from error
    if str(arrays.pop("format", "")) != _FORMAT:
        raise InvalidCheckpoint(
            f"{os.fspath(path)} is not a file of toys that this version can read (it reads {_FORMAT!r}). {_INSTEAD}"
        )
    try:
        digest = str(arrays.pop("digest"))
        fits = {name: FitResult(*(arrays[f"{name}.{field}"] for field in FitResult._fields)) for name in FITS}
        plain = {name: arrays[name] for name in ONCE if name not in FITS}
        toys = Toys(*(arrays[f"toys.{name}"] for name in Toys._fields))
        record = Record(**plain, **fits, numbers=arrays["numbers"], toys=toys)
    except KeyError as error:
        raise InvalidCheckpoint(
            f"{os.fspath(path)} is not a whole file of toys: it lacks {error}. {_INSTEAD}"
        ) from None
    fault = _fault(record) or ("its content is not what was written" if digest != _digest(arrays) else None)
    if fault:
        raise InvalidCheckpoint(f"{os.fspath(path)} is damaged: {fault}. {_INSTEAD}")
    return record


def _arrays(file: BinaryIO) -> dict[str, Any]:
    """All arrays of a file; their memory is claimed only where the file has what fills it."""
    with ZipFile(file) as archive:
        for member in archive.infolist():
            with archive.open(member) as one:
                version = npy.read_magic(one)
                header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                shape, _, dtype = header(one)
                size = one.tell() + dtype.itemsize * int(np.prod(shape, dtype=object))
            if dtype.hasobject or size != member.file_size:
                raise ValueError(f"{member.filename} does not have the size that it claims")
    file.seek(0)
    with np.load(file, allow_pickle=False) as opened:
        return dict(opened)


def _digest(arrays: dict[str, Any]) -> str:
    """Of names, types, shapes and content."""
    content = sha256()
    for name, array in sorted(arrays.items()):
        content.update(f"{name} {array.dtype.str} {array.shape};".encode() + array.tobytes())
    return content.hexdigest()


def _fault(record: Record) -> str | None:
    """The fault of an array of toys; None where nothing is wrong."""
    numbers, toys, pars = record.numbers, record.toys, record.bounds.shape[:1]
    kinds: tuple[tuple[str, Any, str, tuple[int, ...]], ...] = (
        ("toy numbers", numbers, "iu", numbers.shape[:1]),
        ("test statistics", toys.teststat, "f", (*numbers.shape[:1], 2)),
        ("statuses", toys.status, "iu", (*numbers.shape[:1], 2)),
        ("retries", toys.retries, "iu", (*numbers.shape[:1], 2)),
        ("observed test statistic", record.teststat, "f", ()),
        ("tested value", record.mu, "f", ()),
        ("status", record.status, "iu", ()),
        ("digests", record.test, "u", (3,)),
        ("words of the key", record.key, "u", record.key.shape[:1]),
        ("bounds", record.bounds, "f", (*pars, 2)),
        *(
            (f"numbers {field} of {name}", array, "fiub", pars if field in ("pars", "at_bound") else ())
            for name in FITS
            for field, array in getattr(record, name)._asdict().items()
        ),
    )
    for name, array, kind, shape in kinds:
        if array.dtype.kind not in kind or array.shape != shape:
            return f"the {name} are of type {array.dtype} and shape {array.shape}"
    if np.any(numbers < 0) or np.any(np.diff(numbers) <= 0):
        return "the toy numbers are negative or not in order"
    ends = [toys.status.ravel(), record.status, *(getattr(record, name).status for name in FITS)]
    if np.any(toys.retries < 0) or not np.isin(np.hstack(ends), [*Status]).all():
        return "there is no such status, or number of retries"
    if np.any(np.isnan(toys.teststat) != (toys.status != Status.CONVERGED)):
        return "the test statistics are not those of the fits that converged"
    if np.any(toys.teststat < 0) or np.isinf(toys.teststat).any():
        return "a test statistic is negative or infinite"
    return None
