"""What pyhf takes for the same work, in one of its settings, called as its users call it."""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

from benchmarks.timing import CPU, median, once

Record = Callable[..., None]

BEST = "jax-scipy"
"""The fastest setting, whose loops stand for pyhf's studies; a scan is timed on 11 of its 101 points."""


def measure(spec: dict[str, Any], setting: str, record: Record, repeats: int, budget: float) -> None:
    """Build, first and warm ``hypotest`` with the band, free fit, studies; ``setting`` is ``backend-optimizer``."""
    import pyhf

    warnings.simplefilter("ignore")
    pyhf.set_backend(*setting.split("-"))

    def build() -> Any:
        workspace = pyhf.Workspace(spec)
        model = workspace.model()
        return model, workspace.data(model)

    seconds, (model, data) = once(build)
    record(build_first=seconds)
    record(
        build=median(build, repeats=5, budget=budget),
        parameters=model.config.npars,
        bins=model.config.nmaindata,
    )

    def hypotest() -> Any:
        return pyhf.infer.hypotest(1.0, data, model, test_stat="qtilde", return_expected_set=True)

    seconds, (observed, expected) = once(hypotest)
    record(first=seconds, warm=seconds, cls=float(observed), cls_expected=[float(value) for value in expected])
    if seconds < budget or setting.startswith("jax"):  # a first call that compiles says nothing about the warm one
        record(warm=median(hypotest, repeats=repeats, budget=budget))
        record(warm_cpu=median(hypotest, repeats=repeats, budget=budget, clock=CPU))
    record(twice_nll=float(pyhf.infer.mle.fit(data, model, return_fitted_val=True)[1]))
    if setting != BEST:
        return

    def scan() -> list[Any]:
        values = [5.0 * k / 10 for k in range(11)]
        return [pyhf.infer.hypotest(mu, data, model, return_expected_set=True) for mu in values]

    record(scan=once(scan)[0] / 11 * 101)
    seconds, roots = once(lambda: limits(data, model))
    record(limit=seconds, limits=roots)

    def point() -> Any:
        model, data = build()
        return pyhf.infer.hypotest(1.0, data, model, return_expected_set=True)

    record(grid=100 * median(point, repeats=3, budget=budget))

    def toys(n: int) -> Any:
        calculator = pyhf.infer.calculators.ToyCalculator(data, model, ntoys=n, track_progress=False)
        return calculator.distributions(1.0)

    toys(1)
    record(toys=1000 / 5 * once(lambda: toys(5))[0])
    record(ranking=ranking(data, model))


def ranking(data: Any, model: Any) -> float:
    """Seconds of cabinetry's ranking of all nuisance parameters, from those of four refits with one of them held."""
    import cabinetry

    config = model.config
    held = next(i for i in range(config.npars) if i != config.poi_index and not config.suggested_fixed()[i])
    best = [float(x) for x in cabinetry.fit.fit(model, data).bestfit]
    fixed = [bool(flag) or place == held for place, flag in enumerate(config.suggested_fixed())]

    def refit(shift: float) -> Any:
        init = [x + shift * (place == held) for place, x in enumerate(best)]
        return cabinetry.fit.fit(model, data, init_pars=init, fix_pars=fixed)

    seconds, _ = once(lambda: [refit(shift) for shift in (0.05, -0.05, 0.1, -0.1)])
    return seconds * (sum(not flag for flag in config.suggested_fixed()) - 1)


def limits(data: Any, model: Any) -> list[float]:
    """Observed and expected limits as pyhf's ``toms748_scan`` finds them, which itself fails with current JAX."""
    import pyhf
    from scipy.optimize import toms748

    @cache
    def tested(mu: float) -> list[float]:
        observed, band = pyhf.infer.hypotest(mu, data, model, return_expected_set=True)
        return [float(observed), *map(float, band)]

    low, high = model.config.suggested_bounds()[model.config.poi_index]
    low = max(low, 0.0)
    return [
        float(toms748(lambda mu, k=k: tested(float(mu))[k] - 0.05, low, high, k=2, xtol=2e-12, rtol=1e-4))
        for k in range(6)
    ]
