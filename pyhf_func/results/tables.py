"""Tables: rows with named columns, as text, Markdown, LaTeX, CSV, HTML and data frames."""

from __future__ import annotations

import csv
import html
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyhf_func.results.extras import needed

Row = Mapping[str, Any]
SIGMAS = (-2, -1, 0, 1, 2)
"""Where expected values lie, in standard deviations."""


class Table:
    """Rows with the same columns: words, numbers, and None where there is no number.

    For people, a column ``x_error`` is joined with ``x``; machines get both, with all digits.

    Example:
        >>> table = Table([{"sample": "signal", "events": 12.3456, "events_error": 1.234}])
        >>> print(table.to_markdown())
        | sample | events |
        |:--|--:|
        | signal | 12.3 ± 1.2 |
        <BLANKLINE>
        >>> print(table.to_csv())
        sample,events,events_error
        signal,12.3456,1.234
        <BLANKLINE>
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = [{name: _plain(cell) for name, cell in row.items()} for row in rows]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.rows[0]) if self.rows else ()

    def __str__(self) -> str:
        return self.to_text()

    def __len__(self) -> int:
        return len(self.rows)

    def to_text(self) -> str:
        """Columns of text, numbers to the right."""
        return text(self._for_people())

    def to_markdown(self) -> str:
        """A table of Markdown."""
        rows = self._for_people()
        if not rows:
            return ""
        lines = [[*rows[0]], [":--" if _is_left(self.rows, name) else "--:" for name in rows[0]]]
        lines += [[str(short(cell)).replace("|", "\\|") for cell in row.values()] for row in rows]
        head, rule, *body = ("| " + " | ".join(line) + " |\n" for line in lines)
        return head + rule.replace(" ", "") + "".join(body)

    def to_latex(self) -> str:
        """An environment ``tabular``."""
        return latex(self._for_people(), [_is_left(self.rows, name) for name in self._kept()])

    def to_csv(self) -> str:
        """Comma-separated values with a header and all digits; nothing where there is no number."""
        return comma_separated(self.rows)

    def to_html(self) -> str:
        """A table of HTML."""
        rows = self._for_people()
        head = "".join(f"<th>{html.escape(name)}</th>" for name in rows[0]) if rows else ""
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(short(cell))}</td>" for cell in row.values()) + "</tr>" for row in rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    _repr_html_ = to_html

    def to_pandas(self) -> Any:
        """A data frame of pandas, with a row for each row.

        Raises:
            ImportBackendError: pandas is not installed.
        """
        pandas = needed("pandas", "data frames", "pandas")
        return pandas.DataFrame(self.rows, columns=self.columns)

    def _kept(self) -> list[str]:
        """Columns for people: errors stand beside their values."""
        errors = {f"{name}_error" for name in self.columns}
        return [name for name in self.columns if name not in errors]

    def _for_people(self) -> list[dict[str, Any]]:
        return [{name: _with_error(row[name], row.get(f"{name}_error")) for name in self._kept()} for row in self.rows]


def band(name: str, values: Any) -> dict[str, Any]:
    """Columns of five expected values."""
    return {f"{name}_{sigma:+d}": value for sigma, value in zip(SIGMAS, values, strict=True)}


def text(rows: Sequence[Row]) -> str:
    """Columns of text, numbers to the right."""
    table = [[*rows[0]], *([short(cell) for cell in row.values()] for row in rows)] if rows else []
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    right = [isinstance(cell, int | float | None) for cell in rows[0].values()] if rows else []
    lines = (
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in table
    )
    return "".join(f"{line}\n" for line in lines)


def comma_separated(rows: Sequence[Row]) -> str:
    """Comma-separated values with a header and all digits; nothing where there is no number."""
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
    for row in rows:
        writer.writerow(
            ["" if cell is None else repr(cell) if isinstance(cell, float) else cell for cell in row.values()]
        )
    return content.getvalue()


def latex(rows: Sequence[Row], left: Sequence[bool] | None = None) -> str:
    """An environment ``tabular``; columns of words are to the left."""
    if not rows:
        return ""
    sides = [isinstance(cell, str) for cell in rows[0].values()] if left is None else left
    columns = "".join("l" if side else "r" for side in sides)
    lines = [" & ".join(map(_escaped, rows[0])), r"\hline"]
    lines += [" & ".join(_escaped(short(cell)) for cell in row.values()) for row in rows]
    body = "".join(line + ("\n" if line == r"\hline" else " \\\\\n") for line in lines)
    return f"\\begin{{tabular}}{{{columns}}}\n{body}\\end{{tabular}}\n"


def short(cell: Any) -> str:
    """A cell for people: four digits, and a dash where there is no number."""
    if cell is None:
        return "-"
    if not isinstance(cell, float) or math.isinf(cell):
        return str(cell)
    digits = max(0, 3 - math.floor(math.log10(abs(cell)))) if cell else 0
    return f"{cell:.{digits}f}" if 1e-4 <= abs(cell) < 1e7 or not cell else f"{cell:.3e}"


def _with_error(value: Any, error: Any) -> Any:
    """A number with its error, of which two digits are shown."""
    if not isinstance(value, float) or not isinstance(error, float) or not 1e-4 <= error < 1e7:
        return value
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def _plain(cell: Any) -> Any:
    cell = cell.item() if isinstance(cell, np.generic) or hasattr(cell, "tolist") else cell
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _is_left(rows: Sequence[Row], name: str) -> bool:
    return any(isinstance(row[name], str) for row in rows)


_SPECIAL = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$"}
    | {"<": r"\textless{}", ">": r"\textgreater{}"}
)


def _escaped(content: str) -> str:
    return content.translate(_SPECIAL)
