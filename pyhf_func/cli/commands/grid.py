"""``pyhf-func grid``: CLs and upper limits for every signal point of an analysis."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import only_one_from_standard_input, read_patchset, workspace_argument, write_text
from pyhf_func.cli.errors import CommandError, reported
from pyhf_func.cli.report import computed, failures, status_of, tell_failures
from pyhf_func.cli.settings import (
    level_option,
    poi_value_option,
    progress_option,
    statistic_option,
    tested_value,
)
from pyhf_func.cli.study import Study, study_options
from pyhf_func.cli.workers import jobs_option, workers
from pyhf_func.core.statistics import Statistic

if TYPE_CHECKING:
    from pyhf_func.verbs.grid import GridResult

_BATCH = 16
"""Points in one computation, at most; where there are several processes, each gets some."""
_LIMITS = ("limit_obs", "limit_exp", "limit_obs_status", "limit_exp_status")


@click.command()
@workspace_argument
@click.argument("patchset", type=click.Path(allow_dash=True))
@click.option("--limits", is_flag=True, help="Search the upper limits of each point too, which takes longer.")
@poi_value_option
@level_option
@statistic_option(limits=True)
@tables.format_option
@click.option(
    "--axes",
    nargs=2,
    metavar="X Y",
    help="Values of the points that are the axes of the plot: names of labels.  [default: the first two]",
)
@jobs_option
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write each point to this file as it ends; a run that was cut off, by Ctrl-C or a batch system, "
    "goes on from it.",
)
@click.option("--no-verify", is_flag=True, help="Do not check that WORKSPACE is the one that PATCHSET was made for.")
@progress_option
@study_options()
def grid(
    study: Study,
    patchset: str,
    limits: bool,
    poi_value: float | None,
    level: float,
    statistic: Statistic,
    layout: str,
    axes: tuple[str, str] | None,
    jobs: int,
    checkpoint: str | None,
    no_verify: bool,
    progress: bool,
) -> None:
    """Observed and expected CLs of WORKSPACE with every signal point of PATCHSET, JSON files or - for standard input.

    Writes {"points": [{"name": ..., "values": {...}, "CLs_obs": value, "CLs_exp": [five values], "status": word,
    "message": sentence}, ...]}, with --limits also "limit_obs" and "limit_exp". Each number has the word for its own
    status beside it, as "limit_obs_status": one that failed is null, as is a limit that does not exist (NO_LIMIT), and
    the others stay.

    --plot draws the contour of points that are excluded at the level.

    \b
    Example:
      pyhf-func grid background.json patchset.json --checkpoint points.jsonl --jobs 4 --plot contour.pdf
    """
    only_one_from_standard_input(*study.inputs, patchset)
    mu = tested_value(poi_value, statistic)
    points = read_patchset(patchset)
    x, y = _axes(axes, points.labels)
    with reported(ValueError):
        if not no_verify:
            points.verify(study.workspace)
        with workers(jobs, cached=study.cached) as executor:
            run = partial(
                pf.grid,
                study.document,
                points,
                mu=mu,
                level=level,
                limits=limits,
                test_stat=statistic.name,
                measurement_name=study.measurement,
                batch=min(_BATCH, -(-len(points) // jobs)),
                progress=progress,
                executor=executor,
                checkpoint=checkpoint,
            )
            found, not_saved = computed(run)
    draw = partial(pf.plot.exclusion, found, x, y, metadata=study.metadata)
    if layout == "csv":
        write_text(found.to_csv(), study.output_file)
        study.draw(draw)
    else:
        results, settings = {"points": _rows(found, limits)}, {"limits": limits, "test_stat": statistic.name}
        tables.write(study, layout, results, _table(found, limits), draw, poi_value=mu, level=level, **settings)
    if not_saved:
        raise CommandError(not_saved)
    tell_failures("points", failures(found.status), len(found.names))


def _axes(axes: tuple[str, str] | None, labels: list[str]) -> tuple[int, int]:
    """Places of the values that are drawn."""
    if axes is None:
        return 0, 1
    for name in axes:
        if name not in labels:
            raise CommandError(f"--axes: the points have no value {name!r}. They have {', '.join(labels)}.")
    return labels.index(axes[0]), labels.index(axes[1])


def _table(found: "GridResult", limits: bool) -> list[dict[str, Any]]:
    """The points for people, without the limits where none were asked for."""
    unwanted = ("message",) if limits else ("message", "limit_")
    return [{name: x for name, x in row.items() if not name.startswith(unwanted)} for row in found.table().rows]


def _rows(found: "GridResult", limits: bool) -> list[dict[str, Any]]:
    """The points, without the limits where none were asked for."""
    rows = []
    for row, status in zip(found.rows(), found.status, strict=True):
        kept = {name: value for name, value in row.items() if limits or name not in _LIMITS}
        rows.append({**kept, "message": row["message"] or status_of(status)["message"]})
    return rows
