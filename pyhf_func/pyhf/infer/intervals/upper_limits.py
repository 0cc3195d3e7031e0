"""Upper limits on the parameter of interest: where CLs, observed and expected, crosses a level."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import toms748

from pyhf_func._docs import read_whole
from pyhf_func.pyhf.infer.arguments import check_limit, check_problem, values_of
from pyhf_func.pyhf.infer.hypothesis import hypotest
from pyhf_func.pyhf.infer.intervals import differentiable
from pyhf_func.pyhf.infer.mle import start_of
from pyhf_func.pyhf.infer.test_statistics import statistic_of
from pyhf_func.pyhf.optimize.arrays import kind, to_numpy
from pyhf_func.pyhf.optimize.engine import engine_model
from pyhf_func.pyhf.tensor.dispatch import backend_for
from pyhf_func.pyhf.tensor.manager import current_backend
from pyhf_func.verbs._arguments import check_poi, number

__all__ = ["linear_grid_scan", "toms748_scan", "upper_limit"]


def __dir__() -> list[str]:
    return __all__


def upper_limit(
    data: Any,
    model: Any,
    scan: Any = None,
    level: float = 0.05,
    return_results: bool = False,
    **hypotest_kwargs: Any,
) -> Any:
    """Upper limits on the POI, by root finding or from a scan.

    The search goes beyond an upper bound of the POI that nobody has set (10, for a normfactor).

    Args:
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        model: The model.
        scan: Values of the POI between which CLs is interpolated; None to search with `toms748_scan`.
        level: The limit is where CLs equals this: 1 - confidence level.
        return_results: Also return the tested values and their results.
        hypotest_kwargs: Options of `pyhf_func.infer.hypotest`; without a scan also ``rtol`` and ``atol``.

    Returns:
        The observed limit, shape (), and the list of expected limits at -2, -1, 0, 1, 2 standard deviations; with
        ``return_results`` also the pair (tested values, results of `hypotest`).

    Raises:
        FailedMinimization: A fit did not converge.
        ValueError: CLs does not cross the level, or not inside the bounds that were set for the POI.

    Example:
        >>> import numpy as np, pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> observed, expected = pyhf.infer.intervals.upper_limits.upper_limit(data, model, np.linspace(0, 5, 21))
        >>> round(float(observed), 4), [round(float(limit), 4) for limit in expected]
        (1.0176, [0.5958, 0.7617, 1.0851, 1.5017, 2.0666])
    """
    check_problem(data, model, "model")
    if scan is not None:
        return linear_grid_scan(data, model, scan, level, return_results, **hypotest_kwargs)
    check_poi(model)
    low, up = start_of(model, None, hypotest_kwargs.get("par_bounds"), None)[1][model.config.poi_index]
    if statistic_of(hypotest_kwargs.get("test_stat", "qtilde"), hypotest_kwargs.get("qtilde")).not_negative:
        low = max(low, 0.0)  # no data exclude a negative value
    observed, expected, results = toms748_scan(
        data, model, low, up, level=level, from_upper_limit_fn=True, **hypotest_kwargs
    )
    return (observed, expected, results) if return_results else (observed, expected)


def linear_grid_scan(
    data: Any,
    model: Any,
    scan: Any,
    level: float = 0.05,
    return_results: bool = False,
    **hypotest_kwargs: Any,
) -> Any:
    """Upper limits by linear interpolation of CLs between given values of the POI.

    Args:
        data: As for `upper_limit`.
        model: As for `upper_limit`.
        scan: Values of the POI. A limit beyond them is given as the last one.
        level: As for `upper_limit`.
        return_results: As for `upper_limit`.
        hypotest_kwargs: As for `upper_limit`.

    Returns:
        As for `upper_limit`.

    Raises:
        FailedMinimization: A fit did not converge.
    """
    check_limit(data, model, level)
    tested = values_of(scan)
    place = _place_of_band(hypotest_kwargs)
    results = [hypotest(mu, data, model, **{**hypotest_kwargs, "return_expected_set": True}) for mu in tested]
    curves = zip(*([result[0], *result[place]] for result in results), strict=True)
    observed, *expected = (_crossing(level, to_numpy(tested), curve) for curve in curves)
    return (observed, expected, (tested, results)) if return_results else (observed, expected)


def toms748_scan(
    data: Any,
    model: Any,
    bounds_low: float,
    bounds_up: float,
    level: float = 0.05,
    atol: float = 2e-12,
    rtol: float = 1e-4,
    from_upper_limit_fn: bool = False,
    **hypotest_kwargs: Any,
) -> Any:
    """Upper limits by root finding (`scipy.optimize.toms748`).

    For traced data, and for tensors of another framework, the engine's own search gives limits with derivatives; it
    needs no range and no tolerance.

    Args:
        data: As for `upper_limit`.
        model: As for `upper_limit`.
        bounds_low: Where the search begins; halved until CLs is above the level there.
        bounds_up: Where the search ends; doubled until CLs is below the level there, beyond the upper bound of the POI
            if nobody has set it.
        level: As for `upper_limit`.
        atol: Absolute tolerance of the limits.
        rtol: Relative tolerance of the limits; the search ends where one of the two is met.
        from_upper_limit_fn: Also return the pair (tested values, results of `hypotest`).
        hypotest_kwargs: Options of `pyhf_func.infer.hypotest`.

    Returns:
        The observed limit, shape (), and the list of expected limits at -2, -1, 0, 1, 2 standard deviations.

    Raises:
        FailedMinimization: A fit did not converge.
        ValueError: CLs does not cross the level, or not inside the bounds that were set for the POI.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> observed, expected = pyhf.infer.intervals.upper_limits.toms748_scan(data, model, 0.0, 5.0, rtol=1e-6)
        >>> round(float(observed), 5), [round(float(limit), 5) for limit in expected]
        (1.01157, [0.55988, 0.75703, 1.06236, 1.50118, 2.0508])
    """
    check_limit(data, model, level)
    if differentiable.wanted(data, model):
        observed, *expected = differentiable.limits(data, model, level, hypotest_kwargs)
        if not from_upper_limit_fn:
            return observed, expected
        tested, options = [observed, *expected], {**hypotest_kwargs, "return_expected_set": True}
        return observed, expected, (tested, [hypotest(mu, data, model, **options) for mu in tested])
    search = _Search(data, model, level, hypotest_kwargs)
    low, up = search.bracket(float(number(bounds_low, "bounds_low")), float(number(bounds_up, "bounds_up")))
    limits = [search.root(0, low, up, atol, rtol)]
    limits += [search.root(i, *search.best_bracket(i), atol, rtol) for i in range(1, 6)]
    tensorlib = backend_for(data)
    observed, *expected = (tensorlib.astensor(limit) for limit in limits)
    if from_upper_limit_fn:
        return observed, expected, (list(search.results), list(search.results.values()))
    return observed, expected


class _Search:
    """The tests made so far, and what they say about where CLs crosses the level."""

    def __init__(self, data: Any, model: Any, level: float, hypotest_kwargs: dict[str, Any]) -> None:
        self.results: dict[float, Any] = {}
        self._curves: dict[float, np.ndarray] = {}
        self._data, self._model, self._level = data, model, level
        self._kwargs = {**hypotest_kwargs, "return_expected_set": True}
        self._place = _place_of_band(hypotest_kwargs)
        self._poi = model.config.poi_index
        self._bounds = start_of(model, None, hypotest_kwargs.get("par_bounds"), None)[1]

    def distances(self, mu: float) -> np.ndarray:
        """CLs minus the level, observed and for the five expected; shape (6,)."""
        if mu not in self.results:
            result = hypotest(mu, self._data, self._model, **{**self._kwargs, **self._wider(mu)})
            self.results[mu] = result
            self._curves[mu] = to_numpy([result[0], *result[self._place]]) - self._level
        return self._curves[mu]

    def _wider(self, mu: float) -> dict[str, Any]:
        """Bounds that reach beyond a value above the POI's upper bound, if nobody has set that.

        Raises:
            ValueError: Somebody has.
        """
        low, up = self._bounds[self._poi] if self._poi is not None else (mu, mu)
        if mu <= up:
            return {}
        if not self._is_default(up):
            raise ValueError(
                f"CLs does not fall to the level {self._level} up to {up}, the upper bound that was set for the "
                f"parameter of interest {self._model.config.poi_name!r}: raise it, in the measurement or as par_bounds."
            )
        bounds = list(self._bounds)
        bounds[self._poi] = (low, 2 * mu)
        return {"par_bounds": bounds}

    def _is_default(self, up: Any) -> bool:
        if not engine_model(self._model):
            return False
        space = self._model.likelihood.space
        return bool(space.default_upper[self._poi]) and float(up) == float(space.upper[self._poi])

    def bracket(self, low: float, up: float) -> tuple[float, float]:
        """Widen a range until it holds all six crossings."""
        for _ in range(_MOST_STEPS):
            if not np.any(self.distances(low) < 0):
                break
            low /= 2
        else:
            raise ValueError(f"CLs is below the level {self._level} already at {low}: there is no limit above it.")
        for _ in range(_MOST_STEPS):
            if not np.any(self.distances(up) > 0):
                return low, up
            up *= 2
        raise ValueError(f"CLs is above the level {self._level} still at {up}: there is no limit.")

    def best_bracket(self, i: int) -> tuple[float, float]:
        """The nearest tested values on both sides of a crossing."""
        tested = np.array(list(self._curves))
        distances = np.array([curve[i] for curve in self._curves.values()])
        above = distances >= 0
        return tested[above][np.argmin(distances[above])], tested[~above][np.argmax(distances[~above])]

    def root(self, i: int, low: float, up: float, atol: float, rtol: float) -> float:
        """Where one of the six curves crosses the level."""
        return toms748(lambda mu: self.distances(float(mu))[i], low, up, k=2, xtol=atol, rtol=rtol)


_MOST_STEPS = 40


def _place_of_band(hypotest_kwargs: dict[str, Any]) -> int:
    """Where the expected set is in what `hypotest` returns."""
    return 1 + bool(hypotest_kwargs.get("return_tail_probs")) + bool(hypotest_kwargs.get("return_expected"))


def _crossing(level: float, tested: np.ndarray, curve: Any) -> Any:
    """Where CLs, interpolated between tested values, equals the level: a tensor of the kind of CLs."""
    order = np.argsort(tested)[::-1]
    mus, curve = tested[order], [curve[i] for i in order]
    if kind(curve) == "jax":
        return jnp.interp(level, jnp.stack(curve), mus)
    values = to_numpy(curve)
    if kind(curve) is None:
        return current_backend().astensor(np.interp(level, values, mus))
    if not values[0] < level < values[-1]:
        return current_backend().astensor(mus[0] if level <= values[0] else mus[-1])
    i = int(np.searchsorted(values, level, side="right")) - 1
    return mus[i] + (level - curve[i]) * (mus[i + 1] - mus[i]) / (curve[i + 1] - curve[i])


read_whole((linear_grid_scan, toms748_scan, upper_limit))
