"""Reading files and streams: every kind of broken input is a named exception that names the file."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from pyhf_func.exceptions import InvalidDocument, InvalidSpecification
from pyhf_func.workspace import Workspace, load, load_patch
from tests.documents.documents import workspace_spec

BROKEN = {
    "empty": (b"", "$", "is empty"),
    "blank": (b" \n", "$", "is empty"),
    "truncated in an object": (b'{"channels": [', "$", "ends too early"),
    "truncated in a string": (b'{"channels": [{"na', "$", "ends too early"),
    "truncated after a key": (b'{"a": {"b"', "$", "ends too early"),
    "truncated in a number": (b'{"a": [1, 2', "$", "ends too early"),
    "not JSON": (b"hello", "$", r"is not JSON: .* \(line 1, column 1\)"),
    "single quotes": (b"{'a': 1}", "$", "is not JSON"),
    "two documents": (b"{}\n{}", "$", r"is not JSON: Extra data \(line 2"),
    "XML": (b"<Combination/>", "$", "is not JSON"),
    "not UTF-8": (b'{"a": "\xff\xfe"}', "$", r"is not UTF-8 text \(byte 7\)"),
    "binary": (b"\x89HDF\r\n\x1a\n\x00", "$", "is not UTF-8"),
    "a list": (b"[1]", "$", "holds a list: a JSON object was expected"),
    "a number": (b"3.5", "$", "holds a number"),
    "a string": (b'"text"', "$", "holds a string"),
    "true": (b"true", "$", "holds true or false"),
    "null": (b"null", "$", "holds null"),
    "a key twice": (b'{"a": {"b": [{"c": 1, "d": 2, "c": 1}]}}', r"$.a.b[0]", "the key 'c' twice"),
    "NaN": (b'{"a": [1, NaN]}', "$.a[1]", "is nan"),
    "infinity": (b'{"a": {"b": -Infinity}}', "$.a.b", "is -inf"),
    "endless digits": (b'{"a": ' + b"1" * 5000 + b"}", "$", "too many digits"),
    "endless nesting": (b"[" * 200_000, "$", "nested too deeply"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_file(name: str, tmp_path: Path) -> None:
    content, path, words = BROKEN[name]
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    for source in (file, str(file), io.BytesIO(content), file.open("rb")):
        with pytest.raises(InvalidDocument, match=words) as caught:
            load(source)
        assert caught.value.faults[0].path == path
        if not isinstance(source, io.BytesIO):
            assert str(caught.value).startswith(str(file))


def test_broken_text_streams(tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(b'{"a": "\xff\xfe"}')
    with file.open(encoding="utf-8") as stream, pytest.raises(InvalidDocument, match="is not UTF-8"):
        load(stream)
    with pytest.raises(InvalidDocument, match=r"the input: .* is empty"):
        load(io.StringIO(""))


def test_all_faults_of_a_file_come_at_once() -> None:
    with pytest.raises(InvalidSpecification) as caught:
        load(io.BytesIO(b'{"a": NaN, "b": {"c": 1, "c": Infinity}}'))
    assert [fault.path for fault in caught.value.faults] == ["$.b", "$.a", "$.b.c"]


def test_good_files_in_every_form(tmp_path: Path) -> None:
    spec = workspace_spec()
    file = tmp_path / "workspace.json"
    for encoding in ("utf-8", "utf-8-sig"):
        file.write_text(json.dumps(spec), encoding=encoding)
        for source in (file, str(file), file.open("rb"), io.BytesIO(file.read_bytes())):
            assert load(source) == spec
    assert load(io.StringIO(json.dumps(spec))) == spec
    assert load(io.StringIO('{"NaN": "Infinity"}')) == {"NaN": "Infinity"}
    assert Workspace.load(file) == Workspace(spec)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.json"):
        load(tmp_path / "none.json")


def test_workspace_errors_name_the_file(tmp_path: Path) -> None:
    spec = workspace_spec()
    spec["channels"][0]["samples"][1]["modifiers"][1]["data"]["lo_data"] = [1.0]
    file = tmp_path / "workspace.json"
    file.write_text(json.dumps(spec))
    with pytest.raises(Exception, match=r"workspace\.json: \$\.channels\[0\]\.samples\[1\]\.modifiers\[1\]"):
        Workspace.load(file).model()
    spec["version"] = 1
    file.write_text(json.dumps(spec))
    with pytest.raises(InvalidSpecification, match=r"workspace\.json: \$\.version"):
        Workspace.load(file)


def test_patches() -> None:
    operations = [{"op": "remove", "path": "/channels/0"}]
    assert load_patch(io.StringIO(json.dumps(operations))) == operations
    with pytest.raises(InvalidDocument, match="holds an object: a list of operations"):
        load_patch(io.StringIO("{}"))
    bad: list[Any] = [{"op": "merge", "path": "/a"}]
    with pytest.raises(InvalidSpecification, match=r"\$\[0\]\.op: 'merge' is no known op"):
        load_patch(io.StringIO(json.dumps(bad)))
