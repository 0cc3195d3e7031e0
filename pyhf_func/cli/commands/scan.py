"""``pyhf-func scan``: CLs for many values of the parameter of interest, or the profile likelihood of any parameters."""

import math
from itertools import product
from typing import Any

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import workspace_argument
from pyhf_func.cli.report import failures, require_converged, spaced, status_of, tell_failures, words
from pyhf_func.cli.settings import Number, level_option, progress_option, statistic_option
from pyhf_func.cli.study import Study, study_options
from pyhf_func.cli.workers import jobs_option, workers
from pyhf_func.core.statistics import Statistic

_POINTS = {1: 41, 2: 15}
"""How many values each parameter takes by default, by the number of parameters."""
_BEYOND = 1.2
"""End of the default range, over the highest limit."""


def _numbers(text: str) -> tuple[float, ...]:
    """Finite numbers with commas between them."""
    numbers = tuple(map(float, text.split(",")))
    if not all(map(math.isfinite, numbers)):
        raise ValueError("not finite")
    return numbers


@click.command()
@workspace_argument
@click.option(
    "--values",
    "values",
    type=_numbers,
    multiple=True,
    metavar="V1,V2,...",
    help="Values to test, with commas between.",
)
@click.option(
    "--range",
    "ranges",
    type=(Number(), Number(), click.IntRange(min=2)),
    multiple=True,
    metavar="LOW HIGH N",
    help="N equidistant values from LOW to HIGH.  [default: 41 values from 0 to above all limits]",
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME",
    help="Scan the profile likelihood of this parameter instead of CLs; given twice, of two.  "
    "[default range: three standard errors around the best value]",
)
@level_option
@statistic_option(limits=True)
@jobs_option
@progress_option
@tables.format_option
@study_options(tests=True)
def scan(
    study: Study,
    values: tuple[tuple[float, ...], ...],
    ranges: tuple[tuple[float, float, int], ...],
    parameters: tuple[str, ...],
    level: float,
    statistic: Statistic,
    jobs: int,
    progress: bool,
    layout: str,
) -> None:
    """Observed and expected CLs of WORKSPACE, a JSON file or - for standard input, for many values.

    Writes {"points": [{"mu": value, "CLs_obs": value, "CLs_exp": [five values], "status": word}, ...]}. With
    --parameter it writes -2 log of the profile likelihood ratio instead, as {"points": [{"NAME": value,
    "ratio": value, "status": word}, ...]}, for one parameter or for a grid of two; --range or --values are
    then given once for each.

    A number whose fit fails is null and says why; the others stay.

    \b
    Example:
      pyhf-func scan workspace.json --range 0 3 31 --plot brazil.pdf
      pyhf-func scan workspace.json --parameter mu --plot profile.pdf
    """
    if values and ranges:
        raise click.UsageError("Give --values or --range, not both.")
    if len(parameters) > 2 or len({*parameters}) < len(parameters):
        raise click.UsageError("--parameter can be given once, or twice with different names.")
    axes = [list(axis) for axis in values] or [spaced(*one) for one in ranges]
    if len(axes) not in (0, len(parameters) or 1):
        raise click.UsageError("Give the values once for each parameter that is scanned.")
    with workers(jobs, cached=study.cached) as executor:
        way = {"progress": progress, "executor": executor}
        if parameters:
            _profile(study, parameters, axes, way, layout)
        else:
            _test(study, axes[0] if axes else None, level, statistic, way, layout)


def _test(
    study: Study, mus: list[float] | None, level: float, statistic: Statistic, way: dict[str, Any], layout: str
) -> None:
    """CLs."""
    from pyhf_func.verbs.scan import unchecked

    study.require_poi()
    mus = mus or _range(study, level, statistic)
    found = unchecked(mus, study.data, study.model, statistic, **way)  # values that the verb refuses keep their rows
    points = [
        {
            "mu": float(mu),
            "CLs_obs": found.cls[i],
            "CLs_exp": found.cls_expected[i],
            **status_of(found.status[i]),
            "CLs_obs_status": words(found.cls_status[i]),
            "CLs_exp_status": words(found.expected_status[i]),
        }
        for i, mu in enumerate(found.mu)
    ]
    rows = [
        {
            "mu": float(mu),
            "CLs_obs": found.cls[i],
            **{f"CLs_exp{sigmas:+d}": found.cls_expected[i, sigmas + 2] for sigmas in range(-2, 3)},
            "status": points[i]["status"],
        }
        for i, mu in enumerate(found.mu)
    ]
    tables.write(
        study,
        layout,
        {"points": points},
        rows,
        lambda: pf.plot.cls(found, study.model, level, metadata=study.metadata),
        level=level,
        test_stat=statistic.name,
    )
    tell_failures("points", failures(found.status), len(points))


def _range(study: Study, level: float, statistic: Statistic) -> list[float]:
    """From zero to beyond all limits, or to the parameter's bound if no limit was found."""
    found = study.compute(pf.upper_limit, level=level, test_stat=statistic.name)
    lower, upper = study.model.config.suggested_bounds()[study.require_poi()]
    low = max(0.0, lower)
    highest = max(filter(math.isfinite, [*found.expected.tolist(), float(found.observed)]), default=low)
    return spaced(low, _BEYOND * highest if highest > low else upper, _POINTS[1])


def _profile(
    study: Study, parameters: tuple[str, ...], axes: list[list[float]], way: dict[str, Any], layout: str
) -> None:
    """The profile likelihood."""
    places = [study.place(name) for name in parameters]
    axes = axes or [_around(study, place, _POINTS[len(places)]) for place in places]
    found = pf.profile(dict(zip(parameters, axes, strict=True)), study.data, study.model, **way)
    require_converged(found.free_fit.status)
    rows = zip(product(*axes), found.ratio.ravel().tolist(), found.status.ravel().tolist(), strict=True)
    points = [
        {
            **dict(zip(parameters, point, strict=True)),
            "ratio": None if status else ratio,
            **status_of(status),
        }
        for point, ratio, status in rows
    ]
    table = [{name: cell for name, cell in point.items() if name != "message"} for point in points]
    tables.write(
        study,
        layout,
        {
            "points": points,
            "best": dict(zip(parameters, [float(found.free_fit.pars[place]) for place in places], strict=True)),
        },
        table,
        lambda: pf.plot.profile(found, study.model, parameters, metadata=study.metadata),
        parameters=list(parameters),
    )
    tell_failures("points", sum(map(bool, found.status.ravel().tolist())), len(points))


def _around(study: Study, place: int, n: int) -> list[float]:
    """Three standard errors to both sides of the best value, inside the bounds; without an error, all inside them."""
    best, error = float(study.fitted.fit.pars[place]), float(study.fitted.errors[place])
    lower, upper = study.model.config.suggested_bounds()[place]
    if error > 0:
        lower, upper = max(lower, best - 3 * error), min(upper, best + 3 * error)
    return spaced(lower, upper, n)
