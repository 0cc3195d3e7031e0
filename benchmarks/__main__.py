"""``python -m benchmarks [FILES...] [--quick] [--out FILE]``: measure, print tables, save them as JSON."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import files, machine, report, shell
from benchmarks.worker import OURS

RESULTS = Path(__file__).parent / "results"
PYHF_SETTINGS = ("numpy-scipy", "jax-scipy", "pytorch-scipy", "tensorflow-scipy", "numpy-minuit", "jax-minuit")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Compare pyhf_func with pyhf 0.7.6.")
    parser.add_argument(
        "files", nargs="*", type=Path, help="workspaces to measure besides our own and the published ones"
    )
    parser.add_argument("--only", action="store_true", help="measure the given files alone")
    parser.add_argument(
        "--quick", action="store_true", help="fewer repeats, pyhf cut off after 30 s, no fresh processes"
    )
    parser.add_argument("--out", type=Path, help="where to save the figures (default: benchmarks/results/TIME.json)")
    parser.add_argument(
        "--pyhf", nargs="*", choices=PYHF_SETTINGS, default=list(PYHF_SETTINGS[:2]), help="pyhf's settings"
    )
    parser.add_argument("--pyhf-timeout", type=float, default=300.0, help="seconds for a setting of pyhf on one file")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for pyhf_func on one file")
    parser.add_argument("--no-shell", action="store_true", help="no fresh processes")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.no_shell, chosen.pyhf_timeout = True, min(chosen.pyhf_timeout, 30.0)
    return chosen


def environment() -> dict[str, str]:
    """What every measured process gets: what users have, and no settings of caches."""
    caches = ("JAX_COMPILATION_CACHE_DIR", "PYHF_FUNC_CACHE")
    return {name: value for name, value in os.environ.items() if name not in caches}


def measure(setting: str, file: Path, timeout: float, chosen: argparse.Namespace) -> dict[str, Any]:
    """Figures of one setting on one file, in a process of its own; what a time limit leaves is kept."""
    repeats, budget = (5, 2.0) if chosen.quick else (21, 10.0)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "figures.json"
        target.write_text("{}", encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "benchmarks.worker",
            setting,
            str(file),
            str(target),
            str(repeats),
            str(budget),
        ]
        reason = None
        try:
            done = subprocess.run(
                command,
                env=environment() | {"PYHF_FUNC_CACHE": "off"},
                cwd=files.ROOT,
                capture_output=True,
                text=True,
                timeout=timeout,
            )
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        except subprocess.TimeoutExpired:
            reason = f"stopped after {timeout:.0f} s"
        figures: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return {**figures, "error": reason} if reason else figures


def main() -> None:
    """Measure file by file, setting by setting; one heavy process at a time."""
    chosen = arguments()
    host = machine.describe()
    results: dict[str, dict[str, Any]] = {}
    target = chosen.out or RESULTS / f"{str(host['time']).replace(':', '')}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for file in files.collect((path.resolve() for path in chosen.files), Path(scratch), only_given=chosen.only):
            figures = results.setdefault(file.name, {})
            for setting in [OURS, *chosen.pyhf]:
                print(f"{file.name}: {setting} ...", file=sys.stderr, flush=True)
                timeout = chosen.timeout if setting == OURS else chosen.pyhf_timeout
                figures[setting] = measure(setting, file, timeout, chosen)
            if not chosen.no_shell:
                print(f"{file.name}: fresh processes ...", file=sys.stderr, flush=True)
                figures["shell"] = shell.measure(file, chosen.pyhf_timeout, environment())
            target.write_text(json.dumps({"machine": host, "results": results}, indent=1), encoding="utf-8")
    print("\n".join(f"{name}: {value}" for name, value in host.items()))
    print("\n" + report.tables(results, OURS, chosen.pyhf))
    print(f"\nsaved: {target}")


if __name__ == "__main__":
    main()
