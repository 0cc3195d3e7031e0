"""``pyhf-func ranking``: which uncertainties move the parameter of interest."""

from typing import Any

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import workspace_argument
from pyhf_func.cli.report import require_converged, status_of, tell_failures
from pyhf_func.cli.settings import progress_option
from pyhf_func.cli.study import Study, study_options
from pyhf_func.cli.workers import jobs_option, workers

_IMPACTS = ("prefit_up", "prefit_down", "postfit_up", "postfit_down")
_REST = ("prefit_linear", "postfit_linear", "components", "best", "errors", "pulls", "constraints")
_NAMES = {"components": "component", "errors": "error", "pulls": "pull", "constraints": "constraint"}
"""Names of one number each."""


@click.command()
@workspace_argument
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Write the N most important only.  [default: all]")
@click.option("--poi", metavar="NAME", help="Parameter that is moved.  [default: the parameter of interest]")
@jobs_option
@progress_option
@tables.format_option
@study_options()
def ranking(study: Study, top: int | None, poi: str | None, jobs: int, progress: bool, layout: str) -> None:
    """Impacts of all other parameters of WORKSPACE, a JSON file or - for standard input, on the parameter of interest.

    Each is held at its best value plus and minus the width of its constraint (prefit) and its standard error
    (postfit) while all others are fitted again. Writes {"parameters": [{"name": ..., "postfit_up": change,
    ...}, ...]}, the largest impact first, with pulls, constraints, and the impacts that the covariance gives
    without a fit (..._linear). --plot draws the first 20, or as many as --top says.

    \b
    Example:
      pyhf-func ranking workspace.json --top 30 --plot ranking.pdf
    """
    names = study.model.config.par_names
    place = study.require_poi() if poi is None else study.place(poi)
    with workers(jobs, cached=study.cached) as executor:
        found = pf.impacts(study.data, study.model, names[place], progress=progress, executor=executor)
    require_converged(found.covariance.status)
    shown = {name: getattr(found, name).tolist() for name in ("parameters", "status", *_IMPACTS, *_REST)}
    rows = [_row(names, shown, i) for i in range(len(shown["parameters"]))][:top]
    fitted = {
        "name": names[place],
        "best": found.poi_best,
        "error": found.poi_error,
        **status_of(found.covariance.status),
    }
    table = [{name: cell for name, cell in row.items() if name != "message"} for row in rows]
    tables.write(
        study,
        layout,
        {"poi": fitted, "parameters": rows},
        table,
        lambda: pf.plot.ranking(found, study.model, top or 20, metadata=study.metadata),
        top=top,
    )
    failed = sum(map(any, shown["status"][:top]))
    tell_failures("impacts", failed, len(rows))


def _row(names: list[str], shown: dict[str, Any], i: int) -> dict[str, Any]:
    """One parameter: impacts whose fit failed are missing."""
    status = shown["status"][i]
    moved = {name: None if failed else shown[name][i] for name, failed in zip(_IMPACTS, status, strict=True)}
    rest = {_NAMES.get(name, name): shown[name][i] for name in _REST}
    return {"name": names[shown["parameters"][i]], **moved, **rest, **status_of(max(status))}
