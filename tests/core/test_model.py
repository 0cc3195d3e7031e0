"""The model: a frozen pytree with names beside it, pure updates by name, and errors that name what is wrong."""

import copy
import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

import pyhf_func as pf
from pyhf_func.exceptions import InvalidModel, InvalidModifier, InvalidPdfData, InvalidPdfParameters
from tests import zoo
from tests.core import toy
from tests.parity import cases

expected = jax.jit(pf.Model.expected_data)


def test_frozen() -> None:
    model, _ = toy.toy()
    for target, name in ((model, "config"), (model, "likelihood"), (model.likelihood.values, "nominal")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(target, name, None)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(target, name)
    with pytest.raises(AttributeError):
        model.config.poi_name = "other"  # type: ignore[misc]


def test_updates_leave_the_original_alone() -> None:
    model, _ = toy.build()
    before = jax.tree.map(np.array, model.likelihood.values)
    model.with_yields("SR", "sig", [1.0, 2.0]).with_normsys("SR", "bkg", "norm", lo=0.5)
    after = model.likelihood.values
    jax.tree.map(np.testing.assert_array_equal, before, after)


def test_config_hands_out_copies() -> None:
    config = toy.build()[0].config
    config.par_order.clear()
    config.channel_nbins.clear()
    config.auxdata.clear()
    config.suggested_bounds().clear()
    assert len(config.par_order) == 5
    assert config.channel_nbins == {"SR": 2}
    assert len(config.auxdata) == 6
    assert len(config.suggested_bounds()) == 7


def test_pytree_round_trip() -> None:
    model, _data = toy.toy()
    leaves, tree = jax.tree.flatten(model)
    again = jax.tree.unflatten(tree, leaves)
    assert isinstance(again, pf.Model)
    assert again.config == model.config
    assert jax.tree.structure(again) == tree
    pars = jnp.array(model.config.suggested_init())
    np.testing.assert_array_equal(expected(again, pars), expected(model, pars))
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)


def test_leaves_are_floats_or_indices() -> None:
    """The values are what a gradient may be taken of; the rest are whole numbers and flags."""
    likelihood = toy.toy()[0].likelihood
    assert {leaf.dtype for leaf in jax.tree.leaves(likelihood.values)} == {jnp.dtype("float64")}
    assert all(jnp.issubdtype(leaf.dtype, jnp.integer) for leaf in jax.tree.leaves(likelihood.indices))


def test_models_of_one_structure_stack() -> None:
    models = [toy.build(yields=yields)[0] for yields in ((5.0, 8.0), (1.0, 2.0))]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *models)
    pars = jnp.array(models[0].config.suggested_init())
    mapped = jax.jit(jax.vmap(pf.Model.expected_data, (0, None)))(stacked, pars)
    for k, model in enumerate(models):
        np.testing.assert_allclose(mapped[k], expected(model, pars), rtol=1e-14)


def test_config_equality_and_hash() -> None:
    one, other = toy.build()[0].config, toy.build()[0].config
    assert one is not other
    assert one == other
    assert hash(one) == hash(other)
    renamed = toy.build(names=("signal", "mu"))[0].config
    assert one != renamed
    assert one != "something else"
    assert len({one, other, renamed}) == 2


def test_config_tells_models_apart_that_differ_in_suggestions() -> None:
    document = toy.spec()
    document["measurements"][0]["config"]["parameters"] = [{"name": "mu", "bounds": [[0.0, 3.0]]}]
    assert pf.Workspace(document).model().config != toy.build()[0].config


def random_points(model: Any, count: int = 3) -> Array:
    rng = np.random.default_rng(11)
    init = np.array(model.config.suggested_init())
    return jnp.array(np.abs(init + 0.4 * rng.normal(size=(count, len(init)))))


def sample_of(document: zoo.Spec, channel: str, sample: str) -> Any:
    channels = {c["name"]: c for c in document["channels"]}
    return next(s for s in channels[channel]["samples"] if s["name"] == sample)


