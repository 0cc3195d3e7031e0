"""The negative log-likelihood to second order by automatic differentiation: for models without the usual structure.

Such are models with clipped yields or with modifiers that users define. The interface is that of `expansion`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.likelihood.objective import Prepared, constraint_curvature, value
from pyhf_func.core.likelihood.places import Jacobian
from pyhf_func.core.likelihood.yields import entry_yields, expected_main, to_bins


class Automatic(NamedTuple):
    """The likelihood around one point."""

    prepared: Prepared
    pars: Array  # (pars,)
    value: Array  # () negative log-likelihood
    gradient: Array  # (pars,)
    constraint: Array  # (pars,) diagonal that the constraint terms add to the Hessian
    rates: Array  # (bins,) expected main data
    sizes: Array  # (bins,) sum of the absolute contributions to it


def value_at(p: Prepared, pars: Array) -> Array:
    """The value alone."""
    return value(p, pars, expected_main(p.model, pars))


def expand(p: Prepared, pars: Array) -> Automatic:
    """Expand the negative log-likelihood around ``pars``."""
    at, gradient = jax.value_and_grad(partial(value_at, p))(pars)
    sizes = to_bins(p.model, jnp.abs(entry_yields(p.model, pars)))
    return Automatic(p, pars, at, gradient, constraint_curvature(p, pars), expected_main(p.model, pars), sizes)


def jacobian(x: Automatic) -> Jacobian:
    """Derivatives of the expected main data."""
    every = jax.jacfwd(partial(expected_main, x.prepared.model))(x.pars)
    return Jacobian(every, every[:, :0], x.prepared.places)


def hessian_product(x: Automatic) -> Callable[[Array], Array]:
    """The exact Hessian as a function of a vector of shape (pars,)."""
    return jax.linearize(jax.grad(partial(value_at, x.prepared)), x.pars)[1]
