"""Workspaces: immutable documents that give the models and data that pyhf 0.7.6 gives."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import jsonpatch
import numpy as np
import pytest

from pyhf_func import exceptions
from pyhf_func.workspace import Workspace
from tests.documents.bad_models import DOUBTS, FAULTS, Bad, Dubious
from tests.documents.documents import (
    Change,
    Document,
    add,
    all_of,
    drop,
    model_spec,
    modifier,
    put,
    spoiled,
    workspace_spec,
)


def _in_workspace(change: Change) -> Document:
    """A workspace whose model spec is spoiled."""
    spec = spoiled(model_spec, change)
    workspace = workspace_spec()
    workspace["channels"] = spec["channels"]
    workspace["measurements"][0]["config"]["parameters"] = spec.get("parameters", [])
    return workspace


def _path_in_workspace(path: str) -> str:
    if path == "$":
        return "$.measurements[0].config.poi"
    return path.replace("$.parameters", "$.measurements[0].config.parameters")


@pytest.mark.parametrize("bad", FAULTS, ids=lambda bad: bad.name)
def test_faults_surface_in_the_model_with_paths_of_the_workspace(bad: Bad) -> None:
    workspace = Workspace(_in_workspace(bad.change))
    with pytest.raises(bad.exception) as caught:
        workspace.model()
    assert caught.value.faults[0].path == _path_in_workspace(bad.path)


@pytest.mark.parametrize("dubious", DOUBTS[:3], ids=lambda dubious: dubious.name)
def test_doubts_surface_in_the_model(dubious: Dubious) -> None:
    with pytest.warns(exceptions.WorkspaceWarning) as caught:
        Workspace(_in_workspace(dubious.change)).model()
    assert len(caught) == 1
    assert caught[0].filename == __file__
    paths = [fault.path for fault in caught[0].message.faults]
    assert _path_in_workspace(dubious.path) in paths
    for options, model_options in (({"strict": True}, {}), ({}, {"strict": True})):
        with pytest.raises(exceptions.InvalidModel):
            Workspace(_in_workspace(dubious.change), **options).model(**model_options)


def test_doubts_of_the_workspace_itself() -> None:
    spec = workspace_spec()
    spec["observations"].append({"name": "VR", "data": [1.0]})
    spec["measurements"].append(copy.deepcopy(spec["measurements"][0]))
    with pytest.warns(exceptions.WorkspaceWarning) as caught:
        Workspace(spec).model()
    assert [fault.path for fault in caught[0].message.faults] == ["$.measurements[1].name", "$.observations[2].name"]
    with pytest.raises(exceptions.PyhfFuncError, match=r"\$\.observations\[2\]\.name: observation 'VR'"):
        Workspace(spec).model(strict=True)


def test_strict_tells_faults_and_doubts_at_once() -> None:
    spec = workspace_spec()
    spec["observations"].append({"name": "VR", "data": [1.0]})
    spec["channels"][0]["samples"][0]["data"][0] = float("nan")
    with pytest.raises(exceptions.InvalidModel) as caught:
        Workspace(spec).model(strict=True)
    assert [fault.path for fault in caught.value.faults] == ["$.channels[0].samples[0].data", "$.observations[2].name"]


OBSERVATIONS = {
    "missing": (drop("observations.1"), exceptions.MissingObservation, "$.observations"),
    "bins": (put("observations.0.data", [1.0]), exceptions.InvalidPdfData, "$.observations[0].data"),
    "NaN": (put("observations.0.data", [1.0, float("nan")]), exceptions.InvalidPdfData, "$.observations[0].data"),
    "huge": (put("observations.0.data", [1, 10**400]), exceptions.InvalidPdfData, "$.observations[0].data"),
    "negative": (put("observations.0.data", [1.0, -1.0]), exceptions.InvalidPdfData, "$.observations[0].data"),
    "twice": (add("observations", {"name": "SR", "data": [1.0, 2.0]}), exceptions.InvalidPdfData,
              "$.observations[2].name"),
}  # fmt: skip


@pytest.mark.parametrize("name", OBSERVATIONS)
def test_faults_of_observations_surface_in_the_data(name: str) -> None:
    change, exception, path = OBSERVATIONS[name]
    workspace = Workspace(spoiled(workspace_spec, change))
    model = workspace.model()
    with pytest.raises(exception) as caught:
        workspace.data(model)
    assert caught.value.faults[0].path == path


def test_missing_observation_is_a_key_error_as_in_pyhf() -> None:
    workspace = Workspace(spoiled(workspace_spec, drop("observations.1")))
    with pytest.raises(KeyError) as caught:
        workspace.data(workspace.model())
    assert str(caught.value).startswith("$.observations: channel 'CR' has no observation")


def test_a_refused_model_tells_of_its_observations_too() -> None:
    spec = spoiled(workspace_spec, all_of(drop("observations.1"), put("channels.0.samples.1.data", [1.0])))
    with pytest.raises(exceptions.InvalidModel) as caught:
        Workspace(spec).model()
    assert "$.observations" in [fault.path for fault in caught.value.faults]


def _same(ours: Any, theirs: Any) -> None:
    assert ours == theirs
    assert list(ours) == list(theirs)


def test_summaries_are_those_of_pyhf(pyhf_numpy: Any) -> None:
    ours, theirs = Workspace(workspace_spec()), pyhf_numpy.Workspace(workspace_spec())
    for name in ("channels", "samples", "modifiers", "channel_nbins", "channel_slices", "measurement_names"):
        _same(getattr(ours, name), getattr(theirs, name))
    _same(ours.observations, theirs.observations)
    assert ours.version == theirs.version == "1.0.0"
    assert ours.parameters == ["free", "lumi", "mu", "scale", "shape", "stat_SR", "tilt"]


def test_data_are_those_of_pyhf(pyhf_numpy: Any) -> None:
    ours, theirs = Workspace(workspace_spec()), pyhf_numpy.Workspace(workspace_spec())
    model, their_model = ours.model(), theirs.model()
    assert ours.data(model) == pytest.approx(theirs.data(their_model), rel=1e-15)
    assert ours.data(model, include_auxdata=False) == theirs.data(their_model, include_auxdata=False)
    assert isinstance(ours.data(model), list)
    assert model.config.par_order == their_model.config.par_order


def test_observations_may_be_arrays() -> None:
    workspace = Workspace(spoiled(workspace_spec, put("observations.0.data", np.array([52.0, 66.0]))))
    assert workspace.data(workspace.model(), include_auxdata=False) == [31, 44, 47, 52.0, 66.0]


def _two_measurements() -> Document:
    spec = workspace_spec()
    second = copy.deepcopy(spec["measurements"][0])
    second["name"], second["config"]["poi"] = "second", "scale"
    spec["measurements"].append(second)
    return spec


def test_measurements_are_chosen_as_in_pyhf(pyhf_numpy: Any) -> None:
    ours, theirs = Workspace(_two_measurements()), pyhf_numpy.Workspace(_two_measurements())
    for choice in ({}, {"measurement_name": "second"}, {"measurement_index": 1}, {"measurement_index": 0},
                   {"measurement_index": -1}, {"measurement_name": "fit", "measurement_index": 1}):  # fmt: skip
        assert ours.get_measurement(**choice) == theirs.get_measurement(**choice)
        assert ours.model(**choice).config.poi_name == theirs.model(**choice).config.poi_name


@pytest.mark.parametrize("choice", [{"measurement_name": "none"}, {"measurement_index": 2}, {"measurement_index": -3}])
def test_unknown_measurements_are_refused_as_in_pyhf(choice: dict[str, Any], pyhf_numpy: Any) -> None:
    with pytest.raises(exceptions.InvalidMeasurement):
        Workspace(_two_measurements()).get_measurement(**choice)
    with pytest.raises(pyhf_numpy.exceptions.InvalidMeasurement):
        pyhf_numpy.Workspace(_two_measurements()).get_measurement(**choice)


def test_no_measurements_at_all() -> None:
    spec = spoiled(workspace_spec, put("measurements", []))
    with pytest.raises(exceptions.InvalidMeasurement, match="No measurements"):
        Workspace(spec, validate=False).model()


def test_fault_paths_follow_the_measurement() -> None:
    spec = _two_measurements()
    spec["measurements"][1]["config"]["parameters"][1]["bounds"] = [[2.0, 1.0]]
    Workspace(spec).model()
    with pytest.raises(exceptions.InvalidModel) as caught:
        Workspace(spec).model(measurement_name="second")
    assert caught.value.faults[0].path == "$.measurements[1].config.parameters[1].bounds[0]"


def test_poi_can_be_replaced_or_left_out() -> None:
    workspace = Workspace(workspace_spec())
    assert workspace.model(poi_name="scale").config.poi_name == "scale"
    assert workspace.model(poi_name=None).config.poi_name is None
    assert Workspace(spoiled(workspace_spec, put("measurements.0.config.poi", ""))).model().config.poi_index is None


SIGNAL = {"name": "new", "data": [1.0, 2.0], "modifiers": [modifier("normfactor", "mu")]}


@pytest.mark.parametrize("wrap", [list, jsonpatch.JsonPatch])
def test_patches(wrap: Callable[[Any], Any]) -> None:
    workspace = Workspace(workspace_spec())
    first = wrap([{"op": "add", "path": "/channels/0/samples/-", "value": SIGNAL}])
    second = wrap([{"op": "replace", "path": "/channels/0/samples/2/data/0", "value": 7.0}])
    model = workspace.model(patches=[first, second])
    assert model.config.samples == ["background", "new", "signal"]
    plain = workspace.model()
    pars = model.config.suggested_init()
    difference = np.asarray(model.expected_actualdata(pars)) - np.asarray(plain.expected_actualdata(pars))
    assert difference.tolist() == pytest.approx([0, 0, 0, 7.0, 2.0], abs=1e-12)
    assert workspace == Workspace(workspace_spec())


@pytest.mark.parametrize("operation", [
    {"op": "add", "path": "/channels/7/samples/-", "value": 1}, {"op": "remove", "path": "/none"},
    {"op": "test", "path": "/channels/0/name", "value": "CR"}, {"op": "merge", "path": "/channels"},
    {"op": "remove", "path": "channels"},
])  # fmt: skip
def test_patches_that_do_not_fit(operation: Document) -> None:
    with pytest.raises(exceptions.InvalidWorkspaceOperation, match="patch 1 does not fit"):
        Workspace(workspace_spec()).model(patches=[[], [operation]])


def test_patches_are_checked_after_they_are_applied() -> None:
    workspace = Workspace(workspace_spec(), source="ws.json")
    wrong_schema = [{"op": "add", "path": "/channels/0/samples/-", "value": {"name": "x"}}]
    with pytest.raises(exceptions.InvalidSpecification, match=r"\$\.channels\[0\]\.samples\[2\]"):
        workspace.model(patches=[wrong_schema])
    wrong_bins = [{"op": "replace", "path": "/channels/0/samples/0/data", "value": [1.0]}]
    with pytest.raises(exceptions.InvalidModel, match=r"ws\.json, patched"):
        workspace.model(patches=[wrong_bins])


def test_workspace_is_a_dictionary_and_a_copy() -> None:
    spec = spoiled(workspace_spec, put("observations.0.data", np.array([52.0, 66.0])))
    workspace = Workspace(spec)
    spec["channels"][0]["name"] = "changed"
    spec["observations"][0]["data"][0] = 0.0
    assert isinstance(workspace, dict)
    assert workspace["channels"][0]["name"] == "SR"
    assert workspace["observations"][0]["data"] == [52.0, 66.0]
    assert json.loads(json.dumps(workspace)) == dict(workspace)
    assert json.loads(json.dumps(Workspace(workspace_spec()))) == workspace_spec()
    assert dict(Workspace(workspace_spec())) == workspace_spec()


def test_changes_reach_later_models_and_data_only() -> None:
    workspace = Workspace(workspace_spec())
    before = workspace.model()
    data = workspace.data(before)
    workspace["channels"][0]["samples"][0]["data"][0] = 15.0
    workspace["observations"][0] = {"name": "SR", "data": [1, 2]}
    workspace["measurements"][0]["config"]["parameters"][1]["inits"] = [2.0]
    after = workspace.model()
    pars = before.config.suggested_init()
    difference = np.asarray(after.expected_actualdata(pars)) - np.asarray(before.expected_actualdata(pars))
    assert difference.tolist() == pytest.approx([0, 0, 0, 10.0, 0], abs=1e-12)
    assert after.config.suggested_init()[after.config.poi_index] == 2.0
    assert before.config.suggested_init()[before.config.poi_index] == 1.0
    assert workspace.data(after)[3:5] == [1, 2]
    assert data[3:5] == [52, 66]


def test_changes_are_validated_by_the_model() -> None:
    workspace = Workspace(workspace_spec())
    workspace["channels"][0]["samples"][0]["data"] = "ten"
    with pytest.raises(exceptions.InvalidSpecification, match="must be a list"):
        workspace.model()


def test_operations_do_not_change_what_they_are_made_from() -> None:
    workspace = Workspace(workspace_spec())
    for made in (
        workspace.prune(channels=["CR"]),
        workspace.rename(channels={"CR": "VR"}),
        Workspace.sorted(workspace),
        Workspace.combine(workspace, workspace, join="outer"),
    ):
        made["channels"][0]["samples"][0]["data"][0] = -1.0
        made["observations"][0]["data"][0] = -1.0
        assert workspace == Workspace(workspace_spec())


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda ws: pickle.loads(pickle.dumps(ws))])
def test_copies_are_workspaces_of_their_own(copied: Callable[[Workspace], Workspace]) -> None:
    workspace = Workspace(workspace_spec(), strict=True, source="ws.json")
    again = copied(workspace)
    assert type(again) is Workspace
    assert again == workspace
    assert (again.strict, again.source, again.channels) == (True, "ws.json", ["CR", "SR"])
    again["channels"][0]["samples"][0]["data"][0] = 15.0
    assert workspace == Workspace(workspace_spec())
    assert again.model().config.par_order == workspace.model().config.par_order


def test_equality() -> None:
    workspace = Workspace(workspace_spec())
    assert workspace == Workspace(workspace_spec())
    assert workspace != Workspace(spoiled(workspace_spec, put("observations.0.data", [1, 2])))
    assert workspace != workspace_spec()  # as in pyhf: a workspace equals workspaces only


def test_keywords() -> None:
    with pytest.raises(exceptions.Unsupported, match="poi_name"):
        Workspace(workspace_spec(), poi_name="mu")
    with pytest.raises(exceptions.SchemaNotFound):
        Workspace(spoiled(workspace_spec, put("version", "9.0.0")))
    with pytest.raises(exceptions.InvalidSpecification):
        Workspace([], validate=True)  # type: ignore[arg-type]
    model_as_workspace = Workspace({**model_spec(), "observations": []}, validate=False)
    assert model_as_workspace.channels == ["CR", "SR"]


def test_unvalidated_workspaces_are_validated_by_the_model() -> None:
    workspace = Workspace(spoiled(workspace_spec, put("channels.0.samples.1.data", "ten")), validate=False)
    with pytest.raises(exceptions.InvalidSpecification, match="must be a list"):
        workspace.model()


def test_sound_workspace_is_silent() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Workspace(workspace_spec(), strict=True).model()
