"""The negative log-likelihood to second order around one point, by the structure of the model.

Every factor depends on one parameter, so derivatives of the terms are elementwise; gathers and segment sums
turn them into the gradient, the Jacobian of the bins and products with the exact Hessian. No step costs more
than the file contains, except the Jacobian, which is dense (bins × pars).

With ``nu = a R S`` the yield of an entry (``a`` nominal plus shifts, ``R`` the product of its row's normsys
factors, ``S`` the product of its scale factors), and ``N = sum(lambda - n log lambda)`` over the bins:

    grad N    = sum_b (1 - n/lambda)_b grad lambda_b
    Hess N v  = sum_b (n/lambda^2)_b grad lambda_b (grad lambda_b . v) + sum_b (1 - n/lambda)_b Hess lambda_b v

and the constraint terms add a diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.ops import segment_sum

from pyhf_func.core.likelihood.density import normal_logpdf, poisson_logpdf
from pyhf_func.core.likelihood.interpolation import ADDITIVE, MULTIPLICATIVE, Coefficients, Interpolation
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import with_one


class Prepared(NamedTuple):
    """What does not depend on the parameters: interpolation coefficients and the observed data."""

    model: Likelihood
    histosys: Coefficients
    normsys: Coefficients
    main: Array  # (bins,)
    normal_aux: Array  # (normal,)
    poisson_aux: Array  # (poisson,)


class Expansion(NamedTuple):
    """The likelihood around one point. ``value`` leaves out terms that do not depend on the parameters."""

    prepared: Prepared
    value: Array  # () negative log-likelihood
    gradient: Array  # (pars,)
    constraint: Array  # (pars,) diagonal that the constraint terms add to the Hessian
    rates: Array  # (bins,) lambda
    additive: Array  # (entries,) a
    rows: Array  # (entries,) R
    scales: Array  # (entries, scales) the factors in S
    leave_one_out: Array  # (entries, scales) dS / d(factor)
    shift_slope: Array  # (histosys,)
    shift_bend: Array  # (histosys,)
    log_slope: Array  # (normsys,) f' / f
    log_bend: Array  # (normsys,) f'' / f - (f' / f)^2


def prepare(model: Likelihood, data: Array) -> Prepared:
    """Compute once per fit what every expansion needs."""
    values, indices = model.values, model.indices
    aux = data[model.n_bins :]
    return Prepared(
        model,
        ADDITIVE[model.histosys_code].prepare(
            values.histosys_lo, values.nominal[indices.histosys_entry], values.histosys_hi
        ),
        MULTIPLICATIVE[model.normsys_code].prepare(
            values.normsys_lo, jnp.ones_like(values.normsys_lo), values.normsys_hi
        ),
        data[: model.n_bins],
        aux[indices.normal_aux],
        aux[indices.poisson_aux],
    )


def value_at(p: Prepared, pars: Array) -> Array:
    """The value alone: what a step is judged by. ``+inf`` where the data have no density."""
    model, indices = p.model, p.model.indices
    shifts = ADDITIVE[model.histosys_code].evaluate(p.histosys, pars[indices.histosys_par])
    factors = MULTIPLICATIVE[model.normsys_code].evaluate(p.normsys, pars[indices.normsys_par])
    additive = model.values.nominal + _to_entries(model, shifts)
    rows = jnp.prod(with_one(factors)[indices.row_normsys], axis=-1)[indices.entry_row]
    scales = jnp.prod(with_one(pars)[indices.entry_scales], axis=-1)
    return _value(p, pars, _to_bins(model, additive * rows * scales))


def expand(p: Prepared, pars: Array) -> Expansion:
    """Expand the negative log-likelihood around ``pars``."""
    model, indices, values = p.model, p.model.indices, p.model.values
    shift, shift_slope, shift_bend = _curve(ADDITIVE[model.histosys_code], p.histosys, pars[indices.histosys_par])
    factor, slope, bend = _curve(MULTIPLICATIVE[model.normsys_code], p.normsys, pars[indices.normsys_par])
    safe = jnp.where(factor == 0, 1.0, factor)
    log_slope = slope / safe
    additive = values.nominal + _to_entries(model, shift)
    rows = jnp.prod(with_one(factor)[indices.row_normsys], axis=-1)[indices.entry_row]
    scales = with_one(pars)[indices.entry_scales]
    product, leave_one_out = _product(scales)
    rates = _to_bins(model, additive * rows * product)

    normal_width2 = values.normal_sigma**2
    poisson_pars = pars[indices.poisson_par]
    constraint = jnp.zeros_like(pars).at[indices.normal_par].add(1 / normal_width2)
    constraint = constraint.at[indices.poisson_par].add(p.poisson_aux / poisson_pars**2)

    expansion = Expansion(
        prepared=p,
        value=_value(p, pars, rates),
        gradient=jnp.zeros_like(pars),
        constraint=constraint,
        rates=rates,
        additive=additive,
        rows=rows,
        scales=scales,
        leave_one_out=leave_one_out,
        shift_slope=shift_slope,
        shift_bend=shift_bend,
        log_slope=log_slope,
        log_bend=bend / safe - log_slope**2,
    )
    pull = (pars[indices.normal_par] - p.normal_aux) / normal_width2
    gradient = _to_pars(model, *_entry_terms(expansion, (1 - _ratio(p.main, rates))[indices.entry_bin]))
    gradient = gradient.at[indices.normal_par].add(pull)
    gradient = gradient.at[indices.poisson_par].add(values.poisson_factor - p.poisson_aux / poisson_pars)
    return expansion._replace(gradient=gradient)


def jacobian(x: Expansion) -> Array:
    """Derivatives of the expected main data; shape (bins, pars)."""
    model, indices = x.prepared.model, x.prepared.model.indices
    n_pars = model.n_pars
    histosys, _, scales = _entry_terms(x, jnp.ones_like(x.additive))
    nu = x.additive * x.rows * jnp.prod(x.scales, axis=-1)
    log_slope = jnp.concatenate([x.log_slope, jnp.zeros(1, x.log_slope.dtype)])
    normsys = nu[:, None] * log_slope[indices.row_normsys][indices.entry_row]
    normsys_par = _with(indices.normsys_par, 0)[indices.row_normsys][indices.entry_row]
    first = indices.entry_bin * n_pars
    scale_par = jnp.minimum(indices.entry_scales, n_pars - 1)
    place = [
        first[indices.histosys_entry] + indices.histosys_par,
        (first[:, None] + normsys_par).ravel(),
        (first[:, None] + scale_par).ravel(),
    ]
    scales = jnp.where(indices.entry_scales < n_pars, scales, 0.0)
    flat = segment_sum(
        jnp.concatenate([histosys, normsys.ravel(), scales.ravel()]),
        jnp.concatenate(place),
        model.n_bins * n_pars,
    )
    return flat.reshape(model.n_bins, n_pars)


def hessian_product(x: Expansion) -> Callable[[Array], Array]:
    """The exact Hessian as a function of a vector of shape (pars,)."""
    p, model, indices = x.prepared, x.prepared.model, x.prepared.model.indices
    ratio = _ratio(p.main, x.rates)
    weight = (1 - ratio)[indices.entry_bin]
    fisher = _ratio(ratio, x.rates)
    product = jnp.prod(x.scales, axis=-1)
    factor = x.rows * product
    nu = x.additive * factor
    scaled = weight * x.additive * x.rows
    # What acts on one parameter alone: the bends of its terms and its constraint.
    diagonal = x.constraint + _to_pars(
        model,
        (weight * factor)[indices.histosys_entry] * x.shift_bend,
        _to_rows(model, weight * nu)[indices.normsys_row] * x.log_bend,
        jnp.zeros_like(x.scales),
    )

    def multiply(v: Array) -> Array:
        d_additive = _to_entries(model, x.shift_slope * v[indices.histosys_par])
        d_log_rows = jnp.sum(_with(x.log_slope * v[indices.normsys_par], 0.0)[indices.row_normsys], axis=-1)
        d_rows = x.rows * d_log_rows[indices.entry_row]
        v_scales = _with(v, 0.0)[indices.entry_scales]
        d_product, d_leave_one_out = jax.jvp(_product, (x.scales,), (v_scales,))[1]
        d_factor = d_rows * product + x.rows * d_product
        d_nu = d_additive * factor + x.additive * d_factor
        d_weight = (fisher * _to_bins(model, d_nu))[indices.entry_bin]
        d_scaled = d_weight * x.additive * x.rows + weight * (d_additive * x.rows + x.additive * d_rows)
        return diagonal * v + _to_pars(
            model,
            (d_weight * factor + weight * d_factor)[indices.histosys_entry] * x.shift_slope,
            _to_rows(model, d_weight * nu + weight * d_nu)[indices.normsys_row] * x.log_slope,
            d_scaled[:, None] * x.leave_one_out + scaled[:, None] * d_leave_one_out,
        )

    return multiply


def _curve(code: Interpolation, coefficients: Coefficients, alpha: Array) -> tuple[Array, Array, Array]:
    """Value, first and second derivative of an elementwise function."""
    ones = jnp.ones_like(alpha)

    def value_and_slope(at: Array) -> tuple[Array, Array]:
        return jax.jvp(lambda a: code.evaluate(coefficients, a), (at,), (ones,))

    (value, slope), (_, bend) = jax.jvp(value_and_slope, (alpha,), (ones,))
    return value, slope, bend


def _product(factors: Array) -> tuple[Array, Array]:
    """Product over the last axis and its derivative with respect to each factor, exact where factors are zero."""
    product, pullback = jax.vjp(lambda f: jnp.prod(f, axis=-1), factors)
    return product, pullback(jnp.ones_like(product))[0]


def _entry_terms(x: Expansion, weight: Array) -> tuple[Array, Array, Array]:
    """Derivative of ``sum_e weight_e nu_e`` by term: histosys, normsys, and scales (entries, scales)."""
    model, indices = x.prepared.model, x.prepared.model.indices
    product = jnp.prod(x.scales, axis=-1)
    weighted = weight * x.rows
    histosys = (weighted * product)[indices.histosys_entry] * x.shift_slope
    normsys = _to_rows(model, weighted * x.additive * product)[indices.normsys_row] * x.log_slope
    return histosys, normsys, (weighted * x.additive)[:, None] * x.leave_one_out


def _value(p: Prepared, pars: Array, rates: Array) -> Array:
    indices, values = p.model.indices, p.model.values
    pull = (pars[indices.normal_par] - p.normal_aux) / values.normal_sigma
    rate = pars[indices.poisson_par] * values.poisson_factor
    return (
        jnp.sum(_poisson_value(p.main, rates)) + jnp.sum(_poisson_value(p.poisson_aux, rate)) + 0.5 * jnp.sum(pull**2)
    )


def constant(p: Prepared) -> Array:
    """What ``value`` leaves out: the terms of -log L that do not depend on the parameters."""
    counts = jnp.concatenate([p.main, p.poisson_aux])
    saturated = jnp.sum(poisson_logpdf(counts, counts))
    return -saturated - jnp.sum(normal_logpdf(0.0, 0.0, p.model.values.normal_sigma))


def _poisson_value(n: Array, rate: Array) -> Array:
    """``rate - n log(rate / n) - n``: zero at ``rate = n``, so that small differences keep their digits."""
    positive = rate > 0
    logarithm = jnp.log(jnp.where(positive, rate, 1.0) / jnp.where(n > 0, n, 1.0))
    term = jnp.where(positive, n * logarithm, -jnp.inf)
    return rate - n - jnp.where(n == 0, 0.0, term)


def _ratio(numerator: Array, rate: Array) -> Array:
    """``numerator / rate``, and zero where the rate is not positive."""
    positive = rate > 0
    return jnp.where(positive, numerator / jnp.where(positive, rate, 1.0), 0.0)


def _with(x: Array, last: float) -> Array:
    return jnp.concatenate([x, jnp.full(1, last, x.dtype)])


def _to_entries(model: Likelihood, terms: Array) -> Array:
    return segment_sum(terms, model.indices.histosys_entry, model.values.nominal.shape[0], indices_are_sorted=True)


def _to_bins(model: Likelihood, entries: Array) -> Array:
    return segment_sum(entries, model.indices.entry_bin, model.n_bins, indices_are_sorted=True)


def _to_rows(model: Likelihood, entries: Array) -> Array:
    n_rows = model.indices.row_normsys.shape[0]
    return segment_sum(entries, model.indices.entry_row, n_rows, indices_are_sorted=True)


def _to_pars(model: Likelihood, histosys: Array, normsys: Array, scales: Array) -> Array:
    """Sum terms by parameter."""
    indices = model.indices
    terms = jnp.concatenate([histosys, normsys, scales.ravel()])
    pars = jnp.concatenate([indices.histosys_par, indices.normsys_par, indices.entry_scales.ravel()])
    return segment_sum(terms, pars, model.n_pars + 1)[: model.n_pars]
