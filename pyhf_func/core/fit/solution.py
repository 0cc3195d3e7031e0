"""The minimum as a differentiable function of the problem, by the implicit function theorem.

At the minimum the gradient vanishes on the parameters that are free to move, so that for any input x

    H dpars/dx = - d(gradient)/dx

with the Hessian H on those parameters; fixed parameters, and parameters at a bound, move with what holds them. Where
the yield of a bin without events is held at zero, the few events that stand for the wall count as observed: they give
H so large a curvature there that the yield stays at zero.
The value there needs no solve (envelope theorem). Nothing is ever differentiated through the iterations: the
minimum is located first, by any minimiser, and the derivatives are attached to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.fit import conjugate
from pyhf_func.core.fit.lanes import one_by_one
from pyhf_func.core.fit.metric import inverse_metric
from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.likelihood.expansion import expand, hessian_product
from pyhf_func.core.likelihood.logpdf import logpdf
from pyhf_func.core.likelihood.objective import prepare
from pyhf_func.core.likelihood.structure import Likelihood, Values


class Solution(NamedTuple):
    """The minimum and the value there; both can be differentiated with respect to the problem."""

    pars: Array  # (pars,)
    nll: Array  # ()
    behind: Array  # (bins,) events that stand for the walls which hold the minimum, beside those observed


def without_derivative(locate: Callable[..., Any], *args: Any) -> Any:
    """Run something whose result must not be differentiated."""
    return locate(*jax.lax.stop_gradient(args))


@jax.custom_jvp
def attach(problem: Problem, located: Solution) -> Solution:
    """The minimum that was located, as a function of the problem: derivatives of any order, forward and reverse."""
    return located


@attach.defjvp
def _attach_jvp(primals: tuple[Problem, Solution], tangents: tuple[Problem, Solution]) -> tuple[Solution, Solution]:
    (problem, located), (dot, _) = primals, tangents
    solution = attach(problem, located)
    pars, values, n_bins = solution.pars, problem.model.values, problem.model.n_bins
    data = problem.data.at[:n_bins].add(jax.lax.stop_gradient(located.behind))

    at_lower, at_upper = pars <= problem.lower, pars >= problem.upper
    free = ~(problem.fixed | at_lower | at_upper)
    held = jnp.where(at_lower, dot.lower, jnp.where(at_upper, dot.upper, 0.0))
    held = jnp.where(problem.fixed, dot.init, held)
    moving = (held, dot.model.values, dot.data)
    return solution, Solution(
        held + _response(problem.model, (pars, values, data), free, moving),
        _slope(problem.model, (pars, values, data), moving),
        jnp.zeros_like(located.behind),
    )


_Point = tuple[Array, Values, Array]  # (pars, values, data)


def _nll(model: Likelihood, pars: Array, values: Values, data: Array) -> Array:
    return -logpdf(replace(model, values=values), pars, data)


# Compiled programs inside, so that they are traced once for all fits of a test.
@jax.jit
def _slope(model: Likelihood, at: _Point, along: _Point) -> Array:
    """Directional derivative of the negative log-likelihood."""
    return jax.jvp(partial(_nll, model), at, along)[1]


@jax.jit
def _response(model: Likelihood, at: _Point, free: Array, along: _Point) -> Array:
    """How the free parameters follow when the problem moves along a direction."""
    gradient_dot = jax.jvp(jax.grad(partial(_nll, model)), at, along)[1]
    pars, values, data = at
    return _solve_hessian(replace(model, values=values), data, pars, free, jnp.where(free, -gradient_dot, 0.0))


def _solve_hessian(model: Likelihood, data: Array, pars: Array, free: Array, b: Array) -> Array:
    """``H^-1 b`` on the free parameters, 0 on the others; linear in ``b`` for every transformation."""

    def hessian(v: Array) -> Array:
        gradient = jax.grad(lambda p: -logpdf(model, p, data))
        product = jax.jvp(gradient, (pars,), (jnp.where(free, v, 0.0),))[1]
        return jnp.where(free, product, v)

    def solve(_: Any, b: Array) -> Array:
        return one_by_one(_by_conjugate_gradients)(model, data, pars, free, b)

    return jax.lax.custom_linear_solve(hessian, b, solve, symmetric=True)


def _by_conjugate_gradients(model: Likelihood, data: Array, pars: Array, free: Array, b: Array) -> Array:
    x = expand(prepare(model, data), pars)
    product = hessian_product(x)
    return conjugate.solve(
        lambda v: jnp.where(free, product(jnp.where(free, v, 0.0)), v),
        inverse_metric(x, free),
        b,
        radius=np.finfo(b.dtype).max ** 0.25,
        tolerance=np.finfo(b.dtype).eps ** 0.75,
        limit=500,
    ).step
