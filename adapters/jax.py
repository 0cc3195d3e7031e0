"""The JAX backend: every operation can be traced, but for `boolean_mask` and samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from pyhf_func.adapters.contract import Tensor, TensorLike
from pyhf_func.adapters.numpy_like import NumpyLike

__all__ = ["jax_backend"]


def __dir__() -> list[str]:
    return __all__


class jax_backend(NumpyLike):
    """The operations of `TensorBackend` on JAX arrays and tracers.

    Example:
        >>> import jax
        >>> tensorlib = jax_backend()
        >>> jax.grad(lambda rate: tensorlib.poisson_logpdf(5.0, rate))(4.0).item()
        0.25
    """

    __slots__ = ()
    framework = "jax"
    _library: ClassVar[Any] = jnp
    _special: ClassVar[Any] = special
    array_type: ClassVar[Any] = jax.Array
    array_subtype: ClassVar[Any] = jax.Array

    def conditional(
        self,
        predicate: TensorLike,
        true_callable: Callable[[], Tensor],
        false_callable: Callable[[], Tensor],
    ) -> Tensor:
        if isinstance(predicate, jax.core.Tracer):
            return jax.lax.cond(jnp.reshape(predicate, ()), true_callable, false_callable)
        return super().conditional(predicate, true_callable, false_callable)

    def _meeting(self, *values: TensorLike, floats: bool = True) -> list[Tensor]:
        """Of one rank, where ``jax_numpy_rank_promotion`` is set to raise, too."""
        tensors = super()._meeting(*values, floats=floats)
        same = len({tensor.ndim for tensor in tensors} - {0}) <= 1
        return tensors if same else list(jnp.broadcast_arrays(*tensors))

    def _convert(self, values: TensorLike, dtype: np.dtype[Any]) -> Tensor:
        return jnp.asarray(np.asarray(values, dtype=dtype))

    def _cast(self, tensor: Tensor, dtype: np.dtype[Any]) -> Tensor:
        return tensor if tensor.dtype == dtype else tensor.astype(dtype)

    def _full(self, shape: tuple[int, ...], value: float, dtype: np.dtype[Any]) -> Tensor:
        return jnp.asarray(np.full(shape, value, dtype=dtype))

    def _gather(self, tensor: Tensor, indices: Tensor) -> Tensor:
        return jnp.asarray(tensor)[indices]

    # NumPy's legacy generator, as of the NumPy backend: what np.random.seed makes repeatable stays so.

    def _draw_poisson(self, rate: Tensor, shape: tuple[int, ...]) -> Tensor:
        return self._convert(np.random.poisson(np.asarray(rate), shape), rate.dtype)  # noqa: NPY002

    def _draw_normal(self, loc: Tensor, scale: Tensor, shape: tuple[int, ...]) -> Tensor:
        loc, scale, draws = self._meeting(loc, scale, np.random.standard_normal(shape))  # noqa: NPY002
        return loc + scale * draws
