"""Tests of many values of the parameter of interest."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any, cast

from pyhf_func.core import inference as _engine
from pyhf_func.core.arrays import Numbers, floats
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser, Newton
from pyhf_func.core.inference import ScanResult
from pyhf_func.core.statistics import Statistic, TestStat
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import (
    check_tested,
    data_of,
    of_interest,
    start_of_test,
    statistic_of,
    tested_values,
    traced_minimiser,
)
from pyhf_func.verbs._pieces import check_pieces, in_pieces
from pyhf_func.verbs._verb import verb


@verb(_engine.scan, static=2, long=True)
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
    progress: bool = False,
    executor: Executor | None = None,
) -> ScanResult:
    """Test many values of the parameter of interest: `hypotest` at each, in one computation.

    The fits that do not depend on the tested value are made once; on a CPU each other one starts from its neighbour.

    Args:
        mus: The tested values; shape (n,). In order, they are scanned fastest.

    Returns:
        CLs and its parts, observed and expected, for every value.

    Raises:
        UnspecifiedPOI: The model has no parameter of interest.
        InvalidModel: The parameter of interest is fixed.
        InvalidTestStatistic: There is no such test statistic.
        InvalidPdfData: The data have another shape, or a count is negative or not finite.
        InvalidPdfParameters: A name or shape does not fit the model, or a start value lies outside of its bounds.
        ValueError: One of ``mus`` is not finite, or negative and below the POI's lower bound, or with ``qtilde`` below
            zero.
        TypeError: An argument is of the wrong kind.

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
    check_pieces(progress, executor)
    inputs = chosen, statistic, observed, model.likelihood, start
    return in_pieces(tests_of, inputs, tested, _engine.ONCE, "value", progress=progress, executor=executor)


def unchecked(
    mus: Numbers, data: Numbers, model: AnyModel, statistic: Statistic, *, progress: bool, executor: Executor | None
) -> ScanResult:
    """The tests of values that may be ones that no data could exclude: their status is bad then."""
    inputs = Newton(), statistic, data_of(model, data), model.likelihood, start_of_test(model, None, None, None)
    return in_pieces(tests_of, inputs, floats(mus), _engine.ONCE, "value", progress=progress, executor=executor)


def tests_of(inputs: tuple[Any, ...], mus: Any) -> ScanResult:
    """The tests of some values; ``inputs`` are all arguments of the program but these."""
    chosen, statistic, *rest = inputs
    return cast(ScanResult, scan.program(chosen, statistic, mus, *rest))
