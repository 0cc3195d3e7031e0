"""The negative log-likelihood to second order around one point, by the structure of the model.

Every factor depends on one parameter, so derivatives of the terms are elementwise; linear algebra turns them into the
gradient, the Jacobian of the bins and products with the exact Hessian.

With ``nu = a R S`` the yield of an entry (``a`` nominal plus shifts, ``R`` the product of its row's normsys
factors, ``S`` the product of its scale factors), and ``N = sum(lambda - n log lambda)`` over the bins:

    grad N    = sum_b (1 - n/lambda)_b grad lambda_b
    Hess N v  = sum_b (n/lambda^2)_b grad lambda_b (grad lambda_b . v) + sum_b (1 - n/lambda)_b Hess lambda_b v

and the constraint terms add a diagonal. Models with more than that (see `Likelihood.is_plain`) are differentiated
automatically instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.ops import segment_sum

from pyhf_func.core.density import ratio
from pyhf_func.core.likelihood import automatic
from pyhf_func.core.likelihood.automatic import Automatic
from pyhf_func.core.likelihood.interpolation import ADDITIVE, MULTIPLICATIVE
from pyhf_func.core.likelihood.measurements import coupling
from pyhf_func.core.likelihood.objective import Prepared, constraint_curvature, constraint_gradient, value
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.terms import Matrix, in_bins
from pyhf_func.core.likelihood.yields import bin_yields, to_bins, with_last, with_one

T = TypeVar("T", bound=Array | tuple[Array, ...])


class Structured(NamedTuple):
    """The likelihood around one point, with what its structure gives."""

    prepared: Prepared
    value: Array  # () negative log-likelihood
    gradient: Array  # (pars,)
    constraint: Array  # (pars,) diagonal that the constraint terms add to the Hessian
    rates: Array  # (bins,) lambda
    sizes: Array  # (bins,) sum of the absolute contributions to it
    additive: Array  # (entries,) a
    rows: Array  # (entries,) R
    scales: Array  # (entries, scales) the factors in S
    leave_one_out: Array  # (entries, scales) dS / d(factor)
    shift_slope: Matrix  # (entries, pars) da
    shift_bends: tuple[Array, ...]  # (pars,) each: second derivatives of the basis
    log_slope: Array  # (rows, pars) d(log R)
    log_bend: Array  # (normsys,) second derivative of each term's log factor


Expansion = Structured | Automatic


def value_at(p: Prepared, pars: Array) -> Array:
    """The value alone: what a step is judged by. ``+inf`` where the data have no density."""
    if not p.model.is_plain:
        return automatic.value_at(p, pars)
    model, indices = p.model, p.model.indices
    additive = model.values.nominal + _combined(p.histosys, ADDITIVE[model.histosys_code].basis(pars))
    factors = MULTIPLICATIVE[model.normsys_code].evaluate(p.normsys, pars[indices.normsys_par])
    rows = jnp.prod(with_one(factors)[indices.row_normsys], axis=-1)[indices.entry_row]
    scales = jnp.prod(with_one(pars)[indices.entry_scales], axis=-1)
    return value(p, pars, bin_yields(model, additive * rows * scales)[0])


def expand(p: Prepared, pars: Array) -> Expansion:
    """Expand the negative log-likelihood around ``pars``."""
    return _expand(p, pars) if p.model.is_plain else automatic.expand(p, pars)


def jacobian(x: Expansion) -> Array:
    """Derivatives of the expected main data; shape (bins, pars)."""
    return automatic.jacobian(x) if isinstance(x, Automatic) else _jacobian(x)


def hessian_product(x: Expansion) -> Callable[[Array], Array]:
    """The exact Hessian as a function of a vector of shape (pars,)."""
    return automatic.hessian_product(x) if isinstance(x, Automatic) else _hessian_product(x)


def _expand(p: Prepared, pars: Array) -> Structured:
    model, indices, values = p.model, p.model.indices, p.model.values
    shifts, shift_slopes, shift_bends = _curve(ADDITIVE[model.histosys_code].basis, pars)
    factor, slope, bend = _curve(
        partial(MULTIPLICATIVE[model.normsys_code].evaluate, p.normsys), pars[indices.normsys_par]
    )
    safe = jnp.where(factor == 0, 1.0, factor)
    log_slope = slope / safe
    additive = values.nominal + _combined(p.histosys, shifts)
    by_row = jnp.prod(with_one(factor)[indices.row_normsys], axis=-1)
    scales = with_one(pars)[indices.entry_scales]
    product, leave_one_out = _product(scales)
    rates, sizes = bin_yields(model, additive * by_row[indices.entry_row] * product)
    place = indices.normsys_row, indices.normsys_par
    first, second = p.histosys

    expansion = Structured(
        prepared=p,
        value=value(p, pars, rates),
        gradient=jnp.zeros_like(pars),
        constraint=constraint_curvature(p, pars),
        rates=rates,
        sizes=sizes,
        additive=additive,
        rows=by_row[indices.entry_row],
        scales=scales,
        leave_one_out=leave_one_out,
        shift_slope=first.combined(shift_slopes[0], second, shift_slopes[1]),
        shift_bends=shift_bends,
        log_slope=jnp.zeros((by_row.shape[0], pars.shape[0]), pars.dtype).at[place].add(log_slope),
        log_bend=bend / safe - log_slope**2,
    )
    weight = (1 - ratio(p.main, rates))[indices.entry_bin] * expansion.rows
    gradient = _to_pars(
        expansion, weight * product, weight * additive * product, (weight * additive)[:, None] * leave_one_out
    )
    return expansion._replace(gradient=gradient + constraint_gradient(p, pars))


def _jacobian(x: Structured) -> Array:
    model, indices = x.prepared.model, x.prepared.model.indices
    factor = x.rows * jnp.prod(x.scales, axis=-1)
    scales = (x.additive * x.rows)[:, None] * x.leave_one_out
    return (
        x.shift_slope.in_bins(factor)
        + in_bins(model, x.additive * factor, x.log_slope, indices.entry_row)
        + jnp.zeros((model.n_bins, model.n_pars), factor.dtype)
        .at[indices.entry_bin[:, None], indices.entry_scales]
        .add(scales, mode="drop")
    )


def _hessian_product(x: Structured) -> Callable[[Array], Array]:
    p, model, indices = x.prepared, x.prepared.model, x.prepared.model.indices
    observed = ratio(p.main, x.rates)
    weight = (1 - observed)[indices.entry_bin]
    fisher = ratio(observed, x.rates)
    product = jnp.prod(x.scales, axis=-1)
    factor = x.rows * product
    nu = x.additive * factor
    scaled = weight * x.additive * x.rows
    # What acts on one parameter alone: the bends of its terms and its constraint.
    bends = _to_rows(model, weight * nu)[indices.normsys_row] * x.log_bend
    diagonal = x.constraint + segment_sum(bends, indices.normsys_par, model.n_pars)
    for matrix, bend in zip(p.histosys, x.shift_bends, strict=True):
        diagonal += bend * matrix.transposed_times(weight * factor)

    def multiply(v: Array) -> Array:
        d_additive = x.shift_slope.times(v)
        d_rows = x.rows * (x.log_slope @ v)[indices.entry_row]
        v_scales = with_last(v, 0.0)[indices.entry_scales]
        d_product, d_leave_one_out = jax.jvp(_product, (x.scales,), (v_scales,))[1]
        d_factor = d_rows * product + x.rows * d_product
        d_nu = d_additive * factor + x.additive * d_factor
        d_weight = (fisher * to_bins(model, d_nu))[indices.entry_bin]
        d_scaled = d_weight * x.additive * x.rows + weight * (d_additive * x.rows + x.additive * d_rows)
        product_of_yields = _to_pars(
            x,
            d_weight * factor + weight * d_factor,
            d_weight * nu + weight * d_nu,
            d_scaled[:, None] * x.leave_one_out + scaled[:, None] * d_leave_one_out,
        )
        own = diagonal * v if model.correlation is None else diagonal * v + coupling(model, v)
        return own + product_of_yields

    return multiply


def _curve(function: Callable[[Array], T], alpha: Array) -> tuple[T, T, T]:
    """Value, first and second derivative of elementwise functions."""
    ones = jnp.ones_like(alpha)

    def value_and_slope(at: Array) -> tuple[T, T]:
        return jax.jvp(function, (at,), (ones,))

    (value, slope), (_, bend) = jax.jvp(value_and_slope, (alpha,), (ones,))
    return value, slope, bend


def _combined(matrices: tuple[Matrix, ...], vectors: tuple[Array, ...]) -> Array:
    first, second = (matrix.times(vector) for matrix, vector in zip(matrices, vectors, strict=True))
    return first + second


def _product(factors: Array) -> tuple[Array, Array]:
    """Product over the last axis and its derivative with respect to each factor, exact where factors are zero."""
    product, pullback = jax.vjp(lambda f: jnp.prod(f, axis=-1), factors)
    return product, pullback(jnp.ones_like(product))[0]


def _to_rows(model: Likelihood, entries: Array) -> Array:
    n_rows = model.indices.row_normsys.shape[0]
    return segment_sum(entries, model.indices.entry_row, n_rows, indices_are_sorted=True)


def _to_pars(x: Structured, additive: Array, log_rows: Array, scales: Array) -> Array:
    """Derivatives with respect to the additive part, log R (entries,) and factors (entries, scales), by parameter."""
    model = x.prepared.model
    by_scale = segment_sum(scales.ravel(), model.indices.entry_scales.ravel(), model.n_pars + 1)[: model.n_pars]
    return x.shift_slope.transposed_times(additive) + _to_rows(model, log_rows) @ x.log_slope + by_scale
