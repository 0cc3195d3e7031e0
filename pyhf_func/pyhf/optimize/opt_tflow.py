"""Objectives in the TensorFlow backend, with gradients, and an older name of the default optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from pyhf_func.pyhf.optimize.opt_newton import newton_optimizer
from pyhf_func.pyhf.optimize.wrapping import wrapping


def _evaluate(function: Callable[[Any], Any], pars: Any, do_grad: bool) -> Any:
    if not do_grad:
        return float(tf.reshape(function(pars), [-1])[0])
    with tf.GradientTape() as tape:
        tape.watch(pars)
        value = tf.reshape(function(pars), [-1])[0]
    # A gradient that went through a gather is sparse.
    return float(value), np.asarray(tf.convert_to_tensor(tape.gradient(value, pars)), dtype=float)


wrap_objective = wrapping(_evaluate)


class tflow_optimizer(newton_optimizer):
    """The default optimizer, under the name of the one that pyhf 0.1.2 had for its TensorFlow backend."""

    __slots__: list[str] = []

    def __init__(self, tensorlib: Any = None, **kwargs: Any) -> None:
        """Set options.

        Args:
            tensorlib: Not needed any more.
            kwargs: Those of the default optimizer; ``relax`` and ``eps`` are not needed any more.

        Raises:
            Unsupported: There is no such option.
        """
        super().__init__(**{name: value for name, value in kwargs.items() if name not in ("relax", "eps")})
