"""Linear maps from parameters to entries, with one number for each term of a modifier type.

A matrix that terms fill well enough is stored whole: products with it run at the speed of memory. Otherwise its
terms are stored as a list, and products gather and sum them, at several times the cost of each number.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax.numpy as jnp
from jax import Array
from jax.ops import segment_sum

from pyhf_func.core.likelihood.derived import with_last
from pyhf_func.core.likelihood.structure import Group, Likelihood

_EMPTIEST = 16  # numbers of the whole matrix for each term, up to which it is stored whole


class Matrix(Protocol):
    """A matrix of shape (entries, pars)."""

    def times(self, v: Array) -> Array:
        """The product with a vector of shape (pars,); shape (entries,)."""

    def transposed_times(self, w: Array) -> Array:
        """The product of a vector of shape (entries,) with the matrix; shape (pars,)."""

    def in_bins(self, weight: Array) -> Array:
        """Each entry's row times its weight, summed over the entries of a bin; shape (bins, pars)."""

    def combined(self, others: tuple[Any, ...], columns: tuple[Array, ...]) -> Any:
        """The sum of this and others of its kind and pattern, their columns scaled first; shape (pars,) each."""


class Dense(NamedTuple):
    """A matrix that is stored whole."""

    elements: Array  # (entries, pars)
    model: Likelihood

    def times(self, v: Array) -> Array:
        """See `Matrix`."""
        return self.elements @ v

    def transposed_times(self, w: Array) -> Array:
        """See `Matrix`."""
        return w @ self.elements

    def in_bins(self, weight: Array) -> Array:
        """See `Matrix`."""
        return in_bins(self.model, weight, self.elements, jnp.arange(weight.shape[0]))

    def combined(self, others: tuple[Dense, ...], columns: tuple[Array, ...]) -> Dense:
        """See `Matrix`."""
        found = self.elements * columns[0]
        for other, scale in zip(others, columns[1:], strict=True):
            found = found + other.elements * scale
        return self._replace(elements=found)


class Sparse(NamedTuple):
    """A matrix that is stored as a list of terms, sorted by entry."""

    terms: Array  # (terms,)
    entry: Array  # (terms,)
    par: Array  # (terms,)
    model: Likelihood

    def times(self, v: Array) -> Array:
        """See `Matrix`."""
        n_entries = self.model.values.nominal.shape[0]
        return segment_sum(self.terms * v[self.par], self.entry, n_entries, indices_are_sorted=True)

    def transposed_times(self, w: Array) -> Array:
        """See `Matrix`."""
        return segment_sum(self.terms * w[self.entry], self.par, self.model.n_pars)

    def in_bins(self, weight: Array) -> Array:
        """See `Matrix`."""
        n_bins, n_pars = self.model.n_bins, self.model.n_pars
        place = self.model.indices.entry_bin[self.entry] * n_pars + self.par
        return segment_sum(self.terms * weight[self.entry], place, n_bins * n_pars).reshape(n_bins, n_pars)

    def combined(self, others: tuple[Sparse, ...], columns: tuple[Array, ...]) -> Sparse:
        """See `Matrix`."""
        found = self.terms * columns[0][self.par]
        for other, scale in zip(others, columns[1:], strict=True):
            found = found + other.terms * scale[self.par]
        return self._replace(terms=found)


def histosys_matrix(model: Likelihood, terms: Array, group: Group | None = None) -> Dense | Sparse:
    """The matrix with one number for each histosys term, or for each of a group."""
    entry, par = model.indices.histosys_entry, model.indices.histosys_par
    if group is not None:
        entry, par = model.of_group("histosys", group, entry), model.of_group("histosys", group, par)
    shape = model.values.nominal.shape[0], model.n_pars
    if shape[0] * shape[1] <= _EMPTIEST * terms.shape[0]:
        return Dense(jnp.zeros(shape, terms.dtype).at[entry, par].add(terms), model)
    return Sparse(terms, entry, par, model)


def in_bins(model: Likelihood, weight: Array, rows: Array, row: Array) -> Array:
    """``sum weight_e rows[row_e]`` over the entries ``e`` of each bin; shape (bins, columns of ``rows``)."""
    members = model.indices.bin_entries
    return jnp.einsum("be,bep->bp", with_last(weight, 0.0)[members], rows[with_last(row, 0)[members]])
