"""Wrong arguments are refused by name, with an exception of ours, TypeError or ValueError, before anything is computed.

Each verb is called with one wrong value for each of its arguments, from a table; the fuzzer makes two or three
arguments wrong at once, in random ways.
"""

import importlib
import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NoReturn

import jax
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.exceptions import PyhfFuncError

REFUSED = (PyhfFuncError, TypeError, ValueError)


class Call:
    """A function with arguments that fit it."""

    def __init__(self, function: Callable[..., Any], **arguments: Any) -> None:
        self.function = function
        self.arguments = arguments


@cache
def model() -> pf.Model:
    return pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])


DATA = [51.0, 48.0, *model().config.auxdata]
WORKSPACE = pf.Workspace.build(model(), DATA)
START: dict[str, Any] = {"init": None, "bounds": None, "fixed": None, "minimiser": "newton"}
OF_TEST: dict[str, Any] = {"data": DATA, "model": model(), "test_stat": "qtilde", **START}
OF_FIT: dict[str, Any] = {"data": DATA, "model": model(), **START}
KEY = jax.random.key(0)

VERBS = {
    "fit": Call(pf.fit, **OF_FIT),
    "covariance": Call(pf.covariance, **OF_FIT),
    "goodness_of_fit": Call(pf.goodness_of_fit, **OF_FIT),
    "yields": Call(pf.yields, **OF_FIT),
    "profile": Call(pf.profile, values={"mu": [1.0]}, progress=False, **OF_FIT),
    "intervals": Call(pf.intervals, parameters="mu", sigmas=1.0, progress=False, **OF_FIT),
    "intervals by coverage": Call(pf.intervals, confidence=0.9, **OF_FIT),
    "impacts": Call(pf.impacts, poi="mu", progress=False, **OF_FIT),
    "hypotest": Call(pf.hypotest, mu=1.0, **OF_TEST),
    "scan": Call(pf.scan, mus=[0.5, 1.0], progress=False, **OF_TEST),
    "upper_limit": Call(pf.upper_limit, level=0.05, **OF_TEST),
    "discovery": Call(pf.discovery, **OF_FIT),
    "toys": Call(
        pf.toys,
        mu=1.0,
        key=KEY,
        ntoys=4,
        first=0,
        chunk=2,
        progress=False,
        max_error=0.1,
        checkpoint=None,
        executor=None,
        **OF_TEST,
    ),
    "merge_toys": Call(pf.merge_toys, results=[]),
    "grid": Call(
        pf.grid,
        workspace=WORKSPACE,
        points={"a": {("singlechannel", "signal"): [1.0, 2.0]}},
        mu=1.0,
        level=0.05,
        limits=True,
        test_stat="q",
        measurement_name=None,
        batch=2,
        progress=False,
        executor=None,
        checkpoint=None,
        minimiser="newton",
    ),
}

NO_NUMBERS = (
    "1.0",
    b"1",
    None,
    True,
    1j,
    {"mu": 1.0},
    {5: 1.0, "mu": 2.0},
    {1.0},
    object(),
    len,
    float,
    10**400,
    ["1"],
    [None],
    [[1.0], [1.0, 2.0]],
    np.array(["1"]),
    np.array([1j, 2.0]),
    np.datetime64(1, "s"),
    KEY,
    model(),
    [model()],
)
NO_NUMBER = (*NO_NUMBERS, [1.0, 2.0], [], np.ones((1, 1)), float("nan"), float("inf"))
NO_COUNT = ("10", 1.5, True, np.True_, np.float64(2.0), [2], {}, object(), float("nan"), -1, np.array([2, 3]))
NO_FLAG = ("yes", None, 1, [], object())
NO_NAME = (5, 1.5, True, b"mu", "nu", "", "uncorr_bkguncrt[7]", "mu[-1]", object(), {}, [None], ["mu", "nu"])

