"""Traced programs beside JAX's compilation cache, so that a second run neither traces nor compiles.

JAX's cache saves the compilation; tracing and lowering take as long again as loading a compiled program. A program
is stored in JAX's portable form (`jax.export`), under a name that says everything it depends on.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pyhf_func._version import __version__


def call(
    function: Callable[..., Any],
    name: str,
    args: tuple[Any, ...],
    folder: Path | None,
    static: tuple[Any, ...] = (),
) -> Any:
    """``function(*static, *args)``, compiled; by the program stored in the folder where there is one.

    Args:
        function: A pure function that returns arrays, in tuples or in the engine's results.
        name: What distinguishes it from other functions of arguments with the same shapes.
        args: Pytrees of arrays.
        folder: Where programs are kept; None to keep none.
        static: Arguments that are part of the program; their ``repr`` says all that they are.
    """
    import jax

    if folder is None:
        return _run(function, (*static, *args), static_argnums=tuple(range(len(static))))
    leaves, structure = jax.tree.flatten(args)

    def program(*leaves: Any) -> Any:
        return function(*static, *jax.tree.unflatten(structure, leaves))

    shapes = [(leaf.shape, str(leaf.dtype)) for leaf in leaves]
    made_by = (name, static, __version__, _engine(), jax.__version__, jax.default_backend())
    path = folder / f"program-{hashlib.sha256(repr((made_by, structure, shapes)).encode()).hexdigest()[:32]}"
    _name_results()
    exported = _stored(path)
    if exported is None:
        exported = jax.export.export(jax.jit(program))(*leaves)
        _store(path, bytes(exported.serialize()))
    return _run(exported.call, leaves)


_OPTIONS = {"xla_cpu_use_fusion_emitters": False}
"""Of the compiler: these take twice as long to compile, and what they compile takes as long to run."""


def _run(function: Callable[..., Any], args: Sequence[Any], **options: Any) -> Any:
    """Compile and run; without `_OPTIONS` where the compiler, of another release, does not know them."""
    import jax

    try:
        return jax.jit(function, compiler_options=_OPTIONS, **options)(*args)
    except jax.errors.JaxRuntimeError as error:
        if "No such compile option" not in str(error):
            raise
    return jax.jit(function, **options)(*args)


@cache
def _engine() -> str:
    """Which code programs are traced from: a version can be worked on."""
    import pyhf_func.core

    content = hashlib.sha256()
    for path in sorted(Path(pyhf_func.core.__file__).parent.rglob("*.py")):
        content.update(path.read_bytes())
    return content.hexdigest()


@cache
def _name_results() -> None:
    """Give the engine's results the names under which stored programs know them."""
    from jax.export import register_namedtuple_serialization

    from pyhf_func.core import fit, inference

    for kind in (
        fit.FitResult,
        inference.CovarianceResult,
        inference.DiscoveryResult,
        inference.ImpactResult,
        inference.LimitResult,
        inference.ProfileResult,
        inference.ScanResult,
    ):
        register_namedtuple_serialization(kind, serialized_name=f"pyhf_func.{kind.__name__}")


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
