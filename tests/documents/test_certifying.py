"""Certificates: all agree where the likelihood is one, and every planted fault on the other side is found."""

from __future__ import annotations

import copy
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import pyhf_func as pf
from pyhf_func.cli import main
from pyhf_func.documents.certifying import Certificate, Pyhf, WithHS3, _carried, _misread, _with_pyhf
from pyhf_func.documents.certifying.programs import NotComparable
from tests.documents.test_lint import modifier, sample, usual

pytest.importorskip("pyhf", reason="pyhf is not installed")
Document = dict[str, Any]


def likelihood() -> Document:
    """With all that can be wrong: two codes, a luminosity, statistics, an auxiliary count."""
    document = usual()
    sample(document, 2)["modifiers"].append({"name": "cr", "type": "shapesys", "data": [2.0, 1.5]})
    return document


@pytest.fixture(scope="module")
def workspace() -> pf.Workspace:
    return pf.Workspace(likelihood())


def certified(workspace: pf.Workspace, other: Document, settings: Any = None, **options: Any) -> Certificate:
    program = Pyhf(other, settings=settings or {})
    return pf.certify(workspace, programs=[program], **{"starts": 0, "fits": False, **options})


def wrong(certificate: Certificate) -> set[str]:
    return {one.quantity for one in certificate.comparisons if not one.agrees}


def swapped(document: Document, name: str, low: str, high: str) -> None:
    data = modifier(document, 2, name)["data"]
    data[low], data[high] = data[high], data[low]


def without(document: Document, name: str) -> None:
    sample(document, 2)["modifiers"].remove(modifier(document, 2, name))


def configured(document: Document, **settings: Any) -> None:
    document["measurements"][0]["config"]["parameters"][0].update(settings)


def added(document: Document, **config: Any) -> None:
    document["measurements"][0]["config"]["parameters"].append(config)


def no_aux(document: Document) -> None:
    modifier(document, 2, "cr").update(type="shapefactor", data=None)


def clipped(document: Document) -> None:
    document["observations"][0]["data"][0] = 70.0


def decorrelated(document: Document) -> None:
    modifier(document, 2, "jes")["name"] = "jes_wjets"


def another_poi(document: Document) -> None:
    sample(document, 1)["modifiers"].append({"name": "k", "type": "normfactor", "data": None})
    document["measurements"][0]["config"]["poi"] = "k"


