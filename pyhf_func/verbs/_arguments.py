"""How all verbs read their arguments: what can be known to be wrong is refused by name, before anything is traced.

Tracers are taken as they are; what is wrong with their values is in the status of the result.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func._files import check_folder
from pyhf_func._lookup import shown, unknown
from pyhf_func.core.arrays import Numbers, argument
from pyhf_func.core.arrays import count as count
from pyhf_func.core.compiler import Bounds, Fixed, Init, Start, place_of, resolve_start
from pyhf_func.core.fit import HostMinimiser, Minimiser, Newton, Problem, chosen_minimiser
from pyhf_func.core.statistics import STATISTICS, Statistic
from pyhf_func.core.statistics import names as statistic_names
from pyhf_func.core.values import bins
from pyhf_func.exceptions import (
    InvalidModel,
    InvalidPdfData,
    InvalidPdfParameters,
    InvalidTestStatistic,
    UnspecifiedPOI,
)
from pyhf_func.model import AnyModel, frozen
from pyhf_func.results.base import Result


def no_model(value: Any, name: str) -> str:
    """The message for a value that was given in place of a model: how it becomes one."""
    kind = type(value)
    if isinstance(value, Mapping) and "channels" in value:
        if "measurements" not in value:
            return f"{name} is a model's spec: give pyhf_func.Model(spec)."
        if hasattr(value, "model") and kind.__module__.startswith("pyhf_func."):
            return f"{name} is a workspace: give its model, workspace.model()."
        return f"{name} is a workspace's document: give the model of it, pyhf_func.Workspace(document).model()."
    if kind.__module__.split(".")[0] == "pyhf":
        return (
            f"{name} is a model of pyhf, not of pyhf_func: give pyhf_func.Model(model.spec, "
            "poi_name=model.config.poi_name), or the model of a pyhf_func.Workspace."
        )
    return f"{name} is {'None' if value is None else f'of type {kind.__name__}'}; give a pyhf_func.Model."


def data_of(model: AnyModel, data: Numbers) -> Array:
    """Data as an array of the right shape, of counts that are there.

    Raises:
        InvalidPdfData: The shape is another one, a number is not finite, or a count negative.
    """
    array = model.checked_data(data)
    if isinstance(array, jax.core.Tracer):
        return array
    lowest = model.config._names.lowest_data
    values = np.asarray(array)
    there = (values >= lowest) & (values < np.inf)
    if there.all():
        return array
    wrong = np.flatnonzero(~there)
    shown_values = ", ".join(f"{values[place]:g}" for place in wrong[:3])
    raise InvalidPdfData(
        f"data: {_places_of_data(model, wrong)} {'is' if len(wrong) == 1 else 'are'} {shown_values}"
        f"{', ...' * (len(wrong) > 3)}; observed events, and auxiliary counts, must be finite and not negative."
    )


def _places_of_data(model: AnyModel, places: np.ndarray) -> str:
    """Bins by channel, or the auxiliary data of parameters, in which the first of the places lie."""
    config = model.config
    for channel, where in config.channel_slices.items():
        here = [int(place) - where.start for place in places if where.start <= place < where.stop]
        if here:
            return f"channel {channel!r}, {bins(here)}"
    first = config.nmaindata
    for name in config.auxdata_order:
        size = config.par_slice(name).stop - config.par_slice(name).start
        if first <= places[0] < first + size:
            return f"the auxiliary data of {name!r}"
        first += size
    raise AssertionError("all data are main or auxiliary ones")


def start_of(model: AnyModel, init: Init, bounds: Bounds, fixed: Fixed, free: str | None = None) -> Start:
    """The start of the fits: the model's suggestions, overridden; a result does not fix the parameter ``free``."""
    names, space, slices = model.config._names.of_results, model.likelihood.space, model.config.par_slices
    if isinstance(fixed, Result):
        fixed = {name: value for name, value in fixed.values_for(names, "fixed").items() if name != free}
    if isinstance(init, Result):
        init = _inside(init.values_for(names, "init"), resolve_start(space, slices, None, bounds), slices)
    return resolve_start(space, slices, init, bounds, fixed)


def _inside(values: Mapping[str, Any], start: Start, slices: Mapping[str, slice]) -> Array:
    """Values of parameters that the model does not fix, inside of their bounds; others start where they would."""
    here = np if not any(isinstance(x, jax.core.Tracer) for x in (*start, *values.values())) else jnp
    pars = here.concatenate([here.asarray(values.get(name, start.init[place])) for name, place in slices.items()])
    return here.where(start.fixed, start.init, here.clip(pars, start.lower, start.upper))


