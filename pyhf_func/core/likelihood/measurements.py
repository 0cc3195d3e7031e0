"""The auxiliary measurements of a model: sums over all their densities."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

from pyhf_func.core.constraints import NORMAL, POISSON
from pyhf_func.core.likelihood.structure import Correlation, Likelihood, Measured


def measured(model: Likelihood) -> tuple[Measured, ...]:
    """The measurements by density: the Gaussian ones first, then counts."""
    values, indices = model.values, model.indices
    return (
        Measured((values.normal_sigma,), indices.normal_par, indices.normal_aux, NORMAL),
        Measured((values.poisson_factor,), indices.poisson_par, indices.poisson_aux, POISSON),
        *model.others,
    )


def data_of(model: Likelihood, aux: Array) -> tuple[Array, ...]:
    """The auxiliary data of each density."""
    return tuple(aux[each.aux] for each in measured(model))


def logpdf(model: Likelihood, pars: Array, aux: Array) -> Array:
    """Log density of the auxiliary data; shape ()."""
    terms = [jnp.sum(each.density.logpdf(aux[each.aux], pars[each.par], *each.numbers)) for each in measured(model)]
    total = sum(terms[1:], terms[0])
    if model.correlation is not None:
        total -= 0.5 * model.correlation.log_determinant + _correlated(model, model.correlation, pars, aux)
    return total


def value(model: Likelihood, pars: Array, aux: Sequence[Array]) -> Array:
    """Minus that without `constant`."""
    terms = [
        jnp.sum(each.density.value(data, pars[each.par], *each.numbers))
        for each, data in zip(measured(model), aux, strict=True)
    ]
    total = sum(terms[1:], terms[0])
    if model.correlation is not None:
        total += _height(model.correlation, _pulls(model, model.correlation, pars, aux[0]))
    return total


def gradient(model: Likelihood, pars: Array, aux: Sequence[Array]) -> Array:
    """The gradient of `value`; shape (pars,)."""
    total = jnp.zeros_like(pars)
    for each, data in zip(measured(model), aux, strict=True):
        total = total.at[each.par].add(each.density.gradient(data, pars[each.par], *each.numbers))
    if (joint := model.correlation) is not None:
        sigma = model.values.normal_sigma[joint.place]
        slope = joint.excess @ _pulls(model, joint, pars, aux[0]) / sigma
        total = total.at[model.indices.normal_par[joint.place]].add(slope)
    return total


def curvature(model: Likelihood, pars: Array, aux: Sequence[Array]) -> Array:
    """The diagonal of the Hessian of `value`; shape (pars,)."""
    total = jnp.zeros_like(pars)
    for each, data in zip(measured(model), aux, strict=True):
        total = total.at[each.par].add(each.density.curvature(data, pars[each.par], *each.numbers))
    if (joint := model.correlation) is not None:
        bend = jnp.diagonal(joint.excess) / model.values.normal_sigma[joint.place] ** 2
        total = total.at[model.indices.normal_par[joint.place]].add(bend)
    return total


def coupling(model: Likelihood, v: Array) -> Array:
    """The product of the rest of that Hessian with a vector; shape (pars,)."""
    joint = model.correlation
    if joint is None:
        return jnp.zeros_like(v)
    sigma, place = model.values.normal_sigma[joint.place], model.indices.normal_par[joint.place]
    rest = joint.excess - jnp.diag(jnp.diagonal(joint.excess))
    return jnp.zeros_like(v).at[place].add(rest @ (v[place] / sigma) / sigma)


def constant(model: Likelihood, aux: Sequence[Array]) -> Array:
    """The terms that `value` leaves out, but for those of counts."""
    total = jnp.zeros((), aux[0].dtype)
    for each, data in zip(measured(model), aux, strict=True):
        if not each.density.counts:
            total += jnp.sum(each.density.constant(data, *each.numbers))
    if model.correlation is not None:
        total += 0.5 * model.correlation.log_determinant
    return total


def expected(model: Likelihood, pars: Array) -> Array:
    """The Asimov data; shape (aux,)."""
    aux = jnp.zeros(model.n_aux, pars.dtype)
    for each in measured(model):
        aux = aux.at[each.aux].set(each.density.expected(pars[each.par], *each.numbers))
    return aux


def constrained(model: Likelihood) -> Array:
    """Which parameters are measured; shape (pars,) of bool."""
    found = jnp.zeros(model.n_pars, bool)
    for each in measured(model):
        found = found.at[each.par].set(True)
    return found


def widths(model: Likelihood, aux: Array, default: Array) -> Array:
    """Standard deviations of the parameters by their measurements alone, and of others ``default``; shape (pars,)."""
    for each in measured(model):
        default = default.at[each.par].set(each.density.width(aux[each.aux], *each.numbers))
    return default


def centres(model: Likelihood, aux: Array, start: Array) -> Array:
    """Where the auxiliary data put the parameters, and others at ``start``; shape (pars,)."""
    found = start
    for each in measured(model):
        found = found.at[each.par].set(each.density.centre(aux[each.aux], start[each.par], *each.numbers))
    return found


def pulls_of_data(model: Likelihood, pars: Array, aux: Array) -> Array:
    """By how much the likelihood's gradient falls when an auxiliary datum rises by its standard deviation; (pars,)."""
    fall = jnp.zeros_like(pars)
    for each in measured(model):
        fall = fall.at[each.par].set(each.density.pull_of_datum(aux[each.aux], pars[each.par], *each.numbers))
    return fall


def above_lowest(model: Likelihood, lower: Array) -> Array:
    """Lower bounds, where the measurements have a density; shape (pars,)."""
    for each in measured(model)[1:]:  # Gaussian ones have it everywhere
        lower = lower.at[each.par].max(each.density.lowest(*each.numbers))
    return lower


def _correlated(model: Likelihood, joint: Correlation, pars: Array, aux: Array) -> Array:
    return _height(joint, _pulls(model, joint, pars, aux[model.indices.normal_aux]))


def _height(joint: Correlation, pulls: Array) -> Array:
    return 0.5 * pulls @ (joint.excess @ pulls)


def _pulls(model: Likelihood, joint: Correlation, pars: Array, aux: Array) -> Array:
    return ((pars[model.indices.normal_par] - aux) / model.values.normal_sigma)[joint.place]
