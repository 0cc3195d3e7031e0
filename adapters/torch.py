"""The PyTorch backend."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from pyhf_func.adapters.contract import Tensor, TensorBackend, TensorLike, missing_framework

try:
    import torch
except ImportError as error:
    raise missing_framework("PyTorch", "pip install 'pyhf-func[torch]'") from error

__all__ = ["pytorch_backend"]

_NATIVE = {
    np.dtype(name): getattr(torch, name)
    for name in ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
}
_NUMPY = {native: dtype for dtype, native in _NATIVE.items()}


def __dir__() -> list[str]:
    return __all__


class pytorch_backend(TensorBackend):
    """The operations of `TensorBackend` on PyTorch tensors, with gradients by autograd.

    Choosing the backend sets PyTorch's default type to its float type.
    """

    __slots__ = ()
    framework = "pytorch"
    array_type: ClassVar[Any] = torch.Tensor
    array_subtype: ClassVar[Any] = torch.Tensor

    def _setup(self) -> None:
        torch.set_default_dtype(self.dtypemap["float"])

    def to_numpy(self, tensor_in: Tensor) -> Any:
        return tensor_in.detach().cpu().numpy()

    def sqrt(self, tensor_in: TensorLike) -> Tensor:
        return torch.sqrt(*self._floats(tensor_in))

    def log(self, tensor_in: TensorLike) -> Tensor:
        return torch.log(*self._floats(tensor_in))

    def exp(self, tensor_in: TensorLike) -> Tensor:
        return torch.exp(*self._floats(tensor_in))

    def erf(self, tensor_in: TensorLike) -> Tensor:
        return torch.erf(*self._floats(tensor_in))

    def erfinv(self, tensor_in: TensorLike) -> Tensor:
        return torch.erfinv(*self._floats(tensor_in))

    def isfinite(self, tensor: TensorLike) -> Tensor:
        return torch.isfinite(self._tensor(tensor))

    def einsum(self, subscripts: str, *operands: TensorLike) -> Tensor:
        return torch.einsum(subscripts, *self._alike(*operands))

    def normal_logpdf(self, x: TensorLike, mu: TensorLike, sigma: TensorLike) -> Tensor:
        x, mu, sigma = self._floats(x, mu, sigma)
        if not bool((sigma > 0).all()):
            raise ValueError("the standard deviation of a normal distribution must be positive")
        return super().normal_logpdf(x, mu, sigma)

    @staticmethod
    def _native(dtype: np.dtype[Any]) -> Any:
        return _NATIVE[dtype]

    @staticmethod
    def _dtype_of(tensor: Tensor) -> np.dtype[Any]:
        return _NUMPY[tensor.dtype]

    def _convert(self, values: TensorLike, dtype: np.dtype[Any]) -> Tensor:
        return torch.from_numpy(np.require(np.asarray(values, dtype=dtype), requirements=["C", "W"]))

    def _cast(self, tensor: Tensor, dtype: np.dtype[Any]) -> Tensor:
        return tensor.to(_NATIVE[dtype])

    def _full(self, shape: tuple[int, ...], value: float, dtype: np.dtype[Any]) -> Tensor:
        return torch.full(shape, value, dtype=_NATIVE[dtype])

    def _abs(self, tensor: Tensor) -> Tensor:
        return torch.abs(tensor)

    def _floor(self, tensor: Tensor) -> Tensor:
        return torch.floor(tensor)

    def _maximum(self, left: Tensor, right: Tensor) -> Tensor:
        return torch.maximum(left, right)

    def _minimum(self, left: Tensor, right: Tensor) -> Tensor:
        return torch.minimum(left, right)

    def _power(self, base: Tensor, exponent: Tensor) -> Tensor:
        return torch.pow(base, exponent)

    def _erfc(self, tensor: Tensor) -> Tensor:
        return torch.erfc(tensor)

    def _log_gamma(self, tensor: Tensor) -> Tensor:
        return torch.lgamma(tensor)

    def _where(self, mask: Tensor, left: Tensor, right: Tensor) -> Tensor:
        return torch.where(mask, left, right)

    def _sum(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return torch.sum(tensor, dim=axes)

    def _product(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        for axis in sorted((axis % tensor.ndim for axis in axes), reverse=True):
            tensor = torch.prod(tensor, dim=axis)
        return tensor

    def _sorted(self, tensor: Tensor) -> Tensor:
        return torch.sort(tensor, dim=0).values

    def _reshape(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return torch.reshape(tensor, shape)

    def _transpose(self, tensor: Tensor, axes: tuple[int, ...]) -> Tensor:
        return torch.permute(tensor, axes)

    def _broadcast_to(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        return torch.broadcast_to(tensor, shape)

    def _tile(self, tensor: Tensor, repeats: tuple[int, ...]) -> Tensor:
        return torch.tile(tensor, repeats)

    def _concatenate(self, tensors: list[Tensor], axis: int) -> Tensor:
        return torch.cat(tensors, dim=axis)

    def _stack(self, tensors: list[Tensor], axis: int) -> Tensor:
        return torch.stack(tensors, dim=axis)

    def _gather(self, tensor: Tensor, indices: Tensor) -> Tensor:
        return tensor[indices.long()]

    def _boolean_mask(self, tensor: Tensor, mask: Tensor) -> Tensor:
        return tensor[mask]

    def _draw_poisson(self, rate: Tensor, shape: tuple[int, ...]) -> Tensor:
        return torch.poisson(rate.detach().expand(shape))

    def _draw_normal(self, loc: Tensor, scale: Tensor, shape: tuple[int, ...]) -> Tensor:
        return loc + scale * torch.randn(shape, dtype=loc.dtype, device=loc.device)
