"""The derivatives of limits that were found by a search, by the implicit function theorem.

Where CLs(mu, x) = level, ``dmu/dx = - (dCLs/dx) / (dCLs/dmu)``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.lax import stop_gradient

from pyhf_func import functional
from pyhf_func.core.fit import Newton
from pyhf_func.infer import engine
from pyhf_func.optimize.arrays import bounds_array, call, given, kind, numbers, traced
from pyhf_func.tensor.manager import current_backend


def refuse_tracers(data: Any, model: Any) -> None:
    """Raise where a search on the host is asked for inside a transformed function.

    Raises:
        TypeError: Data or model are traced.
    """
    if kind(data, model) == "jax" and (traced(data) or traced(model)):
        raise TypeError(
            "This search for a limit runs on the host and can't be compiled, mapped or differentiated by JAX: "
            "give a scan, or use the functional verbs."
        )


def attached(limits: np.ndarray, data: Any, model: Any, hypotest_kwargs: dict[str, Any]) -> list[Any]:
    """Observed and expected limits, shape (6,), as tensors of the kind of data and model, with their derivatives."""
    here = kind(data, model)
    if here == "jax":
        return list(jnp.asarray(limits))
    minimiser = engine.engine_minimiser(model)
    options = dict(hypotest_kwargs)
    asymptotic = options.pop("calctype", "asymptotics") == "asymptotics"
    normal = options.pop("calc_base_dist", "normal") == "normal"
    if here is None or minimiser is None or not (asymptotic and normal):
        return [current_backend().astensor(limit) for limit in limits]
    config = model.config
    suggested = {
        "init_pars": config.suggested_init,
        "par_bounds": config.suggested_bounds,
        "fixed_params": config.suggested_fixed,
    }
    init, bounds, fixed = (options[name] if given(options.get(name)) else suggested[name]() for name in suggested)
    run = _runner(minimiser, options.get("test_stat", "qtilde"))
    found = call(run, model, limits, numbers(data), numbers(init), bounds_array(bounds), np.asarray(fixed, bool))
    return [found[i] for i in range(6)]


@cache
def _runner(minimiser: Newton, test_stat: str) -> Callable[..., Array]:
    return partial(_limits, minimiser, test_stat)


def _limits(
    minimiser: Newton, test_stat: Any, model: Any, located: Any, data: Any, init: Any, bounds: Any, fixed: Any
) -> Array:
    def cls(mus: Array) -> Array:
        def test(mu: Array) -> Array:
            result = functional.hypotest(
                mu, data, model, test_stat=test_stat, init=init, bounds=bounds, fixed=fixed, minimiser=minimiser
            )
            return jnp.concatenate([result.cls[None], result.cls_expected])

        return jnp.diagonal(jax.vmap(test)(mus))

    mus = stop_gradient(jnp.asarray(located))
    value, slope = jax.jvp(cls, (mus,), (jnp.ones_like(mus),))
    return mus - (value - stop_gradient(value)) / stop_gradient(slope)
