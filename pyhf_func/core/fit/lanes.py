"""How solvers are mapped over batches.

A solver is a loop of many small operations. On a CPU a batch runs fastest one lane after the other: each lane
stops when it has converged, its arrays stay in cache, and nothing is computed for lanes that wait. On an
accelerator all lanes advance together.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import jax
from jax.custom_batching import custom_vmap

from pyhf_func.compiled import is_for_cpus

F = TypeVar("F", bound=Callable[..., Any])


def one_by_one(function: F) -> F:
    """``function`` with a `jax.vmap` that runs lane by lane on CPUs. Not to be differentiated."""

    @custom_vmap
    def call(*args: Any) -> Any:
        return function(*args)

    @call.def_vmap
    def rule(axis_size: int, in_batched: Any, *args: Any) -> tuple[Any, Any]:
        result = by_platform(partial(_scan, call, in_batched), partial(_together, function, in_batched), *args)
        return result, jax.tree.map(lambda _: True, result)

    return call  # type: ignore[return-value]


def by_platform(on_cpu: Callable[..., Any], elsewhere: Callable[..., Any], *args: Any) -> Any:
    """Apply the function for the platform that the computation is compiled for."""
    if is_for_cpus():
        return on_cpu(*args)
    return jax.lax.platform_dependent(*args, cpu=on_cpu, default=elsewhere)


def _scan(function: Callable[..., Any], in_batched: Any, *args: Any) -> Any:
    leaves, tree = jax.tree.flatten(args)
    flags = jax.tree.leaves(in_batched)
    mapped = [leaf for leaf, flag in zip(leaves, flags, strict=True) if flag]

    def lane(own: list[Any]) -> Any:
        rest = iter(own)
        here = [next(rest) if flag else leaf for leaf, flag in zip(leaves, flags, strict=True)]
        return function(*jax.tree.unflatten(tree, here))

    return jax.lax.map(lane, mapped)


def _together(function: Callable[..., Any], in_batched: Any, *args: Any) -> Any:
    axes = jax.tree.map(lambda flag: 0 if flag else None, in_batched)
    return jax.vmap(function, in_axes=tuple(axes))(*args)
