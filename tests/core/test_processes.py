"""Worker processes, however they are started: they compute, or raise a named exception at once; none waits for ever."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no fork here")

WORK = """
import concurrent.futures, copy, multiprocessing, os, sys, threading
import pyhf_func as pf
from pyhf_func.exceptions import ForkedProcess

def small():
    model = pf.simplemodels.uncorrelated_background([6.0], [40.0], [4.0])
    return model, [43.0] + model.config.auxdata

def one(mu):
    model, data = small()
    return round(float(pf.infer.mle.fixed_poi_fit(mu, data, model, return_fitted_val=True)[1]), 6)

def nothing(mu):
    return mu

def asked(method):
    return multiprocessing.get_context(method)

def pool(method):
    with asked(method).Pool(1) as workers:
        return workers.map_async(one, [1.0]).get(90)

def executor(method):
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=asked(method)) as workers:
        return [workers.submit(one, 1.0).result(90)]

def joblib(backend):
    import joblib
    return joblib.Parallel(2, backend=backend, timeout=90)(joblib.delayed(one)(1.0) for _ in range(2))[:1]

def dask(method):
    import dask, distributed
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": method}),
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        return [client.submit(one, 1.0).result(timeout=90)]

def thread(method):
    found = []
    def work():
        try:
            found.append(pool(method))
        except ForkedProcess as error:
            found.append(error)
    at_work = threading.Thread(target=work)
    at_work.start()
    at_work.join(90)
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]

def grid(method):
    model, data = small()
    points = {"a": {("singlechannel", "signal"): [6.0]}}
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=asked(method)) as workers:
        found = pf.grid(pf.Workspace.build(model, data), points, limits=False, executor=workers)
    assert found.status.tolist() == [0]
    return [one(1.0)]

def own_jax(method):
    return pool(method)

def untouched(method):
    with asked(method).Pool(1) as workers:
        assert workers.map_async(nothing, [1.0]).get(90) == [1.0]
    return [one(1.0)]

def same_names(model):
    return copy.deepcopy(model).config.par_names == model.config.par_names

def copies(method):
    model, _ = small()
    with asked(method).Pool(1) as workers:
        assert workers.map_async(nothing, [1.0]).get(90) == [1.0]
    child = asked(method).Process(target=lambda: os._exit(0 if same_names(model) else 1))
    child.start()
    child.join(90)
    assert child.exitcode == 0, child.exitcode
    return [one(1.0)]

def unused(method):
    return pool(method)

if __name__ == "__main__":
    for line in sys.argv[1:]:
        way, method = line.split()
        if way == "own_jax":
            import jax
            assert small()
            jax.jit(lambda x: x + 1.0)(1.0)
        elif way != "unused":
            here = [one(1.0)]
        try:
            found = globals()[way](method)
        except ForkedProcess as error:
            assert "spawn" in str(error) and "pf.grid" in str(error)
            print(line, "refused")
        else:
            assert found == [one(1.0)], found
            print(line, "computed")
"""


def outcome(folder: Path, *lines: str) -> list[str]:
    """What becomes of workers of these kinds, one after the other, in one program."""
    (folder / "program.py").write_text(WORK, encoding="utf-8")
    command = [sys.executable, "-W", "ignore", "program.py", *lines]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    return [line for line in done.stdout.splitlines() if line.endswith((" refused", " computed"))]


@pytest.mark.slow
def test_forked_workers_of_a_parent_that_computed_are_refused_by_name(tmp_path: Path) -> None:
    pytest.importorskip("joblib")
    pytest.importorskip("distributed")
    ways = ["pool fork", "executor fork", "joblib multiprocessing", "thread fork", "grid fork", "dask fork"]
    assert outcome(tmp_path, *ways) == [f"{way} refused" for way in ways]


@pytest.mark.slow
def test_a_parent_that_computed_with_jax_alone_is_one_that_computed(tmp_path: Path) -> None:
    assert outcome(tmp_path, "own_jax fork") == ["own_jax fork refused"]


@pytest.mark.slow
def test_forked_workers_of_a_parent_that_did_not_compute_do(tmp_path: Path) -> None:
    assert outcome(tmp_path, "unused fork") == ["unused fork computed"]


@pytest.mark.slow
def test_forked_workers_that_do_not_compute_are_left_alone(tmp_path: Path) -> None:
    assert outcome(tmp_path, "untouched fork", "copies fork") == ["untouched fork computed", "copies fork computed"]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["pool forkserver", "executor spawn", "joblib loky", "dask forkserver", "grid spawn"])
def test_workers_with_an_interpreter_of_their_own_compute(way: str, tmp_path: Path) -> None:
    pytest.importorskip({"joblib": "joblib", "dask": "distributed"}.get(way.split()[0], "jax"))
    assert outcome(tmp_path, way) == [f"{way} computed"]
