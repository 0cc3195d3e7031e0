"""Functions compiled for calls from Python, with little waiting for the compiler.

Compilation is what users wait for: a fit that runs for a millisecond compiles for seconds. A call with concrete arrays
therefore runs a program that was compiled quickly, without optimisation. Only when its calls have taken together as
long as compilation did is it compiled again, optimised: at no time has more been waited for than twice what the better
choice would have cost. Under `jax.jit`, `jax.vmap` or `jax.grad`, the function is part of the user's own program.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from pyhf_func.compiled import store

_SLOW_PASSES = (
    "while-loop-invariant-code-motion",
    "simplify-while-loops",
    "while-loop-trip-count-annotator",
    "tree_reduction_rewriter",
)
FAST_TO_COMPILE = {
    "xla_cpu_use_fusion_emitters": False,
    "xla_backend_optimization_level": 0,
    "xla_disable_hlo_passes": ",".join(_SLOW_PASSES),
}
FAST_TO_RUN = {"xla_cpu_use_fusion_emitters": False}
"""Options of the compiler. Its fusion emitters take twice as long to compile, and what they make runs no faster. The
passes over loops copy what lies inside them again and again: half of what compilation takes where loops are nested."""

_config: Any = jax.config
_KEPT = 128  # programs of one function
_functions: weakref.WeakSet[Compiled] = weakref.WeakSet()


def clear_programs() -> None:
    """Forget all compiled programs, and give back their memory; they are compiled again when they are needed."""
    for function in _functions:
        function.clear()


class Compiled:
    """A pure function, compiled once for each structure of its arguments.

    Args:
        function: A pure function of pytrees of arrays.
        static: How many of its first arguments are part of the program; they must be hashable.
        long: Whether one call may run for long, so that the optimised program is compiled at once.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> norm = Compiled(lambda order, x: jnp.sum(jnp.abs(x) ** order) ** (1 / order), static=1)
        >>> float(norm(2, jnp.array([3.0, 4.0]))), float(jax.grad(lambda x: norm(2, x))(jnp.array([3.0, 4.0]))[1])
        (5.0, 0.8)
    """

    def __init__(self, function: Callable[..., Any], static: int = 0, *, long: bool = False) -> None:
        self._function = function
        self._static = static
        self._long = long
        self._jitted = jax.jit(function, static_argnums=tuple(range(static)))
        self._programs: OrderedDict[_Key, _Program] = OrderedDict()
        self._lock = threading.RLock()
        _functions.add(self)

    def __call__(self, *args: Any) -> Any:
        """The function's value."""
        static, arrays = args[: self._static], args[self._static :]
        leaves, structure = jax.tree.flatten(arrays)
        if not _on_host(leaves):
            return self._jitted(*args)
        key = _Key(static, structure, tuple(map(_kind, leaves)), _config.jax_enable_x64)
        program = self._programs.get(key)
        return (program or self._build(key))(leaves)

    def clear(self) -> None:
        """Forget the compiled programs."""
        with self._lock:
            self._programs.clear()

    def _build(self, key: _Key) -> _Program:
        with self._lock:  # two threads that need one program compile it once
            if key not in self._programs:
                self._programs[key] = _Program(self._function, key, self._long)
                if len(self._programs) > _KEPT:
                    self._programs.popitem(last=False)
            return self._programs[key]


class _Key(NamedTuple):
    static: tuple[Any, ...]
    structure: Any
    kinds: tuple[tuple[Any, ...], ...]
    x64: bool


class _Program:
    """One program: first quickly compiled, later optimised; each from the store, where it is there."""

    def __init__(self, function: Callable[..., Any], key: _Key, long: bool) -> None:
        self._function, self._key = function, key
        self._lowered: jax.stages.Lowered | None = None
        self._lock = threading.Lock()
        stored = self._stored(FAST_TO_RUN)
        self._optimised = long or stored is not None
        begin = time.perf_counter()
        self._run = stored or (self._compiled(FAST_TO_RUN) if long else self._made(FAST_TO_COMPILE))
        self._left = time.perf_counter() - begin  # seconds that calls may take before it is optimised

    def __call__(self, leaves: list[Any]) -> Any:
        if self._optimised:
            return self._run(*leaves)
        begin = time.perf_counter()
        result = jax.block_until_ready(self._run(*leaves))
        self._left -= time.perf_counter() - begin
        if self._left < 0 and self._lock.acquire(blocking=False):  # other threads go on meanwhile
            self._run = self._made(FAST_TO_RUN)
            self._optimised = True
        return result

    def _made(self, options: dict[str, Any]) -> Callable[..., Any]:
        return self._stored(options) or self._compiled(options)

    def _stored(self, options: dict[str, Any]) -> Callable[..., Any] | None:
        program = store.read(self._name(options))
        return None if program is None else partial(self._first_call, program, options)

    def _first_call(self, program: Callable[..., Any], options: dict[str, Any], *leaves: Any) -> Any:
        """The value by a stored program, which is compiled anew where it can't be run."""
        try:
            result = jax.block_until_ready(program(*leaves))
        except jax.errors.JaxRuntimeError:
            program = self._compiled(options)
            result = program(*leaves)
        self._run = program
        return result

    def _compiled(self, options: dict[str, Any]) -> Callable[..., Any]:
        lowered = self._lowered or self._lower()
        self._lowered = lowered if options is FAST_TO_COMPILE else None
        program = _compile(lowered, options)
        store.write(self._name(options), program)
        return program

    def _lower(self) -> jax.stages.Lowered:
        def flat(*leaves: Any) -> Any:
            return self._function(*self._key.static, *jax.tree.unflatten(self._key.structure, leaves))

        shapes = [jax.ShapeDtypeStruct(shape, dtype, weak_type=weak) for shape, dtype, weak in self._key.kinds]
        return jax.jit(flat).lower(*shapes)

    def _name(self, options: dict[str, Any]) -> str | None:
        return store.key_of(self._function, self._key.static, self._key, options)


def _compile(lowered: jax.stages.Lowered, options: dict[str, Any]) -> jax.stages.Compiled:
    """Compile; without options where the compiler, of another release, does not know them."""
    try:
        return lowered.compile(compiler_options=options)
    except jax.errors.JaxRuntimeError as error:
        if "No such compile option" not in str(error):
            raise
    return lowered.compile()


def _on_host(leaves: list[Any]) -> bool:
    """Whether a call computes on the one CPU device, from concrete arrays, and with JAX's usual settings."""
    for leaf in leaves:
        if not isinstance(leaf, np.ndarray | jax.Array) or isinstance(leaf, jax.core.Tracer):
            return False
    return not _is_special() and jax.device_count() == 1 and jax.default_backend() == "cpu"


def _kind(array: Any) -> tuple[Any, ...]:
    return array.shape, array.dtype, getattr(array, "weak_type", False)


def _is_special() -> bool:
    """Whether JAX is asked to look for errors on the way, which needs its own way of calling."""
    return bool(_config.jax_disable_jit or _config.jax_debug_nans or _config.jax_debug_infs)
