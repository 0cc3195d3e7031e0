"""Tests and limits of many models at once, on every device there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh, PartitionSpec

from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.problem import Minimiser
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
    minimiser: Minimiser, test_stat: TestStat, limits: bool, mu: Array, level: Array, data: Array, model: Likelihood
) -> PointResult:
    """Test one model, and set limits with it."""
    space = model.space
    start = Start(space.init, space.lower, space.upper, space.fixed)
    test = hypotest(minimiser, test_stat, mu, data, model, start)
    if not limits:
        none = test.cls_expected * np.nan
        return PointResult(test.cls, test.cls_expected, none[0], none, test.status)
    limit = upper_limit(minimiser, test_stat, level, data, model, start)
    status = jax.numpy.maximum(test.status, limit.status)
    return PointResult(test.cls, test.cls_expected, limit.observed, limit.expected, status)


@cache
def compiled(minimiser: Any, test_stat: TestStat, limits: bool, n_devices: int) -> Callable[..., PointResult]:
    """`point` for a batch (mu, level, data, model), data and model with a leading axis; split over the devices."""
    every = jax.vmap(partial(point, minimiser, test_stat, limits), in_axes=(None, None, 0, 0))
    if n_devices == 1:
        return jax.jit(every)
    mesh = Mesh(np.array(jax.devices()[:n_devices]), ("points",))
    split, whole = PartitionSpec("points"), PartitionSpec()
    return jax.jit(
        jax.shard_map(every, mesh=mesh, in_specs=(whole, whole, split, split), out_specs=split, check_vma=False)
    )


def run(
    minimiser: Any,
    test_stat: TestStat,
    limits: bool,
    mu: float,
    level: float,
    data: Sequence[np.ndarray],
    models: Sequence[Likelihood],
    size: int,
) -> PointResult:
    """Results of a list of models of one shape, as NumPy arrays; padded to batches of ``size`` with the last one."""
    n = len(models)
    repeated = [*range(n), *[n - 1] * (size - n)]
    stacked = jax.tree.map(lambda *leaves: np.stack([leaves[i] for i in repeated]), *models)
    rows = np.stack([data[i] for i in repeated])
    devices = max(d for d in range(1, len(jax.devices()) + 1) if size % d == 0)
    found = compiled(minimiser, test_stat, limits, devices)(np.asarray(mu), np.asarray(level), rows, stacked)
    return jax.tree.map(lambda x: np.asarray(x)[:n], found)
