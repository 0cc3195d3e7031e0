"""Values and widths that the constraint terms give the parameters before any fit."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.likelihood import measurements


def prefit_widths(problem: Problem) -> Array:
    """The widths of the constraint terms, zero for parameters that have none or are fixed; shape (pars,).

    Of a Poisson constraint with ``tau`` expected counts per unit and ``n`` of them it is ``sqrt(n) / tau``.
    """
    aux = problem.data[problem.model.n_bins :]
    widths = measurements.widths(problem.model, aux, jnp.zeros_like(problem.init))
    return jnp.where(problem.fixed, 0.0, widths)


def prefit_pars(problem: Problem) -> Array:
    """The parameters before the fit: where the auxiliary data put them, and else at their start; shape (pars,)."""
    aux = problem.data[problem.model.n_bins :]
    return jnp.where(problem.fixed, problem.init, measurements.centres(problem.model, aux, problem.init))
