"""What pyhf takes for the same work, in one of its settings, called as its users call it."""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

from benchmarks.timing import median, once

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
    record(twice_nll=float(pyhf.infer.mle.fit(data, model, return_fitted_val=True)[1]))
    if setting != BEST:
        return

    def scan() -> list[Any]:
        values = [5.0 * k / 10 for k in range(11)]
        return [pyhf.infer.hypotest(mu, data, model, return_expected_set=True) for mu in values]

    record(scan=once(scan)[0] / 11 * 101)
    seconds, roots = once(lambda: limits(data, model))
    record(limit=seconds, limits=roots)


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
