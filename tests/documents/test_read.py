"""``pf.read`` and ``convert``: formats are recognised by content, and nothing gets lost without a word."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

import pyhf_func as pf
from pyhf_func.documents import reading
from pyhf_func.documents.formats import hs3
from pyhf_func.exceptions import InvalidDocument
from tests.cli.test_documents import refused, run, written
from tests.conftest import SHARED_DATA
from tests.documents.documents import workspace_spec
from tests.documents.test_model_language import COMPUTED, normsys, workspace


def test_every_way_to_give_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = workspace_spec()
    content = json.dumps(spec).encode()
    path = written(tmp_path / "workspace.json", spec)
    packed = tmp_path / "workspace.json.gz"
    packed.write_bytes(gzip.compress(content))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    monkeypatch.setattr(reading.urllib.request, "urlopen", lambda address, timeout: io.BytesIO(content))
    expected = pf.Workspace(spec)
    for source in (path, str(path), packed, spec, io.BytesIO(content), io.StringIO(content.decode()), "-"):
        assert pf.read(source) == expected
    assert pf.read("https://example.org/workspace.json") == expected


def test_hs3_is_recognised(tmp_path: Path) -> None:
    workspace = pf.read(written(tmp_path / "model.json", hs3.write(workspace_spec())))
    assert workspace.foreign_names["alpha_scale"] == "scale"
    assert workspace.foreign_names["gamma_stat_SR_bin_1"] == "stat_SR[1]"
    assert set(workspace.foreign_names.values()) == set(workspace.model().config.par_names)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"root\x00\x01", "is a ROOT file"),
        (b"hello", "is not"),
        (gzip.compress(b"{}", mtime=0)[:-4], "cannot be unpacked"),
        (b"[1, 2]", "is not"),
        (b'{"a": 1, "a": 2}', "twice"),
    ],
)
def test_other_content_is_refused_by_name(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InvalidDocument, match=message) as error:
        pf.read(path)
    assert str(path) in str(error.value)


def test_packed_files_cannot_exhaust_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 1000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b" " * 2000))
    with pytest.raises(InvalidDocument, match="unpacks to more"):
        pf.read(path)
    monkeypatch.setattr(reading.urllib.request, "urlopen", lambda address, timeout: io.BytesIO(b" " * 2000))
    with pytest.raises(InvalidDocument, match="has more than"):
        pf.read("https://example.org/")
    with pytest.raises(InvalidDocument, match="only addresses that start with https"):
        pf.read("http://example.org/")


def test_xml_is_recognised() -> None:
    pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")
    path = SHARED_DATA / "formats" / "xml_root_tutorials" / "config" / "example.xml"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with pytest.warns(pf.exceptions.WorkspaceWarning):
        found = pf.read(path)
    assert found.channels == ["channel1"]


def test_convert_there_and_back(tmp_path: Path) -> None:
    path = written(tmp_path / "workspace.json", workspace_spec())
    there, back = tmp_path / "model.hs3.json", tmp_path / "back.json"
    for arguments in ((path, there), (there, back)):
        result = run("convert", *arguments)
        assert result.exit_code == 0, result.output
    assert "distributions" in json.loads(there.read_text())
    assert pf.Workspace.sorted(pf.read(back)) == pf.Workspace.sorted(pf.read(path))


def test_convert_to_xml_and_back(tmp_path: Path) -> None:
    pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")
    spec = workspace(normsys())
    path = written(tmp_path / "workspace.json", spec)
    assert run("convert", path, tmp_path / "top.xml").exit_code == 0
    result = run("convert", tmp_path / "top.xml", "-")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["observations"] == spec["observations"]


def test_convert_keeps_what_pyhf_cannot_hold_or_refuses(tmp_path: Path) -> None:
    path = written(tmp_path / "model.json", COMPUTED["an asymmetric log-normal"])
    result = run("convert", path, "-")
    assert json.loads(result.stdout) == COMPUTED["an asymmetric log-normal"]
    assert "model language" in result.stderr
    assert "'xsec': the interpolation 'asympow'" in refused(run("convert", path, "-", "--to", "pyhf"))
    path = written(tmp_path / "exponential.json", workspace(normsys(interpolation="code1")))
    result = run("convert", path, "-", "--to", "pyhf")
    assert json.loads(result.stdout) == workspace(normsys())
    assert "interpcode" in result.stderr
    refused(run("convert", path, "-", "--to", "pyhf", "--strict"))
    assert json.loads(run("convert", path, "-").stdout) == workspace(normsys(interpolation="code1"))


CARD = """bin SR
observation 12
bin SR SR
process s b
process 0 1
rate 5 10
k lnN 1.2 -
l lnN - {effect}
"""


def test_convert_a_datacard(tmp_path: Path) -> None:
    path = tmp_path / "card.txt"
    path.write_text(CARD.format(effect="1.1"))
    there = tmp_path / "model.hs3.json"
    assert run("convert", path, there).exit_code == 0
    workspace = pf.read(there)
    codes = {"normsys": {"interpcode": "code1"}, "histosys": {"interpcode": "code4p"}}
    assert workspace.settings == {"modifier_settings": codes}
    assert sorted(workspace.foreign_names) == ["k", "l", "r"]
    path.write_text(CARD.format(effect="0.8/1.1"))
    assert "no interpolation 'asympow'" in refused(run("convert", path, there))
    again = tmp_path / "again.txt"
    assert run("convert", path, again).exit_code == 0
    assert "l lnN - 0.8/1.1" in again.read_text()
    kept = json.loads(run("convert", path, "-", "--map", "SR/s:mu[1,-3,3]").stdout)
    assert kept["measurements"][0]["config"]["poi"] == "mu"


def test_datacards_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(CARD.format(effect="1.1")))
    assert pf.read("-").channels == ["SR"]
