"""What does not compile again: counted by a minimiser that is executed by Python only while it is traced."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.core.fit import Minimum, Problem
from tests.core import toy


class Counting:
    """Newton, and how often Python ran it. Hashed by identity: no other test shares its programs."""

    def __init__(self) -> None:
        self.traces = 0

    def __call__(self, problem: Problem) -> Minimum:
        self.traces += 1
        return pf.Newton()(problem)


def variations(call: Callable[..., Any]) -> dict[str, Callable[[], Any]]:
    """The same computation on other inputs; ``call(data, model, **overrides)``."""
    model, data = toy.toy()
    renamed, its_data = toy.build(names=("signal", "strength"), yields=(3.0, 4.0))
    histosys = model.with_histosys("SR", "bkg", "shape", lo=[44.0, 45.0], hi=[52.0, 40.0])
    normsys = model.with_normsys("SR", "bkg", "norm", lo=0.8, hi=1.3)
    widths = model.with_values(normal_sigma=1.5 * model.likelihood.values.normal_sigma)
    return {
        "other data": lambda: call(data.at[0].add(7.0), model),
        "NumPy data": lambda: call(np.asarray(data), model),
        "single-precision data": lambda: call(data.astype(jnp.float32), model),
        "a list": lambda: call(data.tolist(), model),
        "whole numbers": lambda: call([70, 50, *data.tolist()[2:]], model),
        "other yields": lambda: call(data, model.with_yields("SR", "sig", [1.0, 9.0])),
        "other templates": lambda: call(data, histosys),
        "other factors": lambda: call(data, normsys),
        "other widths": lambda: call(data, widths),
        "fixed by value": lambda: call(data, model, fixed={"norm": 0.5}),
        "fixed by name": lambda: call(data, model, fixed=("stat",)),
        "nothing fixed": lambda: call(data, model, fixed=[False] * 7),
        "another start": lambda: call(data, model, init={"mu": 3.0, "rate": [0.5, 1.5]}),
        "whole start": lambda: call(data, model, init=np.ones(7)),
        "other bounds": lambda: call(data, model, bounds={"mu": (-2.0, 4.0)}),
        "other names": lambda: call(its_data, renamed),
        "a model built again": lambda: call(data, toy.build()[0]),
    }


def assert_no_new_trace(counting: Counting, calls: dict[str, Callable[[], Any]]) -> None:
    before = counting.traces
    assert before > 0
    for what, call in calls.items():
        call()
        assert counting.traces == before, f"{what}: compiled again"


@pytest.mark.slow
def test_fit_compiles_once() -> None:
    counting = Counting()

    def call(data: Any, model: Any, **overrides: Any) -> pf.FitResult:
        return pf.fit(data, model, minimiser=counting, **overrides)

    assert int(call(toy.toy()[1], toy.toy()[0]).status) == 0
    assert_no_new_trace(counting, variations(call))
    assert_no_new_trace(counting, {"POI fixed": lambda: call(toy.toy()[1], toy.toy()[0], fixed={"mu": 1.0})})


@pytest.mark.slow
def test_hypotest_compiles_once() -> None:
    counting = Counting()
    model, data = toy.toy()

    def call(data: Any, model: Any, mu: Any = 1.0, **overrides: Any) -> pf.HypotestResult:
        return pf.hypotest(mu, data, model, minimiser=counting, **overrides)

    assert int(call(data, model).status) == 0
    mus = {f"mu = {mu!r}": lambda mu=mu: call(data, model, mu) for mu in (0.0, 2, jnp.array(0.3), np.float64(1.7))}
    assert_no_new_trace(counting, {**variations(call), **mus})


@pytest.mark.slow
def test_it_does_count() -> None:
    """Another structure is another program: the counter sees it."""
    counting = Counting()
    model, data = toy.toy()
    pf.fit(data, model, minimiser=counting)
    before = counting.traces
    document = toy.spec()
    document["channels"][0]["samples"][1]["modifiers"].pop()
    workspace = pf.Workspace(document)
    other = workspace.model()
    pf.fit(workspace.data(other), other, minimiser=counting)
    assert counting.traces > before
    with pytest.raises(AssertionError, match="compiled again"):
        assert_no_new_trace(counting, {"options": lambda: setattr(counting, "traces", 99)})
