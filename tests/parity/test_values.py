"""Expected data and log-density against the slow reference and pyhf, at random points and with all codes."""

import math
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import pyhf_func as pf
from tests import reference, strategies, zoo
from tests.parity import cases
from tests.reference.fit import gradient
from tests.reference.model import ReferenceModel

# Some of these documents are dubious on purpose.
pytestmark = pytest.mark.filterwarnings("default::pyhf_func.exceptions.WorkspaceWarning")

EVERY = pytest.mark.parametrize("name", zoo.names())
CODES = [(normsys, histosys) for normsys in ("code1", "code4") for histosys in ("code0", "code2", "code4p")]


def assert_logpdf(actual: float, slow: ReferenceModel, pars: list[float], data: list[float]) -> None:
    """Equal to 1e-11 of the result, or to the rounding of the pieces that cancel in it."""
    expected = reference_logpdf(slow, pars, data)
    if not math.isfinite(expected):
        assert not math.isfinite(actual)
        return
    assert actual == pytest.approx(expected, rel=1e-11, abs=slow.rounding(pars, data))


def reference_logpdf(slow: ReferenceModel, pars: list[float], data: list[float]) -> float:
    value = slow.logpdf(pars, data)
    assert isinstance(value, float)
    return value


@pytest.mark.slow
@EVERY
def test_against_the_reference(name: str) -> None:
    slow, data = cases.slow(name), list(cases.observed(name))
    points = cases.random_points(slow, name)
    expected, logpdf, _ = cases.evaluate(cases.ours(name), points, jnp.array(data))
    for k, point in enumerate(points.tolist()):
        cases.assert_relative(expected[k], slow.expected_data(point))
        assert_logpdf(float(logpdf[k]), slow, point, data)


