"""The option ``--format``: the numbers of a study as JSON, or its table alone."""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from pyhf_func.cli.documents import write as write_json
from pyhf_func.cli.documents import write_text
from pyhf_func.cli.report import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pyhf_func.cli.study import Study


def layout_option(default: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option ``--format`` with a default."""
    return click.option(
        "--format",
        "layout",
        type=click.Choice(["json", "table", "csv", "latex"]),
        default=default,
        show_default=True,
        help="JSON with all numbers, or the table alone: as text, comma-separated values or LaTeX.",
    )


format_option = layout_option("json")

Row = Mapping[str, Any]


def write(
    study: "Study",
    layout: str,
    results: dict[str, Any],
    rows: Sequence[Row],
    draw: Callable[[], "Figure"] | None,
    **settings: Any,
) -> None:
    """Write a study's results, or its table, and draw them where that is asked for.

    Args:
        study: The study.
        layout: What ``--format`` was.
        results: For JSON, without what the study says of itself.
        rows: The table: names of columns and what stands there, alike in all rows.
        draw: What ``--plot`` draws.
        settings: What the study was made with.
    """
    if layout == "json":
        study.write(results, draw, **settings)
        return
    write_rows(layout, results, rows, study.output_file)
    study.draw(draw)


def write_rows(layout: str, results: dict[str, Any], rows: Sequence[Row], output_file: str | None) -> None:
    """Write results as JSON, or their table, of what is no study."""
    if layout == "json":
        write_json(plain(results), output_file)
        return
    write_text({"table": _text, "csv": _csv, "latex": _latex}[layout](plain(list(rows))), output_file)


def _text(rows: Sequence[Row]) -> str:
    """Columns of text, numbers to the right."""
    table = [[*rows[0]], *([_short(cell) for cell in row.values()] for row in rows)] if rows else []
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


def _csv(rows: Sequence[Row]) -> str:
    """Comma-separated values with a header and all digits; nothing where there is no number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
    for row in rows:
        writer.writerow(
            ["" if cell is None else repr(cell) if isinstance(cell, float) else cell for cell in row.values()]
        )
    return text.getvalue()


def _latex(rows: Sequence[Row]) -> str:
    """An environment ``tabular``."""
    if not rows:
        return ""
    columns = "".join("l" if isinstance(cell, str) else "r" for cell in rows[0].values())
    lines = [" & ".join(map(_escaped, rows[0])), r"\hline"]
    lines += [" & ".join(_escaped(_short(cell)) for cell in row.values()) for row in rows]
    body = "".join(line + ("\n" if line == r"\hline" else " \\\\\n") for line in lines)
    return f"\\begin{{tabular}}{{{columns}}}\n{body}\\end{{tabular}}\n"


def _short(cell: Any) -> str:
    """A cell for people: four digits, and a dash where there is no number."""
    if cell is None:
        return "-"
    if not isinstance(cell, float):
        return str(cell)
    digits = max(0, 3 - math.floor(math.log10(abs(cell)))) if cell else 0
    return f"{cell:.{digits}f}" if 1e-4 <= abs(cell) < 1e7 or not cell else f"{cell:.3e}"


_SPECIAL = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


def _escaped(text: str) -> str:
    return text.translate(_SPECIAL)
