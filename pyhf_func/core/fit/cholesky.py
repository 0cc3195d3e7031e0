"""Solves and inverses by Cholesky factors that take one thread, whatever the number of threads is set to.

JAX calls the LAPACK that SciPy brings, whose BLAS shares work among threads: to factor 128 rows or more, and to solve
for eight right-hand sides or more. On some hundred rows these threads wait for one another longer than they compute,
a hundred times as long where other work keeps the cores busy. Their number is a setting of the whole program, which
belongs to the user. So larger matrices are factored in blocks that LAPACK does alone, with products by XLA, and
smaller ones are solved for one vector after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.linalg import cho_solve

from pyhf_func.core.fit.lanes import one_by_one

Solver = Callable[[Array], Array]

ALONE = 127
"""The most rows that LAPACK factors on one thread."""
_BLOCK = ALONE // 2


def solver(matrix: Array) -> Solver:
    """The inverse of a symmetric matrix (n, n) as a function of a vector (n,), for one vector at a time on CPUs.

    It gives no finite numbers where the matrix is not positive definite, and is not to be differentiated.
    """
    if matrix.shape[0] > ALONE:
        return Blocks.of(matrix).solve
    factor = jnp.linalg.cholesky(matrix)
    return partial(_solve, factor)


def _solve(factor: Array, v: Array) -> Array:
    return cho_solve((factor, True), v)


@jax.custom_jvp
def inverse(matrix: Array) -> Array:
    """The inverse of a symmetric matrix (n, n); not finite where it is not positive definite."""
    unit = jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    if matrix.shape[0] > ALONE:
        return jax.vmap(Blocks.of(matrix).solve)(unit)
    return jax.vmap(one_by_one(_solve), (None, 0))(jnp.linalg.cholesky(matrix), unit)


@inverse.defjvp
def _inverse_jvp(matrices: tuple[Array], changes: tuple[Array]) -> tuple[Array, Array]:
    found = inverse(*matrices)
    return found, -found @ changes[0] @ found


def smallest_pivot(matrix: Array) -> Array:
    """The smallest squared diagonal element of the Cholesky factor of a symmetric matrix (n, n).

    It is not a number where the matrix is not positive definite. A matrix of unit diagonal has none above 1.
    """
    if matrix.shape[0] > ALONE:
        inverses = Blocks.of(matrix).inverses
        return jnp.min(jnp.diagonal(inverses, axis1=1, axis2=2).ravel()[: matrix.shape[0]] ** -2)
    return jnp.min(jnp.diagonal(jnp.linalg.cholesky(matrix))) ** 2


class Blocks(NamedTuple):
    """The upper Cholesky factor of a symmetric matrix (n, n) in blocks, the last of them filled up."""

    factor: Array  # (blocks, size, blocks, size)
    inverses: Array  # (blocks, size, size) of the diagonal blocks of the lower factor

    @classmethod
    def of(cls, matrix: Array) -> Blocks:
        """Factor a matrix."""
        return cls(*_factor(_in_blocks(matrix)))

    @classmethod
    def empty(cls, n: int, dtype: np.dtype) -> Blocks:
        """A place for the factor of a matrix (n, n)."""
        count, size = _sizes(n)
        return cls(jnp.zeros((count, size, count, size), dtype), jnp.zeros((count, size, size), dtype))

    def solve(self, v: Array) -> Array:
        """The inverse of the matrix times a vector (n,)."""
        factor, inverses = self
        count, size = inverses.shape[:2]
        filled = jnp.pad(v, (0, count * size - v.shape[0])).reshape(count, size)

        def forward(j: Array, y: Array) -> Array:
            return y.at[j].set(inverses[j] @ (filled[j] - jnp.tensordot(y, factor[:, :, j], 2)))

        def backward(i: Array, x: Array) -> Array:
            j = count - 1 - i
            return x.at[j].set((y[j] - jnp.tensordot(factor[j], x, 2)) @ inverses[j])

        y = lax.fori_loop(0, count, forward, jnp.zeros_like(filled))
        return lax.fori_loop(0, count, backward, jnp.zeros_like(filled)).ravel()[: v.shape[0]]


def _sizes(n: int) -> tuple[int, int]:
    """The number of blocks, and the size of each."""
    count = -(-n // _BLOCK)
    return count, -(-n // count)


def _in_blocks(matrix: Array) -> Array:
    """A matrix (n, n) as (blocks, size, blocks, size), filled up with ones on the diagonal."""
    n = matrix.shape[0]
    count, size = _sizes(n)
    filled = jnp.eye(count * size, dtype=matrix.dtype).at[:n, :n].set(matrix)
    return filled.reshape(count, size, count, size)


def _factor(matrix: Array) -> tuple[Array, Array]:
    """The upper Cholesky factor of a matrix (blocks, size, blocks, size), and the inverses of its diagonal blocks'.

    Row after row of blocks, each from those above it.
    """
    count, size = matrix.shape[:2]

    def add_row(j: Array, known: tuple[Array, Array]) -> tuple[Array, Array]:
        factor, inverses = known

        def without(i: Array, row: Array) -> Array:
            return row - jnp.tensordot(factor[i, :, j].T, factor[i], 1)

        row = lax.fori_loop(0, j, without, matrix[j])
        own = _inverse_of_factor(row[:, j])
        row = jnp.where(jnp.arange(count)[:, None] < j, 0.0, jnp.tensordot(own, row, 1))
        return factor.at[j].set(row), inverses.at[j].set(own)

    return lax.fori_loop(0, count, add_row, (jnp.zeros_like(matrix), jnp.zeros((count, size, size), matrix.dtype)))


def _inverse_of_factor(matrix: Array) -> Array:
    """``L^-1`` of a matrix ``L L'``, read off the factor of a larger one, since to solve for it takes more threads."""
    size, one = matrix.shape[0], jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    large = float(np.finfo(matrix.dtype).max) ** 0.5
    larger = jnp.block([[matrix, one], [one, large * one]])  # [[L, 0], [L^-1', ...]] times its transpose
    return jnp.linalg.cholesky(larger, symmetrize_input=False)[size:, :size].T
