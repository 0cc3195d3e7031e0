"""Datacards: read as Combine means them; what can't be read is named with its line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core import likelihood
from pyhf_func.documents.formats import datacards
from pyhf_func.documents.plain import plain
from pyhf_func.exceptions import InvalidSpecification, UnsupportedExtension, WorkspaceWarning
from pyhf_func.schema import extended
from tests.conftest import SHARED_DATA
from tests.documents.documents import Document
from tests.reference.extended import ExtendedModel, differences, owners_point

OWNERS = SHARED_DATA / "formats" / "combine"
RESULTS = {
    "datacard-1-counting-experiment": 1e-9,
    "datacard-2-template-analysis": 1e-9,
    "datacard-5-multi-signal": 1e-9,
    "simple-shapes-TH1": 1e-9,
    "template-analysis_shapeInterp": 1e-4,  # whose templates Combine scales in single precision
    "template-analysis_shapeInterp_womcstats": 1e-9,
    "template-analysis_shape_autoMCStats": 1e-9,
}


def card_of(name: str) -> Path:
    found = list(OWNERS.glob(f"cards/**/{name}.txt"))
    if not found:
        pytest.skip(f"the card {name} is not there")
    return found[0]


def computed(document: Document, points: Sequence[Mapping[str, float]]) -> Any:
    """2NLL of the engine at the owner's points less that at the first; other parameters are at their start."""
    workspace = pf.read(document)
    model = workspace.model()
    data = workspace.data(model)
    start = dict(zip(model.config.par_names, model.config.suggested_init(), strict=True))
    values = [{**start, **owners_point(document, point)} for point in points]
    found = [-2 * float(model.logpdf([at[name] for name in model.config.par_names], data)[0]) for at in values]
    return np.array(found) - found[0]


@pytest.mark.parametrize("name", RESULTS)
def test_values_starts_and_ranges_are_those_of_combine(name: str) -> None:
    card = card_of(name)
    pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")
    document = datacards.read(card.read_text(), folder=card.parent, mass=200.0)
    extended.check(document)
    theirs = json.loads((OWNERS / "results" / f"{name}.json").read_text())
    model = ExtendedModel(document)
    ours = differences(model, [owners_point(document, point) for point in theirs["points"]])
    twice = 2 * np.array(theirs["nll"])
    np.testing.assert_allclose(ours, twice - twice[0], rtol=0, atol=RESULTS[name])
    np.testing.assert_allclose(computed(document, theirs["points"]), twice - twice[0], rtol=0, atol=RESULTS[name])
    foreign = document["metadata"]["foreign_names"]
    assert set(theirs["parameters"]) == set(foreign)
    assert {foreign[n]: value for n, value in theirs["init"].items()} == pytest.approx(
        {entry: model.inits[entry] for entry in foreign.values()}
    )
    configs = {c["name"]: c for c in document["measurements"][0]["config"]["parameters"]}
    for owner, ends in theirs["range"].items():
        name, _, component = foreign[owner].partition("[")
        index = int(component.rstrip("]")) if component else 0
        np.testing.assert_allclose(configs[name]["bounds"][index], ends, rtol=1e-3)


@pytest.mark.parametrize("name", RESULTS)
def test_the_engine_computes_the_values_of_combine(name: str) -> None:
    card = card_of(name)
    pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")
    workspace = pf.read(card, mass=200.0)
    model = workspace.model()
    theirs = json.loads((OWNERS / "results" / f"{name}.json").read_text())
    start = dict(zip(model.config.par_names, model.config.suggested_init(), strict=True))
    at = [{**start, **owners_point({"metadata": workspace.metadata}, point)} for point in theirs["points"]]
    pars = np.array([[point[entry] for entry in model.config.par_names] for point in at])
    value = jax.jit(jax.vmap(likelihood.logpdf, (None, 0, None)))
    ours, twice = -2 * value(model.likelihood, pars, np.asarray(workspace.data(model))), 2 * np.array(theirs["nll"])
    np.testing.assert_allclose(ours - ours[0], twice - twice[0], rtol=0, atol=RESULTS[name])


@pytest.mark.parametrize("name", ["datacard-5-multi-signal"])
def test_fits_and_scans_are_those_of_combine(name: str) -> None:
    ours = pf.read(card_of(name))
    model = ours.model()
    data = ours.data(model)
    theirs = json.loads((OWNERS / "results" / f"{name}.json").read_text())
    fitted = dict(zip(model.config.par_names, pf.fit(data, model).pars, strict=True))
    assert float(fitted["r"]) == pytest.approx(theirs["fit"]["values"]["r"][0], abs=1e-3)
    points, values = np.array(theirs["scan"]).T
    np.testing.assert_allclose(pf.profile({"r": points}, data, model).ratio, values, rtol=0, atol=1e-4)


