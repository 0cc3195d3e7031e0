"""The NumPy backend, with the special functions of SciPy: the default, and the reference of the others."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy import special

from pyhf_func.adapters.contract import Tensor, TensorLike
from pyhf_func.adapters.numpy_like import NumpyLike

__all__ = ["numpy_backend"]


def __dir__() -> list[str]:
    return __all__


class numpy_backend(NumpyLike):
    """The operations of `TensorBackend` on NumPy arrays; scalars (``np.float64``) count as tensors of shape ().

    Example:
        >>> tensorlib = numpy_backend(precision="32b")
        >>> tensorlib.astensor([1, 2]).dtype
        dtype('float32')
    """

    __slots__ = ()
    framework = "numpy"
    differentiable = False
    _library: ClassVar[Any] = np
    _special: ClassVar[Any] = special
    array_type: ClassVar[Any] = np.ndarray
    array_subtype: ClassVar[Any] = np.number

    def _tensor(self, value: TensorLike) -> Tensor:
        return np.asarray(value) if isinstance(value, np.generic) else super()._tensor(value)

    def _alike(self, *values: TensorLike, floats: bool = False) -> list[Tensor]:
        arrays = (np.asarray(value) if isinstance(value, np.generic) else value for value in values)
        return super()._alike(*arrays, floats=floats)

    def _convert(self, values: TensorLike, dtype: np.dtype[Any]) -> Tensor:
        return np.asarray(values, dtype=dtype)

    def _cast(self, tensor: Tensor, dtype: np.dtype[Any]) -> Tensor:
        return np.asarray(tensor, dtype=dtype)

    def _full(self, shape: tuple[int, ...], value: float, dtype: np.dtype[Any]) -> Tensor:
        return np.full(shape, value, dtype=dtype)

    def _gather(self, tensor: Tensor, indices: Tensor) -> Tensor:
        return tensor[indices]

    # The legacy generator is the one that np.random.seed makes repeatable, as scripts do.

    def _draw_poisson(self, rate: Tensor, shape: tuple[int, ...]) -> Tensor:
        return np.asarray(np.random.poisson(rate, shape), dtype=rate.dtype)  # noqa: NPY002

    def _draw_normal(self, loc: Tensor, scale: Tensor, shape: tuple[int, ...]) -> Tensor:
        return loc + scale * np.asarray(np.random.standard_normal(shape), dtype=loc.dtype)  # noqa: NPY002
