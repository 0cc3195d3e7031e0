"""Upper limits of the documented API."""

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.infer.intervals.upper_limits import linear_grid_scan, toms748_scan, upper_limit
from tests.documented.models import flat, two_bins

SCAN = np.linspace(0.0, 5.0, 11)


@pytest.fixture(scope="module")
def model() -> Any:
    return two_bins(pf)[0]


@pytest.fixture(scope="module")
def data(model: Any) -> list[float]:
    return two_bins(pf)[1]


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.05, 0.32])
def test_cls_equals_the_level_at_the_limits(model: Any, data: list[float], level: float) -> None:
    """With the search and with a scan: an upper limit at another level is another limit."""
    observed, expected = upper_limit(data, model, level=level, rtol=1e-10)
    assert pf.infer.hypotest(observed, data, model) == pytest.approx(level, rel=1e-8)
    for i, limit in enumerate(expected):
        band = pf.infer.hypotest(limit, data, model, return_expected_set=True)[1]
        assert band[i] == pytest.approx(level, rel=1e-8)
    fine = np.linspace(0.0, 3.0, 61)
    between = upper_limit(data, model, fine, level=level)
    np.testing.assert_allclose(flat(between), flat((observed, expected)), atol=3e-3)
    np.testing.assert_allclose(flat(linear_grid_scan(data, model, fine, level)), flat(between))


def test_a_scan_gives_the_numbers_of_pyhf(backend: Any, pyhf_numpy: ModuleType, model: Any, data: list[float]) -> None:
    theirs = two_bins(pyhf_numpy)[0]
    observed, expected, (tested, results) = upper_limit(data, model, SCAN, return_results=True)
    limits, expected_limits, _ = pyhf_numpy.infer.intervals.upper_limits.upper_limit(
        data, theirs, SCAN, return_results=True
    )
    np.testing.assert_allclose(flat((observed, expected)), flat((limits, expected_limits)), rtol=2e-6)
    assert {type(limit) for limit in (observed, *expected)} == {type(backend.astensor(0.0))}
    assert {backend.shape(limit) for limit in (observed, *expected)} == {()}
    assert tested is SCAN
    assert len(results) == len(SCAN)
    assert len(results[0][1]) == 5


@pytest.mark.slow
def test_the_search_gives_the_numbers_of_pyhf(pyhf_numpy: ModuleType, model: Any, data: list[float]) -> None:
    """From 0.1: at 0 rounding decides whether pyhf takes the square root of a negative number."""
    theirs = two_bins(pyhf_numpy)[0]
    found = toms748_scan(data, model, 0.1, 5.0, rtol=1e-8)
    expected = pyhf_numpy.infer.intervals.upper_limits.toms748_scan(data, theirs, 0.1, 5.0, rtol=1e-8)
    np.testing.assert_allclose(flat(found), flat(expected), rtol=2e-6)


@pytest.mark.parametrize("bounds", [(3.0, 5.0), (0.0, 0.5)])
def test_the_range_of_the_search_is_widened(model: Any, data: list[float], bounds: tuple[float, float]) -> None:
    found = toms748_scan(data, model, *bounds, rtol=1e-9)
    np.testing.assert_allclose(flat(found), flat(toms748_scan(data, model, 0.0, 5.0, rtol=1e-9)), rtol=1e-8)


def test_results_of_the_search_are_those_of_the_tests(model: Any, data: list[float]) -> None:
    observed, _, (tested, results) = upper_limit(data, model, return_results=True)
    assert len(tested) == len(results)
    nearest = int(np.argmin(np.abs(np.array(tested) - observed)))
    assert results[nearest][0] == pytest.approx(0.05, rel=1e-3)


def test_more_results_do_not_move_the_limits(model: Any, data: list[float]) -> None:
    options = {"return_tail_probs": True, "return_expected": True}
    for scan in (None, SCAN):
        np.testing.assert_allclose(
            flat(upper_limit(data, model, scan, **options)), flat(upper_limit(data, model, scan)), rtol=1e-12
        )


def test_the_order_of_a_scan_does_not_matter(model: Any, data: list[float]) -> None:
    shuffled = [SCAN[i] for i in (3, 0, 7, 1, 10, 2, 4, 9, 5, 8, 6)]
    np.testing.assert_allclose(
        flat(upper_limit(data, model, iter(shuffled))), flat(upper_limit(data, model, SCAN)), rtol=1e-12
    )


def test_the_older_name_warns(model: Any, data: list[float]) -> None:
    with pytest.warns(DeprecationWarning, match="upper_limits.upper_limit"):
        found = pf.infer.intervals.upperlimit(data, model, SCAN)
    np.testing.assert_allclose(flat(found), flat(upper_limit(data, model, SCAN)), rtol=1e-12)


def test_jax_arrays_in_jax_arrays_out(model: Any, data: list[float]) -> None:
    traced = jnp.array(data)
    for scan in (None, SCAN):
        observed, expected = upper_limit(traced, model, scan)
        assert all(isinstance(limit, jax.Array) for limit in (observed, *expected))


@pytest.mark.slow
def test_limits_can_be_compiled_and_differentiated_in_jax(model: Any, data: list[float]) -> None:
    def limit(x: Any) -> Any:
        return upper_limit(jnp.array(data).at[0].set(x), model)[0]

    plain = upper_limit(data, model, rtol=1e-10)[0]
    value, slope = jax.jit(jax.value_and_grad(limit))(data[0])
    np.testing.assert_allclose(value, plain, rtol=1e-7)
    h = 1e-2
    up, down = (upper_limit([data[0] + step, *data[1:]], model, rtol=1e-11)[0] for step in (h, -h))
    np.testing.assert_allclose(slope, (up - down) / (2 * h), rtol=1e-5)
    pf.set_backend("numpy", "scipy")
    with pytest.raises(TypeError, match="default optimizer"):
        jax.jit(limit)(data[0])


@pytest.mark.slow
@pytest.mark.parametrize("scan", [None, SCAN])
def test_limits_can_be_differentiated_in_pytorch(model: Any, data: list[float], scan: Any) -> None:
    torch = pytest.importorskip("torch")
    pf.set_backend("pytorch")
    x = torch.tensor(data, requires_grad=True, dtype=torch.float64)
    observed, expected = upper_limit(x, model, scan, **({} if scan is not None else {"rtol": 1e-10}))
    for limit, place in ((observed, 0), (expected[3], 4)):
        x.grad = None
        limit.backward(retain_graph=True)
        h = 1e-3

        def moved(step: float, place: int = place) -> float:
            options = {} if scan is not None else {"rtol": 1e-11}
            return flat(upper_limit([data[0] + step, *data[1:]], model, scan, **options))[place]

        np.testing.assert_allclose(x.grad[0], (moved(h) - moved(-h)) / (2 * h), rtol=1e-5)
