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


@pytest.mark.slow
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


@pytest.mark.slow
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
    "a formula of formulas": (
        "k rateParam SR b 2*@0 a\na rateParam SR s 1+@0*MH y\ny extArg 0.1 [const]",
        {"y": 0.01},
        main(5 * 2.2 + 10 * 2 * 2.2),
    ),
    "a formula of the signal": ("k rateParam SR b 1+0.1*@0 r", {"r": 2.0}, main(10 + 12)),
    "a constant formula": ("k rateParam SR b 2 x\nx extArg 1", {}, main(5 + 20)),
    "a rate that has a density": ("e param 1.0 0.1\ne rateParam SR b 1", {"e": 1.1}, main(5 + 11) + 1),
    "the signal's rate elsewhere": ("r rateParam SR b 1", {"r": 1.5}, main(7.5 + 15)),
    "a range for an effect": ("k lnN 1.2 -\nk param 0 1 [-3,3]", {"k": 1.0}, main(6 + 10) + 1),
    "a shape without histogram": ("k shape? - 0.8/1.25", {"k": 0.5}, main(5 + 10 * 1.25**0.5) + 0.25),
    "a renamed effect replaces the other": (
        "k lnN 1.2 -\nl lnN 1.5 1.3\nnuisance edit rename * SR k l",
        {"l": 1.0},
        main(6 + 10) + 1,
    ),
    "a rename everywhere multiplies": (
        "k lnN 1.2 -\nl lnN 1.5 1.3\nnuisance edit rename k l",
        {"l": 1.0},
        main(9 + 13) + 1,
    ),
    "an edit before the line": ("nuisance edit drop s SR k ifexists\nk lnN 1.2 -", {"k": 1.0}, main(6 + 10) + 1),
    "effects split": ("k lnN 1.2 -\nnuisance edit split s SR k a b 1.1 1.3", {"a": 1.0, "b": 1.0}, main(7.15 + 10) + 2),
    "effects merged": (
        "k lnN 1.2 -\nl lnN 1.3 -\nnuisance edit merge s SR k l",
        {"k": 1.0},
        main(5 * math.exp(math.hypot(math.log(1.2), math.log(1.3))) + 10) + 1,
    ),
    "a density changed": ("k lnN - 1.5\nnuisance edit changepdf k lnU", {"k": 0.5}, main(5 + 10 * 1.5**0.5)),
}


@pytest.mark.parametrize("name", CLOSED)
def test_counting_cards_have_the_values_of_their_formulas(name: str) -> None:
    lines, point, expected = CLOSED[name]
    assert ExtendedModel(read(lines)).twice_nll(point) == pytest.approx(expected, rel=1e-12)


def test_a_sideband_without_events_makes_a_yield_of_its_weight() -> None:
    value = ExtendedModel(read("k gmN 0 - 0.5", rates="5 0")).twice_nll({"k": 3.0})
    assert value == pytest.approx(main(5 + 1.5) + 6)


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


LONG = (f"a{i} rateParam SR s @0{'*@0' * 40} a{i + 1}" for i in range(9))
"""Formulas of each other, which would have 41^9 factors."""


