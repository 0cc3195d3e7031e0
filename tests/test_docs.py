"""The pages of the documentation: their blocks of Python run, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
NEEDS = {"uproot": "uproot", "pf.plot": "matplotlib"}
PAGES = [page for page in sorted(DOCS.glob("*.md")) if BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page.read_text(encoding="utf-8")
    for word, package in NEEDS.items():
        if word in text:
            pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in BLOCK.findall(text):
        exec(block, names)


def test_the_tutorial_takes_thirty_lines() -> None:
    text = (DOCS / "from-histograms.md").read_text(encoding="utf-8")
    _, workspace, results, *_ = BLOCK.findall(text)
    lines = [line for line in (workspace + results).splitlines() if line.strip()]
    assert len(lines) <= 30
