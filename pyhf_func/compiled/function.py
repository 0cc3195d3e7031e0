"""Functions compiled for calls from Python, with little waiting for the compiler.

Compilation is what users wait for: a fit that runs for a millisecond compiles for seconds. A call with concrete arrays
is therefore first run by NumPy, operation by operation (see `plain`). Only when its calls have taken together as long
as compilation would is the program compiled quickly, without optimisation, and when those have taken as long as that,
it is compiled again, optimised: at no time has more been waited for than about twice what the better choice would have
cost. Under `jax.jit`, `jax.vmap` or `jax.grad`, the function is part of the user's own program.
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

from pyhf_func.compiled import plain, store
from pyhf_func.compiled.platform import for_cpus

_SLOW_PASSES = (
    "while-loop-invariant-code-motion",
    "simplify-while-loops",
    "while-loop-trip-count-annotator",
    "tree_reduction_rewriter",
)
FAST_TO_COMPILE: dict[str, Any] = {
    "xla_cpu_use_fusion_emitters": False,
    "xla_backend_optimization_level": 0,
    "xla_disable_hlo_passes": ",".join(_SLOW_PASSES),
}
FAST_TO_RUN: dict[str, Any] = {"xla_cpu_use_fusion_emitters": False}
"""Options of the compiler. Its fusion emitters take twice as long to compile, and what they make runs no faster. The
passes over loops copy what lies inside them again and again: half of what compilation takes where loops are nested."""

_PLAIN: dict[str, Any] = {"plain": True}  # in place of options of the compiler
_SECONDS_FOR_AN_EQUATION = 1e-3  # that compilation takes, about
_SECONDS_OF_STORED = 1.0  # that calls of a stored program may take before it is optimised

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
        long: Whether one call may run for long, so that it is not compiled without optimisation.
        alike: Whether all calls, in every process, must agree to the last digit, so that all run the same program: the
            optimised one.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> norm = Compiled(lambda order, x: jnp.sum(jnp.abs(x) ** order) ** (1 / order), static=1)
        >>> float(norm(2, jnp.array([3.0, 4.0]))), float(jax.grad(lambda x: norm(2, x))(jnp.array([3.0, 4.0]))[1])
        (5.0, 0.8)
    """

    def __init__(
        self, function: Callable[..., Any], static: int = 0, *, long: bool = False, alike: bool = False
    ) -> None:
        self._function = function
        self._static = static
        self._long, self._alike = long, alike
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
                self._programs[key] = _Program(self._function, key, self._long, self._alike)
                if len(self._programs) > _KEPT:
                    self._programs.popitem(last=False)
            return self._programs[key]


class _Key(NamedTuple):
    static: tuple[Any, ...]
    structure: Any
    kinds: tuple[tuple[Any, ...], ...]
    x64: bool


class _Program:
    """One program: first run by NumPy, then compiled quickly, then optimised; each from the store, where it is."""

    def __init__(self, function: Callable[..., Any], key: _Key, long: bool, alike: bool) -> None:
        self._function, self._key, self._alike = function, key, alike
        self._traced: jax.stages.Traced | None = None
        self._lock = threading.RLock()
        self._better: list[dict[str, Any]] = [FAST_TO_RUN] if long or alike else [FAST_TO_COMPILE, FAST_TO_RUN]
        self._left = 0.0  # seconds that calls may take before there is a better program
        self._run = self._begun()

    def __call__(self, leaves: list[Any]) -> Any:
        if not self._better:
            return self._run(*leaves)
        number = len(self._better)
        try:
            result = self._run(*leaves)
        except plain.OutOfTime:
            self._improve(number)
            return self(leaves)
        if self._left < 0:
            self._improve(number, waiting=False)  # other threads go on meanwhile
        return result

    def _begun(self) -> Callable[..., Any]:
        """The best program that is stored, or else one for NumPy, or else a compiled one."""
        for number in reversed(range(len(self._better))):
            stored = self._stored(self._better[number])
            if stored is not None:
                self._left = _SECONDS_OF_STORED
                del self._better[: number + 1]
                return partial(self._counted, stored) if self._better else stored
        if self._alike:
            return self._timed(self._better.pop(0))
        name = self._name(_PLAIN)
        program = store.read_plain(name)
        if program is None:
            traced = self._trace()
            try:
                program = plain.Function.of(traced)
            except Exception:  # whatever it is that it does otherwise, or that another release of JAX does
                return self._timed(self._better.pop(0))
            store.write_plain(name, program)
        self._left = _SECONDS_FOR_AN_EQUATION * program.size
        return partial(self._by_numpy, program)

    def _by_numpy(self, program: plain.Function, *leaves: Any) -> Any:
        begin = time.thread_time()  # not the time that this thread waits for others'
        try:
            return program(leaves, begin + self._left)
        finally:
            self._left -= time.thread_time() - begin

    def _improve(self, number: int, *, waiting: bool = True) -> None:
        """Take the next better program, unless another thread did or, without ``waiting``, does."""
        if self._lock.acquire(blocking=waiting):
            try:
                if len(self._better) == number:
                    self._run = self._timed(self._better[0])
                    self._better = self._better[1:]
            finally:
                self._lock.release()

    def _timed(self, options: dict[str, Any]) -> Callable[..., Any]:
        """A compiled program whose calls may take as long as compilation did."""
        begin = time.perf_counter()
        program = self._stored(options)
        if program is None:
            with store.compiling(self._name(options)):  # what another process compiles is then stored
                program = self._stored(options) or self._compiled(options)
        self._left = time.perf_counter() - begin
        return partial(self._counted, program) if options is not FAST_TO_RUN else program

    def _counted(self, program: Callable[..., Any], *leaves: Any) -> Any:
        begin = time.perf_counter()
        result = jax.block_until_ready(program(*leaves))
        self._left -= time.perf_counter() - begin
        return result

    def _stored(self, options: dict[str, Any]) -> Callable[..., Any] | None:
        program = store.read(self._name(options))
        return None if program is None else _Stored(program, partial(self._compiled, options))

    def _compiled(self, options: dict[str, Any]) -> Callable[..., Any]:
        program = _compile(self._trace().lower(), options)
        if options is FAST_TO_RUN:
            self._traced = None
        store.write(self._name(options), program)
        return program

    def _trace(self) -> jax.stages.Traced:
        def flat(*leaves: Any) -> Any:
            return self._function(*self._key.static, *jax.tree.unflatten(self._key.structure, leaves))

        if self._traced is None:
            shapes = [jax.ShapeDtypeStruct(shape, dtype, weak_type=weak) for shape, dtype, weak in self._key.kinds]
            with for_cpus():
                self._traced = jax.jit(flat).trace(*shapes)
        return self._traced

    def _name(self, options: dict[str, Any]) -> str | None:
        return store.key_of(self._function, self._key.static, self._key, options)


class _Stored:
    """A program from the store, which is compiled anew where it can't be run."""

    def __init__(self, program: Callable[..., Any], compiled: Callable[[], Callable[..., Any]]) -> None:
        self._program, self._compiled = program, compiled
        self._run: Callable[..., Any] = self._first

    def __call__(self, *leaves: Any) -> Any:
        return self._run(*leaves)

    def _first(self, *leaves: Any) -> Any:
        try:
            result = jax.block_until_ready(self._program(*leaves))
        except jax.errors.JaxRuntimeError:
            self._program = self._compiled()
            result = self._program(*leaves)
        self._run = self._program
        return result


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
