"""Documents made to hurt: they are refused fast, in a message of a readable length that names the place."""

from __future__ import annotations

import copy
import io
import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jsonpatch
import pytest

from pyhf_func import Model, PatchSet, Workspace, exceptions, utils
from pyhf_func.schema.writing import dumps
from pyhf_func.workspace import load, load_patch
from tests.documents.documents import Document, modifier, put, spoiled, workspace_spec
from tests.documents.test_patchset import patchset_spec

LONGEST = 12_000


def nested(levels: int, inner: Any = 1) -> Any:
    for _ in range(levels):
        inner = [inner]
    return inner


def large() -> Document:
    """A workspace of some hundred kilobytes of JSON."""
    spec = workspace_spec()
    template = copy.deepcopy(spec["channels"][0])
    template["samples"][1]["modifiers"] += [
        modifier("histosys", f"shape{i}", {"lo_data": [48.0, 61.0], "hi_data": [51.0, 59.0]}) for i in range(20)
    ]
    for i in range(100):
        channel = {**copy.deepcopy(template), "name": f"SR{i}"}
        for sample in channel["samples"]:
            for one in sample["modifiers"]:
                one["name"] += f"_{i}" if one["type"] in ("shapesys", "staterror") else ""
        spec["channels"].append(channel)
        spec["observations"].append({"name": f"SR{i}", "data": [52, 66]})
    return spec


def refused(make: Callable[[], Any], kind: type[Exception] = exceptions.PyhfFuncError) -> Any:
    """The exception; its message is short and it came soon."""
    start = time.process_time()
    with pytest.raises(kind) as caught:
        make()
    assert time.process_time() - start < 2
    assert len(str(caught.value)) < LONGEST
    return caught.value


@pytest.mark.parametrize("number", ["1e400", "-1e309", "1" + "0" * 400, "-" + "9" * 309, "NaN", "-Infinity"])
def test_numbers_beyond_floats_are_refused_with_their_place(number: str) -> None:
    text = json.dumps(workspace_spec()).replace("50.0", number, 1)
    error = refused(lambda: load(io.StringIO(text)), exceptions.InvalidDocument)
    assert [fault.path for fault in error.faults] == ["$.channels[0].samples[1].data[0]"]


@pytest.mark.parametrize("levels", [101, 600, 3000, 100_000])
@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
def test_nesting_is_refused_by_name(levels: int, brackets: str) -> None:
    start, end = brackets[:-1], brackets[-1]
    text = f'{{"a": {start * levels}1{end * levels}}}'
    assert "nested too deeply" in str(refused(lambda: load(io.StringIO(text)), exceptions.InvalidDocument))
    with pytest.raises(exceptions.InvalidDocument, match="nested too deeply"):
        load_patch(io.StringIO(f'[{{"op": "add", "path": "/a", "value": {start * levels}1{end * levels}}}]'))


@pytest.mark.parametrize("path", ["channels", "channels.0.samples.0.data", "version", "channels.0.more"])
def test_nesting_of_dictionaries_is_refused_by_name(path: str) -> None:
    spec = spoiled(workspace_spec, put(path, nested(3000)))
    refused(lambda: Workspace(spec), exceptions.InvalidSpecification)
    refused(lambda: Model(spec), exceptions.InvalidSpecification)
    with pytest.raises(ValueError, match="no digest"):
        utils.digest(spec)


def test_half_characters_are_refused() -> None:
    text = json.dumps(workspace_spec()).replace('"SR"', '"\\ud83d"', 1)
    error = refused(lambda: load(io.StringIO(text)), exceptions.InvalidDocument)
    assert error.faults[0].path == "$.channels[0].name"
    whole = json.dumps(workspace_spec()).replace('"SR"', '"\\ud83d\\ude00"')
    assert load(io.StringIO(whole))["channels"][0]["name"] == "\U0001f600"


HUGE: dict[str, tuple[str, Any]] = {
    "a long string": ("channels.0.samples.0.data", "x" * 10**6),
    "a long list": ("channels.0.name", list(range(10**5))),
    "a long key": ("channels.0." + "x" * 10**6, 1),
    "many wrong numbers": ("channels.0.samples.0.data", ["x"] * 10**5),
    "many modifiers": ("channels.0.samples.0.modifiers", [{"type": "none", "name": "n"}] * 10**4),
    "a long version": ("version", "1" * 300),
    "a version of digits": ("version", ".".join(["1" * 100] * 10)),
    "a long number": ("version", 10**5000),
    "a long name": ("channels.0", {"name": "x" * 10**6}),
}


@pytest.mark.parametrize("name", HUGE)
def test_messages_are_bounded(name: str) -> None:
    path, value = HUGE[name]
    refused(lambda: Workspace(spoiled(workspace_spec, put(path, value))), exceptions.InvalidSpecification)


