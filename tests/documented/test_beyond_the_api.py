"""What programs written for pyhf use beyond its documented API."""

import importlib
import logging
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import pyhf_func as pf

ROOT = Path(__file__).parent.parent.parent
LOGGERS = [
    "pdf",
    "workspace",
    "patchset",
    "mixins",
    "readxml",
    "writexml",
    "infer.calculators",
    "infer.test_statistics",
    "infer.utils",
    "modifiers.histosys",
    "modifiers.lumi",
    "modifiers.normfactor",
    "modifiers.normsys",
    "modifiers.shapefactor",
    "modifiers.shapesys",
    "modifiers.staterror",
    "interpolators.code0",
    "interpolators.code1",
    "interpolators.code2",
    "interpolators.code4",
    "interpolators.code4p",
    "optimize.mixins",
    "contrib.utils",
]


@pytest.mark.parametrize("name", LOGGERS)
def test_modules_have_loggers_of_their_names(name: str) -> None:
    log = importlib.import_module(f"pyhf_func.{name}").log
    assert isinstance(log, logging.Logger)
    assert log.name == f"pyhf_func.{name}"


def model_of(library: Any, batch_size: int | None = None) -> Any:
    spec = pf.Workspace(pf.schema.reading.load(ROOT / "tests" / "workspaces" / "everything.json")).model().spec
    poi = next(
        m["name"] for c in spec["channels"] for s in c["samples"] for m in s["modifiers"] if m["type"] == "normfactor"
    )
    return library.Model(spec, poi_name=poi, batch_size=batch_size)


@pytest.mark.parametrize("batch_size", [None, 2])
def test_constraint_tensors_are_those_of_pyhf(pyhf_numpy: ModuleType, batch_size: int | None) -> None:
    ours, theirs = (model_of(library, batch_size).constraint_model for library in (pf, pyhf_numpy))
    for term, names in {
        "constraints_gaussian": ("sigmas", "normal_data", "access_field", "data_indices"),
        "constraints_poisson": ("batched_factors", "poisson_data", "access_field", "data_indices", "par_indices"),
    }.items():
        for name in names:
            found, expected = (np.asarray(getattr(getattr(model, term), name)) for model in (ours, theirs))
            assert found.shape == expected.shape, name
            np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=name)


def test_a_model_without_constraints_has_no_constraint_tensors() -> None:
    model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "s", "data": [1.0], "modifiers": [
        {"name": "mu", "type": "normfactor", "data": None}]}]}]})  # fmt: skip
    assert not hasattr(model.constraint_model.constraints_poisson, "batched_factors")
    assert not hasattr(model.constraint_model.constraints_gaussian, "sigmas")


def test_the_main_model_has_its_modifications_and_clips() -> None:
    model = model_of(pf)
    pars = model.config.suggested_init()
    for found, expected in zip(model.main_model._modifications(pars), model.modifications(pars), strict=True):
        for left, right in zip(found, expected, strict=True):
            np.testing.assert_array_equal(left, right)
    assert (model.main_model.clip_sample_data, model.main_model.clip_bin_data) == (None, None)
    for applier in model.main_model.modifiers_appliers.values():
        assert list(applier.param_viewer.selected_viewer.names) == applier._names


@pytest.mark.parametrize("sigma", [0.02, 0.5])
def test_a_luminosity_without_bounds_may_move_five_widths(sigma: float) -> None:
    config = {"name": "lumi", "auxdata": [2.0], "sigmas": [sigma], "inits": [2.0]}
    spec = {"channels": [{"name": "SR", "samples": [{"name": "s", "data": [9.0], "modifiers": [
        {"name": "mu", "type": "normfactor", "data": None}, {"name": "lumi", "type": "lumi", "data": None}]}]}],
        "parameters": [config]}  # fmt: skip
    with pytest.warns(pf.exceptions.WorkspaceWarning, match="has no bounds"):
        model = pf.Model(spec)
    bounds = dict(zip(model.config.par_names, model.config.suggested_bounds(), strict=True))
    np.testing.assert_allclose(bounds["lumi"], [2.0 - 5 * sigma, 2.0 + 5 * sigma])
    with pytest.raises(pf.exceptions.InvalidModel, match="has no bounds"):
        pf.Model(spec, strict=True)
    bounded = pf.Model({**spec, "parameters": [{**config, "bounds": [list(bounds["lumi"])]}]})
    data = [21.0, 2.0]
    np.testing.assert_allclose(pf.fit(data, model).twice_nll, pf.fit(data, bounded).twice_nll, rtol=1e-12)
