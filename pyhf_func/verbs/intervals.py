"""Intervals, impacts, error bands of yields, goodness of fit."""

from __future__ import annotations

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtri
from jax.typing import ArrayLike

from pyhf_func.compiled import Compiled
from pyhf_func.core import inference as _inference
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser, chosen_minimiser
from pyhf_func.core.inference import GoodnessResult, ImpactResult, IntervalResult, Tables, YieldsResult
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import (
    check_poi,
    for_every_framework,
    number,
    one_place,
    places_of,
    problem_of,
    traced_minimiser,
)
from pyhf_func.verbs.fit import fitted, with_covariance

_compiled_intervals = Compiled(_inference.intervals, static=1)
_compiled_impacts = Compiled(_inference.impacts, static=1, long=True)
_compiled_yields = Compiled(_inference.yields, static=1)
_compiled_goodness = Compiled(_inference.goodness_of_fit)


@for_every_framework
def intervals(
    data: Numbers,
    model: AnyModel,
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
        minimiser: As for `hypotest`.

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
        >>> [round(float(x[0]), 4) for x in (found.lower, found.best, found.upper)]
        [3.6132, 4.0, 4.4134]
    """
    if confidence is None:
        height = number(sigmas, "sigmas", above=0.0)
    else:
        coverage = number(confidence, "confidence", above=0.0, below=1.0)
        height = ndtri((1 + coverage) / 2)
    places, chosen = places_of(model, parameters), traced_minimiser(minimiser, "intervals")
    problem = problem_of(model, data, init, bounds, fixed)
    return _compiled_intervals(chosen, problem, with_covariance(chosen, problem), places, height)


@for_every_framework
def impacts(
    data: Numbers,
    model: AnyModel,
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
        minimiser: As for `hypotest`.

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
    place = model.likelihood.space.poi if poi is None else np.asarray(one_place(model, poi, "poi"))
    chosen = traced_minimiser(minimiser, "impacts")
    problem = problem_of(model, data, init, bounds, fixed)
    return _compiled_impacts(chosen, problem, with_covariance(chosen, problem), place)


@for_every_framework
def yields(
    data: Numbers,
    model: AnyModel,
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
    shape, tables = tables_of(model)
    chosen, problem = chosen_minimiser(minimiser), problem_of(model, data, init, bounds, fixed)
    return _compiled_yields(shape, problem, with_covariance(chosen, problem), tables)


@for_every_framework
def goodness_of_fit(
    data: Numbers,
    model: AnyModel,
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
    chosen, problem = chosen_minimiser(minimiser), problem_of(model, data, init, bounds, fixed)
    return _compiled_goodness(problem, fitted(chosen, problem))


def tables_of(model: AnyModel) -> tuple[tuple[int, int], Tables]:
    """How many samples and channels a model has, and where its entries and bins go in tables of them."""
    names = model.config._names
    place, (n_samples, _) = names.by_sample()
    sizes = list(names.order.channel_nbins.values())
    channel = np.repeat(np.arange(len(sizes)), sizes)
    return (n_samples, len(sizes)), Tables(jnp.asarray(place), jnp.asarray(channel))
