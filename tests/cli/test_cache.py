"""Where the compilation cache lies, when it is trusted, and how it stays whole and small."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyhf_func.cli import cache


def test_chosen_directory_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.user_cache_directory() == tmp_path


@pytest.mark.parametrize(
    ("system", "expected"),
    [("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local")],
)
def test_place_of_the_platform(system: str, expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(cache.sys, "platform", system)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache.user_cache_directory() == tmp_path / expected


def test_processor_has_one_name() -> None:
    name = cache.processor_fingerprint()
    assert name == cache.processor_fingerprint()
    assert len(name) == 12


def test_oldest_entries_are_removed_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cache, "MAX_BYTES", 250)
    for age, name in enumerate(["newest", "middle", "oldest"]):
        file = tmp_path / name
        file.write_bytes(b"x" * 100)
        os.utime(file, (1_000_000 - age, 1_000_000 - age))
    cache._remove_oldest(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"newest", "middle"}
    cache._remove_oldest(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"newest", "middle"}


def test_a_place_that_is_not_absolute_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setattr(cache.sys, "platform", "linux")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache.user_cache_directory() == tmp_path / ".cache"


# which folder is trusted


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_folders_are_for_their_owner_alone(mask: int, place: Path) -> None:
    before = os.umask(mask)
    try:
        folder = cache._own_folder()
    finally:
        os.umask(before)
    assert folder is not None
    assert {path.stat().st_mode & 0o777 for path in (place, *place.rglob("*"))} == {0o700}
    assert cache._own_folder() == folder


@pytest.mark.parametrize("level", range(3))
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_is_no_cache(level: int, mode: int, place: Path) -> None:
    folder = cache._own_folder()
    assert folder is not None
    (folder / "kept").touch()
    [folder, *folder.parents][level].chmod(mode)
    assert cache._own_folder() is None
    assert [path.name for path in folder.iterdir()] == ["kept"]


@pytest.mark.parametrize(("mode", "trusted"), [(0o777, False), (0o1777, True), (0o775, True)])
def test_folders_of_ours_must_not_be_replaceable_by_all(mode: int, trusted: bool, place: Path) -> None:
    place.mkdir()
    place.chmod(mode)
    assert (cache._own_folder() is not None) == trusted


def test_a_folder_of_somebody_else_is_no_cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache._own_folder() is not None
    own = os.geteuid()
    monkeypatch.setattr(cache.os, "geteuid", lambda: own + 1)
    assert cache._own_folder() is None


def test_a_file_or_nothing_in_the_place_of_the_folder_is_no_cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write_text("a file")
    assert cache._own_folder() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/no/such")
    assert cache._own_folder() is None


def test_a_folder_that_the_user_named_for_jax_is_checked_too(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(place / "named"))
    folder = cache._own_folder()
    assert folder is not None
    assert folder.is_relative_to(place / "named")
    (place / "named").chmod(0o777)
    assert cache._own_folder() is None
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "gs://bucket/cache")
    assert cache._own_folder() is None


# the entries of JAX, in processes of their own: JAX decides once a process where its cache is

PROGRAM = """
import resource, sys
from pyhf_func.cli import cache
folder = cache.enable()
import jax, jax.numpy as jnp
if "full" in sys.argv:
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
def double(x): return x + jnp.sum(x)
def triple(x): return x - jnp.sum(x)
print(jax.jit(double)(jnp.arange(3.0)).tolist(), jax.jit(triple)(jnp.arange(3.0)).tolist())
"""


def processes(place: Path, *arguments: str, count: int = 1) -> None:
    """Run the program in several processes at once, each of which must give the numbers and not a word more."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(place), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    begun = [
        subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(count)
    ]
    assert {process.communicate() for process in begun} == {("[3.0, 4.0, 5.0] [-3.0, -2.0, -1.0]\n", "")}


def entries(place: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(place.rglob("*-cache"))}


def changed(kind: str, contents: dict[Path, bytes]) -> dict[Path, bytes]:
    if kind == "swapped":
        first, *others = contents.values()
        return dict(zip(contents, [*others, first], strict=True))
    cut = {"truncated": slice(0, -20), "emptied": slice(0, 0)}
    if kind in cut:
        return {path: content[cut[kind]] for path, content in contents.items()}
    return {path: content[:50] + bytes([content[50] ^ 4]) + content[51:] for path, content in contents.items()}


@pytest.mark.parametrize("kind", ["swapped", "truncated", "emptied", "flipped"])
def test_damaged_entries_of_jax_are_not_run_but_replaced(kind: str, place: Path) -> None:
    processes(place)
    good = entries(place)
    assert len(good) > 1
    damaged = changed(kind, good)
    for path, content in damaged.items():
        path.write_bytes(content)
    processes(place)
    repaired = entries(place)
    assert repaired.keys() == good.keys()
    assert all(repaired[path] != damaged[path] for path in good)
    processes(place)
    assert entries(place) == repaired


def test_entries_that_a_full_disk_cut_are_replaced(place: Path) -> None:
    processes(place, "full")
    cut = entries(place)
    assert all(len(content) <= 300 for content in cut.values())
    processes(place)
    whole = entries(place)
    assert any(len(content) > 300 for content in whole.values())
    processes(place)
    assert entries(place) == whole


def test_processes_at_once_do_not_disturb_one_another(place: Path) -> None:
    processes(place, count=3)
    processes(place, count=3)
    assert entries(place)
