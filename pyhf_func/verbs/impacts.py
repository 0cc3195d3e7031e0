"""Impacts of all parameters on the one of interest."""

from __future__ import annotations

from typing import cast

import numpy as np
from jax import Array

from pyhf_func.compiled import Compiled
from pyhf_func.core import inference as _engine
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser
from pyhf_func.core.inference import ImpactResult
from pyhf_func.core.inference.impacts import SHARED
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import (
    check_flag,
    check_poi,
    one_place,
    problem_of,
    traced_minimiser,
)
from pyhf_func.verbs._pieces import in_pieces
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
    check_flag(progress, "progress")
    chosen = traced_minimiser(minimiser, "impacts")
    problem = problem_of(model, data, init, bounds, fixed)
    around = with_covariance(chosen, problem)
    if not progress:
        return impacts.program(chosen, problem, around, place)
    others = np.delete(np.arange(len(model.config.par_names)), int(place))

    def of(some: Array) -> ImpactResult:
        return _of_some(chosen, problem, around, place, some)

    return cast(ImpactResult, _ranked(in_pieces(of, others, problem, SHARED, "parameter")))
