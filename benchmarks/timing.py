"""Clocks: seconds of a call until its results are there."""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def once(call: Callable[[], T]) -> tuple[float, T]:
    """Seconds of one call, and its result."""
    start = time.perf_counter()
    result = ready(call())
    return time.perf_counter() - start, result


def median(call: Callable[[], Any], *, repeats: int = 15, budget: float = 10.0) -> float:
    """Median seconds of up to ``repeats`` calls, at least one, started within ``budget`` seconds."""
    seconds: list[float] = []
    end = time.perf_counter() + budget
    while len(seconds) < repeats and (not seconds or time.perf_counter() < end):
        seconds.append(once(call)[0])
    return statistics.median(seconds)


def ready(result: T) -> T:
    """The result when it is computed: JAX returns before it has. Without JAX there is nothing to wait for."""
    jax = sys.modules.get("jax")
    return jax.block_until_ready(result) if jax is not None else result
