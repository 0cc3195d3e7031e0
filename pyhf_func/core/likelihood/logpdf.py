"""The log-likelihood: a product of Poisson terms for the bins and of constraint terms for the parameters."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from pyhf_func.core.density import poisson_logpdf
from pyhf_func.core.likelihood import measurements
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import expected_main


def main_logpdf(model: Likelihood, pars: Array, main: Array) -> Array:
    """Log density of the main data; shape ()."""
    return jnp.sum(poisson_logpdf(main, expected_main(model, pars), continued=model.continued))


def constraint_logpdf(model: Likelihood, pars: Array, aux: Array) -> Array:
    """Log density of the auxiliary data; shape ()."""
    return measurements.logpdf(model, pars, aux)


def logpdf(model: Likelihood, pars: Array, data: Array) -> Array:
    """Log density of main and auxiliary data together; shape ()."""
    main, aux = data[: model.n_bins], data[model.n_bins :]
    return main_logpdf(model, pars, main) + constraint_logpdf(model, pars, aux)
