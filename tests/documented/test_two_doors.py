"""The verbs and the documented API agree on every model, also on one whose configuration was changed by hand."""

import pickle
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import pyhf_func as pf


def model_and_data() -> tuple[pf.Model, list[float]]:
    model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
    return model, [58.0, 55.0, *model.config.auxdata]


def fix_the_poi(config: Any) -> None:
    config.param_set("mu").suggested_fixed = [True]


def fix_the_background(config: Any) -> None:
    config.param_set("uncorr_bkguncrt").suggested_fixed = True


def fix_a_component_elsewhere(config: Any) -> None:
    config.param_set("uncorr_bkguncrt").suggested_fixed = [False, True]
    config.par_map["uncorr_bkguncrt"]["paramset"].suggested_init[1] = 0.9


def bound_the_poi(config: Any) -> None:
    config.param_set("mu").suggested_bounds = [(0.0, 0.2)]
    config.param_set("mu").suggested_init = [0.1]


def start_elsewhere(config: Any) -> None:
    config.param_set("mu").suggested_init = [0.3]


CHANGES = [fix_the_poi, fix_the_background, fix_a_component_elsewhere, bound_the_poi, start_elsewhere]


@pytest.mark.parametrize("change", CHANGES)
def test_fits_agree_after_a_change(change: Callable[[Any], None]) -> None:
    model, data = model_and_data()
    before = np.asarray(pf.fit(data, model).pars)
    change(model.config)
    expected = pf.infer.mle.fit(data, model)
    if change is not start_elsewhere:
        assert np.max(np.abs(expected - before)) > 1e-3
    copies = {
        "itself": model,
        "pickled": pickle.loads(pickle.dumps(model)),
        "changed copy": model.with_yields("singlechannel", "signal", [12.0, 11.0]),
        "mapped": jax.tree.map(lambda leaf: leaf, model),
    }
    for name, each in copies.items():
        np.testing.assert_allclose(pf.fit(data, each).pars, expected, atol=1e-7, err_msg=name)
        np.testing.assert_allclose(pf.infer.mle.fit(data, each), expected, atol=1e-7, err_msg=name)
        assert each.config.suggested_fixed() == model.config.suggested_fixed(), name
    inside = jax.jit(lambda model, data: pf.fit(data, model).pars)(model, jax.numpy.asarray(data))
    np.testing.assert_allclose(inside, expected, atol=1e-7)


@pytest.mark.parametrize("change", [fix_the_background])
def test_hypothesis_tests_agree_after_a_change(change: Callable[[Any], None]) -> None:
    model, data = model_and_data()
    before = float(pf.infer.hypotest(0.15, data, model))
    change(model.config)
    observed, band = pf.infer.hypotest(0.15, data, model, return_expected_set=True)
    assert abs(float(observed) - before) > 1e-4
    found = pf.hypotest(0.15, data, model)
    np.testing.assert_allclose([found.cls, *found.cls_expected], [observed, *band], rtol=1e-8)
    np.testing.assert_allclose(pf.scan([0.15], data, model).cls[0], observed, rtol=1e-6)


def test_a_change_that_is_taken_back_is_forgotten() -> None:
    model, data = model_and_data()
    before = np.asarray(pf.fit(data, model).pars)
    fix_the_poi(model.config)
    assert pf.fit(data, model).pars[model.config.poi_index] == 1.0
    model.config.param_set("mu").suggested_fixed = False
    np.testing.assert_allclose(pf.fit(data, model).pars, before, rtol=1e-12)


def test_models_that_suggest_other_things_are_not_equal() -> None:
    left, right = model_and_data()[0], model_and_data()[0]
    assert left.config == right.config
    fix_the_poi(right.config)
    assert left.config != right.config


VERBS: dict[str, Callable[[Any, Any], Any]] = {
    "hypotest": lambda data, model: pf.hypotest(1.0, data, model),
    "scan": lambda data, model: pf.scan([1.0], data, model),
    "upper_limit": pf.upper_limit,
    "discovery": pf.discovery,
    "toys": lambda data, model: pf.toys(1.0, data, model, key=jax.random.key(0), ntoys=4),
    "infer.hypotest": lambda data, model: pf.infer.hypotest(1.0, data, model),
}


@pytest.mark.parametrize("verb", VERBS)
def test_no_test_is_made_of_a_fixed_parameter(verb: str) -> None:
    model, data = model_and_data()
    fix_the_poi(model.config)
    with pytest.raises(pf.exceptions.InvalidModel, match="fixed"):
        VERBS[verb](data, model)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("suggested_init", [1.0, 2.0]),
        ("suggested_init", ["a"]),
        ("suggested_bounds", [(0.0, None)]),
        ("suggested_bounds", [0.0, 1.0]),
        ("suggested_bounds", []),
    ],
)
def test_suggestions_that_do_not_fit_are_refused_by_name(attribute: str, value: Any) -> None:
    model, data = model_and_data()
    setattr(model.config.param_set("mu"), attribute, value)
    with pytest.raises(pf.exceptions.InvalidModel, match="'mu' was set to suggest"):
        pf.fit(data, model)
