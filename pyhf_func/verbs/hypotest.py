"""Hypothesis tests, scans, limits and discovery, by asymptotic formulae (arXiv:1007.1727)."""

from __future__ import annotations

from jax.typing import ArrayLike

from pyhf_func.compiled import Compiled
from pyhf_func.core import inference as _inference
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser
from pyhf_func.core.inference import DiscoveryResult, HypotestResult, LimitResult, ScanResult
from pyhf_func.core.statistics import TestStat
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import (
    check_tested,
    data_of,
    for_every_framework,
    level_of,
    number,
    of_interest,
    start_of_test,
    statistic_of,
    tested_values,
    traced_minimiser,
)

compiled_hypotest = Compiled(_inference.hypotest, static=2)
_compiled_scan = Compiled(_inference.scan, static=2, long=True)
_compiled_limit = Compiled(_inference.upper_limit, static=2)
_compiled_discovery = Compiled(_inference.discovery, static=1)


@for_every_framework
def hypotest(
    mu: ArrayLike,
    data: Numbers,
    model: AnyModel,
    *,
    test_stat: TestStat | str = "qtilde",
    poi: str | None = None,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> HypotestResult:
    """Test one value of the parameter of interest with asymptotic formulae (arXiv:1007.1727).

    Args:
        mu: The tested value; a scalar (`jax.vmap` for several).
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        model: The model.
        test_stat: For limits ``"qtilde"``, whose best value of the POI is not negative (Equation (16)) even where the
            bounds reach below zero, or ``"q"``, whose best value may be; ``"q0"`` for discovery, which tests 0 whatever
            ``mu`` is.
        poi: The parameter of interest; by default the model's.
        init: As for `fit`.
        bounds: As for `fit`.
        fixed: As for `fit`.
        minimiser: ``"newton"`` (our own, in JAX), ``"lbfgs"`` (optax), or one of `Newton`, `LBFGS`, `FirstOrder` with
            options. SciPy and Minuit run on the host: they cannot be part of a compiled computation.

    Returns:
        CLs and its parts, observed and expected, each with its own status, and the fits.

    Raises:
        UnspecifiedPOI: The model has no parameter of interest.
        InvalidModel: The parameter of interest is fixed.
        InvalidTestStatistic: There is no such test statistic.
        InvalidPdfData: The data have another shape, or a count is negative or not finite.
        InvalidPdfParameters: A name or shape does not fit the model, or a start value lies outside of its bounds.
        ValueError: ``mu`` is not finite, or negative and below the POI's lower bound, or with ``qtilde`` below zero.
        TypeError: An argument is of the wrong kind.

    Example:
        >>> import jax, pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [
        ...     {"name": "signal", "data": [12.0, 11.0],
        ...      "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        ...     {"name": "background", "data": [50.0, 52.0],
        ...      "modifiers": [{"name": "rate", "type": "shapesys", "data": [3.0, 7.0]}]}]}]})
        >>> data = [51.0, 48.0] + model.config.auxdata
        >>> round(float(pf.hypotest(1.0, data, model).cls), 8)
        0.05251553
        >>> round(float(jax.grad(lambda mu: pf.hypotest(mu, data, model).cls)(1.0)), 4)
        -0.222
    """
    model = of_interest(model, poi)
    tested, observed = number(mu, "mu", "pf.scan or jax.vmap"), data_of(model, data)
    statistic, chosen = statistic_of(test_stat), traced_minimiser(minimiser, "hypotest")
    start = start_of_test(model, init, bounds, fixed)
    check_tested(tested, statistic, model, start)
    return compiled_hypotest(chosen, statistic, tested, observed, model.likelihood, start)


@for_every_framework
def scan(
    mus: Numbers,
    data: Numbers,
    model: AnyModel,
    *,
    test_stat: TestStat | str = "qtilde",
    poi: str | None = None,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> ScanResult:
    """Test many values of the parameter of interest: `hypotest` at each, in one computation.

    The fits that do not depend on the tested value are made once; on a CPU each other one starts from its neighbour.

    Args:
        mus: The tested values; shape (n,). In order, they are scanned fastest.
        data: As for `hypotest`.
        model: As for `hypotest`.
        test_stat: As for `hypotest`.
        poi: As for `hypotest`.
        init: As for `hypotest`.
        bounds: As for `hypotest`.
        fixed: As for `hypotest`.
        minimiser: As for `hypotest`.

    Returns:
        CLs and its parts, observed and expected, for every value.

    Raises:
        As `hypotest`.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> result = pf.scan([0.5, 1.0, 1.5], [51, 48] + model.config.auxdata, model)
        >>> [round(float(cls), 4) for cls in result.cls]
        [0.3155, 0.0525, 0.0046]
    """
    model = of_interest(model, poi)
    tested, observed = tested_values(mus), data_of(model, data)
    statistic, chosen = statistic_of(test_stat), traced_minimiser(minimiser, "scan")
    start = start_of_test(model, init, bounds, fixed)
    check_tested(tested, statistic, model, start, "mus")
    return _compiled_scan(chosen, statistic, tested, observed, model.likelihood, start)


@for_every_framework
def upper_limit(
    data: Numbers,
    model: AnyModel,
    *,
    level: ArrayLike = 0.05,
    test_stat: TestStat | str = "qtilde",
    poi: str | None = None,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> LimitResult:
    """Upper limits on the parameter of interest: where CLs falls to the level, observed and expected.

    Found to a relative precision of 1e-8 in CLs. The tested values are not bounded: the POI's bounds hold for its best
    value only, and an upper bound that nobody has set (10, of a normfactor) not for that either. The limits can be
    differentiated with respect to data, level and every number of the model.

    Args:
        data: As for `hypotest`.
        model: As for `hypotest`.
        level: CLs at the limit: 1 - confidence level.
        test_stat: ``"qtilde"``, whose best value of the POI is not negative (Equation (16)), or ``"q"``, whose best
            value may be.
        poi: As for `hypotest`.
        init: As for `hypotest`.
        bounds: As for `hypotest`.
        fixed: As for `hypotest`.
        minimiser: As for `hypotest`.

    Returns:
        The observed and the five expected limits, each with its own status, and the fits there.

    Raises:
        UnspecifiedPOI: The model has no parameter of interest.
        InvalidModel: The parameter of interest is fixed.
        InvalidTestStatistic: There is no such test statistic for limits.
        InvalidPdfData: The data have another shape, or a count is negative or not finite.
        InvalidPdfParameters: A name or shape does not fit the model, or a start value lies outside of its bounds.
        TypeError: An argument is of the wrong kind.
        ValueError: The level is not between 0 and 1.

    Warns:
        UserWarning: The level looks like a confidence level, such as 0.95.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> limit = pf.upper_limit([51, 48] + model.config.auxdata, model)
        >>> round(float(limit.observed), 4), [round(float(x), 4) for x in limit.expected]
        (1.0116, [0.5599, 0.757, 1.0624, 1.5012, 2.0508])
    """
    model = of_interest(model, poi)
    wanted, observed = level_of(level), data_of(model, data)
    statistic, chosen = statistic_of(test_stat, limits=True), traced_minimiser(minimiser, "upper_limit")
    start = start_of_test(model, init, bounds, fixed)
    return _compiled_limit(chosen, statistic, wanted, observed, model.likelihood, start)


@for_every_framework
def discovery(
    data: Numbers,
    model: AnyModel,
    *,
    poi: str | None = None,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> DiscoveryResult:
    """Test the background-only hypothesis: p0 and the significance, observed and expected for the nominal signal.

    Args:
        data: As for `hypotest`.
        model: As for `hypotest`.
        poi: As for `hypotest`.
        init: As for `hypotest`.
        bounds: As for `hypotest`.
        fixed: As for `hypotest`.
        minimiser: As for `hypotest`.

    Returns:
        p-values (Equation (52)) and significances (Equation (53)), each with its own status, and the fits.

    Raises:
        UnspecifiedPOI: The model has no parameter of interest.
        InvalidModel: The parameter of interest is fixed.
        InvalidPdfData: The data have another shape, or a count is negative or not finite.
        InvalidPdfParameters: A name or shape does not fit the model, or a start value lies outside of its bounds.
        TypeError: An argument is of the wrong kind.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> found = pf.discovery([68, 60] + model.config.auxdata, model)
        >>> round(float(found.z), 4), round(float(found.p0), 4)
        (2.2401, 0.0125)
    """
    model = of_interest(model, poi)
    observed = data_of(model, data)
    chosen, start = traced_minimiser(minimiser, "discovery"), start_of_test(model, init, bounds, fixed)
    return _compiled_discovery(chosen, observed, model.likelihood, start)
