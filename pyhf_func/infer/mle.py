"""Maximum likelihood fits."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from pyhf_func.exceptions import UnspecifiedPOI
from pyhf_func.optimize.arrays import bounds_array, given, numbers
from pyhf_func.optimize.engine import is_twice_nll
from pyhf_func.tensor.manager import get_backend

__all__ = ["fit", "fixed_poi_fit", "twice_nll"]


def __dir__() -> list[str]:
    return __all__


@is_twice_nll
def twice_nll(pars: Any, data: Any, pdf: Any) -> Any:
    r"""Twice the negative log-likelihood, :math:`-2 \ln L(\mu, \theta)`: what fits minimise.

    Args:
        pars: Parameters; shape (npars,).
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        pdf: The model.

    Returns:
        The value as a tensor of the shape of ``pdf.logpdf``: (1,).

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> pyhf.infer.mle.twice_nll(model.config.suggested_init(), data, model)
        array([30.77525435])
    """
    return -2 * pdf.logpdf(pars, data)


def fit(
    data: Any,
    pdf: Any,
    init_pars: Any = None,
    par_bounds: Any = None,
    fixed_params: Any = None,
    **kwargs: Any,
) -> Any:
    """Fit all parameters to data: the unconditional maximum of the likelihood.

    Args:
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        pdf: The model.
        init_pars: Start values, a list or array of shape (npars,); the model's suggestion by default.
        par_bounds: (lower, upper) of each parameter, shape (npars, 2); the model's suggestion by default.
        fixed_params: Flags of the parameters that stay at their start values, shape (npars,); likewise.
        kwargs: Options of the optimizer's ``minimize``, such as ``return_fitted_val=True``.

    Returns:
        The parameters at the maximum, shape (npars,), or a tuple with what else was asked for, as
        `pyhf_func.optimize.mixins.OptimizerMixin.minimize` describes it.

    Raises:
        ValueError: A start value lies outside of its bounds.
        FailedMinimization: The fit did not converge.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> pars, twice_nll = pyhf.infer.mle.fit(data, model, return_fitted_val=True)
        >>> pars.round(6) + 0.0
        array([0.      , 1.003051, 0.962681])
        >>> round(float(twice_nll), 6)
        24.983935
    """
    _, optimizer = get_backend()
    init_pars = init_pars if given(init_pars) else pdf.config.suggested_init()
    par_bounds = par_bounds if given(par_bounds) else pdf.config.suggested_bounds()
    fixed_params = fixed_params if given(fixed_params) else pdf.config.suggested_fixed()
    check_start(init_pars, par_bounds)
    fixed_vals = [(index, value) for index, value in enumerate(init_pars) if fixed_params[index]]
    return optimizer.minimize(twice_nll, data, pdf, init_pars, par_bounds, fixed_vals, **kwargs)


def fixed_poi_fit(
    poi_val: Any,
    data: Any,
    pdf: Any,
    init_pars: Any = None,
    par_bounds: Any = None,
    fixed_params: Any = None,
    **kwargs: Any,
) -> Any:
    """Fit the other parameters to data with the parameter of interest fixed: the conditional maximum.

    Args:
        poi_val: The value of the parameter of interest.
        data: As for `fit`.
        pdf: As for `fit`.
        init_pars: As for `fit`.
        par_bounds: As for `fit`.
        fixed_params: As for `fit`.
        kwargs: As for `fit`.

    Returns:
        As `fit`; the parameter of interest is among the parameters.

    Raises:
        UnspecifiedPOI: The model has no parameter of interest.
        ValueError: A start value, or ``poi_val``, lies outside of its bounds.
        FailedMinimization: The fit did not converge.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> pyhf.infer.mle.fixed_poi_fit(1.0, data, model).round(6)
        array([1.      , 0.972247, 0.875536])
    """
    poi = pdf.config.poi_index
    if poi is None:
        raise UnspecifiedPOI("No POI is defined. A POI is required to fit with a fixed POI.")
    init_pars = list(init_pars if given(init_pars) else pdf.config.suggested_init())
    fixed_params = list(fixed_params if given(fixed_params) else pdf.config.suggested_fixed())
    init_pars[poi], fixed_params[poi] = poi_val, True
    return fit(data, pdf, init_pars, par_bounds, fixed_params, **kwargs)


def check_start(init_pars: Any, par_bounds: Any) -> None:
    """Raise where a start value lies outside of its bounds; tracers are let through.

    Raises:
        ValueError: A start value lies outside of its bounds.
    """
    values, bounds = numbers(init_pars), bounds_array(par_bounds)
    plain = isinstance(values, np.ndarray) and isinstance(bounds, np.ndarray)
    if plain and np.all((bounds[:, 0] <= values) & (values <= bounds[:, 1])):
        return
    for index, (value, bounds) in enumerate(zip(init_pars, par_bounds, strict=False)):
        check_value(value, bounds, index)


def check_value(value: Any, bounds: Any, index: int) -> None:
    """Raise where the start value of a parameter lies outside of its bounds; tracers are let through.

    Raises:
        ValueError: It does.
    """
    lower, upper = bounds
    if any(isinstance(number, jax.core.Tracer) for number in (value, lower, upper)):
        return
    if not lower <= value <= upper:
        raise ValueError(
            f"The fit would start with parameter {index} at {value}, outside of its bounds ({lower}, {upper}). "
            "Change the value (init_pars, the POI, or inits in the measurement) or the bounds (par_bounds, or "
            "bounds in the measurement)."
        )
