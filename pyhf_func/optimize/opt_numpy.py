"""Objectives in the NumPy backend: values without gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pyhf_func.exceptions import Unsupported
from pyhf_func.tensor.manager import get_backend


def wrap_objective(
    objective: Callable[..., Any],
    data: Any,
    pdf: Any,
    stitch_pars: Callable[..., Any],
    do_grad: bool = False,
    jit_pieces: dict[str, Any] | None = None,
) -> Callable[[Any], Any]:
    """The objective as a function of the parameters that a minimiser sees.

    Raises:
        Unsupported: ``do_grad`` is asked for.
    """
    if do_grad:
        raise Unsupported("NumPy has no gradients: do_grad=True needs another backend, such as jax.")
    tensorlib, _ = get_backend()

    def func(pars: Any) -> Any:
        return float(np.ravel(objective(stitch_pars(tensorlib.astensor(pars)), data, pdf))[0])

    return func
