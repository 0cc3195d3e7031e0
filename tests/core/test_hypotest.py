"""The hypothesis test under jit, vmap and grad: values batched as alone, derivatives against finite differences."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

import pyhf_func as pf
from pyhf_func.core.inference import asymptotics
from pyhf_func.core.statistics import QTILDE, Q
from pyhf_func.exceptions import InvalidPdfData, InvalidTestStatistic, UnspecifiedPOI
from tests.core import toy
from tests.parity import cases

MU = 1.3
LEAVES = ["nominal", "histosys_lo", "histosys_hi", "normsys_lo", "normsys_hi", "normal_sigma", "poisson_factor"]


def cls(mu: Any, data: Any, values: Any) -> Array:
    """CLs as a function of everything: the tested value, the data and all numbers of the model."""
    return pf.hypotest(mu, data, toy.toy()[0].with_values(**values)).cls


def values() -> dict[str, Array]:
    return {name: getattr(toy.toy()[0].likelihood.values, name) for name in LEAVES}


gradient = jax.jit(jax.value_and_grad(cls, (0, 1, 2)))


@jax.jit
def along(mu: Array, data: Array, nominal: Array, *direction: Array) -> Any:
    """The slope of CLs, in forward mode, and the slope of its gradient, along a direction in mu, data and yields."""

    def function(mu: Array, data: Array, nominal: Array) -> Array:
        return cls(mu, data, {"nominal": nominal})

    return jax.jvp(jax.value_and_grad(function, (0, 1, 2)), (mu, data, nominal), direction)[1]


def point() -> tuple[Array, Array, dict[str, Array]]:
    return jnp.array(MU), toy.toy()[1], values()


@cache
def first() -> tuple[Any, Any]:
    return gradient(*point())


@pytest.mark.slow
def test_the_toy_is_ordinary() -> None:
    """The points at which derivatives are compared are not at a bound, and q lies inside its Asimov value."""
    model, data = toy.toy()
    found = pf.hypotest(MU, data, model)
    assert int(found.status) == 0
    assert not np.any(found.free_fit.at_bound)
    assert 0 < float(found.teststat) < float(found.teststat_asimov)


@pytest.mark.slow
def test_jit_changes_nothing() -> None:
    model, data = toy.toy()
    assert float(first()[0]) == pytest.approx(float(pf.hypotest(MU, data, model).cls), rel=1e-9)


@pytest.mark.slow
def test_slope_in_mu() -> None:
    model, data = toy.toy()
    expected = toy.slope(lambda mu: pf.hypotest(mu, data, model).cls, MU, 1e-2)[0]
    assert float(first()[1][0]) == pytest.approx(float(expected), rel=1e-6)


def test_slope_in_data() -> None:
    """Counts and auxiliary data."""
    model, data = toy.toy()
    size = np.maximum(1.0, np.abs(np.asarray(data)))  # in steps of 0.3 %
    expected = toy.slope(lambda x: pf.hypotest(MU, x * size, model).cls, np.asarray(data) / size, 3e-3) / size
    np.testing.assert_allclose(first()[1][1], expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", LEAVES)
def test_slope_in_the_numbers_of_the_model(name: str) -> None:
    """Yields, histosys templates, normsys factors, widths of constraints, auxiliary counts."""
    model, data = toy.toy()
    old = np.asarray(values()[name])

    def changed(relative: Any) -> Array:
        return pf.hypotest(MU, data, model.with_values(**{name: relative * old})).cls

    expected = toy.slope(changed, np.ones_like(old), 2e-3) / old
    np.testing.assert_allclose(first()[1][2][name], expected, rtol=1e-5, atol=1e-9)
    assert np.all(np.asarray(first()[1][2][name]) != 0.0)


@cache
def ahead() -> tuple[list[Array], Any]:
    """A direction in (mu, data, yields), and the derivatives along it."""
    rng = np.random.default_rng(2)
    at = (point()[0], point()[1], values()["nominal"])
    direction = [jnp.asarray(0.1 * (0.1 + np.abs(np.asarray(x))) * rng.normal(size=x.shape)) for x in at]
    return direction, along(*at, *direction)


@pytest.mark.slow
def test_forward_is_reverse() -> None:
    direction, (forward, _) = ahead()
    mu, data, by_values = first()[1]
    reverse = sum(jnp.vdot(g, v) for g, v in zip((mu, data, by_values["nominal"]), direction, strict=True))
    assert float(forward) == pytest.approx(float(reverse), rel=1e-8)


@pytest.mark.slow
def test_second_derivatives() -> None:
    """The Hessian of CLs along a direction is the slope of the gradient."""
    direction, (_, found) = ahead()
    mu, data, numbers = point()

    def moved(t: Any) -> Any:
        there = {**numbers, "nominal": numbers["nominal"] + float(t) * direction[2]}
        by_mu, by_data, by_values = gradient(mu + float(t) * direction[0], data + float(t) * direction[1], there)[1]
        return np.concatenate([np.ravel(by_mu), by_data, by_values["nominal"]])

    expected = toy.slope(moved, 0.0, 5e-3)[0]
    actual = np.concatenate([np.ravel(x) for x in found])
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6 * np.max(np.abs(expected)))


# muhat at its bound, q = 0, far too few and far too many events, and a tested value of zero.
ODD = [
    (MU, (45.0, 30.0)),
    (MU, (90.0, 80.0)),
    (0.0, (65.0, 54.0)),
    (0.0, (45.0, 30.0)),
    (9.0, (20.0, 10.0)),
    (40.0, (0.0, 0.0)),
    (1e-9, (200.0, 200.0)),
]


@pytest.mark.parametrize(("mu", "counts"), ODD)
def test_gradients_are_finite_everywhere(mu: float, counts: tuple[float, float]) -> None:
    value, slopes = gradient(jnp.array(mu), toy.with_counts(*counts), values())
    assert 0.0 <= float(value) <= 1.0 + 1e-12
    assert all(np.all(np.isfinite(x)) for x in jax.tree.leaves(slopes))


@pytest.mark.parametrize(("mu", "counts"), ODD[:2])
def test_slope_in_mu_beside_the_bound_and_above(mu: float, counts: tuple[float, float]) -> None:
    """With muhat at its bound 0, and with muhat above mu, where q stays 0."""
    model, data = toy.toy()[0], toy.with_counts(*counts)
    expected = toy.slope(lambda x: pf.hypotest(x, data, model).cls, mu, 1e-2)[0]
    assert float(gradient(jnp.array(mu), data, values())[1][0]) == pytest.approx(float(expected), rel=1e-5, abs=1e-9)


# Weighted, so that a derivative that lands on another tested value is seen.
MUS, WEIGHTS = jnp.array([2.0, 0.1, 1.3, 0.0, 0.7, 4.0, 0.1]), jnp.arange(1.0, 8.0)


@jax.jit
def scan(mus: Array, data: Array, model: Any) -> Any:
    """A scan in mu, and the gradient of its weighted sum."""

    def total(mus: Array, data: Array) -> Any:
        found = jax.vmap(pf.hypotest, (0, None, None))(mus, data, model)
        return WEIGHTS @ found.cls, found

    return jax.value_and_grad(total, (0, 1), has_aux=True)(mus, data)


@cache
def scanned() -> Any:
    return scan(MUS, toy.toy()[1], toy.toy()[0])


@pytest.mark.slow
def test_mapped_over_mu_is_one_by_one() -> None:
    """Tested values in no order, one of them twice; every field has the shape of the batch."""
    model, data = toy.toy()
    (_, found), _ = scanned()
    for k, mu in enumerate(MUS):
        alone = pf.hypotest(mu, data, model)
        for field in ("cls", "clsb", "clb", "cls_expected", "teststat", "teststat_asimov"):
            np.testing.assert_allclose(getattr(found, field)[k], getattr(alone, field), atol=1e-9, err_msg=field)
        np.testing.assert_allclose(found.conditional_fit.pars[k], alone.conditional_fit.pars, atol=1e-6)
    assert {leaf.shape[0] for leaf in jax.tree.leaves(found)} == {len(MUS)}
    np.testing.assert_array_equal(found.status, 0)


@pytest.mark.slow
def test_gradient_of_a_scan() -> None:
    """The gradient of a mapped test is the sum of the gradients of each."""
    _, (by_mu, by_data) = scanned()
    alone = [gradient(mu, toy.toy()[1], values())[1] for mu in MUS]
    np.testing.assert_allclose(by_mu, [w * g[0] for w, g in zip(WEIGHTS, alone, strict=True)], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(by_data, sum(w * g[1] for w, g in zip(WEIGHTS, alone, strict=True)), rtol=1e-6)


def stacked() -> tuple[list[Any], list[Array], Any, Array]:
    """Models of other yields with their data, of which the third is not a number, alone and stacked."""
    models = [toy.build(yields=yields)[0] for yields in ((5.0, 8.0), (9.0, 2.0), (5.0, 8.0), (1.0, 3.0))]
    data = [toy.with_counts(*counts) for counts in ((65.0, 54.0), (60.0, 57.0), (np.nan, 54.0), (50.0, 40.0))]
    return models, data, jax.tree.map(lambda *leaves: jnp.stack(leaves), *models), jnp.stack(data)


@pytest.mark.slow
def test_mapped_over_models_data_and_mu() -> None:
    """A map over tested values inside one over pairs of models and data; a bad member spoils no other."""
    models, data, stack, batch = stacked()
    mus = jnp.array([1.0, 0.4])
    inner = jax.vmap(pf.hypotest, (0, None, None))
    found = jax.jit(jax.vmap(inner, (None, 0, 0)))(mus, batch, stack)
    assert found.cls.shape == (4, 2)
    np.testing.assert_array_equal(found.status[2], int(pf.Status.NOT_FINITE))
    for k in (0, 1, 3):
        for i, mu in enumerate(mus):
            alone = pf.hypotest(mu, data[k], models[k])
            assert int(found.status[k, i]) == 0
            np.testing.assert_allclose(found.cls[k, i], alone.cls, atol=1e-9)
            np.testing.assert_allclose(found.cls_expected[k, i], alone.cls_expected, atol=1e-9)


@pytest.mark.slow
def test_mapped_over_data_with_one_model() -> None:
    """Toys: the model is shared, a member without a number has a status that says so."""
    _, data, _, batch = stacked()
    model = toy.toy()[0]
    found = jax.jit(jax.vmap(pf.hypotest, (None, 0, None)))(MU, batch, model)
    np.testing.assert_array_equal(found.status, [0, 0, int(pf.Status.NOT_FINITE), 0])
    for k in (0, 1, 3):
        np.testing.assert_allclose(found.cls[k], pf.hypotest(MU, data[k], model).cls, atol=1e-9)


def test_a_signal_as_a_traced_input_can_be_optimised() -> None:
    """More signal in the bins excludes more: CLs falls along its own negative gradient."""
    at = point()
    by_signal = np.asarray(first()[1][2]["nominal"])
    place = toy.toy()[0].config.layout.entries["SR", "sig"]
    assert np.all(by_signal[place] < 0)
    moved = {**at[2], "nominal": at[2]["nominal"].at[place].add(-0.5 * np.sign(by_signal[place]))}
    assert float(gradient(at[0], at[1], moved)[0]) < float(first()[0])


@pytest.mark.slow
@pytest.mark.parametrize("count", [np.nan, np.inf, -1.0])
def test_no_number_for_data_without_a_likelihood(count: float) -> None:
    """Whatever is computed beside it: not a number, and a status; known beforehand, they are refused."""
    model, data = toy.toy()
    with pytest.raises(InvalidPdfData, match="bin 0"):
        pf.scan(jnp.array([MU, MU]), data.at[0].set(count), model)
    found = jax.jit(pf.scan)(jnp.array([MU, MU]), data.at[0].set(count), model)
    assert np.all(np.asarray(found.status) == pf.Status.NOT_FINITE)
    assert np.all(np.isnan([found.cls, found.clsb, found.clb, found.teststat]))
    assert np.all(np.isnan(found.cls_expected))


def test_no_number_for_a_value_that_is_none() -> None:
    """The fits to the Asimov data don't need it, and the other values of a scan are as before."""
    model, data = toy.toy()
    with pytest.raises(ValueError, match="mus has nan"):
        pf.scan(jnp.array([MU, np.nan]), data, model)
    found = jax.jit(pf.scan)(jnp.array([MU, np.nan]), data, model)
    assert found.status.tolist() == [pf.Status.CONVERGED, pf.Status.NOT_FINITE]
    assert np.isfinite(found.cls).tolist() == np.isfinite(found.cls_expected[:, 2]).tolist() == [True, False]


