"""Objectives in the MXNet backend, with gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyhf_func.adapters.mxnet_import import import_mxnet
from pyhf_func.pyhf.optimize.wrapping import wrapping

mx = import_mxnet()


def _evaluate(function: Callable[[Any], Any], pars: Any, do_grad: bool) -> Any:
    if not do_grad:
        return float(function(pars).asnumpy().ravel()[0])
    pars.attach_grad()
    with mx.autograd.record():
        value = function(pars)
    value.backward()
    return float(value.asnumpy().ravel()[0]), pars.grad.asnumpy().astype(float)


wrap_objective = wrapping(_evaluate)
