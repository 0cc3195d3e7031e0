"""Test statistics of many toys: two fits each, in batches that are compiled once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.optimize import OptimizeResult

from pyhf_func.core.fit import Newton, Problem, Status, fit_problem
from pyhf_func.core.likelihood import Likelihood
from pyhf_func.exceptions import FailedMinimization
from pyhf_func.infer.mle import check_start
from pyhf_func.optimize.arrays import to_numpy

_BATCHES = (10, 100)
"""Few sizes, so that few programs are compiled: the last batch is filled up."""


def teststatistics(
    minimiser: Newton, test_stat: str, mu: float, samples: np.ndarray, pdf: Any, start: tuple[Any, Any, Any]
) -> Iterator[np.ndarray]:
    """The test statistics of toys, shape (toys, nmaindata + nauxdata), batch after batch.

    Raises:
        ValueError: The tested value or a start value lies outside of its bounds.
        FailedMinimization: A fit did not converge.
    """
    init, bounds, fixed = start
    poi = pdf.config.poi_index
    init = to_numpy(init).copy()
    check_start(init, bounds)
    check_start([mu], [bounds[poi]])
    size = next((size for size in _BATCHES if len(samples) <= size), _BATCHES[-1])
    arguments = (pdf.likelihood, np.asarray(mu), np.asarray(poi), init, to_numpy(bounds), np.asarray(fixed, bool))
    for first in range(0, len(samples), size):
        batch = samples[first : first + size]
        filled = np.concatenate([batch, np.repeat(batch[-1:], size - len(batch), axis=0)])
        values, statuses = jax.device_get(_batch(minimiser, test_stat, filled, *arguments))
        _check(statuses[: len(batch)])
        yield values[: len(batch)]


@partial(jax.jit, static_argnums=(0, 1))
def _batch(
    minimiser: Newton,
    test_stat: str,
    samples: Array,
    model: Likelihood,
    mu: Array,
    poi: Array,
    init: Array,
    bounds: Array,
    fixed: Array,
) -> tuple[Array, Array]:
    tested = jnp.arange(model.n_pars) == poi

    def one(data: Array) -> tuple[Array, Array]:
        free_problem = Problem(model, data, init, bounds[:, 0], bounds[:, 1], fixed)
        free = fit_problem(minimiser, free_problem)
        nearest = jnp.where(tested, mu, free.pars)
        conditional = fit_problem(minimiser, free_problem._replace(init=nearest, fixed=fixed | tested))
        best = free.pars[poi]
        counts = best >= mu if test_stat == "q0" else best <= mu
        difference = conditional.twice_nll - free.twice_nll
        value = jnp.where(counts & (difference > 0), difference, 0.0)
        return value, jnp.maximum(free.status, conditional.status)

    return jax.vmap(one)(samples)


def _check(statuses: np.ndarray) -> None:
    failed = statuses[statuses != Status.CONVERGED]
    if failed.size:
        worst = Status(int(failed.max()))
        message = f"Fits to {failed.size} of {statuses.size} toys failed. {worst.sentence}"
        raise FailedMinimization(OptimizeResult(success=False, status=int(worst), message=message))
