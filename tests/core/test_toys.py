"""Toys: exact sums, asymptotics, the same numbers in every chunk and job, and nothing lost where fits fail."""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array
from scipy.stats import ks_2samp, poisson

import pyhf_func as pf
from pyhf_func.core.fit import Minimum, Newton, Problem, lanes
from pyhf_func.core.inference.toys import Toys, origins, toy_chunk
from pyhf_func.core.statistics import QTILDE
from pyhf_func.verbs._arguments import start_of
from tests.core import toy

KEY = jax.random.key(7)


@cache
def counting(background: float = 3.0, signal: float = 4.0) -> pf.Model:
    """A counting experiment without systematic uncertainty."""
    strength = {"name": "mu", "type": "normfactor", "data": None}
    samples = [
        {"name": "signal", "data": [signal], "modifiers": [strength]},
        {"name": "background", "data": [background], "modifiers": []},
    ]
    return pf.Model({"channels": [{"name": "SR", "samples": samples}]})


@cache
def two_bins() -> pf.Model:
    return pf.simplemodels.uncorrelated_background([120.0, 110.0], [500.0, 520.0], [10.0, 12.0])


@cache
def many() -> pf.ToysResult:
    return pf.toys(1.0, [4.0], counting(), KEY, 4000)


@pytest.mark.slow
def test_exact_sums() -> None:
    """With one bin the test statistic falls with the count: p-values are sums of Poisson probabilities."""
    found = many()
    clsb, clb = poisson.cdf(4, 7.0), poisson.cdf(4, 3.0)
    assert float(found.clsb) == pytest.approx(clsb, abs=4 * float(found.clsb_error))
    assert float(found.clb) == pytest.approx(clb, abs=4 * float(found.clb_error))
    assert float(found.cls) == pytest.approx(clsb / clb, abs=4 * float(found.cls_error))
    assert float(found.clsb_error) == pytest.approx(np.sqrt(clsb * (1 - clsb) / 4000), rel=0.1)
    assert int(found.failed) == 0
    assert found.cls_range.tolist() == [float(found.cls)] * 2


@pytest.mark.slow
def test_gaussian_regime() -> None:
    """Many events: p-values and band agree with the asymptotic formulae."""
    data = [510.0, 530.0, *two_bins().config.auxdata]
    found, expected = pf.toys(0.3, data, two_bins(), KEY, 3000), pf.hypotest(0.3, data, two_bins())
    for name in ("clsb", "clb", "cls"):
        error = float(getattr(found, f"{name}_error"))
        assert float(getattr(found, name)) == pytest.approx(float(getattr(expected, name)), abs=4 * error + 0.01)
    np.testing.assert_allclose(found.cls_expected[1:4], expected.cls_expected[1:4], atol=0.04)
    assert found.teststats_b.shape == (3000,)


@pytest.mark.slow
def test_distributions_are_those_of_pyhf(pyhf_numpy: ModuleType) -> None:
    """Independent toys of the other program follow the same distributions, auxiliary data fluctuating, too."""
    numbers = ([12.0, 11.0], [50.0, 52.0], [13.0, 17.0])
    ours, theirs = (m.simplemodels.uncorrelated_background(*numbers) for m in (pf, pyhf_numpy))
    data = [51.0, 48.0, *theirs.config.auxdata]
    np.random.seed(5)  # noqa: NPY002
    calculator = pyhf_numpy.infer.calculators.ToyCalculator(data, theirs, ntoys=150, track_progress=False)
    found = pf.toys(1.0, data, ours, KEY, 1000)
    pairs = zip((found.teststats_sb, found.teststats_b), calculator.distributions(1.0), strict=True)
    for teststats, distribution in pairs:
        assert ks_2samp(np.asarray(teststats).round(6), np.asarray(distribution.samples).round(6)).pvalue > 0.01
    assert float(found.teststat) == pytest.approx(float(calculator.teststatistic(1.0)), rel=1e-6)