@pytest.mark.slow
def test_q0_tests_zero_whatever_mu_is() -> None:
    model, data = toy.toy()
    found = [pf.hypotest(mu, data, model, test_stat="q0") for mu in (0.0, 3.0)]
    assert float(found[0].clsb) == float(found[1].clsb)
    assert float(found[0].conditional_fit.pars[toy.place("mu")]) == 0.0


def test_what_cannot_be_tested() -> None:
    model, data = toy.toy()
    with pytest.raises(UnspecifiedPOI, match="parameter of interest"):
        pf.hypotest(1.0, cases.observed("no_poi"), cases.ours("no_poi"))
    with pytest.raises(InvalidTestStatistic, match="'tmu'"):
        pf.hypotest(1.0, data, model, test_stat="tmu")
    with pytest.raises(ValueError, match="vmap"):
        pf.hypotest([1.0, 2.0], data, model)
    with pytest.raises(TypeError, match="SciPy.*host"):
        pf.hypotest(1.0, data, model, minimiser="scipy")
    with pytest.raises(TypeError, match=r"hypotest\(mu, data, model, \.\.\.\)"):
        pf.hypotest(1.0, model, data)


def test_single_precision_inputs_are_tested_in_double() -> None:
    """As they come from networks."""
    model, data = toy.toy()
    found = pf.hypotest(jnp.float32(1.5), data.astype(jnp.float32), model)
    rounded = pf.hypotest(1.5, np.asarray(data, np.float32).astype(float), model)
    assert {x.dtype for x in jax.tree.leaves(found) if jnp.issubdtype(x.dtype, jnp.floating)} == {jnp.dtype("float64")}
    assert float(found.cls) == float(rounded.cls)


@pytest.mark.parametrize("statistic", [Q, QTILDE], ids=str)
def test_the_ratio_of_equal_tails_is_one_and_keeps_its_derivative(statistic: Any) -> None:
    """Tails of values that differ in their last digits are rounded, one up and the other down."""
    generator = np.random.default_rng(0)
    q, q_asimov = generator.chisquare(1, 20_000), 10 ** generator.uniform(-34, -12, 20_000)
    found = asymptotics.p_values(jnp.asarray(q), jnp.asarray(q_asimov), statistic)
    assert float(jnp.max(found.cls)) == 1.0
    assert float(jnp.max(jax.vmap(asymptotics.expected_p_values)(jnp.asarray(q_asimov)).cls)) == 1.0
    slope = jax.vmap(jax.grad(lambda root: asymptotics.p_values((root / 2) ** 2, root**2, statistic).cls))
    slopes = slope(jnp.asarray([1e-16, 3e-16, 1e-15, 1e-9, 1e-7]))
    np.testing.assert_allclose(slopes, slopes[-1], rtol=1e-6)
