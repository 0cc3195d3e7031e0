"""The reference itself: it agrees with pyhf 0.7.6 and closed forms, and shares nothing with the package."""

import ast
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from tests import reference, strategies, zoo
from tests.reference.model import ReferenceModel

EVERY = pytest.mark.parametrize("name", zoo.names())
ALPHAS = (-3.0, -1.0, -0.7, -0.01, 0.0, 0.2, 0.99, 1.0, 2.4)


def both_models(name: str, pyhf: ModuleType) -> tuple[ReferenceModel, Any]:
    entry = zoo.ZOO[name]
    measurement = entry.measurement or entry.spec["measurements"][0]["name"]
    theirs = pyhf.Workspace(entry.spec).model(measurement_name=measurement)
    return reference.reference_model(entry.spec, entry.measurement), theirs


def observed(name: str, model: ReferenceModel) -> list[float]:
    return [*reference.main_data(zoo.ZOO[name].spec), *model.auxdata]


def test_it_shares_nothing_with_the_package() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {n.split(".")[0] for n in names} & {"pyhf_func", "jax", "adapters"}, path.name


@EVERY
def test_parameters_are_those_of_pyhf(name: str, pyhf_numpy: ModuleType) -> None:
    slow, theirs = both_models(name, pyhf_numpy)
    assert slow.par_names == theirs.config.par_names
    assert slow.auxdata_order == theirs.config.auxdata_order
    assert slow.inits == theirs.config.suggested_init()
    assert slow.bounds == [tuple(b) for b in theirs.config.suggested_bounds()]
    assert slow.fixed == list(theirs.config.suggested_fixed())
    np.testing.assert_allclose(slow.auxdata, theirs.config.auxdata, rtol=1e-14)


@EVERY
def test_values_are_those_of_pyhf(name: str, pyhf_numpy: ModuleType) -> None:
    slow, theirs = both_models(name, pyhf_numpy)
    data = observed(name, slow)
    rng = np.random.default_rng(7)
    low, high = np.array(slow.bounds).T
    for _ in range(4):
        pars = np.clip(np.array(slow.inits) + rng.normal(size=slow.npars), low, high)
        expected = np.array(slow.expected_data(pars.tolist()), dtype=float)
        np.testing.assert_allclose(expected, theirs.expected_data(pars), rtol=1e-14)
        with np.errstate(all="ignore"):
            logpdf = float(theirs.logpdf(pars, data)[0])
        if math.isfinite(logpdf):
            rounding = slow.rounding(pars.tolist(), data)
            assert slow.logpdf(pars.tolist(), data) == pytest.approx(logpdf, rel=1e-13, abs=rounding)


@pytest.mark.parametrize("name", ["counting", "negative_poi_bound", "under_fluctuation", "tiny_counts", "on_off"])
@pytest.mark.parametrize("kind", ["q", "qtilde", "q0"])
def test_hypotest_is_that_of_pyhf(name: str, kind: str, pyhf_numpy: ModuleType) -> None:
    """1e-6: pyhf's minimiser leaves about 1e-12 in twice the NLL, thus 1e-6 in its root.

    q-tilde takes a negative estimate for zero; pyhf does so only where the lower bound is zero.
    """
    slow, theirs = both_models(name, pyhf_numpy)
    data, mu = observed(name, slow), zoo.ZOO[name].mu
    bounds, poi = theirs.config.suggested_bounds(), theirs.config.poi_index
    if kind == "qtilde":
        bounds[poi] = (max(bounds[poi][0], 0.0), bounds[poi][1])
    found = reference.hypotest(slow, data, mu, kind)
    main, tails, band = pyhf_numpy.infer.hypotest(
        mu, data, theirs, par_bounds=bounds, test_stat=kind, return_tail_probs=True, return_expected_set=True
    )
    assert (found.clsb if kind == "q0" else found.cls) == pytest.approx(float(main), abs=1e-6)
    assert found.clb == pytest.approx(float(tails[-1]), abs=1e-6)
    expected = found.clsb_expected if kind == "q0" else found.cls_expected
    np.testing.assert_allclose(expected, [float(x) for x in band], atol=1e-6)


def test_counting_experiment_has_a_closed_form() -> None:
    """n = 12 over b = 10 with s = 5: q_mu = 2 (mu s + b - n + n log(n/(mu s + b)))."""
    slow = reference.reference_model(zoo.ZOO["counting"].spec)
    found = reference.hypotest(slow, [12.0], 1.0)
    q, q_asimov = (2 * (15 - n + n * math.log(n / 15)) for n in (12.0, 10.0))
    assert found.free_fit.pars[0] == pytest.approx(0.4, abs=1e-9)
    assert found.teststat == pytest.approx(q, rel=1e-12)
    assert found.teststat_asimov == pytest.approx(q_asimov, rel=1e-12)
    assert found.cls == pytest.approx(norm.sf(math.sqrt(q)) / norm.sf(math.sqrt(q) - math.sqrt(q_asimov)), rel=1e-11)
    assert found.cls_expected[2] == pytest.approx(2 * norm.sf(math.sqrt(q_asimov)), rel=1e-12)