def assert_same(changed: Any, document: zoo.Spec) -> None:
    """The changed model is the one that is built from the changed document."""
    rebuilt = pf.Workspace(document).model()
    assert rebuilt.config == changed.config
    for pars in random_points(rebuilt):
        np.testing.assert_allclose(expected(changed, pars), expected(rebuilt, pars), rtol=1e-13)


NAME = "shared_between_types"  # one name is a normsys and a histosys of one sample


def test_with_yields_is_a_model_with_other_yields() -> None:
    document = zoo.ZOO[NAME].spec
    sample_of(document, "SR", "sig")["data"] = [2.5, 11.0]
    assert_same(cases.ours(NAME).with_yields("SR", "sig", [2.5, 11.0]), document)


def test_with_yields_keeps_templates() -> None:
    """The templates of a histosys are absolute yields."""
    document = zoo.ZOO[NAME].spec
    sample_of(document, "SR", "bkg")["data"] = [46.0, 30.0]
    assert_same(cases.ours(NAME).with_yields("SR", "bkg", [46.0, 30.0]), document)


@pytest.mark.parametrize("sides", [("lo",), ("hi",), ("lo", "hi")])
def test_with_templates_and_factors(sides: tuple[str, ...]) -> None:
    document, model = zoo.ZOO[NAME].spec, cases.ours(NAME)
    templates, factors = {"lo": [38.0, 36.0], "hi": [51.5, 30.0]}, {"lo": 0.9, "hi": 1.3}
    histosys, normsys = (m["data"] for m in sample_of(document, "SR", "bkg")["modifiers"])
    histosys.update({f"{side}_data": templates[side] for side in sides})
    normsys.update({side: factors[side] for side in sides})
    model = model.with_histosys("SR", "bkg", "jes", **{side: templates[side] for side in sides})
    assert_same(model.with_normsys("SR", "bkg", "jes", **{side: factors[side] for side in sides}), document)


def test_with_nothing_is_the_same_model() -> None:
    model = cases.ours(NAME)
    assert_same(model.with_normsys("SR", "bkg", "jes").with_histosys("SR", "bkg", "jes"), zoo.ZOO[NAME].spec)


def test_updates_in_every_channel_of_a_ragged_model() -> None:
    """Each sample's yields go to their own bins."""
    name = "ragged_channels"
    document, model = zoo.ZOO[name].spec, cases.ours(name)
    for k, (channel, sample) in enumerate((c["name"], s["name"]) for c in document["channels"] for s in c["samples"]):
        own = sample_of(document, channel, sample)
        own["data"] = [x + 1.25 * k for x in own["data"]]
        model = model.with_yields(channel, sample, own["data"])
    assert_same(model, document)


def test_updates_accept_tracers() -> None:
    """The Jacobian with respect to the signal yields is mu on its own bins, nothing elsewhere."""
    model, _ = toy.toy()
    pars = jnp.array(model.config.suggested_init()).at[toy.place("mu")].set(1.7)

    def main(yields: Array, lo: Array, factor: Array) -> Array:
        changed = model.with_yields("SR", "sig", yields).with_histosys("SR", "bkg", "shape", lo=lo)
        return changed.with_normsys("SR", "bkg", "norm", hi=factor).expected_actualdata(pars)

    at = jnp.array([5.0, 8.0]), jnp.array([47.0, 43.5]), jnp.array(1.12)
    by_yields, by_lo, by_factor = jax.jit(jax.jacfwd(main, (0, 1, 2)))(*at)
    np.testing.assert_allclose(by_yields, 1.7 * np.eye(2), rtol=1e-14)
    np.testing.assert_array_equal(by_lo, np.zeros((2, 2)))  # alpha = 0
    np.testing.assert_array_equal(by_factor, np.zeros(2))


def test_with_values_replaces_whole_arrays() -> None:
    model, data = toy.toy()
    values = model.likelihood.values
    wider = model.with_values(normal_sigma=2 * values.normal_sigma, poisson_factor=0.5 * values.poisson_factor)
    np.testing.assert_array_equal(wider.likelihood.values.normal_sigma, 2 * values.normal_sigma)
    np.testing.assert_array_equal(wider.likelihood.values.nominal, values.nominal)
    pars = jnp.array(model.config.suggested_init())
    poisson = slice(2 + toy.place("rate") - 1, 2 + toy.place("rate") + 1)  # mu has no auxiliary data
    np.testing.assert_allclose(expected(wider, pars)[poisson], 0.5 * data[poisson], rtol=1e-14)


