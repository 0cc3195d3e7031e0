"""The bracketed Newton root by itself, on functions whose roots are known, above lower bounds that are not zero."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from pyhf_func.core import roots

FALLING: dict[str, Callable[[Array], Array]] = {
    "line": lambda x: 2.0 - x,
    "exponential": lambda x: jnp.exp(-5 * (x - 2.0)) - 1,
    "flat at the root": lambda x: -((x - 2.0) ** 3),
    "steep at the root": lambda x: -jnp.cbrt(x - 2.0),
    "step": lambda x: jnp.where(x < 2.0, 1.0, -1.0),
    "nearly level": lambda x: 1e-6 * (2.0 - x) / (1 + x**2),
}


def solve(function: Callable[[Array], Array], at: float, low: float, most: int = 200) -> tuple[float, int]:
    """The root, and after how many values of the function it was found."""
    bracket = roots.init(jnp.array(at), jnp.array(low), jnp.array(low))
    both = jax.jit(jax.value_and_grad(function))
    step = jax.jit(lambda bracket: roots.step(bracket, *both(bracket.at), least=0.1))
    for tries in range(1, most + 1):
        last, bracket = bracket.at, step(bracket)
        assert low <= float(bracket.low) <= float(bracket.at) <= float(bracket.high)
        if float(both(last)[0]) == 0 or bool(roots.collapsed(bracket, 1e-12)):
            return float(last), tries
    raise AssertionError("not found")


@pytest.mark.parametrize("name", FALLING)
@pytest.mark.parametrize(("low", "at"), [(0.0, 1.0), (-30.0, -29.5), (1.5, 1.6), (-3.0, 40.0), (1.5, 1.5)])
def test_roots_are_found_above_any_lower_bound(name: str, low: float, at: float) -> None:
    assert solve(FALLING[name], at, low)[0] == pytest.approx(2.0, abs=1e-5)


def test_newton_is_fast_where_it_applies() -> None:
    assert solve(FALLING["line"], 0.5, -1.0)[1] <= 3


def test_a_bracket_without_a_root_grows_without_end() -> None:
    bracket = roots.init(jnp.array(1.0), jnp.array(-2.0), jnp.array(-2.0))
    for _ in range(60):
        bracket = roots.step(bracket, jnp.array(1.0), jnp.array(0.0))
    assert float(bracket.at) > 1e30
    assert not roots.collapsed(bracket, 1e-12)


def test_located_roots_are_functions_of_their_inputs() -> None:
    """Derivatives of any order, in forward and reverse mode; zero where there is no root or no slope."""

    def root(square: Array) -> Array:
        located = jax.lax.stop_gradient(jnp.sqrt(square))
        return roots.attach(lambda root, square: root**2 - square, square, located)

    derivatives = [root, jax.grad(root), jax.jacfwd(jax.grad(root)), jax.grad(jax.grad(jax.grad(root)))]
    expected = [2.0, 1 / 4, -1 / 32, 3 / 256]
    np.testing.assert_allclose([float(one(4.0)) for one in derivatives], expected, rtol=1e-12)
    assert float(jax.grad(root)(0.0)) == 0.0
    assert float(jax.grad(lambda a: roots.attach(lambda root, a: a - root, a, jnp.array(jnp.inf)))(1.0)) == 0.0
