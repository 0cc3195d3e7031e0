"""Profile-likelihood intervals of any parameters: where -2 log of the profile likelihood ratio reaches a height.

One root for each parameter and side. The square root of the ratio is nearly linear in the parameter, and its derivative
is known from each fit (envelope theorem), so that a few Newton steps find the root; a bracket keeps them safe. The
ends are attached to their problem afterwards, by the implicit function theorem.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core import roots
from pyhf_func.core.fit.lanes import one_by_one
from pyhf_func.core.fit.problem import Minimiser, Minimum, Problem
from pyhf_func.core.fit.result import FitResult, describe, where_converged, where_known, worst
from pyhf_func.core.fit.solution import without_derivative
from pyhf_func.core.fit.status import Status
from pyhf_func.core.inference import statistics
from pyhf_func.core.inference.asymptotics import square_root
from pyhf_func.core.inference.covariance import CovarianceResult
from pyhf_func.core.inference.profile import held
from pyhf_func.results.base import Result
from pyhf_func.results.status import worst_words

_FITS = 60  # at most, for each end
_LARGEST = 1e12  # times the first guess, beyond which there is no end


class IntervalResult(Result):
    """Profile-likelihood intervals of n parameters, as MINOS gives them.

    The last axis of shape (n, 2) is the lower and the upper end. Where a bound comes before the likelihood ratio
    reaches its height, the end is that bound and is flagged; a fixed parameter has an interval of length zero.

    Returned by `pyhf_func.intervals`.
    """

    parameters: Array
    """(n,) places in the parameter vector."""
    best: Array
    """(n,) best values."""
    lower: Array
    """(n,) lower ends."""
    upper: Array
    """(n,) upper ends."""
    at_bound: Array
    """(n, 2) bool: the parameter's bound comes first, and is the end."""
    ratio: Array
    """(n, 2) -2 log of the profile likelihood ratio at the ends: ``sigmas**2``, less at a bound."""
    sigmas: Array
    """() standard deviations of a normal distribution that the intervals correspond to."""
    status: Array
    """(n, 2) the worst status of the free fit, each search and its last fit; ``BETTER_MINIMUM`` where the search met a
    minimum below that of the free fit, around which this is not an interval. A `Status`."""
    fits: Array
    """(n, 2) number of fits."""
    covariance: CovarianceResult
    """the fit of all parameters, with its covariance, symmetric errors and status."""
    conditional_fit: FitResult
    """(n, 2, ...) the fits with the parameter held at each end."""

    def _rows(self) -> list[dict[str, Any]]:
        names, fields = self._par_names(), ("best", "lower", "upper")
        return [
            {
                "parameter": names[int(place)],
                **{name: getattr(self, name)[i] for name in fields},
                "status": word,
            }
            for i, (place, word) in enumerate(zip(self.parameters, worst_words(self.status), strict=True))
        ]


class _Free(NamedTuple):
    """The minimum, and how the others follow one parameter there."""

    minimum: Minimum
    follow: Array  # (pars,)
    guess: Array  # first distance of the end


class _End(NamedTuple):
    value: Array
    minimum: Minimum
    at_bound: Array
    status: Array
    fits: Array


def intervals(
    minimiser: Minimiser, problem: Problem, around: CovarianceResult, places: Array, sigmas: Array
) -> IntervalResult:
    """Both ends for the parameters at ``places``, around a minimum with its covariance."""
    n, free = places.shape[0], around.fit
    lanes, sides = jnp.repeat(places, 2), jnp.tile(jnp.array([-1.0, 1.0], sigmas.dtype), n)

    def locate(problem: Problem, around: CovarianceResult, sigmas: Array) -> _End:
        def one(place: Array, side: Array) -> _End:
            return one_by_one(partial(_search, minimiser))(
                problem, _free(around, problem.model.n_bins, place, sigmas), place, side, sigmas
            )

        return jax.vmap(one)(lanes, sides)

    found = without_derivative(locate, problem, around, sigmas)
    inputs = _Inputs(problem, sigmas, free.twice_nll, found.minimum, lanes)
    bounds = jnp.where(sides < 0, problem.lower[lanes], problem.upper[lanes])
    bounds = jnp.where(problem.fixed[lanes], problem.init[lanes], bounds)
    ends = jnp.where(found.at_bound, bounds, roots.attach(_miss, inputs, found.value))
    fits = _describe(ends, inputs)
    status = worst(found.status, fits.status, free.status, jnp.where(sigmas > 0, 0, Status.INVALID_ARGUMENT))
    both = where_known(status, ends).reshape(n, 2)
    return IntervalResult(
        parameters=places,
        best=where_converged([free], free.pars)[places],
        lower=both[:, 0],
        upper=both[:, 1],
        at_bound=(found.at_bound & ~problem.fixed[lanes]).reshape(n, 2),
        ratio=where_known(status, fits.twice_nll - free.twice_nll).reshape(n, 2),
        sigmas=sigmas,
        status=status.astype(jnp.int32).reshape(n, 2),
        fits=found.fits.reshape(n, 2),
        covariance=around,
        conditional_fit=jax.tree.map(lambda x: x.reshape((n, 2, *x.shape[1:])), fits),
    )


