"""Objectives in the TensorFlow backend, with gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from pyhf_func.optimize.wrapping import wrapping


def _evaluate(function: Callable[[Any], Any], pars: Any, do_grad: bool) -> Any:
    if not do_grad:
        return float(tf.reshape(function(pars), [-1])[0])
    with tf.GradientTape() as tape:
        tape.watch(pars)
        value = tf.reshape(function(pars), [-1])[0]
    # A gradient that went through a gather is sparse.
    return float(value), np.asarray(tf.convert_to_tensor(tape.gradient(value, pars)), dtype=float)


wrap_objective = wrapping(_evaluate)
