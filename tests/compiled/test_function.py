"""Calls from Python run a quickly compiled program first, and an optimised one once that pays."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pyhf_func.compiled import function as compiled
from pyhf_func.compiled.function import FAST_TO_COMPILE, FAST_TO_RUN, Compiled, clear_programs


class Traced:
    """The p-norm, and how often Python ran it."""

    def __init__(self) -> None:
        self.traces = 0

    def __call__(self, order: int, x: jax.Array) -> jax.Array:
        self.traces += 1
        return jnp.sum(jnp.abs(x) ** order) ** (1 / order)


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """The options of each compilation."""
    seen: list[dict[str, object]] = []
    compile_ = compiled._compile

    def noted(lowered: jax.stages.Lowered, options: dict[str, object]) -> jax.stages.Compiled:
        seen.append(options)
        return compile_(lowered, options)

    monkeypatch.setattr(compiled, "_compile", noted)
    return seen


def test_first_calls_compile_nothing(compilations: list[dict[str, object]]) -> None:
    function = Traced()
    norm = Compiled(function, static=1)
    assert [float(norm(2, np.array([3.0, 4.0]))) for _ in range(2)] == [5.0] * 2
    assert (compilations, function.traces) == ([], 1)


def test_a_call_that_takes_too_long_is_made_again_by_a_compiled_program(
    compilations: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "_SECONDS_FOR_AN_EQUATION", -1.0)
    count = Compiled(lambda n: jax.lax.while_loop(lambda k: k < n, lambda k: k + 1, jnp.zeros((), n.dtype)))
    assert int(count(np.array(10))) == 10
    assert compilations == [FAST_TO_COMPILE]


def test_what_numpy_can_not_run_is_compiled_at_once(compilations: list[dict[str, object]]) -> None:
    draw = Compiled(lambda seed: jax.random.normal(jax.random.key(seed), (2,)))
    assert draw(np.array(1)).tolist() == jax.random.normal(jax.random.key(1), (2,)).tolist()
    assert compilations == [FAST_TO_COMPILE]


@pytest.mark.usefixtures("compiled_from_the_beginning")
def test_a_program_is_optimised_once_its_calls_took_as_long_as_its_compilation(
    compilations: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(0, 10**6, 5))  # a call takes as long as the compilation before it
    monkeypatch.setattr(compiled.time, "perf_counter", lambda: next(seconds))
    function = Traced()
    norm = Compiled(function, static=1)
    x = jnp.array([3.0, 4.0])
    assert [float(norm(2, x)) for _ in range(4)] == [5.0] * 4
    assert compilations == [FAST_TO_COMPILE, FAST_TO_RUN]
    assert function.traces == 1


@pytest.mark.usefixtures("compiled_from_the_beginning")
def test_a_long_computation_is_optimised_at_once(compilations: list[dict[str, object]]) -> None:
    norm = Compiled(Traced(), static=1, long=True)
    assert float(norm(2, np.array([3.0, 4.0]))) == 5.0
    assert compilations == [FAST_TO_RUN]


def test_each_structure_shape_type_and_static_argument_is_compiled_once() -> None:
    function = Traced()
    norm = Compiled(function, static=1)
    x = np.array([3.0, 4.0])
    for order, array in [(2, x), (1, x), (2, x[:1]), (2, x.astype(np.float32)), (2, jnp.asarray(4.0))]:
        for again in (array, jnp.asarray(array)):
            assert float(norm(order, again)) == pytest.approx(np.linalg.norm(np.atleast_1d(array), order))
    assert function.traces == 5


def test_transformations_see_the_function_and_not_a_compiled_program(compilations: list[dict[str, object]]) -> None:
    norm = Compiled(Traced(), static=1)
    x = jnp.array([[3.0, 4.0], [6.0, 8.0]])
    assert jax.vmap(lambda row: norm(2, row))(x).tolist() == [5.0, 10.0]
    assert jax.jit(lambda row: norm(2, row))(x[0]) == 5.0
    assert jax.grad(lambda row: norm(2, row))(x[0]).tolist() == pytest.approx([0.6, 0.8])
    assert compilations == []


def test_debugging_and_eager_modes_of_jax_are_respected(compilations: list[dict[str, object]]) -> None:
    function = Traced()
    norm = Compiled(function, static=1)
    x = jnp.array([3.0, 4.0])
    with jax.disable_jit():
        assert [float(norm(2, x)) for _ in range(3)] == [5.0] * 3
    assert function.traces == 3
    with jax.debug_nans(True), pytest.raises(FloatingPointError):
        norm(2, jnp.array([jnp.nan, 1.0]))
    assert compilations == []


def test_threads_share_one_compilation() -> None:
    function = Traced()
    norm = Compiled(function, static=1)
    found: list[float] = []
    threads = [threading.Thread(target=lambda: found.append(float(norm(2, jnp.array([3.0, 4.0]))))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, function.traces) == ([5.0] * 8, 1)


@pytest.mark.usefixtures("compiled_from_the_beginning")
def test_cleared_programs_are_compiled_again(compilations: list[dict[str, object]]) -> None:
    norm = Compiled(Traced(), static=1)
    for _ in range(2):
        norm(2, np.ones(3))
        clear_programs()
    assert compilations.count(FAST_TO_COMPILE) == 2


@pytest.mark.usefixtures("compiled_from_the_beginning")
def test_a_compiler_of_another_release_may_not_know_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "FAST_TO_COMPILE", {"xla_cpu_no_such_option": True})
    assert float(Compiled(Traced(), static=1)(2, np.array([3.0, 4.0]))) == 5.0
