"""HistFactory's XML and ROOT files: read as pyhf 0.7.6 reads them, and written so that they can be read again."""

from __future__ import annotations

import copy
import logging
import math
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func import Model, exceptions, readxml, writexml
from pyhf_func.documents import read_document
from pyhf_func.workspace import Workspace
from tests.documents.documents import Document, modifier, workspace_spec
from tests.reference.extended import ExtendedModel
from tests.zoo import ZOO

uproot = pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")

# Much of what is written here loses something on purpose.
pytestmark = pytest.mark.filterwarnings("default::pyhf_func.exceptions.WorkspaceWarning")

FIXTURE = Path(__file__).parent / "histfactory"


@pytest.fixture
def histfactory(tmp_path: Path) -> Path:
    """A folder with the XML of two channels and their histograms."""
    folder = tmp_path / "histfactory"
    shutil.copytree(FIXTURE, folder)
    (folder / "data").mkdir()
    edges = np.arange(4.0)
    with uproot.recreate(folder / "data" / "yields.root") as file:
        for name, contents in {
            "sr/data": [41, 37, 12],
            "sr/resonance": [1.5, 6.25, 2.75],
            "sr/top": [30.5, 20.25, 4.5],
            "sr/top_tilt_down": [33.0, 20.0, 4.0],
            "sr/top_tilt_up": [28.5, 20.5, 5.25],
            "sr/fakes": [8.0, 5.5, 2.0],
            "sr/fakes_relative": [0.25, 0.3, 0.5],
            "sr/fakes_stat": [0.1, 0.12, 0.2],
        }.items():
            file[name] = np.asarray(contents, dtype=float), edges
        file["cr_data"] = np.array([205.0, 150.0]), np.arange(3.0)
        file["cr_top"] = np.array([190.5, 148.0], dtype=np.float32), np.arange(3.0)
    readxml.clear_filecache()
    yield folder
    readxml.clear_filecache()


def test_read_as_by_pyhf(histfactory: Path) -> None:
    theirs = pytest.importorskip("pyhf.readxml")
    for spec in (
        readxml.parse(histfactory / "top.xml", histfactory),
        readxml.parse(str(histfactory / "top.xml"), str(histfactory), track_progress=True),
    ):
        assert type(spec) is dict
        assert spec == theirs.parse(_with_single_spaces(histfactory), histfactory)


def _with_single_spaces(folder: Path) -> Path:
    """The top-level XML as pyhf can read it: names on one line, no line breaks around paths."""
    text = " ".join((folder / "top.xml").read_text().split()).replace("> config", ">config").replace("xml <", "xml<")
    path = folder / "single.xml"
    path.write_text(text)
    return path


def test_what_is_read_makes_a_model(histfactory: Path) -> None:
    workspace = Workspace(readxml.parse(histfactory / "top.xml", histfactory))
    model = workspace.model()
    assert model.config.poi_name == "strength"
    assert workspace.observations == {"signal_region": [41, 37, 12], "control_region": [205, 150]}
    config = {one["name"]: one for one in workspace.get_measurement("nominal")["config"]["parameters"]}
    assert config["lumi"]["sigmas"] == pytest.approx([0.1])
    assert config["lumi"]["fixed"]
    assert config["trigger"] == {"name": "trigger", "fixed": True}
    assert config["tilt"] == {"name": "tilt", "inits": [0.5]}
    assert config["top_rate"] == {"name": "top_rate", "bounds": [[0.2, 4.0]], "inits": [0.5], "fixed": False}
    assert config["strength"]["bounds"] == [[-1.0, 6.0]]
    other = {one["name"]: one for one in workspace.get_measurement("other")["config"]["parameters"]}
    assert other["strength"] == {"name": "strength", "bounds": [[-1.0, 6.0]], "inits": [1.25], "fixed": True}


