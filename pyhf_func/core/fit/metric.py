"""The Gauss-Newton part of the Hessian and its inverse: the metric in which the solver measures steps.

``M = D + J' W J`` with the diagonal ``D`` of the constraint terms, the Jacobian ``J`` of the bins and their
weights ``W``. A step of length one is a step of one standard deviation.

Private parameters (see `Private`) are eliminated. With their derivatives ``u`` and constraints ``d`` in a bin, they
make its weight ``W / (1 + W sum u^2 / d)`` for all others. So the inverse costs the smaller of bins and shared
parameters cubed, by Woodbury's identity where the bins are fewer.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.density import ratio
from pyhf_func.core.fit.cholesky import solver
from pyhf_func.core.likelihood.expansion import Expansion, jacobian
from pyhf_func.core.likelihood.places import Jacobian


def inverse_metric(x: Expansion, free: Array) -> Callable[[Array], Array]:
    """The inverse of ``M`` on the free parameters, as a function of a vector; the identity on the others."""
    weight = ratio(ratio(x.prepared.main, x.rates), x.rates)
    return inverse(jacobian(x), weight, x.constraint, free)


def inverse(bins: Jacobian, weight: Array, constraint: Array, free: Array) -> Callable[[Array], Array]:
    """The same from the Jacobian of the bins, their weights, and the diagonal of the constraint terms."""
    places, weight = bins.places, jnp.maximum(weight, 0.0)
    # A parameter without constraint gets a small one, so that D can be inverted, or 1 if it has no effect at all.
    ridge = np.finfo(weight.dtype).eps ** 0.375
    diagonal = jnp.maximum(constraint, ridge * bins.squared().transposed_times(weight))
    diagonal = jnp.where(free & (diagonal > 0), diagonal, 1.0)

    of_shared, of_private = places.split(diagonal, 1.0)
    free_shared, free_private = places.split(free)
    shared = bins.shared * free_shared[None, :]
    if places.private.size == 0:
        return _inverse(jnp.sqrt(weight)[:, None] * shared, of_shared)
    response = bins.private * free_private / of_private
    weight = weight / (1 + weight * jnp.sum(bins.private * response, axis=-1))
    solve = _inverse(jnp.sqrt(weight)[:, None] * shared, of_shared)

    def multiply(v: Array) -> Array:
        v_shared, v_private = places.split(v)
        moved = jnp.sum(response * v_private, axis=-1)
        found = solve(v_shared - (weight * moved) @ shared)
        pull = weight * (moved + shared @ found)
        return places.joined(found, v_private / of_private - response * pull[:, None])

    return multiply


def _inverse(root: Array, diagonal: Array) -> Callable[[Array], Array]:
    """The inverse of ``D + R' R`` for a matrix ``R`` (bins, shared)."""
    n_bins, n_shared = root.shape
    if n_bins >= n_shared:
        return solver(jnp.diag(diagonal) + root.T @ root)

    scaled = root / diagonal[None, :]
    solve = solver(jnp.eye(n_bins, dtype=root.dtype) + scaled @ root.T)
    return lambda v: v / diagonal - solve(scaled @ v) @ scaled
