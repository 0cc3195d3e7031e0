"""HS3: read as ROOT and pyhs3 mean it, in every dialect, and written so that it can be read again."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core import likelihood
from pyhf_func.documents.formats import hs3
from pyhf_func.exceptions import InvalidSpecification, WorkspaceWarning
from pyhf_func.schema import extended
from tests.conftest import SHARED_DATA
from tests.documents.documents import workspace_spec
from tests.documents.test_datacards import computed
from tests.reference.extended import ExtendedModel, differences, owners_point
from tests.zoo import ZOO

OWNERS = SHARED_DATA / "formats" / "hs3"
FILES = [
    "root640/multibinC-2018-22.asis",
    "root640/multibinC-2018-22.gauss0",
    "root640/sbottomA-2018-31.asis",
    "root640/sbottomA-2018-31.gauss0",
    "root640/simplemodel_correlated-background_hifa.asis",
    "root640/simplemodel_correlated-background_hifa.gauss0",
    "root640/simplemodel_uncorrelated-background_hifa.asis",
    "root640/simplemodel_uncorrelated-background_hifa.gauss0",
    "pyhs3/simplemodel_correlated-background_hs3",
    "pyhs3/simplemodel_uncorrelated-background_hs3",
]


def owners_values(name: str) -> tuple[list[dict[str, float]], Any]:
    """Points, and 2NLL of the owner's program at each."""
    stem = Path(name).name
    points = json.loads((OWNERS / "reference" / f"pts_{_model(stem)}.json").read_text())
    names = [
        n.replace("gamma_uncorr_bkguncrt_bin_", "uncorr_bkguncrt_") if "_hs3" in stem else n for n in points["names"]
    ]
    kind = "pyhs3nll" if "_hs3" in stem else "rootnll"
    values = json.loads((OWNERS / "reference" / f"{stem}.{kind}.json").read_text())
    nll = values["nll"] if "nll" in values else [-value for value in values["logp"]]
    return [dict(zip(names, point, strict=True)) for point in points["points"]], 2 * np.array(nll)


def _model(stem: str) -> str:
    return stem.rsplit(".", 1)[0].replace("_hs3", "_hifa")


@pytest.mark.parametrize("name", FILES)
def test_values_are_those_of_the_program_that_wrote_the_file(name: str) -> None:
    file = OWNERS / f"{name}.json"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    document = hs3.read(json.loads(file.read_text()))
    extended.check(document)
    points, theirs = owners_values(name)
    ours = differences(ExtendedModel(document), [owners_point(document, point) for point in points])
    np.testing.assert_allclose(ours, theirs - theirs[0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(computed(document, points), theirs - theirs[0], rtol=0, atol=1e-9)
    again = hs3.read(hs3.write(document))
    assert {**again, "metadata": None} == {**document, "metadata": None}


@pytest.mark.parametrize("name", FILES)
def test_the_engine_computes_the_values_of_that_program(name: str) -> None:
    file = OWNERS / f"{name}.json"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    workspace = pf.read(file)
    model = workspace.model()
    points, theirs = owners_values(name)
    start = dict(zip(model.config.par_names, model.config.suggested_init(), strict=True))
    at = [{**start, **owners_point({"metadata": workspace.metadata}, point)} for point in points]
    pars = np.array([[point[entry] for entry in model.config.par_names] for point in at])
    assert all(point.keys() == start.keys() for point in at)
    value = jax.jit(jax.vmap(likelihood.logpdf, (None, 0, None)))
    ours = -2 * value(model.likelihood, pars, np.asarray(workspace.data(model)))
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], rtol=0, atol=1e-9)


def document(modifiers: list[Any], contents: list[float], observed: list[float], **parts: Any) -> dict[str, Any]:
    """HS3 of one channel and one sample."""
    sample = {"name": "s", "data": {"contents": contents, **parts.pop("data", {})}, "modifiers": modifiers}
    axes = [{"name": "x", "min": 0, "max": len(contents), "nbins": len(contents)}]
    channel = {
        "name": "model_SR",
        "type": "histfactory_dist",
        "axes": axes,
        "samples": [sample],
        **parts.pop("channel", {}),
    }
    return {
        "distributions": [channel, *parts.pop("densities", [])],
        "data": [{"name": "obs", "type": "binned", "axes": axes, "contents": observed}],
        "likelihoods": [{"name": "L", "distributions": ["model_SR"], "data": ["obs"]}],
        "analyses": [{"name": "fit", "likelihood": "L", "parameters_of_interest": ["mu"]}],
        "metadata": {"hs3_version": "0.2", "packages": [{"name": "ROOT", "version": "6.40"}]},
        **parts,
    }


