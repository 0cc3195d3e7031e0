"""Stored programs: traced once, found again, made anew where they are damaged or belong to something else."""

import random
import resource
import shutil
from pathlib import Path
from typing import Any

import jax
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


def damages(content: bytes) -> list[bytes]:
    """Cut, changed at any place, emptied, foreign."""
    places = random.Random(18)
    cuts = [content[: places.randrange(1, len(content))] for _ in range(3)]
    flips = []
    for place in [0, 100, 200, *(places.randrange(len(content)) for _ in range(8))]:
        flips.append(content[:place] + bytes([content[place] ^ (1 << places.randrange(8))]) + content[place + 1 :])
    return [b"", b"no program", content + b"x", *cuts, *flips]


def test_a_damaged_program_is_made_anew(tmp_path: Path) -> None:
    expected = programs.call(Traced(), "f", arguments(), tmp_path)
    (path,) = tmp_path.iterdir()
    for content in damages(path.read_bytes()):
        path.write_bytes(content)
        again, afterwards = Traced(), Traced()
        assert programs.call(again, "f", arguments(), tmp_path)[0].tolist() == expected[0].tolist()
        assert again.count > 0
        programs.call(afterwards, "f", arguments(), tmp_path)
        assert afterwards.count == 0


def test_programs_under_each_others_names_are_not_run(tmp_path: Path) -> None:
    programs.call(Traced(2.0), "f", arguments(), tmp_path)
    (first,) = tmp_path.iterdir()
    programs.call(Traced(3.0), "g", arguments(), tmp_path)
    (second,) = {*tmp_path.iterdir()} - {first}
    shutil.move(first, tmp_path / "aside")
    shutil.move(second, first)
    shutil.move(tmp_path / "aside", second)
    for factor, name in ((2.0, "f"), (3.0, "g")):
        assert programs.call(Traced(factor), name, arguments(), tmp_path)[0].tolist()[0] == 0.5 * factor + 1
    assert programs.call(Traced(-1.0), "f", arguments(), tmp_path)[0].tolist()[0] == 2.0  # repaired


@pytest.mark.parametrize("what", ["_code", "_surroundings"])
def test_a_program_of_other_code_or_settings_is_not_run(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.call(Traced(2.0), "f", arguments(), tmp_path)
    monkeypatch.setattr(programs, what, lambda: "other")
    assert programs.call(Traced(3.0), "f", arguments(), tmp_path)[0].tolist()[0] == 2.5


def test_a_precision_of_products_set_in_jax_is_part_of_the_program(tmp_path: Path) -> None:
    programs.call(Traced(2.0), "f", arguments(), tmp_path)
    with jax.default_matmul_precision("bfloat16"):
        assert programs.call(Traced(3.0), "f", arguments(), tmp_path)[0].tolist()[0] == 2.5


def fails(*args: object, **options: object) -> None:
    raise ImportError("flatbuffers")


@pytest.mark.parametrize(
    "broken", ["jax.export.export", "jax.export.deserialize", "pyhf_func.cli.programs._name_results"]
)
def test_a_store_that_fails_is_no_store(broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs.call(Traced(), "f", arguments(), tmp_path)
    monkeypatch.setattr(broken, fails)
    for name in "fg":
        assert programs.call(Traced(), name, arguments(), tmp_path)[0].tolist() == [2.0, 4.0, 6.0]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        found = programs.call(Traced(), "f", arguments(), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert found[0].tolist() == [2.0, 4.0, 6.0]
    assert not [*tmp_path.iterdir()]


def test_a_folder_in_the_place_of_a_program_does_not_matter(tmp_path: Path) -> None:
    programs.call(Traced(), "f", arguments(), tmp_path)
    (path,) = tmp_path.iterdir()
    path.unlink()
    path.mkdir()
    assert programs.call(Traced(), "f", arguments(), tmp_path)[0].tolist() == [2.0, 4.0, 6.0]


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
