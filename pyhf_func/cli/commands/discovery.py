"""``pyhf-func discovery``: the significance of an excess."""

from typing import TYPE_CHECKING, Any

import click

import pyhf_func as pf
from pyhf_func.cli import tables
from pyhf_func.cli.documents import workspace_argument
from pyhf_func.cli.report import require_some, spaced, words
from pyhf_func.cli.study import Study, study_options
from pyhf_func.core.statistics import Q0

if TYPE_CHECKING:
    from pyhf_func.core.inference import DiscoveryResult

_POINTS = 41


@click.command()
@workspace_argument
@tables.format_option
@study_options(tests=True)
def discovery(study: Study, layout: str) -> None:
    """Test of the background-only hypothesis on WORKSPACE, a JSON file or - for standard input.

    Writes the p-value and the significance, {"p0_obs": value, "p0_exp": [five values], "z_obs": value,
    "z_exp": [five values]}; the expected values are those for data at -2, -1, 0, 1 and 2 standard deviations
    around the expectation for a signal of strength 1, the most significant first. An infinite significance, of a
    p-value of 0, is null; so is a number that failed, which "p0_obs_status" or "p0_exp_status" say.

    --plot draws the profile likelihood of the parameter of interest.

    \b
    Example:
      pyhf-func discovery workspace.json --format table
    """
    poi = study.require_poi()
    found = study.compute(pf.discovery)
    status = require_some(found.p0_status, found.expected_status)
    status |= {"p0_obs_status": words(found.p0_status), "p0_exp_status": words(found.expected_status)}
    results = {"p0_obs": found.p0, "p0_exp": found.p0_expected, "z_obs": found.z, "z_exp": found.z_expected}

    def figure() -> Any:
        name = study.model.config.par_names[poi]
        values = pf.profile({name: _range(found, poi)}, study.data, study.model)
        return pf.plot.profile(values, study.model, name, metadata=study.metadata)

    rows = tables.by_data(
        {"p0": found.p0, "z": found.z, "status": status["p0_obs_status"]},
        {"p0": found.p0_expected, "z": found.z_expected, "status": [status["p0_exp_status"]] * 5},
    )
    tables.write(study, layout, {**results, **status}, rows, figure, test_stat=Q0.name)


def _range(found: "DiscoveryResult", poi: int) -> list[float]:
    """Values from zero to three standard errors above the best, by what a signal of strength 1 is expected to give."""
    best, sensitivity = float(found.free_fit.pars[poi]), float(found.z_expected[2])
    error = 1 / sensitivity if sensitivity > 0 else 1.0
    return spaced(min(best, 0.0), max(best, 0.0) + 3 * error, _POINTS)
