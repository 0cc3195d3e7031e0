"""Fresh processes: ``pyhf-func cls`` without, filling and with its cache, against ``pyhf cls``."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PYHF = "from pyhf.cli import cli; cli(prog_name='pyhf')"
"""What pyhf's console script does, run by the interpreter that runs the benchmark."""


def measure(file: Path, timeout: float, environment: dict[str, str]) -> dict[str, object]:
    """Seconds of each kind of run; the cached one is the median of three."""
    ours = [sys.executable, "-m", "pyhf_func", "cls", str(file)]
    with tempfile.TemporaryDirectory() as cache:
        own = {**environment, "XDG_CACHE_HOME": cache}
        figures: dict[str, object] = {
            "shell_no_cache": seconds([*ours, "--no-cache"], own, timeout),
            "shell_fill_cache": seconds(ours, own, timeout),
            "shell_cached": middle([seconds(ours, own, timeout) for _ in range(3)]),
            "cache_bytes": sum(path.stat().st_size for path in Path(cache).rglob("*") if path.is_file()),
        }
    figures["shell_pyhf"] = seconds([sys.executable, "-c", PYHF, "cls", str(file)], environment, timeout)
    return figures


def middle(runs: list[float | str]) -> float | str:
    """The median of the runs, or why one of them gave nothing."""
    failed = [run for run in runs if isinstance(run, str)]
    return failed[0] if failed else statistics.median(run for run in runs if not isinstance(run, str))


def seconds(command: list[str], environment: dict[str, str], timeout: float) -> float | str:
    """Seconds of a command that writes CLs as JSON, or a sentence that says why it failed."""
    start = time.perf_counter()
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=True)
        json.loads(done.stdout)["CLs_obs"]
    except subprocess.TimeoutExpired:
        return f"more than {timeout:.0f} s"
    except (subprocess.CalledProcessError, ValueError, KeyError) as error:
        return f"failed ({type(error).__name__})"
    return time.perf_counter() - start
