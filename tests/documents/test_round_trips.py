"""What is written in another format and read again has the same likelihood, or is refused by name."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from pyhf_func import writexml
from pyhf_func.cli.commands.convert import convert
from pyhf_func.documents import read_document
from pyhf_func.documents.formats import datacards, hs3
from pyhf_func.documents.formats.datacards.lines import Lines
from pyhf_func.documents.plain import plain
from pyhf_func.exceptions import InvalidSpecification, UnsupportedExtension, WorkspaceWarning, raise_faults
from pyhf_func.schema.extended import walk
from tests import language
from tests.conftest import SHARED_DATA
from tests.reference.extended import ExtendedModel, Parameter, differences
from tests.zoo import ZOO

Document = dict[str, Any]
Names = Callable[[str, int], list[str]]
"""Possible entries of the second document, of a component of a parameter of the first."""

pytestmark = pytest.mark.filterwarnings("ignore::pyhf_func.exceptions.WorkspaceWarning")


def as_card(document: Document, folder: Path) -> tuple[Document, Names]:
    datacards.write(document, folder / "card.txt")
    lines = Lines(document, False, None)

    def names(name: str, index: int) -> list[str]:
        return [again["metadata"]["foreign_names"].get(lines.parameter(name, index), ""), f"{name}[{index}]"]

    again = read_document(folder / "card.txt")
    return again, names


def as_hs3(document: Document, folder: Path) -> tuple[Document, Names]:
    again = hs3.read(json.loads(json.dumps(hs3.write(document))))
    return again, lambda name, index: [name, f"{name}[{index}]"]


def as_json(document: Document, folder: Path) -> tuple[Document, Names]:
    same = plain(document)
    if same.settings:
        raise UnsupportedExtension(f"$.settings: needs {same.settings}")
    (folder / "model.json").write_text(json.dumps(same.document))
    return read_document(folder / "model.json"), lambda name, index: [name, f"{name}[{index}]"]


def as_xml(document: Document, folder: Path) -> tuple[Document, Names]:
    for name in ("config", "data"):
        (folder / name).mkdir(parents=True)
    raise_faults(writexml.changes(document))
    top = writexml.writexml(document, folder / "config", folder / "data", "Fit")
    (folder / "Fit.xml").write_bytes(top)
    again = read_document(folder / "Fit.xml", folder=folder)
    sizes: dict[str, dict[str, int]] = {m["name"]: {} for *_, m in walk(document)}
    for _, channel, sample, modifier in walk(document):
        if modifier["type"] == "staterror":
            sizes[modifier["name"]][channel["name"]] = len(sample["data"])

    def names(name: str, index: int) -> list[str]:
        for channel, count in sorted(sizes.get(name, {}).items()):
            if index < count:
                return [f"staterror_{channel}[{index}]"]
            index -= count
        return [name, f"{name}[{index}]"]

    return again, names


FORMATS = {"card": as_card, "hs3": as_hs3, "json": as_json, "xml": as_xml}


def points(model: ExtendedModel) -> list[dict[str, float]]:
    """The start, and three points around it; parameters that are fixed stay where they are."""
    rng = np.random.default_rng(5)
    found = [model.inits]
    for size in (0.4, 0.9, 1.8):
        moved = {}
        for parameter in model.parameters.values():
            for entry, start, fixed in zip(parameter.entries, parameter.inits, parameter.fixed, strict=True):
                moved[entry] = start if fixed else start + rng.uniform(-1, 1) * _step(parameter, start, size)
        found.append(moved)
    return found


def _step(parameter: Parameter, start: float, size: float) -> float:
    pulled = parameter.scalar and parameter.constraint in ("gauss", "none") and start == 0
    return size if pulled or parameter.name.startswith("prop_") else 0.1 * size * max(abs(start), 1e-3)


def idle(document: Document) -> set[str]:
    """Parameters that change no yield."""
    model = ExtendedModel(document)
    start = model.expected({})
    moved = {entry: model.expected({entry: value + 0.1}) for entry, value in model.inits.items()}
    return {entry for entry, now in moved.items() if all(np.array_equal(now[c], start[c]) for c in start)}


def compare(document: Document, again: Document, names: Names, unit: float) -> None:
    """Assert that both documents have the same differences of 2NLL.

    Args:
        document: What was written.
        again: What was read.
        names: Entries of the second by component of the first.
        unit: Largest difference between them, for each event that is observed beyond a thousand, or in all.
    """
    one, other = ExtendedModel(document), ExtendedModel(again)
    left_out = idle(document)
    places: dict[str, str] = {}
    for parameter in one.parameters.values():
        for index, entry in enumerate(parameter.entries):
            found = [place for place in names(parameter.name, index) if place in other.entries]
            if found:
                places[entry] = found[0]
            elif not one.fixed[entry]:
                assert entry in left_out, f"{entry} is lost"
                one.parameters[parameter.name] = Parameter(
                    parameter.name, parameter.scalar, parameter.inits, fixed=(True,) * len(parameter.inits)
                )
    units = again.get("metadata", {}).get("scales", {})
    owners = {place: owner for owner, place in again.get("metadata", {}).get("foreign_names", {}).items()}
    at = points(one)
    scaled = [
        {place: point[entry] / units.get(owners.get(place, ""), 1.0) for entry, place in places.items()} for point in at
    ]
    events = sum(sum(observation["data"]) for observation in document["observations"])
    allowed = unit * max(1.0, events / 1000)
    np.testing.assert_allclose(differences(other, scaled), differences(one, at), rtol=1e-12, atol=allowed)


def check(document: Document, kind: str, folder: Path) -> None:
    if kind in ("card", "xml"):
        pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")
    try:
        again, names = FORMATS[kind](document, folder)
    except (InvalidSpecification, UnsupportedExtension) as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert "$" in refusal  # the place
        return
    templates = kind == "card" and (folder / "card.shapes.root").exists()
    # Combine has templates in single precision, and none of its bins below 1e-9.
    compare(document, again, names, 1e-5 if templates else 1e-8 if kind == "card" else 1e-9)


EXTENDED: Mapping[str, Callable[[], Document]] = {
    "everything": language.everything,
    "small": language.small,
    "asymmetric": lambda: language.small(code="code6", text="max(x, 0.2) * y"),
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", ZOO)
def test_workspaces_survive_every_format(name: str, kind: str, tmp_path: Path) -> None:
    check(ZOO[name].spec, kind, tmp_path)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", EXTENDED)
def test_documents_of_the_model_language_survive_or_are_refused(name: str, kind: str, tmp_path: Path) -> None:
    check(EXTENDED[name](), kind, tmp_path)


def of_root() -> Document:
    """What HistFactory's XML has of the model language."""
    yields = [20.0, 30.0]
    shape = {"lo_data": [18.0, 29.0], "hi_data": [23.0, 33.0]}
    signal = [
        {"name": "mu", "type": "normfactor", "data": None},
        {"name": "k", "type": "normfactor", "data": None, "expression": "1 + @0*q^2", "arguments": ["mu"]},
        {"name": "flat", "type": "normsys", "data": {"lo": 0.9, "hi": 1.2}, "constraint": "none"},
    ]
    background = [
        {"name": "tilt", "type": "histosys", "data": shape, "constraint": "gamma"},
        {"name": "mc", "type": "staterror", "data": [2.0, 3.0], "constraint": "poisson"},
        {"name": "fakes", "type": "shapesys", "data": [4.0, 2.0], "constraint": "gauss"},
    ]
    found = {
        "A": [{"name": "s", "data": [6.0, 3.0], "modifiers": signal}],
        "B": [{"name": "b", "data": yields, "modifiers": [*background, signal[0]]}],
    }
    document = language.workspace(found, [{"name": "tilt", "sigmas": [0.2]}, {"name": "q", "inits": [0.5]}])
    document["measurements"][0]["config"]["parameters"].append({"name": "fakes", "fixed": [False, True]})
    document["measurements"][0]["config"]["pois"] = ["mu", "q"]
    return document


