"""The documentation is complete, names what is there, and its short pages run; `make docs` runs the others, too."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import shutil
import textwrap
import types
from pathlib import Path

import pytest

import pyhf_func as pf

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in sorted(DOCS.rglob("*.md"))}
BLOCK = re.compile(r"```(?:python|{code-cell} python)\n(.*?)```", re.DOTALL)
NEEDS = {"uproot": "uproot", "to_root": "uproot", "pf.plot": "matplotlib", "to_hepdata": "yaml"}
PAGES = [page for page in sorted(DOCS.glob("*.md")) if BLOCK.search(page.read_text(encoding="utf-8"))]
VALUES = {"__version__", "default_backend", "default_optimizer", "optimizer", "tensorlib"}
"""Public names that have no docstring of their own."""


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page.read_text(encoding="utf-8")
    for word, package in NEEDS.items():
        if word in text:
            pytest.importorskip(package, reason=f"{package} is not installed")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("output"))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in BLOCK.findall(text):
        exec(block, names)


def test_the_tutorial_takes_thirty_lines() -> None:
    text = (DOCS / "from-histograms.md").read_text(encoding="utf-8")
    _, workspace, results, *_ = BLOCK.findall(text)
    lines = [line for line in (workspace + results).splitlines() if line.strip()]
    assert len(lines) <= 30


def _documented(folder: str) -> set[str]:
    text = "\n".join(page for name, page in TEXTS.items() if name.startswith(f"docs/{folder}"))
    return {name.split(".")[-1] for name in re.findall(r"^\.\. auto(?:class|function):: (\S+)", text, re.MULTILINE)}


def test_the_reference_has_every_public_name() -> None:
    things = {name for name in pf.__all__ if not isinstance(getattr(pf, name), types.ModuleType)}
    assert things - VALUES <= _documented("reference")


def test_help_stands_on_its_own() -> None:
    """Of each public class and function: a result names its verb, and all others have an example."""
    for name in {*pf.__all__} - VALUES:
        thing = getattr(pf, name)
        if not isinstance(thing, types.ModuleType):
            text = inspect.getdoc(thing) or ""
            wanted = "pyhf_func." if _is_result(thing) else ">>> "
            assert wanted in text, name


def test_the_reference_has_every_picture() -> None:
    assert set(pf.plot.__all__) <= _documented("reference/plot")


@pytest.mark.parametrize("page", TEXTS)
def test_only_pages_that_run_have_python(page: str) -> None:
    """What is no cell is not executed by `make docs`: only the pages that are run here may have such blocks."""
    assert "```python" not in TEXTS[page] or ROOT / page in PAGES


@pytest.mark.parametrize("page", TEXTS)
def test_files_that_pages_name_are_there(page: str) -> None:
    named = re.findall(r"`((?:pyhf_func|adapters|tests|benchmarks|examples|docs|\.ci)/[\w./-]*)`", TEXTS[page])
    assert [path for path in named if not (ROOT / path).exists()] == []


def _is_result(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, tuple) and hasattr(thing, "_fields")


RESULTS = [name for name in pf.__all__ if _is_result(getattr(pf, name))]


@pytest.mark.parametrize("name", RESULTS)
def test_every_field_of_a_result_is_explained(name: str) -> None:
    """By a text below it, which the reference shows."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(getattr(pf, name)))).body
    assert isinstance(definition, ast.ClassDef)
    explained = {
        field.target.id
        for field, text in itertools.pairwise(definition.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }
    assert set(getattr(pf, name)._fields) == explained
