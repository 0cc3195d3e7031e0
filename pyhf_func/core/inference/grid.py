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

from pyhf_func.compiled import Compiled
from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.lanes import by_platform
from pyhf_func.core.fit.problem import Minimiser
from pyhf_func.core.fit.result import worst
from pyhf_func.core.fit.status import Status
from pyhf_func.core.inference.hypotest import FITS, HypotestResult, Near, hypotest
from pyhf_func.core.inference.upper_limit import upper_limit
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.processes import check_process
from pyhf_func.core.statistics import Statistic


class PointResult(NamedTuple):
    """The result for one model of a grid."""

    cls: Array
    """() CLs."""
    cls_expected: Array
    """(5,) expected CLs."""
    limit: Array
    """() observed upper limit; NaN if limits were not requested."""
    limit_expected: Array
    """(5,) expected upper limits."""
    status: Array
    """() the worst `Status` of all that follow, but for limits that were not asked for."""
    cls_status: Array
    """() of ``cls``."""
    cls_expected_status: Array
    """() of ``cls_expected``."""
    limit_status: Array
    """() of ``limit``; ``NOT_COMPUTED`` if limits were not requested."""
    limit_expected_status: Array
    """(5,) of each expected limit."""


_WIDTHS = {name: 5 if "expected" in name and name != "cls_expected_status" else 1 for name in PointResult._fields}
N_NUMBERS = sum(_WIDTHS.values())
"""How many numbers the result for one model is."""


def numbers_of(results: PointResult) -> np.ndarray:
    """The numbers of one result in a row, or of several, a row each."""
    columns = [np.asarray(x, float) for x in results]
    rows = [x if width > 1 else x[..., None] for x, width in zip(columns, _WIDTHS.values(), strict=True)]
    return np.concatenate(rows, axis=-1)


def results_of(numbers: np.ndarray) -> PointResult:
    """The result of which these are the numbers; of several rows, a result with a leading axis."""
    parts = np.split(numbers, np.cumsum([*_WIDTHS.values()])[:-1], axis=-1)
    shaped = (part if width > 1 else part[..., 0] for part, width in zip(parts, _WIDTHS.values(), strict=True))
    typed = zip(PointResult._fields, shaped, strict=True)
    fields: Any = (x.astype(np.int32) if name.endswith("status") else x for name, x in typed)
    return PointResult(*fields)


def no_point(status: Status, dtype: Any = float) -> PointResult:
    """The entry of a model without a result, with the reason."""
    nan: Any = np.asarray(np.nan, dtype)
    ended: Any = np.asarray(status, np.int32)
    band: Any = np.full(5, nan)
    each: Any = np.full(5, ended)
    return PointResult(nan, band, nan, band, ended, ended, ended, ended, each)


def point(
    minimiser: Minimiser,
    statistic: Statistic,
    limits: bool,
    mu: Array,
    level: Array,
    data: Array,
    model: Likelihood,
    near: Near | None = None,
) -> tuple[PointResult, HypotestResult]:
    """Test one model, and set limits with it; and the test, from whose minima the next one may start."""
    space = model.space
    start = Start(space.init, space.lower, space.upper, space.fixed)
    test = hypotest(minimiser, statistic, mu, data, model, start, near)
    none = no_point(Status.NOT_COMPUTED, data.dtype)
    own = {"cls": test.cls, "cls_expected": test.cls_expected}
    own |= {"cls_status": test.cls_status, "cls_expected_status": test.expected_status}
    if not limits:
        return _traced(none._replace(**own, status=test.status)), test
    best = jnp.where(test.free_fit.status == Status.CONVERGED, test.free_fit.pars, space.init)
    limit = upper_limit(minimiser, statistic, level, data, model, start._replace(init=best))
    found = none._replace(
        **own,
        limit=limit.observed,
        limit_expected=limit.expected,
        status=worst(test.status, limit.status),
        limit_status=limit.observed_status,
        limit_expected_status=limit.expected_status,
    )
    return found, test


