"""The engine's functions as the documented API calls them: compiled, with its shapes.

``pars`` has shape (npars,), or (batch, npars); ``data`` has one vector for all, or one for each of the batch. All
models of one structure share a compiled program.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.ops import segment_sum

from pyhf_func.core import likelihood
from pyhf_func.core.arrays import floats
from pyhf_func.core.likelihood import Likelihood

Pars = Any
Data = Any


def _each(function: Callable[..., Array], model: Likelihood, pars: Pars, *data: Data) -> Array:
    """Call the function for one vector of parameters, or for each of a batch."""
    pars, vectors = floats(pars), [floats(vector) for vector in data]
    if pars.ndim == 1:
        return function(model, pars, *vectors)
    axes = [None, 0, *(0 if vector.ndim > 1 else None for vector in vectors)]
    return jax.vmap(function, axes)(model, pars, *vectors)


@jax.jit
def logpdf(model: Likelihood, pars: Pars, data: Data) -> Array:
    """Log density; shape (1,) or (batch,)."""
    return jnp.atleast_1d(_each(likelihood.logpdf, model, pars, data))


@jax.jit
def main_logpdf(model: Likelihood, pars: Pars, data: Data) -> Array:
    """Log density of the main data; shape () or (batch,)."""
    return _each(likelihood.main_logpdf, model, pars, data)


@jax.jit
def constraint_logpdf(model: Likelihood, pars: Pars, data: Data) -> Array:
    """Log density of the auxiliary data; shape () or (batch,)."""
    return _each(likelihood.constraint_logpdf, model, pars, data)


@jax.jit
def expected_data(model: Likelihood, pars: Pars) -> Array:
    """Expected main, then auxiliary data; shape (..., bins + aux)."""
    return _each(likelihood.expected_data, model, pars)


@jax.jit
def expected_main(model: Likelihood, pars: Pars) -> Array:
    """Expected main data; shape (..., bins)."""
    return _each(likelihood.expected_main, model, pars)


@jax.jit
def expected_aux(model: Likelihood, pars: Pars) -> Array:
    """Expected auxiliary data; shape (..., aux)."""
    return _each(likelihood.expected_aux, model, pars)


def _spread(entries: Array, place: Array, shape: tuple[int, int]) -> Array:
    """Numbers of entries at their (sample, bin); zero where a channel lacks a sample."""
    return segment_sum(entries, place, shape[0] * shape[1]).reshape(shape)


@cache
def by_sample(shape: tuple[int, int]) -> Callable[..., Array]:
    """Expected main data of each sample, from (model, places, pars); shape (..., samples, bins)."""

    @jax.jit
    def expected(model: Likelihood, place: Array, pars: Pars) -> Array:
        def one(model: Likelihood, pars: Array) -> Array:
            return _spread(likelihood.entry_yields(model, pars), place, shape)

        return _each(one, model, pars)

    return expected


@cache
def nominal_rates(shape: tuple[int, int]) -> Callable[..., Array]:
    """Nominal yields, from (model, places); shape (samples, bins)."""

    @jax.jit
    def nominal(model: Likelihood, place: Array) -> Array:
        return _spread(model.values.nominal, place, shape)

    return nominal
