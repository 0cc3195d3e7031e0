"""Start values, bounds and fixed parameters for one fit: the suggested ones, changed by name or as full arrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
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
        InvalidPdfParameters: a name that is not a parameter, or a shape that does not fit.
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
    if isinstance(fixed, str):
        fixed = (fixed,)
    if isinstance(fixed, Mapping):
        for name, value in fixed.items():
            flags = _set(flags, slices, name, value is not False, "fixed")
            if not isinstance(value, bool):
                start = _set(start, slices, name, value, "fixed")
    elif isinstance(fixed, list | tuple | set | frozenset) and fixed and all(isinstance(name, str) for name in fixed):
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
