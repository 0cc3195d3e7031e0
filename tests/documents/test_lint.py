"""Physics that is probably not meant: each kind is found where it is, and a usual likelihood has none."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import pyhf_func as pf
from pyhf_func.cli import main
from pyhf_func.documents.lint import CHECKS
from pyhf_func.exceptions import InvalidMeasurement

Document = dict[str, Any]


def usual() -> Document:
    def background(name: str, scale: float) -> Document:
        counts = [scale * 50.0, scale * 30.0]
        return {
            "name": name,
            "data": counts,
            "modifiers": [
                {"name": f"xsec_{name}", "type": "normsys", "data": {"lo": 0.95, "hi": 1.06}},
                {
                    "name": "jes",
                    "type": "histosys",
                    "data": {"hi_data": [1.1 * n for n in counts], "lo_data": [0.93 * n for n in counts]},
                },
                {"name": "lumi", "type": "lumi", "data": None},
                {"name": "mc_SR", "type": "staterror", "data": [0.05 * n for n in counts]},
            ],
        }

    signal = {
        "name": "signal",
        "data": [2.0, 6.0],
        "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
    }
    lumi = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "inits": [1.0], "bounds": [[0.5, 1.5]]}
    return {
        "channels": [{"name": "SR", "samples": [signal, background("ttbar", 1.0), background("wjets", 0.4)]}],
        "observations": [{"name": "SR", "data": [72.0, 40.0]}],
        "measurements": [{"name": "fit", "config": {"poi": "mu", "parameters": [lumi]}}],
        "version": "1.0.0",
    }


def sample(document: Document, place: int) -> Document:
    return document["channels"][0]["samples"][place]


def modifier(document: Document, place: int, name: str) -> Document:
    return next(one for one in sample(document, place)["modifiers"] if one["name"] == name)


def put(document: Document, place: int, *more: Document) -> None:
    sample(document, place)["modifiers"].extend(more)


def factor(name: str, kind: str = "normfactor") -> Document:
    return {"name": name, "type": kind, "data": None}


def empty_bin(document: Document) -> None:
    for one in document["channels"][0]["samples"]:
        one["data"][1] = 0.0


def poi_everywhere(document: Document) -> None:
    for place in (1, 2):
        put(document, place, factor("mu"))


def another_channel(document: Document) -> None:
    channel = copy.deepcopy(document["channels"][0])
    channel["name"] = "CR"
    channel["samples"] = [one for one in channel["samples"] if one["name"] != "signal"]
    for one in channel["samples"]:
        one["modifiers"] = [*one["modifiers"][:3], {**one["modifiers"][3], "name": "mc_CR"}]
    document["channels"].append(channel)
    document["observations"].append({"name": "CR", "data": [70.0, 42.0]})


def shared_shape(document: Document) -> None:
    another_channel(document)
    for channel in document["channels"]:
        channel["samples"][-1]["modifiers"].append(factor("free", "shapefactor"))


MEASUREMENT = "$.measurements[0].config.poi"
WJETS = "$.channels[0].samples[2].modifiers"
CASES: dict[str, tuple[str, str, Callable[[Document], Any]]] = {
    "negative": (
        "negative-yield",
        "$.channels[0].samples[1].data",
        lambda d: sample(d, 1)["data"].__setitem__(0, -3.0),
    ),
    "no yield": ("empty-bin", "$.channels[0]", empty_bin),
    "empty sample": (
        "empty-sample",
        "$.channels[0].samples[2].data",
        lambda d: sample(d, 2).update(data=[0.0, 0.0]),
    ),
    "both up": ("one-sided", f"{WJETS}[0]", lambda d: modifier(d, 2, "xsec_wjets")["data"].update(lo=1.02)),
    "no down": ("one-sided", f"{WJETS}[0]", lambda d: modifier(d, 2, "xsec_wjets")["data"].update(lo=1.0)),
    "one bin up": ("one-sided", f"{WJETS}[1]", lambda d: modifier(d, 2, "jes")["data"].update(lo_data=[18.6, 13.0])),
    "flat rate": ("flat", f"{WJETS}[0]", lambda d: modifier(d, 2, "xsec_wjets")["data"].update(lo=1.0, hi=1.0)),
    "flat shape": (
        "flat",
        f"{WJETS}[1]",
        lambda d: modifier(d, 2, "jes")["data"].update(lo_data=[20.0, 12.0], hi_data=[20.0, 12.0]),
    ),
    "no error": ("flat", f"{WJETS}[3]", lambda d: modifier(d, 2, "mc_SR").update(data=[0.0, 0.0])),
    "tiny": ("tiny", f"{WJETS}[0]", lambda d: modifier(d, 2, "xsec_wjets")["data"].update(lo=0.9999, hi=1.0001)),
    "large rate": ("large", f"{WJETS}[0]", lambda d: modifier(d, 2, "xsec_wjets")["data"].update(hi=2.5)),
    "large error": ("large", f"{WJETS}[3]", lambda d: modifier(d, 2, "mc_SR").update(data=[25.0, 1.0])),
    "no POI": ("no-poi", MEASUREMENT, lambda d: d["measurements"][0]["config"].update(poi="")),
    "empty signal": ("poi-without-effect", MEASUREMENT, lambda d: sample(d, 0).update(data=[0.0, 0.0])),
    "fixed POI": (
        "poi-without-effect",
        MEASUREMENT,
        lambda d: d["measurements"][0]["config"]["parameters"].append({"name": "mu", "fixed": True}),
    ),
    "POI everywhere": ("poi-everywhere", MEASUREMENT, poi_everywhere),
    "nothing to scale": (
        "without-effect",
        f"{WJETS}[0]",
        lambda d: sample(d, 2).update(data=[0.0, 0.0]),
    ),
    "two free factors": ("degenerate", f"{WJETS}[5]", lambda d: put(d, 2, factor("k"), factor("norm"))),
    "case": ("similar-names", f"{WJETS}[4]", lambda d: put(d, 2, {**modifier(d, 2, "xsec_wjets"), "name": "JES"})),
    "prefix": (
        "similar-names",
        f"{WJETS}[4]",
        lambda d: put(d, 2, {**modifier(d, 2, "xsec_wjets"), "name": "alpha_jes"}),
    ),
    "one norm": ("shared-factor", f"{WJETS}[4]", lambda d: [put(d, place, factor("norm")) for place in (1, 2)]),
    "one shape": ("shared-shape", "$.channels[1].samples[1].modifiers[4]", shared_shape),
    "no statistics": ("no-statistics", "$.channels[0].samples[2]", lambda d: sample(d, 2)["modifiers"].pop()),
    "fraction": ("not-integer", "$.observations[0].data", lambda d: d["observations"][0].update(data=[72.5, 40.0])),
    "far": ("far-outside", "$.observations[0].data", lambda d: d["observations"][0].update(data=[172.0, 40.0])),
    "missing POI": ("invalid", MEASUREMENT, lambda d: d["measurements"][0]["config"].update(poi="nu")),
    "missing data": ("invalid", "$.observations", lambda d: d["observations"][0].update(name="elsewhere")),
}


def found(document: Document, **options: Any) -> list[tuple[str, str]]:
    return [(finding.check, finding.path) for finding in pf.lint(document, **options)]


def test_a_usual_likelihood_has_no_findings() -> None:
    assert found(usual()) == []


@pytest.mark.parametrize("case", CASES)
def test_each_kind_is_found_where_it_is(case: str) -> None:
    check, path, change = CASES[case]
    document = usual()
    change(document)
    assert (check, path) in found(document)
    assert check in CHECKS


def test_every_check_has_a_case() -> None:
    assert {check for check, _, _ in CASES.values()} | {"dubious"} == set(CHECKS)


def test_an_expression_has_the_parameters_that_it_names() -> None:
    document = usual()
    put(document, 2, {"name": "r", "type": "normfactor", "data": None, "expression": "1 + a*mu", "arguments": []})
    from pyhf_func.documents.lint import _Likelihood

    likelihood = _Likelihood(document, document["measurements"][0], 1e-3)
    assert {"a", "mu"} <= set(likelihood.by_name())
    assert "r" not in likelihood.by_name()


def test_data_within_their_errors_are_not_far() -> None:
    """Twenty events more with an error of twelve, and a factor that is free."""
    document = usual()
    put(document, 1, factor("k_ttbar"))
    document["observations"][0]["data"] = [172.0, 90.0]
    assert found(document) == []


def test_a_measurement_can_be_chosen() -> None:
    document = usual()
    config = {**document["measurements"][0]["config"], "poi": ""}
    document["measurements"].append({"name": "none", "config": config})
    assert ("no-poi", "$.measurements[1].config.poi") in found(document, measurement_name="none")
    with pytest.raises(InvalidMeasurement):
        found(document, measurement_name="nope")


def shell(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["lint", *arguments])


def test_the_shell_lists_findings_and_ends_with_one(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(usual()))
    assert (shell(str(path)).exit_code, shell(str(path)).stdout) == (0, "")
    document = usual()
    CASES["fraction"][2](document)
    CASES["tiny"][2](document)
    path.write_text(json.dumps(document))
    result = shell(str(path))
    assert result.exit_code == 1
    assert result.stderr == "Error: 2 findings: 1 tiny, 1 not-integer.\n"
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == ["check", "tiny", "not-integer"]
    result = shell(str(path), "--ignore", "tiny", "--format", "json")
    [finding] = json.loads(result.stdout)["findings"]
    assert (finding["check"], finding["path"]) == ("not-integer", "$.observations[0].data")
    assert "72.5 events in bin 0" in finding["message"]
    assert "did you mean 'tiny'" in shell(str(path), "--ignore", "tinny").stderr
