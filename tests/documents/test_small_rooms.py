"""Digests, options, simple models, ROOT's names and the summaries of channels."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyhf_func import compat, exceptions, schema, simplemodels, utils
from pyhf_func.mixins import _ChannelSummaryMixin
from tests.documents.documents import Document, model_spec, modifier, workspace_spec
from tests.strategies import workspaces

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


# digests


@given(document=st.dictionaries(st.text(), documents, max_size=5), algorithm=st.sampled_from(["md5", "sha1", "sha256"]))
def test_digest_is_that_of_pyhf_and_forgets_the_order_of_keys(document: Document, algorithm: str) -> None:
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    try:
        expected = hashlib.new(algorithm, text.encode()).hexdigest()
    except UnicodeEncodeError:  # half a surrogate pair is no text
        return
    assert utils.digest(document, algorithm=algorithm) == expected
    assert utils.digest(dict(reversed(document.items())), algorithm=algorithm) == expected


def test_digest_against_pyhf(pyhf_numpy: Any) -> None:
    for algorithm in ("md5", "sha256", "sha512", "blake2b"):
        assert utils.digest(workspace_spec(), algorithm) == pyhf_numpy.utils.digest(workspace_spec(), algorithm)


def test_arrays_have_the_digest_of_lists() -> None:
    for array in (np.array([1.0, 2.5]), jnp.array([1.0, 2.5])):
        assert utils.digest({"data": array}) == utils.digest({"data": [1.0, 2.5]})


@pytest.mark.parametrize("algorithm", ["md6", "new", "shake_128", "__doc__"])
def test_unknown_algorithms(algorithm: str) -> None:
    with pytest.raises(ValueError, match=algorithm):
        utils.digest({}, algorithm=algorithm)


@pytest.mark.parametrize(
    "thing", [object(), {1, 2}, b"bytes", {"a": {"b": complex(1)}}], ids=["object", "set", "bytes", "complex"]
)
def test_what_has_no_digest(thing: Any) -> None:
    with pytest.raises(ValueError, match="not JSON-serializable"):
        utils.digest(thing)


# options


OPTIONS = {
    "a=10": 10,
    "a=-3": -3,
    "a=1.5e-8": 1.5e-8,
    "a=.5": 0.5,
    "a=1_000": 1000,
    "a=True": True,
    "a=off": False,
    "a=null": None,
    "a=": None,
    "a=.inf": math.inf,
    "a=text": "text",
    "a=b=c": "b=c",
    "a=[1, 2]": [1, 2],
    'a="10"': "10",
    "a=L-BFGS-B": "L-BFGS-B",
}


@pytest.mark.parametrize(("option", "value"), OPTIONS.items(), ids=OPTIONS)
def test_options_are_read_as_by_pyhf(option: str, value: Any, pyhf_numpy: Any) -> None:
    read = utils.options_from_eqdelimstring([option])
    assert read == {"a": value}
    assert type(read["a"]) is type(value)
    assert pyhf_numpy.utils.options_from_eqdelimstring([option]) == {"a": value}


def test_options_come_together() -> None:
    assert utils.options_from_eqdelimstring(["a=1", "b=x", "a=2"]) == {"a": 2, "b": "x"}
    with pytest.raises(IndexError, match="name=value"):
        utils.options_from_eqdelimstring(["a"])


# older names


def test_schemas_under_their_older_names() -> None:
    assert utils.load_schema("workspace.json") is schema.load_schema("1.0.0/workspace.json")
    assert utils.load_schema("workspace.json", version="1.0.0") is utils.load_schema("1.0.0/workspace.json")
    with pytest.raises(exceptions.SchemaNotFound):
        utils.load_schema("workspace.json", version="9.0.0")
    utils.validate(workspace_spec(), "workspace.json")
    with pytest.raises(exceptions.InvalidSpecification):
        utils.validate({}, "workspace.json", "1.0.0")


def test_citation() -> None:
    text = utils.citation()
    assert text.count("@") == 5
    assert "\n" not in utils.citation(oneline=True)
    assert utils.citation(oneline=True) == text.replace("\n", "")


def test_prefix() -> None:
    assert utils.remove_prefix("alpha_x", "alpha_") == "x"
    assert utils.remove_prefix("x", "alpha_") == "x"


# simple models

NUMBERS = {
    "correlated_background": ([12.0, 11.0], [50.0, 52.0], [45.0, 57.0], [55.0, 47.0]),
    "uncorrelated_background": ([12.0, 11.0, 4.0], [50.0, 52.0, 30.0], [3.0, 7.0, 2.0]),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("kind", [list, np.asarray, jnp.asarray])
def test_simple_models_are_those_of_pyhf(name: str, kind: Any, pyhf_numpy: Any) -> None:
    ours = getattr(simplemodels, name)(*map(kind, NUMBERS[name]))
    theirs = getattr(pyhf_numpy.simplemodels, name)(*NUMBERS[name])
    for what in ("channels", "samples", "modifiers", "par_names", "auxdata", "poi_name"):
        assert getattr(ours.config, what) == getattr(theirs.config, what)
    pars = np.asarray(theirs.config.suggested_init()) * 1.05 + 0.02
    data = theirs.expected_data(theirs.config.suggested_init())
    np.testing.assert_allclose(ours.expected_data(pars), theirs.expected_data(pars), rtol=1e-13)
    np.testing.assert_allclose(ours.logpdf(pars, data), theirs.logpdf(pars, data), rtol=1e-13)


@pytest.mark.parametrize("name", NUMBERS)
def test_simple_models_are_validated(name: str) -> None:
    wrong = [["twelve"], *NUMBERS[name][1:]]
    with pytest.raises(exceptions.InvalidSpecification):
        getattr(simplemodels, name)(*wrong)
    uneven = [[1.0], *NUMBERS[name][1:]]
    with pytest.raises(exceptions.InvalidModel):
        getattr(simplemodels, name)(*uneven)


@pytest.mark.parametrize("name", NUMBERS)
def test_simple_models_in_batches(name: str) -> None:
    single = getattr(simplemodels, name)(*NUMBERS[name])
    batched = getattr(simplemodels, name)(*NUMBERS[name], batch_size=2)
    init = np.asarray(single.config.suggested_init())
    both = np.stack([init, init * 1.1])
    data = np.asarray(single.expected_data(init))
    expected = [single.logpdf(pars, data)[0] for pars in both]
    np.testing.assert_allclose(batched.logpdf(both, np.stack([data, data])), expected, rtol=1e-13)


def test_the_older_simple_model() -> None:
    with pytest.warns(DeprecationWarning, match="uncorrelated_background"):
        old = simplemodels.hepdata_like([12.0], [50.0], [3.0])
    new = simplemodels.uncorrelated_background([12.0], [50.0], [3.0])
    pars, data = [1.2, 0.9], [55.0, *new.config.auxdata]
    np.testing.assert_array_equal(old.logpdf(pars, data), new.logpdf(pars, data))


# ROOT's names


@pytest.mark.parametrize(
    "rootname", ["mu", "Lumi", "alpha_jes", "alpha_a_b", "gamma_stat_SR_0", "gamma_a_12", "beta_x", "alphabet"]
)
def test_root_names_are_read_as_by_pyhf(rootname: str) -> None:
    theirs = pytest.importorskip("pyhf.compat")
    assert compat.interpret_rootname(rootname) == theirs.interpret_rootname(rootname)


@pytest.mark.parametrize("rootname", ["gamma_x", "gamma_", "gamma__3x", "alpha_"])
def test_confusing_root_names(rootname: str) -> None:
    with pytest.raises(ValueError, match="no parameter name of ROOT"):
        compat.interpret_rootname(rootname)


def test_root_names_of_a_model(pyhf_numpy: Any) -> None:
    import pyhf.compat

    from pyhf_func import Model

    ours, theirs = Model(model_spec()), pyhf_numpy.Model(model_spec(), poi_name="mu")
    for name in theirs.config.par_order:
        expected = pyhf.compat.paramset_to_rootnames(theirs.config.param_set(name))
        assert compat.paramset_to_rootnames(ours.config.param_set(name)) == expected


# summaries


@given(spec=workspaces())
def test_summaries_are_those_of_pyhf(spec: Document) -> None:
    theirs = pytest.importorskip("pyhf.mixins")._ChannelSummaryMixin(channels=spec["channels"])
    ours = _ChannelSummaryMixin(channels=spec["channels"])
    for name in ("channels", "samples", "modifiers", "channel_nbins", "channel_slices"):
        assert getattr(ours, name) == getattr(theirs, name)
        assert list(getattr(ours, name)) == list(getattr(theirs, name))


def test_summary_of_nothing_and_of_a_child_class() -> None:
    class Child(_ChannelSummaryMixin, dict):  # type: ignore[type-arg]
        pass

    empty = Child({"a": 1}, channels=[])
    assert (empty.channels, empty.samples, empty.modifiers, empty.channel_nbins) == ([], [], [], {})
    assert empty == {"a": 1}
    sample = {"name": "s", "data": [1, 2], "modifiers": [modifier("normfactor", "mu")]}
    assert Child(channels=[{"name": "b", "samples": [sample]}, {"name": "a", "samples": [sample]}]).channel_slices == {
        "a": slice(0, 2),
        "b": slice(2, 4),
    }
