"""``python -m benchmarks.first [FILES...]``: what users wait for before anything is compiled, in CPU seconds.

Each line is a session of its own: import and model, then each verb for the first time, with an empty cache and again
with the cache that this left; beside it pyhf with NumPy, and the answers.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import files

PRELUDE = """
import json, sys, time
begin = time.process_time()
import {package} as library
workspace = library.Workspace(json.load(open(sys.argv[1])))
model = workspace.model()
data = workspace.data(model)
figures = {{"import and model": time.process_time() - begin}}
def first(name, call):
    begin = time.process_time()
    found = call()
    figures[name] = time.process_time() - begin
    return found
"""
OURS = f"""{PRELUDE.format(package="pyhf_func")}
import jax.numpy as jnp
test = first("hypotest", lambda: float(library.hypotest(1.0, data, model).cls))
first("hypotest again", lambda: float(library.hypotest(1.0, data, model).cls))
first("fit", lambda: float(library.fit(data, model).twice_nll))
limit = first("limit", lambda: float(library.upper_limit(data, model).observed))
first("scan of 21", lambda: library.scan(jnp.linspace(0.1, 3.0, 21), data, model).cls.block_until_ready())
print(json.dumps({{"figures": figures, "answers": [test, limit]}}))
"""
THEIRS = f"""
import logging, warnings
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
{PRELUDE.format(package="pyhf")}
test = first("hypotest", lambda: float(library.infer.hypotest(1.0, data, model, return_expected_set=True)[0]))
first("fit", lambda: library.infer.mle.fit(data, model))
print(json.dumps({{"figures": figures, "answers": [test]}}))
"""


def session(program: str, file: Path, cache: str, seconds: float) -> dict[str, object]:
    """Figures and answers of one session, or the reason why it failed."""
    dropped = ("JAX_COMPILATION_CACHE_DIR", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment["PYHF_FUNC_CACHE"] = cache
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, str(file)],
            cwd=files.ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"stopped after {seconds:.0f} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1][:200]}
    found: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def line(name: str, found: dict[str, object]) -> str:
    """One session as text."""
    if "error" in found:
        return f"  {name:<22} {found['error']}"
    figures = found["figures"]
    assert isinstance(figures, dict)
    return f"  {name:<22} {', '.join(f'{what} {seconds:.2f}' for what, seconds in figures.items())}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first", description="First answers, in CPU seconds.")
    parser.add_argument("files", nargs="*", type=Path, help="workspaces; by default our own and the published ones")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for one session")
    chosen = parser.parse_args()
    names = "here, empty cache", "here, second session", "pyhf, NumPy"
    with tempfile.TemporaryDirectory() as scratch:
        for file in files.collect(chosen.files, Path(scratch), only_given=True):
            print(file.stem)
            with tempfile.TemporaryDirectory() as cache:
                ours = [session(OURS, file, cache, chosen.timeout) for _ in range(2)]
            every = [*ours, session(THEIRS, file, "off", chosen.timeout)]
            for name, found in zip(names, every, strict=True):
                print(line(name, found))
            answers = [found.get("answers") for found in every]
            print(f"  CLs and limit: {answers[0]}, {answers[1]}; CLs by pyhf: {answers[2]}", flush=True)


if __name__ == "__main__":
    main()
