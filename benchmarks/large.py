"""``python -m benchmarks.large [NAMES...]``: large models that are made here, in CPU seconds and peak memory.

Each model runs in a process of its own: reading the document, the first fit with all that is traced and compiled for
it, and each verb again, warm. Models are random, the same for every run.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks import files
from benchmarks.generated import Size, workspace
from benchmarks.timing import CPU, median, once

_NAMED = 50
"""Parameters whose errors are computed without those of all others, beside the parameter of interest."""
VERBS = ("fit", "hypotest", "errors", "covariance", "toys")


SIZES = {
    "gammas": Size(channels=50, bins=4, backgrounds=2, shared=0, shapes=0, rates=0),
    "thousand": Size(channels=20, bins=50, backgrounds=5, shared=301, shapes=21, rates=5),
    "ten-thousand": Size(channels=100, bins=100, backgrounds=10, shared=999, shapes=20, rates=10),
    "fifty-thousand": Size(channels=500, bins=100, backgrounds=10, shared=999, shapes=10, rates=10),
}
USUAL = {"gammas": VERBS, "thousand": VERBS[:4], "ten-thousand": VERBS[:3], "fifty-thousand": VERBS[:1]}


def measure(size: Size, verbs: Sequence[str], report: Callable[[str, float], None]) -> dict[str, float]:
    """CPU seconds of every stage and peak memory, reported as they come, and the answers."""
    import jax

    import pyhf_func as pf

    document = workspace(size)
    seconds, opened = once(partial(pf.Workspace, document), CPU)
    report("read", seconds)
    seconds, model = once(opened.model, CPU)
    report("model", seconds)
    data = opened.data(model)
    del document, opened
    named = [model.config.par_names[model.config.poi_index or 0], *model.config.par_names[-_NAMED:]]
    calls: dict[str, Callable[[Any], Any]] = {
        "fit": lambda model: pf.fit(data, model).twice_nll,
        "hypotest": lambda model: pf.hypotest(1.0, data, model).cls,
        "errors": lambda model: pf.covariance(data, model, named).errors[0],
        "covariance": lambda model: pf.covariance(data, model).errors[model.config.poi_index],
        "toys": lambda model: pf.toys(1.0, data, model, jax.random.key(0), 1024).cls,
    }
    answers = {}
    for verb in verbs:
        call = partial(jax.jit(calls[verb]), model)
        seconds, found = once(call, CPU)
        answers[verb] = float(found)
        report(f"first {verb}", seconds)
        report(verb, median(call, repeats=7, budget=5.0, clock=CPU))
        report("GB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
    return answers


def main() -> None:
    """Measure and print; a model in this process where it is the only one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description="Large models, in CPU seconds.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SIZES)}; all but the last by default")
    names = parser.parse_args().names or list(SIZES)[:-1]
    if len(names) > 1:
        for name in names:
            subprocess.run([sys.executable, "-m", "benchmarks.large", name], cwd=files.ROOT, check=False)
        return
    size = SIZES[names[0]]
    print(f"{names[0]}: {size.n_pars} parameters, {size.channels * size.bins} bins, {size.n_shapes} histosys terms")
    answers = measure(size, USUAL[names[0]], lambda what, number: print(f"  {what:<18} {number:.4g}", flush=True))
    print(f"  answers {json.dumps(answers)}")


if __name__ == "__main__":
    main()
