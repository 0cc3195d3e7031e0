"""Workspaces that are written to files."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func
from pyhf_func import Workspace, exceptions
from tests import zoo


@pytest.mark.parametrize("name", ["workspace.json", "workspace.json.gz"])
def test_what_is_saved_is_read_again(name: str, tmp_path: Path) -> None:
    settings = {
        "modifier_settings": {"normsys": {"interpcode": "code1"}, "histosys": {"interpcode": "code0"}},
        "clip_bin_data": 1e-6,
    }
    workspace = Workspace(zoo.ZOO["everything"].spec, settings=settings, metadata={"groups": {"jets": ["jes"]}})
    workspace.save(tmp_path / name)
    again = pyhf_func.read(tmp_path / name)
    assert again.metadata["groups"] == {"jets": ["jes"]}
    here, there = workspace.model(), again.model()
    assert here.config.par_names == there.config.par_names
    pars = 0.3 + jnp.asarray(here.config.suggested_init())
    np.testing.assert_allclose(there.expected_data(pars), here.expected_data(pars), rtol=1e-15)


def test_a_workspace_without_more_is_saved_as_pyhf_reads_it(tmp_path: Path) -> None:
    spec = zoo.ZOO["everything"].spec
    Workspace(spec).save(tmp_path / "workspace.json")
    assert json.loads((tmp_path / "workspace.json").read_text(encoding="utf-8")) == spec


def test_settings_that_no_file_holds_are_refused(tmp_path: Path) -> None:
    code2 = {"modifier_settings": {"histosys": {"interpcode": "code2"}, "normsys": {"interpcode": "code4"}}}
    for settings, words in ((code2, "interpolation code2"), ({"batch_size": 3}, "the setting batch_size")):
        with pytest.raises(exceptions.Unsupported, match=words):
            Workspace(zoo.ZOO["everything"].spec, settings=settings).save(tmp_path / "workspace.json")
    assert not list(tmp_path.iterdir())
