"""Programs of JAX as operations of PyTorch's autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import torch

from pyhf_func.adapters.program import Call, Outputs, Pullback, pull_back, split
from pyhf_func.adapters.torch import pytorch_backend

__all__ = ["call"]


def __dir__() -> list[str]:
    return __all__


def call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function of JAX with PyTorch's tensors: the outputs are on the tape where inputs are."""
    the_call = split(function, args, kwargs, torch.Tensor, pytorch_backend._dtype_of)
    tensors = the_call.inputs
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        record: list[Outputs] = []
        leaves = _Operation.apply(the_call, record, *tensors)
        return record[0].filled(leaves).tree()
    outputs = the_call.run([_to_jax(tensor) for tensor in tensors])
    return outputs.mapped(_exporter(tensors)).tree()


class _Operation(torch.autograd.Function):
    """One call: it keeps what the gradients need, and on the way back does no more than that."""

    @staticmethod
    def forward(ctx: Any, the_call: Call, record: list[Any], *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ctx.wanted = tuple(number for number, needed in enumerate(ctx.needs_input_grad[2:]) if needed)
        ctx.call = the_call
        ctx.save_for_backward(*tensors)
        arrays, ctx.kept = the_call.linearise(ctx.wanted, [_to_jax(tensor) for tensor in tensors])
        outputs = arrays.mapped(_exporter(tensors))
        record.append(outputs)
        ctx.mark_non_differentiable(*outputs.others)
        ctx.n_floats = len(outputs.floats)
        return *outputs.floats, *outputs.others

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        tensors = ctx.saved_tensors
        towards = cotangents[: ctx.n_floats]
        if torch.is_grad_enabled():  # these gradients are to be differentiated in their turn
            arguments = (list(tensors), ctx.call.constants, list(towards))
            wanted = call(Pullback(ctx.call.program, ctx.wanted), arguments, {})
        else:
            wanted = map(_exporter(tensors), pull_back(ctx.kept, [_to_jax(tensor) for tensor in towards]))
        gradients: list[torch.Tensor | None] = [None] * len(tensors)
        for number, gradient in zip(ctx.wanted, wanted, strict=True):
            gradients[number] = gradient
        return None, None, *gradients


def _to_jax(tensor: torch.Tensor) -> Any:
    """The tensor's values where they lie: a view of NumPy's on the host, DLPack elsewhere, else a copy."""
    tensor = tensor.detach().resolve_neg()
    if tensor.device.type == "cpu" and tensor.dtype != torch.bfloat16:
        return tensor.numpy()
    try:
        return jax.dlpack.from_dlpack(tensor.contiguous())
    except (RuntimeError, BufferError, ValueError, TypeError):  # JAX has no such device
        return np.asarray(tensor.to("cpu"))


def _exporter(tensors: Any) -> Callable[[jax.Array], torch.Tensor]:
    """What turns JAX's arrays into tensors that lie with the given ones; without copy, where it can be."""
    device = tensors[0].device if tensors else torch.device("cpu")

    def to_torch(array: jax.Array) -> torch.Tensor:
        return torch.from_dlpack(array).to(device)

    return to_torch
