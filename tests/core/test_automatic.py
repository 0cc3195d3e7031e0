"""Models beyond the usual structure: clipped yields and modifiers of the user, fitted with automatic derivatives."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

import pyhf_func as pf
from pyhf_func.core.compiler import Start
from pyhf_func.core.fit import Newton, Problem, fit_problem
from pyhf_func.core.likelihood import expected_main
from pyhf_func.core.likelihood.expansion import expand, hessian_product, jacobian, value_at
from pyhf_func.core.likelihood.objective import prepare
from pyhf_func.core.likelihood.structure import Likelihood
from tests.core.test_expansion import case


@jax.jit
def everything(model: Likelihood, data: Array, pars: Array) -> Any:
    prepared = prepare(model, data)
    x = expand(prepared, pars)
    unit = jnp.eye(pars.shape[0])
    slopes, hessian = jax.vmap(jacobian(x).times, out_axes=1)(unit), jax.vmap(hessian_product(x))(unit)
    return x.value, value_at(prepared, pars), x.gradient, x.rates, x.constraint, slopes, hessian


@pytest.mark.slow
def test_agrees_with_the_structured_expansion() -> None:
    """A clip that never acts changes the way of the derivatives, not the numbers."""
    model, data, points = case("everything")
    clipped = replace(model.likelihood, least_bin=-1e300)
    assert model.likelihood.is_plain
    assert not clipped.is_plain
    for pars in points[:3]:
        pairs = zip(everything(clipped, data, pars), everything(model.likelihood, data, pars), strict=True)
        for actual, expected in pairs:
            scale = max(1.0, float(jnp.max(jnp.abs(expected))))
            np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-11 * scale)


def counting(**settings: Any) -> Likelihood:
    """Two bins; the background of the second can become negative."""
    spec = {
        "channels": [
            {
                "name": "SR",
                "samples": [
                    {
                        "name": "signal",
                        "data": [5.0, 2.0],
                        "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
                    },
                    {
                        "name": "background",
                        "data": [50.0, 1.0],
                        "modifiers": [
                            {
                                "name": "shape",
                                "type": "histosys",
                                "data": {"lo_data": [52.0, 3.0], "hi_data": [48.0, -1.0]},
                            }
                        ],
                    },
                ],
            }
        ]
    }
    return replace(pf.Model(spec).likelihood, **settings)


def fit(model: Likelihood, data: list[float]) -> Any:
    space = model.space
    start = Start(space.init, space.lower, space.upper, space.fixed)
    return jax.jit(fit_problem, static_argnums=0)(Newton(), Problem(model, jnp.array(data), *start))


@pytest.mark.slow
def test_clipped_yields() -> None:
    pars = jnp.array([2.0, 0.5])  # shape, mu
    plain = [0.5 * 5 + 50 - 4, 0.5 * 2 + 1 - 4]
    np.testing.assert_allclose(expected_main(counting(), pars), plain)
    np.testing.assert_allclose(expected_main(counting(least_entry=0.0), pars), [plain[0], 1.0])
    np.testing.assert_allclose(expected_main(counting(least_bin=0.1), pars), [plain[0], 0.1])


@pytest.mark.slow
def test_fit_of_a_clipped_model() -> None:
    """At the minimum the derivatives vanish, and no point around is lower."""
    model = counting(least_entry=0.01)
    data = [53.0, 4.0, 0.3]
    found = fit(model, data)
    assert found.status == pf.Status.CONVERGED
    prepared = prepare(model, jnp.array(data))
    rng = np.random.default_rng(1)
    around = np.asarray(found.pars) + 0.3 * rng.normal(size=(50, 2))
    values = jax.vmap(lambda p: value_at(prepared, p))(np.maximum(around, [-5.0, 0.0]))
    assert float(jnp.min(values)) >= float(value_at(prepared, found.pars)) - 1e-9


class Tilt:
    """A factor of two parameters, as no built-in modifier has."""

    def __call__(self, pars: Array) -> tuple[Array, Array]:
        return jnp.zeros(4), jnp.exp(jnp.array([1.0, -1.0, 1.0, -1.0]) * 0.1 * pars[0] * pars[1])


TILT = Tilt()


@pytest.mark.slow
def test_modifier_of_the_user() -> None:
    model, pars = counting(custom=TILT), jnp.array([0.7, 0.4])
    expected = expected_main(counting(), pars) * np.exp(0.1 * 0.7 * 0.4 * np.array([1.0, -1.0]))
    np.testing.assert_allclose(expected_main(model, pars), expected, rtol=1e-13)
    found = fit(model, [60.0, 3.0, 0.0])
    assert found.status == pf.Status.CONVERGED
    assert float(found.gradient_norm) == pytest.approx(0.0, abs=1e-4)
    np.testing.assert_allclose(expected_main(model, found.pars), [60.0, 3.0], rtol=0.1)
