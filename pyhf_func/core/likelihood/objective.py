"""The negative log-likelihood as solvers see it: prepared once for its data, without terms that never change."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from pyhf_func.core.likelihood.density import normal_logpdf, poisson_logpdf
from pyhf_func.core.likelihood.interpolation import ADDITIVE, MULTIPLICATIVE, Coefficients
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.terms import Matrix, histosys_matrix


class Prepared(NamedTuple):
    """What does not depend on the parameters: interpolation coefficients and the observed data."""

    model: Likelihood
    histosys: tuple[Matrix, ...]  # coefficients of the shifts, (entries, pars) each
    normsys: Coefficients
    main: Array  # (bins,)
    normal_aux: Array  # (normal,)
    poisson_aux: Array  # (poisson,)


def prepare(model: Likelihood, data: Array) -> Prepared:
    """Compute once per fit what every expansion needs."""
    values, indices = model.values, model.indices
    aux = data[model.n_bins :]
    shifts = ADDITIVE[model.histosys_code].prepare(
        values.histosys_lo, values.nominal[indices.histosys_entry], values.histosys_hi
    )
    return Prepared(
        model,
        tuple(histosys_matrix(model, coefficient) for coefficient in shifts),
        MULTIPLICATIVE[model.normsys_code].prepare(
            values.normsys_lo, jnp.ones_like(values.normsys_lo), values.normsys_hi
        ),
        data[: model.n_bins],
        aux[indices.normal_aux],
        aux[indices.poisson_aux],
    )


def value(p: Prepared, pars: Array, rates: Array) -> Array:
    """The negative log-likelihood without its `constant`, given the expected main data ``rates``.

    ``+inf`` where the data have no density.
    """
    indices, values = p.model.indices, p.model.values
    pull = (pars[indices.normal_par] - p.normal_aux) / values.normal_sigma
    rate = pars[indices.poisson_par] * values.poisson_factor
    main = poisson_value(p.main, rates, continued=p.model.continued)
    return jnp.sum(main) + jnp.sum(poisson_value(p.poisson_aux, rate)) + 0.5 * jnp.sum(pull**2)


def constraint_curvature(p: Prepared, pars: Array) -> Array:
    """The diagonal that the constraint terms add to the Hessian; shape (pars,)."""
    indices = p.model.indices
    diagonal = jnp.zeros_like(pars).at[indices.normal_par].add(1 / p.model.values.normal_sigma**2)
    return diagonal.at[indices.poisson_par].add(p.poisson_aux / pars[indices.poisson_par] ** 2)


def constraint_gradient(p: Prepared, pars: Array) -> Array:
    """The gradient of the constraint terms; shape (pars,)."""
    indices, values = p.model.indices, p.model.values
    pull = (pars[indices.normal_par] - p.normal_aux) / values.normal_sigma**2
    slope = values.poisson_factor - p.poisson_aux / pars[indices.poisson_par]
    return jnp.zeros_like(pars).at[indices.normal_par].add(pull).at[indices.poisson_par].add(slope)


def constant(p: Prepared) -> Array:
    """What ``value`` leaves out: the terms of -log L that do not depend on the parameters."""
    counts = jnp.concatenate([p.main, p.poisson_aux])
    saturated = jnp.sum(poisson_logpdf(counts, counts))
    return -saturated - jnp.sum(normal_logpdf(0.0, 0.0, p.model.values.normal_sigma))


def poisson_value(n: Array, rate: Array, *, continued: bool = False) -> Array:
    """``rate - n log(rate / n) - n``: zero at ``rate = n``, so that small differences keep their digits.

    A negative count has no density; nor has a negative rate, unless the density of empty bins is ``continued``.
    """
    positive = rate > 0
    logarithm = jnp.log(jnp.where(positive, rate, 1.0) / jnp.where(n > 0, n, 1.0))
    term = jnp.where(positive & (n > 0), n * logarithm, -jnp.inf)
    found = rate - n - jnp.where(n == 0, 0.0, term)
    return found if continued else jnp.where(rate < 0, jnp.inf, found)


def ratio(numerator: Array, rate: Array) -> Array:
    """``numerator / rate``, and zero where the rate is not positive."""
    positive = rate > 0
    return jnp.where(positive, numerator / jnp.where(positive, rate, 1.0), 0.0)
