"""Sealed files: read only where they are files, and only as they were written."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyhf_func.compiled import sealed


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links in folders")
@pytest.mark.parametrize(
    "make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to(path)]
)
def test_what_would_never_end_is_not_read_and_is_replaced(make: Callable[[Path], object], tmp_path: Path) -> None:
    make(tmp_path / "entry")
    assert sealed.read(tmp_path / "entry", "key") is None
    sealed.write(tmp_path / "entry", "key", b"content")
    assert sealed.read(tmp_path / "entry", "key") == b"content"
    assert sealed.read(tmp_path / "entry", "other") is None
