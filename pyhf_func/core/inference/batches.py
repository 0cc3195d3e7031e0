"""Tests and limits of many models at once, on every device there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh, PartitionSpec

from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.lanes import by_platform
from pyhf_func.core.fit.problem import Minimiser
from pyhf_func.core.fit.result import FitResult
from pyhf_func.core.fit.status import Status
from pyhf_func.core.inference.asymptotics import TestStat
from pyhf_func.core.inference.hypothesis import hypotest
from pyhf_func.core.inference.limits import upper_limit
from pyhf_func.core.likelihood.structure import Likelihood


class PointResult(NamedTuple):
    """What a grid keeps of one model."""

    cls: Array
    """() CLs."""
    cls_expected: Array
    """(5,) expected CLs."""
    limit: Array
    """() observed upper limit; not a number where none was asked for."""
    limit_expected: Array
    """(5,) expected upper limits."""
    status: Array
    """() the worst `Status` of test and limit."""


def point(
    minimiser: Minimiser,
    test_stat: TestStat,
    limits: bool,
    mu: Array,
    level: Array,
    data: Array,
    model: Likelihood,
    init: Array,
) -> tuple[PointResult, FitResult]:
    """Test one model, and set limits with it; and the free fit to the data, which starts from ``init``."""
    space = model.space
    start = Start(init, space.lower, space.upper, space.fixed)
    test = hypotest(minimiser, test_stat, mu, data, model, start)
    if not limits:
        none = test.cls_expected * np.nan
        return PointResult(test.cls, test.cls_expected, none[0], none, test.status), test.free_fit
    limit = upper_limit(minimiser, test_stat, level, data, model, start)
    status = jnp.maximum(test.status, limit.status)
    return PointResult(test.cls, test.cls_expected, limit.observed, limit.expected, status), test.free_fit


@cache
def compiled(minimiser: Any, test_stat: Any, limits: bool, n_devices: int) -> Callable[..., PointResult]:
    """`point` for a batch (mu, level, data, model, alike); split over the devices.

    Data and model have a leading axis; where a model is ``alike``, its parameters are those of the one before.
    """
    test = partial(point, minimiser, test_stat, limits)
    every = partial(by_platform, partial(_in_turn, test), partial(_together, test))
    if n_devices == 1:
        return jax.jit(every)
    mesh = Mesh(np.array(jax.devices()[:n_devices]), ("points",))
    split, whole = PartitionSpec("points"), PartitionSpec()
    return jax.jit(
        jax.shard_map(every, mesh=mesh, in_specs=(whole, whole, split, split, split), out_specs=split, check_vma=False)
    )


def _in_turn(test: Any, mu: Array, level: Array, data: Array, models: Likelihood, alike: Array) -> PointResult:
    """One after the other, from the minimum of the one before."""

    def next_point(minimum: tuple[Array, Array], own: tuple[Array, Likelihood, Array]) -> Any:
        data, model, alike = own
        usable, pars = minimum
        space = model.space
        init = jnp.where(usable & alike & ~space.fixed, jnp.clip(pars, space.lower, space.upper), space.init)
        result, fit = test(mu, level, data, model, init)
        return (fit.status == Status.CONVERGED, fit.pars), result

    nothing = jnp.zeros((), bool), jnp.zeros_like(models.space.init[0])
    _, results = jax.lax.scan(next_point, nothing, (data, models, alike))
    return results


def _together(test: Any, mu: Array, level: Array, data: Array, models: Likelihood, alike: Array) -> PointResult:
    def one(data: Array, model: Likelihood) -> PointResult:
        result: PointResult = test(mu, level, data, model, model.space.init)[0]
        return result

    return jax.vmap(one)(data, models)


def run(
    minimiser: Any,
    test_stat: TestStat | str,
    limits: bool,
    mu: float,
    level: float,
    data: Sequence[np.ndarray],
    models: Sequence[Likelihood],
    alike: Sequence[bool],
    size: int,
) -> PointResult:
    """Results of a list of models of one shape, as NumPy arrays; padded to batches of ``size`` with the last one.

    A model is ``alike`` if it has the parameters of the one before.
    """
    n = len(models)
    repeated = [*range(n), *[n - 1] * (size - n)]
    stacked = jax.tree.map(lambda *leaves: np.stack([leaves[i] for i in repeated]), *models)
    rows = np.stack([data[i] for i in repeated])
    devices = max(d for d in range(1, len(jax.devices()) + 1) if size % d == 0)
    follows = np.array([*alike, *[True] * (size - n)])
    every = compiled(minimiser, test_stat, limits, devices)
    found = every(np.asarray(mu, float), np.asarray(level, float), rows, stacked, follows)
    return jax.tree.map(lambda x: np.asarray(x)[:n], found)
