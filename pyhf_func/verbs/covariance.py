"""The covariance of the parameters at the minimum."""

from __future__ import annotations

from collections.abc import Sequence

from pyhf_func.compiled import Compiled
from pyhf_func.core import inference as _engine
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser, Problem, chosen_minimiser
from pyhf_func.core.inference import CovarianceResult
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import places_of, problem_of
from pyhf_func.verbs._verb import verb
from pyhf_func.verbs.fit import fitted

_compiled_columns = Compiled(_engine.covariance_of)


@verb(_engine.covariance, on_host=True)
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
        parameters: Names, one or several (``"name[i]"`` for a component, ``"name"`` for all of its components), for
            their covariance alone: of few among thousands it takes a small part of the time and memory. By default
            all parameters.

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
    return covariance.program(problem, fitted(minimiser, problem))
