"""The TensorFlow backend, eager and inside ``tf.function``; TensorFlow Probability is not needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from pyhf_func.adapters.contract import Tensor, TensorBackend, TensorLike, missing_framework

try:
    import tensorflow as tf
except ImportError as error:
    raise missing_framework("TensorFlow", "pip install 'pyhf-func[tensorflow]'") from error

__all__ = ["tensorflow_backend"]


def __dir__() -> list[str]:
    return __all__


class tensorflow_backend(TensorBackend):
    """The operations of `TensorBackend` on TensorFlow's tensors and variables, with gradients by GradientTape."""

    __slots__ = ()
    framework = "tensorflow"
    array_type: ClassVar[Any] = tf.Tensor
    array_subtype: ClassVar[Any] = tf.Tensor
    _tensor_types: ClassVar[tuple[type, ...]] = (tf.Tensor, tf.Variable)

    def to_numpy(self, tensor_in: Tensor) -> Any:
        return tensor_in.numpy()

    def sqrt(self, tensor_in: TensorLike) -> Tensor:
        return tf.sqrt(*self._floats(tensor_in))

    def log(self, tensor_in: TensorLike) -> Tensor:
        return tf.math.log(*self._floats(tensor_in))

    def exp(self, tensor_in: TensorLike) -> Tensor:
        return tf.exp(*self._floats(tensor_in))

    def erf(self, tensor_in: TensorLike) -> Tensor:
        return tf.math.erf(*self._floats(tensor_in))

    def erfinv(self, tensor_in: TensorLike) -> Tensor:
        return tf.math.erfinv(*self._floats(tensor_in))

    def isfinite(self, tensor: TensorLike) -> Tensor:
        return tf.math.is_finite(*self._floats(tensor))

    def conditional(
        self,
        predicate: TensorLike,
        true_callable: Callable[[], Tensor],
        false_callable: Callable[[], Tensor],
    ) -> Tensor:
        if isinstance(predicate, tf.Tensor) and not tf.executing_eagerly():
            return tf.cond(tf.reshape(predicate, ()), true_callable, false_callable)
        return super().conditional(predicate, true_callable, false_callable)

    def einsum(self, subscripts: str, *operands: TensorLike) -> Tensor:
        return tf.einsum(subscripts, *self._alike(*operands))

    @staticmethod
    def _native(dtype: np.dtype[Any]) -> Any:
        return tf.as_dtype(dtype)

    @staticmethod
    def _dtype_of(tensor: Tensor) -> np.dtype[Any]:
        return np.dtype(tensor.dtype.as_numpy_dtype)

    def _tensor(self, value: TensorLike) -> Tensor:
        return tf.convert_to_tensor(value) if isinstance(value, tf.Variable) else super()._tensor(value)

    def _convert(self, values: TensorLike, dtype: np.dtype[Any]) -> Tensor:
        return tf.convert_to_tensor(np.asarray(values, dtype=dtype))

    def _cast(self, tensor: Tensor, dtype: np.dtype[Any]) -> Tensor:
        return tensor if tensor.dtype == dtype else tf.cast(tensor, dtype)

    def _full(self, shape: tuple[int, ...], value: float, dtype: np.dtype[Any]) -> Tensor:
        return tf.fill(shape, tf.constant(dtype.type(value)))

    def _abs(self, tensor: Tensor) -> Tensor:
        return tf.abs(tensor)

    def _floor(self, tensor: Tensor) -> Tensor:
        return tf.floor(tensor)

    def _maximum(self, left: Tensor, right: Tensor) -> Tensor:
        return tf.maximum(left, right)

    def _minimum(self, left: Tensor, right: Tensor) -> Tensor:
        return tf.minimum(left, right)

    def _power(self, base: Tensor, exponent: Tensor) -> Tensor:
        return tf.pow(base, exponent)

    def _erfc(self, tensor: Tensor) -> Tensor:
        return tf.math.erfc(tensor)

    def _log_gamma(self, tensor: Tensor) -> Tensor:
        return tf.math.lgamma(tensor)

    def _where(self, mask: Tensor, left: Tensor, right: Tensor) -> Tensor:
        return tf.where(mask, left, right)

    def _sum(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return tf.reduce_sum(tensor, axis=axes)

    def _product(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return tf.reduce_prod(tensor, axis=axes)

    def _sorted(self, tensor: Tensor) -> Tensor:
        return tf.sort(tensor, axis=0)

    def _reshape(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return tf.reshape(tensor, shape)

    def _transpose(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return tf.transpose(tensor, axes)

    def _broadcast_to(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return tf.broadcast_to(tensor, shape)

    def _tile(self, tensor: Tensor, repeats: tuple[int, ...]) -> Tensor:
        return tf.tile(tensor, repeats)

    def _concatenate(self, tensors: list[Tensor], axis: int) -> Tensor:
        return tf.concat(tensors, axis=axis)

    def _stack(self, tensors: list[Tensor], axis: int) -> Tensor:
        return tf.stack(tensors, axis=axis)

    def _gather(self, tensor: Tensor, indices: Tensor) -> Tensor:
        length = tf.shape(tensor, out_type=indices.dtype)[0]
        return tf.gather(tensor, tf.where(indices < 0, indices + length, indices))

    def _boolean_mask(self, tensor: Tensor, mask: Tensor) -> Tensor:
        return tf.boolean_mask(tensor, mask)

    def _draw_poisson(self, rate: Tensor, shape: tuple[int, ...]) -> Tensor:
        return tf.random.poisson(shape[: len(shape) - rate.shape.rank], rate, dtype=rate.dtype)

    def _draw_normal(self, loc: Tensor, scale: Tensor, shape: tuple[int, ...]) -> Tensor:
        return loc + scale * tf.random.normal(shape, dtype=loc.dtype)
