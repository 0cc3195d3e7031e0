"""The optimizers of the documented API: results, options, users' own objectives."""

import itertools
from types import ModuleType
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

import pyhf_func as pf
from pyhf_func import optimize
from pyhf_func.exceptions import FailedMinimization, ImportBackendError, InvalidOptimizer, Unsupported
from pyhf_func.infer.mle import fit, fixed_poi_fit, twice_nll
from pyhf_func.optimize.mixins import OptimizerMixin
from tests.documented.models import flat, start, two_bins

NAMES = ("newton", "scipy", "minuit")


@pytest.fixture(params=NAMES)
def optimizer(request: pytest.FixtureRequest) -> str:
    pf.set_backend("numpy", request.param)
    return request.param


@pytest.fixture(scope="module")
def model() -> Any:
    return two_bins(pf)[0]


@pytest.fixture(scope="module")
def data(model: Any) -> list[float]:
    return two_bins(pf)[1]


def test_the_default_is_our_own() -> None:
    assert pf.optimizer.name == "newton"
    assert isinstance(pf.optimizer, optimize.newton_optimizer)
    assert optimize.OptimizerRetriever.scipy_optimizer is optimize.scipy_optimizer
    assert optimize.scipy_optimizer.__module__ == "pyhf_func.optimize"
    with pytest.raises(AttributeError, match="newton_optimizer"):
        _ = optimize.OptimizerRetriever.simplex_optimizer


def test_a_missing_iminuit_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "iminuit", None)
    monkeypatch.delitem(sys.modules, "pyhf_func.optimize.opt_minuit", raising=False)
    monkeypatch.delitem(vars(optimize.OptimizerRetriever), "minuit_optimizer", raising=False)
    with pytest.raises(ImportBackendError, match=r"pyhf-func\[minuit\]"):
        _ = optimize.minuit_optimizer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "framework", "home", "options"),
    [
        ("pytorch_optimizer", "torch", "opt_pytorch", {"maxdelta": 1e-4}),
        ("tflow_optimizer", "tensorflow", "opt_tflow", {"relax": 0.3, "eps": 1e-3}),
    ],
)
def test_older_names_of_the_default(
    monkeypatch: pytest.MonkeyPatch,
    model: Any,
    data: list[float],
    name: str,
    framework: str,
    home: str,
    options: dict[str, float],
) -> None:
    import sys

    pytest.importorskip(framework)
    older = getattr(optimize, name)(tensorlib=pf.tensorlib, maxiter=60, **options)
    assert older.maxiter == 60
    expected = fit(data, model)
    with pf.set_backend("numpy", older):
        np.testing.assert_allclose(fit(data, model), expected, rtol=1e-9)
    with pytest.raises(InvalidOptimizer, match="'newton', 'scipy' or 'minuit'"):
        pf.set_backend("numpy", name.removesuffix("_optimizer"))

    monkeypatch.setitem(sys.modules, framework, None)
    monkeypatch.delitem(sys.modules, f"pyhf_func.optimize.{home}", raising=False)
    monkeypatch.delitem(vars(optimize.OptimizerRetriever), name, raising=False)
    with pytest.raises(ImportBackendError, match=rf"{name} needs {framework}.*pyhf-func\[{framework}\]"):
        getattr(optimize, name)


def test_an_older_name_of_an_option_of_minuit() -> None:
    assert optimize.minuit_optimizer(ncall=50).maxiter == 50


@pytest.mark.parametrize("flags", list(itertools.product([False, True], repeat=4)), ids=str)
def test_what_is_returned(optimizer: str, model: Any, data: list[float], flags: tuple[bool, ...]) -> None:
    value, result, uncertainties, correlations = flags
    found = fit(
        data,
        model,
        return_fitted_val=value,
        return_result_obj=result,
        return_uncertainties=uncertainties,
        return_correlations=correlations,
    )
    parts = list(found) if isinstance(found, tuple) else [found]
    assert np.shape(parts.pop(0)) == ((3, 2) if uncertainties else (3,))
    if correlations:
        assert np.shape(parts.pop(0)) == (3, 3)
    if value:
        assert np.shape(parts.pop(0)) == ()
    if result:
        last = parts.pop(0)
        assert last.success
        np.testing.assert_allclose(last.fun, twice_nll(flat(last.x).reshape(3, -1)[:, 0], data, model)[0], rtol=1e-9)
    assert not parts


