"""Goodness of fit."""

from __future__ import annotations

from pyhf_func.core import inference as _engine
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser, chosen_minimiser
from pyhf_func.core.inference import GoodnessResult
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import problem_of
from pyhf_func.verbs._verb import verb
from pyhf_func.verbs.fit import fitted


@verb(_engine.goodness_of_fit, on_host=True)
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
    return goodness_of_fit.program(problem, fitted(chosen, problem))
