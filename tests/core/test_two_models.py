"""The frozen model, and the one of the documented API that holds it: every verb accepts both."""

from __future__ import annotations

import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.model import Model
from tests.core import toy


@pytest.fixture(scope="module")
def problem() -> tuple[Any, Any]:
    return toy.toy()


@pytest.mark.slow
def test_verbs_accept_both(problem: tuple[Any, Any]) -> None:
    model, data = problem
    frozen = model.frozen()
    assert isinstance(frozen, Model)
    assert not isinstance(model, Model)
    one, other = (pf.hypotest(1.0, data, each) for each in (model, frozen))
    np.testing.assert_array_equal(one.cls, other.cls)
    assert one.model_names == other.model_names
    np.testing.assert_array_equal(pf.fit(data=data, model=frozen).pars, pf.fit(data, model).pars)


def test_the_frozen_model_is_a_pure_pytree(problem: tuple[Any, Any]) -> None:
    frozen = problem[0].frozen()
    leaves, tree = jax.tree.flatten(frozen)
    again = jax.tree.unflatten(tree, leaves)
    assert type(again) is Model
    assert again.names == frozen.names
    assert jax.tree.structure(again) == tree == jax.tree.structure(pickle.loads(pickle.dumps(frozen)))
    assert not hasattr(frozen.config, "set_poi")


@pytest.mark.slow
def test_its_functions_are_those_of_the_other(problem: tuple[Any, Any]) -> None:
    model, data = problem
    pars = jnp.array(model.config.suggested_init())
    frozen = model.frozen()
    np.testing.assert_array_equal(frozen.logpdf(pars, data), model.logpdf(pars, data))
    np.testing.assert_array_equal(jax.jit(Model.expected_data)(frozen, pars), model.expected_data(pars))
    doubled = frozen.with_yields("SR", "sig", 2 * jnp.array([5.0, 8.0]))
    same = model.with_yields("SR", "sig", [10.0, 16.0])
    np.testing.assert_array_equal(doubled.expected_data(pars), same.expected_data(pars))


def test_what_is_set_in_the_config_is_what_verbs_read_from_then_on() -> None:
    model, data = toy.build()
    before = model.frozen()
    best = pf.fit(data, model).pars
    model.config.param_set("mu").suggested_fixed = [True]
    assert bool(model.frozen().likelihood.space.fixed[model.config.poi_index])
    assert model.frozen() is model.frozen()
    assert not bool(before.likelihood.space.fixed[model.config.poi_index])
    np.testing.assert_array_equal(pf.fit(data, before).pars, best)
    assert pf.fit(data, model).pars[model.config.poi_index] == 1.0
    np.testing.assert_array_equal(pf.fit(data, model).pars, pf.fit(data, model.frozen()).pars)
    model.config.set_poi(None)
    assert model.frozen().config.poi_name is None
    assert before.config.poi_name == "mu"


def test_settings_may_first_be_read_inside_a_transformation() -> None:
    model, _ = toy.build()
    model.config.param_set("mu").suggested_init = [2.0]
    place = model.config.poi_index
    start = jax.jit(lambda scale: scale * model.likelihood.space.init)(1.0)
    assert start[place] == 2.0
    assert model.likelihood.space.init[place] == 2.0


def test_a_change_of_settings_goes_along_through_transformations() -> None:
    model, data = toy.build()
    model.config.set_poi(None)
    leaves, tree = jax.tree.flatten(model)
    again = jax.tree.unflatten(tree, leaves)
    assert again.config.poi_name is None
    assert again.batch_size is None
    with pytest.raises(pf.exceptions.UnspecifiedPOI):
        pf.hypotest(1.0, data, again)
