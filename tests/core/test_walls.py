"""Negative expected yields have no density: fits that end where a yield is zero, and fits that start beyond."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq, minimize

import pyhf_func as pf
from pyhf_func.core.likelihood.logpdf import logpdf

MU = {"name": "mu", "type": "normfactor", "data": None}


def sample(name: str, data: list[float], *modifiers: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "data": data, "modifiers": list(modifiers)}


def shift(name: str, nominal: list[float], by: list[float]) -> dict[str, Any]:
    lo, hi = np.subtract(nominal, by).tolist(), np.add(nominal, by).tolist()
    return {"name": name, "type": "histosys", "data": {"lo_data": lo, "hi_data": hi}}


def model_of(*samples: dict[str, Any], bound: float = 10.0, **options: Any) -> pf.Model:
    parameters = [{"name": "mu", "bounds": [[-bound, bound]]}]
    spec = {"channels": [{"name": "SR", "samples": list(samples)}], "parameters": parameters}
    return pf.Model(spec, **options)


def counting(**options: Any) -> pf.Model:
    """One bin: three signal events over one."""
    return model_of(sample("signal", [3.0], MU), sample("background", [1.0]), **options)


def shifted() -> pf.Model:
    """One bin with the expected yield ``3 mu + 2 + alpha``."""
    return model_of(sample("signal", [3.0], MU), sample("background", [2.0], shift("alpha", [2.0], [1.0])))


def status(fit: Any) -> list[str]:
    return [pf.Status(int(s)).name for s in np.ravel(fit.status)]


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_negative_yield_has_no_density_whatever_was_observed(compiled: bool, mapped: bool) -> None:
    model = counting()

    def density(mu: Any, n: Any) -> Any:
        return model.logpdf(jnp.stack([mu]), jnp.stack([n]))

    f = jax.vmap(density) if mapped else lambda mu, n: jnp.stack([density(*pair) for pair in zip(mu, n, strict=True)])
    found = (jax.jit(f) if compiled else f)(jnp.array([-5.0, -5.0, 0.0, -1 / 3]), jnp.array([0.0, 4.0, 0.0, 0.0]))
    np.testing.assert_allclose(found, [-math.inf, -math.inf, -1.0, 0.0], atol=1e-15)
    assert math.isfinite(float(jax.grad(density)(jnp.array(-5.0), jnp.array(0.0))))


def test_the_continuation_of_pyhf_is_an_option() -> None:
    assert float(counting(continue_below_zero=True).logpdf(jnp.array([-5.0]), [0.0])) == 14.0
    assert float(counting(continue_below_zero=True).logpdf(jnp.array([-5.0]), [1.0])) == -math.inf


@pytest.mark.parametrize("names", ["abc", "cab", "bca"])
def test_a_yield_below_zero_by_rounding_is_zero(names: str) -> None:
    assert (0.3 - 0.1) - 0.2 < 0
    background, first, second = names
    model = model_of(sample(background, [0.3]), sample(first, [0.1], MU), sample(second, [0.2], MU))
    pars = jnp.array([-1.0])
    assert float(model.logpdf(pars, [0.0])) == pytest.approx(0.0, abs=1e-15)
    assert float(model.expected_actualdata(pars)[0]) == pytest.approx(0.0, abs=1e-16)
    assert float(model.expected_actualdata(pars)[0]) >= 0


@pytest.mark.slow
def test_without_constraint_the_minimum_lies_where_the_yield_is_zero() -> None:
    fit = pf.fit(jnp.array([0.0]), counting())
    assert status(fit) == ["CONVERGED"]
    assert float(fit.pars[0]) == pytest.approx(-1 / 3, abs=1e-9)
    assert float(fit.twice_nll) == pytest.approx(0.0, abs=1e-9)
    assert float(counting().logpdf(fit.pars, [0.0])) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_zero_events_do_not_exclude_without_bound() -> None:
    """The best signal makes the yield zero: ``q = 2 (s + b)``."""
    test = pf.hypotest(1.0, jnp.array([0.0]), counting(), test_stat="q")
    assert float(test.teststat) == pytest.approx(8.0, abs=1e-8)
    assert status(test) == ["CONVERGED"]


@pytest.mark.slow
def test_derivatives_of_a_fit_at_a_wall_are_those_of_the_constrained_minimum() -> None:
    """``3 mu + 2 + alpha = 0`` at ``mu = -1``: alpha = 1, moves by -3 mu, and -2 log L is alpha^2 and a constant."""
    model, data = shifted(), jnp.array([0.0, 0.0])

    def fit(mu: Any) -> Any:
        return pf.fit(data, model, fixed={"mu": mu})

    found = fit(-1.0)
    assert status(found) == ["CONVERGED"]
    assert model.config.par_names == ["alpha", "mu"]
    np.testing.assert_allclose(found.pars, [1.0, -1.0], atol=1e-9)
    assert float(found.twice_nll) == pytest.approx(1 + math.log(2 * math.pi), abs=1e-9)
    slopes = jax.jacfwd(lambda mu: (fit(mu).pars, fit(mu).twice_nll))(-1.0)
    np.testing.assert_allclose(slopes[0], [-3.0, 1.0], rtol=1e-6)
    assert float(slopes[1]) == pytest.approx(-6.0, rel=1e-6)
    assert float(jax.grad(jax.grad(lambda mu: fit(mu).twice_nll))(-1.0)) == pytest.approx(18.0, rel=1e-5)


def test_second_derivatives_of_a_fit_at_a_curved_wall() -> None:
    """``3 mu f(beta) + 2 + alpha = 0`` gives alpha, and -2 log L is alpha^2 + beta^2, to be minimised in beta."""
    rate = {"name": "beta", "type": "normsys", "data": {"lo": 0.8, "hi": 1.2}}
    model = model_of(sample("signal", [3.0], MU, rate), sample("background", [2.0], shift("alpha", [2.0], [1.0])))

    def lowest(mu: Any) -> Any:
        return pf.fit(jnp.array([0.0, 0.0, 0.0]), model, fixed={"mu": mu}).twice_nll

    def height(beta: Any, mu: Any) -> Any:
        factor = model.expected_actualdata(jnp.array([0.0, 1.0, 0.0]).at[2].set(beta)) - 2.0
        return (2 + mu * factor[0]) ** 2 + beta**2

    assert model.config.par_names == ["alpha", "mu", "beta"]
    mu = -1.0
    beta = brentq(jax.jit(jax.grad(lambda beta: height(beta, mu))), -3.0, 3.0, xtol=1e-12)
    ((bb, bm), (_, mm)) = jax.hessian(lambda z: height(*z))(jnp.array([beta, mu]))
    found = [jax.grad(lowest)(mu), jax.grad(jax.grad(lowest))(mu), jax.hessian(lowest)(mu)]
    expected = jax.grad(height, argnums=1)(beta, mu), mm - bm**2 / bb
    # The force of a wall is known as precisely as the yield there, which is tiny.
    np.testing.assert_allclose(found, [expected[0], expected[1], expected[1]], rtol=1e-5)


def random(seed: int) -> tuple[pf.Model, np.ndarray, float]:
    """Five bins, most of them empty, and a signal strength at which nominal yields are negative."""
    rng = np.random.default_rng(seed)
    n = 5
    background = rng.uniform(1, 4, n)
    signal = background * rng.uniform(0.3, 1.5, n)
    first, second = ([*(background * rng.uniform(-0.6, 0.6, n))] for _ in range(2))
    rate = {"name": "rate", "type": "normsys", "data": {"lo": float(rng.uniform(0.7, 0.9)), "hi": 1.2}}
    modifiers = shift("first", [*background], first), shift("second", [*background], second)
    model = model_of(sample("signal", [*signal], MU), sample("background", [*background], *modifiers, rate), bound=3.0)
    counts = np.where(rng.random(n) < 0.7, 0.0, rng.poisson(background))
    counts[0] = rng.choice([0.0, 1e-7, 1e-3])
    return model, np.array([*counts, *rng.normal(size=2), 0.0]), -float(rng.uniform(0.8, 2.0))


def lowest(model: pf.Model, data: np.ndarray, mu: float | None) -> float:
    """The constrained minimum by SciPy, which knows of yields only that they may not be negative."""
    likelihood, given, poi = model.likelihood, jnp.asarray(data), model.config.poi_index

    def nll(pars: Any) -> Any:
        safe = jnp.maximum(model.expected_data(pars)[: likelihood.n_bins], 1e-14)
        return jnp.sum(safe - given[: likelihood.n_bins] * jnp.log(safe)) + 0.5 * jnp.sum(
            (jnp.delete(pars, poi) - given[likelihood.n_bins :]) ** 2
        )

    value = jax.jit(jax.value_and_grad(nll))
    yields = jax.jit(lambda pars: model.expected_data(pars)[: likelihood.n_bins])
    slopes = jax.jit(jax.jacfwd(yields))
    bounds = model.config.suggested_bounds()
    if mu is not None:
        bounds[poi] = (mu, mu)
    rng, best = np.random.default_rng(0), np.inf
    for _ in range(12):
        start = np.clip(rng.normal(size=4), *np.transpose(bounds))
        found = minimize(
            lambda x: tuple(np.asarray(part) for part in value(x)),
            start,
            jac=True,
            method="SLSQP",
            bounds=bounds,
            constraints={
                "type": "ineq",
                "fun": lambda x: np.asarray(yields(x)),
                "jac": lambda x: np.asarray(slopes(x)),
            },
            options={"ftol": 1e-13, "maxiter": 300},
        )
        if found.success and np.all(np.asarray(yields(found.x)) > -1e-9):
            best = min(best, found.fun)
    pars = jnp.asarray(model.config.suggested_init())
    rest = -logpdf(likelihood, pars, given) - nll(pars)  # the constants that `nll` leaves out
    return 2 * float(best + rest)


@pytest.mark.slow
@pytest.mark.parametrize("held", [False, True], ids=["free", "held"])
def test_fits_end_at_the_lowest_constrained_minimum(held: bool) -> None:
    starts = []
    for seed in range(12):
        model, data, mu = random(seed)
        poi = np.arange(4) == model.config.poi_index
        init = np.where(poi, mu if held else 1.0, 0.0)
        fit = pf.fit(jnp.asarray(data), model, init=init, fixed=poi & held)
        expected = lowest(model, data, mu if held else None)
        assert status(fit) == ["CONVERGED"], seed
        assert float(fit.twice_nll) < expected + 1e-6, seed
        assert float(model.logpdf(fit.pars, data)) == pytest.approx(-float(fit.twice_nll) / 2, abs=1e-8)
        assert np.all(np.asarray(model.expected_actualdata(fit.pars)) >= 0)
        starts.append(float(np.min(np.asarray(model.expected_actualdata(init)))))
    assert held == (min(starts) < 0)


SIGNAL = [2.5, 4.0]
SCALED = {
    "a normalisation": {"name": "a", "type": "normsys", "data": {"lo": 0.85, "hi": 1.1}},
    "a shape": shift("a", SIGNAL, [0.5, -0.4]),
    "statistical errors": {"name": "a", "type": "staterror", "data": [0.5, 0.6]},
}


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize("observed", [0.0, 2.0])
def test_a_bound_that_holds_a_scale_at_zero_needs_no_wall(name: str, observed: float) -> None:
    """Where only signal is expected, and none is observed in one bin: the best signal strength is its bound, zero."""
    signal = sample("signal", SIGNAL, MU, SCALED[name])
    background = sample("background", [0.0, 12.0], {"name": "b", "type": "normsys", "data": {"lo": 0.9, "hi": 1.15}})
    model = pf.Model({"channels": [{"name": "SR", "samples": [signal, background]}]})
    data = [0.0, 10.0 + observed, *model.config.auxdata]
    fit = pf.fit(data, model)
    assert status(fit) == ["CONVERGED"]
    assert float(fit.pars[model.config.poi_index]) == 0.0
    without = pf.fit(data, model, fixed={"mu": 0.0})
    assert float(fit.twice_nll) == pytest.approx(float(without.twice_nll), abs=1e-9)
