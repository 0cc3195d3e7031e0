"""The Gauss-Newton part of the Hessian and its inverse: the metric in which the solver measures steps.

``M = D + J' W J`` with the diagonal ``D`` of the constraint terms, the Jacobian ``J`` of the bins and their
weights ``W``. A step of length one is a step of one standard deviation.

Private parameters (see `Private`) are eliminated. With their derivatives ``u`` and constraints ``d`` in a bin, they
make its weight ``W / (1 + W sum u^2 / d)`` for all others. So the inverse costs the smaller of bins and shared
parameters cubed, by Woodbury's identity where the bins are fewer.

In large models a factor serves the next steps of a search, too, until products no longer converge well: the metric is
then that of another point as far as shared parameters are concerned. Those that a bound holds by then are projected
out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from pyhf_func.core.density import ratio
from pyhf_func.core.fit.cholesky import Blocks, solver
from pyhf_func.core.likelihood.expansion import Expansion, Slopes, slopes
from pyhf_func.core.likelihood.places import Jacobian, Places, is_large
from pyhf_func.core.likelihood.structure import Likelihood

_PATIENCE = 30
"""Products for one step, beyond which the next one has a factor of its own."""


class Kept(NamedTuple):
    """A factor of the metric of shared parameters, and what it is made for."""

    factor: Blocks
    scaled: Array | None  # (bins, shared) for Woodbury's identity; None where that is not needed
    diagonal: Array  # (shared,)
    free: Array  # (shared,) bool
    good: Array  # () bool

    def solve(self, v: Array) -> Array:
        """The inverse times a vector (shared,)."""
        return _solved(self.factor.solve, self.scaled, self.diagonal, v)


def none_kept(model: Likelihood, dtype: np.dtype) -> Kept | None:
    """A place for the factor of a search; None where the metric is made anew for each step."""
    if not is_large(model):
        return None
    n_bins, n_shared = model.n_bins, model.private.shared
    scaled = jnp.zeros((n_bins, n_shared), dtype) if n_bins < n_shared else None
    factor = Blocks.empty(min(n_bins, n_shared), dtype)
    return Kept(factor, scaled, jnp.ones(n_shared, dtype), jnp.zeros(n_shared, bool), jnp.zeros((), bool))


def judged(kept: Kept | None, products: Array, at_walls: ArrayLike) -> Kept | None:
    """The factor for the next step, after one that took so many products; none that walls have a part in."""
    return kept if kept is None else kept._replace(good=(products <= _PATIENCE) & ~jnp.asarray(at_walls))


def inverse_metric(x: Expansion, free: Array) -> Callable[[Array], Array]:
    """The inverse of ``M`` on the free parameters, as a function of a vector; the identity on the others."""
    weight = ratio(ratio(x.prepared.main, x.rates), x.rates)
    return inverse(slopes(x), weight, x.constraint, free)[0]


def inverse(
    bins: Jacobian | Slopes,
    weight: Array,
    constraint: Array,
    free: Array,
    kept: Kept | None = None,
    anew: ArrayLike = False,
) -> tuple[Callable[[Array], Array], Kept | None]:
    """The same from the derivatives of the bins, their weights, and the diagonal of the constraint terms.

    With a factor that is ``kept``, unless that is bad, and with what is kept then. It is made ``anew`` on demand.
    """
    weight = jnp.maximum(weight, 0.0)
    if isinstance(bins, Jacobian):
        return _Parts.of(bins, weight, constraint, free).inverse(), None
    if kept is None:
        kept = none_kept(bins.x.prepared.model, weight.dtype)
        assert kept is not None
    free_shared = bins.places.split(free)[0]
    bad = ~kept.good | anew | jnp.any(free_shared & ~kept.free)
    make = partial(_factored, bins, weight, constraint, free)
    kept = jax.lax.cond(bad, make, lambda: kept)
    return _projected(bins, weight, constraint, free, kept), kept


class _Parts(NamedTuple):
    """The metric in two parts, after the private parameters are eliminated."""

    places: Places
    shared: Array  # (bins, shared) derivatives by the free ones
    root: Array  # (bins, shared) the same times the square roots of the weights
    weight: Array  # (bins,)
    of_shared: Array  # (shared,) diagonal
    of_private: Array  # (bins, private per bin) diagonal
    response: Array  # (bins, private per bin)

    @classmethod
    def of(cls, bins: Jacobian, weight: Array, constraint: Array, free: Array) -> _Parts:
        places = bins.places
        diagonal = _diagonal(constraint, bins.squared().transposed_times(weight), free)
        of_shared, of_private = places.split(diagonal, 1.0)
        free_shared, free_private = places.split(free)
        shared = bins.shared * free_shared[None, :]
        response = bins.private
        if places.private.size > 0:
            response, weight = _eliminated(bins.private, free_private, of_private, weight)
        return cls(places, shared, jnp.sqrt(weight)[:, None] * shared, weight, of_shared, of_private, response)

    def inverse(self) -> Callable[[Array], Array]:
        places, shared, root, weight, of_shared, of_private, response = self
        solve = _inverse(root, of_shared)
        if places.private.size == 0:
            return solve

        def multiply(v: Array) -> Array:
            v_shared, v_private = places.split(v)
            moved = jnp.sum(response * v_private, axis=-1)
            found = solve(v_shared - (weight * moved) @ shared)
            pull = weight * (moved + shared @ found)
            return places.joined(found, v_private / of_private - response * pull[:, None])

        return multiply


def _diagonal(constraint: Array, curvature: Array, free: Array) -> Array:
    """The diagonal that can be inverted: of parameters that are not free 1."""
    # A parameter without constraint gets a small one, so that D can be inverted, or 1 if it has no effect at all.
    ridge = np.finfo(constraint.dtype).eps ** 0.375
    diagonal = jnp.maximum(constraint, ridge * curvature)
    return jnp.where(free & (diagonal > 0), diagonal, 1.0)


def _eliminated(private: Array, free: Array, diagonal: Array, weight: Array) -> tuple[Array, Array]:
    """How private parameters respond to forces on their bins, and the weights of these for all others."""
    response = private * free / diagonal
    return response, weight / (1 + weight * jnp.sum(private * response, axis=-1))


def _inverse(root: Array, diagonal: Array) -> Callable[[Array], Array]:
    """The inverse of ``D + R' R`` for a matrix ``R`` (bins, shared)."""
    matrix, scaled = _smaller(root, diagonal)
    return partial(_solved, solver(matrix), scaled, diagonal)


