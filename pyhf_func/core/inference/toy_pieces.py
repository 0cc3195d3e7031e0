"""Pieces that are added to a file while a run lasts, in a second file beside it: what is there is not written again.

A piece is a line with its length and digest, and then its bytes. The last one may be cut short, where the run was
killed while it wrote it: it is left out, and replaced by the next one. The file beside has the lock of the first one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from typing import BinaryIO

from pyhf_func._files import AnyPath, append, check_regular, locked
from pyhf_func.exceptions import InvalidCheckpoint

INSTEAD = "Name another file, or remove this one and start again."
_LONGEST = 120  # line


def path_of(path: AnyPath) -> str:
    """The file beside."""
    return f"{os.path.realpath(path)}.added"


def are_beside(path: AnyPath) -> bool:
    """Whether there is a file of pieces."""
    return os.path.exists(path_of(path))


def append_to(path: AnyPath, piece: bytes) -> None:
    """Add a piece, to the disk.

    Raises:
        OSError: It can't be written; what was there is still there.
    """
    beside = path_of(path)
    with locked(path):
        if os.path.exists(beside):
            with open(beside, "rb+") as file:
                whole = max((end for _, _, end in _heads(file)), default=0)
                file.truncate(whole)
        append(beside, f"{len(piece)} {sha256(piece).hexdigest()}\n".encode() + piece)


def read(path: AnyPath) -> Iterator[bytes]:
    """The pieces that are whole; none where there is no file beside.

    Raises:
        InvalidCheckpoint: One was changed.
        OSError: They can't be read.
    """
    beside = path_of(path)
    with suppress(FileNotFoundError):
        check_regular(beside)
        with open(beside, "rb") as file:
            for length, digest, end in _heads(file):
                file.seek(end - length)
                piece = file.read(length)
                if sha256(piece).hexdigest().encode() != digest:
                    raise InvalidCheckpoint(f"{beside} is damaged: its content is not what was written. {INSTEAD}")
                yield piece


def remove(path: AnyPath) -> None:
    """Remove the file beside, whose pieces are in the first one now."""
    with suppress(FileNotFoundError):
        os.unlink(path_of(path))


def _heads(file: BinaryIO) -> Iterator[tuple[int, bytes, int]]:
    """Length, digest and end of each piece that is as long as it should be."""
    size, place = file.seek(0, os.SEEK_END), 0
    while place < size:
        file.seek(place)
        line = file.readline(_LONGEST)
        length, _, digest = line.strip().partition(b" ")
        if not line.endswith(b"\n") or not length.isdigit() or place + len(line) + int(length) > size:
            return
        place += len(line) + int(length)
        yield int(length), digest, place