def test_the_xml_has_all_that_root_reads(tmp_path: Path) -> None:
    pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")
    again, names = as_xml(of_root(), tmp_path)
    compare(of_root(), again, names, 1e-9)
    config = again["measurements"][0]["config"]
    assert config["pois"] == ["mu", "q"]
    assert {"name": "q", "inits": [0.5], "bounds": [[0.0, 10.0]]} in config["parameters"]


def test_parameters_that_nothing_depends_on_keep_nothing_from_the_xml() -> None:
    document = ZOO["counting"].spec
    configs = document["measurements"][0]["config"]["parameters"]
    configs.append({"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "bounds": [[0.5, 1.5]], "inits": [1.0]})
    assert writexml.changes(document) == []
    document["channels"][0]["samples"][0]["modifiers"].append(
        {"name": "k", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}
    )
    configs.append({"name": "k", "auxdata": [0.5]})
    assert [fault.path.rpartition(".")[2] for fault in writexml.changes(document)] == ["auxdata"]


def published() -> Iterator[Path]:
    """Files that the slow reference computes in seconds."""
    folder = SHARED_DATA / "formats"
    yield from sorted(folder.glob("hs3/**/*.json"))
    yield from sorted(folder.glob("combine/cards/**/*.txt"))
    yield from (file for file in sorted(folder.glob("xml_root_tutorials/config/*.xml")) if "_" not in file.stem[8:])
    yield from (file for file in sorted(SHARED_DATA.glob("*.json")) if file.stat().st_size < 100_000)


@pytest.mark.slow
@pytest.mark.parametrize("file", [file for file in published() if "reference" not in file.parts], ids=lambda f: f.stem)
def test_published_files_survive_every_format(file: Path, tmp_path: Path) -> None:
    try:
        document = read_document(file, mass=125.0 if "htt_" in file.stem else 200.0)
    except InvalidSpecification:
        return  # refused by name, which other tests see
    for kind in FORMATS:
        check(document, kind, tmp_path)


def test_every_kind_of_the_zoo_fits_in_a_card() -> None:
    """Which is no way to pass the tests above: none is refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WorkspaceWarning)
        for animal in ZOO.values():
            datacards.text_of(animal.spec)


def test_log_normals_are_approximate_where_that_is_allowed() -> None:
    document = ZOO["asymmetric_systematics"].spec
    with pytest.warns(WorkspaceWarning, match="Combine's log-normal is not the interpolation code4"):
        text, _ = datacards.text_of(document, approximate=True)
    assert "lnN" in text
    assert "rateParam" not in text
    exact, _ = datacards.text_of(document)
    assert "lnN" not in exact
    assert "rateParam" in exact


def test_names_that_a_card_cannot_hold_are_replaced_and_named() -> None:
    with pytest.warns(WorkspaceWarning, match=r"names of channels are written otherwise: 'SR 10' as SR_10"):
        datacards.text_of(ZOO["awkward_names"].spec)
    with pytest.raises(InvalidSpecification, match="names of samples are written otherwise"):
        datacards.text_of(ZOO["awkward_names"].spec, strict=True)


@pytest.mark.parametrize("kind", ["card", "xml"])
def test_formats_of_several_files_are_not_for_standard_output(kind: str, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps(ZOO["counting"].spec))
    result = CliRunner().invoke(convert, [str(tmp_path / "model.json"), "-", "--to", kind])
    assert result.exit_code == 2
    assert "give OUT a name" in result.output
