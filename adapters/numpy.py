"""The NumPy backend, with the special functions of SciPy: the default, and the reference of the others."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy import special

from pyhf_func.adapters.contract import Tensor, TensorBackend, TensorLike

__all__ = ["numpy_backend"]


def __dir__() -> list[str]:
    return __all__


class numpy_backend(TensorBackend):
    """The operations of `TensorBackend` on NumPy arrays; scalars (``np.float64``) count as tensors of shape ().

    Example:
        >>> tensorlib = numpy_backend(precision="32b")
        >>> tensorlib.astensor([1, 2]).dtype
        dtype('float32')
    """

    __slots__ = ()
    framework = "numpy"
    differentiable = False
    array_type: ClassVar[Any] = np.ndarray
    array_subtype: ClassVar[Any] = np.number

    def _tensor(self, value: TensorLike) -> Tensor:
        return np.asarray(value) if isinstance(value, np.generic) else super()._tensor(value)

    def _alike(self, *values: TensorLike, floats: bool = False) -> list[Tensor]:
        arrays = (np.asarray(value) if isinstance(value, np.generic) else value for value in values)
        return super()._alike(*arrays, floats=floats)

    def to_numpy(self, tensor_in: Tensor) -> Any:
        return np.asarray(tensor_in)

    def sqrt(self, tensor_in: TensorLike) -> Tensor:
        return np.sqrt(*self._floats(tensor_in))

    def log(self, tensor_in: TensorLike) -> Tensor:
        return np.log(*self._floats(tensor_in))

    def exp(self, tensor_in: TensorLike) -> Tensor:
        return np.exp(*self._floats(tensor_in))

    def erf(self, tensor_in: TensorLike) -> Tensor:
        return special.erf(*self._floats(tensor_in))

    def erfinv(self, tensor_in: TensorLike) -> Tensor:
        return special.erfinv(*self._floats(tensor_in))

    def isfinite(self, tensor: TensorLike) -> Tensor:
        return np.isfinite(self._tensor(tensor))

    def einsum(self, subscripts: str, *operands: TensorLike) -> Tensor:
        return np.einsum(subscripts, *self._alike(*operands))

    @staticmethod
    def _native(dtype: np.dtype[Any]) -> Any:
        return dtype.type

    @staticmethod
    def _dtype_of(tensor: Tensor) -> np.dtype[Any]:
        return np.dtype(tensor.dtype)

    def _convert(self, values: TensorLike, dtype: np.dtype[Any]) -> Tensor:
        return np.asarray(values, dtype=dtype)

    def _cast(self, tensor: Tensor, dtype: np.dtype[Any]) -> Tensor:
        return np.asarray(tensor, dtype=dtype)

    def _full(self, shape: tuple[int, ...], value: float, dtype: np.dtype[Any]) -> Tensor:
        return np.full(shape, value, dtype=dtype)

    def _abs(self, tensor: Tensor) -> Tensor:
        return np.abs(tensor)

    def _floor(self, tensor: Tensor) -> Tensor:
        return np.floor(tensor)

    def _maximum(self, left: Tensor, right: Tensor) -> Tensor:
        return np.maximum(left, right)

    def _minimum(self, left: Tensor, right: Tensor) -> Tensor:
        return np.minimum(left, right)

    def _power(self, base: Tensor, exponent: Tensor) -> Tensor:
        return np.power(base, exponent)

    def _erfc(self, tensor: Tensor) -> Tensor:
        return special.erfc(tensor)

    def _log_gamma(self, tensor: Tensor) -> Tensor:
        return special.gammaln(tensor)

    def _where(self, mask: Tensor, left: Tensor, right: Tensor) -> Tensor:
        return np.where(mask, left, right)

    def _sum(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return np.sum(tensor, axis=axes)

    def _product(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return np.prod(tensor, axis=axes)

    def _sorted(self, tensor: Tensor) -> Tensor:
        return np.sort(tensor, axis=0)

    def _reshape(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return np.reshape(tensor, shape)

    def _transpose(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return np.transpose(tensor, axes)

    def _broadcast_to(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return np.broadcast_to(tensor, shape)

    def _tile(self, tensor: Tensor, repeats: tuple[int, ...]) -> Tensor:
        return np.tile(tensor, repeats)

    def _concatenate(self, tensors: list[Tensor], axis: int) -> Tensor:
        return np.concatenate(tensors, axis=axis)

    def _stack(self, tensors: list[Tensor], axis: int) -> Tensor:
        return np.stack(tensors, axis=axis)

    def _gather(self, tensor: Tensor, indices: Tensor) -> Tensor:
        return tensor[indices]

    def _boolean_mask(self, tensor: Tensor, mask: Tensor) -> Tensor:
        return tensor[mask]

    # The legacy generator is the one that np.random.seed makes repeatable, as scripts do.

    def _draw_poisson(self, rate: Tensor, shape: tuple[int, ...]) -> Tensor:
        return np.asarray(np.random.poisson(rate, shape), dtype=rate.dtype)  # noqa: NPY002

    def _draw_normal(self, loc: Tensor, scale: Tensor, shape: tuple[int, ...]) -> Tensor:
        return loc + scale * np.asarray(np.random.standard_normal(shape), dtype=loc.dtype)  # noqa: NPY002
