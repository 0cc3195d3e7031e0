"""Traced programs beside JAX's compilation cache, so that a second run neither traces nor compiles.

JAX's cache saves the compilation; tracing and lowering take as long again as loading a compiled program. A program
is stored in JAX's portable form (`jax.export`), sealed under a key that holds everything it depends on.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pyhf_func.cli import sealed


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
    if folder is not None:
        program = _from_store(function, name, args, folder, static)
        if program is not None:
            return program()
    return _compiled(function, (*static, *args), static_argnums=tuple(range(len(static))))(*args)


def _from_store(
    function: Callable[..., Any], name: str, args: tuple[Any, ...], folder: Path, static: tuple[Any, ...]
) -> Callable[[], Any] | None:
    """The call by a program of the store, where it is put if it is missing; None where the store can't be used."""
    import jax

    leaves, structure = jax.tree.flatten(args)

    def program(*leaves: Any) -> Any:
        return function(*static, *jax.tree.unflatten(structure, leaves))

    try:
        _name_results()
        key = repr((name, static, _code(), _surroundings(), structure, [(x.shape, str(x.dtype)) for x in leaves]))
        path = folder / f"program-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
        compiled = _stored(path, key, leaves)
        if compiled is None:
            exported = jax.export.export(jax.jit(program))(*leaves)
            _store(path, key, exported)
            compiled = _compiled(exported.call, leaves)
    except Exception:  # a store that fails is no store; and a function that fails does so again without it
        return None
    return partial(compiled, *leaves)


_OPTIONS = {"xla_cpu_use_fusion_emitters": False}
"""Of the compiler: these take twice as long to compile, and what they compile takes as long to run."""


def _compiled(function: Callable[..., Any], args: Sequence[Any], **options: Any) -> Callable[..., Any]:
    """Compile; without `_OPTIONS` where the compiler, of another release, does not know them."""
    import jax

    try:
        return jax.jit(function, compiler_options=_OPTIONS, **options).lower(*args).compile()
    except jax.errors.JaxRuntimeError as error:
        if "No such compile option" not in str(error):
            raise
    return jax.jit(function, **options).lower(*args).compile()


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
    """What else decides how a function is traced: versions and JAX's settings."""
    import jax

    settings = {name: value for name, value in jax.config.values.items() if "cache" not in name}
    packages = ("jax", "jaxlib", "numpy", "scipy", "optax")
    return {
        "python": sys.version,
        "packages": [(name, version(name)) for name in packages],
        "settings": sorted(settings.items()),
        "device": (jax.default_backend(), jax.device_count()),
    }


@cache
def _name_results() -> None:
    """Give the engine's results the names under which stored programs know them."""
    from jax.export import register_namedtuple_serialization

    from pyhf_func.core import fit, inference

    for kind in (
        fit.FitResult,
        inference.CovarianceResult,
        inference.DiscoveryResult,
        inference.GoodnessResult,
        inference.ImpactResult,
        inference.LimitResult,
        inference.ProfileResult,
        inference.ScanResult,
        inference.YieldBand,
        inference.YieldsResult,
    ):
        register_namedtuple_serialization(kind, serialized_name=f"pyhf_func.{kind.__name__}")


def _stored(path: Path, key: str, args: Sequence[Any]) -> Callable[..., Any] | None:
    """The program at the path, compiled; None where there is none that can be used."""
    import jax

    content = sealed.read(path, key)
    if content is None:
        return None
    try:
        return _compiled(jax.export.deserialize(bytearray(content)).call, args)
    except Exception:  # whatever it is that this release can't read: the program is made anew
        return None


def _store(path: Path, key: str, exported: Any) -> None:
    """Keep a program; a disk that is full or read-only, or a form that JAX can't write, costs the next run time."""
    with suppress(Exception):
        sealed.write(path, key, bytes(exported.serialize()))