def problem_of(model: AnyModel, data: Numbers, init: Init, bounds: Bounds, fixed: Fixed) -> Problem:
    """The fit of a model to data."""
    return Problem(model.likelihood, data_of(model, data), *start_of(model, init, bounds, fixed))


def start_of_test(model: AnyModel, init: Init, bounds: Bounds, fixed: Fixed) -> Start:
    """The start of the fits of a hypothesis test, which need the parameter of interest free.

    Raises:
        UnspecifiedPOI: There is none.
        InvalidModel: It is fixed.
    """
    check_poi(model)
    start = start_of(model, init, bounds, fixed, free=model.config.poi_name)
    poi = model.config.poi_index
    if not isinstance(start.fixed, jax.core.Tracer) and np.asarray(start.fixed)[..., poi].any():
        raise InvalidModel(
            f"The parameter of interest {model.config.poi_name!r} is fixed, and a hypothesis test needs it free: "
            "set its flag in fixed=, its suggested_fixed, or 'fixed' in the measurement, to False."
        )
    return start


def traced_minimiser(minimiser: Minimiser | HostMinimiser | str, verb: str) -> Minimiser:
    """A minimiser that can be part of a compiled computation.

    Raises:
        TypeError: It runs on the host.
    """
    chosen = chosen_minimiser(minimiser)
    if not isinstance(chosen, Newton) and isinstance(chosen, HostMinimiser):
        raise TypeError(
            f"minimiser: {verb} is one compiled computation, and {type(chosen).__name__} runs on the host; "
            "use 'newton', 'lbfgs' or FirstOrder."
        )
    return chosen


def of_interest(model: AnyModel, poi: Any) -> AnyModel:
    """The model with the parameter of interest that was asked for; with its own one for None.

    Raises:
        InvalidPdfParameters: There is no such parameter, or it has several components.
    """
    if poi is None:
        return model
    one_place(model, poi, "poi")
    return frozen(model).with_poi(poi)


def check_poi(model: AnyModel) -> None:
    """Refuse a model without a parameter of interest.

    Raises:
        UnspecifiedPOI: The model has none.
    """
    if model.config.poi_name is None:
        raise UnspecifiedPOI(
            "A hypothesis test needs a parameter of interest, and this model has none: "
            "name one when the model is built (poi_name=...)."
        )


def statistic_of(test_stat: Any, *, limits: bool = False) -> Statistic:
    """The test statistic of a name; with ``limits``, of those with which upper limits can be set.

    Raises:
        InvalidTestStatistic: There is no such test statistic.
    """
    known = statistic_names(limits=limits)
    if not isinstance(test_stat, str) or test_stat not in known:
        raise InvalidTestStatistic(f"test_stat: {unknown('test statistic', test_stat, known, 'This test')}")
    return STATISTICS[test_stat]


def number(value: Any, name: str, several: str = "jax.vmap", *, above: float = -np.inf, below: float = np.inf) -> Array:
    """A finite number between two others, as an array of shape (), to be given to a compiled function.

    Raises:
        TypeError: It is not a number.
        ValueError: There are several, or it is not finite or not in the range.
    """
    array = argument(value, name)
    if array.shape != ():
        raise ValueError(f"{name} has shape {array.shape}; give one value, and use {several} for several.")
    if not isinstance(array, jax.core.Tracer) and not above < float(array) < below:
        raise ValueError(f"{name} is {float(array):g}; it must {_range(above, below)}.")
    return array


def _range(above: float, below: float) -> str:
    if np.isinf(below):
        return "be positive and finite" if above == 0 else f"be finite{'' if np.isinf(above) else f', above {above:g}'}"
    return f"lie between {above:g} and {below:g}"


def tested_values(values: Any) -> Array:
    """The tested values of a scan; shape (n,).

    Raises:
        TypeError: They are not numbers.
        ValueError: They have another shape, or are not finite.
    """
    tested = argument(values, "mus")
    if tested.ndim != 1 or not tested.shape[0]:
        raise ValueError(f"mus has shape {tested.shape}; give the tested values with shape (n,), n at least 1.")
    if not isinstance(tested, jax.core.Tracer) and not np.all(np.isfinite(tested)):
        raise ValueError(f"mus has {float(tested[~np.isfinite(tested)][0])} among the tested values; give finite ones.")
    return tested


