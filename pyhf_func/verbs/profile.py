"""The profile likelihood on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func._lookup import shown
from pyhf_func.core import inference as _engine
from pyhf_func.core.arrays import Numbers, argument
from pyhf_func.core.compiler import Bounds, Fixed, Init
from pyhf_func.core.fit import HostMinimiser, Minimiser
from pyhf_func.core.inference import ProfileResult
from pyhf_func.exceptions import InvalidPdfParameters
from pyhf_func.model import AnyModel
from pyhf_func.results.base import named
from pyhf_func.verbs._arguments import one_place, problem_of, traced_minimiser
from pyhf_func.verbs._pieces import check_pieces, in_pieces
from pyhf_func.verbs._verb import verb


@verb(_engine.profile, static=1, long=True)
def profile(
    values: Mapping[str, Numbers],
    data: Numbers,
    model: AnyModel,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
    progress: bool = False,
    executor: Executor | None = None,
) -> ProfileResult:
    """The profile likelihood on a grid of values of one or more parameters: all others are fitted at each point.

    Args:
        values: From parameter names (``"name[i]"`` for a component) to values, shape (n,) each. Several parameters
            span a grid of shape (n1, n2, ...).

    Returns:
        -2 log of the profile likelihood ratio on the grid, and the fits.

    Raises:
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [100.0],
        ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
        >>> result = pf.profile({"mu": [0.9, 1.0, 1.1]}, [100.0], model)
        >>> [round(float(x), 3) for x in result.ratio]
        [1.072, 0.0, 0.938]
    """
    places, axes = _axes(model, values)
    chosen = traced_minimiser(minimiser, "profile")
    problem = problem_of(model, data, init, bounds, fixed)
    check_pieces(progress, executor)
    inputs, shared = (chosen, problem, places, axes[1:]), ("values", "free_fit")
    found = in_pieces(_of, inputs, axes[0], shared, "value", progress=progress, executor=executor)
    found = found._replace(values=tuple(map(jnp.asarray, axes)))
    return named(found, model.config._names.of_results.with_axes(tuple(values)))


def _of(inputs: tuple[Any, ...], values: Any) -> ProfileResult:
    """The points with some of the first parameter's values."""
    chosen, problem, places, others = inputs
    return cast(ProfileResult, profile.program(chosen, problem, places, [values, *others]))


def _axes(model: AnyModel, values: Any) -> tuple[np.ndarray, list[Array]]:
    """Places and values of the parameters that span a grid.

    Raises:
        InvalidPdfParameters: There is no such parameter, none, or none of its values.
        TypeError, ValueError: The values are not finite numbers.
    """
    if not isinstance(values, Mapping) or not values:
        raise InvalidPdfParameters(
            f"values is {shown(values)}; name at least one parameter and its values, such as {{'mu': [0.0, 0.5, 1.0]}}."
        )
    places = np.array([one_place(model, name, "values") for name in values])
    axes = [argument(axis, f"values[{name!r}]") for name, axis in values.items()]
    if any(axis.ndim != 1 or axis.shape[0] == 0 for axis in axes):
        shapes = {name: axis.shape for name, axis in zip(values, axes, strict=True)}
        raise InvalidPdfParameters(f"The values of each parameter need shape (n,), n at least 1; these have {shapes}.")
    for name, axis in zip(values, axes, strict=True):
        if not isinstance(axis, jax.core.Tracer) and not np.all(np.isfinite(axis)):
            raise ValueError(f"values[{name!r}] holds a value that is not finite.")
    return places, axes
