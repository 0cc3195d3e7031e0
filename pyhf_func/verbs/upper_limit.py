"""Upper limits on the parameter of interest."""

from __future__ import annotations

from jax.typing import ArrayLike

from pyhf_func.core import inference as _engine
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser
from pyhf_func.core.inference import LimitResult
from pyhf_func.core.statistics import TestStat
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import (
    data_of,
    level_of,
    of_interest,
    start_of_test,
    statistic_of,
    traced_minimiser,
)
from pyhf_func.verbs._verb import verb


@verb(_engine.upper_limit, static=2)
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
        level: CLs at the limit: 1 - confidence level.
        test_stat: ``"qtilde"``, whose best value of the POI is not negative (Equation (16)), or ``"q"``, whose best
            value may be.

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
    return upper_limit.program(chosen, statistic, wanted, observed, model.likelihood, start)
