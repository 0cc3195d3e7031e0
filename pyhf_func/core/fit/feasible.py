"""A start at which the likelihood is finite, where the suggested one has negative yields.

With the parameter of interest held at a negative value, the nominal yield of a bin may lie below zero although nuisance
parameters exist that make it positive. A minimiser needs such a point to start from.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.likelihood.objective import constraint_curvature, prepare
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import entry_yields, expected_main, to_bins

_MARGIN = 0.05  # of the sum of all yields in a bin, negative ones included, without their sign
_ITERATIONS = 200


class _Search(NamedTuple):
    pars: Array
    active: Array
    iterations: Array


def feasible_start(problem: Problem) -> Array:
    """The start values, clipped to the box, or a point near them with positive yields where theirs are not.

    Where all yields are positive, this is one evaluation of them. Else each step is the shortest one, in units of the
    constraints' widths, that would lift the yields if these were linear in the parameters. Where no point is found,
    the last one is returned, and a minimiser reports that the likelihood is not finite.

    Args:
        problem: What is to be minimised. Fixed parameters stay.

    Returns:
        The parameters; shape (pars,).
    """
    model, data, init, lower, upper, fixed = problem
    low, high = jnp.where(fixed, init, lower), jnp.where(fixed, init, upper)
    start = jnp.clip(init, low, high)
    entries = entry_yields(model, start)
    scale = to_bins(model, jnp.abs(entries))
    scale = jnp.where(scale > 0, scale, 1.0)
    margin = jnp.where(to_bins(model, jnp.abs(entries)) > 0, _MARGIN, 0.0)
    width = jnp.where(low < high, 1 / jnp.maximum(constraint_curvature(prepare(model, data), start), 1.0), 0.0)

    def lacking(pars: Array) -> Array:
        """Half the squared lack of yields, in units of each bin's own yields."""
        lack = jnp.maximum(margin - expected_main(model, pars) / scale, 0.0)
        return jnp.sum(jnp.square(lack)) / 2

    def step(state: _Search) -> _Search:
        value, gradient = jax.value_and_grad(lacking)(state.pars)
        # A parameter at its bound does not share in a step that leads out of the box.
        stuck = ((state.pars <= low) & (gradient > 0)) | ((state.pars >= high) & (gradient < 0))
        direction = jnp.where(stuck, 0.0, width * gradient)
        squared = jnp.maximum(direction @ gradient, np.finfo(init.dtype).tiny)
        pars = jnp.clip(state.pars - 2 * value / squared * direction, low, high)
        active = (_is_negative(model, data, pars) | (value > _MARGIN**2 / 4)) & jnp.any(pars != state.pars)
        iterations = state.iterations + 1
        return _Search(pars, active & (iterations < _ITERATIONS), iterations)

    negative = _is_negative(model, data, start)
    first = _Search(start, negative, jnp.zeros((), jnp.int32))
    return jax.lax.while_loop(lambda state: state.active, step, first).pars


def _is_negative(model: Likelihood, data: Array, pars: Array) -> Array:
    """Whether any bin has a negative yield, or none where events were seen."""
    rates = expected_main(model, pars)
    return jnp.any((rates < 0) | ((rates <= 0) & (data[: rates.shape[0]] > 0)))
