"""What goes wrong, and under which name."""

from collections.abc import Callable
from typing import Any

import pyhf


def main(backend: str) -> dict[str, Any]:
    """The name of the exception of each mistake."""
    pyhf.set_backend(backend)
    model = pyhf.simplemodels.uncorrelated_background([5.0], [50.0], [7.0])
    data = pyhf.tensorlib.astensor([55.0, *model.config.auxdata])
    without = pyhf.Model(one_sample([{"name": "rate", "type": "normfactor", "data": None}]), poi_name=None)
    start = model.config.suggested_init(), model.config.suggested_bounds()
    mistakes: dict[str, Callable[[], Any]] = {
        "backend": lambda: pyhf.set_backend("abacus"),
        "optimizer": lambda: pyhf.set_backend(backend, "abacus"),
        "precision": lambda: pyhf.set_backend(backend, precision="16b"),
        "statistic": lambda: pyhf.infer.hypotest(1.0, data, model, test_stat="abacus"),
        "calculator": lambda: pyhf.infer.hypotest(1.0, data, model, calctype="abacus"),
        "bounds": lambda: pyhf.infer.hypotest(11.0, data, model),
        "fixed": lambda: pyhf.infer.hypotest(1.0, data, model, *start, [True, False]),
        "no POI": lambda: pyhf.infer.hypotest(1.0, data[:1], without),
        "no POI fit": lambda: pyhf.infer.mle.fixed_poi_fit(1.0, data[:1], without),
        "option": lambda: pyhf.optimize.scipy_optimizer(abacus=True),
        "minimiser option": lambda: pyhf.infer.mle.fit(data, model, abacus=True),
        "iterations": lambda: fit_with_one_iteration(data, model, backend),
        "distributions": lambda: pyhf.infer.calculators.AsymptoticCalculator(data, model).distributions(1.0),
        "data": lambda: model.logpdf(pyhf.tensorlib.astensor(start[0]), pyhf.tensorlib.astensor([1.0, 2.0, 3.0])),
        "pars": lambda: model.logpdf(pyhf.tensorlib.astensor([1.0, 2.0, 3.0]), data),
        "spec": lambda: pyhf.Model({"channels": 5}),
        "modifier": lambda: pyhf.Model(one_sample([{"name": "mu", "type": "abacus", "data": None}])),
    }
    return {name: outcome(mistake) for name, mistake in mistakes.items()}


def outcome(mistake: Callable[[], Any]) -> str:
    """The exception's name, or that there is none."""
    try:
        mistake()
    except KeyError:  # or a class of its own below it
        return "KeyError"
    except Exception as error:
        return type(error).__name__
    return "nothing"


def fit_with_one_iteration(data: Any, model: Any, backend: str) -> Any:
    """SLSQP is not done after one."""
    pyhf.set_backend(backend, pyhf.optimize.scipy_optimizer(maxiter=1))
    return pyhf.infer.mle.fit(data, model)


def one_sample(modifiers: list[dict[str, Any]]) -> dict[str, Any]:
    """A model of one bin."""
    return {"channels": [{"name": "c", "samples": [{"name": "s", "data": [1.0], "modifiers": modifiers}]}]}
