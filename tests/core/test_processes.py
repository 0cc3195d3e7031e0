"""Workers made by fork after their parent has computed: a named exception at once, and never a wait for ever."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import multiprocessing as mp
import pyhf_func as pf
from pyhf_func.exceptions import ForkedProcess

def one(mu):
    model = pf.simplemodels.uncorrelated_background([6.0], [40.0], [4.0])
    data = [43.0] + model.config.auxdata
    for verb in (lambda: pf.fit(data, model), lambda: pf.infer.hypotest(mu, data, model)):
        try:
            verb()
        except ForkedProcess as error:
            assert "spawn" in str(error) and "pf.grid" in str(error)
        else:
            return "computed"
    return "refused"

if __name__ == "__main__":
    model = pf.simplemodels.uncorrelated_background([6.0], [40.0], [4.0])
    pf.fit([43.0] + model.config.auxdata, model)
    with mp.get_context("fork").Pool(1) as workers:
        print(workers.map_async(one, [1.0]).get(60))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="no fork here")
def test_a_forked_worker_of_a_parent_that_computed_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    root = Path(__file__).parents[2]
    command = f"import sys, runpy; sys.path.insert(0, {str(root)!r}); runpy.run_path('program.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "['refused']" in done.stdout, done.stderr
