"""Objectives in the JAX backend: compiled, with gradients."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

log = logging.getLogger("pyhf_func.optimize.opt_jax")


def _final_objective(
    pars: Any,
    data: Any,
    fixed_values: Any,
    fixed_idx: tuple[int, ...],
    variable_idx: tuple[int, ...],
    do_stitch: bool,
    objective: Callable[..., Any],
    pdf: Any,
) -> Array:
    log.debug("jitting function")
    pars = jnp.asarray(pars, float)
    if do_stitch:
        whole = jnp.zeros(len(fixed_idx) + len(variable_idx))
        whole = whole.at[np.array(fixed_idx, int)].set(jnp.asarray(fixed_values, float))
        pars = whole.at[np.array(variable_idx, int)].set(pars)
    return jnp.ravel(objective(pars, data, pdf))[0]


_static = partial(jax.jit, static_argnums=(3, 4, 5, 6, 7))
_jitted_objective = _static(_final_objective)
_jitted_objective_and_grad = _static(jax.value_and_grad(_final_objective))


def wrap_objective(
    objective: Callable[..., Any],
    data: Any,
    pdf: Any,
    stitch_pars: Callable[..., Any],
    do_grad: bool = False,
    jit_pieces: dict[str, Any] | None = None,
) -> Callable[[Any], Any]:
    """The objective as a function of the parameters that a minimiser sees; with ``do_grad`` value and gradient.

    It is compiled once for an objective, a model and a set of fixed parameters.
    """
    pieces = jit_pieces or {"fixed_values": [], "fixed_idx": [], "variable_idx": [], "do_stitch": False}
    static = (
        tuple(pieces["fixed_idx"]),
        tuple(pieces["variable_idx"]),
        pieces["do_stitch"],
        objective,
        pdf,
    )
    fixed_values = jnp.asarray(pieces["fixed_values"], float)

    def func(pars: Any) -> Any:
        arguments = (jnp.asarray(pars, float), data, fixed_values, *static)
        if not do_grad:
            return float(_jitted_objective(*arguments))
        value, gradient = _jitted_objective_and_grad(*arguments)
        return float(value), np.array(gradient)

    return func
