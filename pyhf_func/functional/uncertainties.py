"""Intervals, impacts, error bands of yields, goodness of fit."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import ndtri
from jax.typing import ArrayLike

from pyhf_func.core import inference as _inference
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiled import Compiled
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser, Problem
from pyhf_func.core.inference import GoodnessResult, ImpactResult, IntervalResult, Tables, YieldsResult
from pyhf_func.exceptions import InvalidPdfParameters
from pyhf_func.functional.arguments import check_poi, for_every_framework, one_number, start_of, traced_minimiser
from pyhf_func.functional.fits import covariance, fit
from pyhf_func.pdf import Model

_compiled_intervals = Compiled(_inference.intervals, static=1)
_compiled_impacts = Compiled(_inference.impacts, static=1, long=True)
_compiled_yields = Compiled(_inference.yields, static=1)
_compiled_goodness = Compiled(_inference.goodness_of_fit)


@for_every_framework
def intervals(
    data: Numbers,
    model: Model,
    parameters: str | Sequence[str] | None = None,
    *,
    sigmas: ArrayLike = 1.0,
    confidence: ArrayLike | None = None,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> IntervalResult:
    """Profile-likelihood intervals, as MINOS gives them, for any parameters in one computation.

    The ends are where -2 log of the profile likelihood ratio is ``sigmas**2``, to a relative precision of 1e-8 in
    its square root. They can be differentiated with respect to data, ``sigmas`` and every number of the model.

    Args:
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        model: The model.
        parameters: Names, one or several (``"name[i]"`` for a component, ``"name"`` for all of its components);
            by default all parameters.
        sigmas: Height of the interval in standard deviations.
        confidence: Coverage instead of ``sigmas``, such as 0.95.
        init: As for `fit`.
        bounds: As for `fit`. An end never lies beyond a bound: where that comes first, it is the end, and flagged.
        fixed: As for `fit`.
        minimiser: As for `fit`; not SciPy or Minuit.

    Returns:
        Both ends for each parameter, with the fits there.

    Raises:
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.
        ValueError: ``sigmas`` is not positive, or ``confidence`` not between 0 and 1.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [25.0],
        ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
        >>> found = pf.intervals([100.0], model, "mu")
        >>> round(float(found.lower[0]), 4), float(found.best[0]), round(float(found.upper[0]), 4)
        (3.6132, 4.0, 4.4134)
    """
    if confidence is None:
        height = one_number(sigmas, "sigmas", "jax.vmap")
        _check(height, 0.0, np.inf, "sigmas")
    else:
        coverage = one_number(confidence, "confidence", "jax.vmap")
        _check(coverage, 0.0, 1.0, "confidence")
        height = ndtri((1 + coverage) / 2)
    places = _places(model, parameters)
    chosen = traced_minimiser(minimiser, "intervals")
    around = covariance(data, model, init=init, bounds=bounds, fixed=fixed, minimiser=chosen)
    return _compiled_intervals(chosen, _problem(data, model, init, bounds, fixed), around, places, height)


@for_every_framework
def impacts(
    data: Numbers,
    model: Model,
    poi: str | None = None,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> ImpactResult:
    """Rank all other parameters by their impact on the parameter of interest.

    Each is held at four values in turn, its best value plus and minus the width of its constraint and plus and minus
    its standard error, and all others are fitted again; these fits are one computation. Impacts from the covariance
    come beside them.

    Args:
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        model: The model.
        poi: The parameter whose changes are told; by default the model's parameter of interest.
        init: As for `fit`.
        bounds: As for `fit`.
        fixed: As for `fit`.
        minimiser: As for `fit`; not SciPy or Minuit.

    Returns:
        Impacts, pulls and constraints, the largest impact first.

    Raises:
        UnspecifiedPOI: No parameter is named, and the model has no parameter of interest.
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [
        ...     {"name": "signal", "data": [20.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        ...     {"name": "background", "data": [50.0], "modifiers": [
        ...         {"name": "small", "type": "normsys", "data": {"lo": 0.98, "hi": 1.02}},
        ...         {"name": "large", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}]}]}]})
        >>> found = pf.impacts([70.0] + model.config.auxdata, model)
        >>> [model.config.par_names[place] for place in found.parameters]
        ['large', 'small']
        >>> [round(float(impact), 4) for impact in (found.postfit_up[0], found.postfit_down[0])]
        [-0.25, 0.25]
    """
    if poi is None:
        check_poi(model)
        place = model.likelihood.space.poi
    else:
        place = _places(model, poi)
        if place.shape != (1,):
            raise InvalidPdfParameters(f"{poi!r} has {place.shape[0]} components: name one, such as '{poi}[0]'.")
        place = place[0]
    chosen = traced_minimiser(minimiser, "impacts")
    around = covariance(data, model, init=init, bounds=bounds, fixed=fixed, minimiser=chosen)
    return _compiled_impacts(chosen, _problem(data, model, init, bounds, fixed), around, place)


@for_every_framework
def yields(
    data: Numbers,
    model: Model,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> YieldsResult:
    """Expected yields before and after the fit, by channel, sample and bin, with error bands.

    Errors are propagated linearly, with all correlations: before the fit from the widths of the constraints, after it
    from the covariance that the exact Hessian gives.

    Args:
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        model: The model.
        init: As for `fit`; the values before the fit of parameters without a constraint.
        bounds: As for `fit`.
        fixed: As for `fit`.
        minimiser: As for `fit`.

    Returns:
        Yields and their errors: in bins, and summed over samples, over the bins of each channel, and over both.

    Raises:
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> found = pf.yields([51, 48] + model.config.auxdata, model)
        >>> [round(float(x), 3) for x in found.prefit.total], [round(float(x), 3) for x in found.prefit.total_error]
        ([62.0, 63.0], [3.0, 7.0])
        >>> [round(float(x), 3) for x in found.postfit.total_error]
        [2.766, 4.928]
    """
    names = model.config._names
    place, (n_samples, _) = names.by_sample()
    sizes = names.order.channel_nbins.values()
    channel = np.repeat(np.arange(len(sizes)), list(sizes))
    tables = Tables(jnp.asarray(place), jnp.asarray(channel))
    fitted = covariance(data, model, init=init, bounds=bounds, fixed=fixed, minimiser=minimiser)
    shape = n_samples, len(sizes)
    return _compiled_yields(shape, _problem(data, model, init, bounds, fixed), fitted, tables)


@for_every_framework
def goodness_of_fit(
    data: Numbers,
    model: Model,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> GoodnessResult:
    """Goodness of fit: the likelihood ratio to the saturated model, and its p-value.

    Args:
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        model: The model.
        init: As for `fit`.
        bounds: As for `fit`.
        fixed: As for `fit`.
        minimiser: As for `fit`.

    Returns:
        The statistic, its degrees of freedom (bins less the parameters fitted without a constraint) and the p-value
        of the chi-squared distribution.

    Raises:
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [100.0, 100.0],
        ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
        >>> found = pf.goodness_of_fit([90.0, 110.0], model)
        >>> round(float(found.statistic), 4), int(found.degrees_of_freedom), round(float(found.p_value), 4)
        (2.0033, 1, 0.157)
    """
    free = fit(data, model, init=init, bounds=bounds, fixed=fixed, minimiser=minimiser)
    return _compiled_goodness(_problem(data, model, init, bounds, fixed), free)


def _problem(data: Numbers, model: Model, init: Init, bounds: Bounds, fixed: Fixed) -> Problem:
    return Problem(model.likelihood, model.checked_data(data), *start_of(model, init, bounds, fixed))


def _places(model: Model, parameters: str | Sequence[str] | None) -> Array:
    """Where parameters lie in the parameter vector.

    Raises:
        InvalidPdfParameters: There is no such parameter.
    """
    config = model.config
    if parameters is None:
        return jnp.arange(config.npars)
    components = {name: [place] for place, name in enumerate(config.par_names)}
    known = components | {name: list(range(s.start, s.stop)) for name, s in config.par_slices.items()}
    wanted = [parameters] if isinstance(parameters, str) else list(parameters)
    for name in wanted:
        if name not in known:
            raise InvalidPdfParameters(f"The model has no parameter {name!r}: choose from {list(components)}.")
    if not wanted:
        raise InvalidPdfParameters("Name at least one parameter; without the argument, all are taken.")
    return jnp.array([place for name in wanted for place in known[name]])


def _check(value: Array, low: float, high: float, name: str) -> None:
    """Refuse a number outside its range; a tracer is taken as it is."""
    if not isinstance(value, jax.core.Tracer) and not low < float(value) < high:
        kind = "be positive" if np.isinf(high) else f"lie between {low:g} and {high:g}"
        raise ValueError(f"{name} is {float(value)}; it must {kind}.")
