"""Jobs in threads: all results, in order, and no more begun than needed."""

import threading
from collections.abc import Callable

import jax
import jax.numpy as jnp
import pytest

from pyhf_func.core import threads


@pytest.fixture(autouse=True, params=[1, 2, 5])
def _cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_cores", lambda: request.param)


def test_results_come_in_order() -> None:
    square = jax.jit(lambda x: x**2)
    assert [int(x) for x in threads.in_order(lambda n: square(n), range(40))] == [n**2 for n in range(40)]
    assert list(threads.in_order(square, [])) == []


def failing(at: int) -> tuple[Callable[[int], int], list[int]]:
    begun: list[int] = []

    def call(n: int) -> int:
        begun.append(n)
        if n == at:
            raise ArithmeticError(f"job {n}")
        return n

    return call, begun


def test_an_error_comes_in_its_turn() -> None:
    call, _ = failing(7)
    results = threads.in_order(call, range(1000))
    assert [next(results) for _ in range(7)] == list(range(7))
    with pytest.raises(ArithmeticError, match="job 7"):
        next(results)


def test_nothing_is_begun_that_nobody_waits_for() -> None:
    call, begun = failing(-1)
    results = threads.in_order(call, range(1000))
    assert next(results) == 0
    results.close()
    assert len(begun) <= 1 + 2 * threads._cores()


def test_settings_of_a_block_hold_for_its_jobs() -> None:
    """Settings of JAX that hold for one thread: then there are no others."""
    own = threading.get_ident()
    with jax.enable_x64(False):
        found = list(threads.in_order(lambda n: (jnp.asarray(float(n)).dtype, threading.get_ident()), range(10)))
    assert set(found) == {(jnp.dtype("float32"), own)}
