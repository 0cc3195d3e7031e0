"""Start values, bounds and fixed parameters for one fit: the suggested ones, changed by name or as full arrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from pyhf_func.core.likelihood.structure import Space
from pyhf_func.exceptions import InvalidPdfParameters

Init = Mapping[str, ArrayLike] | ArrayLike | Sequence[Any] | None
Bounds = Mapping[str, Any] | ArrayLike | Sequence[Any] | None
Fixed = Mapping[str, Any] | ArrayLike | Collection[Any] | None


class Start(NamedTuple):
    """Where a fit starts and what it may move; arrays of shape (pars,)."""

    init: Array
    lower: Array
    upper: Array
    fixed: Array


def resolve_start(
    space: Space, slices: Mapping[str, slice], init: Init = None, bounds: Bounds = None, fixed: Fixed = None
) -> Start:
    """Apply overrides to the suggested start.

    ``init`` and ``bounds`` are full arrays, or mappings from parameter names (``"mu"``, or ``"gamma[3]"`` for one
    component) to values and to (lower, upper) pairs. ``fixed`` is a full array of flags; or a mapping from names
    to the values at which to fix them (``True`` for the start value, ``False`` to set a parameter free); or a
    collection of names to fix at their start values. Values may be tracers.

    Raises:
        InvalidPdfParameters: a name that is not a parameter, a shape that does not fit, or bounds without room.
    """
    start, lower, upper, flags = space.init, space.lower, space.upper, space.fixed
    n_pars = start.shape[-1]
    if isinstance(init, Mapping):
        for name, value in init.items():
            start = _set(start, slices, name, value, "init")
    elif init is not None:
        start = _full(init, (n_pars,), "init", start)
    if isinstance(bounds, Mapping):
        for name, pair in bounds.items():
            both = _pair(pair, name)
            lower = _set(lower, slices, name, both[..., 0], "bounds")
            upper = _set(upper, slices, name, both[..., 1], "bounds")
    elif bounds is not None:
        both = _full(bounds, (n_pars, 2), "bounds", start)
        lower, upper = both[:, 0], both[:, 1]
    if bounds is not None:
        _check_bounds(lower, upper, slices)
    if isinstance(fixed, str):
        fixed = (fixed,)
    if isinstance(fixed, Mapping):
        for name, value in fixed.items():
            is_flag = jnp.asarray(value).dtype == bool
            flags = _set(flags, slices, name, value if is_flag else True, "fixed")
            if not is_flag:
                start = _set(start, slices, name, value, "fixed")
    elif isinstance(fixed, list | tuple | set | frozenset) and all(isinstance(name, str) for name in fixed):
        for name in fixed:
            flags = _set(flags, slices, name, True, "fixed")
    elif fixed is not None:
        flags = _full(fixed, (n_pars,), "fixed", flags)
    return Start(start, lower, upper, flags)


def _place(slices: Mapping[str, slice], name: str, argument: str) -> slice:
    if name in slices:
        return slices[name]
    stem, bracket, rest = name.rpartition("[")
    if bracket and rest.endswith("]") and rest[:-1].isdigit() and stem in slices:
        index = slices[stem].start + int(rest[:-1])
        if index < slices[stem].stop:
            return slice(index, index + 1)
    raise InvalidPdfParameters(
        f"{argument}: {name!r} is not a parameter of the model. Its parameters are: {_listed(slices)}."
    )


def _listed(names: Collection[str], most: int = 12) -> str:
    shown = ", ".join(repr(name) for name in list(names)[:most])
    return shown if len(names) <= most else f"{shown}, … ({len(names)} in all, see model.config.par_names)"


def _set(target: Array, slices: Mapping[str, slice], name: str, value: Any, argument: str) -> Array:
    place = _place(slices, name, argument)
    value = jnp.asarray(value, target.dtype)
    if value.shape not in ((), (1,), (place.stop - place.start,)):
        raise InvalidPdfParameters(
            f"{argument}[{name!r}] has shape {value.shape}; give one number or {place.stop - place.start}."
        )
    return target.at[place].set(value)


def _check_bounds(lower: Array, upper: Array, slices: Mapping[str, slice]) -> None:
    """Refuse a lower bound that does not lie below the upper one, or at it; tracers are taken as they are."""
    if any(isinstance(bound, jax.core.Tracer) for bound in (lower, upper)):
        return
    low, high = np.asarray(lower), np.asarray(upper)
    for name, place in slices.items():
        pairs = list(zip(low[place].tolist(), high[place].tolist(), strict=True))
        if wrong := [pair for pair in pairs if not pair[0] <= pair[1]]:
            raise InvalidPdfParameters(f"bounds of {name!r} are {wrong[0]}; give (lower, upper), the lower one first.")


def _pair(pair: Any, name: str) -> Array:
    both = jnp.asarray(pair, float)
    if both.shape[-1:] != (2,):
        raise InvalidPdfParameters(f"bounds[{name!r}] has shape {both.shape}; give (lower, upper).")
    return both


def _full(value: Any, shape: tuple[int, ...], argument: str, like: Array) -> Array:
    array = jnp.asarray(value, like.dtype)
    if array.shape != shape:
        raise InvalidPdfParameters(f"{argument} has shape {array.shape}; the model needs {shape}.")
    return array
