"""Where the compilation cache lies and how it stays small."""

import os
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
