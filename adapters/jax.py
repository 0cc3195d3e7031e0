"""The JAX backend: every operation can be traced, but for `boolean_mask` and samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from pyhf_func.adapters.contract import Tensor, TensorBackend, TensorLike

__all__ = ["jax_backend"]


def __dir__() -> list[str]:
    return __all__


class jax_backend(TensorBackend):
    """The operations of `TensorBackend` on JAX arrays and tracers.

    Example:
        >>> import jax
        >>> tensorlib = jax_backend()
        >>> jax.grad(lambda rate: tensorlib.poisson_logpdf(5.0, rate))(4.0).item()
        0.25
    """

    __slots__ = ()
    framework = "jax"
    array_type: ClassVar[Any] = jax.Array
    array_subtype: ClassVar[Any] = jax.Array

    def to_numpy(self, tensor_in: Tensor) -> Any:
        return np.asarray(tensor_in)

    def sqrt(self, tensor_in: TensorLike) -> Tensor:
        return jnp.sqrt(*self._floats(tensor_in))

    def log(self, tensor_in: TensorLike) -> Tensor:
        return jnp.log(*self._floats(tensor_in))

    def exp(self, tensor_in: TensorLike) -> Tensor:
        return jnp.exp(*self._floats(tensor_in))

    def erf(self, tensor_in: TensorLike) -> Tensor:
        return special.erf(*self._floats(tensor_in))

    def erfinv(self, tensor_in: TensorLike) -> Tensor:
        return special.erfinv(*self._floats(tensor_in))

    def isfinite(self, tensor: TensorLike) -> Tensor:
        return jnp.isfinite(self._tensor(tensor))

    def conditional(
        self,
        predicate: TensorLike,
        true_callable: Callable[[], Tensor],
        false_callable: Callable[[], Tensor],
    ) -> Tensor:
        if isinstance(predicate, jax.core.Tracer):
            return jax.lax.cond(jnp.reshape(predicate, ()), true_callable, false_callable)
        return super().conditional(predicate, true_callable, false_callable)

    def einsum(self, subscripts: str, *operands: TensorLike) -> Tensor:
        return jnp.einsum(subscripts, *self._alike(*operands))

    @staticmethod
    def _native(dtype: np.dtype[Any]) -> Any:
        return dtype.type

    @staticmethod
    def _dtype_of(tensor: Tensor) -> np.dtype[Any]:
        return np.dtype(tensor.dtype)

    def _convert(self, values: TensorLike, dtype: np.dtype[Any]) -> Tensor:
        return jnp.asarray(np.asarray(values, dtype=dtype))

    def _cast(self, tensor: Tensor, dtype: np.dtype[Any]) -> Tensor:
        return tensor if tensor.dtype == dtype else tensor.astype(dtype)

    def _full(self, shape: tuple[int, ...], value: float, dtype: np.dtype[Any]) -> Tensor:
        return jnp.asarray(np.full(shape, value, dtype=dtype))

    def _abs(self, tensor: Tensor) -> Tensor:
        return jnp.abs(tensor)

    def _floor(self, tensor: Tensor) -> Tensor:
        return jnp.floor(tensor)

    def _maximum(self, left: Tensor, right: Tensor) -> Tensor:
        return jnp.maximum(left, right)

    def _minimum(self, left: Tensor, right: Tensor) -> Tensor:
        return jnp.minimum(left, right)

    def _power(self, base: Tensor, exponent: Tensor) -> Tensor:
        return jnp.power(base, exponent)

    def _erfc(self, tensor: Tensor) -> Tensor:
        return special.erfc(tensor)

    def _log_gamma(self, tensor: Tensor) -> Tensor:
        return special.gammaln(tensor)

    def _where(self, mask: Tensor, left: Tensor, right: Tensor) -> Tensor:
        return jnp.where(mask, left, right)

    def _sum(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return jnp.sum(tensor, axis=axes)

    def _product(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return jnp.prod(tensor, axis=axes)

    def _sorted(self, tensor: Tensor) -> Tensor:
        return jnp.sort(tensor, axis=0)

    def _reshape(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return jnp.reshape(tensor, shape)

    def _transpose(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return jnp.transpose(tensor, axes)

    def _broadcast_to(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return jnp.broadcast_to(tensor, shape)

    def _tile(self, tensor: Tensor, repeats: tuple[int, ...]) -> Tensor:
        return jnp.tile(tensor, repeats)

    def _concatenate(self, tensors: list[Tensor], axis: int) -> Tensor:
        return jnp.concatenate(tensors, axis=axis)

    def _stack(self, tensors: list[Tensor], axis: int) -> Tensor:
        return jnp.stack(tensors, axis=axis)

    def _gather(self, tensor: Tensor, indices: Tensor) -> Tensor:
        return jnp.asarray(tensor)[indices]

    def _boolean_mask(self, tensor: Tensor, mask: Tensor) -> Tensor:
        return tensor[mask]

    # NumPy's legacy generator, as of the NumPy backend: what np.random.seed makes repeatable stays so.

    def _draw_poisson(self, rate: Tensor, shape: tuple[int, ...]) -> Tensor:
        return self._convert(np.random.poisson(np.asarray(rate), shape), rate.dtype)  # noqa: NPY002

    def _draw_normal(self, loc: Tensor, scale: Tensor, shape: tuple[int, ...]) -> Tensor:
        return loc + scale * self._convert(np.random.standard_normal(shape), loc.dtype)  # noqa: NPY002
