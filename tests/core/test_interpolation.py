"""Interpolation codes: values, continuity, derivatives at the joins, elementwise under every transformation."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from pyhf_func.core.likelihood import ADDITIVE, MULTIPLICATIVE
from tests.reference import CODES

EVERY = pytest.mark.parametrize("code", sorted(CODES))
SMOOTH = pytest.mark.parametrize("code", ["code4", "code4p"])
TEMPLATES = [(0.8, 1.0, 1.3), (4.0, 5.0, 4.5), (7.0, 6.0, 6.5), (1.3, 1.0, 0.8), (2.0, 2.0, 2.0)]
ALPHAS = [-4.0, -1.2, -1.0, -0.6, -1e-9, 0.0, 1e-9, 0.3, 1.0, 1.7, 5.0]
LO, NOMINAL, HI = (jnp.array(x)[:, None] for x in zip(*TEMPLATES, strict=True))


def interpolate(code: str) -> Callable[..., Array]:
    return {**ADDITIVE, **MULTIPLICATIVE}[code]


def derivatives(code: str, alphas: list[float]) -> tuple[Array, Array]:
    """First and second derivative in alpha; shape (templates, alphas) each."""

    def at(lo: Array, nominal: Array, hi: Array, alpha: Array) -> Array:
        return interpolate(code)(lo, nominal, hi, alpha)

    def over(function: Callable[..., Array]) -> Array:
        both = jax.vmap(jax.vmap(function, (None, None, None, 0)), (0, 0, 0, None))
        return jax.jit(both)(LO[:, 0], NOMINAL[:, 0], HI[:, 0], jnp.array(alphas))

    return over(jax.grad(at, 3)), over(jax.grad(jax.grad(at, 3), 3))


@EVERY
def test_value(code: str) -> None:
    found = interpolate(code)(LO, NOMINAL, HI, jnp.array(ALPHAS)[None])
    expected = [[CODES[code](*template, alpha) for alpha in ALPHAS] for template in TEMPLATES]
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


@EVERY
def test_slope(code: str) -> None:
    """Against complex-step derivatives of the reference, away from the points where a code has a kink."""
    alphas = [a for a in ALPHAS if abs(a) not in (0.0, 1.0)]
    expected = [[complex(CODES[code](*t, complex(a, 1e-30))).imag / 1e-30 for a in alphas] for t in TEMPLATES]
    np.testing.assert_allclose(derivatives(code, alphas)[0], expected, rtol=1e-12, atol=1e-13)


@EVERY
def test_derivatives_are_finite_everywhere(code: str) -> None:
    alphas = [-30.0, *ALPHAS, 30.0]
    assert all(np.all(np.isfinite(d)) for d in derivatives(code, alphas))

    def total(*templates: Array) -> Array:
        return jnp.sum(interpolate(code)(*templates, jnp.array(alphas)[None]))

    assert all(np.all(np.isfinite(d)) for d in jax.grad(total, (0, 1, 2))(LO, NOMINAL, HI))


@EVERY
def test_no_effect_at_zero_and_templates_at_one(code: str) -> None:
    """At alpha = -1, 0 and 1 a code gives its templates: as shifts, or as factors."""
    found = interpolate(code)(LO, NOMINAL, HI, jnp.array([[-1.0, 0.0, 1.0]]))
    yields = NOMINAL * found if code in MULTIPLICATIVE else NOMINAL + found
    np.testing.assert_allclose(yields, jnp.concatenate([LO, NOMINAL, HI], axis=1), rtol=1e-14)


@pytest.mark.parametrize("code", ["code0", "code1", "code4", "code4p"])
@pytest.mark.parametrize("edge", [-1.0, 0.0, 1.0])
def test_continuous(code: str, edge: float) -> None:
    near = interpolate(code)(LO, NOMINAL, HI, edge + jnp.array([[-1e-10, 1e-10]]))
    np.testing.assert_allclose(near[:, 0], near[:, 1], atol=1e-8)


@SMOOTH
@pytest.mark.parametrize("edge", [-1.0, 0.0, 1.0])
def test_twice_differentiable(code: str, edge: float) -> None:
    """Slope and curvature agree on both sides of the joins and at them."""
    for found in derivatives(code, [edge - 1e-9, edge, edge + 1e-9]):
        np.testing.assert_allclose(found[:, 0], found[:, 2], atol=1e-6)
        np.testing.assert_allclose(found[:, 1], found[:, 2], atol=1e-6)


@EVERY
def test_elementwise(code: str) -> None:
    """One call with arrays is every element alone: eager, jitted, mapped."""
    alphas = jnp.array(ALPHAS)
    together = interpolate(code)(LO, NOMINAL, HI, alphas[None])
    assert together.shape == (len(TEMPLATES), len(ALPHAS))
    mapped = jax.vmap(lambda alpha: interpolate(code)(LO[:, 0], NOMINAL[:, 0], HI[:, 0], alpha), out_axes=1)
    np.testing.assert_allclose(jax.jit(mapped)(alphas), together, rtol=1e-13, atol=1e-14)
    for i, j in ((0, 0), (1, 5), (2, 9)):
        alone = interpolate(code)(LO[i, 0], NOMINAL[i, 0], HI[i, 0], alphas[j])
        assert float(alone) == pytest.approx(float(together[i, j]), rel=1e-13, abs=1e-14)
