"""JAX's persistent compilation cache in the user's cache directory, so that a second run starts fast.

A cached program holds instructions of the processor that it was compiled for. Home directories are often
shared by machines of different kinds, so each kind has a folder of its own.
"""

import hashlib
import os
import platform
import sys
import tempfile
from pathlib import Path

MAX_BYTES = 1 << 29
"""Size (512 MiB) above which the oldest programs are removed when the cache is next used."""


def user_cache_directory() -> Path:
    """Where a user's programs keep what they can make again: ``XDG_CACHE_HOME``, or the platform's place."""
    if chosen := os.environ.get("XDG_CACHE_HOME"):
        return Path(chosen)
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


def enable() -> Path | None:
    """Let JAX keep its compiled programs; to be called before the first program is compiled.

    Returns the folder, or ``None`` where no folder can be written (the run then compiles as if there were no
    cache). A folder that the user named in ``JAX_COMPILATION_CACHE_DIR`` is left to JAX.
    """
    import jax

    folder: Path | None
    if named := os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        folder = Path(named)
    else:
        folder = _own_folder()
        if folder is None:
            return None
        _remove_oldest(folder)
        jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return folder


def _own_folder() -> Path | None:
    """Our folder for this kind of processor, made if needed, or ``None`` if it cannot be written."""
    try:
        folder = user_cache_directory() / "pyhf_func" / "jax" / processor_fingerprint()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return None


def _remove_oldest(folder: Path) -> None:
    """Keep the folder below ``MAX_BYTES``, also while other processes use it."""
    entries = []
    for path in folder.iterdir():
        try:
            status = path.stat()
        except OSError:
            continue  # another process removed it
        entries.append((status.st_mtime, status.st_size, path))
    excess = sum(size for _, size, _ in entries) - MAX_BYTES
    for _, size, path in sorted(entries):
        if excess <= 0:
            return
        path.unlink(missing_ok=True)
        excess -= size
