"""Which kind of tensor an answer has, and how it is computed.

JAX arrays and tracers give JAX, under any setting. Tensors of PyTorch, TensorFlow and MXNet give tensors of their
framework, on its tape. Everything else (numbers, lists, NumPy arrays) gives tensors of the current backend.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import pyhf_func.pyhf.tensor as retriever
from pyhf_func.adapters import bridge
from pyhf_func.core.arrays import argument, floats
from pyhf_func.core.processes import check_process
from pyhf_func.model.kinds import kind as kind
from pyhf_func.pyhf.tensor.manager import current_backend


@cache
def _jax_backend() -> Any:
    return retriever.BackendRetriever.jax_backend()


def backend_for(*values: Any) -> Any:
    """The backend whose operations suit the values."""
    return backend_of(kind(*values))


def backend_of(here: str | None) -> Any:
    """The backend of the kind ``here``: the current one for plain numbers, and where it is of that framework."""
    current = current_backend()
    if here is None or here == current.name:
        return current
    return _jax_backend() if here == "jax" else getattr(retriever, f"{here}_backend")()


def evaluate(function: Callable[..., Any], *args: Any) -> Any:
    """Call a pure JAX function of pytrees, and give its array as the kind of tensor that its arguments ask for."""
    return call(kind(*args), function, *args)


def call(here: str | None, function: Callable[..., Any], *args: Any) -> Any:
    """Call a pure JAX function of pytrees, and give its array as the kind of tensor ``here``, a result of `kind`."""
    check_process()
    if here == "jax":
        return function(*args)
    if here is not None:
        return _as_set(here, bridge.apply(function, *args))
    return as_current(function(*args))


def numbers(here: str | None, values: Any, name: str) -> Any:
    """Numbers of the kind ``here`` that were given under a name, as an array of that kind, of floating point.

    Raises:
        TypeError: They are no numbers.
    """
    if here is None or here == "jax":
        array = argument(values, name)
        return array if here is None else floats(array)
    if not isinstance(values, list | tuple):
        return values if hasattr(values, "shape") else argument(values, name)
    tensorlib = backend_for(values)
    return tensorlib.stack([tensorlib.astensor(value) for value in values]) if kind(*values) else np.asarray(values)


def as_current(result: Any) -> Any:
    """A JAX array as a tensor of the current backend."""
    backend = current_backend()
    if backend.name == "jax":
        return backend.astensor(result)
    if backend.name == "numpy":
        array = np.array(result, dtype=backend.dtypemap["float"])
        return array if array.ndim else array[()]
    return backend.astensor(np.asarray(result))


def _as_set(framework: str, result: Any) -> Any:
    """In the precision that was set, where the framework is the current one."""
    backend = current_backend()
    return backend.astensor(result) if backend.name == framework else result
