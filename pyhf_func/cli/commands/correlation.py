"""``pyhf-func correlation``: correlations of the fitted parameters."""

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import workspace_argument
from pyhf_func.cli.report import require_converged
from pyhf_func.cli.settings import Number
from pyhf_func.cli.study import Study, study_options


@click.command()
@workspace_argument
@click.option(
    "--least",
    type=Number(min=0, max=1),
    default=0.1,
    show_default=True,
    help="Smallest correlation in the table and the plot; JSON has them all.",
)
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=25,
    show_default=True,
    help="Parameters in the plot, at most: those with the largest correlations.",
)
@tables.format_option
@study_options()
def correlation(study: Study, least: float, most: int, layout: str) -> None:
    """Correlations of all parameters of WORKSPACE, a JSON file or - for standard input, after the fit.

    Writes {"parameters": [names], "best": [values], "errors": [values], "correlation": [[values], ...]}, from
    the exact Hessian at the minimum; null where the likelihood determines none. As a table it writes pairs of
    parameters, the largest correlation first.

    --plot draws the matrix.

    \b
    Example:
      pyhf-func correlation workspace.json --format table --least 0.3 --plot correlation.pdf
    """
    found, names = study.fitted, study.model.config.par_names
    require_converged(found.fit.status)
    status = require_converged(found.status)
    matrix = found.correlation.tolist()
    rows = [
        {"parameter": names[j], "with": names[i], "correlation": matrix[i][j]}
        for i in range(len(names))
        for j in range(i)
        if abs(matrix[i][j]) >= least
    ]
    rows.sort(key=lambda row: -abs(row["correlation"]))
    results = {"parameters": names, "best": found.fit.pars, "errors": found.errors, "correlation": matrix, **status}
    settings = {"least": least, "most": most}
    tables.write(
        study,
        layout,
        results,
        rows,
        lambda: pf.plot.correlation(found, study.model, least, most=most, metadata=study.metadata),
        **settings,
    )
