"""``pyhf-func fit``: the parameters that fit one workspace best."""

from typing import TYPE_CHECKING, Any

import click

import pyhf_func as pf
from pyhf_func.cli import pictures, tables
from pyhf_func.cli.documents import (
    only_one_from_standard_input,
    output_option,
    read_patches,
    read_workspace,
    workspace_argument,
)
from pyhf_func.cli.errors import reported
from pyhf_func.cli.pictures import plot_option
from pyhf_func.cli.report import require_converged, status_of
from pyhf_func.cli.settings import Settings, fit_options, prepare_jax
from pyhf_func.cli.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@click.command()
@workspace_argument
@click.option("--value", is_flag=True, help="Write twice the negative log-likelihood at the minimum too.")
@click.option(
    "--report",
    is_flag=True,
    help="Write standard errors, correlations, parameters at bounds, status and what was fitted too.",
)
@plot_option
@pictures.metadata_option
@tables.format_option
@fit_options
@output_option
def fit(
    workspace: str,
    value: bool,
    report: bool,
    plot: str | None,
    metadata: str | None,
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
    """Maximum likelihood fit of WORKSPACE, a JSON file or - for standard input.

    Writes {"mle_parameters": {name: [values]}}, with --value also "twice_nll". With --report and --plot, which
    draws pulls, errors come from the exact Hessian at the minimum; fixed parameters and those at a bound have none.
    A table has a row for each parameter, with --report its error, too.

    \b
    Example:
      pyhf-func fit workspace.json --report --format table --plot pulls.pdf
    """
    only_one_from_standard_input(workspace, *patches)
    settings = Settings(backend, optimizer, optconf)
    if (report or plot) and not settings.are_usual:
        raise click.UsageError("--report and --plot go with the default backend and optimizer only.")
    with reported():
        if plot is not None:
            pictures.check(plot)
        prepare_jax(cached=not no_cache)
        study = Study(
            command="fit",
            inputs=(workspace, *patches),
            workspace=read_workspace(workspace, strict=strict),
            patches=read_patches(patches),
            measurement=measurement,
            cached=not no_cache,
            output_file=output_file,
            plot=plot,
            labels=pictures.read_metadata(metadata),
        )
        errors = report or plot is not None
        pars, twice_nll = _fit(study, errors) if settings.are_usual else _fit_with(study, settings)
        document: dict[str, Any] = {"mle_parameters": _by_name(study, pars)}
        if value or report:
            document["twice_nll"] = twice_nll
        if report:
            document |= _report(study)
        rows = _rows(study, pars, report=report)
        if report and layout == "json":
            study.write(document)
        else:
            tables.write_rows(layout, document, rows, output_file)
        study.draw(lambda: _pulls(study))


def _by_name(study: Study, values: list[float]) -> dict[str, list[float]]:
    config = study.model.config
    return {name: values[config.par_slice(name)] for name in config.par_order}


def _rows(study: Study, pars: list[float], *, report: bool) -> list[dict[str, Any]]:
    """A row for each component of a parameter."""
    columns = {"value": pars}
    if report:
        columns |= {"error": study.fitted.errors.tolist(), "at_bound": study.fitted.fit.at_bound.tolist()}
    names = study.model.config.par_names
    return [{"parameter": name, **{key: x[i] for key, x in columns.items()}} for i, name in enumerate(names)]


def _fit(study: Study, errors: bool) -> tuple[list[float], float]:
    """The parameters at the minimum, and the value there; with ``errors``, of the fit that they belong to."""
    found = study.fitted.fit if errors else study.fit
    require_converged(found.status)
    return found.pars.tolist(), float(found.twice_nll)


def _fit_with(study: Study, settings: Settings) -> tuple[list[float], float]:
    """The same with the backend and optimizer that were asked for."""
    with settings.in_place() as backend:
        pars, twice_nll = pf.infer.mle.fit(study.data, study.model, return_fitted_val=True)
        return backend.tolist(pars), float(backend.tolist(twice_nll))


def _report(study: Study) -> dict[str, Any]:
    """Errors and all that tells how good the fit is."""
    found = study.fitted
    return {
        "errors": _by_name(study, found.errors.tolist()),
        "correlations": found.correlation,
        "parameters": study.model.config.par_names,
        "at_bound": _by_name(study, found.fit.at_bound.tolist()),
        "edm": found.fit.edm,
        **_ended(study),
    }


def _ended(study: Study) -> dict[str, str]:
    """How the fit ended; where parameters are not identified, the others have errors, and the message names them."""
    found, names = study.fitted, study.model.config.par_names
    if int(found.status) != pf.Status.NOT_IDENTIFIED:
        return require_converged(found.status)
    loose = [name for name, known in zip(names, found.identified.tolist(), strict=True) if not known]
    ended = status_of(found.status)
    return {**ended, "message": f"{ended['message']} They are: {', '.join(loose)}."}


def _pulls(study: Study) -> "Figure":
    return pf.plot.pulls(study.fitted, study.model, metadata=study.metadata)
