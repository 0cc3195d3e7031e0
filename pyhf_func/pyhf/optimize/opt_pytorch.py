"""Objectives in the PyTorch backend, with gradients, and an older name of the default optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from pyhf_func.pyhf.optimize.opt_newton import newton_optimizer
from pyhf_func.pyhf.optimize.wrapping import wrapping


def _evaluate(function: Callable[[Any], Any], pars: Any, do_grad: bool) -> Any:
    pars = pars.detach().clone().requires_grad_(do_grad)
    value = function(pars).reshape(-1)[0]
    number = float(value.detach())
    if not do_grad:
        return number
    return number, torch.autograd.grad(value, pars)[0].double().numpy()


wrap_objective = wrapping(_evaluate)


class pytorch_optimizer(newton_optimizer):
    """The default optimizer, under the name of the one that pyhf 0.1.2 had for its PyTorch backend."""

    __slots__: list[str] = []

    def __init__(self, **kwargs: Any) -> None:
        """Set options.

        Args:
            kwargs: Those of the default optimizer; ``tensorlib`` and ``maxdelta`` are not needed any more.

        Raises:
            Unsupported: There is no such option.
        """
        super().__init__(**{name: value for name, value in kwargs.items() if name not in ("tensorlib", "maxdelta")})
