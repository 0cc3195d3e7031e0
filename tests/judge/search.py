"""The lowest value of a likelihood, by search from many starts: in every well, on every side of every kink.

Lanes descend together by damped Gauss-Newton steps, each in a box of its own; the best end points are finished by
SciPy's L-BFGS-B and SLSQP, some by Minuit.
"""

from __future__ import annotations

from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tests.judge.likelihood import Array, Judged, Slopes

COMBINATIONS = 7  # alphas of which every combination of signs is tried
LANES = 128
LEAST = 96
PROMISING = 2.0  # end points no higher than this above the best are finished, too
WALLS = 24  # lanes that are followed along walls
STEPS = 60


class Lowest(NamedTuple):
    """The lowest value that was found."""

    value: float
    pars: Array
    runner_up: float  # the value of the next well; +inf where there is none


class _Lanes(NamedTuple):
    pars: Array
    low: Array
    high: Array
    piece: Array


def lowest(judged: Judged, mu: float | None = None, *, seed: int = 0, minuit: bool = False) -> Lowest:
    """Search for the minimum of twice the negative log-likelihood, with the POI held at ``mu`` unless that is None."""
    rng = np.random.default_rng(seed)
    lanes = _starts(judged, mu, rng)
    pars, values = _descend(judged, lanes)
    if np.any(judged.main == 0) or np.any(judged.poisson_aux == 0):
        pars, values = _along_walls(judged, lanes._replace(pars=pars), values)
    for _ in range(12):
        best = int(np.argmin(values))
        if not np.isfinite(values[best]):
            return Lowest(np.inf, pars[best], np.inf)
        more = _mirrored(judged, lanes, pars[best])
        if more is None:
            break
        new_pars, new_values = _descend(judged, more)
        lanes = _Lanes(*(np.concatenate(pair) for pair in zip(lanes, more, strict=True)))
        pars, values = np.concatenate([pars, new_pars]), np.concatenate([values, new_values])
        if new_values.min() > values[best] - 1e-9:
            break
    order = np.argsort(values)
    distinct: list[int] = []
    for i in order:
        if values[i] < values[order[0]] + PROMISING and all(np.max(np.abs(pars[i] - pars[j])) > 1e-2 for j in distinct):
            distinct.append(int(i))
        if len(distinct) == 4:
            break
    finished = [_finish(judged, _Lanes(*(x[i : i + 1] for x in lanes)), pars[i], minuit) for i in distinct]
    finished.sort(key=lambda found: found[0])
    others = [value for value, _ in finished if value > finished[0][0] + 1e-7]
    return Lowest(finished[0][0], finished[0][1], min(others, default=np.inf))


def near(judged: Judged, mu: float | None, starts: Array) -> float:
    """The lowest value that descents from some points reach."""
    _, values = _descend(judged, _boxed(judged, starts, mu))
    return float(values.min())