@pytest.mark.slow
def test_batches_are_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """All toys together, as on accelerators, against one after the other, with every kind of uncertainty."""
    model, data = toy.toy()
    content, start, tested = model.likelihood, start_of(model, None, None, None), jnp.array(0.8)
    of = origins(pf.hypotest(tested, data, model))

    def run(minimiser: Newton) -> Toys:
        return toy_chunk(minimiser, QTILDE, 8, tested, content, start, of, KEY, 0, 8)

    alone = run(Newton())

    def elsewhere(_: Callable[..., Any], other: Callable[..., Any], *args: Any) -> Any:
        return other(*args)

    monkeypatch.setattr(lanes, "by_platform", elsewhere)
    together = run(Newton(iterations=199))  # another program
    assert np.all(np.asarray(alone.status) == 0)
    np.testing.assert_array_equal(together.status, alone.status)
    np.testing.assert_allclose(together.teststat, alone.teststat, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_same_toys_in_every_chunk() -> None:
    data = [4.0]
    whole = pf.toys(1.0, data, counting(), KEY, 60)
    parts = pf.toys(1.0, data, counting(), KEY, 60, chunk=7)
    np.testing.assert_allclose(parts.teststats_sb, whole.teststats_sb, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(parts.teststats_b, whole.teststats_b, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(many().teststats_b[:60], whole.teststats_b, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_jobs_merge_to_one_run(tmp_path: Path) -> None:
    jobs = [pf.toys(1.0, [4.0], counting(), KEY, n, first=first) for first, n in ((0, 25), (25, 35))]
    jobs[1].save(tmp_path / "second.npz")
    merged = jobs[0].merge(pf.ToysResult.load(tmp_path / "second.npz"))
    whole = pf.toys(1.0, [4.0], counting(), KEY, 60)
    for name in ("numbers", "teststats_sb", "teststats_b", "cls", "cls_expected", "cls_error"):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="twice"):
        pf.merge_toys([whole, jobs[0]])
    with pytest.raises(ValueError, match="PRNG key"):
        pf.merge_toys([jobs[0], pf.toys(1.0, [4.0], counting(), jax.random.key(8), 10, first=90)])
    elsewhere = pf.toys(1.0, [4.0], counting(), KEY, 10, first=90, bounds={"mu": (0.0, 9.0)})
    assert float(elsewhere.teststat) == pytest.approx(float(jobs[0].teststat), abs=1e-9)
    with pytest.raises(ValueError, match="set of bounds differs"):
        jobs[0].merge(elsewhere)


@pytest.mark.slow
def test_files_that_hold_no_toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pf.toys(1.0, [4.0], counting(), KEY, 60).save(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / "empty").touch()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    np.savez(tmp_path / "part.npz", format="pyhf_func toys 4")
    np.save(tmp_path / "array.npy", np.ones(3))
    for name in ("empty", "cut", "part.npz", "array.npy"):
        with pytest.raises(ValueError, match=name):
            pf.ToysResult.load(tmp_path / name)
    monkeypatch.setattr(sys.modules["pyhf_func.verbs.toys"], "toy_chunk", pytest.fail)  # before any work
    with pytest.raises(FileNotFoundError):
        pf.toys(1.0, [4.0], counting(), KEY, 60, checkpoint=tmp_path / "no" / "file")


def test_no_toy_as_extreme_as_the_data() -> None:
    """Twenty events fewer than expected, and fifty toys: CLs is 0 / 0, and says so."""
    found = pf.toys(1.0, [10.0], counting(30.0, 5.0), KEY, 50)
    assert float(found.clb) == float(found.clsb) == 0.0
    assert np.isnan(found.cls)
    assert float(found.cls_error) == np.inf
    assert found.cls_range.tolist() == [0.0, np.inf]
    traced = jax.jit(lambda data: pf.toys(1.0, data, counting(30.0, 5.0), KEY, 50))
    no_data = traced(jnp.array([np.nan]))
    assert no_data.status == pf.Status.NOT_FINITE
    assert np.all(np.isnan([no_data.cls, no_data.clsb, no_data.clb]))


@pytest.mark.slow
def test_killed_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is cut off keeps what it has; the next one goes on and gives what one run would have given."""
    module = sys.modules["pyhf_func.verbs.toys"]
    file, draw = tmp_path / "toys.npz", module.toy_chunk

    def cut_off(*args: Any) -> Any:
        first, _ = args[-2:]
        if first == 14:
            raise KeyboardInterrupt
        return draw(*args)

    with monkeypatch.context() as patched:
        patched.setattr(module, "toy_chunk", cut_off)
        with pytest.raises(KeyboardInterrupt):
            pf.toys(1.0, [4.0], counting(), KEY, 60, chunk=7, checkpoint=file)
    assert pf.ToysResult.load(file).numbers.tolist() == list(range(14))
    resumed = pf.toys(1.0, [4.0], counting(), KEY, 60, chunk=7, checkpoint=file)
    whole = pf.toys(1.0, [4.0], counting(), KEY, 60, chunk=7)
    np.testing.assert_array_equal(resumed.teststats_b, whole.teststats_b)
    assert float(resumed.cls) == float(whole.cls)


class Fragile:
    """Newton's method, which fails where the first count is odd; where it is 2, 6, ... only if it starts at zero."""

    def __call__(self, problem: Problem) -> Minimum:
        found = Newton()(problem)
        count = problem.data[0]
        fails = (count % 2 == 1) | ((count % 4 == 2) & (problem.init[0] == 0))
        return found._replace(status=jnp.where(fails, jnp.int32(pf.Status.STALLED), found.status))


FRAGILE = Fragile()


@pytest.mark.slow
def test_failures_are_retried_and_counted() -> None:
    """A thousand toys of each kind, of which many fail: all are there, and CLs tells what they could change."""
    found, whole = pf.toys(1.0, [4.0], counting(), KEY, 1000, minimiser=FRAGILE), many()
    assert found.numbers.tolist() == list(range(1000))
    for teststats, status, known in (
        (found.teststats_sb, found.status_sb, whole.teststats_sb[:1000]),
        (found.teststats_b, found.status_b, whole.teststats_b[:1000]),
    ):
        good = np.isfinite(teststats)
        assert 400 < good.sum() < 600
        np.testing.assert_array_equal(np.asarray(status) == pf.Status.CONVERGED, good)
        np.testing.assert_allclose(np.asarray(teststats)[good], np.asarray(known)[good], rtol=1e-9, atol=1e-9)
    lost = np.isnan(found.teststats_sb).sum() + np.isnan(found.teststats_b).sum()
    assert int(found.failed) == lost
    # Background-only toys start at zero: with two or six events they are fitted from the second start.
    recovered = np.isfinite(found.teststats_b) & (np.asarray(found.retries_b) == 1)
    assert recovered.sum() == pytest.approx(1000 * (poisson.pmf(2, 3.0) + poisson.pmf(6, 3.0)), abs=60)
    assert int(found.retried) == lost + recovered.sum()
    low, high = map(float, found.cls_range)
    assert low < float(whole.cls) < high
    assert low < float(found.cls) < high


def test_stops_when_the_error_is_small() -> None:
    found = pf.toys(1.0, [4.0], counting(), KEY, 100_000, max_error=0.03)
    assert float(found.cls_error) <= 0.03
    assert found.numbers.size < 5000


@pytest.mark.slow
def test_under_jit() -> None:
    """All toys as one computation, for traced data."""

    def cls(data: Array) -> Array:
        return pf.toys(1.0, data, counting(), KEY, 60, chunk=30).cls

    plain = pf.toys(1.0, [4.0], counting(), KEY, 60).cls
    assert float(jax.jit(cls)(jnp.array([4.0]))) == pytest.approx(float(plain), rel=1e-9)


@pytest.mark.slow
def test_what_is_tested_at_zero() -> None:
    """Both ``q0`` and an upper limit's test of zero test the value zero."""
    found = {name: pf.toys(0.0, [4.0], counting(), KEY, 10, test_stat=name) for name in ("q0", "qtilde")}
    assert found["q0"].of_discovery
    assert not found["qtilde"].of_discovery
    assert not many().of_discovery


def test_one_job_is_merged_already() -> None:
    assert float(pf.merge_toys(many()).cls) == float(many().cls)


def test_bad_arguments() -> None:
    with pytest.raises(TypeError, match="key"):
        pf.toys(1.0, [4.0], counting(), 3, 10)
    with pytest.raises(ValueError, match="at least 1"):
        pf.toys(1.0, [4.0], counting(), KEY, 0)
