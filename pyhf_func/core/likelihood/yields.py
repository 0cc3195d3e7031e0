"""Expected yields: ``(nominal + shifts) * factors`` for each entry, summed over the samples of a bin."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.likelihood import measurements
from pyhf_func.core.likelihood.interpolation import ADDITIVE, MULTIPLICATIVE
from pyhf_func.core.likelihood.structure import Likelihood

_ROUNDINGS = 8


def normsys_factors(model: Likelihood, pars: Array) -> Array:
    """The factor of each normsys term; shape (normsys,)."""
    values, code = model.values, MULTIPLICATIVE[model.normsys_code]
    alpha = pars[model.indices.normsys_par]
    return code(values.normsys_lo, jnp.ones_like(values.normsys_lo), values.normsys_hi, alpha)


def histosys_shifts(model: Likelihood, pars: Array) -> Array:
    """The shift of each histosys term; shape (histosys,)."""
    values, indices = model.values, model.indices
    nominal = values.nominal[indices.histosys_entry]
    code = ADDITIVE[model.histosys_code]
    return code(values.histosys_lo, nominal, values.histosys_hi, pars[indices.histosys_par])


def entry_yields(model: Likelihood, pars: Array) -> Array:
    """Expected yield of each entry; shape (entries,)."""
    indices, nominal = model.indices, model.values.nominal
    shifts = jax.ops.segment_sum(
        histosys_shifts(model, pars), indices.histosys_entry, nominal.shape[0], indices_are_sorted=True
    )
    rows = jnp.prod(with_one(normsys_factors(model, pars))[indices.row_normsys], axis=-1)
    scales = jnp.prod(with_one(pars)[indices.entry_scales], axis=-1)
    factors = rows[indices.entry_row] * scales
    if model.custom is not None:
        more_shifts, more_factors = model.custom(pars)
        shifts, factors = shifts + more_shifts, factors * more_factors
    return _at_least(model.least_entry, (nominal + shifts) * factors)


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


def with_one(x: Array) -> Array:
    """``x`` with a one behind its last element: the neutral factor that padded indices point to."""
    return with_last(x, 1.0)


def with_last(x: Array, last: float) -> Array:
    """``x`` with one more element: what padded indices point to."""
    return jnp.concatenate([x, jnp.full(1, last, x.dtype)])
