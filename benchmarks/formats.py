"""``python -m benchmarks.formats FOLDER [--fits]``: files of other formats beside their owners' numbers, in Markdown.

FOLDER has ``hs3/root640`` with ROOT's values in ``hs3/reference``, and ``combine/cards`` with Combine's in
``combine/results``. Compared are differences of 2NLL between given points, and with ``--fits`` the best value of the
parameter of interest.
"""

import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

import pyhf_func as pf
from pyhf_func.core.likelihood import logpdf


class Case(NamedTuple):
    """A file, and what its owner says."""

    file: Path
    points: list[dict[str, float]]
    """by the owner's names."""
    nll: list[float]
    fit: Mapping[str, Any]


def cases(folder: Path) -> Iterator[Case]:
    """All files with values."""
    for values in sorted((folder / "hs3" / "reference").glob("*.rootnll.json")):
        stem = values.name.removesuffix(".rootnll.json")
        at = json.loads((values.parent / f"pts_{stem.rpartition('.')[0]}.json").read_text(encoding="utf-8"))
        points = [dict(zip(at["names"], point, strict=True)) for point in at["points"]]
        nll = json.loads(values.read_text(encoding="utf-8"))["nll"]
        yield Case(folder / "hs3" / "root640" / f"{stem}.json", points, nll, {})
    for values in sorted((folder / "combine" / "results").glob("*.json")):
        known = json.loads(values.read_text(encoding="utf-8"))
        [card] = (folder / "combine" / "cards").rglob(known["card"])
        yield Case(card, known["points"], known["nll"], known["fit"]["values"])


def compared(case: Case, *, fits: bool) -> dict[str, str]:
    """One row of the table."""
    workspace = pf.read(case.file, mass=200.0) if case.file.suffix == ".txt" else pf.read(case.file)
    model = workspace.model()
    data, start = np.asarray(workspace.data(model), float), model.config.suggested_init()
    names, scales = workspace.foreign_names, workspace.metadata.get("scales", {})
    points = np.tile(np.asarray(start, float), (len(case.points), 1))
    for row, point in zip(points, case.points, strict=True):
        for name, value in point.items():
            row[model.config.par_names.index(names.get(name, name))] = value / scales.get(name, 1.0)
    ours = -2 * np.asarray(jax.jit(jax.vmap(logpdf, (None, 0, None)))(model.likelihood, points, data))
    theirs = 2 * np.asarray(case.nll)
    off = np.max(np.abs((ours - ours[0]) - (theirs - theirs[0])))
    row = {"file": case.file.name, "parameters": str(model.config.npars), "largest difference of 2NLL": f"{off:.0e}"}
    if fits and case.fit:
        best = pf.fit(data, model)
        poi = str(model.config.poi_name)
        value, error = case.fit[poi][:2]
        held = pf.fit(data, model, fixed={poi: value})
        row |= {
            "best value": f"{float(best[poi]):.4f}",
            "theirs": f"{value:.4f} ± {error:.2f}",
            "2NLL there above ours": f"{float(held.twice_nll - best.twice_nll):.0e}",
        }
    return row


def main(folder: str, *, fits: bool) -> None:
    """Print a line for each file."""
    columns = ["file", "parameters", "largest difference of 2NLL"]
    columns += ["best value", "theirs", "2NLL there above ours"] if fits else []
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for case in cases(Path(folder)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            row = compared(case, fits=fits)
        print(f"| {' | '.join(row.get(name, '') for name in columns)} |", flush=True)


if __name__ == "__main__":
    main(next(one for one in sys.argv[1:] if not one.startswith("-")), fits="--fits" in sys.argv)
