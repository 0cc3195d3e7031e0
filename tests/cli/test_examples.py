"""The example workspace, its plot and the programs beside it do what they say."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@pytest.fixture(autouse=True)
def ranks_as_users_have_them() -> Iterator[None]:
    """Examples are programs of users: JAX's default, by which an array is added to each of a batch, holds there."""
    with jax.numpy_rank_promotion("allow"):
        yield


def script(name: str) -> ModuleType:
    """A script of the examples folder as a module."""
    found = importlib.util.spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_documents_are_what_their_script_writes() -> None:
    maker = script("make_workspace")
    workspace = maker.build()
    for name, document in {"workspace": workspace, "patchset": maker.patches(workspace)}.items():
        assert (EXAMPLES / f"{name}.json").read_text(encoding="utf-8") == maker.text(document)


@pytest.mark.slow
def test_scan_draws_and_prints_limits(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    picture = tmp_path / "folder" / "scan.png"
    done = subprocess.run(
        [sys.executable, EXAMPLES / "scan.py", EXAMPLES / "workspace.json", "--output", picture],
        cwd=ROOT,
        env={"PYTHONPATH": os.environ["PYTHONPATH"], "PATH": "", "MPLCONFIGDIR": str(tmp_path), "HOME": str(tmp_path)},
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


@pytest.mark.slow
def test_learned_histogram_beats_the_classifier_for_every_seed(tmp_path: Path) -> None:
    """Median expected limits on new events, after as many steps from the same kind of start."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    example = script("soft_histogram")
    steps = 60
    result = example.study(steps, jax.random.split(jax.random.key(0), 2))
    assert result.limits.shape == (2, 2, steps)
    learned, classifier = result.limits[:, 0, -1], result.limits[:, 1, -1]
    assert np.all(learned < 0.9 * classifier)
    assert np.all(learned < 0.75 * result.limits[:, 0, 0])
    # Every event is in one bin, of either network.
    totals = result.histograms.sum(axis=-1) - 1e-3 * example.BINS
    np.testing.assert_allclose(totals, np.broadcast_to(example.YIELDS, totals.shape), rtol=1e-12)
    example.draw(result, tmp_path / "learned.png")
    assert (tmp_path / "learned.png").stat().st_size > 0


@pytest.mark.slow
def test_slope_of_the_loss_agrees_with_differences() -> None:
    """Along a random direction of all weights, through network, histograms and fits."""
    example = script("soft_histogram")
    model, keys = example.build_model(), jax.random.split(jax.random.key(3), 3)
    weights = example.network(keys[0], example.BINS), example.network(keys[1], 1)
    seen = example.draw_events(keys[2])[:, :200]
    direction = jax.tree.map(lambda leaf: jnp.cos(jnp.arange(leaf.size, dtype=float)).reshape(leaf.shape), weights)

    def along(step: jax.Array) -> jax.Array:
        moved = jax.tree.map(lambda leaf, change: leaf + step * change, weights, direction)
        return example.losses(moved, seen, model)

    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(along)))(jnp.array([-1e-6, 0.0, 1e-6]))
    assert abs(slopes[1]) > 1e-2
    assert (values[2] - values[0]) / 2e-6 == pytest.approx(float(slopes[1]), rel=1e-5)


@pytest.mark.slow
def test_gradient_ends_at_the_best_cut_of_a_scan() -> None:
    """From either side, within the scan's step; and nearly as high as any cut."""
    example = script("optimise_cut")
    found = example.climb(100, jnp.array([[1.0], [4.0]]))
    scanned = example.significances(example.CUTS[:, None])
    best, step = example.CUTS[scanned.argmax()], example.CUTS[1] - example.CUTS[0]
    assert 0 < scanned.argmax() < len(example.CUTS) - 1
    assert np.all(np.abs(found.edges[:, -1, 0] - best) <= step)
    np.testing.assert_allclose(found.z[:, -1], scanned.max(), rtol=1e-3)


@pytest.mark.slow
def test_all_edges_at_once_are_better_than_one_cut(tmp_path: Path) -> None:
    """From random starts to one optimum, with edges in order, better than any single cut and than usual bins."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    example = script("optimise_cut")
    found = example.climb(100, example.random_starts(3))
    assert np.all(np.diff(found.edges) > 0)
    best = found.edges[found.z[:, -1].argmax(), -1]
    signal = example.events()[0]
    usual = jnp.stack([jnp.arange(1.0, 5.0), jnp.quantile(signal, jnp.arange(4) / 4), best])
    equal_widths, equal_signal, ours = example.significances(usual)
    assert ours > 1.05 * max(equal_widths, equal_signal)
    assert np.ptp(found.z[:, -1]) < 0.01
    example.draw(jnp.zeros(len(example.CUTS)), found, found, tmp_path / "edges.png")
    assert (tmp_path / "edges.png").stat().st_size > 0
