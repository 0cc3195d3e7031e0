"""Several parameters of interest: one is tested by name, whichever the model's own is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import pytest
from click.testing import CliRunner

import pyhf_func as pf
from pyhf_func.cli.main import main
from pyhf_func.exceptions import InvalidPdfParameters
from tests.core.small import Small

SAMPLES = [
    {"name": name, "data": data, "modifiers": [{"name": parameter, "type": "normfactor", "data": None}]}
    for name, data, parameter in (("ggH", [10.0, 4.0], "r_ggH"), ("qqH", [3.0, 12.0], "r_qqH"))
]
BACKGROUND = {"name": "b", "data": [50.0, 40.0], "modifiers": []}
DOCUMENT: dict[str, Any] = {
    "channels": [{"name": "SR", "samples": [*SAMPLES, BACKGROUND]}],
    "observations": [{"name": "SR", "data": [60.0, 55.0]}],
    "measurements": [{"name": "fit", "config": {"poi": "r_ggH", "pois": ["r_ggH", "r_qqH"], "parameters": []}}],
    "version": "1.0.0",
}


@pytest.mark.slow
def test_verbs_test_the_parameter_that_is_named() -> None:
    workspace = pf.read(DOCUMENT)
    model, other = workspace.model(), workspace.model(poi_name="r_qqH")
    data = workspace.data(model)
    for verb in (
        lambda model, **poi: pf.hypotest(1.0, data, model, minimiser=Small(), **poi).cls,
        lambda model, **poi: pf.scan([1.0], data, model, minimiser=Small(), **poi).cls[0],
        lambda model, **poi: pf.discovery(data, model, minimiser=Small(), **poi).p0,
    ):
        assert float(verb(model, poi="r_qqH")) == float(verb(other)) != float(verb(model))
    assert pf.hypotest(1.0, data, model, poi="r_qqH", minimiser=Small()).model_names.poi == "r_qqH"
    assert model.config.poi_name == "r_ggH"


@pytest.mark.parametrize("verb", [pf.hypotest, pf.scan, pf.upper_limit, pf.discovery, pf.toys])
def test_every_verb_that_tests_a_parameter_refuses_unknown_ones(verb: Any) -> None:
    workspace = pf.read(DOCUMENT)
    model = workspace.model()
    first = {"mus": [1.0]} if verb is pf.scan else {"mu": 1.0} if verb in (pf.hypotest, pf.toys) else {}
    drawn = {"key": jax.random.key(0), "ntoys": 2} if verb is pf.toys else {}
    with pytest.raises(InvalidPdfParameters, match="poi: .*r_ggh"):
        verb(**first, data=workspace.data(model), model=model, poi="r_ggh", **drawn)


@pytest.mark.slow
def test_commands_test_the_parameter_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(DOCUMENT))
    workspace = pf.read(path)
    result = CliRunner().invoke(main, ["cls", str(path), "--poi", "r_qqH"])
    assert result.exit_code == 0, result.output
    expected = pf.hypotest(1.0, workspace.data(workspace.model()), workspace.model(poi_name="r_qqH")).cls
    assert json.loads(result.output)["CLs_obs"] == pytest.approx(float(expected))


def test_names_follow_changes_of_a_workspace() -> None:
    changed = pf.Workspace(DOCUMENT).rename(modifiers={"r_qqH": "vbf"})
    assert changed["measurements"][0]["config"]["pois"] == ["r_ggH", "vbf"]
    assert changed.prune(modifiers=["vbf"])["measurements"][0]["config"]["pois"] == ["r_ggH"]
    assert pf.read(changed).metadata["pois"] == {"fit": ["r_ggH", "vbf"]}
