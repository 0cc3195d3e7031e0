"""Derivatives of CLs and of fits against finite differences of the slow reference and closed forms."""

import copy
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import pyhf_func as pf
from tests import reference, zoo
from tests.parity import cases

NAMES = ["negative_poi_bound", "under_fluctuation"]  # muhat inside its bounds; at its bound


@jax.jit
def gradients(mu: Any, signal: Any, data: Any, model: pf.Model) -> Any:
    """CLs, and its gradient with respect to mu, the signal yields of channel SR, and the data."""

    def cls(at: jax.Array, yields: jax.Array, counts: jax.Array) -> jax.Array:
        return pf.hypotest(at, counts, model.with_yields("SR", "sig", yields)).cls

    return jax.value_and_grad(cls, argnums=(0, 1, 2))(mu, signal, data)


def slope(function: Callable[[float], float], at: float, step: float) -> float:
    """Four-point central difference, error of order step^4."""
    near = function(at + step) - function(at - step)
    far = function(at + 2 * step) - function(at - 2 * step)
    return (8 * near - far) / (12 * step)


def slow_cls(name: str, mu: float, signal: list[float] | None = None, data: list[float] | None = None) -> float:
    """The reference's CLs for another mu, other signal yields or other data."""
    model = slow_model(name, signal)
    return reference.hypotest(model, data or list(cases.observed(name)), mu).cls


def slow_fit_pars(name: str, signal: list[float]) -> cases.Array:
    """The reference's fitted parameters for other signal yields."""
    return reference.fit(slow_model(name, signal), list(cases.observed(name))).pars


def slow_model(name: str, signal: list[float] | None) -> reference.ReferenceModel:
    spec = copy.deepcopy(zoo.ZOO[name].spec)
    for sample in (s for c in spec["channels"] for s in c["samples"] if c["name"] == "SR" and s["name"] == "sig"):
        sample["data"] = signal or sample["data"]
    return reference.reference_model(spec)


def signal_of(name: str) -> list[float]:
    channels = zoo.ZOO[name].spec["channels"]
    return next(s["data"] for c in channels for s in c["samples"] if c["name"] == "SR" and s["name"] == "sig")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_gradient_of_cls(name: str) -> None:
    """With respect to mu, every signal yield, and some data."""
    mu, signal, data = 1.6, signal_of(name), list(cases.observed(name))
    value, found = gradients(mu, np.array(signal), np.array(data), cases.ours(name))
    assert float(value) == pytest.approx(slow_cls(name, mu), abs=1e-7)
    assert float(found[0]) == pytest.approx(slope(lambda x: slow_cls(name, x), mu, 1e-2), rel=1e-4, abs=1e-7)
    for i in range(len(signal)):

        def with_signal(x: float, i: int = i) -> float:
            return slow_cls(name, mu, signal=[*signal[:i], x, *signal[i + 1 :]])

        assert float(found[1][i]) == pytest.approx(slope(with_signal, signal[i], 2e-2), rel=1e-4, abs=1e-7)
    for i in (0, len(data) - 1):

        def with_data(x: float, i: int = i) -> float:
            return slow_cls(name, mu, data=[*data[:i], x, *data[i + 1 :]])

        assert float(found[2][i]) == pytest.approx(slope(with_data, data[i], 2e-2), rel=1e-4, abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["over_fluctuation", "under_fluctuation"])
@pytest.mark.parametrize("mu", [0.0, 1e-9, 0.5, 2.0])
def test_gradients_stay_finite_where_q_or_muhat_is_zero(mu: float, name: str) -> None:
    signal, data = np.array(signal_of(name)), np.array(cases.observed(name))
    value, found = gradients(mu, signal, data, cases.ours(name))
    assert np.isfinite(float(value))
    assert all(np.all(np.isfinite(np.asarray(x))) for x in found)


@jax.jit
def counting(mu: Any, s: Any, n: Any, model: pf.Model) -> Any:
    """CLs of the counting experiment, its gradient with respect to mu and s, and d/ds of that gradient."""

    def cls(at: jax.Array, signal: jax.Array) -> jax.Array:
        return pf.hypotest(at, n[None], model.with_yields("bin", "sig", signal[None])).cls

    both = jax.value_and_grad(cls, (0, 1))
    (value, first), (_, second) = jax.jvp(lambda x: both(mu, x), (s,), (jnp.ones_like(s),))
    return value, first, second


def closed_cls(mu: jax.Array, s: jax.Array, n: float, b: float) -> jax.Array:
    """CLs with muhat inside its bounds and below mu."""
    rate = mu * s + b
    q, q_asimov = (2 * (rate - x + x * jnp.log(x / rate)) for x in (n, b))
    tail = jax.scipy.stats.norm.sf
    return tail(jnp.sqrt(q)) / tail(jnp.sqrt(q) - jnp.sqrt(q_asimov))


@pytest.mark.slow
def test_first_and_second_derivatives_in_closed_form() -> None:
    n, b, at = 12.0, 10.0, (jnp.array(1.3), jnp.array(5.0))
    value, first, second = counting(*at, jnp.array(n), cases.ours("counting"))
    assert float(value) == pytest.approx(float(closed_cls(*at, n, b)), rel=1e-9)
    np.testing.assert_allclose(first, jax.grad(closed_cls, (0, 1))(*at, n, b), rtol=1e-7)
    np.testing.assert_allclose(second, jax.jacfwd(jax.grad(closed_cls, (0, 1)), 1)(*at, n, b), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("s", "n"), [(200.0, 700.0), (600.0, 10.0)])
def test_tiny_clb(s: float, n: float) -> None:
    """Far too few events over b = 1000: CLb is 1e-20, then 1e-183 with a CLsb below the smallest number."""
    b = 1000.0
    model = cases.ours("counting").with_yields("bin", "bkg", [b])
    value, first, second = counting(jnp.array(1.0), jnp.array(s), jnp.array(n), model)
    q, q_asimov = (2 * (s - x * np.log(1 + s / b)) for x in (n, b))  # muhat is at its bound 0
    width = 2 * np.sqrt(q_asimov)
    logarithm = norm.logsf((q + q_asimov) / width) - norm.logsf((q - q_asimov) / width)
    assert float(value) == pytest.approx(np.exp(logarithm), rel=1e-6)
    assert all(np.isfinite(float(x)) and float(x) < 0 for x in first)
    assert all(np.isfinite(float(x)) for x in second)


@pytest.mark.slow
def test_forward_and_reverse_agree() -> None:
    """The derivative of the fitted parameters with respect to the signal yields."""
    name = "asymmetric_systematics"
    data, signal, model = jnp.array(cases.observed(name)), jnp.array(signal_of(name)), cases.ours(name)

    def fitted(yields: jax.Array) -> jax.Array:
        return pf.fit(data, model.with_yields("SR", "sig", yields)).pars

    forward, reverse = jax.jit(lambda x: (jax.jacfwd(fitted)(x), jax.jacrev(fitted)(x)))(signal)
    np.testing.assert_allclose(forward, reverse, rtol=1e-8, atol=1e-12)
    for i in range(len(signal)):
        up, down = (slow_fit_pars(name, signal.at[i].add(step).tolist()) for step in (1e-3, -1e-3))
        np.testing.assert_allclose(forward[:, i], (up - down) / 2e-3, rtol=1e-4, atol=1e-7)
