"""The folder of compiled programs in the user's cache directory, so that a second session starts fast.

What lies there is run, so it is trusted only where nobody else can have written it: the folder is ours alone. A cache
that fails is no cache: the programs are then compiled.

A compiled program holds instructions of the processor that it was compiled for. Home directories are often
shared by machines of different kinds, so each kind has a folder of its own.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 1 << 28
"""Size (256 MiB) above which the oldest programs are removed when the cache is next used."""


def user_cache_directory() -> Path:
    """Where a user's programs keep what they can make again: ``XDG_CACHE_HOME``, or the platform's place."""
    chosen = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if chosen.is_absolute():  # others are to be ignored, says the standard
        return chosen
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path.home() / ".cache"


def processor_fingerprint() -> str:
    """A short name of this kind of processor: the same text means the same instruction set."""
    description = f"{platform.machine()} {platform.processor()}"
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            description += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        pass  # not Linux: the machine's name has to do
    return hashlib.sha256(description.encode()).hexdigest()[:12]


def own_folder(base: Path | None = None) -> Path | None:
    """Our folder for this kind of processor, made if needed; None if it can't be written or trusted.

    Args:
        base: An absolute path of the folder in which ours lies; by default that of the user's caches.
    """
    try:
        base = user_cache_directory() if base is None else base
        if not base.is_absolute():  # wherever this process happens to run
            return None
        folder = base / "pyhf_func" / "programs" / processor_fingerprint()
        _make(folder)
        if not (_is_safe_place(base) and all(map(_is_private, [folder, *folder.parents[:2]]))):
            return None
        with tempfile.TemporaryFile(dir=folder):
            pass
        _remove_oldest(folder)
        return folder
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return None


def _make(folder: Path) -> None:
    """Make a folder, and what is above it, for its owner alone."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _is_private(folder: Path) -> bool:
    """Whether a folder is ours and nobody else may write to it."""
    if sys.platform == "win32":
        return True  # folders in a user's profile are the user's
    mode = folder.stat().st_mode
    ours = folder.lstat().st_uid == folder.stat().st_uid == os.geteuid()
    return ours and not mode & (stat.S_IWGRP | stat.S_IWOTH)


def _is_safe_place(base: Path) -> bool:
    """Whether nobody but its owner, who is us or the system, can put another folder in the place of one of ours."""
    if sys.platform == "win32":
        return True
    found = base.stat()
    return found.st_uid in (0, os.geteuid()) and (
        not found.st_mode & stat.S_IWOTH or bool(found.st_mode & stat.S_ISVTX)
    )


def _remove_oldest(folder: Path) -> None:
    """Keep the folder below ``MAX_BYTES``, also while other processes use it."""
    entries = []
    for path in folder.iterdir():
        with suppress(OSError):  # another process removed it
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                entries.append((status.st_mtime, status.st_size, path))
    excess = sum(size for _, size, _ in entries) - MAX_BYTES
    for _, size, path in sorted(entries):
        if excess <= 0:
            return
        path.unlink(missing_ok=True)  # another process may have removed it
        excess -= size
