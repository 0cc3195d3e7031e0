"""The engine's hypothesis test, reshaped: one compiled call for the five fits and all p-values of a test."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.optimize import OptimizeResult

from pyhf_func.core.fit import Minimum, Newton, Problem, Status
from pyhf_func.core.inference import HypotestResult
from pyhf_func.core.inference.asymptotics import square_root, transformed
from pyhf_func.core.statistics import Statistic
from pyhf_func.exceptions import FailedMinimization
from pyhf_func.pyhf.infer.mle import check_start, check_value, one_value
from pyhf_func.pyhf.optimize.arrays import bounds_array, call, numbers
from pyhf_func.pyhf.optimize.engine import engine_model
from pyhf_func.pyhf.optimize.opt_newton import newton_optimizer
from pyhf_func.pyhf.tensor.manager import get_backend
from pyhf_func.verbs.hypotest import hypotest as _hypotest

Start = tuple[Any, Any, Any]
"""Start values, bounds and fixed flags."""

FITS = {
    "free_fit": "of all parameters to the data",
    "conditional_fit": "to the data at the tested value",
    "asimov_fit": "to the data at the Asimov value",
    "free_fit_asimov": "of all parameters to the Asimov data",
    "conditional_fit_asimov": "to the Asimov data at the tested value",
}


@dataclass(frozen=True)
class Lenient:
    """Newton's method, whose fits that ended early, yet near to the minimum, count as converged."""

    newton: Newton
    tolerance: float
    """on the estimated distance to the minimum, in units of -2 log L."""

    def __call__(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood."""
        found = self.newton(problem)
        close = (found.status == Status.ITERATION_LIMIT) & (2 * found.edm < self.tolerance)
        return found._replace(status=jnp.where(close, Status.CONVERGED, found.status).astype(jnp.int32))


def engine_minimiser(pdf: Any) -> Newton | Lenient | None:
    """The engine's minimiser, where the current optimizer is ours and the model, too."""
    _, optimizer = get_backend()
    if not (isinstance(optimizer, newton_optimizer) and engine_model(pdf)):
        return None
    newton = Newton() if optimizer.maxiter is None else Newton(iterations=optimizer.maxiter)
    return newton if optimizer.tolerance is None else Lenient(newton, float(optimizer.tolerance))


def test(
    minimiser: Newton | Lenient,
    statistic: Statistic,
    mu: Any,
    data: Any,
    pdf: Any,
    start: Start,
    fields: tuple[str, ...],
) -> dict[str, Any]:
    """Fields of a `HypotestResult`, and ``t`` and ``root_asimov``, as tensors of the right kind; of a band, five.

    Raises:
        ValueError: The tested value, the Asimov value or a start value lies outside of its bounds.
        FailedMinimization: A fit did not converge.
    """
    mu = one_value(mu)
    overrides = _overrides(pdf, start)
    poi = pdf.config.poi_index
    for value in (mu, statistic.alternative):
        check_value(value, start[1][poi], poi)
    arguments = (pdf, mu, numbers(data), *overrides)
    found = call(_runner(minimiser, statistic, (*fields, "status")), *arguments)
    status = found.pop("status")
    if not isinstance(status, jax.core.Tracer) and int(status) != Status.CONVERGED:
        _explain(call(_runner(minimiser, statistic, _ENDS), *arguments), Status(int(status)), mu)
    return found


def _overrides(pdf: Any, start: Start) -> tuple[Any, Any, Any]:
    """The parts of a start, checked, that differ from the engine's own; a start that agreed with it is known again."""
    space, plain = pdf.likelihood.space, _plain(start)
    agreed = pdf.config._agreed
    if plain and agreed is not None and agreed[0] is space and start == agreed[1]:
        return None, None, None
    init, bounds, fixed = numbers(start[0]), bounds_array(start[1]), np.asarray(start[2], dtype=bool)
    check_start(init, bounds)
    overrides = changed(pdf, init, bounds, fixed)
    if plain and all(override is None for override in overrides):
        pdf.config._agreed = space, deepcopy(start)
    return overrides


def _plain(start: Start) -> bool:
    """Whether a start is made of lists of numbers."""
    init, bounds, fixed = start
    if not isinstance(init, list) or not isinstance(bounds, list) or not isinstance(fixed, list):
        return False
    return _NUMBERS.issuperset(map(type, chain(init, chain.from_iterable(bounds), fixed)))


_NUMBERS = frozenset((float, int, bool))


def changed(pdf: Any, init: Any, bounds: Any, fixed: np.ndarray) -> tuple[Any, Any, Any]:
    """Start values, bounds and fixed flags; None where they are what the engine knows already."""
    space = pdf.likelihood.space
    known = isinstance(bounds, np.ndarray) and _same(space.lower, bounds[:, 0]) and _same(space.upper, bounds[:, 1])
    return (
        None if _same(space.init, init) else init,
        None if known else bounds,
        None if _same(space.fixed, fixed) else fixed,
    )


def _same(known: Any, given: Any) -> bool:
    plain = isinstance(given, np.ndarray) and not isinstance(known, jax.core.Tracer)
    return plain and np.array_equal(np.asarray(known), given)


@cache
def _runner(minimiser: Newton | Lenient, statistic: Statistic, fields: tuple[str, ...]) -> Callable[..., Any]:
    """One function for each kind of test, so that what is known of it is known again."""
    return partial(_run, minimiser, statistic, fields)


def _run(
    minimiser: Newton | Lenient,
    statistic: Statistic,
    fields: tuple[str, ...],
    model: Any,
    mu: Any,
    data: Any,
    init: Any,
    bounds: Any,
    fixed: Any,
) -> dict[str, Array | tuple[Array, ...]]:
    result = _hypotest(
        mu, data, model, test_stat=statistic.name, init=init, bounds=bounds, fixed=fixed, minimiser=minimiser
    )
    return {name: _field(result, name, statistic) for name in fields}


def _field(result: HypotestResult, name: str, statistic: Statistic) -> Array | tuple[Array, ...]:
    if name in FITS:
        return getattr(result, name).pars
    if name in _ENDS:
        fit, end = name.split(".")
        return getattr(getattr(result, fit), end)
    if name == "t":
        return _transformed(result.teststat, result.teststat_asimov, statistic)
    if name == "root_asimov":
        return _square_root(result.teststat_asimov)
    value = getattr(result, name)
    return _in_parts(value) if name.endswith("_expected") else value


# Taken apart by one compiled call: elements one by one take longer than a small test.
_in_parts = jax.jit(tuple)
_transformed = jax.jit(transformed, static_argnums=2)
_square_root = jax.jit(square_root)


_ENDS = tuple(f"{name}.{end}" for name in FITS for end in ("status", "edm"))


def _explain(ends: dict[str, Any], worst: Status, mu: Any) -> None:
    """Raise for the first fit that ended badly, or for what they make together."""
    for name, fit in FITS.items():
        status, edm = Status(int(ends[f"{name}.status"])), float(ends[f"{name}.edm"])
        if status == Status.CONVERGED:
            continue
        message = f"The fit {fit} failed. {status.sentence}"
        raise FailedMinimization(OptimizeResult(success=False, status=int(status), message=message, edm=edm))
    if worst == Status.INVALID_ARGUMENT:
        raise ValueError(
            f"{mu} can't be tested: with q-tilde, and with a POI bounded from below, the best value is never negative, "
            "so that no data exclude a negative one. Use test_stat='q' and bounds that reach below it."
        )
    message = f"The test of {mu} failed. {worst.sentence}"
    raise FailedMinimization(OptimizeResult(success=False, status=int(worst), message=message))