def _starts(judged: Judged, mu: float | None, rng: np.random.Generator) -> _Lanes:
    """Starts in every combination of signs of the alphas, and at random; each side of a kink is a box of its own."""
    free = ~judged.fixed & (np.arange(judged.n_pars) != (judged.poi if mu is not None else -2))
    alphas = np.array([a for a in judged.alphas if free[a]], dtype=int)
    if len(alphas) <= COMBINATIONS:
        every = list(product((-1.0, 1.0), repeat=len(alphas)))
        signs = np.array(every).reshape(len(every), len(alphas))
        signs = np.concatenate([signs] * max(1, min(48, LEAST // len(signs))))
    else:
        signs = rng.choice([-1.0, 1.0], size=(LANES, len(alphas)))
    n = len(signs)
    center = judged.init.copy()
    center[judged.normal_par] = judged.normal_aux
    spread = np.ones(judged.n_pars)
    spread[judged.normal_par] = judged.sigma
    spread[judged.poisson_par] = 1 / np.sqrt(np.maximum(judged.tau, 1.0))
    pars = center + spread * rng.normal(size=(n, judged.n_pars)) * rng.choice([0.3, 1.0, 2.0], size=(n, 1))
    pars[:, alphas] = signs * rng.uniform(0.05, 2.0, size=(n, len(alphas)))
    scales = np.setdiff1d(np.arange(judged.n_pars), np.union1d(judged.normal_par, judged.poisson_par))
    pars[:, scales] = judged.init[scales] * np.exp(rng.normal(size=(n, len(scales))))
    pars[0] = judged.init
    return _boxed(judged, pars, mu, rng)


def _boxed(judged: Judged, pars: Array, mu: float | None, rng: np.random.Generator | None = None) -> _Lanes:
    pars = pars.copy()
    low, high = np.tile(judged.lower, (len(pars), 1)), np.tile(judged.upper, (len(pars), 1))
    pars[:, judged.fixed] = judged.init[judged.fixed]
    if mu is not None:
        pars[:, judged.poi] = mu
    held = judged.fixed | (np.arange(judged.n_pars) == (judged.poi if mu is not None else -2))
    low[:, held] = high[:, held] = pars[:, held]
    pars = np.clip(pars, low, high)
    piece = np.zeros_like(pars)
    for a in judged.kinked:
        if held[a]:
            continue
        _one_piece(judged, a, pars, low, high, piece)
    return _Lanes(np.clip(pars, low, high), low, high, piece)


def _one_piece(judged: Judged, a: int, pars: Array, low: Array, high: Array, piece: Array) -> None:
    """Keep each lane on the piece of the likelihood on which it starts."""
    steps = judged.codes[1] == "code2" and a in judged.shifting
    kinks = (judged.codes[0] == "code1" and a in judged.normsys_par) or judged.codes[1] == "code0"
    x = pars[:, a]
    lower, upper = judged.lower[a], judged.upper[a]
    edges = [-np.inf, *([-1.0] if steps else []), *([0.0] if kinks else []), *([1.0] if steps else []), np.inf]
    for left, right in pairwise(edges):
        own = (x >= left) & (x <= right) if right == np.inf else (x >= left) & (x < right)
        # The step belongs to the inside.
        inner_left = np.nextafter(left, np.inf) if steps and left == 1.0 else left
        inner_right = np.nextafter(right, -np.inf) if steps and right == -1.0 else right
        lo, hi = max(lower, inner_left), min(upper, inner_right)
        if lo > hi:
            continue
        low[own, a], high[own, a] = lo, hi
        sign = 1.0 if left >= 0 else -1.0
        piece[own, a] = sign if kinks else 0.0


def _mirrored(judged: Judged, lanes: _Lanes, best: Array) -> _Lanes | None:
    """The best point with each alpha's sign turned, and beyond the steps of code2."""
    movable = [a for a in judged.alphas if not np.all(lanes.low[:, a] == lanes.high[:, a])]
    points = []
    for a in movable:
        for size in (-best[a], 0.5, -0.5, 1.5, -1.5):
            if judged.lower[a] <= size <= judged.upper[a]:
                point = best.copy()
                point[a] = size
                points.append(point)
    if not points:
        return None
    mu = best[judged.poi] if judged.poi >= 0 and np.all(lanes.low[:, judged.poi] == lanes.high[:, judged.poi]) else None
    return _boxed(judged, np.array(points), mu)


def _descend(judged: Judged, lanes: _Lanes, barrier: float = 0.0, steps: int = STEPS) -> tuple[Array, Array]:
    """Damped Gauss-Newton steps of all lanes, projected to their boxes."""
    pars, low, high, piece = (x.copy() for x in lanes)
    at = judged.slopes(pars, piece, barrier)
    pars, at = _into_the_domain(judged, pars, at, low, high, piece, barrier)
    damping = np.full(len(pars), 1e-2)
    still = np.zeros(len(pars), int)
    diagonal = np.arange(judged.n_pars)
    for _ in range(steps):
        active = np.isfinite(at.value) & (still < 2) & (damping < 1e12)
        if not active.any():
            break
        rows = np.flatnonzero(active)
        x, g, h = pars[rows], at.gradient[rows], at.curvature[rows].copy()
        blocked = ((x <= low[rows]) & (g > 0)) | ((x >= high[rows]) & (g < 0)) | (low[rows] == high[rows])
        h[blocked] = 0.0
        np.swapaxes(h, 1, 2)[blocked] = 0.0
        size = h[:, diagonal, diagonal]
        h[:, diagonal, diagonal] += damping[rows, None] * size + 1e-9 * (size.max(1, keepdims=True) + 1e-9)
        step = np.linalg.solve(h, np.where(blocked, 0.0, -g)[..., None])[..., 0]
        trial = np.clip(x + step, low[rows], high[rows])
        new = judged.slopes(trial, piece[rows], barrier)
        better = new.value < at.value[rows]
        gain = np.where(better, at.value[rows] - new.value, 0.0)
        tiny = gain < 1e-10
        still[rows] = np.where(
            better & tiny & (damping[rows] <= 1e-2),
            still[rows] + 1,
            np.where(tiny & ~better & (damping[rows] > 1e4), 2, 0),
        )
        damping[rows] = np.where(better, np.maximum(damping[rows] / 5, 1e-9), np.maximum(damping[rows], 1e-4) * 10)
        moved = rows[better]
        pars[moved] = trial[better]
        for old, fresh in zip(at, new, strict=True):
            old[moved] = fresh[better]
    return pars, at.value


def _into_the_domain(
    judged: Judged, pars: Array, at: Slopes, low: Array, high: Array, piece: Array, barrier: float
) -> tuple[Array, Slopes]:
    """Draw lanes without a finite likelihood towards the suggested start, then anywhere."""
    home = np.clip(judged.init, low, high)
    rng = np.random.default_rng(1)
    for k in range(30):
        wrong = ~np.isfinite(at.value)
        if not wrong.any():
            break
        target = (
            home[wrong] if k < 6 else np.clip(home[wrong] + rng.normal(size=home[wrong].shape), low[wrong], high[wrong])
        )
        pars[wrong] = (pars[wrong] + target) / 2 if k < 6 else target
        new = judged.slopes(pars[wrong], piece[wrong], barrier)
        for old, fresh in zip(at, new, strict=True):
            old[wrong] = fresh
    return pars, at


def _along_walls(judged: Judged, lanes: _Lanes, values: Array) -> tuple[Array, Array]:
    """Where rates of bins without events may reach zero: the same with a barrier that vanishes."""
    order = np.argsort(values)[:WALLS]
    some = _Lanes(*(x[order] for x in lanes))
    for barrier in (1e-1, 1e-3, 1e-5, 1e-7, 1e-9):
        some = some._replace(pars=_descend(judged, some, barrier, steps=25)[0])
    pars, found = lanes.pars.copy(), values.copy()
    found[order] = judged.value(some.pars)
    pars[order] = some.pars
    better = found < values
    return np.where(better[:, None], pars, lanes.pars), np.where(better, found, values)


def _finish(judged: Judged, lane: _Lanes, start: Array, minuit: bool) -> tuple[float, Array]:
    """The minimum near a point, by SciPy (and Minuit)."""
    low, high, piece = lane.low[0], lane.high[0], lane.piece
    free = low < high
    best = start.copy()
    best_value = float(judged.value(best))
    if not free.any():
        return best_value, best
    curvature = judged.slopes(start[None], piece).curvature[0]
    scale = 1 / np.sqrt(np.maximum(np.diag(curvature)[free], 1e-8))
    scale = np.minimum(scale, high[free] - low[free])

    def objective(z: Array) -> tuple[float, Array]:
        x = best.copy()
        x[free] = np.clip(z * scale, low[free], high[free])
        found = judged.slopes(x[None], piece)
        value = found.value[0] - best_value
        return (value if np.isfinite(value) else 1e10), found.gradient[0][free] * scale

    bounds = np.stack([low[free] / scale, high[free] / scale], axis=1)
    tight = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500, "maxcor": 30}
    best, best_value = _newton(judged, best, best_value, low, high, piece)
    empty = judged.main == 0

    def yields(z: Array) -> tuple[Array, Array]:
        x = best.copy()
        x[free] = np.clip(z * scale, low[free], high[free])
        rates, jacobian = judged.expected(x[None], piece)
        return rates[0][empty], jacobian[0][empty][:, free] * scale

    walls = {"type": "ineq", "fun": lambda z: yields(z)[0], "jac": lambda z: yields(z)[1]}
    for method, options in (("L-BFGS-B", tight), ("SLSQP", {"ftol": 1e-13, "maxiter": 200})):
        start_z = np.clip(best[free] / scale, bounds[:, 0], bounds[:, 1])
        more = {"constraints": walls} if method == "SLSQP" and empty.any() else {}
        found = minimize(objective, start_z, jac=True, method=method, bounds=bounds, options=options, **more)
        x = best.copy()
        x[free] = np.clip(found.x * scale, low[free], high[free])
        value = float(judged.value(x))
        if value < best_value:
            best, best_value = x, value
    best, best_value = _newton(judged, best, best_value, low, high, piece)
    if minuit:
        best, best_value = _by_minuit(judged, best, best_value, low, high, free, scale)
    return best_value, best


def _newton(
    judged: Judged, best: Array, best_value: float, low: Array, high: Array, piece: Array
) -> tuple[Array, float]:
    """Newton steps with Hessians from differences of gradients; along flat directions the shortest step."""
    for _ in range(50):
        gradient = judged.slopes(best[None], piece).gradient[0]
        free = np.flatnonzero((low < high) & ~((best <= low) & (gradient > 0)) & ~((best >= high) & (gradient < 0)))
        if not free.size:
            break
        size = 1e-5 * np.maximum(1e-2, np.abs(best[free]))
        points = np.tile(best, (2 * free.size, 1))
        points[np.arange(free.size), free] += size
        points[free.size + np.arange(free.size), free] -= size
        slopes = judged.slopes(points, np.tile(piece, (2 * free.size, 1))).gradient[:, free]
        hessian = (slopes[: free.size] - slopes[free.size :]) / (2 * size[:, None])
        if not np.isfinite(hessian).all():
            break
        eigenvalues, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
        top = np.abs(eigenvalues).max() + 1e-300
        # Dampings, whole and shortened: the best of all is taken.
        sizes = np.maximum(np.abs(eigenvalues), 1e-12 * top) + top * np.array([0.0, 1e-9, 1e-7, 1e-5, 1e-3])[:, None]
        steps = -((vectors.T @ gradient[free]) / sizes) @ vectors.T
        shortened = (np.array([1.0, 0.5, 0.1, 0.01])[:, None, None] * steps).reshape(-1, free.size)
        trials = np.tile(best, (len(shortened), 1))
        trials[:, free] += shortened
        trials = np.clip(trials, low, high)
        values = judged.slopes(trials, np.tile(piece, (len(trials), 1))).value
        k = int(np.argmin(values))
        gain = best_value - values[k]
        if gain > 0:
            best, best_value = trials[k], float(values[k])
        if not gain > 1e-10:
            break
    return best, best_value


def _by_minuit(
    judged: Judged, best: Array, best_value: float, low: Array, high: Array, free: NDArray[np.bool_], scale: Array
) -> tuple[Array, float]:
    import iminuit

    def value(z: Array) -> float:
        x = best.copy()
        x[free] = z
        found = float(judged.value(x))
        return found if np.isfinite(found) else 1e10

    def gradient(z: Array) -> Array:
        x = best.copy()
        x[free] = z
        return judged.slopes(x[None]).gradient[0][free]

    m = iminuit.Minuit(value, best[free], grad=gradient)
    m.limits, m.errors, m.errordef = list(zip(low[free], high[free], strict=True)), scale, 1.0
    m.tol = 1e-3
    m.migrad()
    x = best.copy()
    x[free] = np.clip(np.array(m.values), low[free], high[free])
    found = float(judged.value(x))
    return (x, found) if found < best_value else (best, best_value)
