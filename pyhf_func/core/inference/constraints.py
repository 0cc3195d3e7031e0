"""What the constraint terms say about the parameters before any fit."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.likelihood.structure import Likelihood


def constrained(model: Likelihood) -> Array:
    """Which parameters have a constraint term; shape (pars,) of bool."""
    nowhere = jnp.zeros(model.n_pars, bool)
    return nowhere.at[model.indices.normal_par].set(True).at[model.indices.poisson_par].set(True)


def prefit_widths(problem: Problem) -> Array:
    """The widths of the constraint terms, zero for parameters that have none or are fixed; shape (pars,).

    A Poisson constraint with ``tau`` expected auxiliary counts has the relative width ``1 / sqrt(tau)``.
    """
    indices, values = problem.model.indices, problem.model.values
    widths = jnp.zeros_like(problem.init).at[indices.normal_par].set(values.normal_sigma)
    tau = values.poisson_factor
    width = jnp.where(tau > 0, 1 / jnp.sqrt(jnp.where(tau > 0, tau, 1.0)), 0.0)
    return jnp.where(problem.fixed, 0.0, widths.at[indices.poisson_par].set(width))


def prefit_pars(problem: Problem) -> Array:
    """The parameters before the fit: where the auxiliary data put them, and else at their start; shape (pars,)."""
    model, aux = problem.model, problem.data[problem.model.n_bins :]
    indices, tau = model.indices, model.values.poisson_factor
    start = problem.init[indices.poisson_par]
    rate = jnp.where(tau > 0, aux[indices.poisson_aux] / jnp.where(tau > 0, tau, 1.0), start)
    pars = problem.init.at[indices.normal_par].set(aux[indices.normal_aux]).at[indices.poisson_par].set(rate)
    return jnp.where(problem.fixed, problem.init, pars)
