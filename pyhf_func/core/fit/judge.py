"""The same verdict on every minimiser's answer: is it a minimum, and how far from it?"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from pyhf_func.core.fit import walls as wall
from pyhf_func.core.fit.descent import blocked, newton_step
from pyhf_func.core.fit.problem import Minimum, Problem
from pyhf_func.core.fit.status import Status
from pyhf_func.core.likelihood.expansion import expand
from pyhf_func.core.likelihood.objective import constant, prepare

_CLOSE = 1e-7  # of the range: how near to its bound a parameter is taken to be there
_ACCEPTED = 1e-5  # estimated distance to the minimum of the negative log-likelihood


def judge(problem: Problem, pars: Array, iterations: Array) -> Minimum:
    """Describe a candidate minimum by a Newton step from it that is not taken.

    Parameters that were driven against a bound without reaching it are put there.
    """
    prepared = prepare(problem.model, problem.data)
    low = jnp.where(problem.fixed, pars, problem.lower)
    high = jnp.where(problem.fixed, pars, problem.upper)
    gradient = expand(prepared, pars).gradient
    near = jnp.where(jnp.isfinite(high - low), _CLOSE * (high - low), 0.0)
    pars = jnp.where((pars - low <= near) & (gradient > 0), low, pars)
    pars = jnp.where((high - pars <= near) & (gradient < 0), high, pars)
    x = expand(prepared, pars)
    step = newton_step(x, pars, low, high, jnp.asarray(1e6, pars.dtype), wall.none(prepared))
    finite = jnp.isfinite(x.value) & jnp.isfinite(step.edm)
    close = (step.edm < _ACCEPTED) & ~step.cut
    still = (low == high) | blocked(x.gradient, pars, low, high)
    close = close | jnp.all(still)
    status = jnp.where(close, Status.CONVERGED, Status.ITERATION_LIMIT)
    status = jnp.where(finite, status, Status.NOT_FINITE).astype(jnp.int32)
    nll = x.value + constant(prepared)
    one, nowhere = jnp.asarray(status == Status.CONVERGED, int), jnp.asarray(jnp.inf, pars.dtype)
    return Minimum(
        pars, nll, x.gradient, status, step.edm, jnp.asarray(iterations, int), one, nowhere, wall.forces(step.walls)
    )
