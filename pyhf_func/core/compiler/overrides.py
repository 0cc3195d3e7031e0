"""Start values, bounds and fixed parameters for one fit: the suggested ones, changed by name or as full arrays.

All that is on the host is read and changed there: nothing is compiled, and what is refused is refused before that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from pyhf_func._lookup import shown
from pyhf_func.core.arrays import argument, is_flag
from pyhf_func.core.likelihood.structure import Space
from pyhf_func.exceptions import InvalidPdfParameters
from pyhf_func.results.names import place_of as place_of

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
        InvalidPdfParameters: A name that is not a parameter, a shape that does not fit, bounds without room, or a
            start value outside of its bounds.
        TypeError: Something else than a number.
    """
    start, lower, upper, flags = space.init, space.lower, space.upper, space.fixed
    if init is not None:
        start = _resolve_init(init, start, slices)
    if bounds is not None:
        lower, upper = _resolve_bounds(bounds, lower, upper, slices)
    if fixed is not None:
        start, flags = _resolve_fixed(fixed, start, flags, slices)
    if init is not None or fixed is not None:
        _check_start(space.init, Start(start, lower, upper, flags), slices)
    return Start(start, lower, upper, flags)


def _resolve_init(init: Any, start: Array, slices: Mapping[str, slice]) -> Array:
    if not isinstance(init, Mapping):
        return _whole(argument(init, "init"), start.shape, start, "init")
    for name, value in init.items():
        place = place_of(slices, name, "init")
        start = _put(start, place, _part(argument(value, f"init[{name!r}]"), place, f"init[{name!r}]"))
    return start


def _resolve_bounds(bounds: Any, lower: Array, upper: Array, slices: Mapping[str, slice]) -> tuple[Array, Array]:
    if isinstance(bounds, Mapping):
        for name, pair in bounds.items():
            place, what = place_of(slices, name, "bounds"), f"bounds[{name!r}]"
            both = _pairs(pair, what)
            if both.shape[-1:] != (2,):
                raise InvalidPdfParameters(f"{what} has shape {both.shape}; give (lower, upper).")
            lower = _put(lower, place, _part(both[..., 0], place, what))
            upper = _put(upper, place, _part(both[..., 1], place, what))
    else:
        both = _whole(_pairs(bounds, "bounds"), (*lower.shape, 2), lower, "bounds")
        lower, upper = both[..., 0], both[..., 1]
    if not _any_traced(lower, upper):
        _check_bounds(np.asarray(lower), np.asarray(upper), slices)
    return lower, upper


def _pairs(pairs: Any, what: str) -> Array:
    try:
        return argument(pairs, what)
    except TypeError as error:
        raise TypeError(
            f"{what} is {shown(pairs)}; give (lower, upper), two numbers: -inf or inf where there is no bound."
        ) from error


def _resolve_fixed(fixed: Any, start: Array, flags: Array, slices: Mapping[str, slice]) -> tuple[Array, Array]:
    if isinstance(fixed, str):
        fixed = (fixed,)
    if isinstance(fixed, Mapping):
        for name, value in fixed.items():
            place, what = place_of(slices, name, "fixed"), f"fixed[{name!r}]"
            new_flags = _flags(value)
            if new_flags is None:
                start, new_flags = _put(start, place, _part(_fixed_value(value, what), place, what)), np.True_
            flags = _put(flags, place, _part(new_flags, place, what))
        return start, flags
    names = isinstance(fixed, Collection) and not hasattr(fixed, "dtype")
    if names and (not len(fixed) or any(isinstance(name, str) for name in fixed)):
        for name in fixed:
            flags = _put(flags, place_of(slices, name, "fixed"), np.True_)
        return start, flags
    new_flags = _flags(fixed)
    if new_flags is None:
        raise TypeError(f"fixed is {shown(fixed)}; give names, a mapping from names to values, or flags.")
    return start, _whole(new_flags, flags.shape, flags, "fixed")


def _fixed_value(value: Any, what: str) -> Array:
    try:
        return argument(value, what)
    except TypeError as error:
        raise TypeError(f"{what} is {shown(value)}; give a number, or True or False.") from error


def _flags(value: Any) -> Any:
    """Flags as an array; None for what is something else."""
    if not isinstance(value, list | tuple):
        return (value if isinstance(value, jax.Array) else np.asarray(value)) if is_flag(value) else None
    if not all(map(is_flag, value)):
        return None
    return (
        jnp.stack([*map(jnp.asarray, value)]) if any(isinstance(flag, jax.Array) for flag in value) else np.array(value)
    )


def _part(value: Array, place: slice, what: str) -> Array:
    size = place.stop - place.start
    if value.shape not in ((), (1,), (size,)):
        raise InvalidPdfParameters(f"{what} has shape {value.shape}; give one number{f' or {size}' * (size > 1)}.")
    return value


def _whole(value: Array, shape: tuple[int, ...], like: Array, what: str) -> Array:
    if value.shape != shape:
        raise InvalidPdfParameters(f"{what} has shape {value.shape}; the model needs {shape}.")
    return value.astype(like.dtype)


def _put(target: Array, place: slice, part: Any) -> Array:
    """An array with a part of it replaced: on the host, where both are there."""
    if _any_traced(target, part):
        return jnp.asarray(target).at[..., place].set(jnp.asarray(part, target.dtype))
    new = np.array(target)
    new[..., place] = part
    return cast(Array, new)


def _any_traced(*arrays: Any) -> bool:
    return any(isinstance(array, jax.core.Tracer) for array in arrays)


def _check_bounds(lower: np.ndarray, upper: np.ndarray, slices: Mapping[str, slice]) -> None:
    """Refuse a lower bound that does not lie below the upper one, or at it."""
    if np.all(lower <= upper):
        return
    place = int(np.flatnonzero(~(lower <= upper))[0])
    pair = float(lower[place]), float(upper[place])
    raise InvalidPdfParameters(
        f"bounds of {_named(place, slices)} are {pair}; give (lower, upper), the lower one first."
    )


def _check_start(suggested: Array, start: Start, slices: Mapping[str, slice]) -> None:
    """Refuse a given start value outside of its bounds; a fixed value may lie there, but must be a number.

    What the model suggests was not given: where it lies outside of given bounds, the fit starts at the nearer one.
    """
    if _any_traced(suggested, *start):
        return
    init, lower, upper, fixed = map(np.asarray, start)
    inside = np.where(fixed, np.isfinite(init), (lower <= init) & (init <= upper))
    wrong = np.flatnonzero(~inside & ~(init == np.asarray(suggested)))
    if not wrong.size:
        return
    place = int(wrong[0])
    element = _named(place, slices)
    if fixed[place]:
        raise InvalidPdfParameters(f"fixed: {element} is fixed at {float(init[place])}; give a finite number.")
    raise InvalidPdfParameters(
        f"init: {element} starts at {float(init[place])}, outside of its bounds ({float(lower[place])}, "
        f"{float(upper[place])}); change the value, or give other bounds."
    )


def _named(place: int, slices: Mapping[str, slice]) -> str:
    """The name of the parameter, and the component where it has several, at a place in the parameter vector."""
    name = next(name for name, where in slices.items() if where.start <= place < where.stop)
    number, size = place - slices[name].start, slices[name].stop - slices[name].start
    return repr(name if size == 1 else f"{name}[{number}]")
