"""Programs of JAX as operations on TensorFlow's tapes, eager and in the graphs of ``tf.function``.

In a graph an operation is a call back to Python, which XLA can't compile (``jit_compile=True``); shapes must be
known when the graph is made. What a tape inside the graph needs is kept from the forward call. A tape outside of the
graph is not seen while the graph is made: then the derivative runs the function again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import tensorflow as tf

from pyhf_func.adapters.program import Call, Outputs, Pullback, pull_back, split, to_host
from pyhf_func.adapters.tensorflow import tensorflow_backend

try:  # which tensors a tape watches can't be asked of TensorFlow's public interface
    from tensorflow.python.eager.record import should_record_backprop
except ImportError:

    def should_record_backprop(tensors: Sequence[Any]) -> bool:
        """Without an answer, prepare gradients always."""
        return bool(tensors)


__all__ = ["call"]


def __dir__() -> list[str]:
    return __all__


@tf.autograph.experimental.do_not_convert
def call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function of JAX with TensorFlow's tensors: the outputs are on the tapes that watch inputs."""
    the_call = split(function, args, kwargs, (tf.Tensor, tf.Variable), tensorflow_backend._dtype_of)
    tensors = [tf.convert_to_tensor(tensor) for tensor in the_call.inputs]
    in_graph = not tf.executing_eagerly()
    watched = _watched(tensors)
    if in_graph:
        operation = _kept_in_graph if watched else _in_graph
        return _on_tape(operation, the_call, tensors, watched or _floating(tensors))
    if watched:
        return _on_tape(_kept, the_call, tensors, watched)
    outputs = the_call.run([_to_jax(tensor) for tensor in tensors])
    return outputs.mapped(_exporter(tensors)).tree()


Gradient = Callable[[Sequence[tf.Tensor]], Sequence[tf.Tensor]]
"""Gradients of the wanted inputs from those of the floats in the result."""

Operation = Callable[[Call, list[tf.Tensor], tuple[int, ...]], tuple[Outputs, Gradient]]
"""The outputs, as tensors, and their gradients."""


def _on_tape(operation: Operation, the_call: Call, tensors: list[tf.Tensor], wanted: tuple[int, ...]) -> Any:
    record: list[Outputs] = []

    @tf.custom_gradient
    def recorded(*tensors: tf.Tensor) -> Any:
        outputs, first_gradient = operation(the_call, list(tensors), wanted)
        record.append(outputs)

        def gradient(*cotangents: tf.Tensor) -> list[tf.Tensor | None]:
            if should_record_backprop([*tensors, *cotangents]):  # gradients that are to be differentiated in their turn
                arguments = (list(tensors), the_call.constants, list(cotangents))
                found = call(Pullback(the_call.program, wanted), arguments, {})
            else:
                found = first_gradient(cotangents)
            gradients: list[tf.Tensor | None] = [None] * len(tensors)
            for number, value in zip(wanted, found, strict=True):
                gradients[number] = tf.cast(value, tensors[number].dtype)
            return gradients

        return outputs.floats, gradient

    floats = recorded(*tensors)
    return record[0].filled([*floats, *record[0].others]).tree()


