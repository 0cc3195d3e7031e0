"""Impacts of all parameters on the one of interest."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any, cast

import numpy as np

from pyhf_func.compiled import Compiled
from pyhf_func.core import inference as _engine
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser
from pyhf_func.core.inference import ImpactResult
from pyhf_func.core.inference.impacts import SHARED
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import (
    check_poi,
    one_place,
    problem_of,
    traced_minimiser,
)
from pyhf_func.verbs._pieces import check_pieces, in_pieces
from pyhf_func.verbs._verb import verb
from pyhf_func.verbs.covariance import with_covariance

_of_some = Compiled(_engine.impacts_of, static=1, long=True)
_ranked = Compiled(_engine.ranked)


@verb(_engine.impacts, static=1, long=True)
def impacts(
    data: Numbers,
    model: AnyModel,
    poi: str | None = None,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
    progress: bool = False,
    executor: Executor | None = None,
) -> ImpactResult:
    """Rank all other parameters by their impact on the parameter of interest.

    Each is held at four values in turn, its best value plus and minus the width of its constraint and plus and minus
    its standard error, and all others are fitted again; these fits are one computation. Impacts from the covariance
    come beside them.

    Args:
        poi: The parameter that moves; by default the model's parameter of interest.

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
    check_pieces(progress, executor)
    chosen = traced_minimiser(minimiser, "impacts")
    problem = problem_of(model, data, init, bounds, fixed)
    around = with_covariance(chosen, problem)
    inputs = chosen, problem, around, place
    if not progress and executor is None:
        return impacts.program(*inputs)
    others = np.delete(np.arange(len(model.config.par_names)), int(place))
    found = in_pieces(_of, inputs, others, SHARED, "parameter", progress=progress, executor=executor)
    return cast(ImpactResult, _ranked(found))


def _of(inputs: tuple[Any, ...], others: Any) -> ImpactResult:
    """The impacts of some parameters, not ranked."""
    return cast(ImpactResult, _of_some(*inputs, others))