READ = [
    *("CAT23001/datacard-4-abcd", "CAT23001/default-physics-model-datacard", "toy-hgg-125", "groups/groupnuisA"),
    *("groups/groupnuisB", "groups/myanalysis.dc", "counting/realistic-counting-experiment", "ci/variant_thr60"),
    *("counting/realistic-multi-channel", "counting/simple-counting-experiment", "counting/simple-multi-channel"),
    *("longexercise/datacard_part1", "longexercise/datacard_part2", "longexercise/datacard_part3"),
    *("longexercise/datacard_part3_nocrs", "ci/htt_multiple_regions", "ci/template-analysis_shapeNInterp"),
    *("ci/templ_datacard_largeYields", "rate_params/signal_region", "rate_params/dimuon_control_region"),
    *("simple-counting/counting-B5p5-Obs20-Syst30C", "simple-counting/twoSignals-3bin-bigBSyst"),
]
REFUSED = {
    "CAT23001/datacard-3-parametric-analysis": "which is not read",
    "hzz4l_datacard": "an object of a workspace",
    "shapes/simple-shapes-df": "no ROOT file",
    "rate_params/simple_sm_datacard": "is in a workspace",
    "simple-counting/test-edit": "changed into a trG",
}


@pytest.mark.filterwarnings("ignore::pyhf_func.exceptions.WorkspaceWarning")
@pytest.mark.parametrize("name", READ)
def test_cards_of_combine_are_read(name: str) -> None:
    path = OWNERS / "cards" / f"{name}.txt"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")
    document = datacards.read(path.read_text(), folder=path.parent, mass=125.0 if "htt" in name else 200.0)
    extended.check(document)
    assert math.isfinite(ExtendedModel(document).twice_nll({}))


@pytest.mark.parametrize("name", REFUSED)
def test_other_cards_are_refused_by_name_and_line(name: str) -> None:
    path = OWNERS / "cards" / f"{name}.txt"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    with pytest.raises(InvalidSpecification, match=REFUSED[name]) as error:
        datacards.read(path.read_text(), folder=path.parent)
    assert any(fault.path.startswith("line ") for fault in error.value.faults)


def counting(*lines: str, rates: str = "5 10", observed: str = "12", header: str = "") -> str:
    """A card of one bin with a signal and a background."""
    head = f"{header}\nbin SR\nobservation {observed}\nbin SR SR\nprocess s b\nprocess 0 1\nrate {rates}"
    return "\n".join([head, *lines])


def read(*lines: str, **options: Any) -> Document:
    maps = options.pop("maps", ())
    document = datacards.read(counting(*lines, **options), maps=maps)
    extended.check(document)
    return document


def main(expected: float, observed: float = 12.0) -> float:
    return 2 * (expected - observed * math.log(expected))


STEP = 0.5 * (15 + 0.25 * (3 * 0.25 - 10)) / 8  # the odd quintic at 1/2
LOGS = math.log(1.1), math.log(0.8)
ASYMMETRIC = math.exp(0.25 * ((LOGS[0] - LOGS[1]) / 2 + (LOGS[0] + LOGS[1]) / 2 * STEP))

