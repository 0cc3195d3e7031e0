"""From histograms to workspaces: what comes in, what is made of it, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import pyhf_func as pf
from pyhf_func.cli import main
from pyhf_func.exceptions import InvalidDocument, InvalidModel, InvalidSpecification

EDGES = [0.0, 50.0, 100.0, 200.0]
NOMINAL = [40.0, 30.0, 10.0]


def sample(*modifiers: Any, nominal: Any = None, **options: Any) -> pf.Sample:
    return pf.Sample((NOMINAL, EDGES) if nominal is None else nominal, *modifiers, **options)


def built(*modifiers: Any, nominal: Any = None, **options: Any) -> dict[str, Any]:
    """The modifiers of one sample, by type."""
    workspace = pf.build(channels={"SR": pf.Channel({"b": sample(*modifiers, nominal=nominal)})}, **options)
    made = workspace["channels"][0]["samples"][0]["modifiers"]
    return {modifier["type"]: modifier for modifier in made}


def refused(*modifiers: Any, **options: Any) -> list[str]:
    """Places and messages of all that is wrong."""
    with pytest.raises(InvalidModel) as caught:
        built(*modifiers, **options)
    return [str(fault) for fault in caught.value.faults]


class Uhi:
    """A histogram of no library, with the protocol alone."""

    class Axis:
        label = "mass [GeV]"

        def __len__(self) -> int:
            return len(EDGES) - 1

        def __getitem__(self, place: int) -> tuple[float, float]:
            return EDGES[place], EDGES[place + 1]

    axes = (Axis(),)

    def values(self) -> np.ndarray:
        return np.array(NOMINAL)

    def variances(self) -> np.ndarray:
        return np.array([4.0, 3.0, 1.0])


def of_boost() -> Any:
    bh = pytest.importorskip("boost_histogram", reason="boost-histogram is not installed")
    axis = bh.axis.Variable(EDGES)
    axis.__dict__["name"] = "mass [GeV]"
    histogram = bh.Histogram(axis, storage=bh.storage.Weight())
    histogram[...] = np.stack([NOMINAL, [4.0, 3.0, 1.0]], axis=-1)
    return histogram


def of_root(folder: Path) -> Any:
    uproot = pytest.importorskip("uproot", reason="uproot is not installed")
    edges = np.array(EDGES)
    histogram = uproot.writing.identify.to_TH1x(
        "h",
        "h",
        np.array([0.0, *NOMINAL, 5.0]),
        80.0,
        80.0,
        0.0,
        0.0,
        0.0,
        np.array([0.0, 4.0, 3.0, 1.0, 1.0]),
        uproot.writing.identify.to_TAxis("xaxis", "mass [GeV]", 3, edges[0], edges[-1], fXbins=edges),
    )
    with uproot.recreate(folder / "h.root") as file:
        file["h"] = histogram
    return uproot.open(folder / "h.root")["h"]


@pytest.mark.parametrize("library", ["protocol", "boost-histogram", "uproot"])
def test_histograms_of_any_library_give_the_same(library: str, tmp_path: Path) -> None:
    given = {"protocol": Uhi, "boost-histogram": of_boost, "uproot": lambda: of_root(tmp_path)}[library]()
    workspace = pf.build(channels={"SR": pf.Channel({"b": pf.Sample(given, pf.Free("mu"))}, data=given)}, poi="mu")
    content = workspace["channels"][0]["samples"][0]
    assert content["data"] == NOMINAL
    assert content["modifiers"][0]["data"] == pytest.approx([2.0, 3**0.5, 1.0], rel=1e-12)
    assert workspace.observations == {"SR": NOMINAL}
    assert workspace.metadata["axes"] == {"SR": [{"title": "mass", "unit": "GeV", "edges": EDGES}]}


def test_arrays_with_variances_and_pairs_with_edges() -> None:
    by_hand = pf.Histogram(NOMINAL, variances=[4.0, 3.0, 1.0], axes=[{"edges": EDGES}])
    for given in (by_hand, pf.Sample((np.array(NOMINAL), np.array(EDGES)), variances=np.array([4.0, 3.0, 1.0]))):
        one = given if isinstance(given, pf.Sample) else pf.Sample(given)
        found = pf.build(channels={"SR": pf.Channel({"b": one}, title="mass")})["channels"][0]["samples"][0]
        assert found["modifiers"][0]["name"] == "staterror_SR"
        assert found["modifiers"][0]["data"] == pytest.approx([2.0, 3**0.5, 1.0])


def test_two_dimensions_follow_one_another() -> None:
    counts = np.arange(1.0, 7.0).reshape(2, 3)
    workspace = pf.build(channels={"SR": pf.Channel({"b": pf.Sample((counts, [[0, 1, 2], EDGES]), pf.Free("mu"))})})
    assert workspace["channels"][0]["samples"][0]["data"] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert [axis["edges"] for axis in workspace.metadata["axes"]["SR"]] == [[0.0, 1.0, 2.0], EDGES]


def test_the_document_is_pyhfs() -> None:
    pyhf = pytest.importorskip("pyhf", reason="pyhf is not installed")
    channel = pf.Channel(
        data=([41, 29, 12], EDGES),
        samples={
            "s": pf.Sample([1.0, 2.0, 4.0], pf.Free("mu", start=1.0, bounds=(0.0, 20.0)), pf.Lumi(0.02)),
            "b": sample(pf.Lumi(0.02), pf.Norm("xsec", (-0.04, 0.06)), variances=[4.0, 3.0, 1.0]),
            "q": pf.Sample([3.0, 2.0, 2.0], pf.Uncorrelated("q", [1.0, 0.5, 0.5]), statistics=False),
            "d": pf.Sample([1.0, 1.0, 1.0], pf.FreeShape("d")),
        },
    )
    workspace = pf.build(channels={"SR": channel}, poi="mu", fixed={"xsec": 0.5})
    theirs = pyhf.Workspace(json.loads(json.dumps(workspace))).model()
    ours = workspace.model()
    assert theirs.config.par_order == ours.config.par_order
    pars = np.array(ours.config.suggested_init())
    data = workspace.data(ours)
    assert float(theirs.logpdf(pars, data)[0]) == pytest.approx(float(np.ravel(ours.logpdf(pars, data))[0]), rel=1e-12)
    assert pars[ours.config.par_slice("xsec")] == [0.5]
    assert ours.config.suggested_fixed()[ours.config.par_slice("xsec").start]


def test_without_data_the_expected_ones_are_taken() -> None:
    workspace = pf.build(
        channels={"SR": pf.Channel({"a": sample(pf.Free("mu")), "b": sample(nominal=[1.0, 1.0, 1.0])})}
    )
    assert workspace.observations == {"SR": [41.0, 31.0, 11.0]}


# what becomes of variations

UP = [44.0, 36.0, 12.0]


def test_yield_and_shape_are_told_apart_and_give_the_template_back() -> None:
    down = [38.0, 27.0, 7.0]
    made = built(pf.UpDown("jes", (UP, EDGES), (down, EDGES)))
    high, low = made["normsys"]["data"]["hi"], made["normsys"]["data"]["lo"]
    assert (high, low) == (pytest.approx(92 / 80), pytest.approx(72 / 80))
    assert np.array(made["histosys"]["data"]["hi_data"]) * high == pytest.approx(UP)
    assert np.array(made["histosys"]["data"]["lo_data"]) * low == pytest.approx(down)
    assert built(pf.UpDown("jes", UP, down, split=False))["histosys"]["data"] == {"hi_data": UP, "lo_data": down}


def test_the_engine_gives_the_template_at_one_standard_deviation() -> None:
    workspace = pf.build(channels={"SR": pf.Channel({"b": sample(pf.UpDown("jes", UP))})})
    model = workspace.model(poi_name=None)
    assert np.asarray(model.expected_data([1.0]))[:3] == pytest.approx(UP, rel=1e-12)


def test_one_sided_variations_are_mirrored() -> None:
    assert built(pf.UpDown("jes", UP, split=False))["histosys"]["data"]["lo_data"] == [36.0, 24.0, 8.0]
    made = built(pf.UpDown("jes", UP))
    high = 92 / 80
    assert made["normsys"]["data"] == {"hi": pytest.approx(high), "lo": pytest.approx(2 - high)}
    shape = made["histosys"]["data"]
    assert np.array(shape["hi_data"]) + np.array(shape["lo_data"]) == pytest.approx(2 * np.array(NOMINAL))


def test_pairs_become_symmetric_where_that_is_asked_for() -> None:
    down = [39.0, 32.0, 10.0]
    average = built(pf.UpDown("jes", UP, down, split=False, symmetrise="average"))["histosys"]["data"]
    assert average == {"hi_data": [42.5, 32.0, 11.0], "lo_data": [37.5, 28.0, 9.0]}
    largest = built(pf.UpDown("jes", UP, down, split=False, symmetrise="maximum"))["histosys"]["data"]
    assert largest == {"hi_data": UP, "lo_data": [36.0, 24.0, 8.0]}


def test_a_single_bin_has_no_shape() -> None:
    made = built(pf.UpDown("jes", [11.0], [9.5]), nominal=[10.0])
    assert list(made) == ["normsys"]
    assert made["normsys"]["data"] == {"hi": pytest.approx(1.1), "lo": pytest.approx(0.95)}


# what is refused


def test_everything_that_is_wrong_is_named_at_once() -> None:
    faults = refused(
        pf.UpDown("jes", [44.0, float("nan"), 12.0]),
        pf.UpDown("jer", ([44.0, 36.0, 12.0], [0.0, 60.0, 100.0, 200.0])),
        pf.UpDown("pdf", [44.0, 36.0]),
        pf.UpDown("ps", [44.0, -1.0, -2.0]),
        pf.Norm("xsec", 1.5),
        pf.Uncorrelated("q", [1.0, -1.0, 1.0]),
        "mu",
        poi="nu",
        fixed={"nope": 1.0},
    )
    text = "\n".join(faults)
    for place, what in (
        ("SR.b.jes.up", "not finite in bin 1"),
        ("SR.b.jer.up", "has the edges"),
        ("SR.b.pdf.up", "has 2 bins, but the channel has 3"),
        ("SR.b.ps.up", "negative in bins 1, 2"),
        ("SR.b.xsec", "scaled by -0.5"),
        ("SR.b.q", "negative in bin 1"),
        ("SR.b", "is no modifier"),
        ("$.poi", "'nu' is no parameter"),
        ("$.fixed", "'nope' is no parameter"),
    ):
        assert any(place in fault and what in fault for fault in faults), (place, what, text)


@pytest.mark.parametrize(
    "nominal", ["counts", None, [], [[1.0], [1.0, 2.0]], ["a"], ([1.0], [0.0]), object(), 5.0, [1j]]
)
def test_what_is_no_histogram_is_refused_by_place(nominal: Any) -> None:
    with pytest.raises(InvalidModel, match=r"SR\.b"):
        pf.build(channels={"SR": pf.Channel({"b": pf.Sample(nominal, pf.Free("mu"))})})


def test_negative_bins_are_named_and_can_be_set_to_zero_or_kept() -> None:
    nominal = [40.0, -3.0, 10.0]
    (fault,) = refused(pf.Free("mu"), nominal=nominal)
    assert "SR.b: negative in bin 1: -3. Merge bins" in fault
    for negative, expected in (("zero", 0.0), ("keep", -3.0)):
        channels = {"SR": pf.Channel({"b": pf.Sample(nominal, pf.Free("mu")), "a": sample()})}
        found = pf.build(channels=channels, negative=negative)["channels"][0]["samples"][0]["data"]
        assert found == [40.0, expected, 10.0]


def test_a_mirror_image_below_zero_is_named() -> None:
    (fault,) = refused(pf.UpDown("jes", [44.0, 61.0, 12.0], split=False))
    assert "SR.b.jes.down: negative in bin 1, as a mirror image" in fault


@pytest.mark.parametrize(
    "given", [None, 5, {}, [], {"SR": 5}, {"SR": pf.Channel({})}, {"SR": pf.Channel({"b": [1.0]})}]
)
def test_wrong_parts_are_refused(given: Any) -> None:
    with pytest.raises((InvalidModel, TypeError)):
        pf.build(channels=given)


@pytest.mark.parametrize(
    "options", [{"negative": "drop"}, {"prune": -1.0}, {"prune": "small"}, {"verify": True}, {"config": "x.yaml"}]
)
def test_wrong_arguments_are_refused_by_name(options: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match=next(iter(options))):
        pf.build(channels={"SR": pf.Channel({"b": sample(pf.Free("mu"))})}, **options)


def test_one_parameter_has_one_range() -> None:
    (fault,) = refused(pf.Free("mu", bounds=(0.0, 5.0)), pf.Free("mu", bounds=(0.0, 9.0)))
    assert "'mu' has other settings elsewhere" in fault


# pruning


def channels_with_small_effects() -> dict[str, pf.Channel]:
    tiny = np.array(NOMINAL) * [1.001, 0.999, 1.0]
    background = sample(pf.Norm("large", 0.1), pf.Norm("small", 0.0005), pf.UpDown("shape", tiny), pf.UpDown("jes", UP))
    signal = pf.Sample([1.0, 3.0, 8.0], pf.Free("mu"), pf.Norm("small", 0.2))
    return {"SR": pf.Channel({"s": signal, "b": background}, data=[40.0, 33.0, 14.0])}


def test_what_changes_next_to_nothing_is_left_out_and_named() -> None:
    workspace = pf.build(channels=channels_with_small_effects(), poi="mu", prune=0.005)
    report = workspace.metadata["pruned"]
    assert [(one["sample"], one["modifier"], one["type"]) for one in report["left_out"]] == [
        ("b", "small", "normsys"),
        ("b", "shape", "normsys"),
        ("b", "shape", "histosys"),
    ]
    assert all(one["effect"] < report["threshold"] for one in report["left_out"])
    assert "shape" not in workspace.parameters
    assert "small" in workspace.parameters  # of the signal


@pytest.mark.slow
def test_the_change_of_the_results_is_measured() -> None:
    whole = pf.build(channels=channels_with_small_effects(), poi="mu")
    smaller = pf.build(channels=channels_with_small_effects(), poi="mu", prune=0.005, verify=True)
    results = smaller.metadata["pruned"]["results"]
    for place, workspace in enumerate((whole, smaller)):
        model = workspace.model()
        fit = pf.fit(workspace.data(model), model)
        assert results["best"][place] == pytest.approx(float(fit.pars[model.config.poi_index]), rel=1e-8)
        limit = pf.upper_limit(workspace.data(model), model)
        assert results["limit_obs"][place] == pytest.approx(float(limit.observed), rel=1e-6)
    assert 0 < results["change"] < 0.01


# cabinetry's configurations

CONFIG: dict[str, Any] = {
    "General": {
        "Measurement": "search",
        "POI": "mu",
        "InputPath": "{RegionPath}.root:{SamplePath}{VariationPath}",
        "HistogramFolder": "histograms",
        "Fixed": [{"Name": "lumi", "Value": 0.25}],
    },
    "Regions": [
        {"Name": "Signal region", "RegionPath": "sr", "Variable": "mass [GeV]"},
        {"Name": "CR", "RegionPath": "cr"},
    ],
    "Samples": [
        {"Name": "Data", "SamplePath": "data", "Data": True},
        {"Name": "sig", "SamplePath": "sig", "DisableStaterror": True, "Regions": "Signal region"},
        {"Name": "bkg", "SamplePath": "bkg"},
    ],
    "NormFactors": [
        {"Name": "mu", "Samples": "sig", "Nominal": 1, "Bounds": [0, 10]},
        {"Name": "k_bkg", "Samples": ["bkg"], "Bounds": [0, 5]},
    ],
    "Systematics": [
        {
            "Name": "lumi",
            "Type": "Normalization",
            "Up": {"Normalization": 0.02},
            "Down": {"Normalization": -0.03},
        },
        {
            "Name": "jes",
            "Type": "NormPlusShape",
            "Up": {"VariationPath": "_jesUp"},
            "Down": {"VariationPath": "_jesDown"},
            "Samples": "bkg",
        },
        {
            "Name": "model",
            "Type": "NormPlusShape",
            "Up": {"VariationPath": "_modelUp"},
            "Down": {"Symmetrize": True},
            "Samples": "bkg",
            "Regions": ["Signal region"],
            "ModifierName": "bkg_model",
        },
    ],
}


@pytest.fixture
def analysis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration and its ROOT files."""
    uproot = pytest.importorskip("uproot", reason="uproot is not installed")
    bh = pytest.importorskip("boost_histogram", reason="boost-histogram is not installed")
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    monkeypatch.chdir(tmp_path)
    shapes = {
        "sr": {
            "data": [42.0, 31.0, 15.0],
            "sig": [1.0, 3.0, 8.0],
            "bkg": NOMINAL,
            "bkg_jesUp": UP,
            "bkg_jesDown": [38.0, 27.0, 7.0],
            "bkg_modelUp": [41.0, 28.0, 13.0],
        },
        "cr": {"data": [205.0], "bkg": [200.0], "bkg_jesUp": [210.0], "bkg_jesDown": [188.0]},
    }
    for region, histograms in shapes.items():
        with uproot.recreate(tmp_path / f"{region}.root") as file:
            for name, counts in histograms.items():
                edges = EDGES if len(counts) > 1 else [0.0, 1.0]
                histogram = bh.Histogram(bh.axis.Variable(edges), storage=bh.storage.Weight())
                histogram[...] = np.stack([counts, np.array(counts) / 10], axis=-1)
                file[name] = histogram
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    return tmp_path


