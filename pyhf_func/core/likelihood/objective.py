"""The negative log-likelihood as solvers see it: prepared once for its data, without terms that never change."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from pyhf_func.core.density import poisson_logpdf, poisson_value
from pyhf_func.core.likelihood import measurements
from pyhf_func.core.likelihood.derived import prepare_derived
from pyhf_func.core.likelihood.groups import histosys_templates, prepare_normsys, shift_groups
from pyhf_func.core.likelihood.interpolation import Coefficients, shift_code
from pyhf_func.core.likelihood.places import Places, places
from pyhf_func.core.likelihood.structure import Group, Likelihood
from pyhf_func.core.likelihood.terms import Combinable, histosys_matrix


class Prepared(NamedTuple):
    """Everything that does not depend on the parameters: interpolation coefficients and the observed data."""

    model: Likelihood
    places: Places
    histosys: tuple[tuple[Combinable, ...], ...]  # coefficients of the shifts of each group, (entries, shared) each
    normsys: tuple[Coefficients, ...]  # of each group
    derived: tuple[Coefficients, ...]  # of each group that is no shift
    main: Array  # (bins,)
    aux: tuple[Array, ...]  # of each density, see `measurements.measured`


def prepare(model: Likelihood, data: Array) -> Prepared:
    """Compute once per fit what every expansion needs."""
    return Prepared(
        model,
        places(model),
        tuple(_shift_matrices(model, group) for group in shift_groups(model)),
        prepare_normsys(model),
        prepare_derived(model),
        data[: model.n_bins],
        measurements.data_of(model, data[model.n_bins :]),
    )


def _shift_matrices(model: Likelihood, group: Group) -> tuple[Combinable, ...]:
    coefficients = shift_code(group.code, group.smooth).prepare(*histosys_templates(model, group))
    return tuple(histosys_matrix(model, coefficient, group) for coefficient in coefficients)


def value(p: Prepared, pars: Array, rates: Array) -> Array:
    """The negative log-likelihood without its `constant`, given the expected main data ``rates``.

    ``+inf`` where the data have no density.
    """
    main = poisson_value(p.main, rates, continued=p.model.continued)
    return jnp.sum(main) + measurements.value(p.model, pars, p.aux)


def constraint_curvature(p: Prepared, pars: Array) -> Array:
    """The diagonal that the constraint terms add to the Hessian; shape (pars,)."""
    return measurements.curvature(p.model, pars, p.aux)


def constraint_gradient(p: Prepared, pars: Array) -> Array:
    """The gradient of the constraint terms; shape (pars,)."""
    return measurements.gradient(p.model, pars, p.aux)


def constant(p: Prepared) -> Array:
    """The terms of -log L that ``value`` leaves out: they do not depend on the parameters."""
    every = zip(measurements.measured(p.model), p.aux, strict=True)
    counts = jnp.concatenate([p.main, *(aux for each, aux in every if each.density.counts)])
    saturated = jnp.sum(poisson_logpdf(counts, counts))
    return measurements.constant(p.model, p.aux) - saturated
