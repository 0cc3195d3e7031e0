"""The backends under test, with the real frameworks; those that can't be imported here are skipped, with the reason."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from pyhf_func.exceptions import ImportBackendError

BACKENDS = {"numpy": "numpy", "jax": "jax", "pytorch": "torch", "tensorflow": "tensorflow", "mxnet": "mxnet"}
"""Name of each backend, and the module of its adapter."""

QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""Options of JAX's compiler for programs that run once."""

TAPES = ("jax", "pytorch", "tensorflow", "mxnet")
"""The backends with gradients."""


@functools.cache
def _backend(name: str, precision: str) -> Any:
    try:
        adapter = importlib.import_module(f"pyhf_func.adapters.{BACKENDS[name]}")
    except ImportBackendError as error:
        return f"{error} ({error.__cause__})"
    return getattr(adapter, f"{name}_backend")(precision=precision)


def backend(name: str, precision: str = "64b") -> Any:
    """A backend; the test is skipped where its framework is missing."""
    found = _backend(name, precision)
    if isinstance(found, str):
        pytest.skip(found)
    if name == "mxnet":  # NumPy's shape semantics, for arithmetic between operations
        found._setup()
    return found


def gradients(tb: Any, function: Callable[..., Any], arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Gradients of a scalar function of tensors with respect to all of them, on the framework's own tape."""
    tensors = [tb.astensor(array) for array in arrays]
    found: Sequence[Any]
    if tb.name == "jax":
        import jax

        slopes = jax.grad(function, argnums=tuple(range(len(tensors))))
        found = jax.jit(slopes, compiler_options=QUICKLY)(*tensors)
    elif tb.name == "pytorch":
        import torch

        tensors = [tensor.clone().requires_grad_() for tensor in tensors]
        found = torch.autograd.grad(function(*tensors), tensors, materialize_grads=True)
    elif tb.name == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            result = function(*tensors)
        found = tape.gradient(result, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        found = [tf.convert_to_tensor(gradient) for gradient in found]
    else:
        from pyhf_func.adapters.mxnet import mx

        for tensor in tensors:
            tensor.attach_grad()
        with mx.autograd.record():
            result = function(*tensors)
        result.backward()
        found = [tensor.grad for tensor in tensors]
    return [np.asarray(tb.to_numpy(gradient)) for gradient in found]
