"""NumPy's operations are JAX's: each is compared with the compiled one."""

import pickle
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.scipy.linalg import cho_solve
from jax.scipy.special import log_ndtr, ndtri

from pyhf_func.compiled import plain

X = np.array([[0.3, -1.2, 2.5, 0.0], [1.7, 0.4, -0.6, 3.1], [-2.2, 0.9, 1.1, -0.7]])
N = np.array([[2, 0, 3], [1, 3, 0]])
FLAGS = np.array([True, False, True])
POSITIVE = X.T @ X + np.eye(4)

FUNCTIONS: dict[str, tuple[Callable[..., object], tuple[np.ndarray, ...]]] = {
    "arithmetic": (lambda x: (x + 1) * x - x / 3 + x**3 - x**-2.0 + 2.0**x, (X,)),
    "integers": (lambda n: (n // 2, n % 2, -n // 3, lax.div(-n, jnp.full_like(n, 2)), lax.rem(-n, n + 1)), (N,)),
    "powers": (lambda x: [lax.integer_pow(x, y) for y in (-3, -1, 0, 1, 2, 5)], (X,)),
    "functions": (
        lambda x: [f(x) for f in (jnp.exp, jnp.expm1, jnp.tanh, jnp.sin, jnp.floor, jnp.sign, jnp.abs)],
        (X,),
    ),
    "roots and logarithms": (lambda x: [f(x) for f in (jnp.sqrt, jnp.log, jnp.log1p, lax.rsqrt)], (X,)),
    "normal distribution": (lambda x: (log_ndtr(x), log_ndtr(20 * x), ndtri(0.5 + x / 10)), (X,)),
    "conversions": (
        lambda x, n: (x.astype(int), n.astype(float), n.astype(bool), (1e300 * x * 1e300).astype(int)),
        (X, N),
    ),
    "flags": (lambda f: (f & ~f[::-1], f | f[::-1], f ^ f[::-1], jnp.any(f), jnp.all(f)), (FLAGS,)),
    "choices": (
        lambda x, f: (jnp.where(x > 0, x, 7.0), jnp.where(f[:, None], x, -x), jnp.where(f[1], x, 0)),
        (X, FLAGS),
    ),
    "sums": (
        lambda x: (x.sum(), x.sum(0), x.prod(1), x.max(0), x.min(), jnp.cumsum(x, 1), x.argmin(1), x.argmax()),
        (X,),
    ),
    "sums of integers": (lambda n: (n.astype(np.int32).sum(), jnp.cumsum(n.astype(np.int32))), (N,)),
    "nothing": (lambda x: (x[:0].sum(0), jnp.max(x[:0], axis=0, initial=-jnp.inf)), (X,)),
    "shapes": (
        lambda x: (x.T, x.ravel(), x.T.ravel(), x[None], x[:, ::2], x[::-1], jnp.pad(x, 1), jnp.tile(x, 2)),
        (X,),
    ),
    "negative padding": (lambda x: lax.pad(x, 5.0, ((-1, 2, 0), (1, -2, 0))), (X,)),
    "joined": (
        lambda x: (jnp.stack([x, -x], 1), jnp.concatenate([x, x], 1), jnp.split(x, 2, 1), jnp.arange(3) * 2),
        (X,),
    ),
    "order": (lambda x: (jnp.sort(x, 0), jnp.argsort(x, 1), lax.top_k(x, 2), jnp.median(x)), (X,)),
    "products": (lambda x: (x @ x.T, x @ x[0], x[:, 0] @ x, jnp.einsum("ij,ik->ijk", x, x), jnp.vdot(x, x)), (X,)),
    "stacks of products": (
        lambda x: jnp.einsum("be,bep->bp", x, x[:, :, None] * x[:1, None, :2]),
        (X,),
    ),
    "large products": (lambda x: (jnp.tile(x, (30, 30)) @ jnp.tile(x, (30, 30)).T)[:3, :3], (X,)),
    "gathers": (lambda x, n: (x[n], x[:, n], x[n, 1], x[n[0], n[1]], x.ravel()[n + 90], x[-1], x[n[0, 0]]), (X, N)),
    "gathers that fill": (lambda x, n: x.at[n + 2].get(mode="fill", fill_value=4.0), (X, N)),
    "scatters": (lambda x, n: [getattr(x.at[n], how)(2.0) for how in ("set", "add", "multiply", "max", "min")], (X, N)),
    "scatters of windows": (
        lambda x, n: (x.at[:, n].add(1.0), x.at[n[0]].add(x[n[1]]), x.at[n[0], n[1]].add(3.0)),
        (X, N),
    ),
    "scatters that drop": (lambda x, n: x.ravel().at[n + 10].add(1.0, mode="drop"), (X, N)),
    "sums of segments": (lambda x, n: jax.ops.segment_sum(x.ravel()[:6], n.ravel(), 4), (X, N)),
    "slices": (
        lambda x, n: (lax.dynamic_slice(x, n[0, :2], (2, 3)), lax.dynamic_update_slice(x, x[:2, :2], n[1, :2])),
        (X, N),
    ),
    "factors": (lambda a: jnp.linalg.cholesky(a), (POSITIVE,)),
    "factors of what has none": (lambda a: jnp.linalg.cholesky(-a), (POSITIVE,)),
    "solutions": (lambda a, x: cho_solve((jnp.linalg.cholesky(a), True), x.T), (POSITIVE, X)),
    "many solutions": (lambda a, x: jax.vmap(lambda b: cho_solve((jnp.linalg.cholesky(a), True), b))(x), (POSITIVE, X)),
    "eigenvalues": (lambda a: (jnp.linalg.eigvalsh(a), jnp.abs(jnp.linalg.eigh(a)[1])), (POSITIVE,)),
    "loops": (lambda x: lax.while_loop(lambda s: s[0] < 5, lambda s: (s[0] + 1, s[1] * x), (0, x)), (X,)),
    "loops side by side": (
        jax.vmap(lambda n, x: lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * x), (n, x))),
        (np.array([0, 5, 2]), X),
    ),
    "loops side by side in loops side by side": (
        jax.vmap(jax.vmap(lambda n: lax.while_loop(lambda k: k < 3, lambda k: 2 * k + 1, n))),
        (N,),
    ),
    "scans": (lambda x: lax.scan(lambda s, row: (s + row, s * row), x[0], x, reverse=True), (X,)),
    "branches": (lambda x, n: [lax.switch(n[0, i], [lambda: x, lambda: -x, lambda: 2 * x]) for i in range(3)], (X, N)),
    "derivatives": (lambda x: (jax.grad(lambda y: jnp.sum(jnp.sin(y) * y))(x), jax.jvp(jnp.prod, (x,), (x,))), (X,)),
    "platforms": (lambda x: lax.platform_dependent(x, cpu=lambda y: y, default=lambda y: -y), (X,)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gives_what_the_compiled_function_gives(name: str) -> None:
    function, arguments = FUNCTIONS[name]
    program = plain.Function.of(jax.jit(function).trace(*arguments))
    copies = [np.array(argument) for argument in arguments]
    found, expected = program(copies, np.inf), jax.jit(function)(*arguments)
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert isinstance(one, jax.Array)
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)
    for argument, copy in zip(arguments, copies, strict=True):
        np.testing.assert_array_equal(argument, copy)


def test_results_are_not_the_memory_of_arguments() -> None:
    x = np.arange(3.0)
    found = plain.Function.of(jax.jit(lambda x: x).trace(x))([x], np.inf)
    x[0] = 7.0
    assert found.tolist() == [0.0, 1.0, 2.0]


def test_a_program_can_be_stored() -> None:
    function, arguments = FUNCTIONS["loops"]
    program = plain.Function.of(jax.jit(function).trace(*arguments))
    again = pickle.loads(pickle.dumps(program))
    assert jax.tree.map(jnp.array_equal, again(arguments, np.inf), program(arguments, np.inf)) == (True, True)


def test_a_run_ends_when_its_time_is_over() -> None:
    endless = plain.Function.of(jax.jit(lambda x: lax.while_loop(lambda s: s >= 0, lambda s: s + 1, x)).trace(1))
    with pytest.raises(plain.OutOfTime):
        endless([np.array(1)], 0.0)


def test_what_there_is_no_operation_for_is_refused() -> None:
    with pytest.raises(plain.Unsupported, match="random"):
        plain.Function.of(jax.jit(lambda seed: jax.random.normal(jax.random.key(seed))).trace(1))
