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


@pytest.mark.slow
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


@pytest.mark.slow
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


def two_strengths() -> tuple[pf.Model, list[float]]:
    """Two channels, each with a strength of its own; and data."""
    samples = [
        {"name": "signal", "data": [12.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        {"name": "other", "data": [9.0], "modifiers": [{"name": "nu", "type": "normfactor", "data": None}]},
        {
            "name": "background",
            "data": [50.0],
            "modifiers": [{"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}],
        },
    ]
    channels = [{"name": "A", "samples": [samples[0], samples[2]]}, {"name": "B", "samples": samples[1:]}]
    return pf.Model({"channels": channels}), [55.0, 57.0, 0.0]


def other_poi(config: Any) -> None:
    config.set_poi("nu")


def other_poi_with_other_bounds(config: Any) -> None:
    config.set_poi("nu")
    config.param_set("nu").suggested_bounds = [(-2.0, 6.0)]
    config.param_set("mu").suggested_init = [0.4]
    config.param_set("rate").suggested_fixed = [True]


def negative_bound(config: Any) -> None:
    config.param_set("mu").suggested_bounds = [(-2.0, 6.0)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("change", [other_poi, other_poi_with_other_bounds, negative_bound])
@pytest.mark.parametrize("test_stat", ["q", "qtilde"])
def test_all_tests_agree_after_any_change(change: Callable[[Any], None], test_stat: str) -> None:
    model, data = two_strengths()
    before = float(pf.hypotest(0.6, data, model, test_stat=test_stat).teststat)
    change(model.config)
    observed, band = pf.infer.hypotest(0.6, data, model, test_stat=test_stat, return_expected_set=True)
    copies = model, pickle.loads(pickle.dumps(model)), jax.tree.map(lambda leaf: leaf, model)
    for each in copies:
        found = pf.hypotest(0.6, data, each, test_stat=test_stat)
        assert each.config.poi_name == model.config.poi_name
        np.testing.assert_allclose([found.cls, *found.cls_expected], [observed, *band], rtol=1e-8)
    if change is not negative_bound:
        assert abs(float(found.teststat) - before) > 1e-4
    bounds, init = model.config.suggested_bounds(), model.config.suggested_init()
    fixed = model.config.suggested_fixed()
    plain = two_strengths()[0]
    plain.config.set_poi(model.config.poi_name)
    given = pf.hypotest(0.6, data, plain, test_stat=test_stat, init=init, bounds=bounds, fixed=fixed)
    np.testing.assert_allclose([given.cls, *given.cls_expected], [observed, *band], rtol=1e-8)


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
