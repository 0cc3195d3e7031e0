"""Vectors of parameters in two parts, shared and private ones, and the Jacobian of the bins in these parts.

The columns of private parameters have one number each, so that they are stored as a table of the bins.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from pyhf_func.core.likelihood.derived import take, with_last
from pyhf_func.core.likelihood.structure import Likelihood

_LARGE = 127  # of bins and shared parameters, the fewer


def is_large(model: Likelihood) -> bool:
    """Whether matrices of bins and shared parameters cost much more than products by the structure of the model."""
    return model.is_plain and min(model.n_bins, model.private.shared) > _LARGE


class Places(NamedTuple):
    """Where the parameters lie in both parts; see `Private`."""

    place: Array  # (pars,) among the shared ones, and behind them among the private ones
    shared: Array  # (shared,) parameters; ``pars`` for none
    private: Array  # (bins, private per bin) parameters; ``pars`` for none
    scales: Array  # (entries, scales) places of the parameters that scale an entry; one behind the last for none

    @property
    def every(self) -> int:
        """The number of places."""
        return int(self.shared.shape[0] + self.private.size)

    def split(self, v: Array, empty: float = 0.0) -> tuple[Array, Array]:
        """The shared and the private part, (shared,) and (bins, private), of a vector (pars,)."""
        if self.private.size == 0:
            return v, jnp.zeros(self.private.shape, v.dtype)
        padded = with_last(v, empty)
        return take(padded, self.shared), take(padded, self.private)

    def joined(self, shared: Array, private: Array) -> Array:
        """The vector (pars,) of both parts."""
        if self.private.size == 0:
            return shared
        return take(jnp.concatenate([shared, private.ravel()]), self.place)

    def only(self, shared: Array) -> Array:
        """The vector (pars,) with that shared part, and zeros."""
        return self.joined(shared, jnp.zeros(self.private.shape, shared.dtype))


def places(model: Likelihood) -> Places:
    """Where the parameters of a model lie."""
    place, n_shared, per_bin = model.private.place, model.private.shared, model.private.per_bin
    if not model.is_plain:  # any parameter may do anything
        place, n_shared, per_bin = jnp.arange(model.n_pars, dtype=place.dtype), model.n_pars, 0
    every = n_shared + model.n_bins * per_bin
    pars = jnp.full(every, model.n_pars, place.dtype).at[place].set(jnp.arange(model.n_pars, dtype=place.dtype))
    behind = jnp.concatenate([place, jnp.full(1, every, place.dtype)])
    return Places(
        place, pars[:n_shared], pars[n_shared:].reshape(model.n_bins, per_bin), behind[model.indices.entry_scales]
    )


class Jacobian(NamedTuple):
    """Derivatives of the bins' yields by the parameters, in two parts."""

    shared: Array  # (bins, shared)
    private: Array  # (bins, private per bin)
    places: Places

    def times(self, v: Array) -> Array:
        """The product with a vector of shape (pars,); shape (bins,)."""
        shared, private = self.places.split(v)
        return self.shared @ shared + jnp.sum(self.private * private, axis=-1)

    def transposed_times(self, w: Array) -> Array:
        """The product of a vector of shape (bins,) with it; shape (pars,)."""
        return self.places.joined(w @ self.shared, w[:, None] * self.private)

    def whole(self) -> Jacobian:
        """The matrix: this."""
        return self

    def squared(self) -> Jacobian:
        """The squares of its elements."""
        return self._replace(shared=self.shared**2, private=self.private**2)
