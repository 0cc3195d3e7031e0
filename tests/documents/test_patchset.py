"""Patch sets: what pyhf 0.7.6 makes of them, and what it lets pass."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonpatch
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyhf_func import exceptions
from pyhf_func.patchset import Patch, PatchSet
from pyhf_func.utils import digest
from pyhf_func.workspace import Workspace
from tests.documents.documents import Document, drop, modifier, put, spoiled, workspace_spec


def _patch(name: str, *values: float | str, yields: tuple[float, float] = (1.0, 2.0)) -> Document:
    sample = {"name": "signal point", "data": list(yields), "modifiers": [modifier("normfactor", "mu")]}
    operation = {"op": "add", "path": "/channels/0/samples/-", "value": sample}
    return {"metadata": {"name": name, "values": list(values)}, "patch": [operation]}


def patchset_spec() -> Document:
    background = workspace_spec()
    return {
        "version": "1.0.0",
        "metadata": {
            "name": "points",
            "description": "points in a plane",
            "references": {"hepdata": "ins1234567"},
            "digests": {"sha256": digest(background), "md5": digest(background, "md5")},
            "labels": ["mass", "kind"],
        },
        "patches": [_patch("light", 100, "a"), _patch("heavy", 500.5, "b", yields=(0.5, 0.25))],
    }


def test_what_it_says(pyhf_numpy: Any) -> None:
    ours, theirs = PatchSet(patchset_spec()), pyhf_numpy.PatchSet(patchset_spec())
    for name in ("version", "metadata", "references", "description", "digests", "labels"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert [(patch.name, patch.values, patch.metadata) for patch in ours] == [
        (patch.name, patch.values, patch.metadata) for patch in theirs
    ]
    assert len(ours) == len(theirs) == 2
    assert "PatchSet object with 2 patches at" in repr(ours)
    assert "Patch object 'light(100, 'a')' at" in repr(ours["light"])


@pytest.mark.parametrize("key", ["heavy", (500.5, "b"), [500.5, "b"]], ids=str)
def test_lookup(key: Any) -> None:
    patchset = PatchSet(patchset_spec())
    assert patchset[key] is patchset.patches[1]


def test_lookup_by_an_array() -> None:
    spec = patchset_spec()
    spec["metadata"]["labels"] = ["mass"]
    spec["patches"] = [_patch("one", 1), _patch("two", 2.0)]
    assert PatchSet(spec)[np.array([2])].name == "two"


@pytest.mark.parametrize("key", ["none", (100,), (100, "b"), None, {"mass": 100}, 0], ids=str)
def test_unknown_patches(key: Any) -> None:
    with pytest.raises(exceptions.InvalidPatchLookup, match="No patch associated with"):
        PatchSet(patchset_spec())[key]


def test_applied_as_by_pyhf(pyhf_numpy: Any) -> None:
    background = workspace_spec()
    ours = PatchSet(patchset_spec()).apply(Workspace(background), "heavy")
    theirs = pyhf_numpy.PatchSet(patchset_spec()).apply(pyhf_numpy.Workspace(background), "heavy")
    assert isinstance(ours, Workspace)
    assert dict(ours) == dict(theirs)
    assert background == workspace_spec()
    assert PatchSet(patchset_spec()).apply(background, (500.5, "b")) == ours


def test_patches_go_to_models_too() -> None:
    patch = PatchSet(patchset_spec())["light"]
    model = Workspace(workspace_spec()).model(patches=[patch])
    assert model.config.samples == ["background", "signal", "signal point"]


def test_another_background_is_refused() -> None:
    other = spoiled(workspace_spec, put("observations.0.data", [1, 2]))
    for act in (PatchSet(patchset_spec()).verify, lambda spec: PatchSet(patchset_spec()).apply(spec, "light")):
        with pytest.raises(exceptions.PatchSetVerificationError, match="sha256"):
            act(other)
    spec = patchset_spec()
    assert PatchSet(spec).verify(workspace_spec()) is None
    spec["metadata"]["digests"]["sha256"] = spec["metadata"]["digests"]["sha256"].upper()
    PatchSet(spec).verify(workspace_spec())


def test_a_patch_that_does_not_fit() -> None:
    spec = patchset_spec()
    spec["patches"][0]["patch"][0]["path"] = "/channels/9/samples/-"
    patchset = PatchSet(spec)
    for expected in (exceptions.InvalidWorkspaceOperation, jsonpatch.JsonPatchConflict):
        with pytest.raises(expected, match="does not fit"):
            patchset.apply(workspace_spec(), "light")


def test_a_patch_that_makes_no_workspace() -> None:
    spec = patchset_spec()
    spec["patches"][0]["patch"] = [{"op": "remove", "path": "/observations"}]
    with pytest.raises(exceptions.InvalidSpecification, match="observations"):
        PatchSet(spec).apply(workspace_spec(), "light")


CONTRADICTIONS = {
    "a name twice": (put("patches.1.metadata.name", "light"), ["$.patches[1].metadata.name"]),
    "values twice": (put("patches.1.metadata.values", [100.0, "a"]), ["$.patches[1].metadata.values"]),
    "too few values": (put("patches.0.metadata.values", [1]), ["$.patches[0].metadata.values"]),
    "all of it": (
        put("patches", [_patch("a", 1), _patch("a", 1)]),
        [
            "$.patches[0].metadata.values",
            "$.patches[1].metadata.name",
            "$.patches[1].metadata.values",
            "$.patches[1].metadata.values",
        ],
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradictions_are_named_all_at_once(name: str, pyhf_numpy: Any) -> None:
    change, paths = CONTRADICTIONS[name]
    with pytest.raises(exceptions.InvalidPatchSet) as caught:
        PatchSet(spoiled(patchset_spec, change))
    assert [fault.path for fault in caught.value.faults] == paths
    with pytest.raises(pyhf_numpy.exceptions.InvalidPatchSet):
        pyhf_numpy.PatchSet(spoiled(patchset_spec, change))


@pytest.mark.parametrize("name", ["name", "values"])
def test_no_name_is_reserved(name: str) -> None:
    assert PatchSet(spoiled(patchset_spec, put("patches.0.metadata.name", name)))[name].name == name


@pytest.mark.parametrize("path", ["version", "metadata.labels", "metadata.digests", "patches.0.metadata.name"])
def test_schema(path: str) -> None:
    with pytest.raises(exceptions.InvalidSpecification):
        PatchSet(spoiled(patchset_spec, drop(path)))


def test_keywords() -> None:
    with pytest.raises(exceptions.Unsupported, match="colour"):
        PatchSet(patchset_spec(), colour="red")
    with pytest.raises(exceptions.SchemaNotFound):
        PatchSet(patchset_spec(), version="9.0.0")


def test_patches_are_equal_by_content_and_can_be_in_sets() -> None:
    one, same, other = Patch(_patch("a", 1)), Patch(_patch("a", 1)), Patch(_patch("a", 2))
    assert one == same
    assert one != other
    assert one != jsonpatch.JsonPatch(_patch("a", 1)["patch"])
    assert len({one, same, other}) == 2


def test_the_document_is_copied() -> None:
    spec = patchset_spec()
    patchset = PatchSet(spec)
    spec["patches"][0]["metadata"]["name"] = "changed"
    spec["metadata"]["labels"].append("more")
    assert patchset.patches[0].name == "light"
    assert patchset.labels == ["mass", "kind"]


@given(points=st.lists(st.tuples(st.integers(), st.text(max_size=3)), min_size=1, unique=True))
def test_every_patch_is_found_by_name_and_by_values(points: list[tuple[int, str]]) -> None:
    spec = patchset_spec()
    spec["patches"] = [_patch(f"p{number}", *values) for number, values in enumerate(points)]
    patchset = PatchSet(copy.deepcopy(spec))
    for number, values in enumerate(points):
        assert patchset[values] is patchset[f"p{number}"] is patchset.patches[number]
    assert [patch.values for patch in patchset] == points


def test_a_published_grid(shared_data: Path, pyhf_numpy: Any) -> None:
    folder = shared_data / "grid-1Lbb"
    background = json.loads((folder / "background.json").read_text())
    ours = PatchSet(json.loads((folder / "patchset.json").read_text()))
    theirs = pyhf_numpy.PatchSet(json.loads((folder / "patchset.json").read_text()))
    assert [patch.name for patch in ours] == [patch.name for patch in theirs]
    patch = ours.patches[3]
    assert ours[patch.values] is patch
    assert patch.apply(background) == theirs[patch.name].apply(background)
