"""Profile-likelihood intervals."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, cast

from jax.scipy.special import ndtri
from jax.typing import ArrayLike

from pyhf_func.core import inference as _engine
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser
from pyhf_func.core.inference import IntervalResult
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import (
    number,
    places_of,
    problem_of,
    traced_minimiser,
)
from pyhf_func.verbs._pieces import check_pieces, in_pieces
from pyhf_func.verbs._verb import verb
from pyhf_func.verbs.covariance import with_covariance


@verb(_engine.intervals, static=1)
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
    progress: bool = False,
    executor: Executor | None = None,
) -> IntervalResult:
    """Profile-likelihood intervals, as MINOS gives them, for any parameters in one computation.

    The ends are where -2 log of the profile likelihood ratio is ``sigmas**2``, to a relative precision of 1e-8 in
    its square root. They can be differentiated with respect to data, ``sigmas`` and every number of the model.

    Args:
        parameters: Names, one or several (``"name[i]"`` for a component, ``"name"`` for all of its components);
            by default all parameters.
        sigmas: Height of the interval in standard deviations.
        confidence: Coverage instead of ``sigmas``, such as 0.95.
        bounds: As for all fits. An end never lies beyond a bound: where that comes first, it is the end, and flagged.

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
    check_pieces(progress, executor)
    around = with_covariance(chosen, problem)
    inputs, shared = (chosen, problem, around, height), ("sigmas", "covariance")
    return in_pieces(_of, inputs, places, shared, "parameter", progress=progress, executor=executor)


def _of(inputs: tuple[Any, ...], places: Any) -> IntervalResult:
    """The intervals of some parameters."""
    chosen, problem, around, height = inputs
    return cast(IntervalResult, intervals.program(chosen, problem, around, places, height))