def same(ours: Any, theirs: Any) -> None:
    """Equal but for roundings."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key in theirs:
            same(ours[key], theirs[key])
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            same(one, other)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-12)
    else:
        assert ours == theirs


def test_a_configuration_gives_cabinetrys_workspace(analysis: Path) -> None:
    cabinetry = pytest.importorskip("cabinetry", reason="cabinetry is not installed")
    from_root = pf.build("config.yaml")
    config = cabinetry.configuration.load("config.yaml")
    cabinetry.templates.collect(config, method="uproot")
    cabinetry.templates.postprocess(config)
    theirs = cabinetry.workspace.build(config)
    for file in analysis.glob("*.root"):
        file.unlink()
    from_folder = pf.build(analysis / "config.yaml")
    for ours in (from_root, from_folder, pf.build(config)):
        same(dict(ours), theirs)
    assert from_root.metadata["axes"]["Signal region"] == [{"title": "mass", "unit": "GeV", "edges": EDGES}]


def test_a_configuration_needs_no_current_folder(analysis: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (analysis / "elsewhere").mkdir()
    monkeypatch.chdir(analysis / "elsewhere")
    assert pf.build(analysis / "config.yaml").channels == ["CR", "Signal region"]


def test_missing_histograms_are_named_at_once(analysis: Path) -> None:
    (analysis / "cr.root").unlink()
    with pytest.raises(InvalidSpecification) as caught:
        pf.build("config.yaml")
    assert len(caught.value.faults) == 4
    assert "CR_bkg_jes_Up" in str(caught.value)


def test_smoothing_that_nobody_has_done_is_refused(analysis: Path) -> None:
    config = json.loads(json.dumps(CONFIG))
    config["Systematics"][1]["Smoothing"] = {"Algorithm": "353QH, twice", "Regions": "Signal region"}
    with pytest.raises(InvalidSpecification, match="Smoothing is not applied here"):
        pf.build(config)


def test_faults_of_a_configuration_are_named_at_once(tmp_path: Path) -> None:
    config = json.loads(json.dumps(CONFIG))
    del config["General"]["InputPath"]
    config["Samples"][0]["Data"] = False
    config["Regons"] = []
    config["Regions"][0]["Nmae"] = "SR"
    config["Systematics"][0]["Up"] = {}
    config["Systematics"][1]["Type"] = "Shape"
    config["NormFactors"][0]["Bounds"] = [0]
    with pytest.raises(InvalidSpecification) as caught:
        pf.build(config)
    text = "\n".join(map(str, caught.value.faults))
    for found in (
        "$.General.InputPath: is missing",
        "$.Samples: 0 samples have Data",
        "did you mean Regions",
        "did you mean Name",
        "$.Systematics[0].Up.Normalization",
        "$.Systematics[1].Type: is 'Shape'",
        "$.NormFactors[0].Bounds",
    ):
        assert found in text, text


@pytest.mark.parametrize("text", ["", "5", "- a", "General: {", "a: &a [*a]", "!!python/object/apply:os.system [ls]"])
def test_what_is_no_configuration_is_refused(text: str, tmp_path: Path) -> None:
    pytest.importorskip("yaml", reason="PyYAML is not installed")
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises((InvalidDocument, InvalidSpecification)):
        pf.build(path)


# the shell


def test_a_configuration_becomes_a_workspace_in_the_shell(analysis: Path) -> None:
    result = CliRunner().invoke(main, ["build", "config.yaml", "-o", "workspace.json"])
    assert result.exit_code == 0, result.stderr
    found = pf.read("workspace.json")
    expected = pf.build("config.yaml")
    assert (found, found.metadata) == (expected, expected.metadata)
    plain = CliRunner().invoke(main, ["build", "config.yaml", "--plain", "--prune", "0.02"])
    assert json.loads(plain.stdout).keys() == {"channels", "observations", "measurements", "version"}
    assert "left out" not in CliRunner().invoke(main, ["build", "config.yaml"]).stderr
    pruned = CliRunner().invoke(main, ["build", "config.yaml", "--prune", "0.026"])
    assert "left out bkg_model (normsys) of Signal region, bkg: its largest effect is 0.025" in pruned.stderr


@pytest.mark.parametrize("options", [["--verify"], ["--prune", "-1"], ["--prune", "nan"]])
def test_wrong_use_in_the_shell(options: list[str], analysis: Path) -> None:
    result = CliRunner().invoke(main, ["build", "config.yaml", *options])
    assert result.exit_code == 2
    assert "Usage:" in result.stderr
