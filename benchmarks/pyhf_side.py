"""What pyhf takes for the same work, in one of its settings, called as its users call it."""

import warnings
from collections.abc import Callable
from typing import Any

from benchmarks.timing import median, once

Record = Callable[..., None]


def measure(spec: dict[str, Any], setting: str, record: Record, repeats: int, budget: float) -> None:
    """Build, first and warm ``hypotest`` with the band, free fit; ``setting`` is ``backend-optimizer``."""
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
    record(
        first=seconds, warm=seconds, cls=float(observed), cls_expected=[float(value) for value in expected]
    )
    if seconds < budget or setting.startswith(
        "jax"
    ):  # a first call that compiles says nothing about the warm one
        record(warm=median(hypotest, repeats=repeats, budget=budget))
    record(twice_nll=float(pyhf.infer.mle.fit(data, model, return_fitted_val=True)[1]))
