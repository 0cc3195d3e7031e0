"""The zoo's documents are valid, say what they are for, and are the files in `tests/workspaces`."""

import json
from pathlib import Path
from types import ModuleType

import pytest

from tests import zoo

WORKSPACES = Path(__file__).parents[1] / "workspaces"
FILES = {
    "everything.json": "everything",
    "two_measurements.json": "two_measurements_first",
    "awkward_names.json": "awkward_names",
}


@pytest.mark.parametrize("name", zoo.names())
def test_documents_are_valid(name: str, pyhf_numpy: ModuleType) -> None:
    pyhf_numpy.schema.validate(zoo.ZOO[name].spec, "workspace.json")


def test_each_entry_has_a_reason_of_its_own() -> None:
    notes = [entry.note for entry in zoo.ZOO.values()]
    assert len(set(notes)) == len(notes)


def test_all_modifier_types_occur() -> None:
    kinds = {
        modifier["type"]
        for entry in zoo.ZOO.values()
        for channel in entry.spec["channels"]
        for sample in channel["samples"]
        for modifier in sample["modifiers"]
    }
    assert kinds == {"histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror"}


@pytest.mark.parametrize(("file", "name"), FILES.items())
def test_files_are_the_entries(file: str, name: str) -> None:
    assert json.loads((WORKSPACES / file).read_text(encoding="utf-8")) == zoo.ZOO[name].spec