WRONG: dict[str, tuple[Any, ...]] = {
    "mu": (*NO_NUMBER, -1.0),
    "mus": (*NO_NUMBERS, 1.0, [], [[1.0]], [1.0, float("nan")], [-1.0, 1.0]),
    "data": (
        *NO_NUMBERS,
        1.0,
        [],
        DATA[:-1],
        [DATA],
        [float("nan"), *DATA[1:]],
        [-1.0, *DATA[1:]],
        [*DATA[:2], -1.0, 3.0],
        np.array([np.inf, *DATA[1:]]),
        jax.numpy.array([-1.0, *DATA[1:]]),
        dict(WORKSPACE),
    ),
    "model": (None, 5, "workspace.json", WORKSPACE, dict(WORKSPACE), model().spec, DATA, object(), pf.Model, {}),
    "level": (*NO_NUMBER, 0.0, 1.0, 95, -0.05),
    "sigmas": (*NO_NUMBER, 0.0, -1.0),
    "confidence": (*(value for value in NO_NUMBER if value is not None), 0.0, 1.0, 95),
    "test_stat": (None, "t", "QTILDE", 5, [], ["q"], np.array(["q", "q"]), {}, object()),
    "init": (
        "mu",
        b"mu",
        1.0,
        True,
        object(),
        [1.0],
        ["mu"],
        [None] * 3,
        [1.0, "1", 1.0],
        [1.0, float("nan"), 1.0],
        [20.0, 1.0, 1.0],
        [1.0] * 4,
        np.ones((3, 1)),
        {5: 1.0},
        {5: 1.0, "mu": 1.0},
        {"nu": 1.0},
        {"mu": None},
        {"mu": "1"},
        {"mu": 1j},
        {"mu": {}},
        {"mu": [1.0, 2.0]},
        {"mu": 20.0},
        {"mu": float("nan")},
        {"uncorr_bkguncrt[2]": 1.0},
        {"uncorr_bkguncrt": [1.0, 2.0, 3.0]},
        model(),
    ),
    "bounds": (
        "wide",
        1.0,
        (0.0, 1.0),
        object(),
        [(0.0, 1.0)],
        [(0.0, None)] * 3,
        [(1.0, 0.0)] * 3,
        [("0", "1")] * 3,
        {5: (0.0, 1.0)},
        {"nu": (0.0, 1.0)},
        {"mu": (None, 5)},
        {"mu": None},
        {"mu": 5.0},
        {"mu": "wide"},
        {"mu": (5.0, 1.0)},
        {"mu": (0.0, float("nan"))},
        {"mu": (0.0, 1.0, 2.0)},
        {"mu": [(0.0, 1.0), (0.0, 2.0)]},
        {"mu": {0.0, 1.0}},
        {("mu",): (0.0, 1.0)},
    ),
    "fixed": (
        5,
        1.0,
        object(),
        "nu",
        ["nu"],
        ["mu", None],
        ["mu", 5],
        {"mu", 5},
        True,
        [True],
        [1, 0, 0],
        [0.0] * 3,
        [None] * 3,
        np.zeros(3),
        {5: True},
        {"nu": 1.0},
        {"mu": "yes"},
        {"mu": None},
        {"mu": float("nan")},
        {"mu": [True, False]},
        {"mu": {}},
        {"uncorr_bkguncrt[2]": True},
    ),
    "minimiser": ("newtn", "", 5, None, [], {}, object(), pf.Newton, pf.SciPy),
    "key": (None, 0, "key", [0, 1], jax.random.split(KEY), jax.numpy.ones(2), object()),
    "ntoys": (*NO_COUNT, None, 0),
    "chunk": (*NO_COUNT, 0),
    "first": (*NO_COUNT, None),
    "batch": (*NO_COUNT, None, 0),
    "progress": NO_FLAG,
    "limits": NO_FLAG,
    "max_error": (*(value for value in NO_NUMBER if value is not None), 0.0, -0.1),
    "checkpoint": (5, True, [], {}, object(), "", "/"),
    "values": (
        *(None, 5, "mu", [1.0], {}, {5: [1.0]}, {"nu": [1.0]}, {"uncorr_bkguncrt": [1.0]}),
        *({"mu": value} for value in (*NO_NUMBERS, 1.0, [], [[1.0]], [float("nan")])),
    ),
    "parameters": (*NO_NAME, [], ["mu", 5]),
    "poi": (*NO_NAME, ["mu"], "uncorr_bkguncrt"),
    "workspace": (None, 5, "workspace.json", model(), [], object()),
    "points": (None, 5, "m500", [], {}, object(), ["m500"], model()),
    "measurement_name": (5, "nope", True, []),
    "executor": (5, "threads", object(), 0),
    "results": (None, 5, "toys.npz", [], [5], [None], {"a": 1}, object(), model()),
}

OF_DOCUMENTED: dict[str, Any] = {
    "data": DATA,
    "pdf": model(),
    "init_pars": None,
    "par_bounds": None,
    "fixed_params": None,
}
LIMITS = pf.infer.intervals.upper_limits
OF_LIMIT: dict[str, Any] = {"data": DATA, "model": model(), "level": 0.05}
NOT_KNOWN = (5, None, "nu", "", [], {}, object(), ("mu",))
PART: dict[str, Any] = {"channel": "singlechannel", "sample": "signal"}

