"""Likelihoods of different structure in one shape, so that they share one compiled program and run as one batch.

What is added has no effect: entries without yield, terms that shift nothing, factors of one, and parameters that are
fixed and constrained to where they are. A constraint that is added changes -log L by a constant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from pyhf_func.core.likelihood.structure import Derived, Indices, Likelihood, Private, Space, Values

Resize = Callable[[np.ndarray], Any]


class Sizes(NamedTuple):
    """How many there are of each kind."""

    entries: int
    rows: int
    pars: int
    histosys: int
    normsys: int
    normal: int
    poisson: int
    per_bin: int  # entries of a bin
    per_row: int  # normsys terms of a row
    per_entry: int  # scale factors of an entry
    shared: int
    private: int  # parameters of a bin


def kind(model: Likelihood) -> tuple[object, ...]:
    """The structure that padding does not change: likelihoods that agree in it can be padded to one shape."""
    return (
        model.n_bins,
        model.histosys,
        model.normsys,
        *_derived_kind(model.derived),
        model.custom,
        model.least_entry,
        model.least_bin,
        model.continued,
        model.values.nominal.dtype,
        tuple((each.density, each.par.shape) for each in model.others),
        model.correlation and model.correlation.place.shape,
    )


def _derived_kind(derived: Derived | None) -> tuple[object, ...]:
    """The structure of derived factors; the numbers of entries and rows that they scale may differ."""
    leaves, structure = jax.tree.flatten(_resized(derived, lambda table: table[:0], lambda table: table[:0]))
    return (structure, *(leaf.shape for leaf in leaves))


def _longer_derived(derived: Derived | None, entries: int, rows: int) -> Derived | None:
    return _resized(derived, lambda table: _more_rows(table, entries), lambda table: _more_rows(table, rows))


def _resized(derived: Derived | None, of_entries: Resize, of_rows: Resize) -> Derived | None:
    """The derived factors with other tables of entries and of rows."""
    if derived is None:
        return None
    spreads = derived.spreads
    if spreads is not None:
        tables = of_rows(np.asarray(spreads.row_scales)), of_rows(np.asarray(spreads.row_factors))
        spreads = replace(spreads, row_scales=tables[0], row_factors=tables[1])
    return replace(derived, entry_factors=of_entries(np.asarray(derived.entry_factors)), spreads=spreads)


def _more_rows(table: np.ndarray, rows: int) -> Any:
    return _table(table, rows, table.shape[1], -1, -1)


def common_sizes(models: Sequence[Likelihood]) -> Sizes:
    """The sizes to which all can be padded."""
    every = [_sizes(model) for model in models]
    common = Sizes(*map(max, zip(*every, strict=True)))
    # Constraints that are added need a parameter of their own.
    short = [own.pars + 1 for own in every if own.normal < common.normal or own.poisson < common.poisson]
    pars = max([common.pars, *short])
    return common._replace(pars=pars, shared=max(own.shared + pars - own.pars for own in every))


def roomy(models: Sequence[Likelihood]) -> Sizes:
    """Sizes to which also those can be padded that are a little larger."""
    return _grown(common_sizes(models), _MORE)


def enough_for(models: Sequence[Likelihood], sizes: Sizes | None) -> Sizes:
    """The given sizes, if all can be padded to them; else larger ones, of which there are few: each is a program."""
    while sizes is not None and not all(_fits(_sizes(model), sizes) for model in models):
        sizes = _grown(sizes, _MUCH_MORE)
    return common_sizes(models) if sizes is None else sizes


_MORE, _MUCH_MORE = 1.06, 1.25


def _fits(own: Sizes, sizes: Sizes) -> bool:
    adds = own.normal < sizes.normal or own.poisson < sizes.poisson
    fits = all(mine <= whole for mine, whole in zip(own, sizes, strict=True))
    return fits and own.pars + adds <= sizes.pars and own.shared + sizes.pars - own.pars <= sizes.shared


def _grown(sizes: Sizes, factor: float) -> Sizes:
    """Larger sizes. Zero stays zero if little is added, except for entries; otherwise it becomes one."""
    more = Sizes(*(math.ceil(factor * size) for size in sizes))
    more = more._replace(pars=more.pars + 1, entries=more.entries + 1)
    if factor > _MORE:
        more = Sizes(*(max(size, 1) for size in more))
    return more._replace(shared=more.shared + more.pars - sizes.pars)


def pad(model: Likelihood, data: np.ndarray, sizes: Sizes) -> tuple[Likelihood, np.ndarray]:
    """A likelihood of the given sizes that says the same, and its data."""
    own = _sizes(model)
    if own == sizes:
        return model, data
    parts: Any = jax.tree.map(np.asarray, (model.values, model.indices, model.space))
    values, indices, space = parts
    n_main, n_aux = model.n_bins, model.n_aux
    new_normal, new_poisson = sizes.normal - own.normal, sizes.poisson - own.poisson
    extra = sizes.pars - 1  # the added parameter; it is one, and fixed
    last = sizes.entries - 1
    last_yield = values.nominal[-1] if sizes.entries == own.entries else 0.0
    aux = n_aux + np.arange(new_normal + new_poisson)
    padded_values = Values(
        nominal=_longer(values.nominal, sizes.entries, 0.0),
        histosys_lo=_longer(values.histosys_lo, sizes.histosys, last_yield),
        histosys_hi=_longer(values.histosys_hi, sizes.histosys, last_yield),
        normsys_lo=_longer(values.normsys_lo, sizes.normsys, 1.0),
        normsys_hi=_longer(values.normsys_hi, sizes.normsys, 1.0),
        normal_sigma=_longer(values.normal_sigma, sizes.normal, 1.0),
        poisson_factor=_longer(values.poisson_factor, sizes.poisson, 1.0),
    )
    padded_indices = Indices(
        entry_bin=_longer(indices.entry_bin, sizes.entries, 0),
        entry_row=_longer(indices.entry_row, sizes.entries, sizes.rows - 1),
        bin_entries=_table(indices.bin_entries, n_main, sizes.per_bin, own.entries, sizes.entries),
        entry_scales=_table(indices.entry_scales, sizes.entries, sizes.per_entry, own.pars, sizes.pars),
        histosys_entry=_longer(indices.histosys_entry, sizes.histosys, last),
        histosys_par=_longer(indices.histosys_par, sizes.histosys, 0),
        row_normsys=_table(indices.row_normsys, sizes.rows, sizes.per_row, own.normsys, sizes.normsys),
        normsys_row=_longer(indices.normsys_row, sizes.normsys, sizes.rows - 1),
        normsys_par=_longer(indices.normsys_par, sizes.normsys, 0),
        normal_par=_longer(indices.normal_par, sizes.normal, extra),
        normal_aux=_with(indices.normal_aux, aux[:new_normal]),
        poisson_par=_longer(indices.poisson_par, sizes.poisson, extra),
        poisson_aux=_with(indices.poisson_aux, aux[new_normal:]),
    )
    padded_space = Space(
        init=_longer(space.init, sizes.pars, 1.0),
        lower=_longer(space.lower, sizes.pars, 1.0),
        upper=_longer(space.upper, sizes.pars, 1.0),
        fixed=_longer(space.fixed, sizes.pars, True),
        default_upper=_longer(space.default_upper, sizes.pars, False),
        poi=space.poi,
    )
    padded = replace(
        model,
        values=padded_values,
        indices=padded_indices,
        space=padded_space,
        private=_longer_private(model.private, sizes),
        derived=_longer_derived(model.derived, sizes.entries, sizes.rows),
    )
    return padded, _longer(np.asarray(data), n_main + n_aux + aux.size, 1.0)


def _sizes(model: Likelihood) -> Sizes:
    values, indices = model.values, model.indices
    return Sizes(
        entries=values.nominal.shape[0],
        rows=indices.row_normsys.shape[0],
        pars=model.n_pars,
        histosys=values.histosys_lo.shape[0],
        normsys=values.normsys_lo.shape[0],
        normal=values.normal_sigma.shape[0],
        poisson=values.poisson_factor.shape[0],
        per_bin=indices.bin_entries.shape[1],
        per_row=indices.row_normsys.shape[1],
        per_entry=indices.entry_scales.shape[1],
        shared=model.private.shared,
        private=model.private.per_bin,
    )


def _longer_private(private: Private, sizes: Sizes) -> Private:
    """The same private parameters; those that are added are shared."""
    place, own = np.asarray(private.place), private.shared
    if private.per_bin:
        bins, number = np.divmod(place - own, private.per_bin)
        place = np.where(place < own, place, sizes.shared + bins * sizes.private + number)
    added = own + np.arange(sizes.pars - place.shape[0])
    return Private(_with(place, added), sizes.shared, sizes.private)


def _longer(array: np.ndarray, length: int, value: float) -> Any:
    return _with(array, np.full(length - array.shape[0], value))


def _with(array: np.ndarray, more: np.ndarray) -> Any:
    return np.append(array, more.astype(array.dtype))


def _table(table: np.ndarray, rows: int, columns: int, none: int, new_none: int) -> Any:
    """A larger table of indices, with another number for "none"."""
    full = np.full((rows, columns), new_none, table.dtype)
    full[: table.shape[0], : table.shape[1]] = np.where(table == none, new_none, table)
    return full