CLOSED: dict[str, tuple[str, dict[str, float], float]] = {
    "a log-normal": ("k lnN 1.2 -", {"k": 0.5}, main(5 * 1.2**0.5 + 10) + 0.25),
    "an asymmetric one": ("k lnN - 0.8/1.1", {"k": 0.25}, main(5 + 10 * ASYMMETRIC) + 0.0625),
    "one that is symmetric after all": ("k lnN - 0.8/1.25", {"k": 0.5}, main(5 + 10 * 1.25**0.5) + 0.25),
    "two lines of one name": ("k lnN 1.2 -\nk lnN - 1.3", {"k": 1.0}, main(6 + 13) + 1),
    "a flat one": ("k lnU - 1.5", {"k": 0.5}, main(5 + 10 * 1.5**0.5)),
    "a sideband": ("k gmN 20 - 0.5", {"k": 22.0}, main(5 + 11) + 2 * (22 - 20 * math.log(22))),
    "a gamma": ("k gmM - 0.2", {"k": 1.1}, main(5 + 11) + 2 * (27.5 - 24 * math.log(27.5))),
    "a free rate": ("k rateParam SR b 2 [0,5]", {"k": 1.5}, main(5 + 15)),
    "a free rate by wildcard": ("k rateParam * b 2 [0,5]", {"k": 1.5}, main(5 + 15)),
    "a formula": ("k rateParam SR b (@0*sqrt(@1)) x,y\nx rateParam SR s 1\ny extArg 4 [0,9]", {"x": 1.2}, main(6 + 24)),
    "a constrained rate": ("k rateParam SR b @0 e\ne param 1.0 0.1", {"e": 1.1}, main(5 + 11) + 1),
    "two widths": ("k rateParam SR b @0 e\ne param 1.0 -0.1/+0.2", {"e": 1.1}, main(5 + 11) + 0.25),
    "an effect of one": ("k lnN 1.0 1.0\nl lnN 1.1 1", {"l": 0.0}, main(15)),
    "a trailing text": ("1k lnN 1.2 1.0 a text with # in it", {"theta1k": 1.0}, main(16) + 1),
    "an effect added": ("nuisance edit add b SR k lnN 1.3", {"k": 1.0}, main(5 + 13) + 1),
    "an effect dropped": ("k lnN 1.2 1.3\nnuisance edit drop b .* k", {"k": 1.0}, main(6 + 10) + 1),
    "an effect renamed": ("k lnN 1.2 1.3\nnuisance edit rename b SR k l", {"l": 1.0}, main(5 + 13) + 1),
    "an effect in quadrature": (
        "k lnN 1.2 -\nnuisance edit add s SR k lnN 1.3 addq",
        {"k": 1.0},
        main(5 * math.exp(math.hypot(math.log(1.2), math.log(1.3))) + 10) + 1,
    ),
    "one that rises turned round": ("k lnN 1.2 -\nnuisance edit flip s SR k p2n", {"k": 1.0}, main(5 / 1.2 + 10) + 1),
    "all that fall turned round": ("k lnN 0.8 1.1\nnuisance edit flip * * k n2p", {"k": 1.0}, main(5 / 0.8 + 11) + 1),
    "both turned round": ("k lnN 0.8 1.1\nnuisance edit flip * * k n2p p2n", {"k": 1.0}, main(5 / 0.8 + 10 / 1.1) + 1),
    "two sides turned round": ("k lnN - 0.8/1.25\nnuisance edit flip b .* k p2n", {"k": 1.0}, main(5 + 8) + 1),
    "two sides that stay": ("k lnN - 0.8/1.25\nnuisance edit flip b .* k n2p", {"k": 1.0}, main(5 + 12.5) + 1),
    "nothing to turn round": ("k lnN 1.2 -\nnuisance edit flip s SR j p2n ifexists", {"k": 1.0}, main(16) + 1),
    "a density changed": ("k lnN - 1.5\nnuisance edit changepdf k lnU", {"k": 0.5}, main(5 + 10 * 1.5**0.5)),
}


@pytest.mark.parametrize("name", CLOSED)
def test_counting_cards_have_the_values_of_their_formulas(name: str) -> None:
    lines, point, expected = CLOSED[name]
    assert ExtendedModel(read(lines)).twice_nll(point) == pytest.approx(expected, rel=1e-12)


def test_a_yield_without_any_factor_has_six_digits() -> None:
    (_, background) = read(rates="5 1234.56789")["channels"][0]["samples"]
    assert background["data"] == [1234.57]


def test_maps_of_several_signals() -> None:
    document = read("k lnN 1.2 1.2", maps=["SR/s:r_s[1,-5,5]", ".*/b:r_b[2,0,9]"])
    config = document["measurements"][0]["config"]
    assert (config["poi"], config["pois"]) == ("r_s", ["r_s", "r_b"])
    assert config["parameters"][0] == {"name": "r_s", "inits": [1.0], "bounds": [[-5.0, 5.0]]}
    assert ExtendedModel(document).twice_nll({}) == pytest.approx(main(5 + 20))


def test_groups_and_frozen_parameters_are_kept() -> None:
    lines = ("k lnN 1.2 -", "l lnN - 1.1", "theory group = k", "theory group += l", "nuisance edit freeze l")
    document = read(*lines)
    assert document["metadata"]["groups"] == {"theory": ["k", "l"]}
    assert {"name": "l", "bounds": [[-7.0, 7.0]], "fixed": True} in document["measurements"][0]["config"]["parameters"]


