"""Which likelihoods are measured: our own, those given, and the published ones where they are found."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PUBLISHED = ROOT.parent / "shared" / "data"
GRID = PUBLISHED / "grid-1Lbb"


def collect(given: Iterable[Path], scratch: Path, *, only_given: bool = False) -> list[Path]:
    """Paths of workspaces, the smallest first; those that have to be made are put into ``scratch``."""
    files = list(given)
    if not (files and only_given):
        files += [*small_workspaces(scratch), ROOT / "examples" / "workspace.json", *PUBLISHED.glob("*.json")]
        if (GRID / "patchset.json").exists():
            files.append(grid_point(scratch))
    return sorted(dict.fromkeys(files), key=lambda file: file.stat().st_size)


def grid_point(scratch: Path) -> Path:
    """The background of the published signal grid with its first signal point."""
    import jsonpatch

    background = json.loads((GRID / "background.json").read_text(encoding="utf-8"))
    first = json.loads((GRID / "patchset.json").read_text(encoding="utf-8"))["patches"][0]
    return write(scratch / "grid-1Lbb-first.json", jsonpatch.apply_patch(background, first["patch"]))


def small_workspaces(scratch: Path) -> list[Path]:
    """A counting experiment and a two-bin measurement with two nuisance parameters."""
    signal = {"name": "mu", "type": "normfactor", "data": None}
    rate = {"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.12}}
    bins = {"name": "bins", "type": "shapesys", "data": [3.0, 7.0]}
    counting = [
        {"name": "signal", "data": [6.0], "modifiers": [signal]},
        {"name": "background", "data": [9.0], "modifiers": [rate]},
    ]
    two_bins = [
        {"name": "signal", "data": [12.0, 11.0], "modifiers": [signal, rate]},
        {"name": "background", "data": [50.0, 52.0], "modifiers": [bins]},
    ]
    return [
        write(scratch / "counting.json", workspace(counting, [8.0])),
        write(scratch / "two-bins.json", workspace(two_bins, [51.0, 48.0])),
    ]


def workspace(samples: list[dict[str, Any]], observed: list[float]) -> dict[str, Any]:
    """A workspace of one channel."""
    return {
        "version": "1.0.0",
        "channels": [{"name": "channel", "samples": samples}],
        "observations": [{"name": "channel", "data": observed}],
        "measurements": [{"name": "measurement", "config": {"poi": "mu", "parameters": []}}],
    }


def write(file: Path, document: dict[str, Any]) -> Path:
    """The file, written."""
    file.write_text(json.dumps(document), encoding="utf-8")
    return file
