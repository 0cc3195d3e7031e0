"""Messages for wrong arguments say what was given, where, and what to give."""

import json
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func import exceptions


def model_of(n_parameters: int = 1) -> pf.Model:
    """A model of one bin with many parameters called alpha_000, alpha_001, ..."""
    systematics = [
        {"name": f"alpha_{i:03}", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}} for i in range(n_parameters)
    ]
    strength = {"name": "mu", "type": "normfactor", "data": None}
    samples = [
        {"name": "signal", "data": [5.0], "modifiers": [strength]},
        {"name": "background", "data": [50.0], "modifiers": systematics},
    ]
    return pf.Model({"channels": [{"name": "SR", "samples": samples}]})


MODEL = model_of()
DATA = [52.0, 0.0]
WORKSPACE = pf.Workspace.build(MODEL, DATA)

MESSAGES: dict[str, tuple[Callable[[], Any], str]] = {
    "a workspace as model": (lambda: pf.fit(DATA, WORKSPACE), r"model is a workspace: give .*workspace.model\(\)"),
    "a document as model": (lambda: pf.fit(DATA, dict(WORKSPACE)), r"pyhf_func.Workspace\(document\).model\(\)"),
    "a spec as model": (lambda: pf.fit(DATA, MODEL.spec), r"model is a model's spec: give pyhf_func.Model\(spec\)"),
    "no model": (lambda: pf.fit(DATA, None), "model is None"),
    "data and model swapped": (lambda: pf.fit(MODEL, DATA), r"model was given as data.*fit\(data, model, ...\)"),
    "no tested value": (lambda: pf.hypotest(DATA, MODEL), r"mu is missing.*hypotest\(mu, data, model, ...\)"),
    "toys without data": (lambda: pf.toys(1.0, MODEL, jax.random.key(0)), r"toys\(mu, data, model, key, ntoys, ...\)"),
    "an open bound": (lambda: pf.fit(DATA, MODEL, bounds={"mu": (None, 5)}), r"bounds\['mu'\] is \(None, 5\).*inf"),
    "a start outside": (
        lambda: pf.fit(DATA, MODEL, init={"mu": 20.0}),
        r"init: 'mu' starts at 20.0, outside of its bounds \(0.0, 10.0\)",
    ),
    "a confidence level in per cent": (
        lambda: pf.upper_limit(DATA, MODEL, level=95),
        "level is 95.*for 95% confidence give 0.05",
    ),
    "one of many parameters": (
        lambda: pf.fit([52.0, *[0.0] * 200], model_of(200), fixed={"alhpa_017": 0.0}),
        "fixed: The model has no parameter 'alhpa_017': did you mean 'alpha_017'.* and 191 more",
    ),
    "a count that is none": (lambda: pf.fit([float("nan"), 0.0], MODEL), "channel 'SR', bin 0 is nan"),
    "a negative count": (lambda: pf.fit([-3.0, 0.0], MODEL), "channel 'SR', bin 0 is -3.*not negative"),
    "auxiliary data that are none": (lambda: pf.fit([3.0, np.inf], MODEL), "auxiliary data of 'alpha_000' is inf"),
    "a value as text": (lambda: pf.hypotest("1.0", DATA, MODEL), "mu is '1.0'; give a number"),
    "a negative value": (
        lambda: pf.hypotest(-1.0, DATA, MODEL),
        "mu is -1, a negative value below.*with the statistic 'q'",
    ),
    "a class as minimiser": (lambda: pf.fit(DATA, MODEL, minimiser=pf.Newton), r"give one with options: Newton\(\)"),
    "no iterations": (lambda: pf.Newton(iterations=0), "iterations is 0; it must be at least 1"),
    "half a search": (lambda: pf.Newton(search=0.5), "search is 0.5; give an integer"),
    "a flag as memory": (lambda: pf.LBFGS(memory=True), "memory is True; give an integer"),
    "an optimiser by name": (lambda: pf.FirstOrder("adam"), r"optimiser is 'adam'; .*optax.adam\(0.1\)"),
    "a method that is none": (lambda: pf.SciPy(method=None), "method is None; give the name"),
    "a tolerance of zero": (lambda: pf.SciPy(tolerance=0.0), "tolerance is 0.0; it must be positive"),
    "a strategy that is none": (lambda: pf.Minuit(strategy=3), "strategy is 3; it is 0, 1 or 2"),
    "a patch by name": (lambda: WORKSPACE.model(patches=["m500"]), r"patches holds 'm500'.*patchset\['name'\]"),
    "a name as patches": (lambda: WORKSPACE.model(patches="m500"), "patches is 'm500'; give a list"),
    "one patch as patches": (
        lambda: WORKSPACE.model(patches=[{"op": "remove", "path": "/channels/0"}]),
        r"list of patches: \[operations\]",
    ),
    "a workspace to build a model": (lambda: pf.Model(WORKSPACE), r"give it to pyhf_func.Workspace.*\.model\(\)"),
    "an unknown measurement": (lambda: WORKSPACE.model("mesurement"), "did you mean 'measurement'"),
    "an unknown channel": (lambda: MODEL.with_yields("sr", "signal", [1.0]), "no channel 'sr': did you mean 'SR'"),
    "an unknown sample": (lambda: MODEL.with_yields("SR", "signl", [1.0]), "no sample 'signl': did you mean 'signal'"),
    "an unknown modifier": (
        lambda: MODEL.with_normsys("SR", "background", "alpha_00", hi=1.2),
        "no normsys modifier 'alpha_00': did you mean 'alpha_000'",
    ),
    "an unknown sample to prune": (lambda: WORKSPACE.prune(samples=["bkg"]), "The workspace has no sample 'bkg'"),
    "an unknown parameter of interest": (lambda: MODEL.config.set_poi("Mu"), "did you mean 'mu'"),
    "an unknown parameter of a configuration": (lambda: MODEL.config.par_slice("Mu"), "did you mean 'mu'"),
    "an unknown statistic": (lambda: pf.hypotest(1.0, DATA, MODEL, test_stat="qtild"), "did you mean 'qtilde'"),
    "an unknown option of a grid": (lambda: pf.grid(WORKSPACE, {"a": {}}, levels=0.1), "no option 'levels'"),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_message_says_what_to_give(case: str) -> None:
    call, message = MESSAGES[case]
    with pytest.raises((exceptions.PyhfFuncError, TypeError, ValueError), match=message):
        call()


def test_models_of_pyhf_are_told_apart() -> None:
    pyhf = pytest.importorskip("pyhf")
    theirs = pyhf.simplemodels.uncorrelated_background([12.0], [50.0], [3.0])
    with pytest.raises(TypeError, match=r"model is a model of pyhf.*pyhf_func.Model\(model.spec"):
        pf.fit([52.0, 9.0], theirs)
    with pytest.raises(TypeError, match=r"pyhf_func.Workspace\(document\).model\(\)"):
        pf.fit(DATA, pyhf.Workspace(dict(WORKSPACE)))
    with pytest.raises(exceptions.InvalidSpecification, match="this is a workspace"):
        pf.Model(pyhf.Workspace(dict(WORKSPACE)))


def test_a_confidence_level_as_level_is_warned_of() -> None:
    from pyhf_func.verbs._arguments import level_of

    with pytest.warns(UserWarning, match="level is 0.95; .*for 95% confidence give 0.05"):
        assert float(level_of(0.95)) == 0.95
    assert float(level_of(0.05)) == 0.05


@pytest.mark.parametrize("array", [np.asarray, jax.numpy.asarray])
def test_workspaces_made_of_arrays_are_json(array: Callable[[Any], Any]) -> None:
    document = json.loads(json.dumps(WORKSPACE))
    document["observations"][0]["data"] = array([52.0])
    document["channels"][0]["samples"][0]["data"] = array([5.0])
    document["measurements"][0]["config"]["parameters"][0]["inits"] = [np.float64(1.0)]
    workspace = pf.Workspace(document)
    assert json.loads(json.dumps(workspace)) == dict(workspace)
    assert workspace.data(workspace.model()) == DATA


def test_tensors_that_carry_gradients_stay_in_workspaces() -> None:
    def expected(signal: Any) -> Any:
        document = json.loads(json.dumps(WORKSPACE))
        document["channels"][0]["samples"][0]["data"] = signal
        return pf.Workspace(document).model().expected_data(jax.numpy.array([1.0, 0.0]))[0]

    assert float(jax.grad(expected)(jax.numpy.array([5.0]))[0]) == 1.0


def test_configurations_show_what_they_hold() -> None:
    shown = repr(MODEL.config)
    for part in ("1 bins", "'SR'", "'mu', 'alpha_000'", "POI 'mu'"):
        assert part in shown
    assert len(repr(model_of(1000).config)) < 300
