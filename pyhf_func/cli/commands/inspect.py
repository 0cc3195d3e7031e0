"""``pyhf-func inspect``: a summary of a workspace."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from pyhf_func.cli.documents import OutputPath, read_workspace, workspace_argument, write
from pyhf_func.cli.errors import reported
from pyhf_func.cli.streams import echo

if TYPE_CHECKING:
    from pyhf_func.workspace import Workspace


@click.command()
@workspace_argument
@click.option("--output-file", type=OutputPath(), help="Write the summary here too, as JSON.")
@click.option("--measurement", help="Name of the measurement to mark.  [default: the first]")
def inspect(workspace: str, output_file: str | None, measurement: str | None) -> None:
    """Summarise WORKSPACE, a file of any format or - for standard input: channels, samples, parameters, measurements.

    The constraint of a parameter is the one that the likelihood has with the marked measurement.

    \b
    Example:
      pyhf-func inspect workspace.json --output-file summary.json
    """
    with reported():
        opened = read_workspace(workspace)
        chosen = opened.get_measurement(measurement)
        summary = _summary(opened, chosen["config"]["parameters"])
        echo("\n".join([*_table(summary, chosen["name"]), ""]))
        if output_file is not None:
            write(summary, output_file)


def _summary(workspace: "Workspace", configs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    types: dict[str, list[str]] = {}
    for name, kind in workspace.modifiers:
        types.setdefault(name, []).append(kind)
    from pyhf_func.cli.parameters import parameters_of

    parameters = parameters_of(workspace, configs)
    measurements = [
        [one["name"], one["config"]["poi"], [parameter["name"] for parameter in one["config"]["parameters"]]]
        for one in workspace["measurements"]
    ]
    return {
        "samples": workspace.samples,
        "channels": [[name, n_bins] for name, n_bins in workspace.channel_nbins.items()],
        "modifiers": {name: ",".join(kinds) for name, kinds in types.items()},
        "parameters": parameters,
        "systematics": [[name, constraint, types[name]] for name, constraint in parameters],
        "measurements": measurements,
    }


def _table(summary: dict[str, Any], chosen: str) -> list[str]:
    """The summary for a reader: names to the left of the gap, what is known of them to the right."""
    names = [row[0] for key in ("channels", "systematics", "measurements") for row in summary[key]]
    width = max(map(len, [*names, *summary["samples"], "measurement"])) + len("(*) ")

    def block(title: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
        return [_row(width, cells) for cells in (title, tuple("-" * 10 for _ in title), *rows)] + [""]

    counts = [(key, str(len(summary[key]))) for key in ("channels", "samples", "parameters", "modifiers")]
    marked = (
        ("(*) " if name == chosen else "") + name
        for name in (measurement[0] for measurement in summary["measurements"])
    )
    return [
        *block(("Summary",), counts),
        *block(("channels", "nbins"), ((name, str(n_bins)) for name, n_bins in summary["channels"])),
        *block(("samples",), ((name,) for name in summary["samples"])),
        *block(
            ("parameters", "constraint", "modifiers"),
            ((name, constraint, ",".join(kinds)) for name, constraint, kinds in summary["systematics"]),
        ),
        *block(
            ("measurement", "poi", "parameters"),
            (
                (name, poi, ",".join(parameters) or "(none)")
                for name, (_, poi, parameters) in zip(marked, summary["measurements"], strict=True)
            ),
        ),
    ]


def _row(width: int, cells: tuple[str, ...]) -> str:
    first, *others = cells
    return f"{first:>{width}}  {'  '.join(f'{cell:<25}' for cell in others)}".rstrip()
