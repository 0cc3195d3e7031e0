"""A function of pytrees as a program of flat arrays: compiled, with its derivative, once per structure.

This is the half of the bridge that is the same for all frameworks, and knows none of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

__all__ = [
    "Call",
    "Mapped",
    "Outputs",
    "Program",
    "Pullback",
    "Pushforward",
    "on_host",
    "pull_back",
    "split",
    "to_host",
]

Arrays = Sequence[Any]
"""NumPy or JAX arrays, or Python numbers."""

INPUT, CONSTANT = "input", "constant"


def __dir__() -> list[str]:
    return __all__


@functools.partial(jax.tree_util.register_dataclass, data_fields=("floats", "others"), meta_fields=("layout",))
@dataclass(frozen=True)
class Outputs:
    """The value of a function: its leaves, those that have a derivative apart, and its structure.

    Attributes:
        floats: The leaves of floats.
        others: The other leaves.
        layout: The tree's structure, and of each leaf, whether it is one of floats.
    """

    floats: list[Any]
    others: list[Any]
    layout: tuple[Any, tuple[bool, ...]]

    @classmethod
    def of(cls, tree: Any, dtype: np.dtype[Any] | None) -> Outputs:
        """Take apart what a function returned; its floats get the given type, and memory of their own."""
        leaves, structure = jax.tree.flatten(tree)
        arrays = [jnp.copy(leaf) for leaf in leaves]
        is_float = tuple(bool(jnp.issubdtype(array.dtype, jnp.floating)) for array in arrays)
        floats = [
            array if dtype is None else array.astype(dtype) for array, yes in zip(arrays, is_float, strict=True) if yes
        ]
        others = [array for array, yes in zip(arrays, is_float, strict=True) if not yes]
        return cls(floats, others, (structure, is_float))

    def tree(self) -> Any:
        """The value of the function."""
        structure, is_float = self.layout
        sources = {True: iter(self.floats), False: iter(self.others)}
        return jax.tree.unflatten(structure, [next(sources[yes]) for yes in is_float])

    def filled(self, leaves: Sequence[Any]) -> Outputs:
        """These outputs with other leaves: first the floats, then the others."""
        n_floats = len(self.floats)
        return Outputs(list(leaves[:n_floats]), list(leaves[n_floats:]), self.layout)

    def mapped(self, function: Callable[[Any], Any]) -> Outputs:
        """These outputs with a function of each leaf in its place."""
        return self.filled(list(map(function, [*self.floats, *self.others])))


@dataclass(frozen=True)
class Program:
    """A function whose arguments are split into inputs (with derivatives), constants, and all that is not an array.

    Attributes:
        function: The function of pytrees.
        structure: Structure of its positional and keyword arguments.
        slots: For each leaf of these: INPUT, CONSTANT, or the one-tuple of a value that is not an array.
        dtype: Type of the floats in its result; None to leave them.
    """

    function: Callable[..., Any]
    structure: Hashable
    slots: tuple[Any, ...]
    dtype: np.dtype[Any] | None

    def __call__(self, inputs: Arrays, constants: Arrays) -> Outputs:
        """Run the function, as it is."""
        sources = {INPUT: iter(inputs), CONSTANT: iter(constants)}
        leaves = [next(sources[slot]) if isinstance(slot, str) else slot[0] for slot in self.slots]
        args, kwargs = jax.tree.unflatten(self.structure, leaves)
        return Outputs.of(self.function(*args, **kwargs), self.dtype)


@dataclass(frozen=True)
class Pullback:
    """A program's derivative as a function: gradients of the wanted inputs, from those of its floats.

    Attributes:
        program: The program.
        wanted: The numbers of the inputs that gradients are wanted of.
    """

    program: Program
    wanted: tuple[int, ...]

    def __call__(self, inputs: Arrays, constants: Arrays, cotangents: Arrays) -> list[Array]:
        """The gradients."""
        _, _, pull = _linearised(self.program, self.wanted, inputs, constants)
        return list(pull(list(cotangents)))


@dataclass(frozen=True)
class Pushforward:
    """A program's derivative as a function: tangents of its floats, from those of some inputs.

    Attributes:
        program: The program.
        moving: The numbers of the inputs that have tangents.
    """

    program: Program
    moving: tuple[int, ...]

    def __call__(self, inputs: Arrays, constants: Arrays, tangents: Arrays) -> list[Array]:
        """The tangents of the floats."""

        def floats(*values: Any) -> list[Array]:
            return self.program(_replaced(inputs, self.moving, values), constants).floats

        return jax.jvp(floats, tuple(inputs[place] for place in self.moving), tuple(tangents))[1]


@dataclass(frozen=True)
class Mapped:
    """A program for many inputs at once.

    Attributes:
        program: The program.
        axes: For each input, the axis along which it is mapped; None for those that are not.
    """

    program: Program
    axes: tuple[int | None, ...]

    def __call__(self, inputs: Arrays, constants: Arrays) -> Outputs:
        """The outputs, mapped along their first axes."""
        mapped: Callable[[list[Any]], Outputs] = jax.vmap(
            lambda inputs: self.program(inputs, constants), in_axes=(list(self.axes),)
        )
        return mapped(list(inputs))


class Call(NamedTuple):
    """One call of a program: what it needs to be run.

    Attributes:
        program: The program.
        inputs: The foreign tensors among the leaves of the arguments.
        constants: The other arrays and numbers among them.
    """

    program: Program
    inputs: list[Any]
    constants: list[Any]

    def run(self, inputs: Arrays) -> Outputs:
        """The outputs."""
        return jax.block_until_ready(_compiled(self.program)(list(inputs), self.constants))

    def linearise(self, wanted: tuple[int, ...], inputs: Arrays) -> tuple[Outputs, Any]:
        """The outputs, and what `pull_back` needs for the gradients of the wanted inputs: a pytree of arrays."""
        compiled = _compiled_linearisation(self.program, wanted)
        floats, rest, kept = jax.block_until_ready(compiled(list(inputs), self.constants))
        return Outputs(floats, rest.others, rest.layout), kept

    def shapes(self, inputs: Arrays) -> Outputs:
        """Shapes and types of the outputs."""
        shapes: Outputs = jax.eval_shape(self.program, list(inputs), self.constants)
        return shapes

    def linearisation_shapes(self, wanted: tuple[int, ...], inputs: Arrays) -> tuple[Outputs, list[Any]]:
        """Shapes and types of the outputs, and of the leaves of what `pull_back` needs."""
        compiled = _compiled_linearisation(self.program, wanted)
        floats, rest, kept = jax.eval_shape(compiled, list(inputs), self.constants)
        return Outputs(floats, rest.others, rest.layout), jax.tree.leaves(kept)


def pull_back(kept: Any, cotangents: Arrays) -> list[Array]:
    """The gradients of the wanted inputs of a linearised call, from those of the floats among its outputs."""
    return jax.block_until_ready(_compiled_pullback(kept, list(cotangents)))


def on_host(array: Array) -> bool:
    """Whether an array lies in the memory of the host, and not in that of an accelerator."""
    return all(device.platform == "cpu" for device in array.devices())


def to_host(array: Array) -> Array:
    """The array in the memory of the host."""
    return array if on_host(array) else jax.device_put(array, jax.devices("cpu")[0])


def split(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    tensor_type: type | tuple[type, ...],
    dtype_of: Callable[[Any], np.dtype[Any]],
) -> Call:
    """Take a call's arguments apart.

    Args:
        function: The function.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        tensor_type: Class or classes of the foreign tensors.
        dtype_of: NumPy's type of such a tensor.

    Raises:
        TypeError: Tracers of JAX stand beside foreign tensors.
    """
    leaves, structure = jax.tree.flatten((args, kwargs))
    slots: list[Any] = [_slot(type(leaf), tensor_type) or (leaf,) for leaf in leaves]  # type: ignore[arg-type]
    inputs = [leaf for leaf, slot in zip(leaves, slots, strict=True) if slot is INPUT]
    constants = [leaf for leaf, slot in zip(leaves, slots, strict=True) if slot is CONSTANT]
    floats = [dtype for dtype in map(dtype_of, inputs) if jnp.issubdtype(dtype, jnp.floating)]
    dtype = functools.reduce(jnp.promote_types, floats) if floats else None
    return Call(Program(function, structure, tuple(slots), dtype), inputs, constants)


@functools.cache
def _slot(leaf_type: type, tensor_type: type | tuple[type, ...]) -> str | None:
    """Where leaves of a class go; None for all that is neither an array nor a number."""
    if issubclass(leaf_type, tensor_type):
        return INPUT
    if issubclass(leaf_type, jax.core.Tracer):
        raise TypeError(
            "JAX is tracing (jit, grad or vmap), and another framework's tensors can't take part in that: "
            "pass them as arguments of a bridged function instead."
        )
    numeric = issubclass(leaf_type, (np.ndarray, np.generic, jax.Array, int, float))
    return CONSTANT if numeric and not issubclass(leaf_type, bool) else None


def _replaced(inputs: Arrays, places: tuple[int, ...], values: Arrays) -> list[Any]:
    result = list(inputs)
    for place, value in zip(places, values, strict=True):
        result[place] = value
    return result


def _linearised(program: Program, wanted: tuple[int, ...], inputs: Arrays, constants: Arrays) -> tuple[Any, Any, Any]:
    def of_wanted(*values: Any) -> tuple[list[Any], Outputs]:
        outputs = program(_replaced(inputs, wanted, values), constants)
        return outputs.floats, Outputs([], outputs.others, outputs.layout)

    floats, pull, rest = jax.vjp(of_wanted, *(inputs[place] for place in wanted), has_aux=True)
    return floats, rest, pull


_FEW = 8
"""Up to so many numbers in the result, their gradients are computed at once: what else would be kept is more."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class _Slopes:
    """A derivative as a matrix.

    Attributes:
        rows: For each input, its gradients of all numbers in the result, along the first axis.
    """

    rows: list[Array]

    @classmethod
    def of(cls, pull: Callable[[Any], Sequence[Array]], floats: list[Array]) -> _Slopes:
        """The matrix of a linear function of cotangents."""
        ends = np.cumsum([value.size for value in floats]).tolist()

        def gradients(vector: Array) -> list[Array]:
            parts = zip(jnp.split(vector, ends[:-1]), floats, strict=True)
            return list(pull([jnp.reshape(part, value.shape) for part, value in parts]))

        if ends[-1] == 1:
            return cls([gradient[None] for gradient in gradients(jnp.ones(1, floats[0].dtype))])
        return cls(jax.vmap(gradients)(jnp.eye(ends[-1], dtype=floats[0].dtype)))

    def __call__(self, cotangents: list[Array]) -> list[Array]:
        """The gradients of the inputs from those of the result."""
        vector = jnp.concatenate([jnp.ravel(cotangent) for cotangent in cotangents])
        return [jnp.sum(jnp.reshape(vector, (-1,) + (1,) * (row.ndim - 1)) * row, axis=0) for row in self.rows]


@functools.lru_cache(maxsize=256)
def _compiled(program: Program) -> Callable[[Arrays, Arrays], Outputs]:
    return jax.jit(program.__call__)


@functools.lru_cache(maxsize=256)
def _compiled_linearisation(program: Program, wanted: tuple[int, ...]) -> Callable[[Arrays, Arrays], Any]:
    def linearisation(inputs: Arrays, constants: Arrays) -> tuple[Any, Any, Any]:
        floats, rest, pull = _linearised(program, wanted, inputs, constants)
        n_floats = sum(value.size for value in floats)
        kept = _Slopes.of(pull, floats) if 0 < n_floats <= _FEW else pull
        # What the derivative keeps must not lie in the caller's memory, which may change before it is used.
        return floats, rest, jax.tree.map(jnp.copy, kept)

    return jax.jit(linearisation)


@jax.jit
def _compiled_pullback(pullback: Callable[[Arrays], Any], cotangents: Arrays) -> list[Array]:
    return list(pullback(cotangents))