def main(expected: float, observed: float) -> float:
    return 2 * (expected - observed * math.log(expected))


MU = {"name": "mu", "type": "normfactor", "parameter": "mu"}
JES = {"name": "jes", "type": "normsys", "parameter": "alpha_jes", "data": {"hi": 1.2, "lo": 0.9}}
HISTO = {"name": "jes", "type": "histosys", "data": {"hi": {"contents": [13.0]}, "lo": {"contents": [9.0]}}}
STAT = {"name": "mcstat", "type": "staterror"}


def interpolated(code: Any, modifier: Any = JES) -> Any:
    return {**modifier, "interpolation": code}


STEP = 0.5 * (15 + 0.25 * (3 * 0.25 - 10)) / 8  # the odd quintic at 1/2


@pytest.mark.parametrize(
    ("modifier", "factor"),
    [
        (interpolated(0), 1 + 0.5 * 0.2),
        (interpolated("lin"), 1 + 0.5 * 0.2),
        (interpolated({"type": "add", "in": "poly1", "out": None}), 1 + 0.5 * 0.2),
        (interpolated(1), 1.2**0.5),
        (interpolated("log"), 1.2**0.5),
        (interpolated({"type": "mult", "in": "exp"}), 1.2**0.5),
        ({**JES, "data": {"hi": 1.2, "lo": 0.9, "interpolation": "code1"}}, 1.2**0.5),
        (interpolated(2), 1 + 0.05 * 0.25 + 0.15 * 0.5),
        (interpolated("parabolic"), 1 + 0.05 * 0.25 + 0.15 * 0.5),
        (interpolated({"type": "mult", "in": "poly6", "out": "poly1"}), 1 + 0.25 * (0.3 + STEP * 0.1)),
        (interpolated("poly6", HISTO), 1 + 0.25 * (0.4 + STEP * 0.2)),
        (HISTO, 1 + 0.25 * (0.4 + STEP * 0.2)),
        (interpolated({"type": "add", "in": "poly6", "out": "poly1"}, HISTO), 1 + 0.25 * (0.4 + STEP * 0.2)),
        (interpolated(0, HISTO), 1.15),
    ],
)
def test_interpolations_of_every_dialect(modifier: Any, factor: float) -> None:
    read = hs3.read(document([MU, modifier], [10.0], [12.0]))
    assert ExtendedModel(read).twice_nll({"jes": 0.5, "mu": 1.1}) == pytest.approx(main(11 * factor, 12) + 0.25)


def test_a_default_interpolation_of_the_channel_counts_where_the_modifier_has_none() -> None:
    default = {"default_interpolation": {"type": "mult", "in": "exp"}}
    read = hs3.read(document([MU, JES], [10.0], [12.0], channel=default))
    assert read["channels"][0]["samples"][0]["modifiers"][1]["interpolation"] == "code1"


@pytest.mark.parametrize("where", ["constraint_type", "constraint", "channel"])
@pytest.mark.parametrize("kind", ["Gauss", "Poisson", "nothing"])
def test_staterror_is_poisson_unless_the_file_says_otherwise(where: str, kind: str) -> None:
    said = (
        {} if kind == "nothing" else {"staterror": {"constraint_type": kind}} if where == "channel" else {where: kind}
    )
    stat, channel = (STAT, said) if where == "channel" else ({**STAT, **said}, {})
    read = hs3.read(document([MU, stat], [10.0], [12.0], data={"errors": [2.0]}, channel=channel))
    expected = 1.0 if kind == "Gauss" else 2 * 25 * (1.2 - math.log(25 * 1.2))
    assert ExtendedModel(read).twice_nll({"stat_SR[0]": 1.2}) == pytest.approx(main(12, 12) + expected)


