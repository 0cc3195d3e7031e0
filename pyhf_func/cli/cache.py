"""The folder of compiled programs in the user's cache directory, so that a second run starts fast.

What lies there is run, so it is trusted only where nobody else can have written it: the folder is ours alone, and each
file is sealed. JAX's compilation cache checks neither, so its entries get seals beside them; an entry without its seal
is removed before JAX sees it. A cache that fails is no cache: the run then compiles.

A compiled program holds instructions of the processor that it was compiled for. Home directories are often
shared by machines of different kinds, so each kind has a folder of its own.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib
import os
import platform
import stat
import sys
import tempfile
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from pyhf_func.cli import sealed

MAX_BYTES = 1 << 28
"""Size (256 MiB) above which the oldest programs are removed when the cache is next used."""

_OF_JAX, _SEAL = "-cache", ".seal"


def enable() -> Path | None:
    """Let JAX keep its compiled programs; to be called before the first program is compiled.

    Returns the folder, or ``None`` where no folder can be trusted and written (the run then compiles as if there were
    no cache). The folder is in ``JAX_COMPILATION_CACHE_DIR`` where that is set, and otherwise in the user's caches.
    """
    import jax

    folder = _own_folder()
    jax.config.update("jax_compilation_cache_dir", None if folder is None else str(folder))
    if folder is not None:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
        # A full disk, or another process that removes an entry: JAX compiles instead.
        warnings.filterwarnings("ignore", message="Error (reading|writing) persistent compilation cache entry")
        atexit.register(seal_entries, folder)
    return folder


def disable() -> None:
    """Let JAX keep nothing, whatever the environment says."""
    import jax

    jax.config.update("jax_compilation_cache_dir", None)


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


def _own_folder() -> Path | None:
    """Our folder for this kind of processor, made if needed; ``None`` if it can't be written or trusted."""
    try:
        base = Path(os.environ.get("JAX_COMPILATION_CACHE_DIR") or user_cache_directory())
        if not base.is_absolute():  # a bucket, or wherever this process happens to run
            return None
        folder = base / "pyhf_func" / "jax" / processor_fingerprint()
        _make(folder)
        if not (_is_safe_place(base) and all(map(_is_private, [folder, *folder.parents[:2]]))):
            return None
        with tempfile.TemporaryFile(dir=folder):
            pass
        _remove_unsealed(folder)
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


def seal_entries(folder: Path) -> None:
    """Seal the entries that JAX has written: those that are whole."""
    with suppress(OSError):
        for entry in _entries_of_jax(folder):
            with suppress(OSError):
                if not _seal_of(entry).exists() and _is_whole(content := entry.read_bytes()):
                    sealed.write(_seal_of(entry), entry.name, _digest(content))


def _remove_unsealed(folder: Path) -> None:
    """Remove JAX's entries that are not what was sealed: it writes them again, but would never replace them."""
    for entry in _entries_of_jax(folder):
        content = b""
        with suppress(OSError):
            content = entry.read_bytes()
        if sealed.read(_seal_of(entry), entry.name) != _digest(content):
            _remove(entry)


def _entries_of_jax(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.endswith(_OF_JAX) and path.is_file():
            yield path


def _seal_of(entry: Path) -> Path:
    return entry.with_name(entry.name + _SEAL)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _is_whole(content: bytes) -> bool:
    """Whether an entry of JAX's, which it compresses, can be decompressed: a disk that is full cuts it."""
    for decompress in _decompressors():
        with suppress(Exception):  # each library has errors of its own
            decompress(content)
            return True
    return False


def _decompressors() -> Iterator[Callable[[bytes], bytes]]:
    """What JAX may have compressed with."""
    yield zlib.decompress
    for name in ("compression.zstd", "zstandard"):
        with suppress(ImportError):
            yield importlib.import_module(name).decompress


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
        _remove(path)
        excess -= size


def _remove(path: Path) -> None:
    """Remove a file and its seal, if it has one; another process may have done so."""
    path.unlink(missing_ok=True)
    _seal_of(path).unlink(missing_ok=True)
