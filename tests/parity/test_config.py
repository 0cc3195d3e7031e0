"""Order, names, slices, starts, bounds, fixed flags and auxiliary data are those of pyhf 0.7.6."""

from types import ModuleType

import numpy as np
import pytest

import pyhf_func as pf
from tests import zoo
from tests.parity import cases

# Some of these documents are dubious on purpose.
pytestmark = pytest.mark.filterwarnings("default::pyhf_func.exceptions.WorkspaceWarning")

EVERY = pytest.mark.parametrize("name", zoo.names())


@EVERY
def test_names_and_order(name: str, pyhf_numpy: ModuleType) -> None:
    config, theirs, slow = cases.ours(name).config, cases.theirs(name).config, cases.slow(name)
    assert list(config.channels) == theirs.channels == slow.channel_names
    assert list(config.samples) == theirs.samples == slow.sample_names
    assert [tuple(m) for m in config.modifiers] == theirs.modifiers == slow.modifiers
    assert list(config.par_order) == theirs.par_order == slow.par_order
    assert list(config.par_names) == theirs.par_names == slow.par_names
    assert list(config.auxdata_order) == theirs.auxdata_order == slow.auxdata_order


@EVERY
def test_places(name: str, pyhf_numpy: ModuleType) -> None:
    config, theirs, slow = cases.ours(name).config, cases.theirs(name).config, cases.slow(name)
    assert dict(config.channel_nbins) == theirs.channel_nbins == slow.channel_nbins
    assert dict(config.channel_slices) == theirs.channel_slices == slow.channel_slices
    for parameter in theirs.par_order:
        expected = theirs.par_slice(parameter)
        assert config.par_slice(parameter) == slice(expected.start, expected.stop) == slow.par_slice(parameter)
    assert (config.nmaindata, config.nauxdata, config.npars) == (
        theirs.nmaindata,
        theirs.nauxdata,
        theirs.npars,
    )
    assert config.poi_name == theirs.poi_name == slow.poi_name
    assert config.poi_index == theirs.poi_index == slow.poi_index


@EVERY
def test_starts_bounds_and_fixed(name: str, pyhf_numpy: ModuleType) -> None:
    config, theirs, slow = cases.ours(name).config, cases.theirs(name).config, cases.slow(name)
    assert list(config.suggested_init()) == theirs.suggested_init() == slow.inits
    assert [tuple(b) for b in config.suggested_bounds()] == [tuple(b) for b in theirs.suggested_bounds()]
    assert [tuple(b) for b in config.suggested_bounds()] == slow.bounds
    assert list(config.suggested_fixed()) == list(theirs.suggested_fixed()) == slow.fixed


@EVERY
def test_auxdata_and_data(name: str, pyhf_numpy: ModuleType) -> None:
    config, theirs = cases.ours(name).config, cases.theirs(name).config
    cases.assert_relative(config.auxdata, theirs.auxdata, 1e-14)
    workspace = pf.Workspace(zoo.ZOO[name].spec)
    data = workspace.data(cases.ours(name))
    assert isinstance(data, list)
    their_data = pyhf_numpy.Workspace(zoo.ZOO[name].spec).data(cases.theirs(name))
    cases.assert_relative(data, their_data, 1e-14)
    cases.assert_relative(data, cases.observed(name), 1e-14)
    assert workspace.data(cases.ours(name), include_auxdata=False) == data[: config.nmaindata]


def test_first_measurement_is_the_default() -> None:
    workspace = pf.Workspace(zoo.ZOO["two_measurements_second"].spec)
    assert workspace.model().config.poi_name == "mu_sig"
    assert workspace.model(measurement_name="background_strength").config.poi_name == "mu_bkg"
    assert workspace.model(measurement_index=1).config.poi_name == "mu_bkg"


@pytest.mark.slow
def test_a_model_holds_what_its_document_said_when_it_was_built() -> None:
    name = "poi_in_the_middle"
    spec = zoo.ZOO[name].spec
    model = pf.Workspace(spec).model()
    spec["channels"][0]["samples"][0]["data"][0] = 1e6
    points, data = cases.random_points(cases.slow(name), name), np.array(cases.observed(name))
    after, before = (cases.evaluate(m, points, data)[0] for m in (model, cases.ours(name)))
    np.testing.assert_array_equal(after, before)
