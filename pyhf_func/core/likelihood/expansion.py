"""The negative log-likelihood to second order around one point, by the structure of the model.

Every term depends on one parameter, so its derivatives are elementwise; linear algebra turns them into the gradient,
the Jacobian of the bins and products with the exact Hessian.

With ``nu = a R S`` the yield of an entry (``a`` nominal plus shifts, ``R`` the product of its row's normsys
factors, ``S`` the product of its scale factors, parameters and `derived` ones), and
``N = sum(lambda - n log lambda)`` over the bins:

    grad N    = sum_b (1 - n/lambda)_b grad lambda_b
    Hess N v  = sum_b (n/lambda^2)_b grad lambda_b (grad lambda_b . v) + sum_b (1 - n/lambda)_b Hess lambda_b v

and the constraint terms add a diagonal. Models with more than that (see `Likelihood.is_plain`) are differentiated
automatically instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from operator import add
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.ops import segment_sum

from pyhf_func.core.density import ratio
from pyhf_func.core.likelihood import automatic
from pyhf_func.core.likelihood.automatic import Automatic
from pyhf_func.core.likelihood.derived import (
    base,
    curvature,
    derived_factors,
    linearised,
    take,
    with_last,
    with_one,
)
from pyhf_func.core.likelihood.groups import normsys_factors, shift_groups
from pyhf_func.core.likelihood.interpolation import shift_code
from pyhf_func.core.likelihood.measurements import coupling
from pyhf_func.core.likelihood.objective import Prepared, constraint_curvature, constraint_gradient, value
from pyhf_func.core.likelihood.places import Jacobian, Places, is_large
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.terms import Combinable, Matrix, in_bins, normsys_matrix, to_rows
from pyhf_func.core.likelihood.yields import bin_yields, to_bins

T = TypeVar("T", bound=Array | tuple[tuple[Array, ...], ...])


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
    scales: Array  # (entries, scales) the factors in S, first parameters, then derived ones
    leave_one_out: Array  # (entries, scales) dS / d(factor)
    shift_slopes: tuple[Matrix, ...]  # (entries, shared) each: da by the histosys terms of a group
    shift_bends: tuple[tuple[Array, ...], ...]  # (shared,) each: second derivatives of the basis of each group
    log_slope: Matrix  # (entries, shared) d(log R)
    log_bend: Array  # (normsys,) second derivative of each term's log factor
    point: Array | None  # (pars,) where there are derived factors
    derived_slope: Array | None  # (derived,) derivatives of the value by derived factors


Expansion = Structured | Automatic


def value_at(p: Prepared, pars: Array) -> Array:
    """The value alone: what a step is judged by. ``+inf`` where the data have no density."""
    if not p.model.is_plain:
        return automatic.value_at(p, pars)
    model, indices = p.model, p.model.indices
    additive = _added(base(model), p.histosys, _bases(model, p.places.split(pars)[0]))
    factors = normsys_factors(model, p.normsys, pars[indices.normsys_par])
    rows = jnp.prod(with_one(factors)[indices.row_normsys], axis=-1)[indices.entry_row]
    scales = jnp.prod(_scales(p, pars), axis=-1)
    return value(p, pars, bin_yields(model, additive * rows * scales)[0])


def expand(p: Prepared, pars: Array) -> Expansion:
    """Expand the negative log-likelihood around ``pars``."""
    return _expand(p, pars) if p.model.is_plain else automatic.expand(p, pars)


def jacobian(x: Expansion) -> Jacobian:
    """Derivatives of the expected main data."""
    return automatic.jacobian(x) if isinstance(x, Automatic) else _jacobian(x)


def slopes(x: Expansion) -> Jacobian | Slopes:
    """The same as products, without the matrix, where that would be large."""
    return Slopes.of(x) if isinstance(x, Structured) and is_large(x.prepared.model) else jacobian(x)


def hessian_product(x: Expansion) -> Callable[[Array], Array]:
    """The exact Hessian as a function of a vector of shape (pars,)."""
    return automatic.hessian_product(x) if isinstance(x, Automatic) else _hessian_product(x)


def _expand(p: Prepared, pars: Array) -> Structured:
    model, indices = p.model, p.model.indices
    shifts, shift_slopes, shift_bends = _curve(partial(_bases, model), p.places.split(pars)[0])
    factor, slope, bend = _curve(partial(normsys_factors, model, p.normsys), pars[indices.normsys_par])
    safe = jnp.where(factor == 0, 1.0, factor)
    log_slope = slope / safe
    additive = _added(base(model), p.histosys, shifts)
    by_row = jnp.prod(with_one(factor)[indices.row_normsys], axis=-1)
    scales = _scales(p, pars)
    product, leave_one_out = _product(scales)
    rates, sizes = bin_yields(model, additive * by_row[indices.entry_row] * product)

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
        shift_slopes=tuple(map(_combined, p.histosys, shift_slopes)),
        shift_bends=shift_bends,
        log_slope=normsys_matrix(model, log_slope),
        log_bend=bend / safe - log_slope**2,
        point=None if model.derived is None else pars,
        derived_slope=None,
    )
    weight = (1 - ratio(p.main, rates))[indices.entry_bin] * expansion.rows
    gradient, derived = _to_pars(
        expansion, weight * product, weight * additive * product, (weight * additive)[:, None] * leave_one_out
    )
    if derived is not None:
        gradient += linearised(partial(_derived, p), pars)[1](derived)
    return expansion._replace(gradient=gradient + constraint_gradient(p, pars), derived_slope=derived)


def _jacobian(x: Structured) -> Jacobian:
    model, indices, places = x.prepared.model, x.prepared.model.indices, x.prepared.places
    factor = x.rows * jnp.prod(x.scales, axis=-1)
    scales = (x.additive * x.rows)[:, None] * x.leave_one_out
    width = indices.entry_scales.shape[-1]
    shared = x.log_slope.in_bins(x.additive * factor)
    shared = shared.at[indices.entry_bin[:, None], places.scales].add(scales[:, :width], mode="drop")
    for slope in x.shift_slopes:
        shared += slope.in_bins(factor)
    if model.derived is not None:
        shared += _derived_jacobian(x, scales[:, width:])
    return Jacobian(shared, _private(x, scales[:, :width]), places)


def _private(x: Structured, scales: Array) -> Array:
    """Derivatives of the bins by private parameters, from those of entries by their scales."""
    places = x.prepared.places
    n_shared, behind = places.shared.shape[0], places.every
    own = jnp.where(places.scales < n_shared, behind, places.scales - n_shared)
    private = jnp.zeros(places.private.size, scales.dtype).at[own].add(scales, mode="drop")
    return private.reshape(places.private.shape)


class Slopes(NamedTuple):
    """Derivatives of the bins' yields by the parameters, as products by the structure of the model."""

    x: Structured
    private: Array  # (bins, private per bin)
    places: Places

    @classmethod
    def of(cls, x: Structured) -> Slopes:
        """Those around one point."""
        scales = (x.additive * x.rows)[:, None] * x.leave_one_out
        places = x.prepared.places
        return cls(x, _private(x, scales[:, : places.scales.shape[-1]]), places)

    def times(self, v: Array) -> Array:
        """The product with a vector of shape (pars,); shape (bins,)."""
        x = self.x
        product = jnp.prod(x.scales, axis=-1)
        d_additive, d_rows, v_scales = _along(x, _derived_derivatives(x)[0], v)
        d_product = jnp.sum(x.leave_one_out * v_scales, axis=-1)
        d_factor = d_rows * product + x.rows * d_product
        return to_bins(x.prepared.model, d_additive * x.rows * product + x.additive * d_factor)

    def transposed_times(self, w: Array) -> Array:
        """The product of a vector of shape (bins,) with it; shape (pars,)."""
        x = self.x
        weight = w[x.prepared.model.indices.entry_bin] * x.rows
        product = jnp.prod(x.scales, axis=-1)
        scaled = weight * x.additive
        found, derived = _to_pars(x, weight * product, scaled * product, scaled[:, None] * x.leave_one_out)
        return found if derived is None else found + _derived_derivatives(x)[1](derived)

    def whole(self) -> Jacobian:
        """The matrix."""
        return _jacobian(self.x)


