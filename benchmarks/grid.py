"""``python -m benchmarks.grid WORKSPACE PATCHSET [--points N]``: a signal grid, in CPU seconds of all its processes.

The points of the patch set are repeated, with yields that are scaled at random, and come from a generator.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

_YIELDS = ("data", "lo_data", "hi_data")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grid", description="A signal grid, in CPU seconds.")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("patchset", type=Path)
    parser.add_argument("--points", type=int, default=2000, help="how many [2000]")
    parser.add_argument("--limits", action="store_true", help="search limits, too")
    parser.add_argument("--jobs", type=int, default=0, help="processes; 0 for threads of this one [0]")
    parser.add_argument("--checkpoint", type=Path, help="keep the points in this file")
    chosen = parser.parse_args()
    import pyhf_func as pf

    workspace, patchset = (json.loads(path.read_text(encoding="utf-8")) for path in (chosen.workspace, chosen.patchset))
    context = multiprocessing.get_context("spawn")
    begin = time.perf_counter()
    with ProcessPoolExecutor(chosen.jobs, context) if chosen.jobs else nullcontext() as executor:
        found = pf.grid(
            pf.Workspace(workspace),
            points(patchset["patches"], chosen.points),
            limits=chosen.limits,
            executor=executor,
            checkpoint=chosen.checkpoint,
        )
    wall, used = time.perf_counter() - begin, usage()
    print(f"{chosen.points} points, {(found.status != pf.Status.CONVERGED).sum()} not converged")
    print(f"{wall:.1f} s, {used:.1f} CPU s, {1e3 * used / chosen.points:.1f} CPU ms a point")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB at most in this process")


def points(patches: list[dict[str, Any]], number: int) -> Iterator[Any]:
    """So many patches, each one of these with other yields."""
    from pyhf_func.patchset import Patch

    rng = random.Random(0)
    for place in range(number):
        patch, factor = patches[place % len(patches)]["patch"], rng.uniform(0.7, 1.3)
        operations = [{**operation, "value": scaled(operation.get("value"), factor)} for operation in patch]
        yield Patch({"metadata": {"name": f"point{place}", "values": [place]}, "patch": operations})


def scaled(value: Any, factor: float) -> Any:
    """A part of a document with its yields, and what is in the same unit, multiplied."""
    if isinstance(value, list):
        return [scaled(item, factor) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: [factor * x for x in item] if key in _YIELDS and isinstance(item, list) else scaled(item, factor)
        for key, item in value.items()
    }


def usage() -> float:
    """CPU seconds of this process and of those that it started and that have ended."""
    kinds = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


if __name__ == "__main__":
    main()
