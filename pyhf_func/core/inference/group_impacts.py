"""Parts of the variance of one fitted parameter: the data's, and those of groups of auxiliary data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.inference.covariance import CovarianceResult
from pyhf_func.core.likelihood.logpdf import constraint_logpdf
from pyhf_func.core.likelihood.yields import expected_main


def variance_parts(problem: Problem, around: CovarianceResult, poi: Array, groups: Array) -> Array:
    """How much of the variance of one parameter comes from each of several sources, to first order.

    The covariance is ``C = C H C``, and the Hessian H a sum of terms: each bin's, and each constraint's. A row c of C
    splits the variance into ``c H_i c`` (arXiv:2307.04007, Section 3). Bins count with their expected information, so
    that the parts add up to the variance as well as the data fit the model.

    Args:
        problem: The fit of all parameters.
        around: Its minimum with the covariance.
        poi: Place of the parameter.
        groups: Shape (groups, pars) of bool: whose constraints make up each group.

    Returns:
        Shape (1 + groups,): the part of the observed events, and those of the groups.
    """
    model, best = problem.model, around.fit.pars
    row = jnp.nan_to_num(around.covariance[poi], nan=0.0)  # of those that are not identified
    yields, moved = jax.jvp(partial(expected_main, model), (best,), (row,))
    there = yields > 0
    data = jnp.sum(jnp.where(there, moved**2 / jnp.where(there, yields, 1.0), 0.0))
    aux = problem.data[model.n_bins :]

    def constraints(pars: Array) -> Array:
        return -constraint_logpdf(model, pars, aux)

    parts = jax.vmap(lambda group: _curvature(constraints, best, jnp.where(group, row, 0.0)))(groups)
    return jnp.concatenate([data[None], parts])


def _curvature(function: Callable[[Array], Array], at: Array, along: Array) -> Array:
    """The second derivative of a function of several variables in one direction."""

    def slope(pars: Array) -> Array:
        return jax.jvp(function, (pars,), (along,))[1]

    return jax.jvp(slope, (at,), (along,))[1]