@EVERY
def test_against_pyhf(name: str, pyhf_numpy: ModuleType) -> None:
    slow, theirs, data = cases.slow(name), cases.theirs(name), np.array(cases.observed(name))
    points = cases.random_points(slow, name)
    expected, logpdf, _ = cases.evaluate(cases.ours(name), points, jnp.array(data))
    for k, point in enumerate(points):
        cases.assert_relative(expected[k], theirs.expected_data(point))
        with np.errstate(all="ignore"):
            their_logpdf = float(theirs.logpdf(point, data)[0])
        if math.isfinite(their_logpdf):
            rounding = slow.rounding(point.tolist(), data.tolist())
            assert float(logpdf[k]) == pytest.approx(their_logpdf, rel=1e-11, abs=rounding)
        else:
            assert not math.isfinite(float(logpdf[k]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["asymmetric_systematics"])
def test_eager_jitted_and_mapped_agree(name: str) -> None:
    model, data = cases.ours(name), jnp.array(cases.observed(name))
    points = cases.random_points(cases.slow(name), name)
    mapped = cases.evaluate(model, points, data)
    for k, point in enumerate(points[:2]):
        pars = jnp.array(point)
        expected, logpdf = model.expected_data(pars), model.logpdf(pars, data)
        assert expected.shape == (len(data),)
        assert logpdf.shape == ()
        cases.assert_relative(mapped[0][k], expected, 1e-13)
        cases.assert_relative(mapped[1][k], logpdf, 1e-12)
        cases.assert_relative(jax.jit(type(model).logpdf)(model, pars, data), logpdf, 1e-13)


@pytest.mark.parametrize(("normsys", "histosys"), CODES)
def test_interpolation_codes(normsys: str, histosys: str, pyhf_numpy: ModuleType) -> None:
    """Inside and outside |alpha| = 1, and exactly on it. code2 outside has a test of its own."""
    name = "asymmetric_systematics"
    settings_ = {"normsys": {"interpcode": normsys}, "histosys": {"interpcode": histosys}}
    model = pf.Workspace(zoo.ZOO[name].spec).model(modifier_settings=settings_)
    theirs = pyhf_numpy.Workspace(zoo.ZOO[name].spec).model(modifier_settings=settings_)
    slow = cases.slow(name).with_codes(normsys=normsys, histosys=histosys)
    alphas = [-3.3, -1.0, -0.999, -0.4, 0.0, 0.3, 0.999, 1.0, 2.7]
    shape, norm = slow.starts["shape"], slow.starts["norm"]
    points = np.array([slow.inits] * len(alphas) ** 2)
    points[:, shape] = np.tile(alphas, len(alphas))
    points[:, norm] = np.repeat(alphas, len(alphas))
    if histosys == "code2":
        points = points[np.abs(points[:, shape]) <= 1]
    found = jax.jit(jax.vmap(model.expected_data))(points)
    for k, point in enumerate(points):
        cases.assert_relative(found[k], slow.expected_data(point.tolist()), 1e-12)
        cases.assert_relative(found[k], theirs.expected_data(point), 1e-12)


@pytest.mark.parametrize(
    "settings_", [None, {}, {"normsys": {"interpcode": "code4"}}, {"histosys": {"interpcode": "code2"}}]
)
def test_codes_where_the_settings_are_silent(settings_: dict | None, pyhf_numpy: ModuleType) -> None:
    """No settings and silent ones mean different codes, as in pyhf."""
    spec = zoo.ZOO["asymmetric_systematics"].spec
    options = {} if settings_ is None else {"modifier_settings": settings_}
    model = pf.Workspace(spec).model(**options)
    theirs = pyhf_numpy.Workspace(spec).model(**options)
    pars = np.array(model.config.suggested_init()) + 0.6
    cases.assert_relative(model.expected_data(pars), theirs.expected_data(pars), 1e-12)


def test_code2_outside_one(pyhf_numpy: ModuleType) -> None:
    """Linear on both sides as the HistFactory note prints it; pyhf 0.7.6 has the upper side right."""
    name = "asymmetric_systematics"
    settings_ = {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code2"}}
    model = pf.Workspace(zoo.ZOO[name].spec).model(modifier_settings=settings_)
    theirs = pyhf_numpy.Workspace(zoo.ZOO[name].spec).model(modifier_settings=settings_)
    slow = cases.slow(name).with_codes(histosys="code2")
    points = np.array([slow.inits] * 4)
    points[:, slow.starts["shape"]] = [-3.0, -1.5, 1.5, 3.0]
    found = jax.jit(jax.vmap(model.expected_data))(points)
    for k, point in enumerate(points):
        cases.assert_relative(found[k], slow.expected_data(point.tolist()), 1e-12)
        if k >= 2:
            cases.assert_relative(found[k], theirs.expected_data(point), 1e-12)


@EVERY
def test_gradient_of_the_log_density(name: str) -> None:
    """Against the complex-step derivative of the reference, exact to rounding, and finite differences."""
    slow, data = cases.slow(name), list(cases.observed(name))
    points = cases.random_points(slow, name + "gradient")
    points = np.clip(points, np.array(slow.bounds)[:, 0] + 0.05, np.array(slow.bounds)[:, 1] - 0.05)
    point, found = points[1], np.asarray(cases.evaluate(cases.ours(name), points, jnp.array(data))[2][1])
    exact = -0.5 * gradient(slow, point, data, range(slow.npars))
    scale = 1e-11 * max(1.0, float(np.max(np.abs(exact))))
    np.testing.assert_allclose(found, exact, rtol=1e-10, atol=scale)
    for i in range(slow.npars):
        step = 1e-4
        up, down = point.copy(), point.copy()
        up[i] += step
        down[i] -= step
        difference = reference_logpdf(slow, up.tolist(), data) - reference_logpdf(slow, down.tolist(), data)
        curvature = max(1.0, float(np.max(np.abs(exact))))
        assert found[i] == pytest.approx(difference / (2 * step), rel=1e-4, abs=1e-3 * curvature)


@pytest.mark.slow
@settings(max_examples=6, phases=[Phase.explicit, Phase.generate])  # to shrink is to compile, for minutes
@given(st.data())
def test_random_workspaces(data: st.DataObject) -> None:
    """Any valid workspace: parameters, expected data and log-density are the reference's."""
    spec = data.draw(strategies.workspaces())
    slow = reference.reference_model(spec)
    workspace = pf.Workspace(spec)
    model = workspace.model()
    observed = workspace.data(model)
    assert list(model.config.par_names) == slow.par_names
    assert list(model.config.suggested_init()) == slow.inits
    assert list(model.config.suggested_fixed()) == slow.fixed
    cases.assert_relative(observed, [*reference.main_data(spec), *slow.auxdata], 1e-14)
    point = data.draw(strategies.points(slow))
    expected, logpdf, _ = cases.evaluate(model, jnp.array([point]), jnp.array(observed))
    cases.assert_relative(expected[0], slow.expected_data(point))
    assert_logpdf(float(logpdf[0]), slow, point, observed)
