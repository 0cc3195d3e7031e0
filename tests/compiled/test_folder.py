"""Where compiled programs are kept, when that place is trusted, and how it stays small."""

import os
from pathlib import Path

import pytest

from pyhf_func.compiled import folder as cache


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
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_folders_are_for_their_owner_alone(mask: int, place: Path) -> None:
    before = os.umask(mask)
    try:
        folder = cache.own_folder()
    finally:
        os.umask(before)
    assert folder is not None
    assert {path.stat().st_mode & 0o777 for path in (place, *place.rglob("*"))} == {0o700}
    assert cache.own_folder() == folder


@pytest.mark.parametrize("level", range(3))
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_is_no_cache(level: int, mode: int, place: Path) -> None:
    folder = cache.own_folder()
    assert folder is not None
    (folder / "kept").touch()
    [folder, *folder.parents][level].chmod(mode)
    assert cache.own_folder() is None
    assert [path.name for path in folder.iterdir()] == ["kept"]


@pytest.mark.parametrize(("mode", "trusted"), [(0o777, False), (0o1777, True), (0o775, True)])
def test_folders_of_ours_must_not_be_replaceable_by_all(mode: int, trusted: bool, place: Path) -> None:
    place.mkdir()
    place.chmod(mode)
    assert (cache.own_folder() is not None) == trusted


def test_a_folder_of_somebody_else_is_no_cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache.own_folder() is not None
    own = os.geteuid()
    monkeypatch.setattr(cache.os, "geteuid", lambda: own + 1)
    assert cache.own_folder() is None


def test_a_file_or_nothing_in_the_place_of_the_folder_is_no_cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write_text("a file")
    assert cache.own_folder() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/no/such")
    assert cache.own_folder() is None


def test_a_folder_that_the_user_named_is_checked_too(place: Path) -> None:
    folder = cache.own_folder(place / "named")
    assert folder is not None
    assert folder.is_relative_to(place / "named")
    (place / "named").chmod(0o777)
    assert cache.own_folder(place / "named") is None
    assert cache.own_folder(Path("relative")) is None
