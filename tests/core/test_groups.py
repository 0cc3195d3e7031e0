"""Impacts of groups: closed forms, quadrature, and patterns of names."""

from __future__ import annotations

import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.exceptions import InvalidPdfParameters, UnspecifiedPOI
from pyhf_func.verbs.group_impacts import GroupImpacts

SPEC = {
    "channels": [
        {
            "name": "SR",
            "samples": [
                {
                    "name": "signal",
                    "data": [20.0, 30.0],
                    "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
                },
                {
                    "name": "background",
                    "data": [50.0, 40.0],
                    "modifiers": [
                        {"name": "JES", "type": "normsys", "data": {"lo": 0.94, "hi": 1.06}},
                        {"name": "JER", "type": "histosys", "data": {"hi_data": [52.0, 41.0], "lo_data": [47.0, 39.5]}},
                        {"name": "xsec", "type": "normsys", "data": {"lo": 0.92, "hi": 1.08}},
                        {"name": "mc", "type": "staterror", "data": [3.0, 2.0]},
                    ],
                },
            ],
        }
    ]
}


@pytest.fixture(scope="module")
def model() -> pf.Model:
    return pf.Model(SPEC)


@pytest.fixture(scope="module")
def asimov(model: pf.Model) -> np.ndarray:
    return np.asarray(model.expected_data(model.config.suggested_init()))


@pytest.fixture(scope="module")
def found(model: pf.Model, asimov: np.ndarray) -> GroupImpacts:
    return pf.group_impacts(asimov, model, {"jets": ["JE*"]})


def test_one_bin_has_the_errors_of_the_closed_form() -> None:
    """mu = (n - b(1 + r a)) / s: variances n/s² of the data, (b r/s)² of the rate."""
    model = pf.simplemodels.correlated_background([20.0], [50.0], [55.0], [45.0])
    found = pf.group_impacts([70.0, 0.0], model)
    data, rate = found.groups
    assert (data.group, rate.group) == ("data statistics", "other systematics")
    for name in ("impact", "component"):
        assert getattr(data, name) == pytest.approx(70**0.5 / 20, rel=1e-8)
        assert getattr(rate, name) == pytest.approx(5 / 20, rel=1e-8)
    assert found.error == pytest.approx((70 / 400 + 1 / 16) ** 0.5, rel=1e-8)


@pytest.mark.slow
def test_components_add_up_in_quadrature_for_expected_data(found: GroupImpacts) -> None:
    assert found.component_closure == pytest.approx(1.0, abs=1e-9)
    assert [one.group for one in found.groups] == ["data statistics", "jets", "MC statistics", "other systematics"]
    assert [one.parameters for one in found.groups[1:]] == [("JER", "JES"), ("mc[0]", "mc[1]"), ("xsec",)]
    *groups, quadrature, total = found.table().rows
    assert sum(row["component"] ** 2 for row in groups) ** 0.5 == pytest.approx(quadrature["component"], rel=1e-12)
    assert quadrature["component"] == pytest.approx(total["component"], rel=1e-9)


def test_an_impact_is_what_a_fit_with_the_group_held_lacks(
    model: pf.Model, asimov: np.ndarray, found: GroupImpacts
) -> None:
    best = np.asarray(pf.fit(asimov, model).pars)
    for one in found.groups[1:]:
        held = {name: float(best[model.config.par_names.index(name)]) for name in one.parameters}
        left = float(pf.covariance(asimov, model, fixed=held).errors[model.config.poi_index])
        assert one.impact == pytest.approx((found.error**2 - left**2) ** 0.5, rel=1e-6)
    every = {name: 1.0 if name[:2] == "mc" else 0.0 for one in found.groups[1:] for name in one.parameters}
    left = float(pf.covariance(asimov, model, fixed=every).errors[model.config.poi_index])
    assert found.groups[0].impact == pytest.approx(left, rel=1e-6)


@pytest.mark.slow
def test_components_are_slopes_of_the_best_value(model: pf.Model, asimov: np.ndarray, found: GroupImpacts) -> None:
    """By differences: the fit repeated with each auxiliary datum of the group moved."""
    poi, n = model.config.poi_index, model.config.nmaindata
    aux = model.config.auxdata_order
    for one in (found.groups[1], found.groups[3]):
        total = 0.0
        for name in one.parameters:
            moved = [asimov.copy(), asimov.copy()]
            place = n + sum(model.config.param_set(other).n_parameters for other in aux[: aux.index(name)])
            moved[0][place] += 1e-3
            moved[1][place] -= 1e-3
            up, down = (float(pf.fit(data, model).pars[poi]) for data in moved)
            total += ((up - down) / 2e-3) ** 2
        assert one.component == pytest.approx(total**0.5, rel=1e-5)


def test_a_parameter_belongs_to_the_first_group_that_matches(model: pf.Model, asimov: np.ndarray) -> None:
    found = pf.group_impacts(asimov, model, {"first": "J?S", "second": ["J*", "mc"], "third": "*"})
    assert {one.group: one.parameters for one in found.groups[1:]} == {
        "first": ("JES",),
        "second": ("JER", "mc[0]", "mc[1]"),
        "third": ("xsec",),
    }


def test_another_parameter_can_be_the_one_whose_error_is_split(model: pf.Model, asimov: np.ndarray) -> None:
    found = pf.group_impacts(asimov, model, poi="xsec")
    assert found.poi == "xsec"
    assert all("xsec" not in one.parameters for one in found.groups)


@pytest.mark.parametrize("groups", [5, "J*", {"a": 5}, {"a": []}, {"a": [None]}, {"a": "nothing*"}])
def test_wrong_groups_are_refused_by_name(groups: object, model: pf.Model, asimov: np.ndarray) -> None:
    with pytest.raises(InvalidPdfParameters, match="groups"):
        pf.group_impacts(asimov, model, groups)


def test_a_fit_that_fails_has_no_numbers(model: pf.Model, asimov: np.ndarray) -> None:
    data = asimov * np.where(np.arange(len(asimov)) < 2, 1.5, 1.0)
    found = pf.group_impacts(data, model, minimiser=pf.Newton(iterations=1))
    assert found.status == pf.Status.ITERATION_LIMIT
    assert not np.isfinite([found.error, *(one.impact for one in found.groups)]).any()


def test_without_a_parameter_of_interest_one_must_be_named() -> None:
    model = pf.Model(SPEC, poi_name=None)
    with pytest.raises(UnspecifiedPOI):
        pf.group_impacts([70.0, 70.0, 0.0, 0.0, 0.0, 1.0, 1.0], model)
