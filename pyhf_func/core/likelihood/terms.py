"""Linear maps from shared parameters to entries, with one number for each term of a modifier type.

A matrix that terms fill well enough is stored whole: products with it run at the speed of memory. Otherwise its
terms are stored as a list, and products gather and sum them, at several times the cost of each number.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax.numpy as jnp
from jax import Array, lax
from jax.ops import segment_sum

from pyhf_func.core.likelihood.derived import with_last
from pyhf_func.core.likelihood.structure import Group, Likelihood

_EMPTIEST = 16  # numbers of the whole matrix for each term, up to which it is stored whole
_EMPTIEST_LARGE = 2  # the same of a matrix that does not fit into the processor's cache
_CACHED = 2**18  # numbers that do


class Matrix(Protocol):
    """A matrix of shape (entries, shared)."""

    def times(self, v: Array) -> Array:
        """The product with a vector of shape (shared,); shape (entries,)."""

    def transposed_times(self, w: Array) -> Array:
        """The product of a vector of shape (entries,) with the matrix; shape (shared,)."""

    def in_bins(self, weight: Array) -> Array:
        """Each entry's row times its weight, summed over the entries of a bin; shape (bins, shared)."""


class Combinable(Matrix, Protocol):
    """A matrix, others of whose kind and pattern can be added to it."""

    def combined(self, others: tuple[Any, ...], columns: tuple[Array, ...]) -> Any:
        """The sum of this and others of its kind and pattern, their columns scaled first; shape (shared,) each."""


class Dense(NamedTuple):
    """A matrix that is stored whole."""

    elements: Array  # (entries, shared)
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
        """See `Combinable`."""
        found = self.elements * columns[0][None]
        for other, scale in zip(others, columns[1:], strict=True):
            found = found + other.elements * scale[None]
        return self._replace(elements=found)


class Sparse(NamedTuple):
    """A matrix that is stored as a list of terms, sorted by entry."""

    terms: Array  # (terms,)
    entry: Array  # (terms,)
    column: Array  # (terms,) place of the parameter
    model: Likelihood

    def times(self, v: Array) -> Array:
        """See `Matrix`."""
        n_entries = self.model.values.nominal.shape[0]
        return segment_sum(self.terms * v[self.column], self.entry, n_entries, indices_are_sorted=True)

    def transposed_times(self, w: Array) -> Array:
        """See `Matrix`."""
        return segment_sum(self.terms * w[self.entry], self.column, self.model.private.shared)

    def in_bins(self, weight: Array) -> Array:
        """See `Matrix`."""
        found = jnp.zeros((self.model.n_bins, self.model.private.shared), weight.dtype)
        return found.at[self.model.indices.entry_bin[self.entry], self.column].add(self.terms * weight[self.entry])

    def combined(self, others: tuple[Sparse, ...], columns: tuple[Array, ...]) -> Sparse:
        """See `Combinable`."""
        found = self.terms * columns[0][self.column]
        for other, scale in zip(others, columns[1:], strict=True):
            found = found + other.terms * scale[self.column]
        return self._replace(terms=found)


class Rows(NamedTuple):
    """A matrix whose rows all entries of a row of the model share, stored whole."""

    elements: Array  # (rows, shared)
    model: Likelihood

    def times(self, v: Array) -> Array:
        """See `Matrix`."""
        return (self.elements @ v)[self.model.indices.entry_row]

    def transposed_times(self, w: Array) -> Array:
        """See `Matrix`."""
        return to_rows(self.model, w) @ self.elements

    def in_bins(self, weight: Array) -> Array:
        """See `Matrix`."""
        return in_bins(self.model, weight, self.elements, self.model.indices.entry_row)


class RowTerms(NamedTuple):
    """The same, stored as a list of the normsys terms."""

    terms: Array  # (normsys,)
    column: Array  # (normsys,) place of the parameter
    model: Likelihood

    def times(self, v: Array) -> Array:
        """See `Matrix`."""
        indices = self.model.indices
        rows = segment_sum(self.terms * v[self.column], indices.normsys_row, indices.row_normsys.shape[0])
        return rows[indices.entry_row]

    def transposed_times(self, w: Array) -> Array:
        """See `Matrix`."""
        by_term = to_rows(self.model, w)[self.model.indices.normsys_row]
        return segment_sum(self.terms * by_term, self.column, self.model.private.shared)

    def in_bins(self, weight: Array) -> Array:
        """See `Matrix`."""
        indices = self.model.indices
        found = jnp.zeros((self.model.n_bins, self.model.private.shared), weight.dtype)
        of_entries = indices.row_normsys[indices.entry_row]
        terms, column = with_last(self.terms, 0.0)[of_entries], with_last(self.column, 0)[of_entries]
        return found.at[indices.entry_bin[:, None], column].add(weight[:, None] * terms)


def normsys_matrix(model: Likelihood, terms: Array) -> Rows | RowTerms:
    """The matrix with one number for each normsys term, in all entries of its row."""
    row, column = model.indices.normsys_row, model.private.place[model.indices.normsys_par]
    shape = model.indices.row_normsys.shape[0], model.private.shared
    if is_filled(shape, terms.shape[0]):
        return Rows(jnp.zeros(shape, terms.dtype).at[row, column].add(terms), model)
    return RowTerms(terms, column, model)


def histosys_matrix(model: Likelihood, terms: Array, group: Group | None = None) -> Dense | Sparse:
    """The matrix with one number for each histosys term, or for each of a group."""
    entry, par = model.indices.histosys_entry, model.indices.histosys_par
    if group is not None:
        entry, par = model.of_group("histosys", group, entry), model.of_group("histosys", group, par)
    shape, column = (model.values.nominal.shape[0], model.private.shared), model.private.place[par]
    if is_filled(shape, terms.shape[0]):
        return Dense(jnp.zeros(shape, terms.dtype).at[entry, column].add(terms), model)
    return Sparse(terms, entry, column, model)


def is_filled(shape: tuple[int, int], n_terms: int) -> bool:
    """Whether terms fill a matrix well enough for it to be stored whole."""
    size = shape[0] * shape[1]
    return size <= (_EMPTIEST if size <= _CACHED else _EMPTIEST_LARGE) * n_terms


def to_rows(model: Likelihood, entries: Array) -> Array:
    """Sum over the entries of each row; shape (rows,)."""
    n_rows = model.indices.row_normsys.shape[0]
    return segment_sum(entries, model.indices.entry_row, n_rows, indices_are_sorted=True)


def in_bins(model: Likelihood, weight: Array, rows: Array, row: Array) -> Array:
    """``sum weight_e rows[row_e]`` over the entries ``e`` of each bin; shape (bins, columns of ``rows``)."""
    members = model.indices.bin_entries
    weight, row = with_last(weight, 0.0), with_last(row, 0)
    if members.size * rows.shape[1] <= _CACHED:
        return jnp.einsum("be,bep->bp", weight[members], rows[row[members]])

    def add(found: Array, of_bins: Array) -> tuple[Array, None]:
        return found + weight[of_bins][:, None] * rows[row[of_bins]], None

    return lax.scan(add, jnp.zeros((model.n_bins, rows.shape[1]), weight.dtype), members.T)[0]