def test_everything_wrong_is_told_at_once_with_its_line() -> None:
    lines = (
        "k lnN 1.2",
        "l trG 0.1 0.1",
        "m lnN x 1.1",
        "n rateParam SR other 1",
        "nuisance edit drop s SR q",
        "o foo 1 1",
    )
    with pytest.raises(InvalidSpecification) as error:
        datacards.read(counting(*lines), source="card.txt")
    assert [fault.path for fault in error.value.faults] == [f"line {7 + i}" for i in range(1, 7)]
    assert "card.txt" in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bin SR\nobservation 1", "no rate line"),
        (counting(header="imax 2"), "imax is 2"),
        (counting(rates="5"), "different lengths"),
        (counting("k rateParam SR b __import__('os').system('ls') x"), "has no meaning"),
        (counting("k rateParam SR b @0*z x\nx rateParam SR s 1"), "nothing is known of 'z'"),
        (counting("k rateParam SR b w.root:f"), "workspace"),
        (counting("k gmN 4 - 1"), "not the rate"),
        (counting("g group += k"), "defined once"),
        (counting("k lnN 1.2 -\nnuisance edit flip s SR k"), "flip: needs p2n"),
        (counting("k lnU 1.2 -\nnuisance edit flip s SR k p2n"), "'k' is a lnU"),
        (counting("k lnN 1.2 -\nnuisance edit flip s SR j p2n"), "there is no 'j' to flip"),
        (counting("k lnN 1.2 -\nnuisance edit turn s SR j"), "'turn' is not read, only add, drop"),
        (counting(header="shapes * * FAKE\nshapes * * FAKE"), "given twice"),
    ],
)
def test_cards_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidSpecification, match=message):
        datacards.read(text)


def test_cards_without_a_signal_and_bins_that_combine_refuses_are_warned_of() -> None:
    text = "bin 1\nobservation 3\nbin 1\nprocess b\nprocess 1\nrate 2\nk lnN 1.1"
    with pytest.warns(WorkspaceWarning) as warned:
        document = datacards.read(text)
    assert document["measurements"][0]["config"]["poi"] == ""
    assert {"starts with a digit" in str(w.message) and "no signal" in str(w.message) for w in warned} == {True}


def test_what_changes_nothing_is_warned_of() -> None:
    with pytest.warns(WorkspaceWarning, match="line 8: flatParam 'a'"):
        read("a flatParam")
    with pytest.raises(InvalidSpecification, match="flatParam"):
        datacards.read(counting("a flatParam"), strict=True)


def test_symmetric_cards_are_workspaces_with_exact_log_normals(tmp_path: Path) -> None:
    path = tmp_path / "card.txt"
    path.write_text(
        counting("k lnN 1.5 1.5", "w gmN 4 - 2.5", "e rateParam SR s @0*@1 x,y", "x extArg 1", "y extArg 1 [0,3]")
    )
    ours = pf.read(path)
    codes = {"normsys": {"interpcode": "code1"}, "histosys": {"interpcode": "code4p"}}
    assert ours.settings == {"modifier_settings": codes}
    assert ours.foreign_names == {"r": "r", "k": "k", "x": "x", "y": "y", "w": "w"}
    model = ours.model()
    pars = {"r": 1.2, "k": 0.5, "x": 1.1, "y": 0.9, "w": 5.0}
    data = ours.data(model)
    found = [
        -2 * float(model.logpdf([{**pars, "k": k}[name] for name in model.config.par_names], data)[0])
        for k in (0.5, -1.3)
    ]
    expected = [main(1.5**k * (5 * 1.2 * 1.1 * 0.9 + 2.5 * 5)) + k**2 + 2 * (5 - 4 * math.log(5)) for k in (0.5, -1.3)]
    assert found[1] - found[0] == pytest.approx(expected[1] - expected[0])


def test_what_the_format_of_pyhf_lacks_is_named_with_its_line() -> None:
    with pytest.raises(UnsupportedExtension) as error:
        plain(read("k lnN 0.8/1.1 1.5", "e rateParam SR s 1/@0 x", "x extArg 1"))
    assert "'k', line 8: the interpolation 'asympow'" in str(error.value)
    assert "'e', line 9: '1/@0' is no product" in str(error.value)


# Templates

