"""``pyhf-func limit``: upper limits on the parameter of interest."""

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import workspace_argument
from pyhf_func.cli.report import require_converged, require_some, words
from pyhf_func.cli.settings import level_option, statistic_option
from pyhf_func.cli.study import Study, study_options
from pyhf_func.core.statistics import Statistic


@click.command()
@workspace_argument
@level_option
@statistic_option(limits=True)
@tables.format_option
@study_options(tests=True)
def limit(study: Study, level: float, statistic: Statistic, layout: str) -> None:
    """Observed and expected upper limits of WORKSPACE, a JSON file or - for standard input.

    Writes {"limit_obs": value, "limit_exp": [five values]}: where CLs of the parameter of interest falls to
    the level; the expected values are those for data at -2, -1, 0, 1 and 2 standard deviations around the
    background-only expectation. The parameter's bounds do not cap them. Each has the word for its own status beside
    it, as "limit_obs_status": one that failed is null, as is a limit that does not exist (NO_LIMIT).

    \b
    Example:
      pyhf-func limit workspace.json --format table --plot limit.pdf
    """
    study.require_poi()
    found = study.compute(pf.upper_limit, level=level, test_stat=statistic.name)
    require_converged(found.free_fit.status)  # without which there is no limit either
    status = require_some(found.observed_status, found.expected_status)
    own = {"limit_obs_status": words(found.observed_status), "limit_exp_status": words(found.expected_status)}
    rows = tables.by_data(
        {"limit": found.observed, "status": own["limit_obs_status"]},
        {"limit": found.expected, "status": own["limit_exp_status"]},
    )
    tables.write(
        study,
        layout,
        {"limit_obs": found.observed, "limit_exp": found.expected, **status, **own},
        rows,
        lambda: pf.plot.limits(found, study.model, metadata=study.metadata),
        level=level,
        test_stat=statistic.name,
    )