def check_tested(tested: Array, statistic: Statistic, model: AnyModel, start: Start, name: str = "mu") -> None:
    """Refuse a negative tested value where the best value is never negative or the POI's lower bound lies above it.

    No data could exclude it.

    Raises:
        ValueError: It is.
    """
    if statistic.tested is not None or isinstance(tested, jax.core.Tracer):
        return
    lowest = float(np.min(tested) if tested.ndim else tested)
    if lowest >= 0 or isinstance(start.lower, jax.core.Tracer):
        return
    bound = float(np.asarray(start.lower)[model.config.poi_index])
    if statistic.not_negative:
        bound = max(bound, 0.0)
    if lowest < bound:
        poi = model.config.poi_name
        raise ValueError(
            f"{name} is {lowest:g}, a negative value below {bound:g}, the least best value of {poi!r} in this test: no "
            f"data could exclude it. Lower its bound (bounds=, or in the measurement) and test with the statistic 'q'."
        )


def level_of(level: Any) -> Array:
    """The level of upper limits, CLs there, as an array of shape ().

    Raises:
        TypeError: It is not a number.
        ValueError: It is not between 0 and 1.

    Warns:
        UserWarning: It looks like a confidence level.
    """
    array = number(level, "level")
    if not isinstance(array, jax.core.Tracer):
        check_level(float(array), stacklevel=4)
    return array


def check_level(level: float, stacklevel: int = 2) -> None:
    """Raise unless the level of upper limits is valid, and warn of one that looks like a confidence level.

    Raises:
        ValueError: It is not between 0 and 1.

    Warns:
        UserWarning: It is at least 0.68: such a limit lies below the best value.
    """
    what = f"level is {level:g}; it is CLs at the limit, 1 - confidence level"
    percent = level if 1 < level < 100 else 100 * level
    advice = f"for {percent:g}% confidence give {1 - percent / 100:.3g}"
    if not 0 < level < 1:
        raise ValueError(f"{what}, and must lie between 0 and 1{f': {advice}' * (50 < percent < 100)}.")
    if level >= 0.68:
        warnings.warn(f"{what}: {advice}.", UserWarning, stacklevel=stacklevel)


def check_flag(value: Any, name: str) -> None:
    """Raise unless the value is true or false.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {shown(value)}; give True or False.")


def check_path(path: Any, name: str) -> None:
    """Raise unless this is the path of a file in a folder that can be written to.

    Raises:
        TypeError: It is not a path.
        ValueError: It names no file.
        OSError: The folder does not exist, or can't be written to.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{name} is {shown(path)}; give the path of a file.")
    if not os.path.basename(path):
        raise ValueError(f"{name} is {shown(path)}; give the path of a file.")
    check_folder(path)


def random_key(key: Any) -> Array:
    """One key of JAX's random numbers, of the new kind.

    Raises:
        TypeError: It is something else.
    """
    if isinstance(key, jax.Array):
        if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ():
            return key
        if key.dtype == jnp.uint32 and key.shape == (2,):
            return jax.random.wrap_key_data(key)
    raise TypeError(f"key is {shown(key)}; give one key of JAX's random numbers, such as jax.random.key(0).")


def places_of(model: AnyModel, parameters: Any, name: str = "parameters") -> np.ndarray:
    """Where parameters lie in the parameter vector: one name, or several; None for all.

    Raises:
        InvalidPdfParameters: There is no such parameter, or no name.
    """
    if parameters is None:
        return np.arange(model.config.npars)
    if not isinstance(parameters, str) and not hasattr(parameters, "__iter__"):
        raise InvalidPdfParameters(f"{name} is {shown(parameters)}; give names of parameters.")
    slices = model.config.par_slices
    wanted = [place_of(slices, one, name) for one in ([parameters] if isinstance(parameters, str) else parameters)]
    if not wanted:
        raise InvalidPdfParameters(f"{name}: name at least one parameter; without the argument, all are taken.")
    return np.concatenate([np.arange(place.start, place.stop) for place in wanted])


def one_place(model: AnyModel, parameter: Any, name: str) -> int:
    """Where one component lies in the parameter vector.

    Raises:
        InvalidPdfParameters: There is no such parameter, or it has several components.
    """
    place = place_of(model.config.par_slices, parameter, name)
    if place.stop - place.start != 1:
        raise InvalidPdfParameters(
            f"{name}: {parameter!r} has {place.stop - place.start} components; name one, such as '{parameter}[0]'."
        )
    return place.start
