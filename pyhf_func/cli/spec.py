"""Commands on workspace documents: inspect, prune, rename, combine, digest, sort."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from pyhf_func.cli.documents import (
    OutputPath,
    only_one_from_standard_input,
    output_option,
    read_workspace,
    workspace_argument,
    write,
)
from pyhf_func.cli.errors import reported
from pyhf_func.cli.streams import echo

if TYPE_CHECKING:
    from pyhf_func.workspace import Workspace

_TYPES = ("histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror")
_JOINS = ("none", "outer", "left outer", "right outer")
_PAIR = click.Tuple([str, str])


@click.command(short_help="Summary of channels, samples, parameters and measurements.")
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


@click.command(short_help="Leave out parts of a workspace.")
@workspace_argument
@output_option
@click.option("-c", "--channel", "channels", multiple=True, metavar="<CHANNEL>", help="Channel to leave out.")
@click.option("-s", "--sample", "samples", multiple=True, metavar="<SAMPLE>", help="Sample to leave out.")
@click.option("-m", "--modifier", "modifiers", multiple=True, metavar="<MODIFIER>", help="Modifier to leave out.")
@click.option(
    "-t", "--modifier-type", "types", multiple=True, type=click.Choice(_TYPES), help="Modifier type to leave out."
)
@click.option("--measurement", "measurements", multiple=True, metavar="<MEASUREMENT>", help="Measurement to leave out.")
def prune(
    workspace: str,
    output_file: str | None,
    channels: tuple[str, ...],
    samples: tuple[str, ...],
    modifiers: tuple[str, ...],
    types: tuple[str, ...],
    measurements: tuple[str, ...],
) -> None:
    """Write WORKSPACE without some of its parts. Options can be repeated.

    \b
    Example:
      pyhf-func prune workspace.json --channel CR --modifier-type staterror --output-file pruned.json
    """
    with reported():
        opened = read_workspace(workspace)
        write(opened.prune(modifiers, types, samples, channels, measurements), output_file)


@click.command(short_help="Rename parts of a workspace.")
@workspace_argument
@output_option
@click.option("-c", "--channel", "channels", multiple=True, type=_PAIR, metavar="<OLD> <NEW>", help="Channel.")
@click.option("-s", "--sample", "samples", multiple=True, type=_PAIR, metavar="<OLD> <NEW>", help="Sample.")
@click.option("-m", "--modifier", "modifiers", multiple=True, type=_PAIR, metavar="<OLD> <NEW>", help="Modifier.")
@click.option("--measurement", "measurements", multiple=True, type=_PAIR, metavar="<OLD> <NEW>", help="Measurement.")
def rename(
    workspace: str,
    output_file: str | None,
    channels: tuple[tuple[str, str], ...],
    samples: tuple[tuple[str, str], ...],
    modifiers: tuple[tuple[str, str], ...],
    measurements: tuple[tuple[str, str], ...],
) -> None:
    """Write WORKSPACE with other names. Options can be repeated.

    \b
    Example:
      pyhf-func rename workspace.json --sample ttbar top --output-file renamed.json
    """
    with reported():
        opened = read_workspace(workspace)
        write(opened.rename(dict(modifiers), dict(samples), dict(channels), dict(measurements)), output_file)


@click.command(short_help="Join two workspaces.")
@click.argument("workspace-one", default="-", type=click.Path(allow_dash=True))
@click.argument("workspace-two", default="-", type=click.Path(allow_dash=True))
@click.option(
    "-j",
    "--join",
    type=click.Choice(_JOINS),
    default="none",
    show_default=True,
    help="What to do with channels, observations and measurements that both have: refuse (none), "
    "require that they are equal (outer), take the first's (left outer) or the second's (right outer).",
)
@output_option
@click.option(
    "--merge-channels/--no-merge-channels",
    default=False,
    help="Join channels of one name sample by sample (outer joins only).",
)
def combine(workspace_one: str, workspace_two: str, join: str, output_file: str | None, merge_channels: bool) -> None:
    """Write WORKSPACE_ONE and WORKSPACE_TWO as one workspace.

    \b
    Example:
      pyhf-func combine one.json two.json --join outer --output-file both.json
    """
    from pyhf_func.workspace import Workspace

    only_one_from_standard_input(workspace_one, workspace_two)
    if merge_channels and join == "none":
        raise click.UsageError("--merge-channels needs an outer --join.")
    with reported():
        both = read_workspace(workspace_one), read_workspace(workspace_two)
        write(Workspace.combine(*both, join=join, merge_channels=merge_channels), output_file)


@click.command(short_help="Digests that do not depend on the order of keys.")
@workspace_argument
@click.option(
    "-a",
    "--algorithm",
    "algorithms",
    multiple=True,
    default=["sha256"],
    show_default=True,
    help="Hash function; repeatable.",
)
@click.option("-j/-p", "--json/--plaintext", "as_json", default=False, help="Write JSON, or lines of text.")
def digest(workspace: str, algorithms: tuple[str, ...], as_json: bool) -> None:
    """Write digests of WORKSPACE, which do not depend on the order of keys.

    \b
    Example:
      pyhf-func digest workspace.json --algorithm sha256 --json
    """
    from pyhf_func.utils import digest as digest_of

    with reported(ValueError):
        opened = read_workspace(workspace)
        digests = {algorithm: digest_of(opened, algorithm=algorithm) for algorithm in algorithms}
        if as_json:
            write(digests, None)
        else:
            echo("".join(f"{algorithm}:{value}\n" for algorithm, value in digests.items()))


@click.command(short_help="Sort a workspace by names.")
@workspace_argument
@output_option
def sort(workspace: str, output_file: str | None) -> None:
    """Write WORKSPACE with everything that has a name sorted by it.

    \b
    Example:
      pyhf-func sort workspace.json --output-file sorted.json
    """
    from pyhf_func.workspace import Workspace

    with reported():
        write(Workspace.sorted(read_workspace(workspace)), output_file)


def _summary(workspace: "Workspace", configs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    types: dict[str, list[str]] = {}
    for name, kind in workspace.modifiers:
        types.setdefault(name, []).append(kind)
    parameters = _parameters(workspace, configs)
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


def _parameters(workspace: "Workspace", configs: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """All parameters with the constraints that they have."""
    from pyhf_func.core.modifiers import MODIFIERS
    from pyhf_func.schema.extended import walk

    usual = {name: MODIFIERS[kind].constraint for name, kind in workspace.modifiers}
    asked = {modifier["name"]: modifier["constraint"] for *_, modifier in walk(workspace) if "constraint" in modifier}
    asked |= {config["name"]: config["constraint"] for config in configs if "constraint" in config}
    words = {"none": "unconstrained", "gauss": "constrained_by_normal"}
    found = {name: asked.get(name, word) for name, word in usual.items()}
    return [[name, words.get(word, f"constrained_by_{word}")] for name, word in found.items()]


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
