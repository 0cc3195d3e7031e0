"""Expected yields with error bands, by linear propagation of a covariance of the parameters."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.ops import segment_sum

from pyhf_func.core.fit.problem import Problem
from pyhf_func.core.fit.result import where_known
from pyhf_func.core.inference.asymptotics import square_root
from pyhf_func.core.inference.constraints import prefit_pars, prefit_widths
from pyhf_func.core.inference.covariance import CovarianceResult
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.likelihood.yields import entry_yields, expected_main
from pyhf_func.results.base import Result


class YieldBand(Result):
    """Expected yields at one point, with standard errors.

    Samples, channels and bins are in the order of ``model.config``; a sample that a channel lacks yields zero there.
    """

    pars: Array
    """(pars,) the parameters."""
    covariance: Array
    """(pars, pars) their covariance."""
    samples: Array
    """(samples, bins) yield of each sample."""
    samples_error: Array
    """(samples, bins) its standard error."""
    total: Array
    """(bins,) yield of all samples."""
    total_error: Array
    """(bins,) its standard error: correlations between samples count."""
    channel_samples: Array
    """(samples, channels) yield of each sample in all bins of a channel."""
    channel_samples_error: Array
    """(samples, channels) its standard error: correlations between bins count."""
    channels: Array
    """(channels,) yield of all samples in all bins of a channel."""
    channels_error: Array
    """(channels,) its standard error."""


class YieldsResult(Result):
    """Expected yields before and after the fit, beside the observed ones."""

    observed: Array
    """(bins,) main data."""
    prefit: YieldBand
    """before the fit: constrained parameters where the auxiliary data put them, with the widths of their constraints;
    others at their start, without an error."""
    postfit: YieldBand
    """at the minimum, with the covariance from the exact Hessian there."""
    status: Array
    """() status of the fit and the covariance, on which ``postfit`` depends: a `Status`."""
    covariance: CovarianceResult
    """the fit, with its covariance."""


class Tables(NamedTuple):
    """Where entries and bins go in tables of yields."""

    place: Array  # (entries,) place of each entry in the flattened table (samples, bins)
    channel: Array  # (bins,) channel of each bin


class _Yields(NamedTuple):
    samples: Array
    total: Array
    channel_samples: Array
    channels: Array


def yields(shape: tuple[int, int], problem: Problem, fitted: CovarianceResult, tables: Tables) -> YieldsResult:
    """Yields before and after the fit; ``shape`` is the number of samples and of channels."""
    before = jnp.diag(prefit_widths(problem) ** 2)
    model, status = problem.model, fitted.status
    after = band(model, shape, tables, fitted.fit.pars, fitted.covariance)
    return YieldsResult(
        observed=problem.data[: model.n_bins],
        prefit=band(model, shape, tables, prefit_pars(problem), before),
        postfit=where_known(status, after),
        status=status,
        covariance=fitted,
    )


def band(model: Likelihood, shape: tuple[int, int], tables: Tables, pars: Array, covariance: Array) -> YieldBand:
    """Yields at one point, and their errors: the square root of ``J C J'`` with the Jacobian ``J`` of the yields.

    Not a number where a parameter without a known variance moves a yield.
    """
    n_samples, n_channels = shape

    def tabulate(pars: Array) -> _Yields:
        samples = segment_sum(entry_yields(model, pars), tables.place, n_samples * model.n_bins)
        samples, total = samples.reshape(n_samples, model.n_bins), expected_main(model, pars)
        by_channel = segment_sum(samples.T, tables.channel, n_channels).T
        return _Yields(samples, total, by_channel, segment_sum(total, tables.channel, n_channels))

    unknown = jnp.isnan(jnp.diagonal(covariance))
    finite = jnp.where(jnp.isnan(covariance), 0.0, covariance)

    def error(jacobian: Array) -> Array:
        size = square_root(jnp.sum((jacobian @ finite) * jacobian, axis=-1))
        return jnp.where(
            jnp.any((jacobian != 0) & unknown.reshape(*[1] * (jacobian.ndim - 1), -1), axis=-1), jnp.nan, size
        )

    values = tabulate(pars)
    errors = jax.tree.map(error, jax.jacfwd(tabulate)(pars))
    named = {f"{name}_error": value for name, value in errors._asdict().items()}
    return YieldBand(pars=pars, covariance=covariance, **values._asdict(), **named)