DOCUMENTED = {
    "hypotest": Call(
        pf.infer.hypotest, poi_test=1.0, calctype="asymptotics", test_stat="q", calc_base_dist="normal", **OF_DOCUMENTED
    ),
    "hypotest by toys": Call(
        pf.infer.hypotest, poi_test=1.0, calctype="toybased", ntoys=3, track_progress=False, **OF_DOCUMENTED
    ),
    "fit": Call(pf.infer.mle.fit, **OF_DOCUMENTED),
    "fixed_poi_fit": Call(pf.infer.mle.fixed_poi_fit, poi_val=1.0, **OF_DOCUMENTED),
    "twice_nll": Call(lambda pars, pdf: pf.infer.mle.twice_nll(pars, DATA, pdf), pars=[1.0, 1.0, 1.0], pdf=model()),
    "qmu_tilde": Call(pf.infer.test_statistics.qmu_tilde, mu=1.0, **OF_DOCUMENTED),
    "generate_asimov_data": Call(pf.infer.calculators.generate_asimov_data, asimov_mu=1.0, **OF_DOCUMENTED),
    "upper_limit": Call(LIMITS.upper_limit, scan=[0.5, 1.0], **OF_LIMIT),
    "toms748_scan": Call(LIMITS.toms748_scan, bounds_low=0.0, bounds_up=5.0, **OF_LIMIT),
    "linear_grid_scan": Call(LIMITS.linear_grid_scan, scan=[0.5, 1.0], **OF_LIMIT),
    "expected_data": Call(model().expected_data, pars=[1.0, 1.0, 1.0]),
    "logpdf": Call(lambda pars: model().logpdf(pars, DATA), pars=[1.0, 1.0, 1.0]),
    "make_pdf": Call(model().make_pdf, pars=[1.0, 1.0, 1.0]),
    "with_yields": Call(model().with_yields, yields=[1.0, 2.0], **PART),
    "with_values": Call(lambda nominal: model().with_values(nominal=nominal), nominal=[1.0] * 4),
    "par_slice": Call(model().config.par_slice, name="mu"),
    "param_set": Call(model().config.param_set, name="mu"),
    "set_poi": Call(lambda poi_name: model().config.set_poi(poi_name), poi_name="mu"),
    "Model": Call(
        pf.Model, spec=model().spec, poi_name="mu", batch_size=None, modifier_settings=None, clip_bin_data=None
    ),
    "Workspace": Call(pf.Workspace, spec=dict(WORKSPACE)),
    "Workspace.load": Call(pf.Workspace.load, source="workspace.json"),
    "Workspace.model": Call(WORKSPACE.model, measurement_name=None, measurement_index=None, patches=None),
    "Workspace.data": Call(WORKSPACE.data, model=model()),
    "Workspace.build": Call(lambda model, counts: pf.Workspace.build(model, counts), model=model(), counts=DATA),
    "Workspace.prune": Call(WORKSPACE.prune, samples=["signal"], channels=None),
    "Workspace.rename": Call(WORKSPACE.rename, samples={"signal": "s"}),
    "Workspace.combine": Call(pf.Workspace.combine, left=WORKSPACE, right=WORKSPACE, join="outer"),
    "Workspace.sorted": Call(pf.Workspace.sorted, workspace=WORKSPACE),
    "PatchSet": Call(pf.PatchSet, spec={}),
    "set_backend": Call(pf.set_backend, backend="numpy", custom_optimizer=None, precision=None),
}

WRONG_DOCUMENTED: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("poi_test", "poi_val", "asimov_mu", "mu"), NO_NUMBER),
    **dict.fromkeys(("bounds_low", "bounds_up"), NO_NUMBER),
    **dict.fromkeys(("pars", "nominal", "yields"), (*NO_NUMBERS, 1.0, [], [1.0] * 2 + ["1"], np.ones((1, 3)))),
    **dict.fromkeys(("channel", "sample", "name"), NOT_KNOWN),
    **dict.fromkeys(("left", "right", "workspace"), (None, 5, "workspace.json", [], {}, model(), object())),
    "counts": (*NO_NUMBERS, 1.0, [], DATA[:-1], [float("nan"), *DATA[1:]], [-1.0, *DATA[1:]], np.array([np.inf, 1.0])),
    "pdf": WRONG["model"],
    "init_pars": (
        5,
        "mu",
        True,
        {"mu": 1.0},
        [1.0],
        ["1"] * 3,
        [None] * 3,
        [1.0, float("nan"), 1.0],
        [99.0] * 3,
        {1.0},
    ),
    "par_bounds": (5, "wide", [(0.0, 1.0)], [(None, 1.0)] * 3, [("0", "1")] * 3, [(0.0, 1.0, 2.0)] * 3, [1.0] * 3, {}),
    "fixed_params": (5, "mu", True, {"mu": True}, [True], ["mu"] * 3, [None] * 3, {"mu"}),
    "calctype": ("asymptotic", 5, None, [], {}),
    "calc_base_dist": ("gauss", 5, None, []),
    "scan": (5, "1.0", {}, [], ["1.0"], [None], [float("nan")]),
    "poi_name": (5, "nu", ["mu"], True, "uncorr_bkguncrt"),
    "batch_size": ("2", 1.5, True, 0, -1, [2]),
    "modifier_settings": (5, "code4", {"normsys": 5}, {"normsys": {"interpcode": "code9"}}, []),
    "clip_bin_data": ("0", True, [0.0], float("nan"), {}),
    "spec": (None, 5, "workspace.json", [], {}, model(), object(), {"channels": 5}),
    "source": (None, 5, [], {}, object()),
    "measurement_index": ("0", 1.0, True, 7, -2, []),
    "patches": (5, "m500", ["m500"], [5], [None], {"op": "add"}, [{"op": "add"}], [[{"op": "nope"}]]),
    "samples": (5, "signal", ["nope"], [5], {"nope": "x"}, [None]),
    "channels": (5, "singlechannel", ["nope"], [5]),
    "join": ("inner", 5, None, []),
    "backend": ("nump", None, 5, [], object()),
    "custom_optimizer": ("scpy", 5, [], object()),
    "precision": ("16b", 5, [1]),
}