@pytest.mark.filterwarnings("ignore:.*changes nothing")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bin SR\nobservation 1", "no rate line"),
        (counting(header="imax 2"), "imax is 2"),
        (counting("k lnN 1.2 -", header="kmax 2"), "line 1: kmax is 2, but there are 1"),
        ("bin A A\nobservation 1 2\nbin A\nprocess s\nprocess 0\nrate 2", "line 2: .* the same name"),
        (counting().replace("observation 12", ""), "no observation"),
        (counting(observed="-1"), "line 3: -1 events in 'SR', and no histogram"),
        (counting(rates="5 -1"), "line 7: 'b' in 'SR' has the rate -1 and no histogram"),
        (counting("k rateParam SR b 7 [0,5]"), "line 8: the rateParam 'k' starts at 7, outside of .0,5."),
        (counting("k rateParam SR b 1 [0,5] x"), "may have a range"),
        (counting("k rateParam SR b @0 k"), "contains itself"),
        (counting("k rateParam SR b 1/@0 x", "x extArg 0"), "line 8: .* no value at the start"),
        (counting("k rateParam SR b @0 x", "x extArg 2 [3,4]"), "line 9: the extArg 'x'"),
        (counting("k rateParam SR b @0 a0", *LONG, "a9 extArg 1"), "more than 10000 characters"),
        (counting("k lnN 1.2 -", "k rateParam SR b 1"), "line 8: 'k' is a lnN, and a rateParam too"),
        (counting("r lnN 1.2 -"), "line 8: 'r' is a lnN, and a parameter of interest too"),
        (counting("k lnN 1.2 -", "k shape - 1"), "line 9: 'k' is shape, and lnN in line 8"),
        (counting("k lnN 1.2 -", "k param 1 0.1"), "line 9: the param 'k' is another measurement than that of line 8"),
        (counting("e param nan 1", "k rateParam SR b @0 e"), "line 8: the param 'e' has no mean and width"),
        (counting("e param 1 +0.2/-0.1", "k rateParam SR b @0 e"), "line 8: the param 'e' has no mean and width"),
        (counting("k gmN 20 - 0.5", "l gmN 20 - 0.5"), "line 9: 'l' is the second gmN"),
        (counting("SR autoMCStats 10 0 0"), "line 8: autoMCStats has the hist-mode 0"),
        (counting("k shape - 0.5", "l shape - 0.5", "nuisance edit merge b SR k l"), "no sum in quad"),
        (counting("k lnN 1.2 -\nnuisance edit drop s SR q"), "there is no 'q' to drop"),
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
        (counting("k lnN 1.2 -", "k lnU - 1.1"), "line 9: 'k' is a lnU, and a lnN in line 8"),
        (counting("k lnN 1.2 -", "k gmN 20 - 0.5"), "line 9: 'k' is a gmN, and a lnN in line 8"),
        (counting("e param 0 1", "e param 1 1"), "line 9: the param 'e' is there already in line 8"),
        (counting("e extArg 1", "e extArg 2"), "line 9: the extArg 'e' is there already in line 8"),
        (counting("k lnN 1.2"), "line 8: 'k' has 1 effects for 2 columns"),
        (counting("k lnn 1.2 -"), "line 8: 'lnn' of 'k' is no kind of nuisance"),
        (counting("k lnN 0/1.2 -"), "line 8: 'k' has the effect 0/1.2"),
        (counting("f rateParam SR b (@0>1)*2 x", "x extArg 1"), "line 8: .*'>' has no meaning here"),
        (counting("f rateParam SR b " + "(" * 99 + "@0" + ")" * 99 + " x", "x extArg 1"), "line 8: .*nested more than"),
    ],
)
def test_cards_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidSpecification, match=message):
        datacards.read(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(" ", "\t"),
        lambda text: "\ufeff# the card\n--- dashes\n\n" + text,
        lambda text: text.replace("process s b\nprocess 0 1", "process 0 1\nprocess s b"),
        lambda text: text.replace("bin SR\nobservation 12\n", "Observation 12\nbin SR\n"),
        lambda text: text.replace("1.2 -", "1.2 - # a comment"),
        lambda text: text.replace("1.2 -", "1.20 --- 1.7"),
        lambda text: text.replace("k lnN", "k[nofloat] lnN") + "\nalone\nmask_SR extArg 0 [0,1]",
        lambda text: "imax 1 number of bins\njmax * processes\nkmax 1\n" + text,
    ],
)
def test_cards_that_are_written_otherwise_mean_the_same(change: Any) -> None:
    text = counting("k lnN 1.2 -")
    assert datacards.read(change(text))["channels"] == datacards.read(text)["channels"]


def test_cards_without_a_signal_and_bins_that_combine_refuses_are_warned_of() -> None:
    text = "bin 1\nobservation 3\nbin 1\nprocess b\nprocess 1\nrate 2\nk lnN 1.1"
    with pytest.warns(WorkspaceWarning) as warned:
        document = datacards.read(text)
    assert document["measurements"][0]["config"]["poi"] == ""
    assert {"starts with a digit" in str(w.message) and "no signal" in str(w.message) for w in warned} == {True}


def test_what_changes_nothing_is_warned_of() -> None:
    with pytest.warns(WorkspaceWarning, match="line 8: 'a' concerns functions"):
        read("a flatParam")
    with pytest.raises(InvalidSpecification, match="concerns functions"):
        datacards.read(counting("a flatParam"), strict=True)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("k discrete",), "line 8: 'k' concerns functions"),
        (("k shape - 1",), "line 8: the shape 'k' changes nothing: 'b' has no histogram"),
        (("k lnN 1.2 -", "g group = k z"), "line 9: the group 'g' has members that are unknown: z"),
        (("nuisance edit add p SR k lnN 1.3",), "line 8: nuisance edit add: no channel and process match"),
        (("nuisance edit drop s * k",), "line 8: nuisance edit drop: there is no 'k' to drop"),
        (("e param 1 0.1",), "line 8: nothing that is read depends on the param 'e'"),
    ],
)
def test_what_combine_leaves_out_is_warned_of_with_its_line(lines: tuple[str, ...], message: str) -> None:
    with pytest.warns(WorkspaceWarning, match=message):
        document = read(*lines)
    assert document["metadata"].get("groups", {"g": ["k"]}) == {"g": ["k"]}
    with pytest.raises(InvalidSpecification, match=message):
        datacards.read(counting(*lines), strict=True)


