"""Fits, profiles of the likelihood, and uncertainties."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp

from pyhf_func.core import fit as _fit
from pyhf_func.core import inference as _inference
from pyhf_func.core.arrays import Numbers, floats
from pyhf_func.core.compiled import Compiled
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import FitResult, HostMinimiser, Minimiser, Problem, chosen_minimiser
from pyhf_func.core.inference import CovarianceResult, ProfileResult
from pyhf_func.exceptions import InvalidPdfParameters
from pyhf_func.functional.arguments import for_every_framework, start_of, traced_minimiser
from pyhf_func.pdf import Model

_compiled_description = Compiled(_fit.describe)
_compiled_profile = Compiled(_inference.profile, static=1, long=True)
_compiled_covariance = Compiled(_inference.covariance)


@for_every_framework
def fit(
    data: Numbers,
    model: Model,
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
        init: Start values: an array of shape (npars,), or a mapping from names to values.
        bounds: An array of shape (npars, 2), or a mapping from names to (lower, upper).
        fixed: Flags of shape (npars,); or a mapping from names to the values to fix them at (``True``: at the
            start value, ``False``: free); or names to fix at their start values.
        minimiser: ``"newton"`` (our own, in JAX), ``"lbfgs"`` (optax), ``"scipy"``, ``"minuit"``, or one of
            `Newton`, `LBFGS`, `FirstOrder`, `SciPy`, `Minuit` with options. SciPy and Minuit run on the host:
            they can't be compiled, mapped or differentiated.

    Returns:
        The minimum. It can be differentiated, any number of times, by the implicit function theorem. Whether the
        fit converged is in its ``status``: nothing is raised.

    Raises:
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [5.0],
        ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
        >>> result = pf.fit([12.0], model)
        >>> round(float(result.pars[0]), 6), pf.Status(int(result.status)).name
        (2.4, 'CONVERGED')
    """
    problem = Problem(model.likelihood, model.checked_data(data), *start_of(model, init, bounds, fixed))
    chosen = chosen_minimiser(minimiser)
    if isinstance(chosen, HostMinimiser):
        return _compiled_description(problem, chosen.minimise_on_host(problem))
    return _fit.compiled_fit(chosen, problem)


@for_every_framework
def profile(
    values: Mapping[str, Numbers],
    data: Numbers,
    model: Model,
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
        minimiser: As for `fit`; not SciPy or Minuit.

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
    names = model.config.par_names
    for name in values:
        if name not in names:
            raise InvalidPdfParameters(f"The model has no parameter {name!r}: choose from {names}.")
    if not values:
        raise InvalidPdfParameters("Name at least one parameter and its values, such as {'mu': [0.0, 0.5, 1.0]}.")
    axes = [floats(value) for value in values.values()]
    if any(axis.ndim != 1 or axis.size == 0 for axis in axes):
        shapes = {name: axis.shape for name, axis in zip(values, axes, strict=True)}
        raise InvalidPdfParameters(f"The values of each parameter need shape (n,), n at least 1; these have {shapes}.")
    problem = Problem(model.likelihood, model.checked_data(data), *start_of(model, init, bounds, fixed))
    chosen = traced_minimiser(minimiser, "profile")
    return _compiled_profile(chosen, problem, jnp.array([names.index(name) for name in values]), axes)


@for_every_framework
def covariance(
    data: Numbers,
    model: Model,
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
        init: As for `fit`.
        bounds: As for `fit`.
        fixed: As for `fit`.
        minimiser: As for `fit`.

    Returns:
        Covariance, correlations and standard errors. Parameters that are fixed or lie at a bound (``at_bound`` of the
        fit) have none: their rows are zero.

    Raises:
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [25.0],
        ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
        >>> round(float(pf.covariance([100.0], model).errors[0]), 4)
        0.4
    """
    found = fit(data, model, init=init, bounds=bounds, fixed=fixed, minimiser=minimiser)
    start = start_of(model, init, bounds, fixed)
    return _compiled_covariance(Problem(model.likelihood, model.checked_data(data), *start), found)