def test_bins_below_the_threshold_stay_at_one() -> None:
    channel = {"staterror": {"constraint_type": "Gauss", "relThreshold": 0.05}}
    read = hs3.read(document([MU, STAT], [10.0, 100.0], [12.0, 90.0], data={"errors": [2.0, 1.0]}, channel=channel))
    assert read["measurements"][0]["config"]["parameters"] == [{"name": "stat_SR", "fixed": [False, True]}]
    model = pf.read(
        document([MU, STAT], [10.0, 100.0], [12.0, 90.0], data={"errors": [2.0, 1.0]}, channel=channel)
    ).model()
    assert model.config.suggested_fixed() == [False, False, True]


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ({"constraint_type": "Poisson"}, 1.4),
        ({"constraint": "Poisson"}, 1.4),
        ({"constraint_name": "unit", "constraint_type": "Gauss"}, 1.4),
    ],
)
def test_shapesys_of_root_is_relative(keys: Any, error: float) -> None:
    shape = {"name": "b", "type": "shapesys", "data": {"vals": [0.14]}, **keys}
    (modifier,) = hs3.read(document([shape], [10.0], [12.0]))["channels"][0]["samples"][0]["modifiers"]
    assert (modifier["type"], modifier["data"]) == ("shapesys", [pytest.approx(error)])


def test_shapesys_of_pyhs3_is_absolute_and_its_ranges_prove_it() -> None:
    shape = {"name": "b", "type": "shapesys", "data": {"vals": [3.0]}, "constraint": "Poisson", "parameters": ["b0"]}
    ranges = [{"name": "default_domain", "axes": [{"name": "b0", "min": 0, "max": 2.5}]}]
    parts = {"metadata": {"hs3_version": "0.2", "packages": []}, "domains": ranges}
    read = hs3.read({**document([shape], [10.0], [12.0]), **parts})
    assert read["channels"][0]["samples"][0]["modifiers"][0]["data"] == [3.0]
    with pytest.warns(WorkspaceWarning, match="are taken for events"):
        hs3.read({**document([shape], [10.0], [12.0]), "metadata": {"hs3_version": "0.2"}})


def test_factors_of_bins_without_a_constraint_are_free() -> None:
    free = {"name": "f", "type": "shapesys", "parameters": ["f0", "f1"]}
    read = hs3.read(document([MU, free], [10.0, 20.0], [12.0, 19.0]))
    assert read["channels"][0]["samples"][0]["modifiers"][1] == {"name": "f", "type": "shapefactor", "data": None}
    assert read["metadata"]["foreign_names"] == {"mu": "mu", "f0": "f[0]", "f1": "f[1]"}


def test_constant_factors_of_one_are_left_out_and_a_constant_luminosity_is_multiplied_in() -> None:
    constant = {"name": "c", "type": "shapesys", "constraint": "Const", "data": {"vals": [0.0]}, "parameters": ["c0"]}
    lumi = {"name": "Lumi", "type": "normfactor", "parameter": "Lumi"}
    point = [{"name": "default_values", "parameters": [{"name": "Lumi", "value": 2.0, "const": True}]}]
    read = hs3.read(document([MU, lumi, constant, HISTO], [10.0], [12.0], parameter_points=point))
    (sample,) = read["channels"][0]["samples"]
    assert sample["data"] == [20.0]
    assert [m["name"] for m in sample["modifiers"]] == ["mu", "jes"]
    assert sample["modifiers"][1]["data"] == {"hi_data": [26.0], "lo_data": [18.0]}


def test_constrained_factors() -> None:
    lumi = {"name": "Lumi", "type": "normfactor", "parameter": "Lumi", "constraint_name": "lumiConstraint"}
    other = {"name": "eff", "type": "normfactor", "parameter": "eff", "constraint_name": "effConstraint"}
    densities = [
        {"name": "lumiConstraint", "type": "gaussian_dist", "x": "Lumi", "mean": "nominalLumi", "sigma": 0.02},
        {"name": "effConstraint", "type": "gaussian_dist", "x": "eff", "mean": 0.9, "sigma": 0.1},
    ]
    point = [{"name": "default_values", "parameters": [{"name": "nominalLumi", "value": 1.0, "const": True}]}]
    read = hs3.read(document([MU, lumi, other], [10.0], [12.0], densities=densities, parameter_points=point))
    model = ExtendedModel(read)
    value = model.twice_nll({"mu": 1.0, "lumi": 1.02, "eff": 0.8})
    assert value == pytest.approx(main(10 * 1.02 * 0.8, 12) + 1 + 1)
    again = hs3.read(hs3.write(read))
    assert ExtendedModel(again).twice_nll({"mu": 1.0, "lumi": 1.02, "eff": 0.8}) == pytest.approx(value)


