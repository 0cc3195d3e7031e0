"""Published likelihoods load with at most one warning, and are checked in a small part of pyhf's time."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from pyhf_func.exceptions import WorkspaceWarning
from pyhf_func.schema import validate
from pyhf_func.schema.validator import _compiled
from pyhf_func.workspace import Workspace, load

FILES = {
    "3l-onshell-2019-09": (),
    "atlas-ttz-4l": (),
    "compressed-2018-16": ("$.measurements[0].config.parameters[1].name",),
    "multibinC-2018-22": ("$.measurements[0].config.parameters[0].name",),
    "sbottomA-2018-31": (),
}


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FILES)
def test_published_workspace(name: str, shared_data: Path) -> None:
    spec = load(shared_data / f"{name}.json")
    assert _compiled("workspace.json", None, True).predicate(spec)
    workspace = Workspace(spec)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = workspace.model()
    doubts = [warning.message for warning in caught if isinstance(warning.message, WorkspaceWarning)]
    assert tuple(fault.path for doubt in doubts for fault in doubt.faults) == FILES[name]
    assert len(doubts) <= 1
    assert len(workspace.data(model)) == model.config.nmaindata + model.config.nauxdata


@pytest.mark.shared_data
def test_published_signal_grid(shared_data: Path) -> None:
    background = Workspace(load(shared_data / "grid-1Lbb" / "background.json"))
    patchset = load(shared_data / "grid-1Lbb" / "patchset.json")
    validate(patchset, "patchset.json")
    assert len(patchset["patches"]) == 16
    model = background.model(patches=[patchset["patches"][0]["patch"]])
    assert model.config.npars == 98
    assert len(background.data(model)) == model.config.nmaindata + model.config.nauxdata