def test_optimizers_agree_with_those_of_pyhf(pyhf_numpy: ModuleType, model: Any, data: list[float]) -> None:
    """SLSQP and MIGRAD see the same function and take the same path, up to rounding in their differences."""
    theirs = two_bins(pyhf_numpy)[0]
    for name in ("scipy", "minuit"):
        pf.set_backend("numpy", name)
        pyhf_numpy.set_backend("numpy", name)
        for stitch in (False, True):
            found = fixed_poi_fit(1.2, data, model, return_uncertainties=name == "minuit", do_stitch=stitch)
            expected = pyhf_numpy.infer.mle.fixed_poi_fit(
                1.2, data, theirs, return_uncertainties=name == "minuit", do_stitch=stitch
            )
            np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("fixed", [False, True])
def test_uncertainties_are_those_of_the_exact_hessian(model: Any, data: list[float], fixed: bool) -> None:
    """Closed form, away from the bounds: each bin's Hessian in (mu, gamma) by hand."""
    data = [64.0, 66.0, *data[2:]]
    options = {"return_uncertainties": True, "return_correlations": True}
    found = fixed_poi_fit(0.7, data, model, **options) if fixed else fit(data, model, **options)
    pars, widths = found[0].T
    rates = flat(model.expected_data(pars))
    signal, background = np.array([12.0, 11.0]), np.array([50.0, 52.0])
    tau = (background / np.array([3.0, 7.0])) ** 2
    weight = np.array(data[:2]) / rates[:2] ** 2
    hessian = np.zeros((3, 3))
    hessian[0, 0] = np.sum(weight * signal**2)
    for b in range(2):
        hessian[0, b + 1] = hessian[b + 1, 0] = weight[b] * signal[b] * background[b]
        hessian[b + 1, b + 1] = weight[b] * background[b] ** 2 + data[2 + b] / pars[b + 1] ** 2
    assert np.all(tau > 0)
    free = slice(1 if fixed else 0, 3)
    covariance = np.zeros((3, 3))
    covariance[free, free] = np.linalg.inv(hessian[free, free])
    expected = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(widths, expected, rtol=1e-9, atol=1e-15)
    scale = np.where(expected > 0, expected, 1.0)
    np.testing.assert_allclose(found[1], covariance / np.outer(scale, scale), rtol=1e-8, atol=1e-12)
    pf.set_backend("numpy", pf.optimize.minuit_optimizer(tolerance=1e-4))
    by_minuit = fixed_poi_fit(0.7, data, model, **options) if fixed else fit(data, model, **options)
    np.testing.assert_allclose(by_minuit[0][:, 1], expected, rtol=2e-2)  # differences, in MINUIT's inner coordinates


def test_minimize_takes_fixed_values(optimizer: str, model: Any, data: list[float]) -> None:
    """The only free parameter scales one bin's background: a root of one equation."""
    init, bounds, _ = start(model)
    aux = data[2]

    def slope(gamma: float) -> float:
        return 50.0 + aux - data[0] * 50.0 / (0.4 * 12.0 + 50.0 * gamma) - aux / gamma

    expected = brentq(slope, 0.1, 5.0, xtol=1e-14)
    for stitch in (False, True):
        found = pf.optimizer.minimize(
            twice_nll, data, model, init, bounds, fixed_vals=[(0, 0.4), (2, 1.1)], do_stitch=stitch
        )
        assert tuple(found[[0, 2]]) == pytest.approx((0.4, 1.1), abs=1e-12)
        assert found[1] == pytest.approx(expected, abs=1e-12 if optimizer == "newton" else 1e-4)
    assert init == model.config.suggested_init()  # what was given is left alone


def test_bestfit_methods(optimizer: str, model: Any, data: list[float]) -> None:
    init, bounds, _ = start(model)
    free = pf.optimizer.unconstrained_bestfit(twice_nll, data, model, init, bounds)
    np.testing.assert_allclose(free, fit(data, model), rtol=1e-9)
    held = pf.optimizer.constrained_bestfit(pf.utils.loglambdav, 1.2, data, model, init, bounds)
    np.testing.assert_allclose(held, fixed_poi_fit(1.2, data, model), rtol=1e-9)


