"""Impacts: by how much each nuisance parameter moves the parameter of interest."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.fit.problem import Minimiser, Minimum, Problem
from pyhf_func.core.fit.result import FitResult, describe, where_converged, where_known, worst
from pyhf_func.core.fit.solution import without_derivative
from pyhf_func.core.fit.status import Status
from pyhf_func.core.inference import statistics
from pyhf_func.core.inference.constraints import prefit_pars, prefit_widths
from pyhf_func.core.inference.covariance import CovarianceResult
from pyhf_func.core.inference.profile import held
from pyhf_func.core.likelihood.measurements import pulls_of_data
from pyhf_func.results.base import Result
from pyhf_func.results.status import worst_words


class ImpactResult(Result):
    """The n parameters other than the one of interest, ranked by the size of their post-fit impact.

    A refitted impact is the change of the POI's best value when the parameter is held at a shifted value and all
    others are fitted again; the linear ones come from the covariance alone. Shifted values stay inside the bounds.
    Numbers that depend on a fit that did not converge, or on a standard error that the likelihood does not determine,
    are not numbers (NaN).

    Returned by `pyhf_func.impacts`.
    """

    parameters: Array
    """(n,) places in the parameter vector; the most important first."""
    prefit_up: Array
    """(n,) impact of the best value plus the width of the constraint; zero without a constraint."""
    prefit_down: Array
    """(n,) impact of the best value minus the width of the constraint."""
    postfit_up: Array
    """(n,) impact of the best value plus its standard error."""
    postfit_down: Array
    """(n,) impact of the best value minus its standard error."""
    prefit_linear: Array
    """(n,) linear approximation of ``prefit_up``."""
    postfit_linear: Array
    """(n,) linear approximation of ``postfit_up``: the covariance with the POI over the standard error."""
    components: Array
    """(n,) linear change of the POI when the auxiliary datum rises by one standard deviation. Their squares are the
    systematic part of the POI's variance (arXiv:2307.04007); zero without a constraint."""
    best: Array
    """(n,) best values."""
    errors: Array
    """(n,) standard errors."""
    pulls: Array
    """(n,) best values less the values before the fit, over the widths of the constraints; zero without one."""
    constraints: Array
    """(n,) standard errors over the widths of the constraints; zero without one."""
    poi: Array
    """() place of the parameter of interest."""
    poi_best: Array
    """() its best value."""
    poi_error: Array
    """() its standard error."""
    status: Array
    """(n, 4) the worse status of the fit of all parameters and each refit: pre-fit up and down, post-fit up
    and down; ``NOT_IDENTIFIED`` where the likelihood determines no standard error to shift by, or not the POI;
    ``BETTER_MINIMUM`` where the refit ends below the fit of all parameters. A `Status`."""
    covariance: CovarianceResult
    """the fit of all parameters, with its covariance and status."""
    conditional_fit: FitResult
    """(n, 4, ...) the refits."""

    def _rows(self) -> list[dict[str, Any]]:
        names = self._par_names()
        fields = "postfit_up", "postfit_down", "prefit_up", "prefit_down", "pulls", "constraints", "best", "errors"
        return [
            {"parameter": names[int(place)], **{name: getattr(self, name)[i] for name in fields}, "status": word}
            for i, (place, word) in enumerate(zip(self.parameters, worst_words(self.status), strict=True))
        ]


SHARED = "poi", "poi_best", "poi_error", "covariance"
"""Fields that all parameters share."""


def impacts(minimiser: Minimiser, problem: Problem, around: CovarianceResult, poi: Array) -> ImpactResult:
    """The impacts of all other parameters, ranked."""
    others = jnp.arange(problem.init.shape[0] - 1)
    return ranked(impacts_of(minimiser, problem, around, poi, others + (others >= poi)))


