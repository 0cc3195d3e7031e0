"""The minimum as a differentiable function of the problem, by the implicit function theorem.

At the minimum the gradient vanishes on the parameters that are free to move, so that for any input x

    H dpars/dx = - d(gradient)/dx

with the Hessian H on those parameters; fixed parameters, and parameters at a bound, move with what holds them. Where
a wall holds the yield of a bin without events at zero, its force and a stiff spring take part, so that the yield stays
there: ``-z (lambda - lambda_0) + rho (lambda - lambda_0)^2 / 2``.
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

from pyhf_func.core.density import poisson_logpdf
from pyhf_func.core.fit import conjugate
from pyhf_func.core.fit.lanes import one_by_one
from pyhf_func.core.fit.metric import inverse_metric
from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.likelihood.automatic import Automatic
from pyhf_func.core.likelihood.expansion import Expansion, expand, hessian_product
from pyhf_func.core.likelihood.logpdf import constraint_logpdf
from pyhf_func.core.likelihood.objective import prepare
from pyhf_func.core.likelihood.structure import Likelihood, Values
from pyhf_func.core.likelihood.yields import expected_main

_SOFT = 1e3  # times the yields at walls: the length of the springs, long enough for roundings not to matter


class Solution(NamedTuple):
    """The minimum and the value there; both can be differentiated with respect to the problem."""

    pars: Array  # (pars,)
    nll: Array  # ()
    forces: Array  # (bins,) with which walls hold yields at zero


class _Held(NamedTuple):
    """The multipliers that hold yields at walls."""

    rates: Array  # (bins,) where they are held
    forces: Array  # (bins,)

    def energy(self, rates: Array) -> Array:
        """The addition of walls to the negative log-likelihood; ()."""
        held, moved = self.forces > 0, rates - self.rates
        length = _SOFT * jnp.where(held, self.rates, 1.0)
        return jnp.sum(jnp.where(held, self.forces * moved * (moved / (2 * length) - 1), 0.0))

    def around(self, x: Expansion) -> Expansion:
        """An expansion whose bins pull and bend as these do, by as many events at as large a yield as that takes."""
        held, length = self.forces > 0, _SOFT * self.rates
        if isinstance(x, Automatic):
            main = jnp.where(held, self.forces * self.rates, x.prepared.main)
            return x._replace(prepared=x.prepared._replace(main=main))
        prepared = x.prepared._replace(main=jnp.where(held, self.forces * length, x.prepared.main))
        return x._replace(prepared=prepared, rates=jnp.where(held, length, x.rates))


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
    pars, values, data = solution.pars, problem.model.values, problem.data
    walls = _Held(*jax.lax.stop_gradient((expected_main(problem.model, located.pars), located.forces)))

    at_lower, at_upper = pars <= problem.lower, pars >= problem.upper
    free = ~(problem.fixed | at_lower | at_upper)
    held = jnp.where(at_lower, dot.lower, jnp.where(at_upper, dot.upper, 0.0))
    held = jnp.where(problem.fixed, dot.init, held)
    moving = (held, dot.model.values, dot.data)
    return solution, Solution(
        held + _response(problem.model, walls, (pars, values, data), free, moving),
        _slope(problem.model, walls, (pars, values, data), moving),
        jnp.zeros_like(located.forces),
    )


_Point = tuple[Array, Values, Array]  # (pars, values, data)


def _nll(model: Likelihood, walls: _Held, pars: Array, values: Values, data: Array) -> Array:
    model = replace(model, values=values)
    main, aux = data[: model.n_bins], data[model.n_bins :]
    rates = expected_main(model, pars)
    density = jnp.sum(poisson_logpdf(main, rates, continued=model.continued))
    return walls.energy(rates) - density - constraint_logpdf(model, pars, aux)


# Compiled programs inside, so that they are traced once for all fits of a test.
@jax.jit
def _slope(model: Likelihood, walls: _Held, at: _Point, along: _Point) -> Array:
    """Directional derivative of the negative log-likelihood."""
    return jax.jvp(partial(_nll, model, walls), at, along)[1]


@jax.jit
def _response(model: Likelihood, walls: _Held, at: _Point, free: Array, along: _Point) -> Array:
    """How the free parameters follow when the problem moves along a direction."""
    gradient_dot = jax.jvp(jax.grad(partial(_nll, model, walls)), at, along)[1]
    return _solve_hessian(model, walls, at, free, jnp.where(free, -gradient_dot, 0.0))


def _solve_hessian(model: Likelihood, walls: _Held, at: _Point, free: Array, b: Array) -> Array:
    """``H^-1 b`` on the free parameters, 0 on the others; linear in ``b`` for every transformation."""
    pars, values, data = at

    def hessian(v: Array) -> Array:
        gradient = jax.grad(lambda p: _nll(model, walls, p, values, data))
        product = jax.jvp(gradient, (pars,), (jnp.where(free, v, 0.0),))[1]
        return jnp.where(free, product, v)

    def solve(_: Any, b: Array) -> Array:
        own = replace(model, values=values)
        return one_by_one(_by_conjugate_gradients)(own, walls, data, pars, free, b)

    return jax.lax.custom_linear_solve(hessian, b, solve, symmetric=True)


def _by_conjugate_gradients(model: Likelihood, walls: _Held, data: Array, pars: Array, free: Array, b: Array) -> Array:
    x = walls.around(expand(prepare(model, data), pars))
    product = hessian_product(x)
    return conjugate.solve(
        lambda v: jnp.where(free, product(jnp.where(free, v, 0.0)), v),
        inverse_metric(x, free),
        b,
        radius=np.finfo(b.dtype).max ** 0.25,
        tolerance=np.finfo(b.dtype).eps ** 0.75,
        limit=500,
    ).step
