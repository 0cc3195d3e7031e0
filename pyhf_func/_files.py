"""Files that hold work of hours: whole or not there at all, and written by several jobs without loss."""

from __future__ import annotations

import errno
import math
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from pyhf_func.exceptions import InvalidCheckpoint

try:
    import fcntl
except ImportError:  # not a POSIX system
    _HAS_LOCKS = False
else:
    _HAS_LOCKS = True

AnyPath = str | os.PathLike[str]
_PAUSE = 0.05
"""Seconds between two looks at a lock that another job has."""


def check_folder(path: AnyPath) -> None:
    """Refuse a path in a folder in which no file can be made, before the work that fills it.

    Raises:
        OSError: There is no such folder, or it can't be written to.
    """
    folder = os.path.dirname(path) or os.curdir
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(folder))


def replace(path: AnyPath, write: Callable[[BinaryIO], object]) -> None:
    """Write a file anew; until it is whole and on the disk, the one that was there stays.

    Args:
        path: The file.
        write: Writes the content to a file that is open for writing.

    Raises:
        OSError: It can't be written; whatever was at the path is still there.
    """
    place = Path(os.path.realpath(path))  # a link goes on pointing to the file
    beside = place.with_name(f"{place.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    except OSError as error:
        raise type(error)(error.errno, error.strerror or str(error), os.fspath(path)) from error
    finally:
        with suppress(OSError):
            beside.unlink()
    _sync(place.parent)


def append(path: AnyPath, text: bytes) -> None:
    """Add to the end of a file, to the disk; to be called while it is `locked`.

    Raises:
        OSError: It can't be written; the file is as long as it was.
    """
    with open(path, "ab") as file:
        before = file.tell()
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        except OSError as error:
            with suppress(OSError):
                os.truncate(path, before)
            raise type(error)(error.errno, error.strerror or str(error), os.fspath(path)) from error


@contextmanager
def locked(path: AnyPath, patience: float = math.inf) -> Iterator[None]:
    """Wait until no other job writes to the path, and keep others waiting; without effect where files have no locks.

    Args:
        path: The file; the lock lies beside it.
        patience: Seconds after which to go on without the lock.

    Raises:
        OSError: The lock can't be made.
    """
    if not _HAS_LOCKS:
        yield
        return
    lock, end = f"{os.path.realpath(path)}.lock", time.monotonic() + patience
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            waits = _waits(partial(fcntl.flock, descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB), end)
            if waits or _is_at(descriptor, lock):  # and not removed by the job that had it before
                break
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    try:
        yield
    finally:
        if not waits:
            with suppress(OSError):
                os.unlink(lock)
        os.close(descriptor)


def check_regular(path: AnyPath) -> None:
    """Refuse a device, a pipe or a folder, from which reading may never end.

    Raises:
        InvalidCheckpoint: The path is one.
        OSError: There is nothing, or it can't be looked at.
    """
    if not S_ISREG(os.stat(path).st_mode):
        raise InvalidCheckpoint(f"{os.fspath(path)} is not a regular file: name one, or one to be made.")


def _waits(lock: Callable[[], object], end: float) -> bool:
    """Try to lock a file until a time of the monotonic clock; return whether another job still has it."""
    while True:
        try:
            lock()
        except BlockingIOError:
            if time.monotonic() >= end:
                return True
            time.sleep(_PAUSE)
        except OSError:  # a file system without locks
            return False
        else:
            return False


def _is_at(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _sync(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
