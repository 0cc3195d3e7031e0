"""The semantic check: faults with class and path, doubts as one warning, and pyhf 0.7.6's judgement of the same."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from pyhf_func import exceptions
from pyhf_func.schema import validate
from pyhf_func.schema.semantics import check_model
from tests.documents.bad_models import DOUBTS, FAULTS, SOUND, Bad, Dubious
from tests.documents.documents import Change, Document, add, all_of, drop, model_spec, modifier, put, spoiled


def _checked(change: Change, poi_name: str | None = "mu", **options: Any) -> None:
    spec = spoiled(model_spec, change)
    validate(spec, "model.json")
    check_model(spec, poi_name, **options)


@pytest.mark.parametrize("bad", FAULTS, ids=lambda bad: bad.name)
def test_fault_is_raised_with_class_and_path(bad: Bad) -> None:
    with pytest.raises(bad.exception) as caught:
        _checked(bad.change)
    assert type(caught.value) is bad.exception
    assert caught.value.faults[0].path == bad.path
    assert bad.path in str(caught.value)


@pytest.mark.parametrize("bad", FAULTS, ids=lambda bad: bad.name)
def test_pyhf_raises_the_same_or_gives_no_meaning(bad: Bad, pyhf_numpy: Any) -> None:
    spec = spoiled(model_spec, bad.change)
    try:
        with np.errstate(all="ignore"):
            model = pyhf_numpy.Model(spec, poi_name="mu")
            data = model.expected_data(model.config.suggested_init())
            model.logpdf(model.config.suggested_init(), data)
        outcome = "accepts"
    except Exception as error:
        ours = getattr(exceptions, type(error).__name__, None)
        outcome = "same" if ours is bad.exception else "other"
    assert outcome == bad.pyhf


@pytest.mark.parametrize("dubious", DOUBTS, ids=lambda dubious: dubious.name)
def test_doubt_is_one_warning_and_strict_refuses_it(dubious: Dubious) -> None:
    with pytest.warns(exceptions.WorkspaceWarning) as caught:
        _checked(dubious.change)
    assert len(caught) == 1
    assert dubious.path in [fault.path for fault in caught[0].message.faults]
    with pytest.raises(exceptions.InvalidModel) as refused:
        _checked(dubious.change, strict=True)
    assert refused.value.faults == caught[0].message.faults


@pytest.mark.parametrize("dubious", DOUBTS, ids=lambda dubious: dubious.name)
def test_pyhf_gives_finite_numbers_for_doubts(dubious: Dubious, pyhf_numpy: Any) -> None:
    _assert_finite(spoiled(model_spec, dubious.change), pyhf_numpy)


@pytest.mark.parametrize("name", SOUND)
def test_sound_content_passes_in_silence(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _checked(SOUND[name], strict=True)


@pytest.mark.parametrize("name", SOUND)
def test_pyhf_accepts_sound_content(name: str, pyhf_numpy: Any) -> None:
    _assert_finite(spoiled(model_spec, SOUND[name]), pyhf_numpy)


def _assert_finite(spec: Document, pyhf: Any) -> None:
    model = pyhf.Model(spec, poi_name="mu")
    pars = model.config.suggested_init()
    data = model.expected_data(pars)
    assert np.isfinite(data).all()
    assert np.isfinite(model.logpdf(pars, data)).all()


def test_all_faults_are_raised_at_once_as_the_class_of_the_first() -> None:
    chosen = {bad.name: bad for bad in FAULTS}
    names = ["histosys bins", "shapesys bins", "bounds swapped", "auxdata of a normfactor"]
    with pytest.raises(exceptions.InvalidModifier) as caught:
        _checked(all_of(*(chosen[name].change for name in names)))
    assert {fault.path for fault in caught.value.faults} == {chosen[name].path for name in names}
    lines = str(caught.value).splitlines()
    assert lines[0] == "4 faults:"
    assert len(lines) == 5


def test_messages_name_channel_sample_and_modifier() -> None:
    with pytest.raises(exceptions.InvalidModifier, match="channel 'SR', sample 'background', modifier 'tilt'"):
        _checked(put("channels.0.samples.1.modifiers.1.data.lo_data", [1.0]))


def test_one_warning_names_all_doubts() -> None:
    with pytest.warns(exceptions.WorkspaceWarning) as caught:
        _checked(all_of(add("parameters", {"name": "one"}, {"name": "two"}), put("parameters.1.inits", [7.0])))
    assert len(caught) == 1
    assert all(word in str(caught[0].message) for word in ("'one'", "'two'", "start value 7.0"))


def test_model_without_poi() -> None:
    for poi in (None, ""):
        _checked(all_of(drop("channels.0.samples.0.modifiers.0"), drop("parameters.1")), poi, strict=True)


def test_negative_sum_is_only_dubious_where_a_parameter_can_mend_it() -> None:
    negative = all_of(put("channels.0.samples.0.data", [-60.0, 6.0]))
    with pytest.warns(exceptions.WorkspaceWarning, match="add up to -10"):
        _checked(negative)
    both = all_of(
        negative,
        put("channels.0.samples.1.data", [-1.0, 60.0]),
        put("channels.0.samples.1.modifiers.1.data", {"lo_data": [-1.0, 6.0], "hi_data": [-1.0, 6.0]}),
    )
    with pytest.raises(exceptions.InvalidModel, match="negative for all parameters"):
        _checked(both)
    with pytest.warns(exceptions.WorkspaceWarning, match="add up to -61"):
        _checked(all_of(both, put("parameters.1.bounds", [[-5.0, 5.0]])))
    with pytest.warns(exceptions.WorkspaceWarning, match="add up to -61"):
        _checked(both, clipped=True)


@pytest.mark.parametrize(("code", "factor", "refused"), [
    ("code4", 0.0, True), ("code1", 0.0, False), ("code1", -1.0, True), ("code4", 1e-9, False),
])  # fmt: skip
def test_scale_factors_are_judged_by_the_interpolation(code: str, factor: float, refused: bool) -> None:
    change = put("channels.0.samples.1.modifiers.0.data.lo", factor)
    settings = {"normsys": {"interpcode": code}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", exceptions.WorkspaceWarning)
        if refused:
            with pytest.raises(exceptions.InvalidModifier, match=code):
                _checked(change, modifier_settings=settings)
        else:
            _checked(change, modifier_settings=settings)


def test_shapefactor_may_act_on_fewer_bins_than_it_has() -> None:
    spec = spoiled(
        model_spec,
        all_of(
            drop("channels.0.samples.1.modifiers.2"),
            add("channels.0.samples.1.modifiers", modifier("shapefactor", "free")),
        ),
    )
    check_model(spec, "mu", strict=True)


def test_unknown_modifier_type_where_the_schema_was_not_asked() -> None:
    spec = spoiled(model_spec, add("channels.0.samples.0.modifiers", modifier("magic", "wand")))
    with pytest.raises(exceptions.InvalidModifier, match="no known modifier type"):
        check_model(spec, "mu")


def test_arrays_are_judged_as_lists() -> None:
    spec = spoiled(model_spec, put("channels.0.samples.1.data", np.array([50.0, 60.0])))
    validate(spec, "model.json")
    check_model(spec, "mu", strict=True)
    spec["channels"][0]["samples"][1]["data"] = np.array([np.nan, 60.0])
    with pytest.raises(exceptions.InvalidModel, match="nan in bin 0"):
        check_model(spec, "mu")


def test_warning_points_at_the_caller() -> None:
    with pytest.warns(exceptions.WorkspaceWarning) as caught:
        _checked(DOUBTS[0].change)
    assert caught[0].filename == __file__
