"""Objectives in the TensorFlow backend, with gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

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
        pars = tensorlib.astensor(pars)
        if not do_grad:
            return float(tf.reshape(objective(stitch_pars(pars), data, pdf), [-1])[0])
        with tf.GradientTape() as tape:
            tape.watch(pars)
            value = tf.reshape(objective(stitch_pars(pars), data, pdf), [-1])[0]
        # A gradient that went through a gather is sparse.
        return float(value), np.asarray(tf.convert_to_tensor(tape.gradient(value, pars)), dtype=float)

    return func