def test_streams(histfactory: Path) -> None:
    with open(histfactory / "top.xml", "rb") as stream:
        assert readxml.parse(stream, histfactory) == readxml.parse(histfactory / "top.xml", histfactory)


def test_mounts(histfactory: Path) -> None:
    for path in histfactory.glob("config/*.xml"):
        path.write_text(path.read_text().replace("data/yields", "/far/away/data/yields"))
    with pytest.raises(FileNotFoundError):
        readxml.parse(histfactory / "top.xml", histfactory)
    spec = readxml.parse(histfactory / "top.xml", histfactory, mounts=[(histfactory, Path("/far/away"))])
    assert len(spec["channels"]) == 2


def test_a_histogram_in_a_folder_comes_before_one_at_the_top(histfactory: Path) -> None:
    with uproot.update(histfactory / "data" / "yields.root") as file:
        file["top"] = np.array([1.0, 1.0, 1.0]), np.arange(4.0)
    spec = readxml.parse(histfactory / "top.xml", histfactory)
    assert spec["channels"][0]["samples"][1]["data"] == [30.5, 20.25, 4.5]


def test_templates_are_looked_for_in_the_folder_of_the_sample(histfactory: Path) -> None:
    expected = readxml.parse(histfactory / "top.xml", histfactory)
    _edit(histfactory, 'HistoPathLow="sr" HistoPathHigh="sr" ', "")
    assert readxml.parse(histfactory / "top.xml", histfactory) == expected


