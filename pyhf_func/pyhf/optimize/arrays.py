"""Kinds of arrays: what a call is given decides what it gives back (`pyhf_func.tensor.dispatch`), models included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from pyhf_func.adapters import bridge
from pyhf_func.core.processes import check_process
from pyhf_func.pyhf.pdf import Model
from pyhf_func.pyhf.tensor import dispatch
from pyhf_func.pyhf.tensor.manager import current_backend


def kind(*trees: Any) -> str | None:
    """The framework whose tensors are among the arguments; of a model, only tracers and foreign tensors count."""
    found = None
    for tree in trees:
        here = tree._kind() if isinstance(tree, Model) else dispatch.kind(tree)
        if here is not None and here != "jax":
            return here
        found = found or here
    return found


def traced(tree: Any) -> bool:
    """Whether anything is a tracer."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))


def call(function: Callable[..., Any], *args: Any) -> Any:
    """Call a pure JAX function of pytrees; all its arrays have the kind that the arguments ask for."""
    check_process()
    here = kind(*args)
    if here == "jax":
        return function(*args)
    if here is None:
        return as_tensors(function(*args))
    return bridge.apply(function, *args)


def as_tensors(tree: Any) -> Any:
    """JAX arrays as tensors of the current backend."""
    tensorlib = current_backend()
    kinds = {"b": "bool", "i": "int"}
    own = getattr(tensorlib, "array_type", None) is jax.Array

    def tensor(leaf: Any) -> Any:
        return tensorlib.astensor(leaf if own else np.asarray(leaf), dtype=kinds.get(leaf.dtype.kind, "float"))

    return jax.tree.map(tensor, tree)


def numbers(values: Any) -> Any:
    """Plain numbers as one NumPy array; what holds an array of a framework stays as it is."""
    if isinstance(values, list | tuple) and dispatch.kind(values) is None:
        return np.asarray(values, dtype=float)
    return values


def bounds_array(bounds: Any) -> Any:
    """Bounds as one NumPy array; what holds a tracer stays as it is."""
    try:
        return bounds if isinstance(bounds, np.ndarray) else np.array(bounds, dtype=float)
    except (TypeError, ValueError, RuntimeError):
        return bounds


def to_numpy(values: Any) -> np.ndarray:
    """Numbers, tensors of any framework or lists of them as one NumPy array of floats.

    Raises:
        TypeError: Something is a JAX tracer.
    """
    if traced(values):
        raise TypeError(
            "SciPy and Minuit run on the host: their fits can't be compiled, mapped or differentiated. "
            "Use the default optimizer for that."
        )
    return np.asarray(jax.tree.map(_detached, values), dtype=float)


def _detached(leaf: Any) -> Any:
    if hasattr(leaf, "asnumpy"):  # MXNet
        return leaf.asnumpy()
    return leaf.detach().cpu().numpy() if hasattr(leaf, "detach") else leaf  # PyTorch


def given(values: Any) -> bool:
    """Whether an optional list or array of numbers was given: neither None nor empty."""
    return values is not None and len(values) > 0