def _traced(result: PointResult) -> PointResult:
    return PointResult(*map(jnp.asarray, result))


def _every(minimiser: Any, statistic: Statistic, limits: bool, *batch: Any) -> PointResult:
    test = partial(point, minimiser, statistic, limits)
    return by_platform(partial(_in_turn, test), partial(_together, test), *batch)


_compiled_every = Compiled(_every, static=3)
_compiled_many = Compiled(_every, static=3, alike=True)


@cache
def compiled(
    minimiser: Any, statistic: Statistic, limits: bool, many: bool, n_devices: int
) -> Callable[..., PointResult]:
    """`point` for a batch (mu, level, data, model, real, alike); split over the devices.

    With ``many`` batches to come, it is optimised at once.

    Data and model have a leading axis, as have two flags: a model that is not ``real`` only fills the batch, and one
    that is ``alike`` has the parameters of the one before.
    """
    if n_devices == 1:
        return partial(_compiled_many if many else _compiled_every, minimiser, statistic, limits)
    every = partial(_every, minimiser, statistic, limits)
    mesh = Mesh(np.array(jax.devices()[:n_devices]), ("points",))
    split, whole = PartitionSpec("points"), PartitionSpec()
    specs = whole, whole, split, split, split, split
    return jax.jit(jax.shard_map(every, mesh=mesh, in_specs=specs, out_specs=split, check_vma=False))


def _in_turn(
    test: Any, mu: Array, level: Array, data: Array, models: Likelihood, real: Array, alike: Array
) -> PointResult:
    """One after the other, from the minima of the one before."""

    def next_point(before: Near, own: tuple[Array, Likelihood, Array, Array]) -> tuple[Near, PointResult]:
        data, model, real, alike = own

        def tested() -> tuple[Near, PointResult]:
            space = model.space
            pars = jnp.where(
                space.fixed[None], space.init[None], jnp.clip(before.pars, space.lower[None], space.upper[None])
            )
            result, found = test(mu, level, data, model, Near(pars, before.usable & alike))
            minima = jnp.stack([getattr(found, name).pars for name in FITS])
            return Near(minima, found.status == Status.CONVERGED), result

        nothing = _traced(no_point(Status.CONVERGED, data.dtype))
        return jax.lax.cond(real, tested, lambda: (before, nothing))

    first = models.space.init[0]
    nowhere = Near(jnp.zeros((len(FITS), *first.shape), first.dtype), jnp.zeros((), bool))
    _, results = jax.lax.scan(next_point, nowhere, (data, models, real, alike))
    return results


def _together(
    test: Any, mu: Array, level: Array, data: Array, models: Likelihood, real: Array, alike: Array
) -> PointResult:
    def one(data: Array, model: Likelihood) -> PointResult:
        result: PointResult = test(mu, level, data, model)[0]
        return result

    return jax.vmap(one)(data, models)


def run(
    minimiser: Any,
    statistic: Statistic,
    limits: bool,
    many: bool,
    mu: float,
    level: float,
    data: Sequence[np.ndarray],
    models: Sequence[Likelihood],
    alike: Sequence[bool],
    size: int,
) -> PointResult:
    """Results of a list of models of one shape, as NumPy arrays; padded to batches of ``size`` with the last one.

    A model is ``alike`` if it has the parameters of the one before; ``many`` batches are to come, or not.
    """
    check_process()
    n = len(models)
    repeated = [*range(n), *[n - 1] * (size - n)]
    stacked = jax.tree.map(lambda *leaves: np.stack([leaves[i] for i in repeated]), *models)
    rows = np.stack([data[i] for i in repeated])
    devices = max(d for d in range(1, len(jax.devices()) + 1) if size % d == 0)
    real, follows = np.arange(size) < n, np.array([*alike, *[True] * (size - n)])
    every = compiled(minimiser, statistic, limits, many, devices)
    found = every(np.asarray(mu, float), np.asarray(level, float), rows, stacked, real, follows)
    return jax.tree.map(lambda x: np.asarray(x)[:n], found)
