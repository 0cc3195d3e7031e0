"""Documents with keys beyond pyhf's format: checked, turned into plain ones where that is exact, or refused."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func import writexml
from pyhf_func.core.expression import InvalidExpression, parse
from pyhf_func.documents.plain import plain
from pyhf_func.exceptions import InvalidSpecification, UnsupportedExtension
from pyhf_func.schema import extended
from tests.reference.extended import ExtendedModel

Document = dict[str, Any]
MU = {"name": "mu", "type": "normfactor", "data": None}


def workspace(*modifiers: Any, data: Any = (10.0, 20.0), parameters: Any = (), **keys: Any) -> Document:
    """One channel of a signal and a background that has the modifiers."""
    signal = {"name": "signal", "data": [1.0] * len(data), "modifiers": [MU]}
    background = {"name": "background", "data": list(data), "modifiers": copy.deepcopy(list(modifiers))}
    config = {"poi": "mu", "parameters": list(parameters), **keys.pop("config", {})}
    return {
        "channels": [{"name": "SR", "samples": [signal, background]}],
        "observations": [{"name": "SR", "data": [n + 1 for n in data]}],
        "measurements": [{"name": "fit", "config": config}],
        "version": "1.0.0",
        **keys,
    }


def normsys(**keys: Any) -> Document:
    return {"name": "xsec", "type": "normsys", "data": {"lo": 0.8, "hi": 1.25}, **keys}


def bins(kind: str, data: Any = (1.0, 4.0), **keys: Any) -> Document:
    return {"name": "b", "type": kind, "data": list(data), **keys}


EXACT = {
    "a product of parameters": workspace({"name": "k", "type": "normfactor", "data": None, "expression": "eff*mu"}),
    "one code for all": workspace(normsys(interpolation="code1")),
    "a Poisson staterror of one sample": workspace(bins("staterror", constraint="poisson")),
    "a Gaussian shapesys": workspace(bins("shapesys", constraint="gauss")),
    "a fixed bin": workspace(bins("staterror"), parameters=[{"name": "b", "fixed": [True, False]}]),
    "a fixed bin of a shapesys": workspace(bins("shapesys"), parameters=[{"name": "b", "fixed": [False, True]}]),
    "a Poisson count": workspace(
        {"name": "n", "type": "normfactor", "data": None},
        data=(0.16,),
        parameters=[
            {"name": "n", "constraint": "poisson", "auxdata": [4], "factors": [1], "inits": [4], "bounds": [[0, 40]]}
        ],
        metadata={"foreign_names": {"n": "n"}},
    ),
    "a Gaussian factor": workspace(
        {"name": "eff", "type": "normfactor", "data": None},
        parameters=[{"name": "eff", "constraint": "gauss", "auxdata": [0.9], "sigmas": [0.1]}],
        metadata={"foreign_names": {"eff": "eff"}},
    ),
    "several parameters of interest": workspace(normsys(), config={"pois": ["mu", "xsec"]}),
    "a least yield": workspace(
        {"name": "h", "type": "histosys", "data": {"lo_data": [1.0, 300.0], "hi_data": [200.0, 10.0]}},
        settings={"clip_sample_data": 0.0},
    ),
    "two log-normals that are one": workspace(normsys(interpolation="asympow")),
    "code1 of one type beside the default of the other": workspace(
        normsys(interpolation="code1"),
        {"name": "h", "type": "histosys", "data": {"lo_data": [9.0, 17.0], "hi_data": [13.0, 18.0]}},
    ),
}

COMPUTED = {
    "an asymmetric log-normal": workspace(normsys(interpolation="asympow", data={"lo": 0.9, "hi": 1.3})),
    "a mixture of codes": workspace(normsys(interpolation="code1"), normsys(name="other")),
    "an additive uncertainty": workspace(bins("staterror", style="additive")),
    "an expression": workspace({"name": "k", "type": "normfactor", "data": None, "expression": "1 + mu"}),
    "a measured parameter of an expression": workspace(
        {"name": "k", "type": "normfactor", "data": None, "expression": "1 + mu*e"},
        parameters=[{"name": "e", "constraint": "gauss", "auxdata": [0.9], "sigmas": [0.1]}],
        metadata={"foreign_names": {"e": "e"}},
    ),
    "a morphed template": workspace(
        {
            "name": "h",
            "type": "histosys",
            "interpolation": "shapen",
            "data": {"lo_data": [9.0, 17.0], "hi_data": [13.0, 18.0]},
        },
    ),
}
"""What pyhf's format cannot hold, and the engine computes."""


