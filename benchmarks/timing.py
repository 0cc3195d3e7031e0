"""Clocks: seconds of a call until its results are there, on the wall or of all processors."""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


Clock = Callable[[], float]
CPU: Clock = time.process_time


def once(call: Callable[[], T], clock: Clock = time.perf_counter) -> tuple[float, T]:
    """Seconds of one call, and its result."""
    start = clock()
    result = ready(call())
    return clock() - start, result


def median(
    call: Callable[[], Any], *, repeats: int = 15, budget: float = 10.0, clock: Clock = time.perf_counter
) -> float:
    """Median seconds of up to ``repeats`` calls, at least one, started within ``budget`` seconds."""
    seconds: list[float] = []
    end = time.perf_counter() + budget
    while len(seconds) < repeats and (not seconds or time.perf_counter() < end):
        seconds.append(once(call, clock)[0])
    return statistics.median(seconds)


def ready(result: T) -> T:
    """The result when it is computed: JAX returns before it has. Without JAX there is nothing to wait for."""
    jax = sys.modules.get("jax")
    return jax.block_until_ready(result) if jax is not None else result