def _kept(the_call: Call, tensors: list[tf.Tensor], wanted: tuple[int, ...]) -> tuple[Outputs, Gradient]:
    """The call, run now, which keeps what the gradients need."""
    to_tensor = _exporter(tensors)
    outputs, kept = the_call.linearise(wanted, [_to_jax(tensor) for tensor in tensors])

    def gradient(cotangents: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        return [to_tensor(array) for array in pull_back(kept, [_to_jax(cotangent) for cotangent in cotangents])]

    return outputs.mapped(to_tensor), gradient


def _in_graph(the_call: Call, tensors: list[tf.Tensor], wanted: tuple[int, ...]) -> tuple[Outputs, Gradient]:
    """The call as a node of a graph, and another one for the gradients, which runs it again."""
    shapes = the_call.shapes(_shapes(tensors))

    def run(*arrays: Any) -> list[Any]:
        outputs = the_call.run(arrays)
        return [*outputs.floats, *outputs.others]

    def gradient(cotangents: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        arguments = (list(tensors), the_call.constants, list(cotangents))
        return list(call(Pullback(the_call.program, wanted), arguments, {}))

    return shapes.filled(_node(run, tensors, [*shapes.floats, *shapes.others])), gradient


def _kept_in_graph(the_call: Call, tensors: list[tf.Tensor], wanted: tuple[int, ...]) -> tuple[Outputs, Gradient]:
    """The call as a node of a graph, of which one output is what the gradients need."""
    shapes, kept_shapes = the_call.linearisation_shapes(wanted, _shapes(tensors))
    n_outputs = len(shapes.floats) + len(shapes.others)
    structures: list[Any] = []

    def run(*arrays: Any) -> list[Any]:
        outputs, kept = the_call.linearise(wanted, arrays)
        leaves, structure = jax.tree.flatten(kept)
        structures[:] = [structure]
        return [*outputs.floats, *outputs.others, *leaves]

    results = _node(run, tensors, [*shapes.floats, *shapes.others, *kept_shapes])
    residuals = results[n_outputs:]

    def run_back(*arrays: Any) -> list[Any]:
        kept = jax.tree.unflatten(structures[0], arrays[: len(residuals)])
        return pull_back(kept, arrays[len(residuals) :])

    def gradient(cotangents: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        wanted_shapes = [_shapes(tensors)[number] for number in wanted]
        return _node(run_back, [*residuals, *cotangents], wanted_shapes)

    return shapes.filled(results[:n_outputs]), gradient


def _node(function: Callable[..., list[Any]], tensors: Sequence[tf.Tensor], shapes: Sequence[Any]) -> list[tf.Tensor]:
    """A call back to Python as a node of the graph."""

    def run(*arrays: Any) -> list[Any]:
        results = function(*arrays)
        return [np.asarray(result, dtype=shape.dtype) for result, shape in zip(results, shapes, strict=True)]

    results = tf.numpy_function(run, list(tensors), [tf.as_dtype(shape.dtype) for shape in shapes], stateful=False)
    return [tf.ensure_shape(result, shape.shape) for result, shape in zip(results, shapes, strict=True)]


def _shapes(tensors: Sequence[tf.Tensor]) -> list[jax.ShapeDtypeStruct]:
    unknown = [tensor.shape for tensor in tensors if not tensor.shape.is_fully_defined()]
    if unknown:
        raise ValueError(
            f"A tensor has shape {unknown[0]} while a graph is made: a bridged function needs whole shapes. "
            "Give the function an input_signature, or use tf.ensure_shape."
        )
    return [jax.ShapeDtypeStruct(tuple(t.shape), tensorflow_backend._dtype_of(t)) for t in tensors]


def _floating(tensors: Sequence[tf.Tensor]) -> tuple[int, ...]:
    return tuple(number for number, tensor in enumerate(tensors) if tensor.dtype.is_floating)


def _watched(tensors: Sequence[tf.Tensor]) -> tuple[int, ...]:
    """The inputs that a tape watches."""
    return tuple(number for number in _floating(tensors) if should_record_backprop([tensors[number]]))


def _to_jax(tensor: tf.Tensor) -> Any:
    """The tensor's values where they lie: a view of NumPy's on the host, DLPack elsewhere, else a copy."""
    if "GPU" not in tensor.device:
        return np.asarray(tensor)
    try:
        return jax.dlpack.from_dlpack(tensor)
    except (RuntimeError, BufferError, ValueError, TypeError):  # JAX has no such device
        return tensor.numpy()


def _exporter(tensors: Sequence[tf.Tensor]) -> Callable[[jax.Array], tf.Tensor]:
    """The function that turns JAX's arrays into tensors that lie with the given ones; without copy, where it can be."""
    device = tensors[0].device if tensors else None

    def to_tensor(array: jax.Array) -> tf.Tensor:
        shared = array if device is not None and "GPU" in device else to_host(array)
        tensor = tf.experimental.dlpack.from_dlpack(jax.block_until_ready(shared).__dlpack__())
        if device is None or tensor.device == device:
            return tensor
        with tf.device(device):
            return tf.identity(tensor)

    return to_tensor
