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
from collections.abc import Callable, Hashable
from typing import Any

import jax
import numpy as np

FAST_TO_COMPILE = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 0}
FAST_TO_RUN = {"xla_cpu_use_fusion_emitters": False}
"""Options of the compiler. Its fusion emitters take twice as long to compile, and what they make runs no faster."""

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
        self._static = static
        self._long = long
        self._jitted = jax.jit(function, static_argnums=tuple(range(static)))
        self._programs: OrderedDict[Hashable, _Program] = OrderedDict()
        self._lock = threading.RLock()
        _functions.add(self)

    def __call__(self, *args: Any) -> Any:
        """The function's value."""
        static, arrays = args[: self._static], args[self._static :]
        leaves, structure = jax.tree.flatten(arrays)
        if not _on_host(leaves):
            return self._jitted(*args)
        key = (static, structure, tuple(map(_kind, leaves)), _config.jax_enable_x64)
        program = self._programs.get(key)
        if program is None:
            program = self._build(key, args)
        return program(arrays)

    def clear(self) -> None:
        """Forget the compiled programs."""
        with self._lock:
            self._programs.clear()

    def _build(self, key: Hashable, args: tuple[Any, ...]) -> _Program:
        with self._lock:  # two threads that need one program compile it once
            if key not in self._programs:
                self._programs[key] = _Program(self._jitted.lower(*args), self._long)
                if len(self._programs) > _KEPT:
                    self._programs.popitem(last=False)
            return self._programs[key]


class _Program:
    """One program: first quickly compiled, later optimised."""

    def __init__(self, lowered: jax.stages.Lowered, optimised: bool) -> None:
        begin = time.perf_counter()
        self._run = _compile(lowered, FAST_TO_RUN if optimised else FAST_TO_COMPILE)
        self._left = time.perf_counter() - begin  # seconds that calls may take before it is optimised
        self._lowered = None if optimised else lowered
        self._lock = threading.Lock()

    def __call__(self, arrays: tuple[Any, ...]) -> Any:
        if self._lowered is None:
            return self._run(*arrays)
        begin = time.perf_counter()
        result = jax.block_until_ready(self._run(*arrays))
        self._left -= time.perf_counter() - begin
        if self._left < 0 and self._lock.acquire(blocking=False):  # other threads go on meanwhile
            self._optimise()
        return result

    def _optimise(self) -> None:
        lowered = self._lowered
        if lowered is not None:
            self._run = _compile(lowered, FAST_TO_RUN)
            self._lowered = None


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
