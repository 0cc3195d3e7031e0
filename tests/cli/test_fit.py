"""``pyhf-func fit``, and ``cls`` with another backend, optimizer or with toys: pyhf's numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pyhf_func.cli import main

SAMPLES = [
    {"name": "signal", "data": [8.0, 3.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
    {
        "name": "background",
        "data": [50.0, 60.0],
        "modifiers": [
            {"name": "bins", "type": "shapesys", "data": [5.0, 7.0]},
            {"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.15}},
        ],
    },
]
SPEC = {
    "version": "1.0.0",
    "channels": [{"name": "region", "samples": SAMPLES}],
    "observations": [{"name": "region", "data": [56.0, 58.0]}],
    "measurements": [
        {"name": "first", "config": {"poi": "mu", "parameters": []}},
        {"name": "second", "config": {"poi": "mu", "parameters": [{"name": "rate", "inits": [0.5], "fixed": True}]}},
    ],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(SPEC))
    return path


def run(command: str, *arguments: object) -> Result:
    return CliRunner().invoke(main, [command, "--no-cache", *map(str, arguments)])


def values(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def _fit_of_pyhf(pyhf: Any, measurement: str, spec: Any = SPEC) -> dict[str, Any]:
    workspace = pyhf.Workspace(spec)
    model = workspace.model(measurement_name=measurement)
    pars, twice_nll = pyhf.infer.mle.fit(workspace.data(model), model, return_fitted_val=True)
    parameters = {name: pars[model.config.par_slice(name)].tolist() for name in model.config.par_order}
    return {"mle_parameters": parameters, "twice_nll": float(twice_nll)}


@pytest.mark.slow
@pytest.mark.parametrize("measurement", ["first", "second"])
def test_fits_as_pyhf(measurement: str, workspace: Path, pyhf_numpy: Any) -> None:
    expected = _fit_of_pyhf(pyhf_numpy, measurement)
    found = values(run("fit", workspace, "--measurement", measurement, "--value"))
    assert found["twice_nll"] == pytest.approx(expected["twice_nll"], abs=1e-8)
    assert found["mle_parameters"].keys() == expected["mle_parameters"].keys()
    for name, numbers in expected["mle_parameters"].items():
        assert found["mle_parameters"][name] == pytest.approx(numbers, abs=1e-5)
    assert values(run("fit", workspace, "--measurement", measurement)) == {"mle_parameters": found["mle_parameters"]}


def test_fits_a_patched_workspace_into_a_file(workspace: Path, tmp_path: Path) -> None:
    patch, output = tmp_path / "patch.json", tmp_path / "fit.json"
    patch.write_text(json.dumps([{"op": "replace", "path": "/channels/0/samples/0/data", "value": [16.0, 6.0]}]))
    result = run("fit", workspace, "-p", patch, "--output-file", output)
    assert (result.exit_code, result.output) == (0, "")
    patched = json.loads(output.read_text())["mle_parameters"]["mu"][0]
    assert 2 * patched == pytest.approx(values(run("fit", workspace))["mle_parameters"]["mu"][0], abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["--backend", "np", "--optimizer", "scipy", "--optconf", "maxiter=1000"],
        ["--optimizer", "minuit_optimizer"],
        ["--backend", "jax"],
    ],
    ids=" ".join,
)
def test_backends_and_optimizers_fit_the_same(options: list[str], workspace: Path) -> None:
    if "minuit_optimizer" in options:
        pytest.importorskip("iminuit", reason="iminuit is not installed")
    usual, other = values(run("fit", workspace, "--value")), values(run("fit", workspace, "--value", *options))
    assert other["twice_nll"] == pytest.approx(usual["twice_nll"], abs=1e-4)
    assert other["mle_parameters"]["mu"] == pytest.approx(usual["mle_parameters"]["mu"], abs=2e-2)
    usual, other = values(run("cls", workspace)), values(run("cls", workspace, *options))
    assert other["CLs_obs"] == pytest.approx(usual["CLs_obs"], abs=1e-3)
    assert other["CLs_exp"] == pytest.approx(usual["CLs_exp"], abs=1e-3)


def test_the_setting_of_the_process_stays(workspace: Path) -> None:
    import pyhf_func as pf

    before = pf.get_backend()
    values(run("fit", workspace, "--backend", "jax"))
    assert pf.get_backend() == before


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["newton", "scipy"])
def test_a_fit_that_is_cut_short_fails(optimizer: str, workspace: Path) -> None:
    result = run("fit", workspace, "--optimizer", optimizer, "--optconf", "maxiter=1")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")


@pytest.mark.slow
def test_toys(workspace: Path) -> None:
    asymptotic = values(run("cls", workspace))
    toys = values(run("cls", workspace, "--calctype", "toybased"))
    assert toys["CLs_obs"] == pytest.approx(asymptotic["CLs_obs"], abs=0.1)
    assert toys["CLs_exp"] == sorted(toys["CLs_exp"])


@pytest.mark.slow
def test_older_names_of_options(workspace: Path) -> None:
    older = values(run("cls", workspace, "--testpoi", 1.5, "--teststat", "q"))
    assert older == values(run("cls", workspace, "--test-poi", 1.5, "--test-stat", "q"))


@pytest.mark.parametrize(
    "options", [["--backend", "cupy"], ["--optimizer", "adam"], ["--optconf", "maxiter"]], ids=" ".join
)
def test_wrong_use(options: list[str], workspace: Path) -> None:
    for command in ("fit", "cls"):
        result = run(command, workspace, *options)
        assert result.exit_code == 2
        assert "Usage:" in result.stderr
