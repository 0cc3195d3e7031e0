"""NumPy's operation for each of JAX's primitives; see `jax.lax` for what they do."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np

from pyhf_func.compiled.plain import indexing
from pyhf_func.compiled.plain.indexing import Equation
from pyhf_func.compiled.plain.unsupported import Unsupported as Unsupported

Operation = Callable[..., Any]

_ALONE = 1 << 17
"""Multiplications up to which NumPy's BLAS takes one thread; more threads wait for one another."""
_VECTOR_ALONE = 1 << 13
_MOST = 1 << 27  # for which compilation pays at once


@dataclass(frozen=True)
class _Special:
    """A special function of SciPy, which is imported when it is first needed."""

    name: str

    def __call__(self, *args: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, self.name)(*args)


def _same(x: Any) -> Any:
    return x


def _constant(value: Any, *_: Any) -> Any:
    return value


def _select(which: Any, *cases: Any) -> Any:
    if np.ndim(which) == 0:
        return cases[int(which)]
    if len(cases) == 2:
        return np.where(which, cases[1], cases[0])
    return np.choose(which, cases)


def _clamp(low: Any, x: Any, high: Any) -> Any:
    return np.minimum(np.maximum(x, low), high)


def _rsqrt(x: Any) -> Any:
    return 1 / np.sqrt(x)


def _logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _integer_power(y: int, x: Any) -> Any:
    if y < 0:
        return 1 / _integer_power(-y, x)
    result, power = None, x
    while y:
        if y & 1:
            result = power if result is None else result * power
        y >>= 1
        if y:
            power = power * power
    return np.ones_like(x) if result is None else result


def _truncated_quotient(x: Any, y: Any) -> Any:
    quotient = np.where(y == 0, -1, np.floor_divide(x, np.where(y == 0, 1, y)))
    return quotient + ((quotient < 0) & (quotient * y != x))


def _converted(dtype: np.dtype, x: Any) -> Any:
    return x.astype(dtype)


def _to_integer(dtype: np.dtype, x: Any) -> Any:
    limits = np.iinfo(dtype)
    inside = np.clip(np.nan_to_num(x, nan=0.0, posinf=np.inf, neginf=-np.inf), limits.min, limits.max)
    found = inside.astype(dtype)
    return np.where(x >= limits.max, limits.max, np.where(x <= limits.min, limits.min, found)).astype(dtype)[()]


def _broadcast(shape: tuple[int, ...], between: tuple[int, ...], x: Any) -> Any:
    if np.ndim(x) == 0:
        return np.full(shape, x)
    return np.broadcast_to(np.reshape(x, between), shape)


def _concatenate(axis: int, *arrays: Any) -> Any:
    return np.concatenate(arrays, axis=axis)


def _stacked(axis: int, *arrays: Any) -> Any:
    return np.stack(arrays, axis=axis)


def _unstacked(axis: int, x: Any) -> list[Any]:
    return [one[()] for one in np.moveaxis(x, axis, 0)]


def _split(axis: int, ends: tuple[int, ...], x: Any) -> list[Any]:
    return np.split(x, ends, axis=axis)


def _sliced(place: tuple[slice, ...], x: Any) -> Any:
    return x[place]


def _pad(config: tuple[tuple[int, int], ...], x: Any, fill: Any) -> Any:
    """With as many numbers before and after, along each axis; negative counts are left out."""
    added = [(max(before, 0), max(after, 0)) for before, after in config]
    left_out = [slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(x.shape, config, strict=True)]
    return np.pad(x[tuple(left_out)], added, constant_values=fill)


def _reduced(function: np.ufunc, axes: tuple[int, ...], x: Any) -> Any:
    return function.reduce(x, axes, dtype=x.dtype)


def _extreme_place(function: Operation, axis: int, dtype: np.dtype, x: Any) -> Any:
    return function(x, axis=axis).astype(dtype)


def _accumulated(function: np.ufunc, axis: int, backwards: bool, x: Any) -> Any:
    if not backwards:
        return function.accumulate(x, axis, dtype=x.dtype)
    return np.flip(function.accumulate(np.flip(x, axis), axis, dtype=x.dtype), axis)


def _top(k: int, x: Any) -> list[Any]:
    order = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return [np.take_along_axis(x, order, axis=-1), order.astype(np.int32)]