def impacts_of(
    minimiser: Minimiser, problem: Problem, around: CovarianceResult, poi: Array, others: Array
) -> ImpactResult:
    """Four refits for each of these parameters, from where the covariance predicts their minimum."""
    free, errors = around.fit, around.errors
    widths = prefit_widths(problem)

    ends = jnp.stack([widths, -widths, errors, -errors], axis=-1)
    unknown = jnp.isnan(ends) | ~around.identified[poi]
    ends = jnp.where(unknown, 0.0, ends)
    shifted = jnp.clip(free.pars[:, None] + ends, problem.lower[:, None], problem.upper[:, None])
    values = jnp.where(ends == 0, free.pars[:, None], shifted)[others]
    fits = _refits(minimiser, problem, around, others, values)
    missing = jnp.where(unknown[others], Status.NOT_IDENTIFIED, Status.CONVERGED).astype(jnp.int32)
    worse = statistics.hidden(fits.twice_nll - free.twice_nll, free.twice_nll)
    worse = jnp.where(worse, Status.BETTER_MINIMUM, Status.CONVERGED).astype(jnp.int32)
    status = worst(fits.status, free.status, missing, worse)
    change = jnp.where(ends[others] == 0, 0.0, fits.pars[..., poi] - free.pars[poi])
    change = jnp.where(unknown[others], jnp.nan, where_known(status, change))

    shared = around.covariance[poi, others]
    aux = problem.data[problem.model.n_bins :]
    best = where_converged([free], free.pars)
    width, error = widths[others], errors[others]
    per_error = _over(shared, error)
    return ImpactResult(
        parameters=others,
        prefit_up=change[:, 0],
        prefit_down=change[:, 1],
        postfit_up=change[:, 2],
        postfit_down=change[:, 3],
        prefit_linear=_over(per_error, error) * width,
        postfit_linear=per_error,
        components=(around.covariance[poi] * pulls_of_data(problem.model, free.pars, aux))[others],
        best=best[others],
        errors=error,
        pulls=_over(best - prefit_pars(problem), widths)[others],
        constraints=_over(error, width),
        poi=poi,
        poi_best=best[poi],
        poi_error=errors[poi],
        status=status,
        covariance=around,
        conditional_fit=fits,
    )


def ranked(result: ImpactResult) -> ImpactResult:
    """The largest first; what is not a number last."""
    size = jnp.maximum(jnp.abs(result.postfit_up), jnp.abs(result.postfit_down))
    order = jnp.argsort(-jax.lax.stop_gradient(size), stable=True)
    own = {name: value for name, value in result._asdict().items() if name not in SHARED}
    return result._replace(**jax.tree.map(lambda x: x[order], own))


def _refits(
    minimiser: Minimiser, problem: Problem, around: CovarianceResult, places: Array, values: Array
) -> FitResult:
    """The fits with one parameter held; ``values`` has shape (places, shifts)."""
    shape = values.shape
    places, values = jnp.repeat(places, shape[1]), values.ravel()

    def located(problem: Problem, around: CovarianceResult, places: Array, values: Array) -> Minimum:
        def one(place: Array, value: Array) -> Minimum:
            follow = _over(around.covariance[:, place], around.covariance[place, place])
            follow = jnp.where(jnp.isfinite(follow), follow, 0.0)
            best = around.fit.pars
            ahead = jnp.clip(best + follow * (value - best[place]), problem.lower, problem.upper)
            init = jnp.where(problem.fixed, problem.init, ahead)
            return minimiser(held(problem._replace(init=init), place, value))

        return jax.vmap(one)(places, values)

    def described(place: Array, value: Array, minimum: Minimum) -> FitResult:
        return describe(held(problem, place, value), minimum)

    minima = without_derivative(located, problem, around, places, values)
    fits = jax.vmap(described)(places, values, minima)
    return jax.tree.map(lambda x: x.reshape(shape + x.shape[1:]), fits)


def _over(numerator: Array, denominator: Array) -> Array:
    nonzero = denominator != 0
    return jnp.where(nonzero, numerator / jnp.where(nonzero, denominator, 1.0), 0.0)