def test_functions_of_parameters_become_expressions() -> None:
    factor = {"name": "k", "type": "normfactor", "parameter": "k"}
    functions = [
        {"name": "k", "type": "product", "factors": ["mu", "shift"]},
        {"name": "shift", "type": "generic_function", "expression": "1 + slope*sqrt(mu)"},
    ]
    read = hs3.read(document([factor], [10.0], [12.0], functions=functions))
    value = ExtendedModel(read).twice_nll({"mu": 4.0, "slope": 0.5})
    assert value == pytest.approx(main(10 * 4 * (1 + 0.5 * 2), 12))
    assert ExtendedModel(hs3.read(hs3.write(read))).twice_nll({"mu": 4.0, "slope": 0.5}) == pytest.approx(value)


def test_functions_that_would_grow_without_bound_are_refused() -> None:
    factor = {"name": "f0", "type": "normfactor", "parameter": "f0"}
    functions = [{"name": f"f{i}", "type": "product", "factors": [f"f{i + 1}"] * 30} for i in range(18)]
    for more, message in (([], "more than 10000"), ([{"name": "f18", "type": "sum", "summands": ["f0"]}], "itself")):
        with pytest.raises(InvalidSpecification, match=message):
            hs3.read(document([factor], [10.0], [12.0], functions=[*functions, *more]))
    wrong = [{"name": "f0", "type": "sum", "summands": [{"a": 1}]}]
    with pytest.raises(InvalidSpecification, match="is no name and no number"):
        hs3.read(document([factor], [10.0], [12.0], functions=wrong))


def test_two_dimensional_axes_are_flat_and_kept() -> None:
    axes = [{"name": "x", "nbins": 2, "min": 0, "max": 1}, {"name": "y", "edges": [0, 1, 3, 9]}]
    read = hs3.read(document([MU], [1.0, 2, 3, 4, 5, 6], [1.0, 2, 3, 4, 5, 6], channel={"axes": axes}))
    assert read["metadata"]["axes"] == {"SR": axes}
    assert hs3.write(read)["distributions"][0]["axes"] == axes


def test_everything_wrong_is_told_at_once_with_its_place() -> None:
    wrong = [
        {**MU, "type": "custom", "name": "morph"},
        interpolated(17),
        {**HISTO, "data": {"hi": {"contents": [1.0, 2.0]}, "lo": {"contents": [1.0]}}},
        {**STAT, "constraint": "Cauchy"},
    ]
    with pytest.raises(InvalidSpecification) as error:
        hs3.read(document(wrong, [10.0], [12.0]), source="model.json")
    places = [fault.path.rsplit(".modifiers", 1)[-1] for fault in error.value.faults]
    assert places == ["[0]", "[1].interpolation", "[2].data.hi", "[3]"]
    assert "morph" in str(error.value)
    assert "model.json" in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"distributions": [{"name": "p", "type": "mixture_dist"}]}, "only mixture_dist"),
        ({"metadata": {"hs3_version": "0.2"}}, "only none"),
        ({"distributions": [{"name": "m", "type": "histfactory_dist"}]}, "no likelihood"),
    ],
)
def test_models_of_other_classes_are_refused_by_name(content: Any, message: str) -> None:
    with pytest.raises(InvalidSpecification, match=message):
        hs3.read(content)


def normal(spec: Any) -> Any:
    """A document without what says nothing: uncertainties of bins without yields."""
    spec = copy.deepcopy(spec)
    spec.pop("metadata", None)
    for _, _, sample, modifier in extended.walk(spec):
        if modifier["type"] == "shapesys":
            pairs = zip(modifier["data"], sample["data"], strict=True)
            modifier["data"] = [error if nominal > 0 else 0.0 for error, nominal in pairs]
    return spec