def _sorted(axis: int, keys: int, *arrays: Any) -> list[Any]:
    if len(arrays) == 1:
        return [np.sort(arrays[0], axis=axis, kind="stable")]
    order = np.lexsort(arrays[:keys][::-1], axis=axis)
    return [np.take_along_axis(array, order, axis=axis) for array in arrays]


def _product(
    left: tuple[tuple[int, ...], tuple[int, ...]],
    right: tuple[tuple[int, ...], tuple[int, ...]],
    shape: tuple[int, ...],
    x: Any,
    y: Any,
) -> Any:
    """Both as stacks of matrices."""
    found = np.matmul(x.transpose(left[0]).reshape(left[1]), y.transpose(right[0]).reshape(right[1]))
    return found.reshape(shape)


def _cholesky(x: Any) -> list[Any] | Any:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        if x.ndim == 2:
            return np.full_like(x, np.nan)
        return np.stack([_cholesky(one) for one in x])


def _eigen(lower: bool, x: Any) -> list[Any]:
    try:
        values, vectors = np.linalg.eigh(x, "L" if lower else "U")
    except np.linalg.LinAlgError:
        return [np.full_like(x, np.nan), np.full(x.shape[:-1], np.nan, x.dtype)]
    return [vectors, values]


def _eigh(equation: Equation) -> Operation:
    if equation.params.get("subset_by_index") is not None:
        raise Unsupported("some eigenvalues")
    return partial(_eigen, equation.params["lower"])


def _triangular_solve(left: bool, lower: bool, transposed: bool, unit: bool, a: Any, b: Any) -> Any:
    if a.ndim > 2:
        return np.stack([_triangular_solve(left, lower, transposed, unit, *one) for one in zip(a, b, strict=True)])
    if not left:  # X A = B is A' X' = B'
        return _triangular_solve(True, lower, not transposed, unit, a, b.T).T
    if not b.size:
        return b
    from scipy.linalg import lapack

    solve = lapack.dtrtrs if a.dtype == np.float64 else lapack.strtrs
    found, fault = solve(a, b, lower=lower, trans=transposed, unitdiag=unit)
    return found if fault == 0 else np.full_like(b, np.nan)


def _fixed(operation: Operation) -> Callable[[Equation], Operation]:
    return lambda equation: operation


def _output(equation: Equation) -> Any:
    return equation.outvars[0].aval


def _logical(on_flags: Operation, on_numbers: Operation) -> Callable[[Equation], Operation]:
    return lambda equation: on_flags if _output(equation).dtype == bool else on_numbers


def _reduction(function: np.ufunc) -> Callable[[Equation], Operation]:
    return lambda equation: partial(_reduced, function, tuple(equation.params["axes"]))


def _extreme(function: np.ufunc, sign: int) -> Callable[[Equation], Operation]:
    def rule(equation: Equation) -> Operation:
        operand = equation.invars[0].aval
        if operand.size:
            return partial(_reduced, function, tuple(equation.params["axes"]))
        if operand.dtype.kind != "f":
            raise Unsupported("extreme of no numbers")
        return partial(_constant, np.full(_output(equation).shape, -sign * np.inf, operand.dtype)[()])

    return rule


def _accumulation(function: np.ufunc) -> Callable[[Equation], Operation]:
    return lambda equation: partial(_accumulated, function, equation.params["axis"], equation.params["reverse"])


def _place(function: Operation) -> Callable[[Equation], Operation]:
    def rule(equation: Equation) -> Operation:
        (axis,) = equation.params["axes"]
        return partial(_extreme_place, function, axis, np.dtype(equation.params["index_dtype"]))

    return rule


def _convert(equation: Equation) -> Operation:
    before, after = equation.invars[0].aval.dtype, np.dtype(_output(equation).dtype)
    if before == after:
        return _same
    if before.kind == "f" and after.kind in "iu":
        return partial(_to_integer, after)
    return partial(_converted, after)


def _divide(equation: Equation) -> Operation:
    return np.true_divide if _output(equation).dtype.kind == "f" else _truncated_quotient


def _broadcast_in_dim(equation: Equation) -> Operation:
    shape, operand = _output(equation).shape, equation.invars[0].aval
    sizes = dict(zip(equation.params["broadcast_dimensions"], operand.shape, strict=True))
    return partial(_broadcast, shape, tuple(sizes.get(axis, 1) for axis in range(len(shape))))