TEMPLATES = {
    "s": ([1.0, 4.0], [0.5, 1.0]),
    "b": ([10.0, 20.0], [1.0, 1.0]),
    "b_jesUp": ([14.0, 19.0], [1.0, 1.0]),
    "b_jesDown": ([8.0, 19.0], [1.0, 1.0]),
    "data_obs": ([12.0, 25.0], [3.5, 5.0]),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the histograms of a template analysis."""
    uproot = pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")
    hists = pytest.importorskip("uproot.writing.identify")
    with uproot.recreate(tmp_path / "shapes.root") as file:
        for name, (contents, errors) in TEMPLATES.items():
            values = np.array([0.0, *contents, 0.0])
            variances = np.array([0.0, *errors, 0.0]) ** 2
            axis = hists.to_TAxis("xaxis", "", 2, 0.0, 4.0)
            file[f"SR/{name}"] = hists.to_TH1x(
                name, "", values, values.sum(), values.sum(), 0.0, 0.0, 0.0, variances, axis
            )
    return tmp_path


def shapes(*lines: str, rates: str = "-1 -1") -> str:
    header = "shapes * * shapes.root $CHANNEL/$PROCESS $CHANNEL/$PROCESS_$SYSTEMATIC"
    return counting(*lines, rates=rates, observed="-1", header=header)


def test_templates_have_the_values_of_their_formulas(folder: Path) -> None:
    document = datacards.read(shapes("jes shape - 1", rates="5 30.1"), folder=folder)
    model = ExtendedModel(document)
    x = 0.5
    kappas = 27 / 30, 33 / 30
    a, c = math.log(kappas[1]), -math.log(kappas[0])
    factor = 30.1 * math.exp(x * ((a + c) / 2 + (a - c) / 2 * 1.0))
    up, down, nominal = (np.array(t) / sum(t) for t in ([14, 19], [8, 19], [10, 20]))
    unit = nominal + x / 2 * ((up - down) + STEP * (up + down - 2 * nominal))
    expected = np.array([1, 4]) * 1.5 + factor * unit
    np.testing.assert_allclose(model.expected({"jes": x, "r": 1.5})["SR"], expected, rtol=1e-6)
    assert document["observations"][0]["data"] == [12.0, 25.0]
    assert document["metadata"]["axes"]["SR"] == [{"name": "SR", "edges": [0.0, 2.0, 4.0]}]


def test_a_scale_of_a_shape_is_one_of_its_templates(folder: Path) -> None:
    document = datacards.read(shapes("jes shape - 0.5"), folder=folder)
    full = datacards.read(shapes("jes shape - 1"), folder=folder)
    (narrow,) = list(extended.modifiers(document, "histosys"))
    assert "smooth" not in narrow
    one, other = (ExtendedModel(d).expected({"jes": x})["SR"] for d, x in ((document, 3.0), (full, 1.5)))
    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_multiplicative_shapes_keep_the_integral(folder: Path) -> None:
    document = datacards.read(shapes("jes shapeN - 1"), folder=folder)
    up = np.array([14, 19]) / 33
    b = ExtendedModel(document).expected({"jes": 1.0, "r": 0.0})["SR"]
    np.testing.assert_allclose(b, 30 * (33 / 30) * up, rtol=1e-5)


def test_flat_shapes_have_no_constraint(folder: Path) -> None:
    model = ExtendedModel(datacards.read(shapes("jes shapeU - 1"), folder=folder))
    other = ExtendedModel(datacards.read(shapes("jes shape - 1"), folder=folder))
    assert other.twice_nll({"jes": 0.5}) - model.twice_nll({"jes": 0.5}) == pytest.approx(0.25)
    assert model.config["parameters"][-1]["bounds"] == [[-1.0, 1.0]]


@pytest.mark.parametrize("threshold", [0, 60])
def test_statistical_uncertainties_of_templates(folder: Path, threshold: int) -> None:
    """Bins have 100 and 400 effective events of background, the signal 4 and 16."""
    document = datacards.read(shapes(f"SR autoMCStats {threshold} 1"), folder=folder)
    extended.check(document)
    model = ExtendedModel(document)
    point = {"r": 2.0, "prop_binSR[1]": 1.5, "prop_binSR[0]": -0.5}
    errors = np.sqrt((2.0 * np.array([0.5, 1.0])) ** 2 + 1.0)
    expected = np.array([2 + 10, 8 + 20]) + np.array([-0.5, 1.5]) * errors
    np.testing.assert_allclose(model.expected(point)["SR"], expected, rtol=1e-6)
    assert model.twice_nll(point) - model.twice_nll({"r": 2.0}) == pytest.approx(
        sum(main(e, n) - main(m, n) for e, m, n in zip(expected, [12, 28], [12, 25], strict=True)) + 0.25 + 2.25
    )
    assert document["metadata"]["foreign_names"]["prop_binSR_bin1"] == "prop_binSR[1]"


def test_bins_of_few_events_have_a_parameter_for_each_process(folder: Path) -> None:
    document = datacards.read(shapes("SR autoMCStats 100 1"), folder=folder)
    model = ExtendedModel(document)
    foreign = document["metadata"]["foreign_names"]
    assert foreign["prop_binSR_bin0_s"] == "prop_binSR_s_n[0]"
    assert document["metadata"]["scales"]["prop_binSR_bin0_s"] == 4.0
    point = owners_point(document, {"prop_binSR_bin0_s": 5.0, "prop_binSR_bin0_b": 90.0})
    np.testing.assert_allclose(model.expected(point)["SR"][0], 1 * 5 / 4 + 10 * 90 / 100, rtol=1e-6)
    change = model.twice_nll(point) - model.twice_nll({})
    main_change = main(1.25 + 9, 12) - main(11, 12)
    poisson = 2 * (5 - 4 * math.log(5 / 4) - 4) + 2 * (90 - 100 * math.log(90 / 100) - 100)
    assert change == pytest.approx(main_change + poisson)


@pytest.mark.parametrize(
    ("card", "message"),
    [
        (shapes("jes shape - 1").replace("shapes.root", "missing.root"), "there is no file"),
        (shapes("jes shape - 1").replace("shapes.root", "../shapes.root"), "outside of the card's folder"),
        (shapes("jes shape - 1").replace("shapes.root", "/etc/passwd"), "outside of the card's folder"),
        (shapes("jer shape - 1"), "no histogram SR/b_jerDown"),
        (shapes("jes shape - 1", rates="5 40"), "differs from the integral"),
        (shapes("jes shape - 1").replace("$CHANNEL/$PROCESS ", "w:$PROCESS "), "an object of a workspace"),
    ],
)
def test_missing_histograms_are_named(folder: Path, card: str, message: str) -> None:
    with pytest.raises(InvalidSpecification, match=message):
        datacards.read(card, folder=folder)


# Writing

WRITTEN = {
    "counting": ("k lnN 1.2 -", "l lnN 0.8/1.1 0.9", "u lnU - 1.1", "w gmN 20 - 0.5", "f rateParam SR s 2 [0,5]"),
    "formulas": ("k rateParam SR b (@0*sqrt(@1)) x,y", "x rateParam SR s 1 [0,3]", "y extArg 4 [0,9]", "l lnN 1.1 1.2"),
    "params": ("e param 1.0 0.1 [0.5,1.5]", "k rateParam SR b @0 e", "l lnN 1.1 1.2", "nuisance edit freeze l"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_read_back(name: str) -> None:
    document = read(*WRITTEN[name])
    text, histograms = datacards.text_of(document)
    again = datacards.read(text)
    assert not histograms
    one, other = ExtendedModel(document), ExtendedModel(again)
    start = {entry: value + 0.1 for entry, value in one.inits.items()}
    points: list[dict[str, float]] = [{}, start, {entry: value - 0.05 for entry, value in start.items()}]
    np.testing.assert_allclose(differences(one, points), differences(other, points), rtol=0, atol=1e-10)
    assert one.fixed == other.fixed


def test_templates_are_written_with_their_file(folder: Path, tmp_path: Path) -> None:
    document = datacards.read(shapes("jes shape - 1", "k lnN 1.2 1.1"), folder=folder)
    datacards.write(document, tmp_path / "again.txt")
    again = datacards.read((tmp_path / "again.txt").read_text(), folder=tmp_path)
    one, other = ExtendedModel(document), ExtendedModel(again)
    points = [{}, {"jes": 0.7, "k": -0.3, "r": 1.5}, {"jes": -1.4}]
    np.testing.assert_allclose(differences(one, points), differences(other, points), rtol=0, atol=1e-5)


def test_what_a_card_lacks_is_refused_at_once() -> None:
    document = read("k lnN 1.2 -")
    (signal, background) = document["channels"][0]["samples"]
    signal["modifiers"].append({"name": "b", "type": "shapesys", "data": [1.0]})
    background["modifiers"].append({"name": "h", "type": "histosys", "data": {"lo_data": [1.0], "hi_data": [2.0]}})
    background["name"] = "two words"
    with pytest.raises(InvalidSpecification) as error:
        datacards.text_of(document)
    assert len(error.value.faults) == 3
