"""The published likelihoods beside the repository, against numbers recorded from pyhf 0.7.6."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import pyhf_func as pf
from tests import reference
from tests.parity import cases

NAMES = ["multibinC-2018-22", "sbottomA-2018-31", "3l-onshell-2019-09", "atlas-ttz-4l", "compressed-2018-16"]
EACH = pytest.mark.parametrize("name", NAMES)

pytestmark = [pytest.mark.shared_data, pytest.mark.filterwarnings("default::pyhf_func.exceptions.WorkspaceWarning")]


@cache
def _document(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def _workspace(path: Path) -> Any:
    return pf.Workspace(_document(path))


@cache
def _model(path: Path) -> Any:
    return _workspace(path).model()


@EACH
def test_configuration(name: str, shared_data: Path) -> None:
    recorded = _document(shared_data / "reference" / f"{name}.json")
    model = _model(shared_data / f"{name}.json")
    config = model.config
    assert list(config.channels) == recorded["channels"]
    assert list(config.samples) == recorded["samples"]
    assert dict(config.channel_nbins) == recorded["channel_nbins"]
    assert list(config.par_order) == recorded["par_order"]
    slices = {p: [config.par_slice(p).start, config.par_slice(p).stop] for p in config.par_order}
    assert slices == recorded["par_slices"]
    assert list(config.suggested_init()) == recorded["suggested_init"]
    assert [list(b) for b in config.suggested_bounds()] == recorded["suggested_bounds"]
    assert list(config.suggested_fixed()) == recorded["suggested_fixed"]
    assert list(config.auxdata_order) == recorded["auxdata_order"]
    assert config.poi_name == recorded["poi_name"]
    cases.assert_relative(config.auxdata, recorded["auxdata"], 1e-14)
    data = _workspace(shared_data / f"{name}.json").data(model)
    cases.assert_relative(data, recorded["data"], 1e-14)


@EACH
def test_expected_data_and_logpdf(name: str, shared_data: Path) -> None:
    """Relative 1e-11 everywhere, also where pyhf continues the density below a yield of zero."""
    recorded = _document(shared_data / "reference" / f"{name}.json")
    model = _workspace(shared_data / f"{name}.json").model(continue_below_zero=True)
    data = np.array(recorded["data"])
    evaluate = jax.jit(jax.vmap(lambda p: (model.expected_data(p), model.logpdf(p, data))))
    expected, logpdf = evaluate(np.array([point["pars"] for point in recorded["points"]]))
    for k, point in enumerate(recorded["points"]):
        cases.assert_relative(expected[k], point["expected_data"])
        cases.assert_relative(logpdf[k], point["logpdf"])


@EACH
def test_the_slow_reference_agrees_with_the_record(name: str, shared_data: Path) -> None:
    recorded = _document(shared_data / "reference" / f"{name}.json")
    slow = reference.reference_model(_document(shared_data / f"{name}.json"))
    assert slow.par_order == recorded["par_order"]
    for point in recorded["points"][:2]:
        cases.assert_relative(slow.expected_data(point["pars"]), point["expected_data"], 1e-12)
        cases.assert_relative(slow.logpdf(point["pars"], recorded["data"]), point["logpdf"], 1e-11)


@pytest.mark.slow
@EACH
def test_fit_and_hypotest(name: str, shared_data: Path) -> None:
    """Twice the NLL is not above pyhf's best. CLs: pyhf's own settings differ by 2e-4 from one another."""
    recorded = _document(shared_data / "reference" / "hypotest.json")["results"][f"{name}.json"]
    workspace, model = _workspace(shared_data / f"{name}.json"), _model(shared_data / f"{name}.json")
    found = pf.hypotest(1.0, np.array(workspace.data(model)), model)
    assert float(found.free_fit.twice_nll) <= min(s["twice_nll"] for s in recorded.values()) + 1e-6
    best = recorded["jax/scipy"]
    assert float(found.cls) == pytest.approx(best["cls"], abs=2e-4)
    np.testing.assert_allclose(np.asarray(found.cls_expected), best["exp"], atol=2e-4)
