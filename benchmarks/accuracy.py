"""``python -m benchmarks.accuracy [FILES...]``: fits and CLs beside those of pyhf, as a table in Markdown.

Without files the small workspaces of the benchmarks, the example and, where they are, the published ones are compared.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pyhf_func as pf
from benchmarks import files


class Numbers(NamedTuple):
    """What is compared."""

    twice_nll: float
    cls: float
    cls_expected: float


def ours(document: dict[str, Any]) -> Numbers:
    """The numbers of this library."""
    workspace = pf.Workspace(document)
    model = workspace.model()
    data = workspace.data(model)
    test = pf.hypotest(1.0, data, model)
    return Numbers(float(pf.fit(data, model).twice_nll), float(test.cls), float(test.cls_expected[2]))


def of_pyhf(document: dict[str, Any]) -> Numbers:
    """The numbers of pyhf with NumPy and SciPy."""
    import pyhf

    workspace = pyhf.Workspace(document)
    model = workspace.model()
    data = workspace.data(model)
    _, twice_nll = pyhf.infer.mle.fit(data, model, return_fitted_val=True)
    cls, expected = pyhf.infer.hypotest(1.0, data, model, return_expected=True)
    return Numbers(float(twice_nll), float(cls), float(expected))


def main(given: list[str]) -> None:
    """Print one line a file; a number that pyhf could not compute is an error of that line alone."""
    print("| file | -2 ln L | less pyhf's | CLs | less pyhf's | expected CLs | less pyhf's |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for file in files.collect(map(Path, given), Path(folder), only_given=bool(given)):
            document = json.loads(file.read_text(encoding="utf-8"))
            mine = ours(document)
            try:
                other = of_pyhf(document)
            except Exception as error:  # whatever another program raises
                print(f"| {file.name} | {mine.twice_nll:.6f} | {type(error).__name__} of pyhf | | | | |")
                continue
            cells = [f"{x:.6f} | {x - y:+.1e}" for x, y in zip(mine, other, strict=True)]
            print(f"| {file.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
