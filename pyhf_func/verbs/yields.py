"""Yields before and after the fit."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from pyhf_func.core import inference as _engine
from pyhf_func.core.arrays import Numbers
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser, chosen_minimiser
from pyhf_func.core.inference import Tables, YieldsResult
from pyhf_func.model import AnyModel
from pyhf_func.verbs._arguments import problem_of
from pyhf_func.verbs._verb import verb
from pyhf_func.verbs.covariance import with_covariance


@verb(_engine.yields, static=1, on_host=True)
def yields(
    data: Numbers,
    model: AnyModel,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> YieldsResult:
    """Expected yields before and after the fit, by channel, sample and bin, with error bands.

    Errors are propagated linearly, with all correlations: before the fit from the widths of the constraints, after it
    from the covariance that the exact Hessian gives.

    Args:
        init: As for all fits. It gives the values before the fit of parameters without a constraint.

    Returns:
        Yields and their errors: in bins, and summed over samples, over the bins of each channel, and over both.

    Raises:
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> found = pf.yields([51, 48] + model.config.auxdata, model)
        >>> [round(float(x), 3) for x in found.prefit.total], [round(float(x), 3) for x in found.prefit.total_error]
        ([62.0, 63.0], [3.0, 7.0])
        >>> [round(float(x), 3) for x in found.postfit.total_error]
        [2.766, 4.928]
    """
    shape, tables = tables_of(model)
    chosen, problem = chosen_minimiser(minimiser), problem_of(model, data, init, bounds, fixed)
    return yields.program(shape, problem, with_covariance(chosen, problem), tables)


def tables_of(model: AnyModel) -> tuple[tuple[int, int], Tables]:
    """How many samples and channels a model has, and where its entries and bins go in tables of them."""
    names = model.config._names
    place, (n_samples, _) = names.by_sample()
    sizes = list(names.order.channel_nbins.values())
    channel = np.repeat(np.arange(len(sizes)), sizes)
    return (n_samples, len(sizes)), Tables(jnp.asarray(place), jnp.asarray(channel))
