"""The fit of all parameters."""

from __future__ import annotations

from pyhf_func.compiled import Compiled
from pyhf_func.core import fit as _fit
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import FitResult, HostMinimiser, Minimiser, Problem, chosen_minimiser
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import problem_of
from pyhf_func.verbs._verb import verb

_compiled_description = Compiled(_fit.describe)


@verb(on_host=True)
def fit(
    data: Numbers,
    model: AnyModel,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> FitResult:
    """Fit the model's parameters to data: the minimum of -2 log L inside the bounds.

    Returns:
        The minimum. It can be differentiated, any number of times, by the implicit function theorem. Whether the
        fit converged is in its ``status``: nothing is raised.

    Raises:
        InvalidPdfData: The data have another shape, or a count is negative or not finite.
        InvalidPdfParameters: A name or shape does not fit the model, or a start value lies outside of its bounds.
        InvalidOptimizer: There is no such minimiser, or the package that it needs is not installed.
        TypeError: An argument is of the wrong kind.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [5.0],
        ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
        >>> result = pf.fit([12.0], model)
        >>> round(float(result.pars[0]), 6), pf.Status(int(result.status)).name
        (2.4, 'CONVERGED')
    """
    chosen = chosen_minimiser(minimiser)
    return fitted(chosen, problem_of(model, data, init, bounds, fixed))


def fitted(minimiser: Minimiser | HostMinimiser, problem: Problem) -> FitResult:
    """The minimum of a problem."""
    if isinstance(minimiser, HostMinimiser):
        return _compiled_description(problem, minimiser.minimise_on_host(problem))
    return _fit.compiled_fit(minimiser, problem)
