"""Test statistics built on the profile likelihood ratio (arXiv:1007.1727)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import jax

from pyhf_func._docs import read_whole
from pyhf_func._lookup import unknown
from pyhf_func.core.statistics import Q0, QTILDE, STATISTICS, Q, Statistic
from pyhf_func.exceptions import InvalidTestStatistic, UnspecifiedPOI
from pyhf_func.pyhf.infer.arguments import check_model
from pyhf_func.pyhf.infer.mle import fit, fixed_poi_fit, start_of
from pyhf_func.pyhf.tensor.dispatch import backend_for

log = logging.getLogger("pyhf_func.infer.test_statistics")

__all__ = ["q0", "qmu", "qmu_tilde", "tmu", "tmu_tilde"]


def __dir__() -> list[str]:
    return __all__


def qmu(
    mu: Any,
    data: Any,
    pdf: Any,
    init_pars: Any,
    par_bounds: Any,
    fixed_params: Any,
    return_fitted_pars: bool = False,
) -> Any:
    r"""Upper-limit test statistic :math:`q_\mu`: Equation (14).

    :math:`-2 \ln \lambda(\mu)` where :math:`\hat\mu \le \mu`, 0 above; for a POI whose bounds reach below zero.

    Args:
        mu: The tested value of the parameter of interest.
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        pdf: The model.
        init_pars: Start values; shape (npars,).
        par_bounds: (lower, upper) of each parameter; shape (npars, 2).
        fixed_params: Flags of the parameters that stay at their start values; shape (npars,).
        return_fitted_pars: Also return the parameters of both fits.

    Returns:
        The test statistic, shape (); with ``return_fitted_pars`` a pair of it and the pair (conditional fit,
        unconditional fit), shape (npars,) each.

    Raises:
        UnspecifiedPOI: The model has no parameter of interest.
        FailedMinimization: A fit did not converge.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> bounds = model.config.suggested_bounds()
        >>> bounds[model.config.poi_index] = (-10.0, 10.0)
        >>> start = (model.config.suggested_init(), bounds, model.config.suggested_fixed())
        >>> round(float(pyhf.infer.test_statistics.qmu(1.0, data, model, *start)), 6)
        3.954989
    """
    return _one_sided(Q, mu, data, pdf, init_pars, par_bounds, fixed_params, return_fitted_pars)


def qmu_tilde(
    mu: Any,
    data: Any,
    pdf: Any,
    init_pars: Any,
    par_bounds: Any,
    fixed_params: Any,
    return_fitted_pars: bool = False,
) -> Any:
    r"""Upper-limit test statistic :math:`\tilde q_\mu`: Equation (16).

    :math:`-2 \ln \tilde\lambda(\mu)` where :math:`\hat\mu \le \mu`, 0 above; for a POI bounded at zero. Where its
    bounds reach below zero, the best value does not: pyhf fits it inside the bounds as they are.

    Args:
        mu: As for `qmu`.
        data: As for `qmu`.
        pdf: As for `qmu`.
        init_pars: As for `qmu`.
        par_bounds: As for `qmu`.
        fixed_params: As for `qmu`.
        return_fitted_pars: As for `qmu`.

    Returns:
        As `qmu`.

    Raises:
        As `qmu`.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> bounds = model.config.suggested_bounds()
        >>> start = (model.config.suggested_init(), bounds, model.config.suggested_fixed())
        >>> round(float(pyhf.infer.test_statistics.qmu_tilde(1.0, data, model, *start)), 6)
        3.938245
    """
    return _one_sided(QTILDE, mu, data, pdf, init_pars, par_bounds, fixed_params, return_fitted_pars)


def tmu(
    mu: Any,
    data: Any,
    pdf: Any,
    init_pars: Any,
    par_bounds: Any,
    fixed_params: Any,
    return_fitted_pars: bool = False,
) -> Any:
    r"""Two-sided test statistic :math:`t_\mu = -2 \ln \lambda(\mu)`: Equation (8).

    For a POI whose bounds reach below zero.

    Args:
        mu: As for `qmu`.
        data: As for `qmu`.
        pdf: As for `qmu`.
        init_pars: As for `qmu`.
        par_bounds: As for `qmu`.
        fixed_params: As for `qmu`.
        return_fitted_pars: As for `qmu`.

    Returns:
        As `qmu`.

    Raises:
        As `qmu`.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> bounds = model.config.suggested_bounds()
        >>> bounds[model.config.poi_index] = (-10.0, 10.0)
        >>> start = (model.config.suggested_init(), bounds, model.config.suggested_fixed())
        >>> round(float(pyhf.infer.test_statistics.tmu(1.0, data, model, *start)), 6)
        3.954989
    """
    _require_poi(pdf)
    _advise(pdf, par_bounds, "tmu", "tmu_tilde")
    return _two_sided(mu, data, pdf, init_pars, par_bounds, fixed_params, return_fitted_pars)


def tmu_tilde(
    mu: Any,
    data: Any,
    pdf: Any,
    init_pars: Any,
    par_bounds: Any,
    fixed_params: Any,
    return_fitted_pars: bool = False,
) -> Any:
    r"""Two-sided test statistic :math:`\tilde t_\mu = -2 \ln \tilde\lambda(\mu)`: Equation (11).

    For a POI bounded at zero. Where its bounds reach below zero, the best value does not.

    Args:
        mu: As for `qmu`.
        data: As for `qmu`.
        pdf: As for `qmu`.
        init_pars: As for `qmu`.
        par_bounds: As for `qmu`.
        fixed_params: As for `qmu`.
        return_fitted_pars: As for `qmu`.

    Returns:
        As `qmu`.

    Raises:
        As `qmu`.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> bounds = model.config.suggested_bounds()
        >>> start = (model.config.suggested_init(), bounds, model.config.suggested_fixed())
        >>> round(float(pyhf.infer.test_statistics.tmu_tilde(1.0, data, model, *start)), 6)
        3.938245
    """
    _require_poi(pdf)
    _advise(pdf, par_bounds, "tmu_tilde", "tmu")
    init_pars, par_bounds = not_negative(pdf, init_pars, par_bounds)
    return _two_sided(mu, data, pdf, init_pars, par_bounds, fixed_params, return_fitted_pars)


def q0(
    mu: Any,
    data: Any,
    pdf: Any,
    init_pars: Any,
    par_bounds: Any,
    fixed_params: Any,
    return_fitted_pars: bool = False,
) -> Any:
    r"""Discovery test statistic :math:`q_0`: Equation (12).

    :math:`-2 \ln \lambda(0)` where :math:`\hat\mu \ge 0`, 0 below.

    Args:
        mu: q0 tests 0, and says so where another value is given.
        data: As for `qmu`.
        pdf: As for `qmu`.
        init_pars: As for `qmu`.
        par_bounds: As for `qmu`.
        fixed_params: As for `qmu`.
        return_fitted_pars: As for `qmu`.

    Returns:
        As `qmu`.

    Raises:
        As `qmu`.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [60, 65] + model.config.auxdata
        >>> bounds = model.config.suggested_bounds()
        >>> start = (model.config.suggested_init(), bounds, model.config.suggested_fixed())
        >>> round(float(pyhf.infer.test_statistics.q0(0.0, data, model, *start)), 6)
        2.983395
    """
    return _one_sided(Q0, mu, data, pdf, init_pars, par_bounds, fixed_params, return_fitted_pars)


def not_negative(pdf: Any, init_pars: Any, par_bounds: Any) -> tuple[Any, Any]:
    """Start values and bounds with which the best value of the POI is not negative; as they are where it is not."""
    poi = pdf.config.poi_index
    lower, upper = par_bounds[poi]
    if isinstance(lower, jax.core.Tracer) or not lower < 0:
        return init_pars, par_bounds
    init_pars, par_bounds = list(init_pars), list(par_bounds)
    par_bounds[poi] = (0.0, upper)
    if not isinstance(init_pars[poi], jax.core.Tracer):
        init_pars[poi] = max(init_pars[poi], 0.0)
    return init_pars, par_bounds


def tested_value(statistic: Statistic, mu: Any) -> Any:
    """The value that is tested; a warning is logged where another is asked for than the only one that can be."""
    if statistic.tested is None or not (isinstance(mu, jax.core.Tracer) or float(mu) != statistic.tested):
        return mu
    log.warning(f"{statistic.name} test statistic only used for fit configuration with POI set to zero. Setting mu=0.")
    return statistic.tested


def advise(statistic: Statistic, pdf: Any, par_bounds: Any) -> None:
    """Log a warning where the POI's bounds don't suit a test statistic for limits."""
    if statistic.sets_limits:
        fitting = Q if statistic.not_negative else QTILDE
        _advise(
            pdf,
            par_bounds,
            _FUNCTIONS[statistic.name].__name__,
            _FUNCTIONS[fitting.name].__name__,
            f'set test_stat="{fitting.name}"',
        )


_FUNCTIONS = {Q0.name: q0, Q.name: qmu, QTILDE.name: qmu_tilde}


def function_of(name: Any) -> Callable[..., Any]:
    """The function that computes the test statistic of a name.

    Raises:
        InvalidTestStatistic: There is no such test statistic.
    """
    if not isinstance(name, str) or name not in _FUNCTIONS:
        raise InvalidTestStatistic(f"test_stat: {unknown('test statistic', name, _FUNCTIONS, 'pyhf_func')}")
    return _FUNCTIONS[name]


def statistic_of(test_stat: Any = "qtilde", qtilde: bool | None = None) -> Statistic:
    """The test statistic that options of a test ask for; ``qtilde`` is that of older versions of pyhf.

    Raises:
        InvalidTestStatistic: There is no such test statistic.
    """
    if qtilde is not None:
        return QTILDE if qtilde else Q
    function_of(test_stat)
    return STATISTICS[test_stat]


def _advise(pdf: Any, par_bounds: Any, name: str, other: str, flag: str = "") -> None:
    lower = start_of(pdf, None, par_bounds, None)[1][pdf.config.poi_index][0]
    if isinstance(lower, jax.core.Tracer):
        return
    at_zero, wants_zero = float(lower) == 0.0, name.endswith("_tilde")
    if at_zero == wants_zero:
        return
    place = "not bounded at zero" if wants_zero else "bounded at zero"
    hint = f" From pyhf_func.infer.hypotest, {flag}." if flag else ""
    log.warning(
        f"{name} test statistic used for fit configuration with POI {place}.\n"
        f"Use the {other} test statistic (pyhf_func.infer.test_statistics.{other}) instead.{hint}"
    )


def _require_poi(pdf: Any) -> None:
    check_model(pdf)
    if pdf.config.poi_index is None:
        raise UnspecifiedPOI("No POI is defined. A POI is required for profile likelihood based test statistics.")


def _two_sided(
    mu: Any, data: Any, pdf: Any, init_pars: Any, par_bounds: Any, fixed_params: Any, return_fitted_pars: bool
) -> Any:
    start = (init_pars, par_bounds, fixed_params)
    conditional, at_conditional = fixed_poi_fit(mu, data, pdf, *start, return_fitted_val=True)
    free, at_free = fit(data, pdf, *start, return_fitted_val=True)
    tensorlib = backend_for(at_free)
    value = tensorlib.astensor(tensorlib.clip(at_conditional - at_free, 0.0, None))
    return (value, (conditional, free)) if return_fitted_pars else value


def _one_sided(
    statistic: Statistic,
    mu: Any,
    data: Any,
    pdf: Any,
    init_pars: Any,
    par_bounds: Any,
    fixed_params: Any,
    return_fitted_pars: bool,
) -> Any:
    _require_poi(pdf)
    advise(statistic, pdf, par_bounds)
    mu = tested_value(statistic, mu)
    if statistic.not_negative:
        init_pars, par_bounds = not_negative(pdf, init_pars, par_bounds)
    return one_sided(statistic, mu, data, pdf, (init_pars, par_bounds, fixed_params), return_fitted_pars)


def one_sided(
    statistic: Statistic, mu: Any, data: Any, pdf: Any, start: tuple[Any, Any, Any], return_fitted_pars: bool
) -> Any:
    """Twice the difference of the negative log-likelihoods; 0 where the best fit does not speak against ``mu``."""
    value, (conditional, free) = _two_sided(mu, data, pdf, *start, True)
    tensorlib = backend_for(value)
    counts = tensorlib.astensor(statistic.counts(free[pdf.config.poi_index], mu), dtype="bool")
    value = tensorlib.where(counts, value, tensorlib.astensor(0.0))
    return (value, (conditional, free)) if return_fitted_pars else value


read_whole((q0, qmu, qmu_tilde, tmu, tmu_tilde))