def test_unknown_names_and_shapes_of_updates() -> None:
    model, _ = toy.toy()
    with pytest.raises(InvalidModel, match="'CR'.*SR"):
        model.with_yields("CR", "sig", [1.0, 2.0])
    with pytest.raises(InvalidModel, match="'signal'.*'bkg'"):
        model.with_yields("SR", "signal", [1.0, 2.0])
    with pytest.raises(InvalidModel, match=r"\(3,\).*\(2,\)"):
        model.with_yields("SR", "sig", [1.0, 2.0, 3.0])
    with pytest.raises(InvalidModifier, match="'norm'.*'shape'"):
        model.with_histosys("SR", "bkg", "norm", lo=[1.0, 2.0])
    with pytest.raises(InvalidModifier, match="'shape'.*'norm'"):
        model.with_normsys("SR", "bkg", "shape", lo=0.9)
    with pytest.raises(InvalidModifier, match="'sig'"):
        model.with_normsys("SR", "sig", "norm", lo=0.9)
    with pytest.raises(InvalidModel, match=r"hi has shape \(1,\)"):
        model.with_histosys("SR", "bkg", "shape", hi=[1.0])
    with pytest.raises(InvalidModel, match="lo has shape"):
        model.with_normsys("SR", "bkg", "norm", lo=[0.9, 0.8])
    with pytest.raises(InvalidModel, match="nominal has shape"):
        model.with_values(nominal=[1.0])


def test_unknown_values_are_refused() -> None:
    with pytest.raises((AttributeError, InvalidModel), match="widths"):
        toy.toy()[0].with_values(widths=[1.0])


@pytest.mark.parametrize("shape", [(), (6,), (1, 7), (2, 7)])
def test_shapes_of_pars(shape: tuple[int, ...]) -> None:
    model, data = toy.toy()
    expected = (model.expected_data, model.expected_actualdata, model.expected_auxdata)
    for call in (*expected, lambda p: model.logpdf(p, data)):
        with pytest.raises(InvalidPdfParameters, match=r"\(7,\)"):
            call(np.ones(shape))


def test_surplus_parameters_are_ignored_with_a_warning_as_by_pyhf() -> None:
    model, _ = toy.toy()
    for call in (model.expected_data, model.expected_actualdata, model.expected_auxdata):
        with pytest.warns(UserWarning, match="the last 1 are ignored"):
            surplus = call(np.ones(8))
        np.testing.assert_array_equal(surplus, call(np.ones(7)))


@pytest.mark.parametrize("shape", [(), (2,), (9,), (1, 8)])
def test_shapes_of_data(shape: tuple[int, ...]) -> None:
    model, _ = toy.toy()
    for call in (
        lambda d: model.logpdf(np.ones(7), d),
        lambda d: pf.fit(d, model),
        lambda d: pf.hypotest(1.0, d, model),
    ):
        with pytest.raises(InvalidPdfData, match=r"\(8,\)"):
            call(np.ones(shape))


def test_parts_of_the_expected_data() -> None:
    model, _ = toy.toy()
    pars = random_points(model)[0]
    both = model.expected_data(pars)
    np.testing.assert_array_equal(both[:2], model.expected_actualdata(pars))
    np.testing.assert_array_equal(both[2:], model.expected_auxdata(pars))
    np.testing.assert_array_equal(both[:2], model.expected_data(pars, include_auxdata=False))


def test_a_deep_copy_is_an_equal_model() -> None:
    model, _ = toy.toy()
    again = copy.deepcopy(model)
    assert again.config == model.config
    jax.tree.map(np.testing.assert_array_equal, again.likelihood, model.likelihood)


def test_repr_says_what_it_is() -> None:
    assert repr(toy.toy()[0]) == "Model(1 channels, 2 bins, 7 parameters, POI 'mu')"
