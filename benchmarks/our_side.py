"""What pyhf_func takes for the same work, and against its own limits."""

import resource
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.timing import CPU, median, once

Record = Callable[..., None]

TOYS = 1000
"""Toys of each hypothesis."""


def measure(spec: dict[str, Any], _setting: str, record: Record, repeats: int, budget: float) -> None:
    """Build, hypotest by verb and by the documented API, value and gradient, free fit, gradient of CLs, studies."""
    import jax
    import jax.numpy as jnp

    import pyhf_func as pf

    warnings.simplefilter("ignore")

    def build() -> Any:
        workspace = pf.Workspace(spec)
        model = workspace.model()
        return model, workspace.data(model)

    seconds, (model, listed) = once(build)
    record(build_first=seconds)
    record(
        build=median(build, repeats=5, budget=budget),
        parameters=model.config.npars,
        bins=model.config.nmaindata,
    )
    data = jnp.asarray(listed)

    def warm(name: str, call: Callable[[], Any]) -> Any:
        """Record the seconds of the first call and of the warm ones; return the result."""
        first, result = once(call)
        record(**{f"{name}_first": first})
        record(**{name: median(call, repeats=repeats, budget=budget)})
        return result

    first, result = once(lambda: pf.hypotest(1.0, data, model))
    record(
        first=first,
        cls=float(result.cls),
        cls_expected=[float(value) for value in result.cls_expected],
        status=str(result.status),
    )
    clocks = {"warm": time.perf_counter, "warm_cpu": CPU}
    for name, clock in clocks.items():  # threads that wait for one another take more of the second
        seconds = median(lambda: pf.hypotest(1.0, data, model), repeats=repeats, budget=budget, clock=clock)
        record(**{name: seconds})

    hypotest = jax.jit(lambda mu, data, model: pf.hypotest(mu, data, model))
    warm("jitted", lambda: hypotest(1.0, data, model))

    value_and_gradient = jax.jit(jax.value_and_grad(lambda pars, data, model: -2.0 * model.logpdf(pars, data)))
    pars = jnp.asarray(model.config.suggested_init())
    warm("value_and_gradient", lambda: value_and_gradient(pars, data, model))

    fit = warm("fit", lambda: pf.fit(data, model))
    record(twice_nll=float(fit.twice_nll), fit_status=str(fit.status), iterations=int(fit.iterations))

    points = jnp.linspace(0.0, 5.0, 101)
    warm("scan", lambda: pf.scan(points, data, model))

    limit = warm("limit", lambda: pf.upper_limit(data, model))
    record(limits=[float(limit.observed), *map(float, limit.expected)], limit_status=str(limit.status))

    def documented() -> Any:
        return pf.infer.hypotest(1.0, listed, model, test_stat="qtilde", return_expected_set=True)

    for backend in ("numpy", "jax", "pytorch", "tensorflow"):
        try:
            setting = pf.set_backend(backend)
        except pf.exceptions.ImportBackendError:
            continue  # its framework is not installed
        with setting:
            warm(f"documented_{backend}", documented)
        record(**{f"beside_{backend}": median(lambda: pf.hypotest(1.0, data, model), repeats=repeats, budget=budget)})
    warm("covariance", lambda: pf.covariance(data, model))

    signal = signal_yields(spec, model.config.poi_name)

    def cls_of(signal: dict[tuple[str, str], Any], data: Any, model: Any) -> Any:
        for (channel, sample), yields in signal.items():
            model = model.with_yields(channel, sample, yields)
        return pf.hypotest(1.0, data, model).cls

    gradient = jax.jit(jax.value_and_grad(cls_of))
    _, slopes = warm("gradient", lambda: gradient(signal, data, model))
    record(gradient_finite=all(bool(jnp.isfinite(slope).all()) for slope in slopes.values()))

    key = jax.random.key(0)
    toys = warm("toys", lambda: pf.toys(1.0, data, model, key, TOYS))
    record(toys_failed=int(toys.failed), toys_cls=float(toys.cls), toys_cls_error=float(toys.cls_error))
    peak = memory()

    def fourfold() -> float:
        return once(lambda: pf.toys(1.0, data, model, key, 4 * TOYS))[0]

    seconds = fourfold()
    record(toys_more_memory=memory() - peak, toys_fourfold=seconds)
    if seconds < budget:  # it compiled its summary, which counts where the toys are fast
        record(toys_fourfold=fourfold())

    ranking = warm("ranking", lambda: pf.impacts(data, model))
    record(ranking_status=str(ranking.status.max()))

    workspace = pf.Workspace(spec)
    signals = {
        f"{k} %": {place: k / 100 * np.asarray(yields) for place, yields in signal.items()} for k in range(50, 150)
    }
    grid = warm("grid", lambda: pf.grid(workspace, signals, limits=False))
    record(grid_status=str(grid.status.max()))


def memory() -> int:
    """The most bytes that the process has held."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def signal_yields(spec: dict[str, Any], poi: str) -> dict[tuple[str, str], Any]:
    """Nominal yields of every sample that the parameter of interest scales, by (channel, sample)."""
    import jax.numpy as jnp

    return {
        (channel["name"], sample["name"]): jnp.asarray(sample["data"], dtype=float)
        for channel in spec["channels"]
        for sample in channel["samples"]
        if any(modifier["name"] == poi for modifier in sample["modifiers"])
    }