def _derived_jacobian(x: Structured, weights: Array) -> Array:
    """Derivatives of the bins by way of derived factors, weights (entries, factors); shape (bins, shared)."""
    model, derived, places = x.prepared.model, x.prepared.model.derived, x.prepared.places
    assert derived is not None
    assert x.point is not None
    forward = linearised(partial(_derived, x.prepared), x.point)[0]
    units = jax.vmap(places.only)(jnp.eye(model.private.shared, dtype=x.point.dtype))
    slopes = jax.vmap(forward, out_axes=1)(units)
    slopes = jnp.concatenate([slopes, jnp.zeros_like(slopes[:1])])  # that of no factor, at its end
    return sum(
        (in_bins(model, w, slopes, place) for w, place in zip(weights.T, derived.entry_factors.T, strict=True)),
        start=jnp.zeros((), slopes.dtype),
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
    bends = to_rows(model, weight * nu)[indices.normsys_row] * x.log_bend
    bent = segment_sum(bends, model.private.place[indices.normsys_par], model.private.shared)
    for matrices, bends_of_group in zip(p.histosys, x.shift_bends, strict=True):
        for matrix, bend in zip(matrices, bends_of_group, strict=True):
            bent += bend * matrix.transposed_times(weight * factor)
    diagonal = x.constraint + p.places.only(bent)
    forward, backward, curve = _derived_derivatives(x)

    def multiply(v: Array) -> Array:
        d_additive, d_rows, v_scales = _along(x, forward, v)
        d_product, d_leave_one_out = jax.jvp(_product, (x.scales,), (v_scales,))[1]
        d_factor = d_rows * product + x.rows * d_product
        d_nu = d_additive * factor + x.additive * d_factor
        d_weight = (fisher * to_bins(model, d_nu))[indices.entry_bin]
        d_scaled = d_weight * x.additive * x.rows + weight * (d_additive * x.rows + x.additive * d_rows)
        found, derived = _to_pars(
            x,
            d_weight * factor + weight * d_factor,
            d_weight * nu + weight * d_nu,
            d_scaled[:, None] * x.leave_one_out + scaled[:, None] * d_leave_one_out,
        )
        found = diagonal * v + found
        if model.correlation is not None:
            found = found + coupling(model, v)
        return found if derived is None else found + backward(derived) + curve(v)

    return multiply


Operator = Callable[[Array], Array]


def _along(x: Structured, forward: Operator, v: Array) -> tuple[Array, Array, Array]:
    """Derivatives of additive parts, row factors and scales (entries, scales) along a vector (pars,)."""
    model, places = x.prepared.model, x.prepared.places
    shared = places.split(v)[0]
    d_additive = _sum([slope.times(shared) for slope in x.shift_slopes])
    d_rows = x.rows * x.log_slope.times(shared)
    v_scales = take(with_last(v, 0.0), model.indices.entry_scales)
    if model.derived is not None:
        v_derived = with_last(forward(v), 0.0)[model.derived.entry_factors]
        v_scales = jnp.concatenate([v_scales, v_derived], axis=-1)
    return d_additive, d_rows, v_scales


def _derived_derivatives(x: Structured) -> tuple[Operator, Operator, Operator]:
    """The derivative of the derived factors, its transposed, and their part of the Hessian."""
    if x.point is None or x.derived_slope is None:
        return _identity, _identity, _identity
    derived = partial(_derived, x.prepared)
    return *linearised(derived, x.point), curvature(derived, x.point, x.derived_slope)


def _identity(v: Array) -> Array:
    return v


def _derived(p: Prepared, pars: Array) -> Array:
    return derived_factors(p.model, p.derived, p.normsys, pars)


def _scales(p: Prepared, pars: Array) -> Array:
    """The scale factors of each entry, first parameters, then derived ones; shape (entries, scales)."""
    scales = take(with_one(pars), p.model.indices.entry_scales)
    if p.model.derived is None:
        return scales
    return jnp.concatenate([scales, with_one(_derived(p, pars))[p.model.derived.entry_factors]], axis=-1)


def _bases(model: Likelihood, pars: Array) -> tuple[tuple[Array, ...], ...]:
    """The basis functions of each group of histosys terms that shift yields, at parameters of any number."""
    return tuple(shift_code(group.code, group.smooth).basis(pars) for group in shift_groups(model))


def _curve(function: Callable[[Array], T], alpha: Array) -> tuple[T, T, T]:
    """Value, first and second derivative of elementwise functions."""
    ones = jnp.ones_like(alpha)

    def value_and_slope(at: Array) -> tuple[T, T]:
        return jax.jvp(function, (at,), (ones,))

    (value, slope), (_, bend) = jax.jvp(value_and_slope, (alpha,), (ones,))
    return value, slope, bend


def _added(yields: Array, groups: tuple[tuple[Combinable, ...], ...], vectors: tuple[tuple[Array, ...], ...]) -> Array:
    """Yields with the products of each matrix and its vector."""
    for matrices, mine in zip(groups, vectors, strict=True):
        yields = yields + _sum([matrix.times(vector) for matrix, vector in zip(matrices, mine, strict=True)])
    return yields


def _sum(found: list[Array]) -> Array:
    return reduce(add, found) if found else jnp.zeros(())


def _combined(matrices: tuple[Combinable, ...], columns: tuple[Array, ...]) -> Matrix:
    """The sum of matrices of one pattern, their columns scaled first."""
    return matrices[0].combined(matrices[1:], columns)


def _product(factors: Array) -> tuple[Array, Array]:
    """Product over the last axis and its derivative with respect to each factor, exact where factors are zero."""
    product, pullback = jax.vjp(lambda f: jnp.prod(f, axis=-1), factors)
    return product, pullback(jnp.ones_like(product))[0]


def _to_pars(x: Structured, additive: Array, log_rows: Array, scales: Array) -> tuple[Array, Array | None]:
    """Derivatives by the additive part, log R (entries,) and factors (entries, scales), by parameter.

    Those by derived factors are apart.
    """
    model, places = x.prepared.model, x.prepared.places
    width, n_shared = places.scales.shape[-1], places.shared.shape[0]
    of_scales = scales if model.derived is None else scales[:, :width]
    by_place = segment_sum(of_scales.ravel(), places.scales.ravel(), places.every + 1)
    shared = x.log_slope.transposed_times(log_rows) + by_place[:n_shared]
    for slope in x.shift_slopes:
        shared = slope.transposed_times(additive) + shared
    found = places.joined(shared, by_place[n_shared:-1])
    if model.derived is None:
        return found, None
    size = jax.eval_shape(partial(_derived, x.prepared), x.point).shape[0]
    return found, segment_sum(scales[:, width:].ravel(), model.derived.entry_factors.ravel(), size)
