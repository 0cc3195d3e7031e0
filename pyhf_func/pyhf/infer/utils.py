"""Calculators and test statistics by name."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pyhf_func._lookup import unknown
from pyhf_func.exceptions import InvalidCalculator
from pyhf_func.pyhf.infer import test_statistics
from pyhf_func.pyhf.infer.calculators import AsymptoticCalculator, ToyCalculator

log = logging.getLogger("pyhf_func.infer.utils")  # programs written for pyhf set its level

__all__ = ["create_calculator", "get_test_stat"]


def __dir__() -> list[str]:
    return __all__


def all_pois_floating(pdf: Any, fixed_params: Any) -> bool:
    """Whether the parameter of interest is free.

    Args:
        pdf: The model.
        fixed_params: Flags of the parameters that stay fixed; shape (npars,).
    """
    return not fixed_params[pdf.config.poi_index]


def create_calculator(calctype: str, *args: Any, **kwargs: Any) -> Any:
    """The calculator of a type.

    Args:
        calctype: ``"asymptotics"`` or ``"toybased"``.
        args: Arguments of `AsymptoticCalculator` or `ToyCalculator` (`pyhf_func.infer.calculators`).
        kwargs: Likewise.

    Raises:
        InvalidCalculator: There is no such calculator; it is a KeyError, too.

    Example:
        >>> import pyhf_func as pyhf
        >>> model = pyhf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [51, 48] + model.config.auxdata
        >>> calculator = pyhf.infer.utils.create_calculator("asymptotics", data, model, test_stat="qtilde")
        >>> round(float(calculator.teststatistic(1.0)), 6)
        0.140446
    """
    calculators = {"asymptotics": AsymptoticCalculator, "toybased": ToyCalculator}
    if not isinstance(calctype, str) or calctype not in calculators:
        raise InvalidCalculator(f"calctype: {unknown('calculator', calctype, calculators, 'pyhf_func')}")
    return calculators[calctype](*args, **kwargs)


def get_test_stat(name: str) -> Callable[..., Any]:
    """The test statistic of a name.

    Args:
        name: ``"q0"``, ``"q"`` or ``"qtilde"``.

    Raises:
        InvalidTestStatistic: There is no such test statistic.

    Example:
        >>> from pyhf_func.infer import test_statistics, utils
        >>> utils.get_test_stat("qtilde") is test_statistics.qmu_tilde
        True
    """
    return test_statistics.function_of(name)
