"""``pyhf-func intervals``: intervals of parameters from the profile likelihood."""

from functools import partial
from statistics import NormalDist

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import workspace_argument
from pyhf_func.cli.report import require_converged, tell_failures, words
from pyhf_func.cli.settings import Number, progress_option
from pyhf_func.cli.study import Study, study_options
from pyhf_func.cli.workers import jobs_option, workers


@click.command()
@workspace_argument
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME",
    help="Only this parameter; repeatable.  [default: the parameter of interest, or all without one]",
)
@click.option("--all", "every", is_flag=True, help="All parameters.")
@click.option(
    "--sigmas", type=Number(0, min_open=True), default=1.0, show_default=True, help="Height, in standard deviations."
)
@click.option(
    "--confidence", type=Number(0, 1, min_open=True, max_open=True), help="Coverage instead of --sigmas, such as 0.95."
)
@jobs_option
@progress_option
@tables.format_option
@study_options(drawn=False)
def intervals(
    study: Study,
    parameters: tuple[str, ...],
    every: bool,
    sigmas: float,
    confidence: float | None,
    jobs: int,
    progress: bool,
    layout: str,
) -> None:
    """Intervals of parameters of WORKSPACE, a file of any format or - for standard input, as MINOS gives them.

    Their ends are where -2 log of the profile likelihood ratio is the square of --sigmas. Writes {"intervals":
    [{"name": ..., "best": value, "lower": value, "upper": value, "error": value, "at_bound": [lower, upper],
    "status": [lower, upper]}, ...]}, beside the symmetric error of the Hessian. An end that is the parameter's
    bound is flagged; one that was not found is null, and its status says why.

    \b
    Example:
      pyhf-func intervals workspace.json --parameter mu --confidence 0.95
    """
    names, poi = study.model.config.par_names, study.model.config.poi_name
    chosen = list(parameters) or ([poi] if poi is not None else names)
    places = [study.place(name) for name in (names if every else chosen)]
    height = sigmas if confidence is None else NormalDist().inv_cdf((1 + confidence) / 2)
    wanted = [names[place] for place in places]
    run = partial(pf.intervals, study.data, study.model, wanted, sigmas=height, progress=progress)
    with workers(jobs, cached=study.cached) as executor:
        found = run(executor=executor)
    require_converged(found.covariance.fit.status)
    rows = [
        {
            "name": names[place],
            "best": float(found.best[i]),
            "lower": float(found.lower[i]),
            "upper": float(found.upper[i]),
            "error": float(found.covariance.errors[place]),
        }
        for i, place in enumerate(places)
    ]
    more = [{"at_bound": found.at_bound[i], "status": words(found.status[i])} for i in range(len(rows))]
    results = {"intervals": [{**row, **rest} for row, rest in zip(rows, more, strict=True)]}
    tables.write(study, layout, results, rows, None, sigmas=height, confidence=confidence)
    failed = [status for status in found.status.ravel().tolist() if status]
    tell_failures("ends", len(failed), found.status.size)
