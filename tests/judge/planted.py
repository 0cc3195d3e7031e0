"""Likelihoods whose global minimum is known by exhaustive search: channels that share nothing, one alpha each."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from tests.judge.generator import Case
from tests.judge.likelihood import Judged


def planted(number: int, wells: int, codes: tuple[str, str]) -> Case:
    """A model with up to two wells along each of its alphas, and a signal region of its own."""
    rng = np.random.default_rng([number, wells])
    channels = [_channel("SR", [_sample("signal", [4.0], {"name": "mu", "type": "normfactor", "data": None})])]
    channels[0]["samples"].append(_sample("bkg", [50.0]))
    observed, centers = [float(rng.poisson(54.0))], []
    for k in range(wells):
        background = np.round(rng.uniform(40.0, 400.0, size=2), 3)
        first, second = rng.uniform(1.1, 1.6, size=(2, 2))
        kind = "normsys" if rng.random() < 0.5 else "histosys"
        data: dict[str, Any] = {"lo": first[0], "hi": second[0]}
        if kind == "histosys":
            data = {"lo_data": (background * first).tolist(), "hi_data": (background * second).tolist()}
        channels.append(
            _channel(f"CR{k}", [_sample("bkg", background.tolist(), {"name": f"a{k}", "type": kind, "data": data})])
        )
        observed += rng.poisson(background * rng.uniform(1.1, 1.6)).astype(float).tolist()
        centers.append(float(np.round(0.8 * rng.normal(), 3)))
    parameters = [{"name": f"a{k}", "auxdata": [center]} for k, center in enumerate(centers)]
    workspace = {
        "channels": channels,
        "observations": [],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": parameters}}],
        "version": "1.0.0",
    }
    first_bin = 0
    for c in sorted(channels, key=lambda c: c["name"]):
        n = len(c["samples"][0]["data"])
        workspace["observations"].append({"name": c["name"], "data": [0.0] * n})
        first_bin += n
    return _with_data(Case("planted", (0, 0, number, wells), workspace, codes, [], 1.0), observed)


def _with_data(case: Case, observed: list[float]) -> Case:
    """Counts in the order of the sorted channels: CR0, CR1, ..., SR."""
    counts = [*observed[1:], observed[0]]
    rest = list(counts)
    for observation in case.workspace["observations"]:
        n = len(observation["data"])
        observation["data"], rest = rest[:n], rest[n:]
    model = Judged(case.workspace, case.codes, [0.0] * (len(counts) + 50)).reference
    return case._replace(data=[*counts, *model.auxdata])


def exhaustive(judged: Judged, mu: float | None) -> float:
    """The global minimum: each parameter on its own, on a fine grid and then to rounding."""
    pars = judged.init.copy()
    pars[judged.poi] = pars[judged.poi] if mu is None else mu
    for a in range(judged.n_pars):
        if a == judged.poi and mu is not None:
            continue
        marks = np.clip([-1.0, 0.0, 1.0], judged.lower[a], judged.upper[a])  # where codes have kinks and steps
        grid = np.unique(np.concatenate([np.linspace(judged.lower[a], judged.upper[a], 2001), marks]))
        points = np.tile(pars, (grid.size, 1))
        points[:, a] = grid
        values = judged.value(points)
        best = int(np.argmin(values))
        candidates = [(values[best], grid[best])]
        for left, right in ((best - 1, best), (best, best + 1)):
            if left >= 0 and right < grid.size:
                found = minimize_scalar(
                    lambda x, a=a: _at(judged, pars, a, x),
                    bounds=(grid[left], grid[right]),
                    method="bounded",
                    options={"xatol": 1e-11},
                )
                candidates.append((found.fun, found.x))
        pars[a] = min(candidates)[1]
    return float(judged.value(pars))


def _at(judged: Judged, pars: np.ndarray, a: int, x: float) -> float:
    moved = pars.copy()
    moved[a] = x
    return float(judged.value(moved))


def _channel(name: str, samples: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "samples": samples}


def _sample(name: str, data: list[float], *modifiers: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "data": data, "modifiers": list(modifiers)}
