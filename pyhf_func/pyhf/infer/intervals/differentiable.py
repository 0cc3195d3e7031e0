"""Limits by the engine's search: compiled, with derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.optimize import OptimizeResult

from pyhf_func.core.fit import Newton, Status
from pyhf_func.core.statistics import Statistic
from pyhf_func.exceptions import FailedMinimization
from pyhf_func.pyhf.infer import engine
from pyhf_func.pyhf.infer.mle import start_of
from pyhf_func.pyhf.infer.test_statistics import statistic_of
from pyhf_func.pyhf.optimize.arrays import bounds_array, call, kind, numbers, traced
from pyhf_func.verbs.upper_limit import upper_limit as _upper_limit


def wanted(data: Any, model: Any) -> bool:
    """Whether limits have to carry derivatives: for tracers, and for tensors of another framework."""
    here = kind(data, model)
    return traced(data) or traced(model) if here == "jax" else here is not None


def limits(data: Any, model: Any, level: Any, hypotest_kwargs: dict[str, Any]) -> list[Any]:
    """The observed limit and the five expected ones, as tensors of the kind of data and model.

    Raises:
        TypeError: The options ask for a test that is no compiled computation.
        FailedMinimization: There is no limit, or a fit did not converge.
    """
    minimiser = engine.engine_minimiser(model)
    statistic = statistic_of(hypotest_kwargs.get("test_stat", "qtilde"), hypotest_kwargs.get("qtilde"))
    options = {"calctype": "asymptotics", "calc_base_dist": "normal", **hypotest_kwargs}
    if minimiser is None or (options["calctype"], options["calc_base_dist"]) != ("asymptotics", "normal"):
        raise TypeError(
            "Limits with derivatives need the default optimizer, calctype='asymptotics' and calc_base_dist='normal': "
            "give plain numbers instead of tensors for others."
        )
    init, bounds, flags = start_of(model, *(options.get(key) for key in ("init_pars", "par_bounds", "fixed_params")))
    start = engine.changed(model, numbers(init), bounds_array(bounds), np.asarray(flags, dtype=bool))
    found, status = call(_runner(minimiser, statistic), model, level, numbers(data), *start)
    if not isinstance(status, jax.core.Tracer) and int(status) != Status.CONVERGED:
        message = f"The search for the limits failed. {Status(int(status)).sentence}"
        raise FailedMinimization(OptimizeResult(success=False, status=int(status), message=message))
    return [found[i] for i in range(6)]


@cache
def _runner(minimiser: Newton | engine.Lenient, statistic: Statistic) -> Callable[..., tuple[Array, Array]]:
    return partial(_limits, minimiser, statistic)


def _limits(
    minimiser: Newton | engine.Lenient,
    statistic: Statistic,
    model: Any,
    level: Any,
    data: Any,
    init: Any,
    bounds: Any,
    fixed: Any,
) -> tuple[Array, Array]:
    found = _upper_limit(
        data, model, level=level, test_stat=statistic.name, init=init, bounds=bounds, fixed=fixed, minimiser=minimiser
    )
    return jnp.concatenate([found.observed[None], found.expected]), found.status
