"""The option ``--format``: the numbers of a study as JSON, or its table alone."""

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
    """Write results as JSON, or their table, of a command without a study."""
    if layout == "json":
        write_json(plain(results), output_file)
        return
    from pyhf_func.results.tables import comma_separated, latex, text

    write_text({"table": text, "csv": comma_separated, "latex": latex}[layout](plain(list(rows))), output_file)


def by_data(observed: Row, expected: Mapping[str, Any]) -> list[Row]:
    """Rows of what is observed, and of what is expected for data at -2, -1, 0, 1 and 2 standard deviations."""
    names = ["observed", *(f"expected {sigmas:+d} sigma" for sigmas in range(-2, 3))]
    columns = {name: [observed[name], *expected[name]] for name in observed}
    return [{"data": data, **{name: columns[name][i] for name in columns}} for i, data in enumerate(names)]
