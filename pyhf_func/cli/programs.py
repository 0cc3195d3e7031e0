"""Traced programs beside JAX's compilation cache, so that a second run neither traces nor compiles.

JAX's cache saves the compilation; tracing and lowering take as long again as loading a compiled program. A program
is stored in JAX's portable form (`jax.export`), under a name that says everything it depends on.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyhf_func._version import __version__


def call(function: Callable[..., tuple[Any, ...]], name: str, args: tuple[Any, ...], folder: Path | None) -> Any:
    """``function(*args)``, compiled; by the program stored in the folder where there is one.

    Args:
        function: A pure function that returns a tuple of arrays.
        name: What distinguishes it from other functions of arguments with the same shapes.
        args: Pytrees of arrays.
        folder: Where programs are kept; None to keep none.
    """
    import jax

    if folder is None:
        return jax.jit(function)(*args)
    leaves, structure = jax.tree.flatten(args)

    def program(*leaves: Any) -> tuple[Any, ...]:
        return function(*jax.tree.unflatten(structure, leaves))

    shapes = [(leaf.shape, str(leaf.dtype)) for leaf in leaves]
    content = repr((name, __version__, jax.__version__, jax.default_backend(), structure, shapes))
    path = folder / f"program-{hashlib.sha256(content.encode()).hexdigest()[:32]}"
    exported = _stored(path)
    if exported is None:
        exported = jax.export.export(jax.jit(program))(*leaves)
        _store(path, bytes(exported.serialize()))
    return jax.jit(exported.call)(*leaves)


def _stored(path: Path) -> Any:
    """The program at the path; None where there is none that can be read."""
    import jax

    try:
        content = path.read_bytes()
    except OSError:
        return None
    try:
        return jax.export.deserialize(bytearray(content))
    except Exception:  # whatever damaged file a full disk or another release left: it is made anew
        return None


def _store(path: Path, content: bytes) -> None:
    """Write at once or not at all: other processes may read."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(content)
        os.replace(file.name, path)
    except OSError:
        return  # a full or read-only disk: the next run traces again
