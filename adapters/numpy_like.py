"""Backends whose framework has the functions of NumPy, and those of ``scipy.special``, under the same names."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from pyhf_func.adapters.contract import Tensor, TensorBackend, TensorLike


class NumpyLike(TensorBackend):
    """The operations of `TensorBackend` that are written alike for all of them.

    Attributes:
        _library: The module with NumPy's functions.
        _special: The module with those of ``scipy.special``.
    """

    __slots__ = ()
    _library: ClassVar[Any]
    _special: ClassVar[Any]

    def to_numpy(self, tensor_in: Tensor) -> Any:
        return np.asarray(tensor_in)

    def sqrt(self, tensor_in: TensorLike) -> Tensor:
        return self._library.sqrt(*self._floats(tensor_in))

    def log(self, tensor_in: TensorLike) -> Tensor:
        return self._library.log(*self._floats(tensor_in))

    def exp(self, tensor_in: TensorLike) -> Tensor:
        return self._library.exp(*self._floats(tensor_in))

    def erf(self, tensor_in: TensorLike) -> Tensor:
        return self._special.erf(*self._floats(tensor_in))

    def erfinv(self, tensor_in: TensorLike) -> Tensor:
        return self._special.erfinv(*self._floats(tensor_in))

    def isfinite(self, tensor: TensorLike) -> Tensor:
        return self._library.isfinite(self._tensor(tensor))

    def einsum(self, subscripts: str, *operands: TensorLike) -> Tensor:
        return self._library.einsum(subscripts, *self._alike(*operands))

    @staticmethod
    def _native(dtype: np.dtype[Any]) -> Any:
        return dtype.type

    @staticmethod
    def _dtype_of(tensor: Tensor) -> np.dtype[Any]:
        return np.dtype(tensor.dtype)

    def _abs(self, tensor: Tensor) -> Tensor:
        return self._library.abs(tensor)

    def _floor(self, tensor: Tensor) -> Tensor:
        return self._library.floor(tensor)

    def _maximum(self, left: Tensor, right: Tensor) -> Tensor:
        return self._library.maximum(left, right)

    def _minimum(self, left: Tensor, right: Tensor) -> Tensor:
        return self._library.minimum(left, right)

    def _power(self, base: Tensor, exponent: Tensor) -> Tensor:
        return self._library.power(base, exponent)

    def _erfc(self, tensor: Tensor) -> Tensor:
        return self._special.erfc(tensor)

    def _log_gamma(self, tensor: Tensor) -> Tensor:
        return self._special.gammaln(tensor)

    def _where(self, mask: Tensor, left: Tensor, right: Tensor) -> Tensor:
        return self._library.where(mask, left, right)

    def _sum(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return self._library.sum(tensor, axis=axes)

    def _product(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return self._library.prod(tensor, axis=axes)

    def _sorted(self, tensor: Tensor) -> Tensor:
        return self._library.sort(tensor, axis=0)

    def _reshape(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return self._library.reshape(tensor, shape)

    def _transpose(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return self._library.transpose(tensor, axes)

    def _broadcast_to(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return self._library.broadcast_to(tensor, shape)

    def _tile(self, tensor: Tensor, repeats: tuple[int, ...]) -> Tensor:
        return self._library.tile(tensor, repeats)

    def _concatenate(self, tensors: list[Tensor], axis: int) -> Tensor:
        return self._library.concatenate(tensors, axis=axis)

    def _stack(self, tensors: list[Tensor], axis: int) -> Tensor:
        return self._library.stack(tensors, axis=axis)

    def _boolean_mask(self, tensor: Tensor, mask: Tensor) -> Tensor:
        return tensor[mask]
