"""Batches of compiled computations on several threads: on a CPU, each of ours keeps one core busy.

XLA computes without Python's lock, and what two threads compile at the same time is compiled once.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import jax

Job = TypeVar("Job")
Result = TypeVar("Result")

_SETTINGS = ("jax_enable_x64", "jax_default_device", "jax_disable_jit", "jax_default_matmul_precision")
"""Those of JAX that a block of code may set, which holds for its own thread alone."""


def pool(jobs: int) -> ThreadPoolExecutor | None:
    """Threads for so many jobs, one for each core; None where they would not help, or compute something else."""
    threads = min(jobs, _cores()) if jax.default_backend() == "cpu" else 1
    if threads < 2:
        return None
    executor = ThreadPoolExecutor(threads)
    if executor.submit(_settings).result() == _settings():
        return executor
    executor.shutdown()
    return None


def in_order(function: Callable[[Job], Result], jobs: Sequence[Job]) -> Generator[Result, None, None]:
    """The results of the jobs, one after the other; at most two for each thread are begun and not yet taken."""
    executor = pool(len(jobs))
    if executor is None:
        yield from map(function, jobs)
        return
    begun: deque[Future[Result]] = deque()
    with executor:
        try:
            for job in jobs:
                begun.append(executor.submit(function, job))
                if len(begun) == 2 * _cores():
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _settings() -> tuple[object, ...]:
    return tuple(getattr(jax.config, name) for name in _SETTINGS)