@pytest.mark.parametrize("name", [*EXACT, *COMPUTED])
def test_documents_keep_their_likelihood(name: str) -> None:
    """The engine's differences of 2NLL are those of the slow evaluation of the document as it stands."""
    document = {**EXACT, **COMPUTED}[name]
    extended.check(document)
    ours, reference = pf.read(document), ExtendedModel(document)
    model = ours.model()
    scales = ours.metadata.get("scales", {})
    theirs = {entry: owner for owner, entry in ours.foreign_names.items()}
    data = ours.data(model)
    fixed = model.config.suggested_fixed()
    rng = np.random.default_rng(1)
    found, expected = [], []
    for _ in range(4):
        pars = np.array(model.config.suggested_init(), dtype=float)
        pars = np.where(fixed, pars, pars + rng.uniform(-0.3, 0.3, pars.size))
        values = dict(zip(model.config.par_names, pars, strict=True))
        owners = {theirs.get(entry, entry): value for entry, value in values.items()}
        at = {owner: value * scales.get(owner, 1.0) for owner, value in owners.items() if owner in reference.entries}
        expected.append(reference.twice_nll(at))
        found.append(-2 * float(model.logpdf(pars, data)[0]))
    np.testing.assert_allclose(np.diff(found), np.diff(expected), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", COMPUTED)
def test_what_only_the_engine_computes_has_no_counterpart_in_the_format_of_pyhf(name: str) -> None:
    with pytest.raises(UnsupportedExtension):
        plain(COMPUTED[name])


def test_everything_unsupported_is_told_at_once_with_line_and_place() -> None:
    document = workspace(
        normsys(interpolation="code6"),
        bins("staterror", style="additive"),
        metadata={"lines": {"xsec": 12}},
    )
    with pytest.raises(UnsupportedExtension) as error:
        plain(document)
    assert [fault.path.rsplit(".", 1)[-1] for fault in error.value.faults] == [
        "interpolation",
        "style",
    ]
    assert "'xsec', line 12: the interpolation 'code6'" in str(error.value)


@pytest.mark.parametrize(
    ("modifier", "terms"),
    [
        (normsys(constraint="none"), 0.0),
        (normsys(constraint="lognormal"), (math.log(1.3) / math.log(2)) ** 2),
        (normsys(constraint="gamma"), 2 * (1.3 - math.log(1.3))),
    ],
)
def test_the_reference_evaluates_constraints_by_their_formulas(modifier: Any, terms: float) -> None:
    model, free = ExtendedModel(workspace(modifier)), ExtendedModel(workspace(normsys(constraint="none")))
    assert model.twice_nll({"xsec": 0.3}) - free.twice_nll({"xsec": 0.3}) == pytest.approx(terms)


def test_the_reference_evaluates_additive_staterrors_and_correlations_by_their_formulas() -> None:
    document = workspace(
        normsys(interpolation="code1"),
        normsys(name="other", data={"lo": 1.0, "hi": 1.0}),
        bins("staterror", style="additive"),
        data=(10.0, 20.0),
        config={"correlations": {"names": ["xsec", "other"], "matrix": [[1, 0.5], [0.5, 1]]}},
    )
    model = ExtendedModel(document)
    values = {"mu": 2.0, "xsec": 1.0, "other": -1.0, "b[0]": 0.5, "b[1]": -1.0}
    expected = [2 + 1.25 * (10 + 0.5 * 1), 2 + 1.25 * (20 - 1.0 * 4)]
    np.testing.assert_allclose(model.expected(values)["SR"], expected)
    main = sum(2 * (rate - n * math.log(rate)) for rate, n in zip(expected, [11, 21], strict=True))
    assert model.twice_nll(values) == pytest.approx(main + 0.25 + 1.0 + (1 + 2 * 0.5 + 1) / 0.75)


@pytest.mark.parametrize(
    "change",
    [
        {"interpolation": "code9"},
        {"interpolation": "shapen"},
        {"constraint": "Cauchy"},
        {"constraint": ["gauss"]},
        {"unknown": 1},
    ],
)
def test_values_that_make_no_sense_are_refused(change: Any) -> None:
    with pytest.raises(InvalidSpecification):
        pf.read(workspace(normsys(**{"interpolation": "code1", **change})))


def test_two_constraints_of_one_parameter_are_refused() -> None:
    with pytest.raises(InvalidSpecification, match="elsewhere"):
        pf.read(
            workspace(
                normsys(constraint="none"),
                {**normsys(), "type": "histosys", "data": {"lo_data": [1.0, 1.0], "hi_data": [1.0, 1.0]}},
            )
        )


def test_plain_documents_stay_as_they_are() -> None:
    document = workspace(normsys(), bins("staterror"))
    assert not extended.is_extended(document)
    assert plain(document).document == document
    assert pf.read(document) == pf.Workspace(document)


def test_names_and_settings_stay_with_the_workspace() -> None:
    keys = {"metadata": {"foreign_names": {"alpha_xsec": "xsec"}, "axes": {"SR": ["x"]}}}
    ours = pf.read(workspace(normsys(interpolation="code1"), **keys))
    changed = pf.Workspace.sorted(
        ours.rename(modifiers={"xsec": "theory"}, channels={"SR": "A"}).prune(samples=["signal"])
    )
    assert changed.foreign_names == {"alpha_xsec": "theory"}
    assert changed.metadata["axes"] == {"A": ["x"]}
    codes = {"normsys": {"interpcode": "code1"}, "histosys": {"interpcode": "code4p"}}
    assert changed.settings == {"modifier_settings": codes}
    assert copy.deepcopy(changed).foreign_names == changed.foreign_names
    other = pf.read(workspace(normsys(interpolation="code1"), **keys)).rename(channels={"SR": "B"})
    joined = pf.Workspace.combine(ours, other, join="outer")
    assert joined.metadata["axes"] == {"SR": ["x"], "B": ["x"]}
    with pytest.raises(pf.exceptions.InvalidWorkspaceOperation, match="settings"):
        pf.Workspace.combine(ours, pf.Workspace(workspace(normsys())).rename(channels={"SR": "C"}), join="outer")


@pytest.mark.parametrize("name", [name for name in COMPUTED if name != "an expression"])
def test_what_the_xml_lacks_is_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    pytest.importorskip("uproot", reason="uproot (the extra xmlio) is not installed")
    with pytest.raises(UnsupportedExtension, match="XML"):
        writexml.writexml(pf.read(COMPUTED[name]), tmp_path, tmp_path, "fit")
    assert list(tmp_path.iterdir()) == []


def test_parameters_of_expressions_are_renamed_with_their_configuration() -> None:
    both = {"name": "k", "type": "normfactor", "data": None, "expression": "mu + @0*e^2", "arguments": ["e"]}
    parameters = [{"name": "e", "constraint": "gauss", "auxdata": [0.9], "sigmas": [0.1], "inits": [0.8]}]
    before = pf.read(workspace(both, parameters=parameters))
    after = before.rename(modifiers={"e": "eff iciency", "mu": "r"})
    assert after.model().config.par_names == ["r", "eff iciency"]
    values = [1.3, 0.7]
    np.testing.assert_allclose(after.model().expected_data(values), before.model().expected_data(values))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2^2", -4.0),
        ("2^3^2", 512.0),
        ("2**-1", 0.5),
        ("8/2/2 - 1 - 1", 0.0),
        ("min(a, b, 3) + max(a, b)", 3.0),
        ("pow(b, 3) + sqrt(4) + abs(-1) + exp(log(a))", 12.0),
        ("TMath::Exp(0) * 1e1 * .5", 5.0),
    ],
)
def test_expressions(text: str, value: float) -> None:
    assert parse(text)({"a": 1.0, "b": 2.0}) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "1 +",
            "a.b",
            "a['b']",
            "__import__('os')",
            "f(1)",
            "1 2",
            "@3",
            "1e999",
            "lambda: 1",
            "a; b",
            "2^^3",
            "é",
        ),
        *("exp(1, 2)", "a if b else c", "(" * 100 + ")" * 100, "x" * 20_000, "-" * 5000 + "1"),
    ],
)
def test_expressions_hold_nothing_but_arithmetic(text: str) -> None:
    with pytest.raises(InvalidExpression):
        parse(text)


def test_long_expressions_are_evaluated_without_recursion() -> None:
    assert parse("+".join(["x"] * 4000))({"x": 1.0}) == 4000.0
