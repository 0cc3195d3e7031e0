"""Stored programs: traced once, found again, made anew where they are damaged."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
import pytest
from jax import Array

from pyhf_func.cli import programs


class Traced:
    """A function that counts how often it is traced."""

    def __init__(self, factor: float = 2.0) -> None:
        self.count = 0
        self.factor = factor

    def __call__(self, x: Array, rest: dict[str, Array]) -> tuple[Array, ...]:
        self.count += 1
        return self.factor * x + rest["y"], jnp.sum(x)


def arguments(n: int = 3) -> tuple[Any, ...]:
    return jnp.arange(n) + 0.5, {"y": jnp.ones(n)}


def test_is_traced_once(tmp_path: Path) -> None:
    first, second = Traced(), Traced()
    a = programs.call(first, "f", arguments(), tmp_path)
    b = programs.call(second, "f", arguments(), tmp_path)
    assert first.count > 0
    assert second.count == 0
    assert a[0].tolist() == b[0].tolist() == [2.0, 4.0, 6.0]
    assert float(a[1]) == float(b[1]) == 4.5


def test_names_and_shapes_are_told_apart(tmp_path: Path) -> None:
    programs.call(Traced(), "f", arguments(), tmp_path)
    assert programs.call(Traced(3.0), "g", arguments(), tmp_path)[0].tolist() == [2.5, 5.5, 8.5]
    assert programs.call(Traced(), "f", arguments(2), tmp_path)[0].tolist() == [2.0, 4.0]
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("content", [b"", b"no program"])
def test_damaged_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    programs.call(Traced(), "f", arguments(), tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    again = Traced()
    assert float(programs.call(again, "f", arguments(), tmp_path)[1]) == 4.5
    assert again.count > 0
    assert path.read_bytes() != content


@pytest.mark.parametrize("folder", [None, Path("no") / "such" / "folder"])
def test_works_without_a_folder(folder: Path | None) -> None:
    assert float(programs.call(Traced(), "f", arguments(), folder)[1]) == 4.5


def test_compilers_that_do_not_know_the_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_OPTIONS", {"xla_cpu_of_another_release": True})
    for folder in (tmp_path, None):
        assert programs.call(Traced(), "f", arguments(), folder)[0].tolist() == [2.0, 4.0, 6.0]


def test_errors_of_the_computation_are_told(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="incompatible shapes"):
        programs.call(lambda x, rest: x + rest["y"][:2], "f", arguments(), tmp_path)
