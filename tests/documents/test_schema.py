"""Schema validation: agreement with plain jsonschema and with pyhf 0.7.6, wording, paths, and the schema module."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from referencing import Registry, Resource

from pyhf_func import schema
from pyhf_func.exceptions import InvalidSpecification, SchemaNotFound
from pyhf_func.schema.validator import _compiled
from pyhf_func.workspace import Workspace
from tests.documents.documents import Change, add, drop, put, spoiled, workspace_spec

SB = "channels.0.samples.1"
SBP = "$.channels[0].samples[1]"
KNOWN = "histosys, lumi, normfactor, normsys, shapefactor, shapesys, staterror"

# A change of the workspace, the path of its (first) fault and words of its message.
BAD = {
    "no channels key": (drop("channels"), "$", "lacks 'channels'"),
    "no channels": (put("channels", []), "$.channels", "must not be empty"),
    "no observations": (put("observations", []), "$.observations", "must not be empty"),
    "no measurements": (put("measurements", []), "$.measurements", "must not be empty"),
    "no samples": (put("channels.0.samples", []), "$.channels[0].samples", "must not be empty"),
    "no bins": (put(f"{SB}.data", []), f"{SBP}.data", "must not be empty"),
    "no version": (drop("version"), "$", "lacks 'version'"),
    "a number for a version": (put("version", 1.0), "$.version", "must be '1.0.0', not 1.0"),
    "a path for a version": (put("version", "../1.0.0"), "$.version", "must be '1.0.0'"),
    "an unknown key": (put("author", "x"), "$", "has 'author', which is not part of the format"),
    "channels as an object": (put("channels", {}), "$.channels", "must be a list, not {}"),
    "a channel as a string": (put("channels.0", "SR"), "$.channels[0]", "must be an object, not 'SR'"),
    "a name as a number": (put("channels.0.name", 3), "$.channels[0].name", "must be a string, not 3"),
    "a yield as a string": (put(f"{SB}.data", [1.0, "2"]), f"{SBP}.data[1]", "must be a number"),
    "a yield as a truth value": (put(f"{SB}.data", [True, 1.0]), f"{SBP}.data[0]", "must be a number"),
    "a yield as null": (put(f"{SB}.data", [None]), f"{SBP}.data[0]", "must be a number, not None"),
    "yields as a number": (put(f"{SB}.data", 3.0), f"{SBP}.data", "must be a list"),
    "yields as a tuple": (put(f"{SB}.data", (3.0, 4.0)), f"{SBP}.data", "must be a list"),
    "no modifiers key": (drop(f"{SB}.modifiers"), SBP, "lacks 'modifiers'"),
    "an unknown modifier type": (put(f"{SB}.modifiers.0.type", "norm"),
                                 f"{SBP}.modifiers[0].type", f"'norm' is no known type. Known: {KNOWN}"),
    "a modifier type as a list": (put(f"{SB}.modifiers.0.type", []),
                                  f"{SBP}.modifiers[0].type", "is no known type"),
    "a modifier without type": (drop(f"{SB}.modifiers.0.type"), f"{SBP}.modifiers[0]", "lacks 'type'"),
    "a modifier without data": (drop(f"{SB}.modifiers.0.data"), f"{SBP}.modifiers[0]", "lacks 'data'"),
    "a modifier as a string": (put(f"{SB}.modifiers.0", "scale"), f"{SBP}.modifiers[0]",
                               "must be an object, not 'scale'"),
    "a lumi of another name": (put("channels.0.samples.0.modifiers.1.name", "luminosity"),
                               "$.channels[0].samples[0].modifiers[1].name", "must be 'lumi', not 'luminosity'"),
    "a normfactor with data": (put("channels.0.samples.0.modifiers.0.data", [1.0]),
                               "$.channels[0].samples[0].modifiers[0].data", "must be null"),
    "a histosys without lo_data": (drop(f"{SB}.modifiers.1.data.lo_data"),
                                   f"{SBP}.modifiers[1].data", "lacks 'lo_data'"),
    "a normsys with a list": (put(f"{SB}.modifiers.0.data.lo", [1.0]),
                              f"{SBP}.modifiers[0].data.lo", "must be a number"),
    "a normsys with a third factor": (put(f"{SB}.modifiers.0.data.mid", 1.0),
                                      f"{SBP}.modifiers[0].data", "has 'mid'"),
    "a parameter's unknown key": (put("measurements.0.config.parameters.1.init", [1.0]),
                                  "$.measurements[0].config.parameters[1]", "has 'init'"),
    "fixed as a number": (put("measurements.0.config.parameters.1.fixed", 1),
                          "$.measurements[0].config.parameters[1].fixed", "must be true or false"),
    "one bound": (put("measurements.0.config.parameters.1.bounds", [[0.0]]),
                  "$.measurements[0].config.parameters[1].bounds[0]", "must have 2 values"),
    "three bounds": (put("measurements.0.config.parameters.1.bounds", [[0.0, 1.0, 2.0]]),
                     "$.measurements[0].config.parameters[1].bounds[0]", "must have 2 values, not 3"),
    "a measurement without config": (drop("measurements.0.config"), "$.measurements[0]", "lacks 'config'"),
    "a POI as null": (put("measurements.0.config.poi", None), "$.measurements[0].config.poi", "must be a string"),
    "an observation as a number": (put("observations.0.data", 3), "$.observations[0].data", "must be a list"),
}  # fmt: skip

# What pyhf 0.7.6 lets pass: the length of bounds is not checked there, and true counts as a number.
PYHF_ACCEPTS = {"one bound", "three bounds", "a yield as a truth value"}

GOOD = {
    "as it is": lambda spec: None,
    "integers": put(f"{SB}.data", [1, 2]),
    "no modifiers": put(f"{SB}.modifiers", []),
    "unknown parameter": add("measurements.0.config.parameters", {"name": "none"}),
    "no POI": put("measurements.0.config.poi", ""),
    "fixed": put("measurements.0.config.parameters.1.fixed", True),
}


def _plain(name: str) -> jsonschema.Draft202012Validator:
    """jsonschema as it comes, on the same schema files."""

    def retrieve(uri: str) -> Resource[Any]:
        return Resource.from_contents(json.loads((schema.path / schema.version / Path(uri).name).read_text()))

    contents = json.loads((schema.path / schema.version / name).read_text())
    return jsonschema.Draft202012Validator(contents, registry=Registry(retrieve=retrieve))


PLAIN = _plain("workspace.json")


@pytest.mark.parametrize("name", BAD)
def test_fault_has_path_and_wording(name: str) -> None:
    change, path, words = BAD[name]
    with pytest.raises(InvalidSpecification) as caught:
        schema.validate(spoiled(workspace_spec, change), "workspace.json")
    assert caught.value.faults[0].path == path
    assert words in caught.value.faults[0].message
    assert "under any of the given schemas" not in str(caught.value)
    assert caught.value.schema == "workspace.json"


@pytest.mark.parametrize("name", BAD)
def test_plain_jsonschema_refuses_the_same(name: str) -> None:
    assert not PLAIN.is_valid(spoiled(workspace_spec, BAD[name][0]))


@pytest.mark.parametrize("name", GOOD)
def test_plain_jsonschema_accepts_the_same(name: str) -> None:
    spec = spoiled(workspace_spec, GOOD[name])
    assert PLAIN.is_valid(spec)
    schema.validate(spec, "workspace.json")
    assert _compiled("workspace.json", None, True).predicate(spec), "the fast path does not know this document"


@pytest.mark.parametrize("name", [*BAD, *GOOD])
def test_pyhf_judges_the_same(name: str, pyhf_numpy: Any) -> None:
    change = GOOD[name] if name in GOOD else BAD[name][0]
    spec = spoiled(workspace_spec, change)
    if name in GOOD or name in PYHF_ACCEPTS:
        pyhf_numpy.schema.validate(spec, "workspace.json")
    else:
        with pytest.raises(pyhf_numpy.exceptions.InvalidSpecification):
            pyhf_numpy.schema.validate(spec, "workspace.json")


def _places(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if steps:
        yield steps
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from _places(value[key], (*steps, key))


_ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(-1, 1), st.sampled_from(["lumi", "normsys", "1.0.0", ""]),
    st.lists(st.one_of(st.floats(0, 1), st.text(max_size=2)), max_size=3), st.just({}), st.just({"lo": 1, "hi": 2}),
)  # fmt: skip


@pytest.mark.slow
@given(place=st.sampled_from(sorted(_places(workspace_spec()), key=repr)), value=_ANYTHING, remove=st.booleans())
def test_fast_path_agrees_with_plain_jsonschema_after_any_change(
    place: tuple[Any, ...], value: Any, remove: bool
) -> None:
    spec = workspace_spec()
    here: Any = spec
    for step in place[:-1]:
        here = here[step]
    if remove:
        del here[place[-1]]
    else:
        here[place[-1]] = value
    fast = _compiled("workspace.json", None, True).predicate(spec)
    assert fast == PLAIN.is_valid(spec)


def test_all_faults_come_at_once_in_document_order() -> None:
    spec = workspace_spec()
    for name in ("a normsys with a list", "a channel as a string", "fixed as a number", "an unknown key"):
        BAD[name][0](spec) if name != "a channel as a string" else put("channels.1", "CR")(spec)
    with pytest.raises(InvalidSpecification) as caught:
        schema.validate(spec, "workspace.json")
    assert [fault.path for fault in caught.value.faults] == [
        "$",
        f"{SBP}.modifiers[0].data.lo",
        "$.channels[1]",
        "$.measurements[0].config.parameters[1].fixed",
    ]
    assert str(caught.value).splitlines()[0] == "4 faults:"


def test_messages_name_channel_sample_modifier_and_file() -> None:
    spec = spoiled(workspace_spec, BAD["a normsys with a list"][0])
    with pytest.raises(InvalidSpecification) as caught:
        Workspace(spec, source="ws.json")
    assert "channel 'SR', sample 'background', modifier 'scale'" in str(caught.value)
    assert str(caught.value).startswith("ws.json: $.channels[0]")


@pytest.mark.parametrize("document", [[], "text", 3, None, True])
def test_what_is_no_object_is_refused(document: Any) -> None:
    for name in ("workspace.json", "model.json", "measurement.json", "patchset.json"):
        with pytest.raises(InvalidSpecification, match="must be an object"):
            schema.validate(document, name)


@pytest.mark.parametrize("make", [np.array, jnp.array, lambda values: np.array(values, dtype=np.int64)])
def test_arrays_are_lists_of_numbers(make: Any) -> None:
    spec = spoiled(workspace_spec, put(f"{SB}.data", make([1.0, 2.0])))
    schema.validate(spec, "workspace.json")
    with pytest.raises(InvalidSpecification, match="must be a list"):
        schema.validate(spec, "workspace.json", allow_tensors=False)


@pytest.mark.parametrize("array", [np.array([[1.0]]), np.array(["a"]), np.array([True]), np.array([1j]), np.array([])])
def test_other_arrays_are_refused(array: Any) -> None:
    with pytest.raises(InvalidSpecification):
        schema.validate(spoiled(workspace_spec, put(f"{SB}.data", array)), "workspace.json")


@pytest.mark.parametrize("value", [np.float64(1.0), np.float32(1.0), np.int32(1)])
def test_numbers_of_numpy_are_numbers(value: Any) -> None:
    schema.validate(spoiled(workspace_spec, put(f"{SB}.modifiers.0.data.lo", value)), "workspace.json")


PATCH = [{"op": "add", "path": "/channels/0/samples/-", "value": {}}, {"op": "remove", "path": "/channels/1"}]


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ({"op": "add", "path": "/a"}, "lacks 'value'"),
        ({"op": "move", "path": "/a"}, "lacks 'from'"),
        ({"op": "merge", "path": "/a"}, "'merge' is no known op. Known: add, replace, test, remove, move, copy"),
        ({"op": "remove"}, "lacks 'path'"),
        ({"path": "/a"}, "lacks 'op'"),
        ("remove", "must be an object"),
    ],
)
def test_json_patches(operation: Any, words: str) -> None:
    schema.validate(PATCH, "jsonpatch.json")
    with pytest.raises(InvalidSpecification) as caught:
        schema.validate([*PATCH, operation], "jsonpatch.json")
    assert words in str(caught.value)
    assert caught.value.faults[0].path.startswith("$[2]")


def _patchset() -> dict[str, Any]:
    return {
        "patches": [{"metadata": {"name": "p_1", "values": [1.0, "a"]}, "patch": copy.deepcopy(PATCH)}],
        "metadata": {
            "references": {"hepdata": "ins1234567"},
            "digests": {"sha256": "0" * 64},
            "labels": ["m1", "m2"],
            "description": "two points",
            "more": 1,
        },
        "version": "1.0.0",
    }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (put("patches", []), "$.patches"),
        (put("patches.0.metadata.name", "p 1"), "$.patches[0].metadata.name"),
        (put("patches.0.metadata.values", [None]), "$.patches[0].metadata.values[0]"),
        (put("metadata.digests", {}), "$.metadata.digests"),
        (put("metadata.digests.sha256", "xyz"), "$.metadata.digests.sha256"),
        (put("metadata.references.hepdata", "1234567"), "$.metadata.references.hepdata"),
        (drop("metadata.labels"), "$.metadata"),
        (put("version", "2"), "$.version"),
    ],
)
def test_patch_sets(change: Change, path: str) -> None:
    schema.validate(_patchset(), "patchset.json")
    with pytest.raises(InvalidSpecification) as caught:
        schema.validate(spoiled(_patchset, change), "patchset.json")
    assert caught.value.faults[0].path == path


def test_measurement() -> None:
    schema.validate(workspace_spec()["measurements"][0], "measurement.json")


def test_unknown_schema_or_version() -> None:
    for error in (SchemaNotFound, FileNotFoundError):
        with pytest.raises(error, match=r"2\.0\.0/workspace\.json.*Versions there: 1\.0\.0"):
            schema.validate(workspace_spec(), "workspace.json", version="2.0.0")
    with pytest.raises(SchemaNotFound):
        schema.load_schema("1.0.0/none.json")


def test_load_schema_and_version() -> None:
    assert schema.version == "1.0.0"
    for name in ("defs", "model", "workspace", "measurement", "patchset", "jsonpatch"):
        loaded = schema.load_schema(f"1.0.0/{name}.json")
        jsonschema.Draft202012Validator.check_schema(loaded)
        assert schema.load_schema(f"1.0.0/{name}.json") is loaded


def test_another_folder_of_schemas(tmp_path: Path) -> None:
    before = schema.path
    (tmp_path / "3.1").mkdir()
    other = {"$id": "https://example.org/3.1/workspace.json", "$ref": "defs.json#/definitions/any"}
    (tmp_path / "3.1" / "workspace.json").write_text(json.dumps(other))
    definitions = {"$id": "https://example.org/3.1/defs.json", "definitions": {"any": {"type": "string"}}}
    (tmp_path / "3.1" / "defs.json").write_text(json.dumps(definitions))
    with schema(tmp_path):
        assert schema.path == tmp_path
        schema.validate("text", "workspace.json", version="3.1")
        with pytest.raises(InvalidSpecification, match="must be a string"):
            schema.validate(workspace_spec(), "workspace.json", version="3.1")
        with pytest.raises(SchemaNotFound):
            schema.validate(workspace_spec(), "workspace.json")
        with schema(before):
            schema.validate(workspace_spec(), "workspace.json")
        assert schema.path == tmp_path
    assert schema.path == before
    schema.validate(workspace_spec(), "workspace.json")


def test_schemas_beyond_the_fast_path_are_left_to_jsonschema(tmp_path: Path) -> None:
    (tmp_path / "1.0.0").mkdir()
    rich = {"type": "object", "properties": {"n": {"type": "integer", "multipleOf": 2}, "me": {"$ref": "#"}}}
    (tmp_path / "1.0.0" / "rich.json").write_text(json.dumps({"$id": "urn:example:rich", **rich}))
    with schema(tmp_path):
        schema.validate({"n": 4, "me": {"n": 2}}, "rich.json")
        with pytest.raises(InvalidSpecification) as caught:
            schema.validate({"n": 4, "me": {"n": 3}}, "rich.json")
    assert caught.value.faults[0].path == "$.me.n"