def _free(around: CovarianceResult, n_bins: int, place: Array, sigmas: Array) -> _Free:
    """The start of a search: to second order, the end is one standard error away, and the others follow."""
    fit, shared = around.fit, around.covariance[:, place]
    variance = shared[place]
    known = variance > 0
    shared = jnp.where(jnp.isfinite(shared), shared, 0.0)
    follow = jnp.where(known, shared / jnp.where(known, variance, 1.0), 0.0)
    unknown = 0.1 * jnp.maximum(jnp.abs(fit.pars[place]), 1.0)
    guess = jnp.where(known, sigmas * square_root(variance), unknown)
    minimum = Minimum(
        fit.pars,
        fit.twice_nll / 2,
        jnp.zeros_like(fit.pars),
        fit.status,
        fit.edm / 2,
        fit.iterations,
        fit.minima,
        fit.runner_up / 2,
        jnp.zeros(n_bins, fit.pars.dtype),
    )
    return _Free(minimum, follow, guess)


class _Inputs(NamedTuple):
    """The inputs on which the ends depend, and where their fits are."""

    problem: Problem
    sigmas: Array
    free_twice_nll: Array
    minima: Minimum  # (lanes, ...)
    places: Array  # (lanes,)


def _miss(ends: Array, inputs: _Inputs) -> Array:
    """How far the ratio is from its value at the ends."""
    return _describe(ends, inputs).twice_nll - inputs.free_twice_nll - inputs.sigmas**2


def _describe(ends: Array, inputs: _Inputs) -> FitResult:
    """The fits at the ends, as functions of the ends and the inputs."""

    def one(place: Array, end: Array, minimum: Minimum) -> FitResult:
        return describe(held(inputs.problem, place, end), minimum)

    return jax.vmap(one)(inputs.places, ends, inputs.minima)


class _State(NamedTuple):
    end: _End
    distance: roots.Bracket  # from the best value
    follow: Array  # (pars,) by which the last minima moved
    better: Array  # bool: a minimum below that of the free fit was met
    active: Array


def _search(minimiser: Minimiser, problem: Problem, free: _Free, place: Array, side: Array, sigmas: Array) -> _End:
    """The end on one side of one parameter. Distances from the best value grow towards the bound."""
    best = free.minimum.pars[place]
    bound = jnp.where(side < 0, problem.lower[place], problem.upper[place])
    room = jnp.maximum(side * (bound - best), 0.0)
    tolerance = np.finfo(best.dtype).eps ** 0.5

    def fit(state: _State) -> _State:
        distance, last = state.distance.at, state.end
        value = jnp.where(distance >= room, bound, best + side * distance)
        ahead = last.minimum.pars + state.follow * (value - last.value)
        init = jnp.where(problem.fixed, problem.init, jnp.clip(ahead, problem.lower, problem.upper))
        found = minimiser(held(problem._replace(init=init), place, value))

        gain = 2 * (found.nll - free.minimum.nll)
        root = square_root(gain)
        miss = root - sigmas
        slope = jnp.where(root > 0, side * found.gradient[place] / jnp.where(root > 0, root, 1.0), 0.0)
        after = roots.step(state.distance, -miss, -slope)
        met = (jnp.abs(miss) < tolerance * sigmas) | roots.collapsed(after, 4 * np.finfo(best.dtype).eps)
        blocked = (distance >= room) & (miss < 0)
        unlimited = distance > _LARGEST * free.guess
        fits = last.fits + 1
        status = jnp.where(met | blocked, Status.CONVERGED, Status.ITERATION_LIMIT)
        status = jnp.where(unlimited & ~met & ~blocked, Status.NO_LIMIT, status)
        better = state.better | statistics.lower_by(free.minimum.nll, found.nll)
        status = jnp.where(better, Status.BETTER_MINIMUM, status).astype(jnp.int32)
        moved = (found.status == Status.CONVERGED) & (value != last.value)
        follow = (found.pars - last.minimum.pars) / jnp.where(moved, value - last.value, 1.0)
        return _State(
            end=_End(jnp.where(unlimited, side * jnp.inf, value), found, blocked, status, fits),
            distance=after._replace(at=jnp.minimum(after.at, room)),
            follow=jnp.where(moved, follow, 0.0),
            better=better,
            active=~(met | blocked | unlimited | (fits >= _FITS)),
        )

    still = problem.fixed[place] | ~(room > 0)
    start = _State(
        end=_End(best, free.minimum, still, jnp.zeros((), jnp.int32), jnp.zeros((), int)),
        distance=roots.init(jnp.minimum(free.guess, room), jnp.zeros_like(best), jnp.zeros_like(best)),
        follow=free.follow,
        better=jnp.zeros((), bool),
        active=~still & (sigmas > 0) & (free.minimum.status == Status.CONVERGED),
    )
    return jax.lax.while_loop(lambda state: state.active, fit, start).end
