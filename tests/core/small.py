"""A minimiser for models of a few parameters that compiles in a moment: for tests of what is done with minima."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.fit import Minimum, Problem, Status
from pyhf_func.core.inference.statistics import no_minimum
from pyhf_func.core.likelihood.logpdf import logpdf

_STEPS = 40


@dataclass(frozen=True)
class Small:
    """Newton steps by automatic differentiation, downhill, from the start to the nearest minimum in the box."""

    def __call__(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood."""

        def nll(pars: Array) -> Array:
            value = -logpdf(problem.model, pars, problem.data)
            return jnp.where(jnp.isnan(value), jnp.inf, value)

        low = jnp.where(problem.fixed, problem.init, problem.lower)
        high = jnp.where(problem.fixed, problem.init, problem.upper)

        def step(_: int, pars: Array) -> Array:
            gradient, hessian = jax.grad(nll)(pars), jax.hessian(nll)(pars)
            held = ((pars <= low) & (gradient >= 0)) | ((pars >= high) & (gradient <= 0))
            free = (low < high) & ~held
            usable = jnp.isfinite(hessian).all() & jnp.isfinite(gradient).all()
            hessian = jnp.where(usable & free[:, None] & free[None, :], hessian, jnp.eye(pars.size))
            curvatures, directions = jnp.linalg.eigh(hessian)
            downhill = directions.T @ jnp.where(usable & free, gradient, 0.0)
            move = directions @ (downhill / jnp.maximum(jnp.abs(curvatures), 1e-9))
            trials = pars[None] - jnp.array([1.0, 0.25, 0.0625, 0.0])[:, None] * move[None]
            trials = jnp.clip(trials, low[None], high[None])
            # The longest step that does not rise by more than rounding.
            return trials[jnp.argmax(jax.vmap(nll)(trials) <= nll(pars) + 1e-12 * jnp.abs(nll(pars)))]

        pars = jax.lax.fori_loop(0, _STEPS, step, jnp.clip(problem.init, low, high))
        value = nll(pars)
        status = jnp.where(jnp.isfinite(value), Status.CONVERGED, Status.NOT_FINITE).astype(jnp.int32)
        found = no_minimum(problem.init, problem.model.n_bins)._replace(
            pars=pars, nll=value, gradient=jax.grad(nll)(pars)
        )
        return found._replace(runner_up=jnp.asarray(jnp.inf, pars.dtype), status=status)
