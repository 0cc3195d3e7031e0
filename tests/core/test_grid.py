"""Signal grids: padding changes nothing, batches equal one-by-one, no bad point loses the rest, processes agree."""

import csv
import io
import json
import os
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core.compiler import padding
from pyhf_func.core.likelihood import expected_main, logpdf
from tests.parity import cases

ANIMALS = ["everything", "asymmetric_systematics"]
SHARED = Path(__file__).parents[3] / "shared" / "data" / "grid-1Lbb"


def background() -> dict[str, Any]:
    return {
        "channels": [
            {
                "name": "SR",
                "samples": [
                    {
                        "name": "background",
                        "data": [50.0, 20.0],
                        "modifiers": [
                            {"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.12}},
                            {"name": "stat", "type": "staterror", "data": [3.0, 2.0]},
                        ],
                    }
                ],
            }
        ],
        "observations": [{"name": "SR", "data": [52.0, 19.0]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


def patch(name: str, mass: float, yields: list[float], *modifiers: dict[str, Any]) -> dict[str, Any]:
    strength = {"name": "mu", "type": "normfactor", "data": None}
    sample = {"name": "signal", "data": yields, "modifiers": [strength, *modifiers]}
    add = {"op": "add", "path": "/channels/0/samples/0", "value": sample}
    return {"metadata": {"name": name, "values": [mass]}, "patch": [add]}


def patches(*more: dict[str, Any]) -> pf.PatchSet:
    shape = {"name": "shape", "type": "histosys", "data": {"lo_data": [7.0, 9.0], "hi_data": [9.0, 11.0]}}
    scale = {"name": "scale", "type": "normsys", "data": {"lo": 0.8, "hi": 1.1}}
    rate = {"name": "rate", "type": "normsys", "data": {"lo": 0.95, "hi": 1.05}}
    own = {"name": "own", "type": "shapesys", "data": [1.0, 2.0]}
    return pf.PatchSet(
        {
            "metadata": {
                "name": "grid",
                "description": "three signal points",
                "references": {"hepdata": "ins1234567"},
                "labels": ["mass"],
                "digests": {"sha256": pf.utils.digest(background())},
            },
            "patches": [
                patch("m1", 100.0, [8.0, 10.0], shape, rate),
                patch("m2", 200.0, [5.0, 12.0], scale),
                patch("m3", 300.0, [2.0, 7.0], own),
                *more,
            ],
            "version": "1.0.0",
        }
    )


@pytest.fixture(scope="module")
def found() -> pf.GridResult:
    return pf.grid(background(), patches())


@pytest.mark.slow
def test_padding_changes_nothing() -> None:
    """Yields stay, log L changes by a constant."""
    models = [cases.ours(animal) for animal in ANIMALS]
    sizes = padding.common_sizes([model.likelihood for model in models])._replace(entries=40, rows=20, poisson=9)
    sizes = sizes._replace(pars=max(model.likelihood.n_pars for model in models) + 1, normsys=30, per_row=8)
    sizes = sizes._replace(histosys=40, per_bin=7, per_entry=6, normal=30)
    for animal, model in zip(ANIMALS, models, strict=True):
        data = np.asarray(cases.observed(animal), dtype=float)
        likelihood, longer = padding.pad(model.likelihood, data, sizes)
        init, more = np.array(model.config.suggested_init()), np.ones(sizes.pars)
        rng = np.random.default_rng(5)
        differences = []
        for _ in range(3):
            pars = init + 0.1 * rng.uniform(size=init.size)
            more[: init.size] = pars
            np.testing.assert_allclose(
                expected_main(likelihood, jnp.array(more)),
                expected_main(model.likelihood, jnp.array(pars)),
                rtol=1e-14,
            )
            padded = logpdf(likelihood, jnp.array(more), jnp.array(longer))
            differences.append(float(padded - logpdf(model.likelihood, jnp.array(pars), jnp.array(data))))
        np.testing.assert_allclose(differences, differences[0], rtol=0, atol=1e-10)


@pytest.mark.slow
def test_batch_equals_one_by_one(found: pf.GridResult) -> None:
    workspace = pf.Workspace(background())
    for k, point in enumerate(patches()):
        model = workspace.model(patches=[point])
        data = workspace.data(model)
        test = pf.hypotest(1.0, data, model)
        assert found.cls[k] == pytest.approx(float(test.cls), rel=1e-9)
        np.testing.assert_allclose(found.cls_expected[k], test.cls_expected, rtol=1e-9)
        if k > 0:  # one is enough: each structure compiles anew here
            continue
        limit = pf.upper_limit(data, model)
        assert found.limit[k] == pytest.approx(float(limit.observed), rel=1e-9)
        np.testing.assert_allclose(found.limit_expected[k], limit.expected, rtol=1e-9)
    assert found.status.tolist() == [pf.Status.CONVERGED] * 3
    assert found.message == ("", "", "")


@pytest.mark.slow
def test_one_program_for_all(found: pf.GridResult) -> None:
    """Points of different structure, again and in other batches of the same size: nothing is compiled."""
    with jax.log_compiles(), pytest.MonkeyPatch.context() as patched:
        compiled: list[str] = []
        patched.setattr("pyhf_func.core.inference.grid.point", lambda *_: compiled.append("again"))
        again = pf.grid(background(), patches())
    assert compiled == []
    np.testing.assert_array_equal(again.limit, found.limit)


def test_one_bad_point_loses_nothing(found: pf.GridResult) -> None:
    wrong_bins = patch("short", 400.0, [1.0])
    nowhere = patch("nowhere", 500.0, [1.0, 1.0])
    nowhere["patch"][0]["path"] = "/channels/7/samples/0"
    result = pf.grid(background(), patches(wrong_bins, nowhere))
    np.testing.assert_allclose(result.cls[:3], found.cls, rtol=1e-9)
    assert result.status[3:].tolist() == [pf.Status.INVALID_MODEL] * 2
    assert np.all(np.isnan(result.cls[3:]))
    assert "bins" in result.message[3]
    assert result.message[4] != ""
    rows = result.rows()
    assert rows[3]["CLs_obs"] is None
    assert rows[3]["status"] == "INVALID_MODEL"


@pytest.mark.slow
def test_yields_instead_of_patches() -> None:
    """Points that differ in yields alone; only CLs."""
    workspace = pf.Workspace(background())
    point = next(iter(patches()))
    model = pf.Workspace(background()).model(patches=[point])
    whole = pf.Workspace.build(model, pf.Workspace(background()).data(model))
    yields = {"a": [8.0, 10.0], "b": [16.0, 20.0]}
    result = pf.grid(whole, {name: {("SR", "signal"): y} for name, y in yields.items()}, limits=False)
    assert result.names == ("a", "b")
    assert np.all(np.isnan(result.limit))
    for k, y in enumerate(yields.values()):
        one = pf.hypotest(1.0, workspace.data(model), model.with_yields("SR", "signal", y))
        assert result.cls[k] == pytest.approx(float(one.cls), rel=1e-9)


def test_table(found: pf.GridResult) -> None:
    document = json.loads(found.to_json())
    assert [row["values"] for row in document["points"]] == [{"mass": 100.0}, {"mass": 200.0}, {"mass": 300.0}]
    assert document["points"][1]["limit_exp"] == found.limit_expected[1].tolist()
    (header, *rows) = csv.reader(io.StringIO(found.to_csv()))
    assert header[:3] == ["name", "mass", "CLs_obs"]
    assert [row[0] for row in rows] == ["m1", "m2", "m3"]
    assert float(rows[2][header.index("limit_exp_+0")]) == found.limit_expected[2, 2]


def test_points_that_are_none(found: pf.GridResult) -> None:
    result = pf.grid(background(), [*patches(), 42, {"op": "replace"}, [{"op": "replace"}]])
    np.testing.assert_allclose(result.limit[:3], found.limit, rtol=1e-9)
    assert result.status[3:].tolist() == [pf.Status.INVALID_MODEL] * 3
    assert all(result.message[3:])


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="no points"):
        pf.grid(background(), [])
    for wrong in ({"level": 95}, {"mu": [1.0, 2.0]}, {"batch": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            pf.grid(background(), patches(), **wrong)
    with pytest.raises(TypeError, match="host"):
        pf.grid(background(), patches(), minimiser="scipy")


@pytest.mark.slow
def test_executor(found: pf.GridResult) -> None:
    with ThreadPoolExecutor(2) as executor:
        result = pf.grid(background(), patches(), batch=2, executor=executor)
    np.testing.assert_allclose(result.limit, found.limit, rtol=1e-9)


class Flaky(Executor):
    """It loses the second job, and takes no third one."""

    def __init__(self) -> None:
        self.jobs = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.jobs += 1
        if self.jobs > 2:
            raise BrokenExecutor("a worker died")
        future: Future[Any] = Future()
        if self.jobs == 1:
            future.set_result(fn(*args, **kwargs))
        else:
            future.set_exception(BrokenExecutor("a worker died"))
        return future


@pytest.mark.slow
def test_an_executor_that_breaks_loses_only_its_batches(found: pf.GridResult) -> None:
    executor = Flaky()
    result = pf.grid(background(), [*patches(), *patches()], batch=2, executor=executor)
    np.testing.assert_allclose(result.limit[:2], found.limit[:2], rtol=1e-9)
    assert result.status.tolist() == [0, 0] + [pf.Status.NOT_COMPUTED] * 4
    assert result.message[2:] == ("BrokenExecutor: a worker died",) * 4
    with pytest.raises(BrokenExecutor):
        pf.grid(background(), patches(), batch=2, executor=executor)


@pytest.mark.slow
def test_other_processes(found: pf.GridResult) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        result = pf.grid(background(), patches(), executor=executor)
    np.testing.assert_allclose(result.limit, found.limit, rtol=1e-9)


@pytest.mark.slow
def test_dask(found: pf.GridResult) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        result = pf.grid(background(), patches(), executor=client.get_executor())
    np.testing.assert_allclose(result.limit, found.limit, rtol=1e-9)


_TWO_DEVICES = """
import jax, numpy as np
import pyhf_func as pf
from tests.core.test_grid import background, patches
assert len(jax.devices()) == 2
result = pf.grid(background(), patches(), batch=2, limits=False)
print(np.array2string(result.cls, separator=",", floatmode="unique"))
"""


@pytest.mark.slow
def test_two_devices(found: pf.GridResult) -> None:
    """A batch is split over the devices."""
    flags = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", _TWO_DEVICES], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    np.testing.assert_allclose(json.loads(run.stdout), found.cls, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="the published grid lies beside the repository only where it is shared")
def test_published_grid() -> None:
    """Sixteen real points of fifteen structures; the first and last against tests of their own."""
    workspace = pf.Workspace(json.loads((SHARED / "background.json").read_text()))
    points = pf.PatchSet(json.loads((SHARED / "patchset.json").read_text()))
    result = pf.grid(workspace, points, limits=False)
    assert result.status.tolist() == [pf.Status.CONVERGED] * 16
    for k in (0, 15):
        model = workspace.model(patches=[points.patches[k]])
        one = pf.hypotest(1.0, workspace.data(model), model)
        np.testing.assert_allclose(result.cls_expected[k], one.cls_expected, rtol=1e-8)


def test_exclusion_contour(found: pf.GridResult) -> None:
    """Full points are the excluded ones; a point without result is a cross; too few points are refused."""
    pytest.importorskip("matplotlib")
    places = ((100.0, 0.0), (200.0, 50.0), (300.0, 0.0), (150.0, 90.0))
    cls = np.array([0.001, 0.2, 0.03, np.nan])
    band = np.array([[0.3, 0.6, 1.0, 1.8, 3.0]]) * cls[:, None]
    four = found._replace(values=places, labels=("m1", "m2"), names=("a", "b", "c", "d"), cls=cls, cls_expected=band)
    axes = pf.plot.exclusion(four).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("m1", "m2")
    full, empty, missing = (c.get_offsets().tolist() for c in axes.collections[-3:])
    assert full == [[100.0, 0.0], [300.0, 0.0]]
    assert empty == [[200.0, 50.0]]
    assert missing == [[150.0, 90.0]]
    with pytest.raises(ValueError, match="there are 2"):
        pf.plot.exclusion(four._replace(cls=np.array([0.1, 0.2, np.nan, np.nan])))
