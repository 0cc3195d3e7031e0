"""A patient fit: many quasi-Newton starts, then Newton steps on the free parameters until nothing moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tests.reference.model import ReferenceModel
from tests.reference.numbers import real

Array = NDArray[np.float64]
TINY = 1e-30  # imaginary step of the complex-step derivative
NEAR = 1e-6  # so near the minimum rounding hides the change of the value: the slope alone leads
DONE = 1e-16


@dataclass(frozen=True)
class Fit:
    """The best point found. `edm` estimates how far `twice_nll` stood above it before the last step."""

    pars: Array
    twice_nll: float
    edm: float
    at_bound: NDArray[np.bool_]


def twice_nll(model: ReferenceModel, pars: Sequence[float] | Array, data: Sequence[float]) -> float:
    """-2 log p(data | pars)."""
    return -2.0 * real(model.logpdf([float(x) for x in pars], data))


def gradient(model: ReferenceModel, pars: Array, data: Sequence[float], free: Sequence[int]) -> Array:
    """d twice_nll / d pars[free], by the complex-step method."""
    result = np.empty(len(free))
    for k, i in enumerate(free):
        shifted: list[complex] = [complex(x) for x in pars]
        shifted[i] += 1j * TINY
        result[k] = -2.0 * complex(model.logpdf(shifted, data)).imag / TINY
    return result


def hessian(model: ReferenceModel, pars: Array, data: Sequence[float], free: Sequence[int]) -> Array:
    """Second derivatives on the free parameters, by central differences of the complex-step gradient."""
    result = np.empty((len(free), len(free)))
    for k, i in enumerate(free):
        step = 1e-5 * max(1e-2, abs(pars[i]))
        up, down = pars.copy(), pars.copy()
        up[i] += step
        down[i] -= step
        result[k] = (gradient(model, up, data, free) - gradient(model, down, data, free)) / (up[i] - down[i])
    return 0.5 * (result + result.T)


def fit(
    model: ReferenceModel,
    data: Sequence[float],
    *,
    fixed: Mapping[int, float] | None = None,
    init: Sequence[float] | None = None,
    bounds: Sequence[tuple[float, float]] | None = None,
    starts: int = 2,
) -> Fit:
    """Minimise twice_nll in the bounds. Fixed parameters stay at `init`, those of `fixed` at its values."""
    start = np.array(model.inits if init is None else init, dtype=float)
    box = np.array(model.bounds if bounds is None else bounds, dtype=float)
    held = {i: start[i] for i, is_fixed in enumerate(model.fixed) if is_fixed} | dict(fixed or {})
    for i, value in held.items():
        start[i] = value
    free = [i for i in range(model.npars) if i not in held]
    start[free] = np.clip(start[free], box[free, 0], box[free, 1])
    candidates = [
        _polish(model, data, _rough(model, data, x, box, free), box, free) for x in _starts(start, box, free, starts)
    ]
    return min(candidates, key=lambda f: f.twice_nll)


def fit_fixed_poi(model: ReferenceModel, data: Sequence[float], mu: float, **options: object) -> Fit:
    """The conditional fit: the parameter of interest held at mu."""
    assert model.poi_index is not None
    return fit(model, data, fixed={model.poi_index: mu}, **options)  # type: ignore[arg-type]


def _starts(start: Array, box: Array, free: Sequence[int], count: int) -> list[Array]:
    """The suggested start and points some way towards either bound."""
    rng = np.random.default_rng(20240115)
    result = [start]
    for _ in range(count - 1):
        x = start.copy()
        for i in free:
            width = min(1.0, box[i, 1] - box[i, 0])
            x[i] = np.clip(start[i] + 0.3 * width * rng.uniform(-1, 1), box[i, 0], box[i, 1])
        result.append(x)
    return result


def _rough(model: ReferenceModel, data: Sequence[float], start: Array, box: Array, free: Sequence[int]) -> Array:
    def objective(values: Array) -> tuple[float, Array]:
        x = start.copy()
        x[free] = values
        value = twice_nll(model, x, data)
        if not np.isfinite(value):
            return 1e15, np.zeros(len(free))
        return value, gradient(model, x, data, free)

    if not free:
        return start
    found = minimize(
        objective,
        start[free],
        jac=True,
        method="L-BFGS-B",
        bounds=box[free],
        options={"maxiter": 500, "ftol": 1e-10},
    )
    x = start.copy()
    x[free] = np.clip(found.x, box[free, 0], box[free, 1])
    return x


def _polish(model: ReferenceModel, data: Sequence[float], x: Array, box: Array, free: Sequence[int]) -> Fit:
    """Damped Newton steps on those free parameters that no bound holds back."""
    value, edm = twice_nll(model, x, data), 0.0
    for _ in range(30):
        g = gradient(model, x, data, free)
        moving = [(k, i) for k, i in enumerate(free) if not _held_back(x[i], g[k], box[i])]
        if not moving:
            edm = 0.0
            break
        inside = [i for _, i in moving]
        slope = np.array([g[k] for k, _ in moving])
        step = -np.linalg.lstsq(hessian(model, x, data, inside), slope, rcond=1e-13)[0]
        edm = abs(float(slope @ step)) / 2
        if edm < NEAR:
            x, value = _stepped(model, data, x, box, inside, step)
        else:
            before, (x, value) = x, _line_search(model, data, x, value, box, inside, step, slope)
            if np.array_equal(before, x):
                break
        if edm < DONE:
            break
    at_bound = np.array([i in free and x[i] in box[i] for i in range(len(x))])
    return Fit(pars=x, twice_nll=value, edm=edm, at_bound=at_bound)


def _held_back(x: float, slope: float, limits: Array) -> bool:
    return bool((x <= limits[0] and slope > 0) or (x >= limits[1] and slope < 0))


def _stepped(
    model: ReferenceModel, data: Sequence[float], x: Array, box: Array, inside: list[int], step: Array
) -> tuple[Array, float]:
    """The point one step away, brought back into the box, and its value."""
    result = x.copy()
    result[inside] = np.clip(x[inside] + step, box[inside, 0], box[inside, 1])
    return result, twice_nll(model, result, data)


def _line_search(
    model: ReferenceModel,
    data: Sequence[float],
    x: Array,
    value: float,
    box: Array,
    inside: list[int],
    step: Array,
    slope: Array,
) -> tuple[Array, float]:
    """The longest of 1, 1/2, 1/4 ... of the step (or of steepest descent) that does not go up, else x."""
    noise = 1e-13 * (1 + abs(value))
    for direction in (step, -slope / (1 + np.abs(slope).max())):
        for halving in range(25):
            trial, trial_value = _stepped(model, data, x, box, inside, direction * 0.5**halving)
            if trial_value <= value + noise:
                return trial, trial_value
    return x, value
