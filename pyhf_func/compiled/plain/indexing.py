"""Gathers and scatters: elements at places that are computed.

JAX describes both by windows of the operand that begin at places which an array holds. NumPy takes one array of indices
for each axis of the operand; they broadcast to the shape of what is gathered or scattered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from jax.lax import GatherScatterMode

Operation = Callable[..., Any]

Equation = Any
"""A `jax.extend.core.JaxprEqn`, which does not declare the shapes and types of its arrays."""


class _Windows:
    """Which elements of an operand the windows hold that begin at some places.

    Args:
        shape: The operand's shape.
        sizes: The windows' shape, along the operand's axes.
        kept: The operand's axes that windows have.
        window_axes: Where these axes are in what is gathered or scattered.
        indexed: The operand's axes that places are along.
        paired: Axes of the operand and of the places that are walked through together.
        ndim: How many axes what is gathered or scattered has.
        strict: Whether windows that reach outside count as missing; otherwise they are moved inside.
    """

    def __init__(
        self,
        shape: Sequence[int],
        sizes: Sequence[int],
        kept: Sequence[int],
        window_axes: Sequence[int],
        indexed: Sequence[int],
        paired: Sequence[tuple[int, int]],
        ndim: int,
        strict: bool,
    ) -> None:
        self._indexed, self._strict = tuple(indexed), strict
        self._room = tuple(shape[axis] - sizes[axis] for axis in indexed)
        batch = [axis for axis in range(ndim) if axis not in window_axes]
        self._window_axes = tuple(window_axes)
        self._fixed: list[Any] = [0] * len(shape)
        for axis, place in zip(kept, window_axes, strict=True):
            self._fixed[axis] = _along(place, sizes[axis], ndim)
        for axis, place in paired:
            self._fixed[axis] = _along(batch[place], shape[axis], ndim)

    def places(self, starts: Any) -> tuple[tuple[Any, ...], Any]:
        """Indices along each axis of the operand, and which are inside; None where all are."""
        indices, inside = list(self._fixed), None
        for number, (axis, room) in enumerate(zip(self._indexed, self._room, strict=True)):
            start = starts[..., number]
            if self._strict:
                here = (start >= 0) & (start <= room)
                if not here.all():
                    inside = here if inside is None else inside & here
            begin = np.expand_dims(np.minimum(np.maximum(start, 0), room), self._window_axes)
            fixed = self._fixed[axis]
            indices[axis] = begin if type(fixed) is int else begin + fixed
        return tuple(indices), None if inside is None else np.expand_dims(inside, self._window_axes)


def _along(axis: int, size: int, ndim: int) -> Any:
    return np.arange(size).reshape([-1 if i == axis else 1 for i in range(ndim)])


def gather(equation: Equation) -> Operation:
    """The rule for `jax.lax.gather`."""
    p, n = equation.params, equation.params["dimension_numbers"]
    operand, output = equation.invars[0].aval, equation.outvars[0].aval
    gone = {*n.collapsed_slice_dims, *n.operand_batching_dims}
    windows = _Windows(
        operand.shape,
        p["slice_sizes"],
        [axis for axis in range(operand.ndim) if axis not in gone],
        n.offset_dims,
        n.start_index_map,
        tuple(zip(n.operand_batching_dims, n.start_indices_batching_dims, strict=True)),
        output.ndim,
        p["mode"] == GatherScatterMode.FILL_OR_DROP,
    )
    return partial(_gathered, windows, output.shape, _filling(p["fill_value"], np.dtype(output.dtype)))


def _filling(value: Any, dtype: np.dtype) -> Any:
    if value is not None:
        return dtype.type(value)
    if dtype.kind == "f":
        return dtype.type(np.nan)
    if dtype.kind == "b":
        return np.True_
    return dtype.type(np.iinfo(dtype).min if dtype.kind == "i" else np.iinfo(dtype).max)


def _gathered(windows: _Windows, shape: tuple[int, ...], fill: Any, operand: Any, starts: Any) -> Any:
    places, inside = windows.places(starts)
    found = operand[places]
    if found.shape != shape:
        found = np.broadcast_to(found, shape)[()]
    return found if inside is None else np.where(inside, found, fill)


def scatter(combine: Operation) -> Callable[[Equation], Operation]:
    """The rule for `jax.lax.scatter` and its kin, with a function that changes an array at places."""

    def rule(equation: Equation) -> Operation:
        n = equation.params["dimension_numbers"]
        operand, _, updates = (atom.aval for atom in equation.invars)
        gone = {*n.inserted_window_dims, *n.operand_batching_dims}
        kept = [axis for axis in range(operand.ndim) if axis not in gone]
        sizes = [1] * operand.ndim
        for axis, place in zip(kept, n.update_window_dims, strict=True):
            sizes[axis] = updates.shape[place]
        windows = _Windows(
            operand.shape,
            sizes,
            kept,
            n.update_window_dims,
            n.scatter_dims_to_operand_dims,
            tuple(zip(n.operand_batching_dims, n.scatter_indices_batching_dims, strict=True)),
            updates.ndim,
            equation.params["mode"] != GatherScatterMode.CLIP,
        )
        return partial(_scattered, combine, windows)

    return rule


def _scattered(combine: Operation, windows: _Windows, operand: Any, starts: Any, updates: Any) -> Any:
    places, inside = windows.places(starts)
    result = np.array(operand)
    if inside is not None:
        inside = np.broadcast_to(inside, np.shape(updates))
        places = tuple(np.broadcast_to(place, inside.shape)[inside] for place in places)
        updates = updates[inside]
    combine(result, places, updates)
    return result[()]


def dynamic_slice(equation: Equation) -> Operation:
    """The rule for `jax.lax.dynamic_slice`."""
    return partial(_slice, equation.params["slice_sizes"])


def _window(shape: tuple[int, ...], sizes: Sequence[int], starts: Sequence[Any]) -> tuple[slice, ...]:
    begins = [min(max(int(start), 0), n - size) for start, n, size in zip(starts, shape, sizes, strict=True)]
    return tuple(slice(begin, begin + size) for begin, size in zip(begins, sizes, strict=True))


def _slice(sizes: Sequence[int], operand: Any, *starts: Any) -> Any:
    return operand[_window(operand.shape, sizes, starts)]


def dynamic_update_slice(equation: Equation) -> Operation:
    """The rule for `jax.lax.dynamic_update_slice`."""
    return _updated


def _updated(operand: Any, update: Any, *starts: Any) -> Any:
    result = np.array(operand)
    result[_window(operand.shape, np.shape(update), starts)] = update
    return result