def test_rates_of_several_lines_start_as_combine_creates_them() -> None:
    """By channel and process in the order of their lines, those without a formula first; others have no effect."""
    lines = ("k rateParam SR b @0 x", "k rateParam SR s 3", "x extArg 7", "l rateParam SR s 2", "l rateParam SR b 4")
    config = read(*lines)["measurements"][0]["config"]["parameters"]
    assert {c["name"]: c["inits"] for c in config} == {"r": [1.0], "k": [3.0], "l": [4.0]}


def test_freezing_takes_rates_before_nuisances() -> None:
    frozen = {"k": ("l lnN 1.1 -", "k rateParam SR b 1", "nuisance edit freeze .*"),
              "l": ("l lnN 1.1 -", "nuisance edit freeze .*", "k rateParam SR b 1")}  # fmt: skip
    for name, lines in frozen.items():
        config = read(*lines)["measurements"][0]["config"]["parameters"]
        assert [c["name"] for c in config if c.get("fixed")] == [name]


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


def fill(path: Path, templates: Mapping[str, tuple[list[float], list[float]]], high: float = 4.0) -> None:
    """Write histograms, with contents below and above their axis."""
    uproot = pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")
    hists = pytest.importorskip("uproot.writing.identify")
    with uproot.recreate(path) as file:
        for name, (contents, errors) in templates.items():
            values = np.array([5.0, *contents, 7.0])
            variances = np.array([5.0, *errors, 7.0]) ** 2
            axis = hists.to_TAxis("xaxis", "", len(contents), 0.0, high)
            file[f"SR/{name}"] = hists.to_TH1x(
                name, "", values, values.sum(), values.sum(), 0.0, 0.0, 0.0, variances, axis
            )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the histograms of a template analysis."""
    fill(tmp_path / "shapes.root", TEMPLATES)
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


SIDEBAND = 22 / 20 * np.array([10.0, 20.0])
EMPTY = {**TEMPLATES, "b": ([10.0, -0.1], [1.0, 1.0])}


@pytest.mark.parametrize(
    ("lines", "rates", "point", "expected"),
    [
        (("w gmN 20 - 1.5",), "-1 -1", {"w": 22.0}, SIDEBAND),
        (("w gmN 20 - 1.5", "jes shape - 1"), "-1 -1", {"w": 22.0, "jes": 1.0}, 33 * np.array([14, 19]) / 30),
        (("w gmN 20 - 1.45", "SR autoMCStats 0"), "-1 -1", {"w": 22.0}, SIDEBAND),
        (("w gmN 20 - 1.45", "SR autoMCStats 0"), "-1 -1", {"w": 20.0, "prop_binSR[1]": 1.0}, np.array([10.0, 21.0])),
        (("jes shapeN - 1",), "-1 30.0000123456", {"jes": 0.0}, np.array([10.0, 20.0])),
        (("k lnN - 1.1", "jes shape - 1"), "-1 30.0000123456", {}, 30.0000123456 / 30 * np.array([10.0, 20.0])),
        (("jes shape? - 1",), "-1 -1", {"jes": 1.0}, np.array([14.0, 19.0])),
        (("jer shape? - 1.2",), "-1 -1", {"jer": 1.0}, np.array([12.0, 24.0])),
        (("jer shape - 1", "nuisance edit rename * SR jer jes"), "-1 -1", {}, None),
        (("jes shape - 1", "nuisance edit rename * SR jes jer"), "-1 -1", {"jer": 1.0}, np.array([14.0, 19.0])),
        (("jes shape - 1", "nuisance edit changepdf jes shapeU"), "-1 -1", {"jes": 1.0}, np.array([14.0, 19.0])),
    ],
)
def test_templates_under_other_lines(folder: Path, lines: Any, rates: str, point: Any, expected: Any) -> None:
    if expected is None:
        with pytest.raises(InvalidSpecification, match="no histogram SR/b_jerDown"):
            datacards.read(shapes(*lines, rates=rates), folder=folder)
        return
    model = ExtendedModel(datacards.read(shapes(*lines, rates=rates), folder=folder))
    np.testing.assert_allclose(model.expected({"r": 0.0, **point})["SR"], expected, rtol=5e-7)


def test_ranges_of_shapes_and_names_of_files(folder: Path) -> None:
    fill(folder / "m125.5_x.root", TEMPLATES)
    for kind, end in {"shape": 4.0, "shape?": 7.0, "shapeN": 7.0, "shapeU": 1.0}.items():
        card = shapes(f"jes {kind} - 1").replace("shapes.root", "m$MASS_$TAG.root").replace(" $CH", " /$CH")
        config = datacards.read(card, folder=folder, mass=125.5, keywords={"TAG": "x"})["measurements"][0]["config"]
        assert config["parameters"][-1] == {"name": "jes", "bounds": [[-end, end]]}


def test_counted_and_template_channels_in_one_card(folder: Path) -> None:
    head = "shapes * SR shapes.root $CHANNEL/$PROCESS $CHANNEL/$PROCESS_$SYSTEMATIC\nshapes * CR FAKE\n"
    body = "bin SR CR\nobservation -1 9\nbin SR SR CR\nprocess s b b\nprocess 0 1 1\nrate -1 -1 8.12345678\n"
    with pytest.warns(WorkspaceWarning, match="line 9: the shape 'jes' changes nothing: 'b' has no histogram"):
        document = datacards.read(head + body + "jes shape - 1 1\nl shape? - - 1.5\n* autoMCStats 0", folder=folder)
    expected = ExtendedModel(document).expected({"jes": 1.0, "l": 1.0})
    np.testing.assert_allclose(expected["SR"], [15, 23], rtol=1e-6)
    np.testing.assert_allclose(expected["CR"], [8.12345678 * 1.5], rtol=1e-12)


@pytest.mark.parametrize(
    ("templates", "message"),
    [
        ({**TEMPLATES, "data_obs": ([12.0, 25.0, 0.0], [1.0] * 3)}, "line 1: the histogram data_obs of 'SR' has other"),
        ({**TEMPLATES, "data_obs": ([-1.0, 25.0], [1.0] * 2)}, "line 1: .* negative"),
        ({**TEMPLATES, "b": ([12.0, 25.0, 0.0], [1.0] * 3)}, "line 1: the histograms of 'SR' have different numbers"),
        ({**TEMPLATES, "b": ([12.0, math.nan], [1.0] * 2)}, "line 1: .* not finite"),
        ({**TEMPLATES, "b": ([12.0, 25.0], [1.0, math.inf])}, "line 1: .* not finite"),
        ({**TEMPLATES, "b": ([0.0, 0.0], [1.0, 1.0])}, "line 1: .* has the integral 0"),
        ({**TEMPLATES, "b_jesUp": ([0.0, 0.0], [1.0, 1.0])}, "line 8: a template of 'jes' for 'b' in 'SR' is empty"),
    ],
)
def test_histograms_that_make_no_sense_are_refused(tmp_path: Path, templates: Any, message: str) -> None:
    fill(tmp_path / "shapes.root", templates)
    with pytest.raises(InvalidSpecification, match=message):
        datacards.read(shapes("jes shape - 1"), folder=tmp_path)


def test_negative_bins_are_empty_and_edges_that_differ_are_named(tmp_path: Path) -> None:
    fill(tmp_path / "shapes.root", EMPTY)
    fill(tmp_path / "data.root", TEMPLATES, high=5.0)
    card = shapes().replace("shapes *", "shapes data_obs * data.root $CHANNEL/$PROCESS\nshapes *", 1)
    with pytest.warns(WorkspaceWarning, match="line 1: the bins of 'data_obs' in 'SR' have other edges"):
        document = datacards.read(card, folder=tmp_path)
    np.testing.assert_allclose(ExtendedModel(document).expected({"r": 0.0})["SR"], [9.9, 9.9e-9], rtol=1e-6)


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
    signal["modifiers"].append({"name": "k", "type": "histosys", "interpolation": "code2", "data": {}})
    background["modifiers"].append({"name": "b", "type": "custom", "data": None})
    document["measurements"][0]["config"]["correlations"] = {"names": ["k"], "matrix": [[1.0]]}
    with pytest.raises(InvalidSpecification) as error:
        datacards.text_of(document)
    assert len(error.value.faults) == 3