def _smaller(root: Array, diagonal: Array) -> tuple[Array, Array | None]:
    """The matrix to factor for the inverse of ``D + R' R``; with ``R / D`` where that is Woodbury's, else None."""
    n_bins, n_shared = root.shape
    if n_bins >= n_shared:
        return jnp.diag(diagonal) + root.T @ root, None
    scaled = root / diagonal[None, :]
    return jnp.eye(n_bins, dtype=root.dtype) + scaled @ root.T, scaled


def _solved(solve: Callable[[Array], Array], scaled: Array | None, diagonal: Array, v: Array) -> Array:
    """The inverse times a vector (shared,), by the inverse of the matrix that `_smaller` gives."""
    return solve(v) if scaled is None else v / diagonal - solve(scaled @ v) @ scaled


def _factored(bins: Slopes, weight: Array, constraint: Array, free: Array) -> Kept:
    """A new factor."""
    parts = _Parts.of(bins.whole(), weight, constraint, free)
    matrix, scaled = _smaller(parts.root, parts.of_shared)
    return Kept(Blocks.of(matrix), scaled, parts.of_shared, parts.places.split(free)[0], jnp.ones((), bool))


def _projected(bins: Slopes, weight: Array, constraint: Array, free: Array, kept: Kept) -> Callable[[Array], Array]:
    """The inverse with private parameters as they are now, and a factor for the shared ones on those that are free."""
    places, private = bins.places, bins.private
    free_shared, free_private = places.split(free)
    of_private = places.split(constraint)[1]
    of_private = _diagonal(of_private, private**2 * weight[:, None], free_private)
    response, weight = _eliminated(private, free_private, of_private, weight)

    def multiply(v: Array) -> Array:
        v_shared, v_private = places.split(v)
        moved = jnp.sum(response * v_private, axis=-1)
        pulled = places.split(bins.transposed_times(weight * moved))[0]
        found = jnp.where(free_shared, kept.solve(jnp.where(free_shared, v_shared - pulled, 0.0)), v_shared)
        pull = weight * (moved + bins.times(places.only(jnp.where(free_shared, found, 0.0))))
        return places.joined(found, v_private / of_private - response * pull[:, None])

    return multiply
