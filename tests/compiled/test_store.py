"""Stored programs: traced once, found again, made anew where they are damaged or belong to something else."""

import os
import random
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import Array
from jax.experimental.compilation_cache.compilation_cache import reset_cache

import pyhf_func as pf
from pyhf_func.compiled import Compiled, store


class Traced:
    """A function that counts how often it is traced; the store takes it for one of the library's."""

    def __init__(self, factor: float = 2.0, name: str = "f") -> None:
        self.count = 0
        self.factor = factor
        self.__module__ = "pyhf_func.tests"
        self.__qualname__ = name

    def __call__(self, x: Array, rest: dict[str, Array]) -> tuple[Array, ...]:
        self.count += 1
        return jnp.linalg.cholesky(self.factor**2 * jnp.eye(2))[0, 0] * x + rest["y"], jnp.sum(x)


def arguments(n: int = 3) -> tuple[Any, ...]:
    return jnp.arange(n) + 0.5, {"y": jnp.ones(n)}


pytestmark = pytest.mark.usefixtures("compiled_from_the_beginning")


def call(function: Any, n: int = 3) -> list[float]:
    """The first result in a session of its own, which has nothing in memory."""
    return Compiled(function)(*arguments(n))[0].tolist()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of programs, empty at first."""
    before, of_jax = dict(store._state), jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", None)
    reset_cache()  # once in use, JAX's cache no longer looks at its setting
    monkeypatch.setenv("PYHF_FUNC_CACHE", str(tmp_path / "programs"))
    pf.use_cache(True)
    found = store._folder()
    assert found is not None
    yield found
    store._state.clear()
    store._state.update(before)
    jax.config.update("jax_compilation_cache_dir", of_jax)
    reset_cache()


def test_is_traced_once() -> None:
    first, second = Traced(), Traced()
    assert call(first) == call(second) == [2.0, 4.0, 6.0]
    assert (first.count, second.count) == (1, 0)


def test_an_optimised_program_is_found_before_a_quickly_compiled_one() -> None:
    assert Compiled(Traced(), long=True)(*arguments())[0].tolist() == [2.0, 4.0, 6.0]
    again = Traced()
    assert call(again) == [2.0, 4.0, 6.0]
    assert again.count == 0


def test_processes_that_need_a_program_at_once_compile_it_once(folder: Path) -> None:
    """A lock of a file keeps out threads, too, each with nothing in memory."""
    functions, together = [Traced() for _ in range(3)], threading.Barrier(3)

    def session(function: Traced) -> Any:
        together.wait()
        return Compiled(function, alike=True)(*arguments())[0].tolist()

    with ThreadPoolExecutor(3) as pool:
        assert [*pool.map(session, functions)] == 3 * [[2.0, 4.0, 6.0]]
    assert sum(function.count for function in functions) == 1
    assert len(list(folder.iterdir())) == 1


def test_a_process_that_never_ends_its_compilation_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_PATIENCE", 0.1)
    monkeypatch.setattr(store, "key_of", lambda *parts: "any")
    with store.compiling("any"):
        assert Compiled(Traced(), alike=True)(*arguments())[0].tolist() == [2.0, 4.0, 6.0]


def test_names_and_shapes_are_told_apart(folder: Path) -> None:
    call(Traced())
    assert call(Traced(3.0, "g")) == [2.5, 5.5, 8.5]
    assert call(Traced(), 2) == [2.0, 4.0]
    assert len(list(folder.iterdir())) == 3


def test_a_function_that_is_not_known_by_its_name_is_not_stored(folder: Path) -> None:
    def local(x: Array) -> Array:
        return 2 * x

    minimiser = pf.Newton()
    assert float(Compiled(local)(jnp.array(1.0))) == 2.0
    assert float(Compiled(lambda x: 3 * x)(jnp.array(1.0))) == 3.0
    assert store.key_of(Traced(), (object(),)) is None
    assert store.key_of(Traced(), (minimiser, "q")) != store.key_of(Traced(), (pf.Newton(9), "q"))
    assert not [*folder.iterdir()]


def damages(content: bytes) -> list[bytes]:
    """Cut, changed at any place, emptied, foreign."""
    places = random.Random(18)
    cuts = [content[: places.randrange(1, len(content))] for _ in range(3)]
    flips = []
    for place in [0, 100, 200, *(places.randrange(len(content)) for _ in range(8))]:
        flips.append(content[:place] + bytes([content[place] ^ (1 << places.randrange(8))]) + content[place + 1 :])
    return [b"", b"no program", content + b"x", *cuts, *flips]


def test_a_damaged_program_is_made_anew(folder: Path) -> None:
    expected = call(Traced())
    (path,) = folder.iterdir()
    for content in damages(path.read_bytes()):
        path.write_bytes(content)
        again, afterwards = Traced(), Traced()
        assert call(again) == expected
        assert again.count > 0
        call(afterwards)
        assert afterwards.count == 0


def test_programs_under_each_others_names_are_not_run(folder: Path) -> None:
    call(Traced(2.0, "f"))
    (first,) = folder.iterdir()
    call(Traced(3.0, "g"))
    (second,) = {*folder.iterdir()} - {first}
    shutil.move(first, folder / "aside")
    shutil.move(second, first)
    shutil.move(folder / "aside", second)
    for factor, name in ((2.0, "f"), (3.0, "g")):
        assert call(Traced(factor, name))[0] == 0.5 * factor + 1
    assert call(Traced(-1.0))[0] == 2.0  # repaired


@pytest.mark.parametrize("what", ["_code", "_surroundings"])
def test_a_program_of_other_code_or_settings_is_not_run(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call(Traced(2.0))
    monkeypatch.setattr(store, what, lambda: "other")
    assert call(Traced(3.0))[0] == 2.5


def test_a_precision_of_products_set_in_jax_is_part_of_the_program() -> None:
    call(Traced(2.0))
    with jax.default_matmul_precision("bfloat16"):
        assert call(Traced(3.0))[0] == 2.5


def fails(*args: object, **options: object) -> None:
    raise ImportError("of another release")


@pytest.mark.parametrize(
    "broken",
    [
        "jax.experimental.serialize_executable.serialize",
        "jax.experimental.serialize_executable.deserialize_and_load",
        "pyhf_func.compiled.store._load_kernels",
    ],
)
def test_a_store_that_fails_is_no_store(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call(Traced())
    monkeypatch.setattr(broken, fails)
    for name in "fg":
        assert call(Traced(2.0, name)) == [2.0, 4.0, 6.0]


def test_a_program_that_is_found_but_cannot_be_run_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*leaves: Any) -> None:
        raise jax.errors.JaxRuntimeError("NOT_FOUND: Function broadcast_kernel not found")

    call(Traced())
    with monkeypatch.context() as patch:
        patch.setattr("jax.experimental.serialize_executable.deserialize_and_load", lambda *parts: lacking)
        again = Traced()
        norm = Compiled(again)
        assert [norm(*arguments())[0].tolist() for _ in range(2)] == [[2.0, 4.0, 6.0]] * 2
        assert again.count == 1
    repaired = Traced()
    assert call(repaired) == [2.0, 4.0, 6.0]
    assert repaired.count == 0


PROGRAM_WITH_THE_CACHE_OF_JAX = """
import pyhf_func as pf
model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
print(pf.fit([51.0, 48.0] + model.config.auxdata, model).twice_nll)
"""


def test_the_cache_of_jax_may_be_used_or_not(tmp_path: Path) -> None:
    """Nothing is stored of what JAX has from its own cache, which lacks parts when it is stored once more."""
    cached = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "jax"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    found = []
    for of_jax in (cached, cached, {}, {}):
        environment = {**os.environ, "PYHF_FUNC_CACHE": str(tmp_path / "ours"), "PYTHONWARNINGS": "error", **of_jax}
        if not of_jax:
            environment.pop("JAX_COMPILATION_CACHE_DIR", None)
        command = [sys.executable, "-c", PROGRAM_WITH_THE_CACHE_OF_JAX]
        found.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(set(found)) == 1


def test_a_full_disk_leaves_nothing_behind(folder: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        found = call(Traced())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert found == [2.0, 4.0, 6.0]
    assert not [*folder.iterdir()]


def test_a_folder_in_the_place_of_a_program_does_not_matter(folder: Path) -> None:
    call(Traced())
    (path,) = folder.iterdir()
    path.unlink()
    path.mkdir()
    assert call(Traced()) == [2.0, 4.0, 6.0]


@pytest.mark.parametrize("setting", ["off", "0", "relative/folder", "/proc/no/such"])
def test_works_without_a_folder(setting: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYHF_FUNC_CACHE", setting)
    store._state.clear()
    assert call(Traced()) == [2.0, 4.0, 6.0]
    assert not [*folder.iterdir()]
    assert store._folder() is None


def test_errors_of_the_computation_are_raised() -> None:
    with pytest.raises(TypeError, match="incompatible shapes"):
        Compiled(lambda x, rest: x + rest["y"][:2])(*arguments())


PROGRAM = """
import pyhf_func as pf
model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
traced = []
minimise = pf.Newton.__call__
pf.Newton.__call__ = lambda *args: traced.append(1) or minimise(*args)
print(pf.fit([51.0, 48.0] + model.config.auxdata, model).twice_nll, bool(traced))
"""


def test_another_session_does_not_trace_again(tmp_path: Path) -> None:
    environment = {**os.environ, "PYHF_FUNC_CACHE": str(tmp_path), "PYTHONWARNINGS": "error"}
    found = [
        subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [run.stderr for run in found] == ["", ""]
    (first, traced), (second, again) = (run.stdout.split() for run in found)
    assert first == second
    assert (traced, again) == ("True", "False")
