"""Sealed files: bytes that are found again only under their own key and only as they were written."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG


def write(path: Path, key: str, content: bytes) -> None:
    """Write a sealed file, at once or not at all: other processes may read it.

    Raises:
        OSError: The file can't be written; whatever was at the path is still there.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix="unfinished-")
    try:
        with open(descriptor, "wb") as file:
            file.write(_seal(key, content) + content)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def read(path: Path, key: str) -> bytes | None:
    """Return the content of a sealed file; None where it is missing, damaged or sealed under another key."""
    try:
        if not S_ISREG(path.lstat().st_mode):  # reading a pipe or a device may never end
            return None
        whole = path.read_bytes()
    except OSError:
        return None
    seal, end, content = whole.partition(b"\n")
    return content if seal + end == _seal(key, content) else None


def _seal(key: str, content: bytes) -> bytes:
    """The first line of a file: the key, which may be long, and the content by their digests."""
    return f"pyhf_func {hashlib.sha256(key.encode()).hexdigest()} {hashlib.sha256(content).hexdigest()}\n".encode()
