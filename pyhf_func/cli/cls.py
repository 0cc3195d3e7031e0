"""``pyhf-func cls``: CLs of one workspace."""

import json
import math
import sys
from typing import TYPE_CHECKING, Any

import click

from pyhf_func.cli.errors import CommandError, reported

if TYPE_CHECKING:
    from pyhf_func.core.inference import HypotestResult


@click.command()
@click.argument("workspace", default="-", type=click.Path(allow_dash=True))
@click.option(
    "--poi-value",
    "--test-poi",
    type=float,
    help="Value of the parameter of interest to test.  [default: 1.0; with q0: 0.0]",
)
@click.option(
    "--test-stat",
    type=click.Choice(["q", "qtilde", "q0"]),
    default="qtilde",
    show_default=True,
    help="Test statistic: q and qtilde for upper limits, q0 for discovery.",
)
@click.option(
    "-p",
    "--patch",
    "patches",
    multiple=True,
    type=click.Path(allow_dash=True),
    help="JSON patch to apply to the workspace first; repeatable, applied in the order given.",
)
@click.option("--measurement", help="Name of the measurement to use.  [default: the first]")
@click.option("--strict", is_flag=True, help="Refuse what would otherwise only be warned about.")
@click.option("--output-file", type=click.Path(dir_okay=False), help="Write here, not to standard output.")
@click.option("--no-cache", is_flag=True, help="Do not keep compiled programs in the user's cache directory.")
def cls(
    workspace: str,
    poi_value: float | None,
    test_stat: str,
    patches: tuple[str, ...],
    measurement: str | None,
    strict: bool,
    output_file: str | None,
    no_cache: bool,
) -> None:
    """Observed and expected CLs of WORKSPACE, a JSON file or - for standard input.

    Writes {"CLs_exp": [five values], "CLs_obs": value}; the expected values are those for data at -2, -1, 0,
    1 and 2 standard deviations around the background-only expectation.

    With --test-stat q0, where CLs has no meaning, it tests the background-only hypothesis and writes its
    p-value p0 instead: {"p0_exp": [five values], "p0_obs": value}, expected for a signal of strength 1.
    """
    poi_value = _tested_value(poi_value, test_stat)
    if (workspace, *patches).count("-") > 1:
        raise click.UsageError("Only one input can come from standard input.")
    with reported():
        model, data = _read(workspace, patches, measurement, strict)
        result = _hypotest(poi_value, data, model, test_stat, cached=not no_cache)
        _write(_document(result, test_stat), output_file)


def _tested_value(poi_value: float | None, test_stat: str) -> float:
    """The value under test, a finite number; q0 tests zero and nothing else."""
    if test_stat == "q0":
        if poi_value:
            raise click.UsageError(f"q0 tests the value 0 of the parameter of interest, not {poi_value}.")
        return 0.0
    if poi_value is None:
        return 1.0
    if not math.isfinite(poi_value):
        raise click.UsageError(f"--poi-value must be a finite number, not {poi_value}.")
    return poi_value


def _read(
    workspace: str, patches: tuple[str, ...], measurement: str | None, strict: bool
) -> tuple[Any, list[float]]:
    """The model of the chosen measurement with the patches applied, and the data with the auxiliary data."""
    from pyhf_func.workspace import Workspace, load_patch

    opened = Workspace.load(_source(workspace), strict=strict)
    steps = [load_patch(_source(patch)) for patch in patches]
    model = opened.model(measurement_name=measurement, patches=steps)
    if model.config.poi_index is None:
        raise CommandError("The measurement has no parameter of interest, so there is nothing to test.")
    return model, opened.data(model)


def _source(path: str) -> Any:
    """What ``load`` reads: a path, or the binary stream of standard input for ``-``."""
    return sys.stdin.buffer if path == "-" else path


def _hypotest(
    poi_value: float, data: list[float], model: Any, test_stat: str, *, cached: bool
) -> "HypotestResult":
    """The whole test as one compiled program."""
    from pyhf_func.cli import cache

    if cached:
        cache.enable()  # before anything is compiled

    import jax

    import pyhf_func as pf

    # One test takes milliseconds, compiling it seconds: the compiler shall not try hard.
    jax.config.update("jax_disable_most_optimizations", True)

    return pf.hypotest(poi_value, data, model, test_stat=test_stat)


def _document(result: "HypotestResult", test_stat: str) -> dict[str, float | list[float]]:
    """What is written: CLs, or p0 for q0; never a number of a fit that failed."""
    from pyhf_func.core.fit import Status

    status = Status(int(result.status))
    if status is not Status.CONVERGED:
        raise CommandError(status.sentence)
    name, values = "CLs", (result.cls, result.cls_expected)
    if test_stat == "q0":
        name, values = "p0", (result.clsb, result.clsb_expected)
    observed, expected = float(values[0]), [float(value) for value in values[1]]
    if not all(map(math.isfinite, [observed, *expected])):
        raise CommandError("The p-values are not finite numbers, although every fit converged.")
    return {f"{name}_obs": observed, f"{name}_exp": expected}


def _write(document: dict[str, float | list[float]], output_file: str | None) -> None:
    """JSON with sorted keys to the file or to standard output."""
    text = json.dumps(document, sort_keys=True, indent=4)
    if output_file is None:
        click.echo(text)
        return
    with open(output_file, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