def _iota(equation: Equation) -> Operation:
    shape, axis = _output(equation).shape, equation.params["dimension"]
    along = np.arange(shape[axis], dtype=_output(equation).dtype)
    whole = np.broadcast_to(along.reshape([-1 if i == axis else 1 for i in range(len(shape))]), shape)
    return partial(_constant, whole)


def _padding(equation: Equation) -> Operation:
    config = equation.params["padding_config"]
    if any(between for _, _, between in config):
        raise Unsupported("padding between elements")
    return partial(_pad, tuple((before, after) for before, after, _ in config))


def _slice(equation: Equation) -> Operation:
    p = equation.params
    strides = p["strides"] or (1,) * len(p["start_indices"])
    return partial(_sliced, tuple(map(slice, p["start_indices"], p["limit_indices"], strides)))


def _reshape(equation: Equation) -> Operation:
    order = equation.params["dimensions"] if equation.primitive.name == "reshape" else None
    return partial(_reshaped, _output(equation).shape, order)


def _reshaped(shape: tuple[int, ...], order: tuple[int, ...] | None, x: Any) -> Any:
    return np.reshape(x if order is None else np.transpose(x, order), shape)[()]


def _transposed(order: tuple[int, ...], x: Any) -> Any:
    return np.transpose(x, order)


def _tiled(repeats: tuple[int, ...], x: Any) -> Any:
    return np.tile(x, repeats)


def _reversed(axes: tuple[int, ...], x: Any) -> Any:
    return np.flip(x, axes)


def _dot_general(equation: Equation) -> Operation:
    (left_sum, right_sum), (left_batch, right_batch) = equation.params["dimension_numbers"]
    left, right = (atom.aval for atom in equation.invars)
    if left.dtype != right.dtype or _output(equation).dtype != left.dtype:
        raise Unsupported("dot_general of mixed types")
    summed = prod(left.shape[axis] for axis in left_sum)
    work = _output(equation).size * summed
    if work > _MOST:
        raise Unsupported("large products")
    if work > _ALONE or (min(left.ndim, right.ndim) == 1 and work > _VECTOR_ALONE):
        return partial(np.einsum, _subscripts(equation))
    if not left_batch and right.ndim == 1 and tuple(right_sum) == (0,) and tuple(left_sum) == (left.ndim - 1,):
        return np.matmul
    if not left_batch and left.ndim == 1 and right.ndim == 2 and tuple(right_sum) == (0,):
        return np.matmul
    free = [axis for axis in range(left.ndim) if axis not in (*left_sum, *left_batch)]
    others = [axis for axis in range(right.ndim) if axis not in (*right_sum, *right_batch)]

    def sizes(shape: tuple[int, ...], *groups: Any) -> tuple[int, ...]:
        return tuple(prod(shape[axis] for axis in group) for group in groups)

    return partial(
        _product,
        ((*left_batch, *free, *left_sum), sizes(left.shape, left_batch, free, left_sum)),
        ((*right_batch, *right_sum, *others), sizes(right.shape, right_batch, right_sum, others)),
        _output(equation).shape,
    )


def _subscripts(equation: Equation) -> str:
    """The product in the language of `numpy.einsum`."""
    (left_sum, right_sum), (left_batch, right_batch) = equation.params["dimension_numbers"]
    left, right = (atom.aval.ndim for atom in equation.invars)
    first = [chr(ord("a") + axis) for axis in range(left)]
    second = [chr(ord("A") + axis) for axis in range(right)]
    for one, other in zip((*left_sum, *left_batch), (*right_sum, *right_batch), strict=True):
        second[other] = first[one]
    batch = [first[axis] for axis in left_batch]
    free = [first[axis] for axis in range(left) if axis not in (*left_sum, *left_batch)]
    others = [second[axis] for axis in range(right) if axis not in (*right_sum, *right_batch)]
    return f"{''.join(first)},{''.join(second)}->{''.join(batch + free + others)}"


def _top_k(equation: Equation) -> Operation:
    operand = equation.invars[0].aval
    if operand.dtype.kind != "f" or equation.params.get("axis", operand.ndim - 1) != operand.ndim - 1:
        raise Unsupported("top_k of integers, or along another axis than the last one")
    return partial(_top, equation.params["k"])


