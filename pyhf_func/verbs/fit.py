"""Fits, profiles of the likelihood, and uncertainties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax import Array

from pyhf_func._lookup import shown
from pyhf_func.compiled import Compiled
from pyhf_func.core import fit as _fit
from pyhf_func.core import inference as _inference
from pyhf_func.core.arrays import Numbers, argument
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import FitResult, HostMinimiser, Minimiser, Problem, chosen_minimiser
from pyhf_func.core.inference import CovarianceResult, ProfileResult
from pyhf_func.exceptions import InvalidPdfParameters
from pyhf_func.model import AnyModel
from pyhf_func.results.base import named
from pyhf_func.verbs._arguments import for_every_framework, one_place, places_of, problem_of, traced_minimiser

_compiled_description = Compiled(_fit.describe)
_compiled_profile = Compiled(_inference.profile, static=1, long=True)
_compiled_covariance = Compiled(_inference.covariance)
_compiled_columns = Compiled(_inference.covariance_of)


@for_every_framework
def fit(
    data: Numbers,
    model: AnyModel,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> FitResult:
    """Fit the model's parameters to data: the minimum of -2 log L inside the bounds.

    Args:
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        model: The model.
        init: Start values: an array of shape (npars,), or a mapping from names to values; or a result of any verb, for
            its best values of the parameters that the model has, too.
        bounds: An array of shape (npars, 2), or a mapping from names to (lower, upper).
        fixed: Flags of shape (npars,); or a mapping from names to the values to fix them at (``True``: at the
            start value, ``False``: free); or names to fix at their start values; or a result, to fix all parameters
            that the model has, too, at its best values (in a hypothesis test all but the parameter of interest).
        minimiser: ``"newton"`` (our own, in JAX), ``"lbfgs"`` (optax), ``"scipy"``, ``"minuit"``, or one of
            `Newton`, `LBFGS`, `FirstOrder`, `SciPy`, `Minuit` with options. SciPy and Minuit run on the host:
            they can't be compiled, mapped or differentiated.

    Returns:
        The minimum. It can be differentiated, any number of times, by the implicit function theorem. Whether the
        fit converged is in its ``status``: nothing is raised.

    Raises:
        InvalidPdfData: The data have another shape, or a count is negative or not finite.
        InvalidPdfParameters: A name or shape does not fit the model, or a start value lies outside of its bounds.
        InvalidOptimizer: There is no such minimiser, or the package that it needs is not installed.
        TypeError: An argument is of the wrong kind.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [5.0],
        ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
        >>> result = pf.fit([12.0], model)
        >>> round(float(result.pars[0]), 6), pf.Status(int(result.status)).name
        (2.4, 'CONVERGED')
    """
    chosen = chosen_minimiser(minimiser)
    return fitted(chosen, problem_of(model, data, init, bounds, fixed))


def fitted(minimiser: Minimiser | HostMinimiser, problem: Problem) -> FitResult:
    """The minimum of a problem."""
    if isinstance(minimiser, HostMinimiser):
        return _compiled_description(problem, minimiser.minimise_on_host(problem))
    return _fit.compiled_fit(minimiser, problem)


@for_every_framework
def profile(
    values: Mapping[str, Numbers],
    data: Numbers,
    model: AnyModel,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> ProfileResult:
    """The profile likelihood on a grid of values of one or more parameters: all others are fitted at each point.

    Args:
        values: From parameter names (``"name[i]"`` for a component) to values, shape (n,) each. Several parameters
            span a grid of shape (n1, n2, ...).
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        model: The model.
        init: As for `fit`.
        bounds: As for `fit`.
        fixed: As for `fit`.
        minimiser: As for `hypotest`.

    Returns:
        -2 log of the profile likelihood ratio on the grid, and the fits.

    Raises:
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [100.0],
        ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
        >>> result = pf.profile({"mu": [0.9, 1.0, 1.1]}, [100.0], model)
        >>> [round(float(x), 3) for x in result.ratio]
        [1.072, 0.0, 0.938]
    """
    places, axes = _axes(model, values)
    chosen = traced_minimiser(minimiser, "profile")
    found = _compiled_profile(chosen, problem_of(model, data, init, bounds, fixed), places, axes)
    return named(found, model.config._names.of_results.with_axes(tuple(values)))


def _axes(model: AnyModel, values: Any) -> tuple[np.ndarray, list[Array]]:
    """Places and values of the parameters that span a grid.

    Raises:
        InvalidPdfParameters: There is no such parameter, none, or none of its values.
        TypeError, ValueError: The values are not finite numbers.
    """
    if not isinstance(values, Mapping) or not values:
        raise InvalidPdfParameters(
            f"values is {shown(values)}; name at least one parameter and its values, such as {{'mu': [0.0, 0.5, 1.0]}}."
        )
    places = np.array([one_place(model, name, "values") for name in values])
    axes = [argument(axis, f"values[{name!r}]") for name, axis in values.items()]
    if any(axis.ndim != 1 or axis.shape[0] == 0 for axis in axes):
        shapes = {name: axis.shape for name, axis in zip(values, axes, strict=True)}
        raise InvalidPdfParameters(f"The values of each parameter need shape (n,), n at least 1; these have {shapes}.")
    for name, axis in zip(values, axes, strict=True):
        if not isinstance(axis, jax.core.Tracer) and not np.all(np.isfinite(axis)):
            raise ValueError(f"values[{name!r}] holds a value that is not finite.")
    return places, axes


@for_every_framework
def covariance(
    data: Numbers,
    model: AnyModel,
    parameters: str | Sequence[str] | None = None,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> CovarianceResult:
    """Fit, and give the covariance of the parameters from the exact Hessian at the minimum.

    Args:
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        model: The model.
        parameters: Names, one or several (``"name[i]"`` for a component, ``"name"`` for all of its components), for
            their covariance alone: of few among thousands it takes a small part of the time and memory. By default
            all parameters.
        init: As for `fit`.
        bounds: As for `fit`.
        fixed: As for `fit`.
        minimiser: As for `fit`.

    Returns:
        Covariance, correlations and standard errors. Parameters that are fixed or lie at a bound (``at_bound`` of the
        fit) have none: their rows are zero. Of parameters that are named, the rows are in the order of the names, and
        ``parameters`` has their places; the status is that of these.

    Raises:
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [25.0],
        ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
        >>> round(float(pf.covariance([100.0], model).errors[0]), 4)
        0.4
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> found = pf.covariance([61, 58, *model.config.auxdata], model, ["mu", "uncorr_bkguncrt[1]"])
        >>> print(found.table())
        parameter           value        at_bound
        mu                  0.79 ± 0.55     False
        uncorr_bkguncrt[1]  0.98 ± 0.11     False
    """
    chosen = chosen_minimiser(minimiser)
    problem = problem_of(model, data, init, bounds, fixed)
    if parameters is None:
        return with_covariance(chosen, problem)
    return _compiled_columns(problem, fitted(chosen, problem), places_of(model, parameters))


def with_covariance(minimiser: Minimiser | HostMinimiser, problem: Problem) -> CovarianceResult:
    """The minimum of a problem, with the covariance there."""
    return _compiled_covariance(problem, fitted(minimiser, problem))
