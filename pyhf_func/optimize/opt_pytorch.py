"""Objectives in the PyTorch backend, with gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from pyhf_func.tensor.manager import get_backend


def wrap_objective(
    objective: Callable[..., Any],
    data: Any,
    pdf: Any,
    stitch_pars: Callable[..., Any],
    do_grad: bool = False,
    jit_pieces: dict[str, Any] | None = None,
) -> Callable[[Any], Any]:
    """The objective as a function of the parameters that a minimiser sees; with ``do_grad`` value and gradient."""
    tensorlib, _ = get_backend()

    def func(pars: Any) -> Any:
        pars = tensorlib.astensor(pars).detach().clone().requires_grad_(do_grad)
        value = objective(stitch_pars(pars), data, pdf).reshape(-1)[0]
        if not do_grad:
            return float(value)
        return float(value), torch.autograd.grad(value, pars)[0].double().numpy()

    return func
