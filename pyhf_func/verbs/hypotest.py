"""The test of one value of the parameter of interest, by asymptotic formulae (arXiv:1007.1727)."""

from __future__ import annotations

from jax.typing import ArrayLike

from pyhf_func.core import inference as _engine
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser
from pyhf_func.core.inference import HypotestResult
from pyhf_func.core.statistics import TestStat
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import (
    check_tested,
    data_of,
    number,
    of_interest,
    start_of_test,
    statistic_of,
    traced_minimiser,
)
from pyhf_func.verbs._verb import verb


@verb(_engine.hypotest, static=2)
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
    return hypotest.program(chosen, statistic, tested, observed, model.likelihood, start)
