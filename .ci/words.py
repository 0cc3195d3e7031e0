"""Refuse wording that is not idiomatic English, in docstrings, messages and help texts: ``python .ci/words.py``."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("pyhf_func", "adapters", "examples")
NOT_YET = ("cli", "documents", "plot")
"""Rooms whose docstrings may still begin with "What": the list only shrinks."""

ANYWHERE = {
    r"(?<!there )(?<!There )\b(is|are) none\b(?! of\b)": 'write "is not a ...", or name the fault',
    r"\bwhat is no\b": 'write "unless it is a ..."',
    r"\bnot a number where none was asked for": 'write "NaN unless it was asked for"',
    r"^\s*(Tell|Say) ": 'write "Report", "Return" or "Warn"',
}
FIRST_LINES = {r"^(What|Whose) ": "begin with a noun: the thing that it is"}


def docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Strings that stand alone: docstrings of modules, classes, functions and fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def found(path: Path) -> Iterator[str]:
    """What is wrong in a file, with the line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    first = {id(node) for node in docstrings(tree)}
    done = path.parts[len(ROOT.parts) + 1] not in NOT_YET
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        for place, line in enumerate(node.value.splitlines()):
            rules = ANYWHERE | (FIRST_LINES if done and id(node) in first and not place else {})
            for pattern, advice in rules.items():
                if re.search(pattern, line):
                    yield f"{path.relative_to(ROOT)}:{node.lineno + place}: {line.strip()!r}: {advice}"


def main() -> int:
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    wrong = [fault for path in files for fault in found(path)]
    print("\n".join(wrong) or f"words: {len(files)} files")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
