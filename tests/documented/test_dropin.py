"""Scripts written for pyhf give the same numbers with pyhf_func in its place."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyhf", minversion="0.7.6")
pytest.importorskip("iminuit")

ROOT = Path(__file__).parent.parent.parent


@functools.cache
def run(library: str, script: str, backend: str) -> Any:
    """What a script says in a process of its own."""
    command = [sys.executable, "-m", "tests.documented.dropin", library, script, backend]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-4000:]
    return json.loads(found.stdout.splitlines()[-1])


def compare(ours: Any, theirs: Any, place: str = "") -> None:
    """Equal texts and shapes; numbers within what the minimisers' differences leave."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), place
        for key in theirs:
            compare(ours[key], theirs[key], f"{place}.{key}")
    elif isinstance(theirs, list) and any(isinstance(x, dict | list | str | bool) or x is None for x in theirs):
        assert len(ours) == len(theirs), place
        for i, (left, right) in enumerate(zip(ours, theirs, strict=True)):
            compare(left, right, f"{place}[{i}]")
    elif isinstance(theirs, str | bool) or theirs is None:
        assert ours == theirs, place
    else:
        parameters = any(word in place for word in ("fit", "heavy", "minuit"))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 if parameters else 1e-7, err_msg=place)


@pytest.mark.slow
@pytest.mark.parametrize("script", ["counting", "documents", "errors"])
def test_scripts_give_the_same_under_numpy(script: str) -> None:
    compare(run("pyhf_func", script, "numpy"), run("pyhf", script, "numpy"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "framework"), [("jax", "jax"), ("pytorch", "torch"), ("tensorflow", "tensorflow_probability")]
)
@pytest.mark.parametrize("script", ["counting", "documents", "errors"])
def test_scripts_give_the_same_in_other_backends(script: str, backend: str, framework: str) -> None:
    pytest.importorskip(framework)
    compare(run("pyhf_func", script, backend), run("pyhf", script, backend))


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "framework"), [("tensorflow", "tensorflow"), ("mxnet", "mxnet")])
def test_backends_that_pyhf_cannot_load_give_the_numbers_of_numpy(backend: str, framework: str) -> None:
    ours, expected = run("pyhf_func", "counting", backend), run("pyhf", "counting", "numpy")
    assert ours["names"][0] == backend
    for key in expected.keys() - {"names", "limit", "search", "minuit"}:  # MIGRAD takes another path with gradients
        compare(ours[key], expected[key], key)
