"""Programs of JAX as operations of MXNet's autograd. MXNet offers no derivatives of derivatives of such operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from pyhf_func.adapters.mxnet import host_function, mx, mxnet_backend
from pyhf_func.adapters.program import Call, Outputs, on_host, pull_back, split

__all__ = ["call"]


def __dir__() -> list[str]:
    return __all__


@mx.util.use_np_shape
def call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function of JAX with MXNet's arrays: the outputs are recorded where autograd records."""
    the_call = split(function, args, kwargs, mx.nd.NDArray, mxnet_backend._dtype_of)
    tensors = [tensor.as_np_ndarray() for tensor in the_call.inputs]
    wanted = tuple(number for number, tensor in enumerate(tensors) if mxnet_backend._dtype_of(tensor).kind == "f")
    if mx.autograd.is_recording() and any(tensors[number].size for number in wanted):
        return _recorded(the_call, tensors, wanted).tree()
    return the_call.run([_to_jax(tensor) for tensor in tensors]).mapped(_to_mxnet).tree()


def _recorded(the_call: Call, tensors: list[Any], wanted: tuple[int, ...]) -> Outputs:
    """The call as a function of one vector, in which all inputs of floats lie one after the other."""
    outputs, kept = the_call.linearise(wanted, [_to_jax(tensor) for tensor in tensors])
    dtype = the_call.program.dtype
    size = sum(array.size for array in outputs.floats)
    if size == 0:
        return outputs.mapped(_to_mxnet)

    def forward(_: Any) -> Any:
        return np.concatenate([np.ravel(array) for array in outputs.floats])

    def backward(_: Any, gradient: Any) -> Any:
        gradients = pull_back(kept, _parts(gradient, [array.shape for array in outputs.floats]))
        return np.concatenate([np.ravel(array).astype(dtype) for array in gradients])

    floats = [mx.np.reshape(tensors[number].astype(np.dtype(dtype).name), (-1,)) for number in wanted]
    vector = host_function(forward, backward)(mx.np.concatenate(floats))
    leaves = _parts(vector, [array.shape for array in outputs.floats])
    return outputs.filled([*leaves, *map(_to_mxnet, outputs.others)])


def _parts(vector: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """Consecutive parts of a vector, each in its shape."""
    ends = np.cumsum([0, *(math.prod(shape) for shape in shapes)]).tolist()
    return [vector[start:end].reshape(shape) for start, end, shape in zip(ends, ends[1:], shapes, strict=False)]


class _Readable:
    """An array of MXNet that speaks the exchange protocol of today."""

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor

    def __dlpack__(self, **_: Any) -> Any:
        return mx.nd.to_dlpack_for_read(self._tensor)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # the host


def _to_jax(tensor: Any) -> Any:
    """The array's values where they lie, if that is on the host; else a copy."""
    if tensor.ctx.device_type != "cpu" or tensor.dtype == np.bool_:
        return tensor.asnumpy()
    return np.from_dlpack(_Readable(tensor))


def _to_mxnet(array: jax.Array) -> Any:
    """An array of MXNet in the same memory, if that is on the host; else a copy."""
    if array.dtype == np.bool_ or not on_host(array):
        return mx.np.array(np.asarray(array), dtype=array.dtype.name)
    return mx.nd.from_dlpack(array.__dlpack__()).as_np_ndarray()
