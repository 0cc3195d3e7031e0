"""Minimisers of optax, in coordinates without bounds in which a parameter's natural step is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func._lookup import shown
from pyhf_func.core.arrays import count
from pyhf_func.core.fit.judge import judge
from pyhf_func.core.fit.lanes import one_by_one
from pyhf_func.core.fit.problem import Minimum, Problem
from pyhf_func.core.likelihood.expansion import expand, jacobian, value_at
from pyhf_func.core.likelihood.objective import prepare

if TYPE_CHECKING:
    import optax


_FAR = 1e3  # times the start value or one: where parameters without a bound end


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS with a zoom line search (`optax.lbfgs`).

    Attributes:
        iterations: The most steps before it gives up.
        memory: How many steps the curvature is estimated from.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0], [50.0], [7.0])
        >>> found = pf.fit([60.0, *model.config.auxdata], model, minimiser=pf.LBFGS(iterations=500))
        >>> print(f"{found['mu']:.3f} {found.status}")
        0.833 CONVERGED
    """

    iterations: int = 2000
    memory: int = 20

    def __post_init__(self) -> None:
        """Check the options."""
        count(self.iterations, "iterations")
        count(self.memory, "memory")

    def __call__(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood."""
        import optax

        optimiser = optax.lbfgs(memory_size=self.memory)
        return one_by_one(lambda problem: _descend(problem, optimiser, self.iterations))(problem)


@dataclass(frozen=True)
class FirstOrder:
    """Any optimiser of optax, such as ``FirstOrder(optax.adam(0.1))``; its step is in standard deviations.

    Attributes:
        optimiser: The gradient transformation, learning rate included.
        iterations: The most steps before it gives up.

    Example:
        >>> import optax
        >>> import pyhf_func as pf
        >>> chosen = pf.FirstOrder(optax.adam(0.1), iterations=2000)  # minimiser=chosen
    """

    optimiser: optax.GradientTransformation
    iterations: int = 5000

    def __post_init__(self) -> None:
        """Check the options."""
        count(self.iterations, "iterations")
        if not callable(getattr(self.optimiser, "update", None)):
            raise TypeError(f"optimiser is {shown(self.optimiser)}; give one of optax, such as optax.adam(0.1).")

    def __call__(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood."""
        return one_by_one(lambda problem: _descend(problem, self.optimiser, self.iterations))(problem)


class _State(NamedTuple):
    free: Array
    memory: Any
    size: Array
    iterations: Array


def _descend(problem: Problem, optimiser: optax.GradientTransformation, limit: int) -> Minimum:
    import optax

    optimiser = optax.with_extra_args_support(optimiser)
    prepared = prepare(problem.model, problem.data)
    to_pars, start = _unbounded(problem)
    tolerance = np.finfo(start.dtype).eps ** 0.4  # of the gradient per standard deviation; 5e-7 in 64 bit

    @jax.custom_jvp
    def value(pars: Array) -> Array:
        return value_at(prepared, pars)

    @value.defjvp
    def value_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        x = expand(prepared, primals[0])
        return x.value, x.gradient @ tangents[0]

    def objective(free: Array) -> Array:
        return value(to_pars(free))

    def advance(state: _State) -> _State:
        at, slope = jax.value_and_grad(objective)(state.free)
        update, memory = optimiser.update(slope, state.memory, state.free, value=at, grad=slope, value_fn=objective)
        free = optax.apply_updates(state.free, update)
        return _State(free, memory, jnp.linalg.norm(slope), state.iterations + 1)

    def wanted(state: _State) -> Array:
        return (state.size > tolerance) & (state.iterations < limit)

    first = _State(start, optimiser.init(start), jnp.asarray(jnp.inf, start.dtype), jnp.zeros((), int))
    end = jax.lax.while_loop(wanted, advance, first)
    return judge(problem, to_pars(end.free), end.iterations)


def _unbounded(problem: Problem) -> tuple[Callable[[Array], Array], Array]:
    """Map coordinates without bounds to parameters, and where the start lies in them.

    ``theta = middle + half sin((z0 + z) / scale)``, with the scale chosen so that a unit of z at the start is one
    standard deviation by the Gauss-Newton Hessian's diagonal. A start on a bound is moved off it: the slope is zero
    there. A bound far away stands in for an infinite one.
    """
    prepared = prepare(problem.model, problem.data)
    far = _FAR * jnp.maximum(jnp.abs(problem.init), 1.0)
    low = jnp.where(jnp.isfinite(problem.lower), problem.lower, problem.init - far)
    high = jnp.where(jnp.isfinite(problem.upper), problem.upper, problem.init + far)
    middle, half = (high + low) / 2, jnp.maximum((high - low) / 2, np.finfo(low.dtype).tiny)
    init = jnp.where(problem.fixed, problem.init, jnp.clip(problem.init, low, high))
    x = expand(prepared, init)
    weight = jnp.where(x.rates > 0, prepared.main / jnp.where(x.rates > 0, x.rates, 1.0) ** 2, 0.0)
    curvature = x.constraint + jacobian(x).squared().transposed_times(weight)
    width = jnp.where(curvature > 0, 1 / jnp.sqrt(jnp.where(curvature > 0, curvature, 1.0)), half)
    width = jnp.minimum(width, half)
    angle = jnp.arcsin(jnp.clip((init - middle) / half, -1 + 1e-3, 1 - 1e-3))
    scale = half * jnp.cos(angle) / width

    def to_pars(free: Array) -> Array:
        return jnp.where(problem.fixed, problem.init, middle + half * jnp.sin(angle + free / scale))

    return to_pars, jnp.zeros_like(init)