@pytest.mark.filterwarnings("ignore:.*several staterrors")
@pytest.mark.parametrize("name", [name for name in ZOO if name != "configured_parameters"])
def test_what_is_written_is_read_back(name: str) -> None:
    spec = ZOO[name].spec
    assert normal(hs3.read(hs3.write(spec))) == normal(spec)


def test_several_measurements_and_awkward_names_are_read_back() -> None:
    for file in ("two_measurements", "awkward_names", "everything"):
        spec = json.loads((Path(__file__).parents[1] / "workspaces" / f"{file}.json").read_text())
        assert normal(hs3.read(hs3.write(spec))) == normal(spec)


def test_what_root_needs_is_written() -> None:
    written = hs3.write(workspace_spec())
    (sr, _) = [d for d in written["distributions"] if d["type"] == "histfactory_dist"]
    background = sr["samples"][1]
    kinds = {m["name"]: m for m in background["modifiers"]}
    assert sr["staterror"] == {"relThreshold": 0, "constraint_type": "Gauss"}
    assert kinds["stat_SR"]["constraint_type"] == "Gauss"
    assert background["data"]["errors"] == [3.0, 4.0]
    assert kinds["scale"]["interpolation"] == 5
    assert kinds["shape"]["data"]["vals"] == [0.1, 0.1]
    densities = {d["name"]: d for d in written["distributions"] if d["type"] == "gaussian_dist"}
    assert densities[kinds["scale"]["constraint_name"]]["x"] == "alpha_scale"
    assert densities["lumiConstraint"]["sigma"] == 0.02


def test_what_hs3_lacks_is_refused_at_once() -> None:
    spec = workspace_spec()
    modifiers = spec["channels"][0]["samples"][1]["modifiers"]
    modifiers[0]["interpolation"] = "asympow"
    modifiers[3]["style"] = "additive"
    spec["measurements"][0]["config"]["correlations"] = {"names": ["scale"], "matrix": [[1]]}
    with pytest.raises(InvalidSpecification) as error:
        hs3.write(spec)
    assert len(error.value.faults) == 3


def test_factors_are_called_as_their_parameters_and_errors_are_never_all_zero() -> None:
    """ROOT 6.40 takes a factor's name for its parameter, and square roots of contents where all errors are zero."""
    spec = workspace_spec()
    spec["channels"][0]["samples"][0]["modifiers"].append({"name": "stat_SR", "type": "staterror", "data": [0.0, 0.0]})
    written = hs3.write(spec)
    for channel in (d for d in written["distributions"] if d["type"] == "histfactory_dist"):
        for sample in channel["samples"]:
            assert all(m["name"] == m["parameter"] for m in sample["modifiers"] if m["type"] == "normfactor")
            assert any(sample["data"].get("errors", [1.0]))
    assert normal(hs3.read(written))["channels"] == normal(spec)["channels"]


@pytest.mark.parametrize("name", ["everything", "lumi_not_one", "staterror_samples", "staterror_channels"])
def test_root_reads_what_is_written(name: str, tmp_path: Path) -> None:
    """Differences of 2NLL when one parameter after the other is moved, where ROOT 6.40 is installed."""
    root = pytest.importorskip("ROOT", reason="ROOT is not installed")
    root.RooMsgService.instance().setGlobalKillBelow(root.RooFit.ERROR)
    written = hs3.write(ZOO[name].spec)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(written))
    workspace = root.RooWorkspace("w")
    assert root.RooJSONFactoryWSTool(workspace).importJSON(str(path))
    config = workspace.obj("ModelConfig")
    nll = config.GetPdf().createNLL(
        workspace.data("obsData"), root.RooFit.GlobalObservables(config.GetGlobalObservables())
    )
    read = hs3.read(written)
    model = ExtendedModel(read)
    start, fixed = model.inits, model.fixed
    ours, theirs = [model.twice_nll({})], [2 * nll.getVal()]
    for owner, entry in read["metadata"]["foreign_names"].items():
        if not fixed[entry]:
            variable = workspace.var(owner)
            variable.setVal(start[entry] + 0.05)
            ours.append(model.twice_nll({entry: start[entry] + 0.05}))
            theirs.append(2 * nll.getVal())
            variable.setVal(start[entry])
    np.testing.assert_allclose(np.diff(theirs), np.diff(ours), rtol=0, atol=1e-9)


