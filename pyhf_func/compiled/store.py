"""Compiled programs on disk, so that the next session neither traces nor compiles.

A program is stored as the machine code that JAX made of it, sealed under a key that holds everything it depends on: the
function, the structure of its arguments, the library's own code, releases, settings and the processor. The folder is
the user's alone. A store that fails is no store: the program is then compiled.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pickle
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.experimental import serialize_executable

from pyhf_func._files import locked
from pyhf_func.compiled import sealed
from pyhf_func.compiled.folder import own_folder

_config: Any = jax.config
_VARIABLE = "PYHF_FUNC_CACHE"
_OFF, _ON = ("0", "off", "no", "false"), ("", "1", "on", "yes", "true")
_PATIENCE = 120.0
"""Seconds for which a process waits for what another one compiles."""
_state: dict[str, Path | None] = {}


def use_cache(wanted: bool) -> None:
    """Keep compiled programs on disk in this process, so that the next one starts fast; or stop keeping them.

    They are kept by default: in the user's cache directory, where that is private and can be written. The environment
    variable ``PYHF_FUNC_CACHE`` holds the path of another folder, or ``off``.

    Args:
        wanted: Whether programs are written to the cache and read from it.

    Example:
        >>> import pyhf_func as pf
        >>> pf.use_cache(False)  # everything is compiled anew, and nothing is left behind
        >>> pf.use_cache(True)
    """
    chosen = os.environ.get(_VARIABLE, "")
    named = None if chosen.lower() in (*_OFF, *_ON) else Path(chosen)
    _state["folder"] = own_folder(named) if wanted else None


def key_of(function: Callable[..., Any], static: tuple[Any, ...], *others: Any) -> str | None:
    """All that a program depends on, as text; None for one that can't be told from others by its text.

    Args:
        function: What the program computes: a function of the library's own, known by its name.
        static: Values that are part of the program.
        others: What else distinguishes it; each with a ``repr`` that says all that it is.
    """
    name = getattr(function, "__qualname__", "<unknown>")
    module = getattr(function, "__module__", "")
    if "<" in name or not module.startswith("pyhf_func.") or not all(map(_is_known, static)):
        return None
    return repr((module, name, static, others, _code(), _surroundings()))


def read(key: str | None) -> Callable[..., Any] | None:
    """The stored program, loaded, as a function of the leaves of its arguments; None if none is stored."""
    content = read_plain(key)
    if content is None:
        return None
    try:
        _load_kernels()
        return serialize_executable.deserialize_and_load(*content)
    except Exception:  # whatever it is that this release can't read: the program is made anew
        return None


def write(key: str | None, program: jax.stages.Compiled) -> None:
    """Store a program; where that fails, as on a full or read-only disk, the next session compiles it again."""
    if _folder() is None or _config.jax_compilation_cache_dir:
        return  # what JAX has from its own cache lacks parts when it is stored once more
    with suppress(Exception):
        write_plain(key, serialize_executable.serialize(program))


@contextmanager
def compiling(key: str | None) -> Iterator[None]:
    """Wait while another process compiles the program of a key, but not for ever: workers start together."""
    folder = None if _config.jax_compilation_cache_dir else _folder()
    with ExitStack() as stack:
        if folder is not None and key is not None:
            with suppress(OSError):  # a store that fails is no store
                stack.enter_context(locked(_path(folder, key), _PATIENCE))
        yield


def read_plain(key: str | None) -> Any:
    """The content that is stored under a key; None where there is nothing, or nothing that can be read."""
    folder = _folder()
    content = None if folder is None or key is None else sealed.read(_path(folder, key), key)
    try:
        return None if content is None else pickle.loads(zlib.decompress(content))
    except Exception:  # whatever it is that this release can't read: it is made anew
        return None


def write_plain(key: str | None, content: Any) -> None:
    """Store something that can be pickled, if possible."""
    folder = _folder()
    if folder is not None and key is not None:
        with suppress(Exception):
            sealed.write(_path(folder, key), key, zlib.compress(pickle.dumps(content), 1))


def _folder() -> Path | None:
    if "folder" not in _state:
        use_cache(os.environ.get(_VARIABLE, "").lower() not in _OFF)
    return _state["folder"]


def _path(folder: Path, key: str) -> Path:
    return folder / f"program-{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def _is_known(value: Any) -> bool:
    """Whether the ``repr`` of a value says all that it is."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        ours = type(value).__module__.startswith("pyhf_func.")
        return ours and all(_is_known(getattr(value, field.name)) for field in dataclasses.fields(value))
    return value is None or isinstance(value, str | int | float | bool)


@cache
def _load_kernels() -> None:
    """Have JAX load its linear algebra, which it otherwise does when it compiles: programs call it by address."""
    jax.jit(jax.lax.linalg.cholesky).lower(jax.ShapeDtypeStruct((2, 2), np.float32))


@cache
def _code() -> str:
    """Which code programs are traced from, all of the library's: a version can be worked on."""
    root = Path(__file__).parents[1]
    content = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        code = path.read_bytes()
        content.update(f"{path.relative_to(root)} {len(code)}\n".encode() + code)
    return content.hexdigest()


def _surroundings() -> dict[str, Any]:
    """The surroundings on which tracing and compilation depend: releases, and JAX's settings."""
    settings = {name: value for name, value in jax.config.values.items() if "cache" not in name}
    return {
        "python": sys.version,
        "packages": _releases(),
        "settings": sorted(settings.items()),
        "precision": _config.jax_default_matmul_precision,
        "flags": os.environ.get("XLA_FLAGS"),
        "device": (jax.default_backend(), jax.device_count()),
    }


@cache
def _releases() -> list[tuple[str, str]]:
    return [(name, version(name)) for name in ("jax", "jaxlib", "numpy", "scipy", "optax")]
