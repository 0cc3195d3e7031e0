"""Judge the fits of the package on random models of every kind, or on published workspaces."""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import jax

import pyhf_func as pf
from tests.judge.files import judge_files
from tests.judge.generator import KINDS, case
from tests.judge.verdicts import Memory, Verdict, judge_structure, seed_text, table


def main() -> None:
    """Parse the command line and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.judge", description=__doc__)
    parser.add_argument("--models", type=int, default=240, help="models in all")
    parser.add_argument("--structures", type=int, default=4, help="structures of each kind; each is compiled once")
    parser.add_argument("--first", type=int, default=0, help="number of the first structure")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", default=",".join(KINDS), help="kinds, separated by commas")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--scans", action="store_true", help="scan every fourth model, too")
    parser.add_argument("--stacks", action="store_true", help="fit all models of a structure in one call, too")
    parser.add_argument("--memory", type=Path, help="file that keeps the judge's values")
    parser.add_argument("--verbose", action="store_true", help="print every fault")
    parser.add_argument("--dump", nargs=2, metavar=("SEED", "FILE"), help="write one case, such as wells:3:17:0")
    parser.add_argument("--files", type=Path, help="judge published workspaces instead")
    parser.add_argument("--starts", type=int, default=50, help="random starts for each file")
    options = parser.parse_args()
    if options.dump:
        kind, structure, number, seed = options.dump[0].split(":")
        Path(options.dump[1]).write_text(json.dumps(case(kind, int(structure), int(number), int(seed)).as_json()))
        return
    print(f"pyhf_func from {Path(pf.__file__).parent}", flush=True)
    if options.files:
        judge_files(options.files, options.starts)
        return
    judge_random(options)


def judge_random(options: argparse.Namespace) -> None:
    """Random models."""
    kinds = options.kind.split(",")
    each = max(1, options.models // (len(kinds) * options.structures))
    # Kinds with one structure and one pair of codes share a compiled program: structure after structure.
    structures = range(options.first, options.first + options.structures)
    work = [(kind, structure, each, options) for structure in structures for kind in kinds]
    begin, verdicts = time.perf_counter(), []
    if options.jobs > 1:
        with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
            for found in pool.map(one_structure, work):
                verdicts += found
    else:
        for item in work:
            verdicts += one_structure(item)
    verdicts.sort(key=lambda v: kinds.index(v.kind))
    print(table(verdicts))
    print(f"{len(verdicts)} fits of {each * len(work)} models in {time.perf_counter() - begin:.0f} s")


def one_structure(item: tuple[str, int, int, argparse.Namespace]) -> list[Verdict]:
    """All verdicts on one structure."""
    kind, structure, each, options = item
    found = list(
        judge_structure(
            kind, structure, range(each), options.seed, Memory(options.memory), options.scans, options.stacks
        )
    )
    if options.verbose:
        for v in found:
            if v.faults:
                status = pf.Status(v.status).name
                print(f"{seed_text(v):<22} {v.fit:<18} {','.join(v.faults):<14} {status:<16} {v.above:.3g}", flush=True)
    if structure % 4 == 3:
        jax.clear_caches()
    return found
