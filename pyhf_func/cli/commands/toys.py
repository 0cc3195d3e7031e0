"""``pyhf-func toys``: hypothesis tests by pseudo-experiments."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import workspace_argument
from pyhf_func.cli.errors import CommandError, reported, warn
from pyhf_func.cli.report import computed, require_converged
from pyhf_func.cli.settings import (
    Number,
    poi_value_option,
    progress_option,
    statistic_option,
    tested_value,
)
from pyhf_func.cli.study import Study, study_options
from pyhf_func.core.statistics import Statistic

if TYPE_CHECKING:
    from pyhf_func.core.inference import ToysResult


@click.command()
@workspace_argument
@poi_value_option
@statistic_option()
@click.option(
    "--ntoys",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Number of pseudo-experiments for each hypothesis.",
)
@click.option(
    "--seed", type=click.IntRange(min=0, max=2**63 - 1), default=0, show_default=True, help="Of the random numbers."
)
@click.option(
    "--first",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Number of the first pseudo-experiment: jobs of one seed with other numbers can be merged.",
)
@click.option(
    "--max-error",
    type=Number(min=0, min_open=True),
    help="Stop early when the Monte Carlo error of CLs is not larger than this.",
)
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Keep all pseudo-experiments in this file (.npz), for toys-merge; a run that was cut off, by Ctrl-C or a "
    "batch system, goes on from it, and jobs may share it.",
)
@progress_option
@tables.format_option
@study_options(tests=True)
def toys(
    study: Study,
    poi_value: float | None,
    statistic: Statistic,
    ntoys: int,
    seed: int,
    first: int,
    max_error: float | None,
    checkpoint: str | None,
    progress: bool,
    layout: str,
) -> None:
    """Observed and expected CLs of WORKSPACE, a JSON file or - for standard input, by pseudo-experiments.

    Writes {"CLs_obs": value, "CLs_exp": [five values]} with their Monte Carlo errors, the tail probabilities,
    and how many pseudo-experiments there were and failed. With --test-stat q0 the p-value of the background-only
    hypothesis is written instead of CLs. One seed gives the same numbers, in one job or in several.

    --plot draws the distributions of the test statistic.

    \b
    Example:
      pyhf-func toys workspace.json --ntoys 5000 --checkpoint toys.npz --plot toys.pdf
    """
    mu = tested_value(poi_value, statistic)
    study.require_poi()
    import jax

    key, options = jax.random.key(seed), {"test_stat": statistic.name, "first": first, "max_error": max_error}
    with reported(ValueError):
        run = partial(pf.toys, mu, study.data, study.model, key, ntoys, checkpoint=checkpoint, progress=progress)
        found, not_saved = computed(partial(run, **options))
    tables.write(
        study,
        layout,
        numbers(found, statistic),
        table_of(found, statistic),
        lambda: pf.plot.toys(found, study.model, metadata=study.metadata),
        poi_value=mu,
        ntoys=ntoys,
        seed=seed,
        **options,
    )
    if not_saved:
        raise CommandError(not_saved)
    tell_failures(found)


def numbers(found: "ToysResult", statistic: Statistic) -> dict[str, Any]:
    """The numbers of a result by the names under which they are written: CLs and its parts, or p0."""
    status = require_converged(found.status)
    p_values: dict[str, Any] = {}
    for name, field in _quantities(statistic):
        p_values[f"{name}_obs"] = getattr(found, field)
        p_values[f"{name}_obs_error"] = getattr(found, f"{field}_error")
        p_values[f"{name}_exp"] = getattr(found, f"{field}_expected")
    if statistic.sets_limits:
        p_values["CLs_exp_error"] = found.cls_expected_error
        p_values["CLs_obs_range"] = found.cls_range
    counts = {"ntoys": found.numbers.size, "failed": found.failed, "retried": found.retried}
    return {"mu": found.mu, "teststat_obs": found.teststat, **p_values, **counts, **status}


def table_of(found: "ToysResult", statistic: Statistic) -> list[tables.Row]:
    """The table: a row for each kind of data, with Monte Carlo errors where they are known."""
    observed, expected = {}, {}
    for name, field in _quantities(statistic):
        observed[name], expected[name] = getattr(found, field), getattr(found, f"{field}_expected")
        observed[f"{name}_error"] = getattr(found, f"{field}_error")
        expected[f"{name}_error"] = found.cls_expected_error if name == "CLs" else [None] * 5
    return tables.by_data(observed, expected)


def _quantities(statistic: Statistic) -> tuple[tuple[str, str], ...]:
    """The p-values of a test, and the fields that hold them."""
    parts = ("CLsb", "clsb"), ("CLb", "clb")
    return (statistic.p_value, statistic.field), *(parts if statistic.sets_limits else ())


def tell_failures(found: "ToysResult") -> None:
    """Warn of pseudo-experiments that could not be fitted; the result says what they could change."""
    failed, total = int(found.failed), 2 * found.numbers.size
    if failed == total:
        raise CommandError(f"The fits of all {total} pseudo-experiments failed.")
    if not float(found.clb):
        warn("No pseudo-experiment of the alternative is as extreme as the data: CLs_obs is unknown; make more.")
    if failed:
        warn(f"The fits of {failed} of {total} pseudo-experiments failed; CLs_obs_range says what they could change.")
