"""Pseudo-data: draws from the likelihood at given parameters."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.likelihood.poisson import poisson
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import expected_main


def sample(model: Likelihood, pars: Array, key: Array) -> Array:
    """One toy: Poisson counts in the bins, followed by fluctuated auxiliary data; shape (bins + aux,).

    Gaussian auxiliary measurements fluctuate around their parameter, Poisson ones around the expected count. A bin
    with a negative expected yield has no distribution: NaN.
    """
    of_normal, of_poisson = jax.random.split(key)
    indices, values = model.indices, model.values
    pulls = jax.random.normal(of_normal, indices.normal_par.shape, pars.dtype)
    aux_rates = pars[indices.poisson_par] * values.poisson_factor
    # Called once for all counts: it takes seconds to compile.
    counts = poisson(of_poisson, jnp.concatenate([expected_main(model, pars), aux_rates]))
    main, aux_counts = counts[: model.n_bins], counts[model.n_bins :]
    aux = jnp.zeros(model.n_aux, pars.dtype)
    aux = aux.at[indices.normal_aux].set(pars[indices.normal_par] + values.normal_sigma * pulls)
    return jnp.concatenate([main, aux.at[indices.poisson_aux].set(aux_counts)])
