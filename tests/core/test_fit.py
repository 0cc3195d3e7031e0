"""The fit: overrides, bounds, statuses, derivatives."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

import pyhf_func as pf
from pyhf_func.exceptions import InvalidPdfData, InvalidPdfParameters, WorkspaceWarning
from tests import zoo
from tests.core import toy


def fit(**overrides: Any) -> pf.FitResult:
    model, data = toy.toy()
    return pf.fit(data, model, **overrides)


def nll2(pars: Any) -> float:
    model, data = toy.toy()
    return -2 * float(jax.jit(pf.Model.logpdf)(model, jnp.asarray(pars), data))


@pytest.mark.slow
def test_the_result_describes_the_minimum() -> None:
    _model, _data = toy.toy()
    found = fit()
    assert pf.Status(int(found.status)) is pf.Status.CONVERGED
    assert float(found.twice_nll) == pytest.approx(nll2(found.pars), abs=1e-10)
    assert 0 <= float(found.edm) < 1e-6
    assert float(found.gradient_norm) < 1e-6
    assert 0 < int(found.iterations) < 50
    assert not np.any(found.at_bound)
    for i in range(7):
        for step in (-1e-3, 1e-3):
            assert nll2(found.pars.at[i].add(step)) > float(found.twice_nll)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fixed",
    [
        {"mu": 1.2, "norm": 0.5, "stat[1]": 1.1},
        {"mu": 1.2, "norm": [0.5], "stat[1]": np.array(1.1)},
        {"mu": jnp.array(1.2), "norm": 0.5, "stat[1]": jnp.array([1.1])},
    ],
)
def test_fixed_by_name_and_value(fixed: dict[str, Any]) -> None:
    found = fit(fixed=fixed)
    held = [toy.place("mu"), toy.place("norm"), toy.place("stat") + 1]
    np.testing.assert_array_equal(found.pars[jnp.array(held)], [1.2, 0.5, 1.1])
    others = [i for i in range(7) if i not in held]
    start = np.array(toy.toy()[0].config.suggested_init())
    assert np.all(np.asarray(found.pars)[others] != start[others])
    assert not np.any(found.at_bound)


def test_every_way_to_fix_is_the_same() -> None:
    """At the start value: True, a name, a collection of names, full arrays; one component or all of them."""
    config = toy.toy()[0].config
    by_value = fit(fixed={"mu": 0.8, "stat": 1.0})
    flags = np.zeros(7, bool)
    flags[toy.place("mu")] = True
    flags[config.par_slice("stat")] = True
    init = np.array(config.suggested_init())
    init[toy.place("mu")] = 0.8
    for overrides in (
        {"init": {"mu": 0.8}, "fixed": {"mu": True, "stat": True}},
        {"init": {"mu": 0.8}, "fixed": ("mu", "stat")},
        {"init": {"mu": 0.8}, "fixed": {"mu", "stat[0]", "stat[1]"}},
        {"init": init, "fixed": flags},
        {"init": init.tolist(), "fixed": flags.tolist()},
        {"fixed": {"mu": 0.8, "stat": [1.0, 1.0]}},
        {"init": {"mu": 0.8}, "fixed": {"mu": np.True_, "stat": [True, True], "norm": np.False_, "rate": [False] * 2}},
    ):
        np.testing.assert_array_equal(fit(**overrides).pars, by_value.pars)
    np.testing.assert_array_equal(fit(init={"mu": 0.8}, fixed="mu").pars, fit(fixed={"mu": 0.8}).pars)
    np.testing.assert_array_equal(fit(fixed=[]).pars, fit().pars)


def test_false_sets_a_parameter_free() -> None:
    document = toy.spec()
    document["measurements"][0]["config"]["parameters"] = [{"name": "norm", "fixed": True}]
    workspace = pf.Workspace(document)
    model = workspace.model()
    data = workspace.data(model)
    assert float(pf.fit(data, model).pars[toy.place("norm")]) == 0.0
    np.testing.assert_allclose(pf.fit(data, model, fixed={"norm": False}).pars, fit().pars, atol=1e-7)
    np.testing.assert_allclose(pf.fit(data, model, fixed=np.zeros(7, bool)).pars, fit().pars, atol=1e-7)


def test_everything_fixed_stays() -> None:
    found = fit(fixed=np.ones(7, bool), init={"mu": 3.0})
    assert float(found.twice_nll) == pytest.approx(nll2(found.pars), abs=1e-10)
    assert float(found.pars[toy.place("mu")]) == 3.0
    assert int(found.status) == 0
    assert float(found.gradient_norm) == 0.0


def test_the_start_does_not_matter() -> None:
    assert float(fit(init={"mu": 7.0, "rate": [0.3, 2.0]}).twice_nll) == pytest.approx(float(fit().twice_nll), abs=1e-9)


def test_a_fixed_parameter_may_lie_outside_its_bounds() -> None:
    found = fit(fixed={"mu": -2.0})
    assert float(found.pars[toy.place("mu")]) == -2.0
    assert int(found.status) == 0


@pytest.mark.parametrize("bounds", [(0.9, 2.0), (0.0, 0.1), (-4.0, -0.5)])
def test_bounds_are_respected(bounds: tuple[float, float]) -> None:
    """The best fit lies outside of each, so it rests at the nearer bound."""
    best = float(fit().pars[toy.place("mu")])
    assert not bounds[0] <= best <= bounds[1]
    found = fit(bounds={"mu": bounds})
    mu = float(found.pars[toy.place("mu")])
    assert mu == bounds[int(best > bounds[1])]
    assert np.flatnonzero(found.at_bound).tolist() == [toy.place("mu")]
    assert int(found.status) == 0
    assert float(found.gradient_norm) < 1e-6
    held = fit(fixed={"mu": mu})
    assert not np.any(held.at_bound)
    np.testing.assert_allclose(found.pars, held.pars, atol=1e-7)


def test_bounds_by_component_and_as_arrays() -> None:
    full = np.array(toy.toy()[0].config.suggested_bounds())
    full[toy.place("rate") + 1] = (1.5, 3.0)
    by_array = fit(bounds=full)
    assert float(by_array.pars[toy.place("rate") + 1]) == 1.5
    for bounds in ({"rate[1]": (1.5, 3.0)}, {"rate": [(1e-10, 10.0), (1.5, 3.0)]}, full.tolist()):
        np.testing.assert_array_equal(fit(bounds=bounds).pars, by_array.pars)


def test_under_fluctuation_rests_at_zero() -> None:
    model, _ = toy.toy()
    found = pf.fit(toy.with_counts(50.0, 40.0), model)
    assert float(found.pars[toy.place("mu")]) == 0.0
    assert np.flatnonzero(found.at_bound).tolist() == [toy.place("mu")]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"init": {"muu": 1.0}}, "init: The model has no parameter 'muu': did you mean 'mu'"),
        ({"fixed": {"muu": 1.0}}, "fixed: .*'muu'.*'rate'"),
        ({"fixed": ("mu", "muu")}, "fixed: .*'muu'"),
        ({"fixed": "muu"}, "fixed: .*'muu'"),
        ({"bounds": {"muu": (0, 1)}}, "bounds: .*'muu'"),
        ({"init": {"stat[2]": 1.0}}, r"'stat\[2\]'"),
        ({"init": {"stat[-1]": 1.0}}, r"'stat\[-1\]'"),
        ({"init": {"stat": [1.0, 2.0, 3.0]}}, r"init\['stat'\] has shape \(3,\).*2"),
        ({"fixed": {"mu": [1.0, 2.0]}}, r"fixed\['mu'\] has shape \(2,\)"),
        ({"bounds": {"mu": (0.0, 1.0, 2.0)}}, r"bounds\['mu'\] has shape \(3,\).*lower, upper"),
        ({"bounds": {"mu": 1.0}}, r"bounds\['mu'\] has shape"),
        ({"bounds": {"rate[1]": (3.0, 1.5)}}, r"bounds of 'rate\[1\]' are \(3.0, 1.5\).*lower one first"),
        ({"bounds": {"mu": (0.0, np.nan)}}, r"bounds of 'mu' are \(0.0, nan\)"),
        ({"init": np.ones(6)}, r"init has shape \(6,\).*\(7,\)"),
        ({"bounds": np.ones((2, 7))}, r"bounds has shape \(2, 7\).*\(7, 2\)"),
        ({"fixed": np.zeros(8, bool)}, r"fixed has shape \(8,\).*\(7,\)"),
        ({"fixed": [True]}, r"fixed has shape \(1,\)"),
    ],
)
def test_wrong_overrides_are_named(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidPdfParameters, match=message):
        fit(**overrides)
    with pytest.raises(InvalidPdfParameters, match=message):
        pf.hypotest(1.0, toy.toy()[1], toy.toy()[0], **overrides)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, 4])
def test_data_that_are_no_numbers(bad: float, where: int) -> None:
    """A count, and an auxiliary measurement: refused, and where they are traced not fitted."""
    model, data = toy.toy()
    with pytest.raises(InvalidPdfData, match=r"channel 'SR', bin 0|auxiliary data of 'rate'"):
        pf.fit(data.at[where].set(bad), model)
    found = jax.jit(pf.fit)(data.at[where].set(bad), model)
    assert pf.Status(int(found.status)) is pf.Status.NOT_FINITE
    assert "not finite" in pf.Status(int(found.status)).sentence


@pytest.mark.parametrize("where", ["bin", "auxiliary count"])
def test_negative_counts(where: str) -> None:
    model, data = toy.toy()
    config = model.config
    place = 0 if where == "bin" else config.nmaindata + config.auxdata.index(16.0)
    for count in (-0.5, -5.0):
        with pytest.raises(InvalidPdfData, match=f"is {count:g}.*not negative"):
            pf.fit(data.at[place].set(count), model)
        found = jax.jit(pf.fit)(data.at[place].set(count), model)
        assert pf.Status(int(found.status)) is pf.Status.NOT_FINITE
        assert "negative" in pf.Status.NOT_FINITE.sentence


@pytest.mark.parametrize("name", ["mu", "norm", "rate"])
def test_a_start_that_is_no_number(name: str) -> None:
    """It is refused; traced, it has a status, or the fit starts at the suggested value instead."""
    with pytest.raises(InvalidPdfParameters, match=f"init: '{name}.* starts at nan"):
        fit(init={name: np.nan})
    model, data = toy.toy()
    found = jax.jit(lambda value: pf.fit(data, model, init={name: value}))(np.nan)
    if int(found.status) == 0:
        np.testing.assert_allclose(found.pars, fit().pars, atol=1e-7)
    else:
        assert pf.Status(int(found.status)) is pf.Status.NOT_FINITE


def test_a_model_that_holds_no_number() -> None:
    model, data = toy.toy()
    found = pf.fit(data, model.with_yields("SR", "sig", [np.nan, 8.0]))
    assert pf.Status(int(found.status)) is pf.Status.NOT_FINITE


@pytest.mark.slow
def test_impossible_data() -> None:
    """Three events where nothing can be expected."""
    channel = zoo.channel("SR", zoo.sample("sig", [0.0, 2.0], zoo.normfactor()), zoo.sample("bkg", [0.0, 9.0]))
    workspace = pf.Workspace(zoo.workspace([channel], {"SR": [3.0, 10.0]}))
    with pytest.warns(WorkspaceWarning, match="bin 0"):
        model = workspace.model()
    found = pf.fit(workspace.data(model), model)
    assert pf.Status(int(found.status)) is pf.Status.NOT_FINITE
    assert float(found.twice_nll) == np.inf


@pytest.mark.slow
def test_iteration_limit() -> None:
    model, _ = toy.toy()
    found = pf.fit(toy.with_counts(300.0, 5.0), model, init={"mu": 9.0}, minimiser=pf.Newton(iterations=2))
    assert pf.Status(int(found.status)) is pf.Status.ITERATION_LIMIT
    searches = 9  # from the given start, and where that does not converge from eight random ones
    assert 2 <= int(found.iterations) <= 2 * searches
    assert np.all(np.isfinite(found.pars))
    assert "iteration limit" in pf.Status.ITERATION_LIMIT.sentence
    enough = pf.fit(toy.with_counts(300.0, 5.0), model, init={"mu": 9.0})
    assert int(enough.status) == 0
    assert float(enough.twice_nll) < float(found.twice_nll)


def test_every_status_has_a_sentence() -> None:
    sentences = [status.sentence for status in pf.Status]
    assert len(set(sentences)) == len(sentences) == len(pf.Status)
    assert all(sentence.endswith(".") for sentence in sentences)


@pytest.mark.slow
def test_derivatives_with_respect_to_what_holds_the_parameters() -> None:
    """A fixed value and a bound at which a parameter rests: by the implicit rule, against finite differences."""
    model, data = toy.toy()

    def held(x: Array) -> Array:
        found = pf.fit(data, model, fixed={"mu": x[0]}, bounds={"rate[1]": (x[1], 3.0)})
        return jnp.append(found.pars, found.twice_nll)

    at = jnp.array([0.9, 1.4])
    forward, reverse = jax.jit(lambda x: (jax.jacfwd(held)(x), jax.jacrev(held)(x)))(at)
    np.testing.assert_allclose(forward, reverse, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(forward, toy.slope(held, at, 1e-2).T, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(forward[toy.place("rate") + 1], [0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(forward[toy.place("mu")], [1.0, 0.0], atol=1e-12)
