"""The example workspace, its plot and the examples of the README do what they say."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def script(name: str) -> ModuleType:
    """A script of the examples folder as a module."""
    found = importlib.util.spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_workspace_is_what_its_script_writes() -> None:
    maker = script("make_workspace")
    assert (EXAMPLES / "workspace.json").read_text(encoding="utf-8") == maker.text(maker.build())


def test_limit_is_where_the_curve_crosses() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    scan = script("scan")
    mu = np.array([0.0, 1.0, 2.0, 3.0])
    assert scan.crossing(mu, np.array([1.0, 0.5, 0.06, 0.02])) == pytest.approx(2.25)
    assert np.isnan(scan.crossing(mu, np.array([1.0, 0.9, 0.8, 0.7])))


def test_scan_draws_and_prints_limits(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    picture = tmp_path / "folder" / "scan.png"
    done = subprocess.run(
        [sys.executable, EXAMPLES / "scan.py", EXAMPLES / "workspace.json", "--output", picture],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "MPLCONFIGDIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    observed = float(re.search(r"observed 95% CL upper limit on mu: ([\d.]+)", done.stdout)[1])
    expected = [float(text) for text in re.search(r"sigma: +(.*)", done.stdout)[1].split(", ")]
    assert expected == sorted(expected)
    assert expected[0] < observed < expected[-1]


def test_readme_examples_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert "nan" not in capsys.readouterr().out.lower()


@pytest.mark.slow
def test_network_trained_on_cls_beats_cross_entropy(tmp_path: Path) -> None:
    """Two hundred steps: the loss falls, and new events are told apart better than by a classifier."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    example = script("train_network")
    result = example.train(steps=200, seed=0)
    assert len(result.losses) == 200
    assert result.losses[-1] < 0.05 * result.losses[0]
    assert result.cls < 0.9 * result.cls_cross_entropy
    example.draw(result, tmp_path / "training.png")
    assert (tmp_path / "training.png").stat().st_size > 0
