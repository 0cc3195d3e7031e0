"""Objectives in the PyTorch backend, with gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from pyhf_func.optimize.wrapping import wrapping


def _evaluate(function: Callable[[Any], Any], pars: Any, do_grad: bool) -> Any:
    pars = pars.detach().clone().requires_grad_(do_grad)
    value = function(pars).reshape(-1)[0]
    if not do_grad:
        return float(value)
    return float(value), torch.autograd.grad(value, pars)[0].double().numpy()


wrap_objective = wrapping(_evaluate)