def test_own_objectives_in_every_backend(backend: Any, model: Any) -> None:
    """A function of the user's own, with the backend's gradients where it has them."""

    def distance(pars: Any, data: Any, pdf: Any) -> Any:
        difference = pars - backend.astensor([0.5, 1.5, 0.2])
        return backend.reshape(backend.sum(difference * difference) + data[0], (1,))

    init, bounds, _ = start(model)
    for stitch in (False, True):
        found, value = pf.optimizer.minimize(
            distance, [7.0], model, init, bounds, [(1, 1.0)], return_fitted_val=True, do_stitch=stitch, tolerance=1e-12
        )
        np.testing.assert_allclose(flat(found), [0.5, 1.0, 0.2], atol=1e-6)
        assert float(flat(value)[0]) == pytest.approx(7.25, abs=1e-6)


def test_options(model: Any, data: list[float]) -> None:
    expected = {
        "newton": {"maxiter": None, "verbose": 0, "tolerance": None},
        "scipy": {"maxiter": 100000, "verbose": 0, "tolerance": None, "solver_options": {}},
        "minuit": {"maxiter": 100000, "verbose": 0, "tolerance": 0.1, "errordef": 1, "steps": 1000, "strategy": None},
    }
    for name, options in expected.items():
        made = getattr(optimize, f"{name}_optimizer")()
        assert {option: getattr(made, option) for option in options} == options
        with pytest.raises(AttributeError):
            made.anything = True
        with pytest.raises(Unsupported, match="momentum"):
            type(made)(momentum=0.9)
        pf.set_backend("numpy", made)
        with pytest.raises(Unsupported, match="momentum"):
            fit(data, model, momentum=0.9)
        assert np.isfinite(fit(data, model, tolerance=0.01)).all()
    with pytest.raises(Unsupported, match="momentum"):
        OptimizerMixin(momentum=0.9)


def test_options_reach_the_minimiser(model: Any, data: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    pf.set_backend("numpy", "scipy")
    with pytest.raises(FailedMinimization, match="Iteration limit"):
        fit(data, model, maxiter=1)
    fit(data, model, verbose=1)
    assert "Optimization terminated successfully" in capsys.readouterr().out
    _, tight = fit(data, model, solver_options={"ftol": 1e-14}, return_result_obj=True)
    _, loose = fit(data, model, return_result_obj=True)
    assert tight.nit > loose.nit
    pf.set_backend("numpy", "minuit")
    _, result = fit(data, model, strategy=2, tolerance=0.02, return_result_obj=True)
    assert (result.minuit.strategy.strategy, result.minuit.tol) == (2, 0.02)
    assert result.minuit.parameters == ("mu", "uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]")
    _, result = fixed_poi_fit(1.0, data, model, do_stitch=True, return_result_obj=True)
    assert result.minuit.parameters == ("uncorr_bkguncrt[0]", "uncorr_bkguncrt[1]")


@pytest.mark.filterwarnings("ignore:scipy.optimize. The `disp`:DeprecationWarning")
def test_scipys_own_options_run_scipy_under_the_default(model: Any, data: list[float]) -> None:
    pars, result = fit(data, model, method="L-BFGS-B", return_result_obj=True)
    assert "hess_inv" in result  # what L-BFGS-B gives
    np.testing.assert_allclose(pars, fit(data, model), atol=1e-3)


def test_gradients_are_where_the_backend_has_them(backend: Any, model: Any, data: list[float]) -> None:
    pf.set_backend(backend, "scipy")
    assert backend.default_do_grad is (backend.name != "numpy")
    if backend.name == "numpy":
        with pytest.raises(Unsupported, match="do_grad"):
            fit(data, model, do_grad=True)
        return
    _, with_gradient = fit(data, model, return_result_obj=True)
    _, without = fit(data, model, do_grad=False, return_result_obj=True)
    assert with_gradient.nfev < without.nfev


def test_jax_arrays_come_out_of_minimisers_on_the_host(model: Any, data: list[float]) -> None:
    pf.set_backend("numpy", "scipy")
    pars, value = fit(jnp.array(data), model, return_fitted_val=True)
    assert isinstance(pars, jnp.ndarray)
    assert isinstance(value, jnp.ndarray)
