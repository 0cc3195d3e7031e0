"""``pyhf-func fit``: the parameters that fit one workspace best."""

from typing import Any

import click

from pyhf_func.cli.documents import only_one_from_standard_input, output_option, workspace_argument, write
from pyhf_func.cli.errors import CommandError, reported
from pyhf_func.cli.settings import Settings, fit_options, prepare_jax, read_model


@click.command()
@workspace_argument
@click.option("--value", is_flag=True, help="Write twice the negative log-likelihood at the minimum too.")
@fit_options
@output_option
def fit(
    workspace: str,
    value: bool,
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

    Writes {"mle_parameters": {name: [values]}}, with --value also "twice_nll".
    """
    only_one_from_standard_input(workspace, *patches)
    with reported():
        prepare_jax(cached=not no_cache)
        model, data = read_model(workspace, patches, measurement, strict)
        pars, twice_nll = _fit(data, model, Settings(backend, optimizer, optconf))
        slices = {name: model.config.par_slice(name) for name in model.config.par_order}
        document: dict[str, Any] = {"mle_parameters": {name: pars[place] for name, place in slices.items()}}
        if value:
            document["twice_nll"] = twice_nll
        write(document, output_file)


def _fit(data: list[float], model: Any, settings: Settings) -> tuple[list[float], float]:
    """The parameters at the minimum, and the value there."""
    import pyhf_func as pf

    if settings.are_usual:
        result = pf.fit(data, model)
        status = pf.Status(int(result.status))
        if status is not pf.Status.CONVERGED:
            raise CommandError(status.sentence)
        return result.pars.tolist(), float(result.twice_nll)
    with settings.in_place() as backend:
        pars, twice_nll = pf.infer.mle.fit(data, model, return_fitted_val=True)
        return backend.tolist(pars), float(backend.tolist(twice_nll))
