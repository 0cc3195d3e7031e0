"""Pseudo-data: draws from the likelihood at given parameters."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.likelihood.measurements import measured
from pyhf_func.core.likelihood.poisson import poisson
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import expected_main


def sample(model: Likelihood, pars: Array, key: Array) -> Array:
    """One toy: Poisson counts in the bins, followed by fluctuated auxiliary data; shape (bins + aux,).

    Auxiliary measurements fluctuate by their densities. A bin with a negative expected yield has no distribution: NaN.
    """
    of_normal, of_poisson = jax.random.split(key)
    every = measured(model)
    counting = [each for each in every if each.density.counts]
    rates = [each.density.expected(pars[each.par], *each.numbers) for each in counting]
    # Called once for all counts: it takes seconds to compile.
    counts = poisson(of_poisson, jnp.concatenate([expected_main(model, pars), *rates]))
    aux, first = jnp.zeros(model.n_aux, pars.dtype), model.n_bins
    for each in counting:
        aux = aux.at[each.aux].set(counts[first : first + each.aux.shape[0]])
        first += each.aux.shape[0]
    for number, each in enumerate(each for each in every if not each.density.counts):
        own = of_normal if number == 0 else jax.random.fold_in(of_normal, number)
        data = each.density.sample(own, pars[each.par], *each.numbers)
        aux = aux.at[each.aux].set(_correlated(model, pars, data) if number == 0 else data)
    return jnp.concatenate([counts[: model.n_bins], aux])


def _correlated(model: Likelihood, pars: Array, data: Array) -> Array:
    """Gaussian data, with their correlations where the model has some."""
    joint = model.correlation
    if joint is None:
        return data
    mean, sigma = pars[model.indices.normal_par], model.values.normal_sigma
    pulls = ((data - mean) / sigma)[joint.place]
    moved = mean[joint.place] + sigma[joint.place] * (joint.root @ pulls)
    return data.at[joint.place].set(moved)
