"""``pyhf-func cls``: CLs of one workspace."""

import math
from typing import Any

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import only_one_from_standard_input, output_option, workspace_argument
from pyhf_func.cli.errors import CommandError, reported
from pyhf_func.cli.settings import (
    Settings,
    fit_options,
    poi_option,
    poi_value_option,
    prepare_jax,
    read_model,
    statistic_option,
    tested_value,
)
from pyhf_func.core.statistics import Statistic


@click.command()
@workspace_argument
@poi_value_option
@poi_option
@statistic_option()
@click.option(
    "--calctype",
    type=click.Choice(["asymptotics", "toybased"]),
    default="asymptotics",
    show_default=True,
    help="Distributions of the test statistic: asymptotic formulae, or pseudo-experiments.",
)
@tables.format_option
@fit_options
@output_option
def cls(
    workspace: str,
    poi_value: float | None,
    poi: str | None,
    statistic: Statistic,
    calctype: str,
    layout: str,
    patches: tuple[str, ...],
    measurement: str | None,
    backend: str,
    optimizer: str,
    optconf: tuple[dict[str, Any], ...],
    strict: bool,
    no_cache: bool,
    output_file: str | None,
) -> None:
    """Observed and expected CLs of WORKSPACE, a JSON file or - for standard input.

    Writes {"CLs_exp": [five values], "CLs_obs": value}; the expected values are those for data at -2, -1, 0,
    1 and 2 standard deviations around the background-only expectation.

    With --test-stat q0, where CLs has no meaning, it tests the background-only hypothesis and writes its
    p-value p0 instead: {"p0_exp": [five values], "p0_obs": value}, expected for a signal of strength 1.

    \b
    Example:
      pyhf-func cls workspace.json --patch signal.json --format table
    """
    poi_value = tested_value(poi_value, statistic)
    only_one_from_standard_input(workspace, *patches)
    with reported(ValueError):
        with_toys = calctype == "toybased"
        prepare_jax(cached=not no_cache)
        model, data = read_model(workspace, patches, measurement, strict, poi)
        if model.config.poi_index is None:
            raise CommandError("The measurement has no parameter of interest, so there is nothing to test.")
        settings = Settings(backend, optimizer, optconf)
        if settings.are_usual and not with_toys:
            observed, expected = _with_verb(poi_value, data, model, statistic)
        else:
            observed, expected = _with_backend(poi_value, data, model, statistic, calctype, settings)
        if not all(map(math.isfinite, [observed, *expected])):
            raise CommandError("The p-values are not finite numbers, although every fit converged.")
        name = statistic.p_value
        results = {f"{name}_obs": observed, f"{name}_exp": expected}
        tables.write_rows(layout, results, tables.by_data({name: observed}, {name: expected}), output_file)


def _with_verb(poi_value: float, data: list[float], model: Any, statistic: Statistic) -> tuple[float, list[float]]:
    """Observed and expected p-values of the whole test as one compiled program; never those of a fit that failed."""
    found = pf.hypotest(poi_value, data, model, test_stat=statistic.name)
    if int(found.status) != pf.Status.CONVERGED:
        raise CommandError(pf.Status(int(found.status)).sentence)
    name = statistic.field
    return float(getattr(found, name)), getattr(found, f"{name}_expected").tolist()


def _with_backend(
    poi_value: float, data: list[float], model: Any, statistic: Statistic, calctype: str, settings: Settings
) -> tuple[float, list[float]]:
    """The same step by step, with the backend and optimizer that were asked for."""
    with settings.in_place() as backend:
        observed, expected = pf.infer.hypotest(
            poi_value, data, model, test_stat=statistic.name, calctype=calctype, return_expected_set=True
        )
        return float(backend.tolist(observed)), [float(backend.tolist(value)) for value in expected]