FAULTS: dict[str, tuple[str, Callable[[Document], Any]]] = {
    "normsys swapped": ("yields", lambda d: swapped(d, "xsec_wjets", "lo", "hi")),
    "histosys swapped": ("yields", lambda d: swapped(d, "jes", "lo_data", "hi_data")),
    "modifier dropped": ("yields", lambda d: without(d, "jes")),
    "parameter dropped": ("parameters", lambda d: without(d, "xsec_wjets")),
    "sample dropped": ("samples", lambda d: d["channels"][0]["samples"].pop(2)),
    "sigma of the luminosity": ("2NLL", lambda d: configured(d, sigmas=[0.03])),
    "measured luminosity": ("auxiliary data", lambda d: configured(d, auxdata=[1.01])),
    "auxiliary data missing": ("auxiliary data", no_aux),
    "parameter of interest": ("parameter of interest", another_poi),
    "data clipped": ("data", clipped),
    "data swapped": ("data", lambda d: d["observations"][0]["data"].reverse()),
    "bins swapped": ("yields", lambda d: sample(d, 2)["data"].reverse()),
    "statistics scaled": ("2NLL", lambda d: modifier(d, 2, "mc_SR").update(data=[2.0, 1.2])),
    "auxiliary counts": ("auxiliary data", lambda d: modifier(d, 2, "cr").update(data=[2.0, 1.6])),
    "decorrelated": ("parameters", decorrelated),
    "bounds": ("bounds", lambda d: added(d, name="mu", bounds=[[0.0, 9.0]])),
    "start": ("start values", lambda d: added(d, name="mu", inits=[1.5])),
    "fixed": ("fixed", lambda d: added(d, name="jes", fixed=True, inits=[0.0])),
    "one yield in a million": ("yields", lambda d: sample(d, 1).update(data=[50.00005, 30.0])),
    "a factor in ten million": ("yields", lambda d: modifier(d, 2, "xsec_wjets")["data"].update(hi=1.0600001)),
}
CODES = {
    "code1 of normsys": {"normsys": {"interpcode": "code1"}, "histosys": {"interpcode": "code4p"}},
    "code0 of histosys": {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code0"}},
    "code2 of histosys": {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code2"}},
}


@pytest.mark.slow
def test_the_same_likelihood_agrees(workspace: pf.Workspace) -> None:
    certificate = certified(workspace, likelihood(), fits=True, starts=2)
    assert certificate.disagreements() == []
    assert certificate.agrees
    quantities = {one.quantity for one in certificate.comparisons}
    assert {"yields", "2NLL", "minimum", "q", "CLs", "expected CLs", "best value", "upper limit"} <= quantities
    assert len(certificate.minima) == 2
    assert certificate.ours["cls_obs"] == pytest.approx(0.05, rel=1e-6)
    model = workspace.model()
    fit = pf.fit(workspace.data(model), model)
    expected = np.asarray(model.expected_data(fit.pars, include_auxdata=False))
    assert certificate.ours["yields"] == {"SR": pytest.approx(expected.tolist())}
    assert certificate.formats == {"pyhf": [], "HS3": []}
    assert all(row["agrees"] == "yes" for row in certificate.table())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, workspace: pf.Workspace) -> None:
    quantity, plant = FAULTS[fault]
    other = likelihood()
    plant(other)
    certificate = certified(workspace, other)
    assert not certificate.agrees
    assert quantity in wrong(certificate)


@pytest.mark.parametrize("code", CODES)
def test_a_wrong_code_is_found(code: str, workspace: pf.Workspace) -> None:
    certificate = certified(workspace, likelihood(), {"modifier_settings": CODES[code]})
    assert {"yields", "2NLL"} <= wrong(certificate)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pyhf_func.exceptions.WorkspaceWarning")
def test_a_clipped_yield_is_found() -> None:
    document = likelihood()
    sample(document, 2)["data"][1] = -1.0
    modifier(document, 2, "jes")["data"].update(hi_data=[22.0, -1.0], lo_data=[18.6, -1.0])
    modifier(document, 2, "mc_SR")["data"][1] = 0.0
    workspace = pf.Workspace(document)
    assert certified(workspace, document).agrees
    assert "yields" in wrong(certified(workspace, document, {"clip_sample_data": 0.0}))


class Liar(Pyhf):
    """pyhf with one wrong answer of its fits."""

    def __init__(self, document: Document, **wrong: float) -> None:
        super().__init__(document)
        self.wrong = wrong

    def test(self, *arguments: Any) -> Any:
        found = super().test(*arguments)
        assert found is not None
        return {**found, **{name: found[name] + shift for name, shift in self.wrong.items()}}


@pytest.mark.parametrize(
    ("shift", "quantity"),
    [
        ({"minimum": -0.01}, "minimum"),
        ({"q": 0.1}, "q"),
        ({"cls_obs": 0.01}, "CLs"),
        ({"cls_obs": 0.01}, "upper limit"),
        ({"best": 0.5}, "best value"),
        ({"minimum": float("nan")}, "minimum"),
    ],
)
def test_fits_that_differ_are_found(shift: Any, quantity: str, workspace: pf.Workspace) -> None:
    certificate = pf.certify(workspace, programs=[Liar(likelihood(), **shift)], starts=0)
    assert quantity in wrong(certificate)


def test_a_program_that_fails_is_named_and_agrees_with_nothing(workspace: pf.Workspace) -> None:
    certificate = certified(workspace, {"channels": []})
    assert "pyhf refuses the workspace" in certificate.programs["pyhf"]
    assert certificate.comparisons == []


def test_formats_that_cannot_carry_a_likelihood_are_named() -> None:
    settings = {"modifier_settings": CODES["code1 of normsys"]}
    (lacking,) = _carried(likelihood(), pf.Workspace(likelihood(), settings=settings))["pyhf"]
    assert "code1" in lacking
    document = likelihood()
    modifier(document, 2, "jes")["interpolation"] = "shapen"
    (lacking,) = _carried(document, pf.Workspace(likelihood()))["pyhf"]
    assert "shapen" in lacking


def test_pyhf_is_given_its_own_format_in_its_own_units(tmp_path: Path) -> None:
    """Of gmN, events there are a factor of a shapesys here; a rate parameter keeps its unit."""
    path = tmp_path / "card.txt"
    path.write_text(
        "imax 1\njmax 1\nkmax *\nbin SR\nobservation 7\nbin SR SR\nprocess s b\nprocess 0 1\nrate 1 6\n"
        "control gmN 4 - 1.5\nlumi lnN 1.02 -\nk rateParam SR b 1 [0,5]\n"
    )
    workspace = pf.read(path)
    program = _with_pyhf(path, workspace, pf.documents.read_document(path), None)
    ours, generator = workspace.model(), np.random.default_rng(1)
    points = [np.array(ours.config.suggested_init()) * generator.uniform(0.8, 1.2, ours.config.npars) for _ in range(3)]
    named = [{name: p[ours.config.par_slice(name)].tolist() for name in ours.config.par_order} for p in points]
    found = program.evaluate(named)
    assert program.units["control"] == ("control", 4.0)
    for point, theirs in zip(points, found["yields"], strict=True):
        assert theirs["SR"] == pytest.approx(np.asarray(ours.expected_data(point, include_auxdata=False)).tolist())
    expected = np.array([-2 * float(np.ravel(ours.logpdf(point, workspace.data(ours)))[0]) for point in points])
    assert np.diff(found["twice_nll"]) == pytest.approx(np.diff(expected), rel=1e-9)


def test_what_pyhs3_reads_otherwise_is_not_compared_with_it() -> None:
    document = likelihood()
    assert "shapesys" in _misread(document)
    without(document, "cr")
    assert _misread(document) == ""
    sample(document, 1)["modifiers"].append({**modifier(document, 1, "jes"), "name": "jer"})
    assert "second histosys" in _misread(document)


def test_programs_that_read_hs3_run_in_an_interpreter_of_their_own(workspace: pf.Workspace, tmp_path: Path) -> None:
    """A stand-in, which sums what it is given: its point and its document arrive."""
    script = tmp_path / "python"
    script.write_text(
        f"#!{sys.executable}\nimport json, sys\nasked = json.load(sys.stdin)\n"
        "assert asked['program'] == 'ROOT' and asked['document'] == {'a': 1}\n"
        "print('chatter')\n"
        "print(json.dumps({'version': '6', 'twice_nll': [sum(p.values()) for p in asked['points']]}))\n"
    )
    script.chmod(0o700)
    program = WithHS3("ROOT", {"a": 1}, {"alpha_x": ("x", 0, 1.0), "n": ("y", 1, 4.0)}, python=str(script))
    assert program.evaluate([{"x": [2.0], "y": [0.0, 3.0]}]) == {"twice_nll": [14.0]}
    assert program.version == "6"
    for text in ("raise SystemExit(3)\n", ""):
        script.write_text(f"#!{sys.executable}\n{text}")
        with pytest.raises(NotComparable, match="ROOT cannot read"):
            program.evaluate([])
    with pytest.raises(NotComparable, match="did not answer"):
        WithHS3("ROOT", {}, {}, python=str(tmp_path / "nothing")).evaluate([])


@pytest.mark.parametrize("name", ["pyhs3", "ROOT"])
def test_programs_that_read_hs3_agree_where_they_are(name: str, workspace: pf.Workspace) -> None:
    python = os.environ.get(f"{name.upper()}_PYTHON", "")
    if not shutil.which(python or "nothing"):
        pytest.skip(f"{name.upper()}_PYTHON names no interpreter that has {name}")
    document = likelihood()
    for one in document["channels"][0]["samples"]:  # which pyhs3 lacks
        one["modifiers"] = [m for m in one["modifiers"] if m["type"] not in ("staterror", "shapesys", "lumi")]
    document["measurements"][0]["config"]["parameters"] = []
    certificate = pf.certify(pf.Workspace(document), pythons={name: python}, starts=0, fits=False)
    compared = [one for one in certificate.comparisons if one.program == name]
    assert [one.quantity for one in compared] == ["2NLL", "q at our minima"], certificate.programs
    assert all(one.agrees for one in compared), compared


# the shell


def shell(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["certify", "--no-cache", "--starts", "1", "--no-fits", *map(str, arguments)])


@pytest.mark.slow
def test_the_shell_ends_with_zero_where_all_agree(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(likelihood()))
    result = shell(path, "--progress")
    assert result.exit_code == 0, result.stderr
    written = json.loads(result.stdout)
    assert written["agrees"]
    assert "certify: our fits" in result.stderr
    assert {one["program"] for one in written["comparisons"]} >= {"pyhf"}


@pytest.mark.slow
def test_the_shell_ends_with_one_where_something_disagrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = copy.deepcopy(likelihood())
    swapped(other, "jes", "lo_data", "hi_data")
    monkeypatch.setattr("pyhf_func.documents.certifying._with_pyhf", lambda *_: Pyhf(other))
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(likelihood()))
    result = shell(path, "--format", "table")
    assert result.exit_code == 1
    assert "disagreements:" in result.stderr
    assert "pyhf: yields of SR at point" in result.stderr
    assert "NO" in result.stdout
    assert "Traceback" not in result.stderr


def test_wrong_interpreters_are_refused(tmp_path: Path) -> None:
    assert shell("nothing.json", "--python", "ROOT").exit_code == 2
    assert shell("nothing.json", "--python", "perl=/usr/bin/perl").exit_code == 2
