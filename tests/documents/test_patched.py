"""Patches that share what they do not touch give what jsonpatch gives, and change nothing that they were given."""

import copy
import json
from typing import Any

import jsonpatch
import pytest

from pyhf_func.schema.changes import identities, unknown_part
from pyhf_func.workspace.patching import PatchConflict, patched

DOCUMENT = {"a": [{"b": [1, 2, 3]}, {"b": [4]}], "c": {"d": {"e": 5}, "": 6, "x/y": 7, "0": 8}}
NEW = {"f": [9]}
PATHS = ("/a/0/b/1", "/a/0/b/-", "/a/1", "/a/2", "/a/3", "/a/-", "/a/01", "/c/d", "/c/new", "/c/", "/c/x~1y", "/c/0")
GOOD = [[{"op": op, "path": path, "value": NEW}] for op in ("add", "replace", "remove", "test") for path in PATHS]
GOOD += [
    [{"op": "add", "path": "/c/new", "value": NEW}, {"op": "add", "path": "/c/new/f/0", "value": 1}],
    [{"op": "add", "path": "/a/-", "value": NEW}, {"op": "replace", "path": "/a/2/f", "value": []}],
    [{"op": "remove", "path": "/a/0"}, {"op": "add", "path": "/a/0/b/-", "value": 1}],
    [{"op": "move", "from": "/a/0", "path": "/c/moved"}, {"op": "add", "path": "/c/moved/b/0", "value": 0}],
    [{"op": "copy", "from": "/a/0", "path": "/a/-"}, {"op": "add", "path": "/a/2/b/0", "value": 0}],
    [{"op": "replace", "path": "", "value": NEW}, {"op": "add", "path": "/g", "value": 1}],
    [{"op": "test", "path": "/c/d/e", "value": 5}, {"op": "remove", "path": "/c/d/e"}],
    [{"op": "add", "path": "/nowhere/x", "value": 1}],
    [{"op": "add", "path": "no pointer", "value": 1}],
    [{"op": "add", "path": "/c/g"}],
    [{"op": "unknown", "path": "/c/g"}],
]


def outcome(apply: Any) -> Any:
    try:
        return apply()
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, PatchConflict):
        return "refused"


@pytest.mark.parametrize("patch", GOOD, ids=json.dumps)
def test_patches_are_those_of_jsonpatch(patch: list[dict[str, Any]]) -> None:
    document, given = copy.deepcopy(DOCUMENT), copy.deepcopy(patch)
    expected = outcome(lambda: jsonpatch.apply_patch(copy.deepcopy(DOCUMENT), copy.deepcopy(patch)))
    assert outcome(lambda: patched(document, [given])) == expected
    assert (document, given) == (DOCUMENT, patch)


def test_what_a_patch_does_not_touch_is_shared_and_not_checked_again() -> None:
    samples = [{"name": name, "data": [1.0], "modifiers": []} for name in "ab"]
    spec = {"channels": [{"name": "c", "samples": samples}, {"name": "d", "samples": samples[:1]}], "parameters": []}
    new = {"name": "s", "data": [2.0], "modifiers": []}
    found = patched(spec, [[{"op": "add", "path": "/channels/0/samples/0", "value": new}]])
    assert found["channels"][1] is spec["channels"][1]
    assert found["channels"][0]["samples"][1] is samples[0]
    part = unknown_part(found, identities(spec))
    assert [channel["samples"] for channel in part["channels"]] == [[new], samples[:1]]
