"""Programs of JAX as operations of PyTorch's autograd, and of the transformations in ``torch.func``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

from pyhf_func.adapters.program import Call, Mapped, Outputs, Pullback, Pushforward, pull_back, split, to_host
from pyhf_func.adapters.torch import pytorch_backend

__all__ = ["call"]


def __dir__() -> list[str]:
    return __all__


def call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function of JAX with PyTorch's tensors: the outputs are on the tape where inputs are."""
    the_call = split(function, args, kwargs, torch.Tensor, _dtype_of)
    tensors = the_call.inputs
    recording = torch.is_grad_enabled()
    wanted = tuple(number for number, tensor in enumerate(tensors) if recording and tensor.requires_grad)
    record = _Record(the_call, wanted)
    leaves = _Operation.apply(record, *tensors)
    return record.done().filled(leaves).tree()


@dataclass
class _Record:
    """One call, and what it leaves behind.

    Attributes:
        call: The call.
        wanted: The numbers of the inputs that gradients are wanted of.
        outputs: Its outputs.
        kept: What the gradients need; None where none are wanted.
    """

    call: Call
    wanted: tuple[int, ...]
    outputs: Outputs | None = None
    kept: Any = None

    def done(self) -> Outputs:
        """The outputs of the call, which has been made."""
        assert self.outputs is not None
        return self.outputs


class _Operation(torch.autograd.Function):
    """One call: it keeps what the gradients need, and on the way back does no more than that."""

    @staticmethod
    def forward(record: _Record, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        arrays = [_to_jax(tensor) for tensor in tensors]
        if record.wanted:
            outputs, record.kept = record.call.linearise(record.wanted, arrays)
        else:
            outputs = record.call.run(arrays)
        record.outputs = outputs.mapped(_exporter(tensors))
        return *record.outputs.floats, *record.outputs.others

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
        ctx.record, *tensors = inputs
        ctx.n_floats = len(ctx.record.outputs.floats)
        ctx.mark_non_differentiable(*output[ctx.n_floats :])
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        record, tensors = ctx.record, ctx.saved_tensors
        towards = cotangents[: ctx.n_floats]
        if torch.is_grad_enabled() or record.kept is None:  # these gradients are to be differentiated in their turn
            wanted = record.wanted or _floating(tensors)
            arguments = (list(tensors), record.call.constants, list(towards))
            found = call(Pullback(record.call.program, wanted), arguments, {})
        else:
            wanted = record.wanted
            found = map(_exporter(tensors), pull_back(record.kept, [_to_jax(tensor) for tensor in towards]))
        gradients: list[torch.Tensor | None] = [None] * len(tensors)
        for number, gradient in zip(wanted, found, strict=True):
            gradients[number] = gradient
        return None, *gradients

    @staticmethod
    def jvp(ctx: Any, _: None, *tangents: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        moving = tuple(number for number, tangent in enumerate(tangents) if tangent is not None)
        arguments = (list(ctx.saved_tensors), ctx.record.call.constants, [tangents[number] for number in moving])
        floats = call(Pushforward(ctx.record.call.program, moving), arguments, {})
        return *floats, *([None] * len(ctx.record.outputs.others))

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], record: _Record, *tensors: torch.Tensor) -> tuple[Any, Any]:
        mapped = Mapped(record.call.program, in_dims[1:])
        record.outputs = call(mapped, (list(tensors), record.call.constants), {})
        leaves = (*record.outputs.floats, *record.outputs.others)
        return leaves, (0,) * len(leaves)


def _dtype_of(tensor: torch.Tensor) -> np.dtype[Any]:
    return np.dtype(jnp.bfloat16) if tensor.dtype == torch.bfloat16 else pytorch_backend._dtype_of(tensor)


def _floating(tensors: Sequence[torch.Tensor]) -> tuple[int, ...]:
    return tuple(number for number, tensor in enumerate(tensors) if tensor.is_floating_point())


def _to_jax(tensor: torch.Tensor) -> Any:
    """The tensor's values where they lie: a view of NumPy's on the host, DLPack elsewhere, else a copy."""
    tensor = tensor.detach().resolve_neg()
    if tensor.device.type == "cpu" and tensor.dtype != torch.bfloat16:
        return tensor.numpy()
    try:
        return jax.dlpack.from_dlpack(tensor.contiguous())
    except (RuntimeError, BufferError, ValueError, TypeError):  # JAX has no such device
        return np.asarray(tensor.to("cpu"))


def _exporter(tensors: Sequence[torch.Tensor]) -> Callable[[jax.Array], torch.Tensor]:
    """The function that turns JAX's arrays into tensors that lie with the given ones; without copy, where it can be."""
    device = tensors[0].device if tensors else torch.device("cpu")

    def to_torch(array: jax.Array) -> torch.Tensor:
        shared = to_host(array) if device.type == "cpu" else array
        return torch.utils.dlpack.from_dlpack(shared).to(device)

    return to_torch