def point(content: Any, value: Any) -> None:
    content["parameter_points"] = [{"name": "default_values", "parameters": [{"name": "mu", "value": value}]}]


def domain(content: Any, **ends: Any) -> None:
    content["domains"] = [{"name": "default_domain", "axes": [{"name": "mu", **ends}]}]


def constrained(content: Any, density: Any) -> None:
    content["distributions"].append(density)
    content["likelihoods"][0]["aux_distributions"] = [density["name"]]


def of_jes(content: Any, density: Any) -> None:
    jes(content)["constraint_name"] = density["name"]
    content["distributions"].append(density)


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a point": (lambda d: d["analyses"][0].update(init="p"), "the init of 'fit' is 'p', which is not there"),
    "a domain": (lambda d: d["analyses"][0].update(domains=["q"]), "the domains of 'fit' is 'q', which is not there"),
    "a value": (lambda d: point(d, "x"), "the value of 'mu' is 'x'"),
    "an end": (lambda d: domain(d, min="a"), "the min of 'mu' is 'a'"),
    "a range": (lambda d: domain(d, min=5, max=1), "from 5.0 to 1.0: swap them"),
    "a code": (lambda d: jes(d).update(interpolation=4.5), "4.5 is no interpolation"),
    "an infinite code": (lambda d: jes(d).update(interpolation=math.inf), "inf is no interpolation"),
    "a gamma": (lambda d: jes(d).update(constraint="Gamma"), "the constraint of 'alpha_jes' is gamma"),
    "a log-normal": (lambda d: jes(d).update(constraint="Lognormal"), "the constraint of 'alpha_jes' is lognormal"),
    "a width": (lambda d: of_jes(d, gaussian("alpha_jes", 0.0)), "the width of 'c' is 0.0"),
    "another parameter": (lambda d: constrained(d, gaussian("zz", 1.0)), "on which no sample depends"),
    "a Poisson factor": (
        lambda d: constrained(d, {**gaussian("mu", 1.0), "type": "poisson_dist"}),
        "only a Gaussian one can be read",
    ),
    "errors": (lambda d: d["distributions"][0]["samples"][0]["data"].update(errors=[-1.0]), "negative errors"),
    "axes of data": (lambda d: d["data"][0].update(axes=[{"name": "x", "nbins": 5}]), "has 1 values for 5 bins"),
}


def jes(content: Any) -> Any:
    return content["distributions"][0]["samples"][0]["modifiers"][1]


def gaussian(x: str, sigma: float) -> dict[str, Any]:
    return {"name": "c", "type": "gaussian_dist", "x": x, "mean": 1.0, "sigma": sigma}


@pytest.mark.parametrize("name", WRONG)
def test_what_makes_no_sense_is_refused_with_its_place(name: str) -> None:
    change, message = WRONG[name]
    content = copy.deepcopy(document([MU, JES], [10.0], [12.0]))
    change(content)
    with pytest.raises(InvalidSpecification, match=message) as error:
        hs3.read(content)
    assert all(fault.path.startswith("$.") for fault in error.value.faults)


@pytest.mark.parametrize("place", ["aux_distributions", "distributions"])
def test_constraints_that_only_the_likelihood_names_count(place: str) -> None:
    function = {"name": "k", "type": "product", "factors": ["mu", "eff"]}
    content = document([{**MU, "parameter": "k"}, JES], [10.0], [12.0], functions=[function])
    content["distributions"].extend([{**gaussian("eff", 0.1), "name": "c"}, {**gaussian("mu", 0.5), "name": "m"}])
    likelihood = content["likelihoods"][0]
    likelihood[place] = [*likelihood.get(place, []), "c", "m"]
    likelihood["data"] = [*likelihood["data"], *([1.0, 1.0] if place == "distributions" else [])]
    model = ExtendedModel(hs3.read(content))
    found = model.twice_nll({"eff": 1.2, "mu": 1.1}) - model.twice_nll({})
    assert found == pytest.approx(main(13.2, 12.0) - main(10.0, 12.0) + 2**2 + 0.2**2)
