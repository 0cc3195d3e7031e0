"""Derivatives of CLs and of fits against finite differences of the slow reference and closed forms."""

import copy
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import pyhf_func as pf
from tests import reference, zoo
from tests.parity import cases

NAMES = ["asymmetric_systematics", "shared_between_types", "staterror_samples"]


def slope(function: Callable[[float], float], at: float, step: float) -> float:
    """Four-point central difference, error of order step^4."""
    near = function(at + step) - function(at - step)
    far = function(at + 2 * step) - function(at - 2 * step)
    return (8 * near - far) / (12 * step)


def slow_cls(
    name: str, mu: float, signal: list[float] | None = None, data: list[float] | None = None
) -> float:
    """The reference's CLs for another mu, other signal yields or other data."""
    spec = copy.deepcopy(zoo.ZOO[name].spec)
    for sample in (
        s for c in spec["channels"] for s in c["samples"] if c["name"] == "SR" and s["name"] == "sig"
    ):
        sample["data"] = signal or sample["data"]
    model = reference.reference_model(spec)
    return reference.hypotest(model, data or list(cases.observed(name)), mu).cls


def signal_of(name: str) -> list[float]:
    channels = zoo.ZOO[name].spec["channels"]
    return next(s["data"] for c in channels for s in c["samples"] if c["name"] == "SR" and s["name"] == "sig")


@pytest.mark.parametrize("name", NAMES)
def test_gradient_of_cls(name: str) -> None:
    """With respect to mu, every signal yield, and every datum."""
    mu, signal, data = 1.6, signal_of(name), list(cases.observed(name))

    def cls(at: jax.Array, yields: jax.Array, counts: jax.Array) -> jax.Array:
        return pf.hypotest(at, counts, cases.ours(name).with_yields("SR", "sig", yields)).cls

    found = jax.jit(jax.grad(cls, argnums=(0, 1, 2)))(mu, jnp.array(signal), jnp.array(data))
    assert float(found[0]) == pytest.approx(slope(lambda x: slow_cls(name, x), mu, 1e-2), rel=1e-4, abs=1e-7)
    for i in range(len(signal)):

        def with_signal(x: float, i: int = i) -> float:
            return slow_cls(name, mu, signal=[*signal[:i], x, *signal[i + 1 :]])

        assert float(found[1][i]) == pytest.approx(slope(with_signal, signal[i], 2e-2), rel=1e-4, abs=1e-7)
    for i in (0, len(data) - 1):

        def with_data(x: float, i: int = i) -> float:
            return slow_cls(name, mu, data=[*data[:i], x, *data[i + 1 :]])

        assert float(found[2][i]) == pytest.approx(slope(with_data, data[i], 2e-2), rel=1e-4, abs=1e-7)


def test_counting_experiment_in_closed_form() -> None:
    """d CLs/ds and its derivative, from the closed form of q for n over b with signal s."""
    n, b = 12.0, 10.0

    def closed(mu: jax.Array, s: jax.Array) -> jax.Array:
        rate = mu * s + b
        q, q_asimov = (2 * (rate - x + x * jnp.log(x / rate)) for x in (n, b))
        tail = jax.scipy.stats.norm.sf
        return tail(jnp.sqrt(q)) / tail(jnp.sqrt(q) - jnp.sqrt(q_asimov))

    def ours(mu: jax.Array, s: jax.Array) -> jax.Array:
        model = cases.ours("counting").with_yields("bin", "sig", s[None])
        return pf.hypotest(mu, jnp.array([n]), model).cls

    at = (jnp.array(1.3), jnp.array(5.0))
    assert float(ours(*at)) == pytest.approx(float(closed(*at)), rel=1e-9)
    for found, expected in zip(jax.grad(ours, (0, 1))(*at), jax.grad(closed, (0, 1))(*at), strict=True):
        assert float(found) == pytest.approx(float(expected), rel=1e-7)
    found, expected = (jax.hessian(f, (0, 1))(*at) for f in (ours, closed))
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-6)


def test_forward_and_reverse_agree() -> None:
    name = "asymmetric_systematics"
    data, signal = jnp.array(cases.observed(name)), jnp.array(signal_of(name))

    def fitted(yields: jax.Array) -> jax.Array:
        return pf.fit(data, cases.ours(name).with_yields("SR", "sig", yields)).pars

    forward, reverse = jax.jacfwd(fitted)(signal), jax.jacrev(fitted)(signal)
    np.testing.assert_allclose(forward, reverse, rtol=1e-8, atol=1e-12)
    assert np.all(np.abs(np.asarray(forward)) > 0)


@pytest.mark.parametrize("name", ["over_fluctuation", "under_fluctuation"])
def test_gradients_stay_finite_where_q_or_muhat_is_zero(name: str) -> None:
    def cls(mu: jax.Array, yields: jax.Array) -> jax.Array:
        return pf.hypotest(
            mu, jnp.array(cases.observed(name)), cases.ours(name).with_yields("SR", "sig", yields)
        ).cls

    mus = jnp.array([0.0, 1e-9, 0.5, 2.0])
    signal = jnp.array(signal_of(name))
    found = jax.jit(jax.vmap(jax.grad(cls, argnums=(0, 1)), in_axes=(0, None)))(mus, signal)
    assert all(np.all(np.isfinite(np.asarray(x))) for x in found)


@pytest.mark.parametrize("observed", [850.0, 700.0])
def test_gradient_stays_finite_where_clb_is_tiny(observed: float) -> None:
    """Far too few events: CLb is 1e-34 for the first and below the smallest number for the second."""
    spec = zoo.workspace(
        [zoo.channel("bin", zoo.sample("sig", [50.0], zoo.normfactor()), zoo.sample("bkg", [1000.0]))],
        {"bin": [observed]},
    )
    model = pf.Workspace(spec).model()

    def cls(mu: jax.Array, s: jax.Array) -> jax.Array:
        return pf.hypotest(mu, jnp.array([observed]), model.with_yields("bin", "sig", s[None])).cls

    value, slopes = jax.value_and_grad(cls, argnums=(0, 1))(jnp.array(1.0), jnp.array(50.0))
    assert 0.0 <= float(value) < 1e-8
    assert all(np.isfinite(float(s)) for s in slopes)
    q, q_asimov = (2 * (1050.0 - n + n * np.log(n / 1050.0)) for n in (observed, 1000.0))
    width = 2 * np.sqrt(q_asimov)
    logarithm = norm.logsf((q + q_asimov) / width) - norm.logsf((q - q_asimov) / width)
    assert float(value) == pytest.approx(np.exp(logarithm), rel=1e-6)
