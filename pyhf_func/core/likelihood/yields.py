"""Expected yields: ``(nominal + shifts) * factors`` for each entry, summed over the samples of a bin."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.likelihood import measurements
from pyhf_func.core.likelihood.derived import (
    base,
    derived_factors,
    prepare_derived,
    with_last,
    with_one,
)
from pyhf_func.core.likelihood.groups import histosys_templates, normsys_factors, prepare_normsys, shift_groups
from pyhf_func.core.likelihood.interpolation import shift_code
from pyhf_func.core.likelihood.structure import Likelihood

_ROUNDINGS = 8


def shifted(model: Likelihood, pars: Array) -> Array:
    """The yields of entries with the shifts of histosys terms, before factors; shape (entries,)."""
    indices, yields = model.indices, base(model)
    for group in shift_groups(model):
        entry, par = (model.of_group("histosys", group, x) for x in (indices.histosys_entry, indices.histosys_par))
        shifts = shift_code(group.code, group.smooth)(*histosys_templates(model, group), pars[par])
        yields = yields + jax.ops.segment_sum(shifts, entry, yields.shape[0], indices_are_sorted=True)
    return yields


def entry_yields(model: Likelihood, pars: Array) -> Array:
    """Expected yield of each entry; shape (entries,)."""
    indices, derived, normsys = model.indices, model.derived, prepare_normsys(model)
    of_terms = normsys_factors(model, normsys, pars[indices.normsys_par])
    rows = jnp.prod(with_one(of_terms)[indices.row_normsys], axis=-1)
    scales = jnp.prod(with_one(pars)[indices.entry_scales], axis=-1)
    factors = rows[indices.entry_row] * scales
    if derived is not None:
        found = derived_factors(model, prepare_derived(model), normsys, pars)
        factors = factors * jnp.prod(with_one(found)[derived.entry_factors], axis=-1)
    yields = shifted(model, pars)
    if model.custom is not None:
        more_shifts, more_factors = model.custom(pars)
        yields, factors = yields + more_shifts, factors * more_factors
    yields = yields * factors
    clipped = _at_least(model.least_entry, yields)
    if derived is None or derived.spreads is None:
        return clipped
    return clipped.at[derived.spreads.entry].set(yields[derived.spreads.entry])


def expected_main(model: Likelihood, pars: Array) -> Array:
    """Expected events of each bin; shape (bins,)."""
    return _at_least(model.least_bin, bin_yields(model, entry_yields(model, pars))[0])


def expected_aux(model: Likelihood, pars: Array) -> Array:
    """Expected auxiliary data; shape (aux,)."""
    return measurements.expected(model, pars)


def expected_data(model: Likelihood, pars: Array) -> Array:
    """Expected main data followed by expected auxiliary data; shape (bins + aux,)."""
    return jnp.concatenate([expected_main(model, pars), expected_aux(model, pars)])


def to_bins(model: Likelihood, entries: Array) -> Array:
    """Sum over the entries of each bin; shape (bins,)."""
    return jnp.sum(with_last(entries, 0.0)[model.indices.bin_entries], axis=-1)


def bin_yields(model: Likelihood, entries: Array) -> tuple[Array, Array]:
    """Yields of the bins, and the sizes of the contributions that make them up; (bins,) each.

    A yield below zero by no more than the rounding of what is summed is zero.
    """
    yields, sizes = to_bins(model, entries), to_bins(model, jnp.abs(entries))
    rounding = (yields < 0) & (yields >= -_ROUNDINGS * np.finfo(yields.dtype).eps * sizes)
    return yields - jax.lax.stop_gradient(jnp.where(rounding, yields, 0.0)), sizes


def _at_least(least: float | None, yields: Array) -> Array:
    return yields if least is None else jnp.where(yields > least, yields, least)
