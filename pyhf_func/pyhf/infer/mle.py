"""Maximum likelihood fits."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import jax
import numpy as np

from pyhf_func._docs import read_whole
from pyhf_func._lookup import shown
from pyhf_func.core.arrays import argument
from pyhf_func.exceptions import InvalidPdfParameters, UnspecifiedPOI
from pyhf_func.pyhf.infer.arguments import check_model, check_problem
from pyhf_func.pyhf.optimize.arrays import bounds_array, given, kind, numbers
from pyhf_func.pyhf.optimize.engine import is_twice_nll
from pyhf_func.pyhf.tensor.manager import get_backend
from pyhf_func.verbs._arguments import no_model

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
    if not hasattr(pdf, "logpdf"):
        raise TypeError(no_model(pdf, "pdf"))
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
    check_problem(data, pdf)
    _, optimizer = get_backend()
    init_pars, par_bounds, fixed_params = start_of(pdf, init_pars, par_bounds, fixed_params)
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
    check_problem(data, pdf)
    poi = pdf.config.poi_index
    if poi is None:
        raise UnspecifiedPOI("No POI is defined. A POI is required to fit with a fixed POI.")
    init_pars, par_bounds, fixed_params = start_of(pdf, init_pars, par_bounds, fixed_params)
    init_pars, fixed_params = list(init_pars), list(fixed_params)
    init_pars[poi], fixed_params[poi] = one_value(poi_val), True
    return fit(data, pdf, init_pars, par_bounds, fixed_params, **kwargs)


def start_of(pdf: Any, init_pars: Any, par_bounds: Any, fixed_params: Any) -> tuple[Any, Any, Any]:
    """Start values, bounds and fixed flags of a fit: the given ones, and the model's suggestion where there are none.

    Raises:
        InvalidPdfParameters: They are not one for each parameter.
    """
    check_model(pdf)
    config = pdf.config
    init_pars = init_pars if _some(init_pars, "init_pars") else config.suggested_init()
    par_bounds = par_bounds if _some(par_bounds, "par_bounds") else config.suggested_bounds()
    fixed_params = fixed_params if _some(fixed_params, "fixed_params") else config.suggested_fixed()
    npars = getattr(config, "npars", len(init_pars))
    for name, values in (("init_pars", init_pars), ("par_bounds", par_bounds), ("fixed_params", fixed_params)):
        if len(values) != npars:
            raise InvalidPdfParameters(
                f"{name} has {len(values)} elements and the model {npars} parameters: give one for each, "
                f"in the order of model.config.par_names."
            )
    for name, values in (("init_pars", init_pars), ("fixed_params", fixed_params)):
        if isinstance(values, list | tuple) and not _NO_NUMBERS.isdisjoint(map(type, values)):
            raise InvalidPdfParameters(f"{name} is {shown(values)}; give a number or flag for each parameter.")
    if isinstance(par_bounds, list | tuple) and not _are_pairs(par_bounds):
        raise InvalidPdfParameters(f"par_bounds is {shown(par_bounds)}; give (lower, upper) for each parameter.")
    for name, values in (("init_pars", init_pars), ("par_bounds", par_bounds), ("fixed_params", fixed_params)):
        if isinstance(values, np.ndarray) and values.dtype.kind not in "fiub":
            raise InvalidPdfParameters(f"{name} is {shown(values)}; give numbers, or flags, for each parameter.")
    return init_pars, par_bounds, fixed_params


_NO_NUMBERS = frozenset((str, bytes, type(None), dict))


def _are_pairs(bounds: Any) -> bool:
    try:
        pairs = set(map(len, bounds)) <= {2} and str not in map(type, bounds)
        return pairs and _NO_NUMBERS.isdisjoint(map(type, chain.from_iterable(bounds)))
    except TypeError:
        return False


def _some(values: Any, name: str) -> bool:
    """Whether an optional list or array was given.

    Raises:
        InvalidPdfParameters: It is neither.
    """
    if isinstance(values, str | Mapping | set | frozenset) or (values is not None and not hasattr(values, "__len__")):
        raise InvalidPdfParameters(
            f"{name} is {shown(values)}; give a list or an array with one element for each parameter. "
            "The verbs, such as pyhf_func.fit, take names."
        )
    return given(values)


def one_value(poi_val: Any) -> Any:
    """A value of the parameter of interest; that of a list or array of one.

    Raises:
        ValueError: There are none, or several.
        TypeError: It is no number.
    """
    if isinstance(poi_val, str | Mapping | type(None)):
        raise TypeError(f"The value of the parameter of interest is {poi_val!r}; give a number.")
    if type(poi_val) is not float and kind(poi_val) is None:
        argument(poi_val, "The value of the parameter of interest")
    shape = tuple(np.shape(poi_val))
    if shape == ():
        return poi_val
    if shape == (1,):
        return poi_val[0]
    raise ValueError(
        f"The value of the parameter of interest has shape {shape}; give one number. "
        "pyhf_func.scan tests many values in one call."
    )


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


read_whole((fit, fixed_poi_fit))
