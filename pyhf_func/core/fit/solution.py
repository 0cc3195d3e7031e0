"""The fit as one differentiable operation: any minimiser forward, the implicit function theorem for derivatives.

At the minimum the gradient vanishes on the parameters that are free to move, so that for any input x

    H dpars/dx = - d(gradient)/dx

with the Hessian H on those parameters; fixed parameters, and parameters at a bound, move with what holds them.
The value there needs no solve (envelope theorem). Nothing is ever differentiated through the iterations.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.fit import conjugate
from pyhf_func.core.fit.metric import inverse_metric
from pyhf_func.core.fit.problem import Minimiser, Problem
from pyhf_func.core.likelihood.expansion import expand, hessian_product, prepare
from pyhf_func.core.likelihood.logpdf import logpdf
from pyhf_func.core.likelihood.structure import Likelihood, Values


class Solution(NamedTuple):
    """The minimum with its value; ``pars`` and ``nll`` can be differentiated with respect to the problem."""

    pars: Array
    nll: Array
    status: Array
    edm: Array
    iterations: Array


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def solve(minimiser: Minimiser, problem: Problem) -> Solution:
    """Minimise; derivatives in forward and reverse mode, of any order, by the implicit function theorem."""
    found = minimiser(problem)
    nll = -logpdf(problem.model, found.pars, problem.data)
    return Solution(found.pars, nll, found.status, found.edm, found.iterations)


@solve.defjvp
def _solve_jvp(
    minimiser: Minimiser, primals: tuple[Problem], tangents: tuple[Problem]
) -> tuple[Solution, Solution]:
    (problem,), (dot,) = primals, tangents
    solution = solve(minimiser, problem)
    pars = solution.pars
    values, data = problem.model.values, problem.data

    def nll(pars: Array, values: Values, data: Array) -> Array:
        return -logpdf(_with_values(problem.model, values), pars, data)

    at_lower, at_upper = pars <= problem.lower, pars >= problem.upper
    free = ~(problem.fixed | at_lower | at_upper)
    held = jnp.where(at_lower, dot.lower, jnp.where(at_upper, dot.upper, 0.0))
    held = jnp.where(problem.fixed, dot.init, held)

    moving = (held, dot.model.values, dot.data)
    gradient_dot = jax.jvp(jax.grad(nll), (pars, values, data), moving)[1]
    pars_dot = held + _solve_hessian(problem, pars, free, jnp.where(free, -gradient_dot, 0.0))
    nll_dot = jax.jvp(nll, (pars, values, data), moving)[1]
    return solution, Solution(
        pars_dot, nll_dot, _no_tangent(solution.status), jnp.zeros_like(solution.edm), _no_tangent(solution.iterations)
    )


def _solve_hessian(problem: Problem, pars: Array, free: Array, b: Array) -> Array:
    """``H^-1 b`` on the free parameters, 0 on the others; linear in ``b`` for every transformation."""

    def hessian(v: Array) -> Array:
        gradient = jax.grad(lambda p: -logpdf(problem.model, p, problem.data))
        product = jax.jvp(gradient, (pars,), (jnp.where(free, v, 0.0),))[1]
        return jnp.where(free, product, v)

    def by_conjugate_gradients(_: Any, b: Array) -> Array:
        x = expand(prepare(problem.model, problem.data), pars)
        product = hessian_product(x)
        found = conjugate.solve(
            lambda v: jnp.where(free, product(jnp.where(free, v, 0.0)), v),
            inverse_metric(x, free),
            b,
            radius=jnp.sqrt(jnp.finfo(b.dtype).max) * 1e-3,
            tolerance=jnp.finfo(b.dtype).eps ** 0.75,
            limit=500,
        )
        return found.step

    return jax.lax.custom_linear_solve(hessian, b, by_conjugate_gradients, symmetric=True)


def _with_values(model: Likelihood, values: Values) -> Likelihood:
    return Likelihood(
        values, model.indices, model.space, model.n_bins, model.histosys_code, model.normsys_code
    )


def _no_tangent(x: Array) -> np.ndarray:
    return np.zeros(x.shape, jax.dtypes.float0)