def test_twenty_faults_are_listed_and_the_rest_counted() -> None:
    spec = spoiled(workspace_spec, put("channels.0.samples.0.data", [float("nan")] * 2))
    spec["channels"] += [{**copy.deepcopy(spec["channels"][0]), "name": f"SR{i}" + "x" * 10**4} for i in range(50)]
    error = refused(lambda: Workspace(spec).model(), exceptions.InvalidModel)
    lines = str(error).splitlines()
    assert len(lines) == 22
    assert lines[-1].strip() == f"and {len(error.faults) - 20} more"
    assert all(len(line) <= 510 for line in lines)


def test_a_large_document_is_refused_as_fast_as_it_is_accepted() -> None:
    good = large()
    bad = [spoiled(large, put(path, value)) for path, value in (
        ("channels.90.samples.1.data.0", "x"),
        ("measurements.0.config.poi", 1),
        ("observations.99.more", 1),
    )]  # fmt: skip
    Workspace(good)

    def seconds(spec: Document) -> float:
        start = time.process_time()
        with suppress(exceptions.InvalidSpecification):
            Workspace(spec)
        return time.process_time() - start

    assert len(refused(lambda: Workspace(bad[0])).faults) == 1
    accepting = min(seconds(good) for _ in range(5))
    assert max(min(seconds(spec) for _ in range(3)) for spec in bad) < 10 * accepting


def test_repeated_keys_are_found_fast() -> None:
    text = "{" + ", ".join(f'"key{i % 50_000}": 1' for i in range(100_000)) + "}"
    assert len(refused(lambda: load(io.StringIO(text)), exceptions.InvalidDocument).faults) == 50_000


# patches


@pytest.mark.parametrize("source", ["/channels", "", "/channels/0"])
def test_copies_that_double_the_document_are_refused(source: str) -> None:
    patch = [{"op": "copy", "from": source, "path": "/channels/-" if source == "/channels" else "/a"}] * 40
    if source != "/channels":
        patch = [{"op": "add", "path": "/a", "value": []}] + [{"op": "copy", "from": "", "path": "/a/-"}] * 40
    workspace = Workspace(workspace_spec())
    assert "copy" in str(refused(lambda: workspace.model(patches=[patch]), exceptions.InvalidWorkspaceOperation))
    document = patchset_spec()
    document["patches"][0]["patch"] = patch
    point = PatchSet(document).patches[0]
    with pytest.raises(jsonpatch.JsonPatchConflict, match="too large"):
        point.apply(workspace_spec())


def test_copies_of_a_useful_size_are_made() -> None:
    patch = [
        {"op": "copy", "from": "/channels/0", "path": "/channels/-"},
        {"op": "replace", "path": "/channels/2/name", "value": "VR"},
        {"op": "copy", "from": "/channels/0/samples/0", "path": "/channels/2/samples/-"},
    ]
    spec = workspace_spec()
    point = jsonpatch.JsonPatch(patch)
    document = patchset_spec()
    document["patches"][0]["patch"] = patch
    assert PatchSet(document).patches[0].apply(spec) == point.apply(spec)
    assert spec == workspace_spec()
    assert PatchSet(document).patches[0].apply(spec, in_place=True) is spec
    assert spec == point.apply(workspace_spec())


PATCHES: dict[str, list[dict[str, Any]]] = {
    "a place that is missing": [{"op": "remove", "path": "/parameters/none/deeper"}],
    "a long path": [{"op": "add", "path": "/none/" + "x" * 10**6, "value": 1}],
    "a document that is replaced": [{"op": "replace", "path": "", "value": [1]}],
    "a value that is nested": [{"op": "add", "path": "/channels/0/more", "value": nested(3000)}],
    "a test of much": [{"op": "test", "path": "/channels", "value": ["x"] * 10**5}],
}


@pytest.mark.parametrize("name", PATCHES)
def test_messages_of_patches_are_bounded(name: str) -> None:
    workspace = Workspace(large())
    assert len(str(refused(lambda: workspace.model(patches=[PATCHES[name]])))) < 1000


# output


def test_only_json_is_written() -> None:
    error = refused(lambda: dumps({"a": [1.0, float("inf")], "b": {"c": float("nan"), "d": {1}}}))
    assert [fault.path for fault in error.faults] == ["$.a[1]", "$.b.c", "$.b.d"]


def test_any_text_reads_as_json_or_is_refused_by_name() -> None:
    """What Python's reader takes beyond JSON, and what it takes apart, in random places of a document."""
    rng = random.Random(5)
    pieces = [
        "NaN",
        "1e999",
        "-Infinity",
        '"\\udead"',
        "1" * 5000,
        "[" * 2000,
        "{" * 50,
        '"',
        "\x00",
        "\\",
        "null",
        "é",
    ]
    text = json.dumps(workspace_spec())
    for _ in range(200):
        start = rng.randrange(len(text))
        spoilt = text[:start] + rng.choice(pieces) + text[start + rng.choice((0, 1, 8)) :]
        with suppress(exceptions.InvalidDocument):
            dumps(load(io.StringIO(spoilt)))
