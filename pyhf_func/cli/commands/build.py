"""``pyhf-func build``: a workspace from histograms."""

import click

import pyhf_func as pf
from pyhf_func.cli.documents import OutputPath, write
from pyhf_func.cli.errors import reported, warn
from pyhf_func.cli.settings import Number, strict_option


@click.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False))
@click.option("-o", "--output-file", type=OutputPath(), help="Write here, not to standard output.")
@click.option("--plain", is_flag=True, help="Leave out bin edges and titles of axes, which pyhf itself refuses.")
@click.option(
    "--prune",
    type=Number(min=0),
    metavar="EFFECT",
    help="Leave out uncertainties whose relative effect on their sample is below this in every bin, such as 0.005.",
)
@click.option("--verify", is_flag=True, help="With --prune: fit, and search limits, with and without what is left out.")
@strict_option
def build(config: str, output_file: str | None, plain: bool, prune: float | None, verify: bool, strict: bool) -> None:
    """Write the workspace of CONFIG, a configuration of cabinetry's (YAML) whose histograms exist.

    They are read from its HistogramFolder, or from the ROOT files of its InputPath. Negative or infinite bins, other
    binnings, missing histograms and unknown settings are named, all of them at once. What --prune leaves out is
    named on standard error, and with --verify by how much that changes the best value, its error and the limits.

    \b
    Example:
      pyhf-func build config.yaml -o workspace.json
      pyhf-func yields workspace.json --plot yields.pdf
    """
    if verify and prune is None:
        raise click.UsageError("--verify goes with --prune.")
    with reported(ImportError):
        from pyhf_func.workspace.saving import document_of

        workspace = pf.build(config, prune=prune, verify=verify, strict=strict)
        workspace.model(strict=strict)  # which names what is dubious
        _report(workspace.metadata.get("pruned"))
        whole = document_of(workspace, workspace.settings, workspace.metadata)
        write(dict(workspace) if plain else whole, output_file)


def _report(pruned: "dict[str, object] | None") -> None:
    """Name what was left out, and what that changes."""
    if pruned is None:
        return
    left_out = pruned["left_out"]
    assert isinstance(left_out, list)
    for one in left_out:
        place = f"{one['channel']}, {one['sample']}"
        warn(f"left out {one['modifier']} ({one['type']}) of {place}: its largest effect is {one['effect']:.2g}")
    results = pruned.get("results")
    if isinstance(results, dict):
        change = results["change"]
        size = "could not be computed" if change is None else f"{change:.2g} times the error of the best value"
        warn(f"the largest change of best value, error and limits: {size}")