def wrong(verb: str, argument: str) -> list[Any]:
    values = list(WRONG[argument])
    if argument == "minimiser" and verb not in ("fit", "covariance", "goodness_of_fit", "yields"):
        values += ["scipy", "minuit", pf.SciPy()]
    if argument == "mu" and verb == "grid":
        # Whether a negative value can be tested depends on the point, and each has a status.
        values = [value for value in values if not (isinstance(value, float) and value < 0)]
    return values


def refusal(call: Call, arguments: dict[str, Any]) -> str:
    """The message of the exception that a call raises."""
    with pytest.raises(REFUSED) as caught:
        call.function(**arguments)
    assert not caught.type.__module__.startswith("jax"), f"{caught.type} of JAX: {caught.value}"
    return str(caught.value)


@pytest.fixture(autouse=True)
def nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals cost no compilation: whatever is compiled in the verbs fails the test."""

    def computed(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("computed before it was refused")

    for one in (call.function for call in VERBS.values()):
        if hasattr(one, "program"):
            monkeypatch.setattr(one, "program", computed)
    for name in ("verbs.fit", "verbs.covariance", "optimize.engine", "core.fit"):
        module = importlib.import_module(f"pyhf_func.{name}")
        for attribute in [attribute for attribute in vars(module) if attribute.lstrip("_").startswith("compiled")]:
            monkeypatch.setattr(module, attribute, computed)
    monkeypatch.setattr("pyhf_func.verbs.grid.run", computed)


@pytest.mark.parametrize(
    ("verb", "argument"),
    [(verb, argument) for verb, call in VERBS.items() for argument in call.arguments],
)
def test_a_wrong_argument_is_refused_by_name(verb: str, argument: str) -> None:
    call = VERBS[verb]
    for value in wrong(verb, argument):
        message = refusal(call, {**call.arguments, argument: value})
        assert re.search(rf"\b{argument}\b", message), f"{value!r}: {message}"
        assert len(message) < 1000


@pytest.mark.parametrize(
    ("name", "argument"),
    [(name, argument) for name, call in DOCUMENTED.items() for argument in call.arguments],
)
def test_the_documented_functions_refuse_wrong_arguments(name: str, argument: str) -> None:
    call = DOCUMENTED[name]
    for value in WRONG_DOCUMENTED.get(argument) or WRONG.get(argument, NO_FLAG):
        if argument != "track_progress":
            assert len(refusal(call, {**call.arguments, argument: value})) < 2000


@pytest.mark.parametrize("verb", VERBS)
def test_unknown_and_missing_arguments_are_named(verb: str) -> None:
    call = VERBS[verb]
    assert "levl" in refusal(call, {**call.arguments, "levl": 0.05})
    for name, value in call.arguments.items():
        if name in ("mu", "mus", "data", "model", "key", "ntoys", "values", "results") and verb != "grid":
            given = {other: kept for other, kept in call.arguments.items() if other != name}
            assert name in refusal(call, given), value


def test_several_wrong_arguments_are_refused(trials: Iterator[random.Random]) -> None:
    for rng in trials:
        verb = rng.choice(list(VERBS))
        call = VERBS[verb]
        chosen = rng.sample(list(call.arguments), min(len(call.arguments), rng.randint(1, 3)))
        given = {name: damaged(rng.choice(wrong(verb, name)), rng) for name in chosen}
        message = refusal(call, {**call.arguments, **given})
        assert any(re.search(rf"\b{name}\b", message) for name in chosen), f"{given}: {message}"


def damaged(value: Any, rng: random.Random) -> Any:
    """A wrong value, or a list with it inside, which is wrong, too."""
    if isinstance(value, str | None) or rng.random() < 0.7:
        return value
    return [value, rng.choice(NO_NUMBERS)]