def _solve(equation: Equation) -> Operation:
    p = equation.params
    return partial(_triangular_solve, p["left_side"], p["lower"], p["transpose_a"], p["unit_diagonal"])


def _platform(equation: Equation) -> Operation:
    for number, platforms in enumerate(equation.params["platforms"]):
        if platforms is None or "cpu" in platforms:
            return partial(_constant, np.int32(number))
    raise Unsupported("platform_index")


_ALIKE: dict[str, Operation] = {
    **dict.fromkeys(("stop_gradient", "copy", "copy_p", "pvary"), _same),
    "add": np.add,
    "add_any": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "neg": np.negative,
    "rem": np.fmod,
    "max": np.maximum,
    "min": np.minimum,
    "clamp": _clamp,
    "abs": np.abs,
    "sign": np.sign,
    "select_n": _select,
    "floor": np.floor,
    "ceil": np.ceil,
    "nextafter": np.nextafter,
    "is_finite": np.isfinite,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "pow": np.power,
    "sqrt": np.sqrt,
    "rsqrt": _rsqrt,
    "cbrt": np.cbrt,
    "square": np.square,
    "logistic": _logistic,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "atan2": np.arctan2,
    "erf": _Special("erf"),
    "erfc": _Special("erfc"),
    "erf_inv": _Special("erfinv"),
    "lgamma": _Special("gammaln"),
    "digamma": _Special("psi"),
    "igamma": _Special("gammainc"),
    "igammac": _Special("gammaincc"),
    "cholesky": _cholesky,
}

RULES: dict[str, Callable[[Equation], Operation]] = {
    **{name: _fixed(operation) for name, operation in _ALIKE.items()},
    "and": _logical(np.logical_and, np.bitwise_and),
    "or": _logical(np.logical_or, np.bitwise_or),
    "xor": _logical(np.logical_xor, np.bitwise_xor),
    "not": _logical(np.logical_not, np.invert),
    "div": _divide,
    "integer_pow": lambda equation: partial(_integer_power, equation.params["y"]),
    "convert_element_type": _convert,
    "broadcast_in_dim": _broadcast_in_dim,
    "concatenate": lambda equation: partial(_concatenate, equation.params["dimension"]),
    "stack": lambda equation: partial(_stacked, equation.params["axis"]),
    "split": lambda equation: partial(_split, equation.params["axis"], tuple(np.cumsum(equation.params["sizes"])[:-1])),
    "unstack": lambda equation: partial(_unstacked, equation.params["axis"]),
    "tile": lambda equation: partial(_tiled, tuple(equation.params["reps"])),
    "iota": _iota,
    "slice": _slice,
    "pad": _padding,
    "reshape": _reshape,
    "squeeze": _reshape,
    "expand_dims": _reshape,
    "transpose": lambda equation: partial(_transposed, tuple(equation.params["permutation"])),
    "rev": lambda equation: partial(_reversed, tuple(equation.params["dimensions"])),
    "reduce_sum": _reduction(np.add),
    "reduce_prod": _reduction(np.multiply),
    "reduce_max": _extreme(np.maximum, 1),
    "reduce_min": _extreme(np.minimum, -1),
    "reduce_or": _reduction(np.logical_or),
    "reduce_and": _reduction(np.logical_and),
    "argmin": _place(np.argmin),
    "argmax": _place(np.argmax),
    "cumsum": _accumulation(np.add),
    "cumprod": _accumulation(np.multiply),
    "cummax": _accumulation(np.maximum),
    "cummin": _accumulation(np.minimum),
    "top_k": _top_k,
    "sort": lambda equation: partial(_sorted, equation.params["dimension"], equation.params["num_keys"]),
    "dot_general": _dot_general,
    "triangular_solve": _solve,
    "eigh": _eigh,
    "platform_index": _platform,
    "gather": indexing.gather,
    "dynamic_slice": indexing.dynamic_slice,
    "dynamic_update_slice": indexing.dynamic_update_slice,
    "scatter": indexing.scatter(operator.setitem),
    "scatter-add": indexing.scatter(np.add.at),
    "scatter-mul": indexing.scatter(np.multiply.at),
    "scatter-max": indexing.scatter(np.maximum.at),
    "scatter-min": indexing.scatter(np.minimum.at),
}
