"""Programs that stand on pyhf give the same numbers with this library in its place."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyhf", minversion="0.7.6")
pytest.importorskip("iminuit")

ROOT = Path(__file__).parent.parent.parent
NEEDS = {"cabinetry": ["cabinetry"], "spey": ["spey", "spey_pyhf"], "abcd": ["abcd_pyhf"]}


def numbers(around: list[str], name: str, target: Path) -> dict[str, list[float]]:
    command = [sys.executable, *around, str(ROOT / "tests" / "documented" / "programs.py"), name, str(target)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-4000:]
    result: dict[str, list[float]] = json.loads(target.read_text(encoding="utf-8"))
    return result


@pytest.mark.slow
@pytest.mark.parametrize("name", NEEDS)
def test_programs_give_the_numbers_of_pyhf(name: str, tmp_path: Path) -> None:
    for package in NEEDS[name]:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    theirs = numbers([], name, tmp_path / "theirs.json")
    ours = numbers(["-m", "pyhf_func.as_pyhf"], name, tmp_path / "ours.json")
    assert ours.keys() == theirs.keys()
    for key, expected in theirs.items():
        # Both search with Minuit, spey with SciPy: their stopping error, a thousandth of a standard deviation.
        np.testing.assert_allclose(ours[key], expected, rtol=2e-3, atol=2e-3, err_msg=key)