def test_on_off_problem_has_a_closed_form() -> None:
    """n on, m = (b/u)^2 off: the conditional background solves a quadratic; the free fit is exact."""
    s, b, u, n, mu = 10.0, 50.0, 7.0, 51.0, 1.0
    m = (b / u) ** 2
    # n b/(mu s + gamma b) - b + m/gamma - m = 0, with the free fit gamma = 1, mu = (n - b)/s
    a2, a1, a0 = b * (b + m), mu * s * (b + m) - b * (n + m), -m * mu * s
    gamma = (-a1 + math.sqrt(a1**2 - 4 * a2 * a0)) / (2 * a2)
    q = 2 * (mu * s + gamma * b - n + n * math.log(n / (mu * s + gamma * b)) + m * (gamma - 1 - math.log(gamma)))
    slow = reference.reference_model(zoo.ZOO["on_off"].spec)
    found = reference.hypotest(slow, [n, m], mu)
    np.testing.assert_allclose(found.free_fit.pars, [(n - b) / s, 1.0], atol=1e-8)
    np.testing.assert_allclose(found.fixed_fit.pars, [mu, gamma], atol=1e-8)
    assert found.teststat == pytest.approx(q, abs=1e-11)


@pytest.mark.parametrize("code", ["code0", "code1", "code2", "code4", "code4p"])
def test_interpolation_codes_are_those_of_pyhf(code: str, pyhf_numpy: ModuleType) -> None:
    """Bin by bin; code2 only from alpha = -1 upwards, where pyhf 0.7.6 is right."""
    templates = [[0.8, 1.0, 1.3], [4.0, 5.0, 4.5], [7.0, 6.0, 6.5]]
    alphas = [a for a in ALPHAS if not (code == "code2" and a < -1)]
    histograms = [[[[t[k]] for k in range(3)] for t in templates]]
    theirs = getattr(pyhf_numpy.interpolators, code)(histograms)(np.array([alphas]))
    for h, template in enumerate(templates):
        for a, alpha in enumerate(alphas):
            assert reference.CODES[code](*template, alpha) == pytest.approx(theirs[0, h, a, 0], rel=1e-13, abs=1e-13)


def test_code2_below_minus_one() -> None:
    """(b - 2a)(alpha + 1): with down 0.5, nominal 1, up 1.5 it is (alpha + 1)/2, not alpha/2."""
    assert reference.code2(0.5, 1.0, 1.5, -2.0) == -0.5
    assert reference.code2(0.8, 1.0, 1.3, -3.0) == pytest.approx((0.25 - 2 * 0.05) * -2.0, rel=1e-15)


@pytest.mark.parametrize(("code", "at_zero"), [("code4", 1.0), ("code4p", 0.0)])
def test_polynomial_codes_join_twice_differentiably(code: str, at_zero: float) -> None:
    """Complex-step slopes and their differences on both sides of +-1 agree; the nominal is reached at 0."""
    interpolate = reference.CODES[code]

    def slope(alpha: float) -> float:
        return complex(interpolate(0.8, 1.0, 1.3, complex(alpha, 1e-30))).imag / 1e-30

    assert interpolate(0.8, 1.0, 1.3, 0.0) == at_zero
    for edge in (-1.0, 1.0):
        inside, outside = edge * (1 - 1e-7), edge * (1 + 1e-7)
        assert interpolate(0.8, 1.0, 1.3, inside) == pytest.approx(interpolate(0.8, 1.0, 1.3, outside), abs=1e-6)
        assert slope(inside) == pytest.approx(slope(outside), abs=1e-6)
        curvatures = [(slope(x + 1e-8) - slope(x - 1e-8)) / 2e-8 for x in (inside, outside)]
        assert curvatures[0] == pytest.approx(curvatures[1], abs=1e-5)


@pytest.mark.slow
@given(st.data())
def test_random_workspaces_are_valid_and_those_of_pyhf(data: st.DataObject) -> None:
    """The strategy makes documents that pyhf accepts, and the reference agrees with it on them."""
    pyhf = pytest.importorskip("pyhf")
    spec = data.draw(strategies.workspaces())
    slow, theirs = reference.reference_model(spec), pyhf.Workspace(spec).model()
    assert slow.par_names == theirs.config.par_names
    pars = data.draw(strategies.points(slow))
    expected = np.array(slow.expected_data(pars), dtype=float)
    np.testing.assert_allclose(
        expected, pyhf.tensorlib.tolist(theirs.expected_data(pyhf.tensorlib.astensor(pars))), rtol=1e-13
    )
