"""Objectives in the MXNet backend, with gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyhf_func.adapters.mxnet_import import import_mxnet
from pyhf_func.tensor.manager import get_backend

mx = import_mxnet()


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
        pars = tensorlib.astensor(pars)
        if not do_grad:
            return float(objective(stitch_pars(pars), data, pdf).asnumpy().ravel()[0])
        pars.attach_grad()
        with mx.autograd.record():
            value = objective(stitch_pars(pars), data, pdf)
        value.backward()
        return float(value.asnumpy().ravel()[0]), pars.grad.asnumpy().astype(float)

    return func
