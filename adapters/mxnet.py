"""The MXNet backend, on the arrays of ``mxnet.np`` (those of ``mxnet.nd`` are accepted).

MXNet keeps shape () and empty arrays apart from unknown shapes only with NumPy's shape semantics. Every operation here
has them; choosing the backend switches them on for the program's own arithmetic, too.

MXNet computes the derivatives of some functions in single precision, or not at all: these functions are supplied
here, by SciPy on the host, with their derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from scipy import special

from pyhf_func.adapters.contract import Tensor, TensorBackend, TensorLike, missing_framework
from pyhf_func.adapters.mxnet_import import COMMAND, import_mxnet

try:
    mx = import_mxnet()
except ImportError as error:
    raise missing_framework("MXNet", COMMAND) from error

__all__ = ["host_function", "mxnet_backend"]


def __dir__() -> list[str]:
    return __all__


def host_function(forward: Callable[[Any], Any], backward: Callable[[Any, Any], Any]) -> Callable[[Tensor], Tensor]:
    """A function of one vector, computed by NumPy, on MXNet's tape.

    MXNet's own functions of several arrays lose gradients where one of them needs none, and those of shape ():
    one vector it is.

    Args:
        forward: The vector that the function returns; shape (n_in,) to (n_out,).
        backward: From a vector and the gradients of the function's result, those of the vector.
    """

    class Function(mx.autograd.Function):  # type: ignore[name-defined]
        def forward(self, vector: Tensor) -> Tensor:
            self.vector = vector.asnumpy()
            return _array(forward(self.vector), vector.dtype)

        def backward(self, gradient: Tensor) -> Tensor:
            return _array(backward(self.vector, gradient.asnumpy()), gradient.dtype).as_nd_ndarray()

    return lambda vector: Function()(vector)


class mxnet_backend(TensorBackend):
    """The operations of `TensorBackend` on MXNet's arrays, with gradients by ``mxnet.autograd``.

    Choosing the backend switches on NumPy's shape semantics (``mxnet.npx``) in the thread that does so.
    """

    __slots__ = ()
    framework = "mxnet"
    array_type: ClassVar[Any] = mx.nd.NDArray
    array_subtype: ClassVar[Any] = mx.nd.NDArray

    def _setup(self) -> None:
        mx.util.set_np_shape(True)

    def to_numpy(self, tensor_in: Tensor) -> Any:
        return tensor_in.asnumpy()

    def sqrt(self, tensor_in: TensorLike) -> Tensor:
        return mx.np.sqrt(*self._floats(tensor_in))

    def log(self, tensor_in: TensorLike) -> Tensor:
        return mx.np.log(*self._floats(tensor_in))

    def exp(self, tensor_in: TensorLike) -> Tensor:
        return mx.np.exp(*self._floats(tensor_in))

    def erf(self, tensor_in: TensorLike) -> Tensor:
        return _elementwise(special.erf, _erf_slope, *self._floats(tensor_in))

    def erfinv(self, tensor_in: TensorLike) -> Tensor:
        return _elementwise(special.erfinv, _erfinv_slope, *self._floats(tensor_in))

    def isfinite(self, tensor: TensorLike) -> Tensor:
        return mx.np.isfinite(*self._floats(tensor))

    def einsum(self, subscripts: str, *operands: TensorLike) -> Tensor:
        return mx.np.einsum(subscripts, *self._alike(*operands))

    @staticmethod
    def _native(dtype: np.dtype[Any]) -> Any:
        return dtype.type

    @staticmethod
    def _dtype_of(tensor: Tensor) -> np.dtype[Any]:
        return np.dtype(tensor.dtype)

    def _tensor(self, value: TensorLike) -> Tensor:
        return _modern(value) if isinstance(value, mx.nd.NDArray) else super()._tensor(value)

    def _convert(self, values: TensorLike, dtype: np.dtype[Any]) -> Tensor:
        return _array(np.asarray(values, dtype=dtype), dtype)

    def _cast(self, tensor: Tensor, dtype: np.dtype[Any]) -> Tensor:
        tensor = _modern(tensor)
        return tensor if tensor.dtype == dtype else tensor.astype(dtype.name)

    def _full(self, shape: tuple[int, ...], value: float, dtype: np.dtype[Any]) -> Tensor:
        return _array(np.full(shape, value, dtype=dtype), dtype)

    def _abs(self, tensor: Tensor) -> Tensor:
        return mx.np.abs(tensor)

    def _floor(self, tensor: Tensor) -> Tensor:
        return mx.np.floor(tensor)

    def _maximum(self, left: Tensor, right: Tensor) -> Tensor:
        return mx.np.maximum(left, right)

    def _minimum(self, left: Tensor, right: Tensor) -> Tensor:
        return mx.np.minimum(left, right)

    def _power(self, base: Tensor, exponent: Tensor) -> Tensor:
        base, exponent = self.simple_broadcast(base, exponent)
        both = mx.np.concatenate([mx.np.reshape(base, (-1,)), mx.np.reshape(exponent, (-1,))])
        return mx.np.reshape(_power(both) if both.size else both, base.shape)

    def _erfc(self, tensor: Tensor) -> Tensor:
        return _elementwise(special.erfc, lambda x, _: -_erf_slope(x, _), tensor)

    def _log_gamma(self, tensor: Tensor) -> Tensor:
        return _elementwise(special.gammaln, lambda x, _: special.digamma(x), tensor)

    def _where(self, mask: Tensor, left: Tensor, right: Tensor) -> Tensor:
        shape = np.broadcast_shapes(mask.shape, left.shape, right.shape)
        if 0 in shape:  # where MXNet would crash
            return mx.np.broadcast_to(left, shape)
        return mx.np.where(mask, left, right)

    def _sum(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return mx.np.sum(tensor, axis=axes)

    def _product(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        turned = self._axes_first(tensor, axes)
        n_factors, rest = turned.shape[0], turned.shape[1:]
        if 0 in turned.shape:
            return mx.np.sum(turned, axis=0) + 1
        vector = mx.np.reshape(turned, (-1,))
        if self._dtype_of(tensor).kind != "f":
            return self._convert(np.prod(vector.asnumpy().reshape(n_factors, -1), axis=0), vector.dtype).reshape(rest)
        return mx.np.reshape(_product(n_factors)(vector), rest)

    def _sorted(self, tensor: Tensor) -> Tensor:
        order = np.argsort(tensor.asnumpy(), axis=0).reshape(tensor.shape[0], -1)
        places = order * order.shape[1] + np.arange(order.shape[1])
        return mx.np.reshape(self._gather(mx.np.reshape(tensor, (-1,)), places.ravel()), tensor.shape)

    def _reshape(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return mx.np.reshape(tensor, shape)

    def _transpose(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        if tensor.dtype == np.bool_:
            return mx.np.transpose(tensor.astype("uint8"), axes).astype("bool")
        return mx.np.transpose(tensor, axes)

    def _broadcast_to(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return mx.np.broadcast_to(tensor, shape)

    def _tile(self, tensor: Tensor, repeats: tuple[int, ...]) -> Tensor:
        return mx.np.tile(tensor, repeats)

    def _concatenate(self, tensors: list[Tensor], axis: int) -> Tensor:
        return mx.np.concatenate(tensors, axis=axis)

    def _stack(self, tensors: list[Tensor], axis: int) -> Tensor:
        if len({tensor.shape for tensor in tensors}) > 1:  # MXNet would say so too late
            raise ValueError(f"tensors to be stacked need one shape, not {[tensor.shape for tensor in tensors]}")
        return mx.np.stack(tensors, axis=axis)

    def _gather(self, tensor: Tensor, indices: Any) -> Tensor:
        places = indices.asnumpy() if isinstance(indices, mx.nd.NDArray) else indices
        length = tensor.shape[0]
        if places.size == 0:  # MXNet would leave its gradients undefined
            return self._full((*places.shape, *tensor.shape[1:]), 0, self._dtype_of(tensor))
        if not (-length <= places.min() and places.max() < length):
            raise IndexError(f"an index is out of range: the first axis has {length} entries")
        return mx.np.take(tensor, _array(places % length, np.int64), axis=0, mode="clip")

    def _boolean_mask(self, tensor: Tensor, mask: Tensor) -> Tensor:
        if mask.shape != tensor.shape[: mask.ndim]:
            raise IndexError(f"a mask of shape {mask.shape} does not fit a tensor of shape {tensor.shape}")
        entries = mx.np.reshape(tensor, (mask.size, *tensor.shape[mask.ndim :]))
        return self._gather(entries, np.flatnonzero(mask.asnumpy()))

    def _draw_poisson(self, rate: Tensor, shape: tuple[int, ...]) -> Tensor:
        # MXNet's own counts are drawn in single precision; its seed makes these ones repeatable, too.
        seed = mx.np.random.randint(0, 2**31 - 1, size=4).asnumpy().tolist()
        return self._convert(np.random.default_rng(seed).poisson(rate.asnumpy(), shape), self._dtype_of(rate))

    def _draw_normal(self, loc: Tensor, scale: Tensor, shape: tuple[int, ...]) -> Tensor:
        return loc + scale * mx.np.random.normal(0.0, 1.0, size=shape, dtype=np.dtype(loc.dtype).name)


def _array(values: Any, dtype: Any) -> Tensor:
    return mx.np.array(values, dtype=np.dtype(dtype).name)


def _modern(tensor: Tensor) -> Tensor:
    """The same memory as an array of ``mxnet.np``."""
    return tensor if isinstance(tensor, mx.np.ndarray) else tensor.as_np_ndarray()


def _elementwise(function: Callable[[Any], Any], slope: Callable[[Any, Any], Any], tensor: Tensor) -> Tensor:
    """A function of each value, with its derivative as a function of value and result."""

    def backward(vector: Any, gradient: Any) -> Any:
        return gradient * slope(vector, function(vector))

    if tensor.size == 0:
        return tensor
    vector = mx.np.reshape(tensor, (-1,))
    return mx.np.reshape(host_function(function, backward)(vector), tensor.shape)


def _erf_slope(x: Any, _: Any) -> Any:
    return 2 / math.sqrt(math.pi) * np.exp(-x * x)


def _erfinv_slope(_: Any, result: Any) -> Any:
    return math.sqrt(math.pi) / 2 * np.exp(result * result)


def _power(both: Tensor) -> Tensor:
    def forward(both: Any) -> Any:
        return np.power(*np.split(both, 2))

    def backward(both: Any, gradient: Any) -> Any:
        base, exponent = np.split(both, 2)
        of_base = np.where(exponent == 0, 0, exponent * np.power(base, np.where(exponent == 0, 1, exponent - 1)))
        logarithm = np.log(np.where(base > 0, base, 1))
        return np.concatenate([gradient * of_base, gradient * np.power(base, exponent) * logarithm])

    return host_function(forward, backward)(both)


def _product(n_factors: int) -> Callable[[Tensor], Tensor]:
    """The products of a matrix's columns, from its flat form; its derivatives are finite where factors are 0."""

    def forward(vector: Any) -> Any:
        return np.prod(vector.reshape(n_factors, -1), axis=0)

    def backward(vector: Any, gradient: Any) -> Any:
        factors = vector.reshape(n_factors, -1)
        ones = np.ones_like(factors[:1])
        before = np.cumprod(np.concatenate([ones, factors[:-1]]), axis=0)
        after = np.cumprod(np.concatenate([ones, factors[:0:-1]]), axis=0)[::-1]
        return (gradient * before * after).ravel()

    return host_function(forward, backward)


for _name in dir(TensorBackend):
    if callable(getattr(TensorBackend, _name)) and (not _name.startswith("_") or _name.startswith("_draw")):
        setattr(mxnet_backend, _name, mx.util.use_np_shape(getattr(mxnet_backend, _name)))
