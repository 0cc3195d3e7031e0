"""Conjugate gradients in a trust region: solutions, residuals, lengths, and negative curvature."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from pyhf_func.core.fit import conjugate

N = 8


def matrix(seed: int, eigenvalues: Any) -> Array:
    """A random symmetric matrix with these eigenvalues."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(N, N)))
    return jnp.array((q * np.asarray(eigenvalues)) @ q.T)


def positive(seed: int) -> Array:
    return matrix(seed, np.random.default_rng(seed).uniform(0.2, 30.0, N))


def vector(seed: int) -> Array:
    return jnp.array(np.random.default_rng(1000 + seed).normal(size=N))


@jax.jit
def solved(hessian: Array, metric: Array, b: Array, radius: float) -> conjugate.Solution:
    inverse = jnp.linalg.inv(metric)
    return conjugate.solve(lambda v: hessian @ v, lambda v: inverse @ v, b, radius=radius, tolerance=1e-12, limit=50)


SEEDS = pytest.mark.parametrize("seed", range(4))


@SEEDS
def test_solves_positive_definite_systems(seed: int) -> None:
    h, metric, b = positive(seed), positive(seed + 50), vector(seed)
    found = solved(h, metric, b, 1e6)
    np.testing.assert_allclose(found.step, np.linalg.solve(h, b), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.residual, b - h @ found.step, atol=1e-10)
    assert float(found.length) == pytest.approx(float(jnp.sqrt(found.step @ metric @ found.step)), rel=1e-8)
    assert not bool(found.cut)


def test_one_step_with_the_hessian_as_metric() -> None:
    h, b = positive(1), vector(1)
    found = solved(h, h, b, 1e6)
    assert int(found.iterations) == 1
    np.testing.assert_allclose(h @ found.step, b, atol=1e-10)


@SEEDS
@pytest.mark.parametrize("share", [1e-3, 0.5, 0.999])
def test_stops_at_the_radius(seed: int, share: float) -> None:
    """On the boundary, and at least as low as the best point along steepest descent."""
    h, metric, b = positive(seed), positive(seed + 50), vector(seed)
    full = jnp.linalg.solve(h, b)
    radius = share * float(jnp.sqrt(full @ metric @ full))
    found = solved(h, metric, b, radius)
    assert bool(found.cut)
    assert float(found.length) == pytest.approx(radius, rel=1e-9)
    assert float(jnp.sqrt(found.step @ metric @ found.step)) == pytest.approx(radius, rel=1e-7)
    np.testing.assert_allclose(found.residual, b - h @ found.step, atol=1e-9)
    first = jnp.linalg.solve(metric, b)
    length = jnp.sqrt(first @ metric @ first)
    first = first * jnp.minimum(radius / length, (b @ first) / (first @ h @ first))

    def model(d: Array) -> float:
        return float(0.5 * d @ h @ d - b @ d)

    assert model(found.step) <= model(first) + 1e-12


@SEEDS
@pytest.mark.parametrize("radius", [0.3, 1e6])
def test_negative_curvature_ends_it(seed: int, radius: float) -> None:
    """The step still descends, stays inside the radius and is finite."""
    h, metric, b = matrix(seed, [-3.0, -0.5, *np.linspace(0.4, 9.0, N - 2)]), positive(seed + 50), vector(seed)
    found = solved(h, metric, b, radius)
    assert bool(found.cut)
    assert int(found.iterations) <= N
    assert np.all(np.isfinite(found.step))
    assert float(jnp.sqrt(found.step @ metric @ found.step)) <= radius * (1 + 1e-9)
    assert float(b @ found.step) > 0
    np.testing.assert_allclose(found.residual, b - h @ found.step, rtol=1e-9, atol=1e-9)


def test_negative_curvature_at_once_takes_the_metric_for_the_hessian() -> None:
    h, metric, b = matrix(0, -np.ones(N)), positive(7), vector(0)
    found = solved(h, metric, b, 1e6)
    assert int(found.iterations) == 1
    np.testing.assert_allclose(found.step, jnp.linalg.solve(metric, b), rtol=1e-10)


def test_nothing_to_do() -> None:
    found = solved(positive(0), positive(1), jnp.zeros(N), 1.0)
    assert int(found.iterations) == 0
    assert not bool(found.cut)
    np.testing.assert_array_equal(found.step, 0.0)


def test_limit_and_default_tolerance() -> None:
    """At most so many iterations; without a tolerance the residual falls with the square of ``b``."""
    h, b = positive(3), vector(3)

    def solve(b: Array, limit: int) -> conjugate.Solution:
        return conjugate.solve(lambda v: h @ v, lambda v: v, b, radius=1e6, limit=limit)

    assert int(solve(b, 2).iterations) == 2
    for size in (1e-2, 1e-4):
        small = size * b / jnp.linalg.norm(b)
        assert float(jnp.linalg.norm(solve(small, 50).residual)) <= 1.0001 * size**2


def test_mapped_is_one_by_one() -> None:
    systems = [(positive(s) if s % 2 else matrix(s, np.linspace(-1, 5, N)), vector(s)) for s in range(4)]
    h, b = (jnp.stack(x) for x in zip(*systems, strict=True))
    mapped = jax.vmap(solved, (0, None, 0, None))(h, jnp.eye(N), b, 2.0)
    for k in range(4):
        alone = solved(h[k], jnp.eye(N), b[k], 2.0)
        np.testing.assert_allclose(mapped.step[k], alone.step, rtol=1e-9, atol=1e-12)
        assert bool(mapped.cut[k]) == bool(alone.cut)
        assert int(mapped.iterations[k]) == int(alone.iterations)
