"""``pyhf-func gof``: how well the model describes the data."""

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import workspace_argument
from pyhf_func.cli.report import require_converged
from pyhf_func.cli.study import Study, study_options


@click.command()
@workspace_argument
@tables.format_option
@study_options()
def gof(study: Study, layout: str) -> None:
    """Goodness of fit of WORKSPACE, a JSON file or - for standard input.

    Fits all parameters and compares with the saturated model, in which every bin is expected as it was observed.
    Writes {"statistic": value, "degrees_of_freedom": n, "p_value": value}: the statistic is -2 log of the
    likelihood ratio, and the p-value that of the chi-squared distribution; null where there are no degrees of
    freedom.

    --plot draws the distribution with the observed value.

    \b
    Example:
      pyhf-func gof workspace.json --plot gof.pdf
    """
    found = study.compute(pf.goodness_of_fit)
    status = require_converged(found.status)
    row = {name: getattr(found, name).item() for name in ("statistic", "degrees_of_freedom", "p_value")}
    tables.write(
        study, layout, {**row, **status}, [row], lambda: pf.plot.goodness_of_fit(found, metadata=study.metadata)
    )
