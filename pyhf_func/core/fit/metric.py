"""The Gauss-Newton part of the Hessian and its inverse: the metric in which the solver measures steps.

``M = D + J' W J`` with the diagonal ``D`` of the constraint terms, the Jacobian ``J`` of the bins and their
weights ``W``. Its inverse costs the smaller of bins and parameters cubed, by Woodbury's identity where the
bins are fewer. A step of length one is a step of one standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.density import ratio
from pyhf_func.core.fit.cholesky import solver
from pyhf_func.core.likelihood.expansion import Expansion, jacobian


def inverse_metric(x: Expansion, free: Array) -> Callable[[Array], Array]:
    """The inverse of ``M`` on the free parameters, as a function of a vector; the identity on the others."""
    weight = ratio(ratio(x.prepared.main, x.rates), x.rates)
    return inverse(jacobian(x), weight, x.constraint, free)


def inverse(bins: Array, weight: Array, constraint: Array, free: Array) -> Callable[[Array], Array]:
    """The same from the Jacobian of the bins, their weights, and the diagonal of the constraint terms."""
    root = jnp.sqrt(jnp.maximum(weight, 0.0))[:, None] * bins * free[None, :]
    # A parameter without constraint gets a small one, so that D can be inverted, or 1 if it has no effect at all.
    ridge = np.finfo(root.dtype).eps ** 0.375
    diagonal = jnp.maximum(constraint, ridge * jnp.sum(root**2, axis=0))
    diagonal = jnp.where(free & (diagonal > 0), diagonal, 1.0)

    n_bins, n_pars = root.shape
    if n_bins >= n_pars:
        return solver(jnp.diag(diagonal) + root.T @ root)

    scaled = root / diagonal[None, :]
    solve = solver(jnp.eye(n_bins, dtype=root.dtype) + scaled @ root.T)
    return lambda v: v / diagonal - solve(scaled @ v) @ scaled
