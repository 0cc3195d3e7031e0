"""Solves and inverses: those of NumPy, for matrices that LAPACK factors at once and for those in blocks."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from pyhf_func.core.fit.cholesky import ALONE, inverse, smallest_pivot, solver

SIZES = [1, 2, 90, ALONE, ALONE + 1, 200]


def positive(n: int) -> np.ndarray:
    root = np.random.default_rng(n).normal(size=(n, n))
    scale = np.geomspace(1e-3, 1e3, n)
    return (root @ root.T / n + np.eye(n)) * scale * scale[:, None]


@pytest.mark.parametrize("n", SIZES)
def test_a_solve_is_that_of_numpy_eagerly_compiled_and_mapped(n: int) -> None:
    matrix, vectors = positive(n), np.random.default_rng(0).normal(size=(3, n))
    wanted = np.linalg.solve(matrix, vectors.T).T
    solve = jax.jit(lambda matrix, v: solver(matrix)(v))
    mapped = jax.jit(jax.vmap(solve, in_axes=(None, 0)))(matrix, vectors)
    np.testing.assert_allclose(solve(matrix, vectors[0]), wanted[0], rtol=1e-9, atol=1e-9 * np.abs(wanted[0]).max())
    np.testing.assert_allclose(mapped, wanted, rtol=1e-9, atol=1e-9 * np.abs(wanted).max())


@pytest.mark.parametrize("n", [3, ALONE + 1])
def test_an_inverse_is_that_of_numpy_with_its_derivative(n: int) -> None:
    matrix, change = jnp.asarray(positive(n) / np.outer(*[np.geomspace(1e-3, 1e3, n)] * 2)), jnp.asarray(positive(n))
    found, slope = jax.jit(lambda m, d: jax.jvp(inverse, (m,), (d,)))(matrix, change)
    wanted = np.linalg.inv(matrix)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(slope, -wanted @ change @ wanted, rtol=1e-8, atol=1e-8 * np.abs(slope).max())


@pytest.mark.parametrize("n", [3, ALONE + 1])
def test_inverses_of_many_matrices_are_mapped_with_their_derivatives(n: int) -> None:
    matrices = jnp.stack([jnp.eye(n), 2 * jnp.eye(n)])
    trace = jax.jit(jax.vmap(jax.value_and_grad(lambda matrix: jnp.trace(inverse(matrix)))))
    values, slopes = trace(matrices)
    np.testing.assert_allclose(values, [n, n / 2], rtol=1e-12)
    np.testing.assert_allclose(slopes, [-np.eye(n), -np.eye(n) / 4], atol=1e-12)


@pytest.mark.parametrize("n", SIZES)
def test_the_smallest_pivot_is_that_of_the_factor(n: int) -> None:
    matrix = positive(n)
    wanted = np.min(np.diag(np.linalg.cholesky(matrix))) ** 2
    assert float(smallest_pivot(jnp.asarray(matrix))) == pytest.approx(wanted, rel=1e-9)
    assert np.isnan(smallest_pivot(-jnp.asarray(matrix)))


@pytest.mark.parametrize("n", [3, ALONE + 1])
def test_a_matrix_that_is_not_positive_definite_gives_no_finite_number(n: int) -> None:
    matrix = np.eye(n)
    matrix[-1, -1] = -1.0
    assert not np.any(np.isfinite(inverse(matrix)[-1]))


@pytest.mark.parametrize("n", [ALONE, ALONE + 1, 300])
@pytest.mark.parametrize(
    "function", [lambda m: solver(m)(m[0]), inverse, smallest_pivot], ids=["solve", "inverse", "pivot"]
)
def test_lapack_gets_nothing_that_it_would_share_among_threads(function: Callable[[Array], Array], n: int) -> None:
    text = jax.jit(function).lower(jnp.eye(n)).as_text()
    factored = [line for line in text.splitlines() if "lapack_dpotrf" in line]
    assert factored
    assert all(f"<{rows}x{rows}xf64>" not in line for line in factored for rows in range(ALONE + 1, n + 64))
