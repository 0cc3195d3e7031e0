"""Published workspaces: fits from random starts, which must all end at the lowest known value."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import pyhf_func as pf

TOLERANCE = 1e-6
SIGNALS = 3  # points of a grid that are fitted


def judge_files(folder: Path, starts: int) -> None:
    """Print a table: where the default fit and fits from random starts end, free and at POI 0 and 1."""
    print(
        f"{'workspace':<34}{'pars':>5} {'fit':<8}{'default':>14}{'lowest':>14}{'above':>10}{'starts above':>13}"
        f"{'worst':>10}{'not conv.':>10}{'ms/fit':>8}"
    )
    for name, workspace in _workspaces(folder):
        model = workspace.model()
        data = np.asarray(workspace.data(model), float)
        for label, fixed in (
            ("free", {}),
            ("mu = 0", {model.config.poi_name: 0.0}),
            ("mu = 1", {model.config.poi_name: 1.0}),
        ):
            _judge(name, label, model, data, fixed, starts)


def _judge(name: str, label: str, model: Any, data: np.ndarray, fixed: dict[str, float], starts: int) -> None:
    default = pf.fit(data, model, fixed=fixed, init=np.asarray(model.config.suggested_init()))
    space = model.likelihood.space
    low, high, init, held = (np.asarray(x) for x in (space.lower, space.upper, space.init, space.fixed))
    found = []
    begin = time.perf_counter()
    for start in range(starts):
        rng = np.random.default_rng(start)
        near = init + rng.normal(size=init.size) * np.where(low >= 0, 0.2, 1.0)
        anywhere = rng.uniform(low, np.where(low >= 0, np.minimum(high, 2.0), high))
        moved = np.where(held, init, np.clip(near if start % 2 else anywhere, low, high))
        fit = pf.fit(data, model, fixed=fixed, init=moved)
        found.append((float(fit.twice_nll), int(fit.status)))
    each = (time.perf_counter() - begin) / max(starts, 1)
    values = np.array([value for value, _ in found])
    best = min(float(default.twice_nll), np.nanmin(values, initial=np.inf))
    above = np.nan_to_num(values - best, nan=np.inf)
    bad = sum(status != 0 for _, status in found) + int(default.status != 0)
    print(
        f"{name:<34}{model.config.npars:>5} {label:<8}{float(default.twice_nll):>14.6f}{best:>14.6f}"
        f"{float(default.twice_nll) - best:>10.2g}{(above > TOLERANCE).sum():>13}{above.max(initial=0):>10.2g}"
        f"{bad:>10}{1e3 * each:>8.1f}",
        flush=True,
    )


def _workspaces(folder: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text())
        if "channels" in document:
            yield path.stem, pf.Workspace(document)
    for patches in sorted(folder.glob("*/*atch*.json")):
        background = next(
            (p for p in sorted(patches.parent.glob("*.json")) if "kg" in p.name.lower() or "Only" in p.name), None
        )
        if background is None:
            continue
        patchset = pf.PatchSet(json.loads(patches.read_text()))
        points = list(patchset)
        for patch in points[:: max(1, len(points) // SIGNALS)][:SIGNALS]:
            yield f"{patches.parent.name} {patch.name}", pf.Workspace(patch.apply(json.loads(background.read_text())))