def test_files_are_opened_once_and_again_when_they_change(histfactory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr(uproot, "open", lambda path, open=uproot.open: opened.append(path) or open(path))
    for _ in range(2):
        readxml.parse(histfactory / "top.xml", histfactory)
    assert opened == [str(histfactory / "data" / "yields.root")]
    with uproot.update(histfactory / "data" / "yields.root") as file:
        file["more"] = np.array([1.0]), np.arange(2.0)
    readxml.parse(histfactory / "top.xml", histfactory)
    assert len(opened) == 2


def _edit(folder: Path, old: str, new: str, name: str = "config/signal_region.xml") -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


WRONG: dict[str, tuple[str, str, str, type[Exception], str]] = {
    "no data": ("config/signal_region.xml", '<Data HistoName="data"/>', "", RuntimeError, "is missing data"),
    "data without histogram": (
        "config/signal_region.xml",
        '<Data HistoName="data"/>',
        "<Data/>",
        NotImplementedError,
        "without data is not supported",
    ),
    "no such file": ("config/signal_region.xml", "yields.root", "none.root", FileNotFoundError, "none.root"),
    "no such channel": ("top.xml", "signal_region", "none", FileNotFoundError, "none"),
    "no POI": ("top.xml", "<POI>strength</POI>", "", RuntimeError, "nominal is missing POI"),
    "one component": ("top.xml", "alpha_trigger", "gamma_stat_0", ValueError, "gamma_stat_0"),
    "no number": ("config/signal_region.xml", 'Low="0.97"', 'Low="low"', ValueError, "low"),
    "no attribute": ("config/signal_region.xml", 'Low="0.97"', "", KeyError, "lacks the attribute Low"),
    "neither true nor false": ("config/signal_region.xml", 'Activate="True"', 'Activate="yes"', ValueError, "Activate"),
    "two configurations": ("config/control_region.xml", 'Val="1.1"', 'Val="1.2"', RuntimeError, "top_rate"),
    "no XML": ("top.xml", "</Combination>", "", ET.ParseError, "line"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input(name: str, histfactory: Path) -> None:
    file, old, new, exception, message = WRONG[name]
    _edit(histfactory, old, new, file)
    with pytest.raises(exception, match=message):
        readxml.parse(histfactory / "top.xml", histfactory)


def test_no_such_histogram(histfactory: Path) -> None:
    _edit(histfactory, 'HistoName="resonance"', 'HistoName="none"')
    with pytest.raises(KeyError, match=r"yields\.root has no histogram sr/none or none"):
        readxml.parse(histfactory / "top.xml", histfactory)


@pytest.mark.filterwarnings("default:2 faults:UserWarning")
def test_what_is_no_workspace(histfactory: Path, caplog: pytest.LogCaptureFixture) -> None:
    _edit(histfactory, "config/signal_region.xml", "", "top.xml")
    _edit(histfactory, "config/control_region.xml", "", "top.xml")
    with pytest.raises(exceptions.InvalidSpecification):
        readxml.parse(histfactory / "top.xml", histfactory)
    with caplog.at_level(logging.WARNING):
        assert readxml.parse(histfactory / "top.xml", histfactory, validation_as_error=False)["channels"] == []
    assert "channels" in caplog.text


def test_what_has_no_counterpart_is_logged(histfactory: Path, caplog: pytest.LogCaptureFixture) -> None:
    _edit(histfactory, 'ConstraintType="Poisson"/>\n', 'ConstraintType="Gaussian"/>\n')
    _edit(histfactory, '<OverallSys Name="trigger" Low="0.97" High="1.02"/>', "<UnknownSys/>")
    spec = readxml.parse(histfactory / "top.xml", histfactory)
    assert [one["type"] for one in spec["channels"][0]["samples"][0]["modifiers"]] == ["lumi", "normfactor"]
    for text in ("UnknownSys", "fake_rate has a constraint that is not Poisson", "StatError of sample top"):
        assert text in caplog.text


def test_uproot_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uproot", None)
    with pytest.raises(exceptions.ImportBackendError, match=r"pyhf-func\[xmlio\]"):
        _ = readxml.uproot


def test_importing_the_rooms_loads_no_uproot() -> None:
    import subprocess
    import sys

    code = "import sys, pyhf_func.readxml, pyhf_func.writexml; print('uproot' in sys.modules, 'jax' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=FIXTURE.parents[2]
    )
    assert done.stdout.split() == ["False", "False"]


# write


def _written(spec: Document, folder: Path) -> Document:
    """The document written and read again."""
    for name in ("config", "data"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    top = writexml.writexml(spec, folder / "config", folder / "data", "Fit")
    (folder / "Fit.xml").write_bytes(top)
    return readxml.parse(folder / "Fit.xml", folder)


def _full() -> Document:
    spec = workspace_spec()
    config = spec["measurements"][0]["config"]
    config["parameters"][0].update(auxdata=[2.0], sigmas=[0.05], inits=[2.0], bounds=[[1.75, 2.25]])
    config["parameters"].append({"name": "scale", "fixed": True, "inits": [0.25]})
    config["parameters"].append({"name": "tilt", "inits": [-0.5]})
    second = copy.deepcopy(spec["measurements"][0])
    second["name"] = "other"
    second["config"]["parameters"][1]["inits"] = [0.75]
    second["config"]["parameters"][2]["fixed"] = False
    spec["measurements"].append(second)
    return spec


@pytest.mark.parametrize("reader", ["ours", "pyhf"])
def test_what_is_written_is_read_again(reader: str, tmp_path: Path) -> None:
    spec = _full()
    again = _written(spec, tmp_path)
    if reader == "pyhf":
        again = pytest.importorskip("pyhf.readxml").parse(tmp_path / "Fit.xml", tmp_path)
    renamed = Workspace(spec).rename(modifiers={"stat_SR": "staterror_SR"})
    for name in ("fit", "other"):
        model, other = renamed.model(name), Workspace(again).model(name)
        data = renamed.data(model)
        assert Workspace(again).data(other) == pytest.approx(data, rel=1e-12)
        assert other.config.par_order == model.config.par_order
        assert other.config.suggested_init() == pytest.approx(model.config.suggested_init())
        assert other.config.suggested_fixed() == model.config.suggested_fixed()
        pars = np.asarray(model.config.suggested_init()) * 1.01 + 0.02
        np.testing.assert_allclose(other.logpdf(pars, data), model.logpdf(pars, data), rtol=1e-12)


@pytest.mark.parametrize("name", ZOO)
def test_the_zoo_is_written_and_read_again(name: str, tmp_path: Path) -> None:
    spec = ZOO[name].spec
    again = Workspace(_written(spec, tmp_path))
    original = Workspace(spec)
    assert again.channels == original.channels
    assert again.observations == original.observations
    for one, other in zip(spec["channels"], again["channels"], strict=True):
        for sample, same in zip(one["samples"], other["samples"], strict=True):
            assert (same["name"], same["data"]) == (sample["name"], sample["data"])
            kinds = {item["type"] for item in sample["modifiers"]}
            assert {item["type"] for item in same["modifiers"]} == kinds


def test_document_type(tmp_path: Path) -> None:
    _written(_full(), tmp_path)
    declared = (tmp_path / "HistFactorySchema.dtd").read_text()
    for path in (tmp_path / "Fit.xml", *tmp_path.glob("config/*.xml")):
        for element in ET.parse(path).iter():
            assert f"<!ELEMENT {element.tag} " in declared
            for attribute in element.attrib:
                assert f"<!ATTLIST {element.tag} {attribute} " in declared


def test_an_uncertainty_without_yield_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = workspace_spec()
    spec["channels"][0]["samples"][1]["data"][1] = 0.0
    again = _written(spec, tmp_path)
    assert again["channels"][0]["samples"][1]["modifiers"][2]["data"] == [5.0, 0.0]
    assert "shape: the uncertainty of a bin without yield is lost" in caplog.text


def test_what_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = workspace_spec()
    del spec["observations"][1]
    with pytest.raises(KeyError, match="channel CR has no observation"):
        _written(spec, tmp_path / "a")
    spec = workspace_spec()
    spec["channels"][0]["samples"][0]["name"] = "background"
    with pytest.raises(KeyError, match="two histograms would be called"):
        _written(spec, tmp_path / "b")
    spec = workspace_spec()
    spec["channels"][0]["samples"][0]["modifiers"].append(modifier("mine", "own"))
    assert "own" not in str(_written(spec, tmp_path / "c")["channels"])
    with pytest.raises(exceptions.InvalidSpecification, match="own: HistFactory has no type mine"):
        writexml.writexml(spec, tmp_path / "c/config", tmp_path / "c/data", "Fit", strict=True)
    assert "Skipping modifier own(mine)" in caplog.text


def test_written_as_by_pyhf(tmp_path: Path) -> None:
    theirs = pytest.importorskip("pyhf.writexml")
    spec = workspace_spec()
    for folder in ("ours", "theirs"):
        for name in ("config", "data"):
            (tmp_path / folder / name).mkdir(parents=True)
    ours = writexml.writexml(spec, tmp_path / "ours/config", tmp_path / "ours/data", "Fit")
    other = theirs.writexml(spec, tmp_path / "theirs/config", tmp_path / "theirs/data", "Fit")
    assert _normal(ours, tmp_path / "ours") == _normal(other, tmp_path / "theirs")
    for path in (tmp_path / "ours/config").iterdir():
        their_path = tmp_path / "theirs/config" / path.name
        assert _normal(path.read_bytes(), tmp_path / "ours") == _normal(their_path.read_bytes(), tmp_path / "theirs")
    with uproot.open(tmp_path / "ours/data/data.root") as a, uproot.open(tmp_path / "theirs/data/data.root") as b:
        assert a.keys() == b.keys()
        for key in a.keys():  # noqa: SIM118 (a ROOT file is no dictionary)
            np.testing.assert_array_equal(a[key].values(), b[key].values())


def _normal(text: bytes, folder: Path) -> list[Any]:
    elements = ET.fromstring(text.replace(bytes(folder), b"")).iter()
    return [
        (element.tag, sorted(element.attrib.items()), (element.text or "").strip())
        for element in elements
        if element.tag != "StatErrorConfig"  # which pyhf does not write
    ]


@pytest.mark.parametrize("prefix", ["data/yields.root:/", "yields.root:", "/"])
def test_paths_may_hold_the_file(prefix: str, histfactory: Path) -> None:
    expected = readxml.parse(histfactory / "top.xml", histfactory)
    _edit(histfactory, '<Data HistoName="data"/>', f'<Data HistoName="data" HistoPath="{prefix}sr/"/>')
    assert readxml.parse(histfactory / "top.xml", histfactory) == expected


def test_histograms_of_two_dimensions_are_flattened_as_by_root(histfactory: Path) -> None:
    with uproot.update(histfactory / "data" / "yields.root") as file:
        file["cr_top2"] = np.array([[190.5, 148.0]]), np.arange(2.0), np.arange(3.0)
    _edit(histfactory, '"cr_top"', '"cr_top2"', "config/control_region.xml")
    assert readxml.parse(histfactory / "top.xml", histfactory)["channels"][1]["samples"][0]["data"] == [190.5, 148.0]


LOST = {
    "a constraint": ("top.xml", "strength</POI>", 'strength</POI><ConstraintTerm Type="Gamma">tilt</ConstraintTerm>'),
    "NoSyst": ("top.xml", "<POI>strength</POI>", "<POI>strength</POI><NoSyst>tilt</NoSyst>"),
    "Asimov": ("top.xml", "<POI>strength</POI>", '<POI>strength</POI><Asimov Name="a"/>'),
    "a function": ("top.xml", "<Input>config/s", '<Function Name="f" Expression="x*x" Dependents="x"/><Input>config/s'),
    "an unknown parameter": ("top.xml", "alpha_trigger", "alpha_none"),
    "a Poisson constraint": ("config/signal_region.xml", 'ConstraintType="Gaussian"', 'ConstraintType="Poisson"'),
    "the default of ROOT": ("config/signal_region.xml", ' ConstraintType="Gaussian"', ""),
    "ROOT's default of a shapesys": ("config/signal_region.xml", ' ConstraintType="Poisson"', ""),
    "an attribute": ("config/control_region.xml", '<ShapeFactor ', '<ShapeFactor HistoName="start" '),
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_nothing_is_dropped_in_silence(name: str, histfactory: Path) -> None:
    file, old, new = LOST[name]
    readxml.parse(histfactory / "top.xml", histfactory, strict=True)
    _edit(histfactory, old, new, file)
    with pytest.warns(exceptions.WorkspaceWarning) as caught:
        readxml.parse(histfactory / "top.xml", histfactory)
    assert len(caught) == len(caught[0].message.faults) == 1
    with pytest.raises(exceptions.InvalidSpecification):
        readxml.parse(histfactory / "top.xml", histfactory, strict=True)


def _read(folder: Path, *edits: tuple[str, str, str], **options: Any) -> tuple[ExtendedModel, Document]:
    """The model of the XML as ROOT reads it, after replacements of (file, old, new)."""
    for file, old, new in edits:
        _edit(folder, old, new, f"config/{file}.xml" if file != "top" else "top.xml")
    document = read_document(folder / "top.xml", folder=folder, **options)
    return ExtendedModel(document), document


SR, TOP = "signal_region", "top"
FAKES = np.array([8.0, 5.5, 2.0]), np.array([0.25, 0.3, 0.5])
AS_ROOT: dict[str, tuple[tuple[str, str, str], dict[str, float], float]] = {
    "a Poisson staterror": (
        (SR, 'ConstraintType="Gaussian"', 'ConstraintType="Poisson"'),
        {"staterror_signal_region[2]": 1.1},
        2 * (1.1 - math.log(1.1) - 1) / ((4.5 + (2 * 0.2) ** 2) / 6.5**2),
    ),
    "the default of ROOT": (
        (SR, ' ConstraintType="Gaussian"', ""),
        {"staterror_signal_region[2]": 1.1},
        2 * (1.1 - math.log(1.1) - 1) / ((4.5 + (2 * 0.2) ** 2) / 6.5**2),
    ),
    "a Gaussian staterror": (
        (SR, "Sample", "Sample"),
        {"staterror_signal_region[2]": 1.1},
        0.01 / ((4.5 + 0.4**2) / 6.5**2),
    ),
    "a Poisson shapesys": ((SR, "Sample", "Sample"), {"fake_rate[1]": 1.2}, 2 * (1.2 - math.log(1.2) - 1) / 0.3**2),
    "a Gaussian shapesys": ((SR, '"Poisson"', '"Gaussian"'), {"fake_rate[1]": 1.2}, (0.2 / 0.3) ** 2),
    "the default of a shapesys": ((SR, ' ConstraintType="Poisson"', ""), {"fake_rate[1]": 1.2}, (0.2 / 0.3) ** 2),
    "a gamma": (
        (TOP, "h</POI>", 'h</POI><ConstraintTerm Type="Gamma" RelativeUncertainty="0.3">trigger</ConstraintTerm>'),
        {"trigger": 0.5},
        2 * (1.15 - math.log(1.15) - 1) / 0.3**2,
    ),
    "a uniform density": (
        (TOP, "h</POI>", 'h</POI><ConstraintTerm Type="Uniform">alpha_trigger</ConstraintTerm>'),
        {"trigger": 0.5},
        0.0,
    ),
}


@pytest.mark.parametrize("name", AS_ROOT)
def test_constraints_are_those_that_root_reads(name: str, histfactory: Path) -> None:
    edit, point, expected = AS_ROOT[name]
    model, _ = _read(histfactory, edit)
    at = {**model.inits, **point}
    observed, before, after = model.observed, model.expected(model.inits), model.expected(at)
    main = sum(2 * float(np.sum(after[c] - before[c] - observed[c] * np.log(after[c] / before[c]))) for c in observed)
    assert model.twice_nll(at) - model.twice_nll(model.inits) == pytest.approx(main + expected)
    assert pf.read(histfactory / "top.xml", folder=histfactory).model().config.npars == len(model.inits)


def test_measurements_of_other_constraint_terms_are_another_model(histfactory: Path) -> None:
    term = '<ConstraintTerm Type="Gamma" RelativeUncertainty="0.3">trigger</ConstraintTerm>'
    edit = TOP, "<POI> top_rate </POI>", f"<POI>top_rate strength</POI>{term}"
    with pytest.warns(exceptions.WorkspaceWarning, match="Measurement other: has other constraint terms"):
        _, document = _read(histfactory, edit)
    assert [m["name"] for m in document["measurements"]] == ["nominal"]
    _, document = _read(histfactory, analysis="other")
    assert [m["config"]["pois"] for m in document["measurements"]] == [["top_rate", "strength"]]
    with pytest.raises(exceptions.InvalidDocument, match="no measurement 'third', but nominal, other"):
        _read(histfactory, analysis="third")


def test_functions_components_and_names_as_root_has_them(histfactory: Path) -> None:
    function = '<Function Name="strength" Expression="x*@1^2" Dependents="x[0,3],y[2,1,4]"/><Input>config/s'
    fixed = '<POI>x y</POI><ParamSetting Const="True">gamma_fake_rate_bin_1</ParamSetting>'
    edits = (TOP, "<Input>config/s", function), (TOP, "<POI>strength</POI>", fixed), (TOP, "<POI> top_rate", "<POI> x")
    model, document = _read(histfactory, *edits, (TOP, ' Val="1.25">strength', ">Lumi"))
    configs = {c["name"]: c for c in document["measurements"][0]["config"]["parameters"]}
    assert configs["x"] == {"name": "x", "inits": [1.5], "bounds": [[0.0, 3.0]]}
    assert configs["y"] == {"name": "y", "inits": [2.0], "bounds": [[1.0, 4.0]]}
    assert configs["fake_rate"]["fixed"] == [False, True, False]
    moved = model.expected({**model.inits, "x": 2.0})["signal_region"] - model.expected(model.inits)["signal_region"]
    np.testing.assert_allclose(moved, 0.5 * 4 * 2.5 * np.array([1.5, 6.25, 2.75]))
    names = document["metadata"]["foreign_names"]
    assert {names[n] for n in ("Lumi", "x", "alpha_trigger", "gamma_stat_signal_region_bin_2")} == {
        *("lumi", "x", "trigger", "staterror_signal_region[2]")
    }  # fmt: skip


def test_functions_of_functions_and_terms_of_nothing(histfactory: Path) -> None:
    functions = (
        '<Function Name="twice" Expression="2*x" Dependents="x[1,0,3]"/>'
        '<Function Name="strength" Expression="@0+1" Dependents="twice"/><Input>config/s'
    )
    other = "<POI>strength</POI>", '<POI>x</POI><ConstraintTerm Type="Uniform">none</ConstraintTerm>'
    with pytest.warns(exceptions.WorkspaceWarning, match="<ConstraintTerm> of none: no channel has that"):
        model, _ = _read(histfactory, (TOP, "<Input>config/s", functions), (TOP, *other))
    once, twice = (model.expected({"x": x})["signal_region"] for x in (1.0, 2.0))
    np.testing.assert_allclose(twice - once, 2 * 2.5 * np.array([1.5, 6.25, 2.75]))


@pytest.mark.parametrize("data", ["", "<Data/>", '<Data InputFile="data/yields.root"/>'])
def test_channels_without_data_have_those_of_asimov(data: str, histfactory: Path) -> None:
    with pytest.warns(exceptions.WorkspaceWarning, match="channel signal_region: has no data"):
        _, document = _read(histfactory, (SR, '<Data HistoName="data"/>', data))
    sr = 2.5 * np.array([1.5, 6.25, 2.75]) + 0.5 * np.array([30.5, 20.25, 4.5]) + np.array([8.0, 5.5, 2.0])
    np.testing.assert_allclose(document["observations"][0]["data"], sr)
    assert document["observations"][1]["data"] == [205.0, 150.0]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ((SR, '"Poisson"', '"Cauchy"'), "no constraint of type cauchy"),
        ((SR, '"Gaussian"', '"Cauchy"'), "no constraint of type cauchy"),
        (
            (TOP, "<Input>config/s", '<Function Name="f" Expression="ls()" Dependents="x"/><Input>config/s'),
            "no function",
        ),
        ((TOP, "h</POI>", 'h</POI><ConstraintTerm Type="Gamma">trigger</ConstraintTerm>'), "RelativeUncertainty"),
        ((TOP, "Combination", "Channel"), "outermost element is <Channel>"),
        ((SR, 'RelErrorThreshold="0.05"', 'RelErrorThreshold="5%"'), "RelErrorThreshold is '5%', which is no number"),
        (
            (TOP, "<Input>config/s", '<Function Name="f" Expression="x" Dependents="x[a,b]"/><Input>config/s'),
            "Function f: x.a,b. is no range",
        ),
        (
            (TOP, "<Input>config/s", '<Function Name="f" Expression="f*2" Dependents="f"/><Input>config/s'),
            "Function f: 'f' contains itself",
        ),
    ],
)
def test_what_root_refuses_is_refused_by_name(edit: tuple[str, str, str], message: str, histfactory: Path) -> None:
    with pytest.raises(exceptions.InvalidDocument, match=message):
        _read(histfactory, edit)


def test_bins_below_the_threshold_are_without_statistical_uncertainty(histfactory: Path) -> None:
    _edit(histfactory, 'RelErrorThreshold="0.05"', 'RelErrorThreshold="0.2"')
    samples = readxml.parse(histfactory / "top.xml", histfactory)["channels"][0]["samples"]
    widths = [one["data"] for sample in samples for one in sample["modifiers"] if one["type"] == "staterror"]
    assert [[width > 0 for width in row] for row in widths] == [[False, False, True]] * 2


def test_files_outside_of_the_base_folder_need_a_flag(histfactory: Path, tmp_path: Path) -> None:
    (tmp_path / "other.root").write_bytes((histfactory / "data" / "yields.root").read_bytes())
    expected = readxml.parse(histfactory / "top.xml", histfactory)
    (histfactory / "data" / "link.root").symlink_to(tmp_path / "other.root")
    for path in ("../other.root", str(tmp_path / "other.root"), "data/link.root"):
        _edit(histfactory, '<Data HistoName="data"/>', f'<Data HistoName="data" InputFile="{path}"/>')
        with pytest.raises(exceptions.InvalidSpecification, match="outside of the base folder"):
            readxml.parse(histfactory / "top.xml", histfactory)
        assert readxml.parse(histfactory / "top.xml", histfactory, allow_outside=True) == expected
        _edit(histfactory, f'<Data HistoName="data" InputFile="{path}"/>', '<Data HistoName="data"/>')


@pytest.mark.parametrize("head", ['<?xml version="1.0" encoding="klingon"?>', '<!DOCTYPE a [<!ENTITY b "c">]>',
    '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'])  # fmt: skip
def test_hostile_xml_is_refused_by_name(head: str, tmp_path: Path) -> None:
    (tmp_path / "top.xml").write_text(f"{head}<Combination/>")
    with pytest.raises(exceptions.InvalidDocument, match="top.xml"):
        readxml.parse(tmp_path / "top.xml", tmp_path)


def test_settings_of_components_survive(tmp_path: Path) -> None:
    spec = workspace_spec()
    spec["measurements"][0]["config"]["parameters"].append({"name": "free", "inits": [0.5, 1.0, 2.0], "fixed": True})
    again = _written(spec, tmp_path)
    assert {"name": "free", "inits": [0.5, 1.0, 2.0], "fixed": True} in [
        {"inits": [0.5, 1.0, 2.0], **one} for one in again["measurements"][0]["config"]["parameters"]
    ]
    assert 'ConstraintType="Gaussian" ' not in (tmp_path / "Fit.xml").read_text()


def test_what_the_xml_cannot_say_is_warned_of(tmp_path: Path) -> None:
    spec = workspace_spec()
    spec["measurements"][0]["config"]["parameters"].append({"name": "free", "bounds": [[0.0, 3.0]] * 3})
    with pytest.warns(exceptions.WorkspaceWarning, match="free: the bounds of a shapefactor"):
        _written(spec, tmp_path)
    for name in ("config", "data"):
        (tmp_path / "strict" / name).mkdir(parents=True)
    with pytest.raises(exceptions.InvalidSpecification, match="free"):
        writexml.writexml(spec, tmp_path / "strict/config", tmp_path / "strict/data", "Fit", strict=True)
    assert [path for path in (tmp_path / "strict").rglob("*") if path.is_file()] == []


def test_a_model_from_xml_equals_one_from_numbers(histfactory: Path) -> None:
    workspace = Workspace(readxml.parse(histfactory / "top.xml", histfactory))
    model = workspace.model("other")
    expected = np.asarray(model.expected_actualdata(model.config.suggested_init()))
    assert isinstance(model, Model)
    # control region first; the signal region: 1.25 × 1.0 × signal, 1.1 × top, and fakes.
    sr = 1.25 * np.array([1.5, 6.25, 2.75]) + 1.1 * np.array([30.5, 20.25, 4.5]) + np.array([8.0, 5.5, 2.0])
    np.testing.assert_allclose(expected, [1.1 * 190.5, 1.1 * 148.0, *sr], rtol=1e-6)
