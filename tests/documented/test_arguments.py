"""Arguments of the documented functions that do not fit are refused with their name and what to do."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.exceptions import InvalidPdfParameters


@pytest.fixture(scope="module")
def model() -> pf.Model:
    return pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])


@pytest.fixture(scope="module")
def data(model: pf.Model) -> list[float]:
    return [51.0, 48.0, *model.config.auxdata]


TESTS: dict[str, Callable[..., Any]] = {
    "hypotest": lambda mu, data, model, **start: pf.infer.hypotest(mu, data, model, **start),
    "toys": lambda mu, data, model, **start: pf.infer.hypotest(
        mu, data, model, calctype="toybased", ntoys=2, track_progress=False, **start
    ),
    "fixed_poi_fit": lambda mu, data, model, **start: pf.infer.mle.fixed_poi_fit(mu, data, model, **start),
    "calculator": lambda mu, data, model, **start: pf.infer.calculators.AsymptoticCalculator(
        data, model, **start
    ).teststatistic(mu),
    "fit": lambda mu, data, model, **start: pf.infer.mle.fit(data, model, **start),
    "asimov": lambda mu, data, model, **start: pf.infer.calculators.generate_asimov_data(
        mu, data, model, *(start.get(name) for name in ("init_pars", "par_bounds", "fixed_params"))
    ),
}


@pytest.mark.parametrize("value", [[1.0, 2.0], (), np.array([1.0, 2.0]), np.ones((1, 1))])
@pytest.mark.parametrize("name", [name for name in TESTS if name != "fit"])
def test_several_values_of_the_poi_point_to_scan(name: str, value: Any, model: pf.Model, data: list[float]) -> None:
    with pytest.raises(ValueError, match="pyhf_func.scan"):
        TESTS[name](value, data, model)


@pytest.mark.parametrize("value", ["1.0", None, {"mu": 1.0}])
@pytest.mark.parametrize("name", [name for name in TESTS if name != "fit"])
def test_a_value_of_the_poi_is_a_number(name: str, value: Any, model: pf.Model, data: list[float]) -> None:
    with pytest.raises(TypeError, match="give a number"):
        TESTS[name](value, data, model)


@pytest.mark.parametrize(
    "start",
    [
        {"fixed_params": [True]},
        {"fixed_params": ["mu"]},
        {"fixed_params": {"mu"}},
        {"fixed_params": True},
        {"fixed_params": [None, False, False]},
        {"fixed_params": np.array([True, False])},
        {"init_pars": [1.0]},
        {"init_pars": [1.0] * 4},
        {"init_pars": {"mu": 1.0}},
        {"init_pars": ["1", "1", "1"]},
        {"init_pars": 1.0},
        {"par_bounds": [(0.0, 1.0)]},
        {"par_bounds": [0.0, 1.0, 2.0]},
        {"par_bounds": "wide"},
        {"par_bounds": [(0.0, 1.0), (0.0, 1.0), (0.0, 1.0, 2.0)]},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", TESTS)
def test_a_start_has_one_element_for_each_parameter(
    name: str, start: dict[str, Any], model: pf.Model, data: list[float]
) -> None:
    with pytest.raises(InvalidPdfParameters, match=next(iter(start))):
        TESTS[name](1.0, data, model, **start)


@pytest.mark.parametrize(("flag", "test_stat"), [(True, "qtilde"), (False, "q")])
def test_qtilde_of_older_versions_chooses_the_test_statistic(
    flag: bool, test_stat: str, model: pf.Model, data: list[float]
) -> None:
    bounds = [(-5.0, 10.0), (1e-10, 10.0), (1e-10, 10.0)]
    expected = pf.infer.hypotest(1.0, data, model, par_bounds=bounds, test_stat=test_stat)
    assert pf.infer.hypotest(1.0, data, model, par_bounds=bounds, qtilde=flag) == expected
    for kind in (pf.infer.calculators.AsymptoticCalculator, pf.infer.calculators.ToyCalculator):
        assert kind(data, model, qtilde=flag).test_stat == test_stat


def test_a_surplus_of_parameters_is_ignored_with_a_warning(model: pf.Model, data: list[float]) -> None:
    pars = model.config.suggested_init()
    parts = model.expected_actualdata, model.expected_auxdata, model.main_model.expected_data
    for method in (model.expected_data, *parts):
        with pytest.warns(UserWarning, match="the last 2 are ignored"):
            found = method([*pars, 7.0, 8.0])
        np.testing.assert_array_equal(found, method(pars))
    with pytest.raises(InvalidPdfParameters):
        model.logpdf([*pars, 7.0], data)
    with pytest.raises(InvalidPdfParameters):
        model.expected_data(pars[:-1])
