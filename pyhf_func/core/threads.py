"""Batches of compiled computations on several threads, in other processes, or on other machines.

On a CPU, each thread of ours keeps one core busy: XLA computes without Python's lock, and what two threads compile at
the same time is compiled once.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

import jax

from pyhf_func._lookup import shown

Job = TypeVar("Job")
Label = TypeVar("Label")
Result = TypeVar("Result")

_WAITING = 4
"""How many jobs each worker has, of which one is computed."""
_OF_UNKNOWN = 256
"""How many jobs an executor has that does not say how many workers there are."""

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


def in_order(
    function: Callable[[Job], Result], jobs: Sequence[Job], executor: Executor | None = None
) -> Generator[Result, None, None]:
    """The results of the jobs, one after the other; only some for each worker are begun and not yet taken.

    Args:
        function: Computes a job.
        jobs: What it is called with.
        executor: Runs the jobs; by default threads, one for each core.
    """
    own = pool(len(jobs)) if executor is None else None
    workers, most = executor or own, 2 * _cores() if executor is None else _most(executor)
    if workers is None:
        yield from map(function, jobs)
        return
    begun: deque[Future[Result]] = deque()
    with own or nullcontext():
        try:
            for job in jobs:
                begun.append(_submitted(workers, function, (job,)))
                if len(begun) == most:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()


def as_they_end(
    executor: Executor | None, jobs: Iterable[tuple[Label, Callable[..., Any], tuple[Any, ...]]]
) -> Generator[tuple[Label, Any], None, None]:
    """Labels of jobs and their results, in the order in which they end; or what was raised instead of a result.

    Args:
        executor: Runs the jobs; None to run one after the other here.
        jobs: A label, a function and its arguments, each. They are asked for as there is room.
    """
    if executor is None:
        for label, function, args in jobs:
            yield label, _outcome(partial(function, *args))
        return
    ended: SimpleQueue[tuple[Label, Future[Any]]] = SimpleQueue()
    waiting, begun, most = iter(jobs), set[Future[Any]](), _most(executor)
    try:
        while True:
            while len(begun) < most and (job := next(waiting, None)) is not None:
                label, function, args = job
                future = _submitted(executor, function, args)
                begun.add(future)
                future.add_done_callback(partial(lambda label, future: ended.put((label, future)), label))
            if not begun:
                return
            label, future = ended.get()
            begun.remove(future)
            yield label, _outcome(future.result)
    finally:
        for future in begun:  # where the work is broken off
            future.cancel()


def check_executor(executor: object) -> None:
    """Refuse an executor without ``submit``.

    Raises:
        TypeError: It has no method ``submit``.
    """
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor is {shown(executor)}; give one with a method submit, such as ProcessPoolExecutor.")


def _submitted(executor: Executor, function: Callable[..., Any], args: tuple[Any, ...]) -> Future[Any]:
    """A job; it raises what became of it where the executor is broken already."""
    try:
        return executor.submit(function, *args)
    except BrokenExecutor as error:
        lost: Future[Any] = Future()
        lost.set_exception(error)
        return lost


def _outcome(compute: Callable[[], Any]) -> Any:
    try:
        return compute()
    except Exception as error:  # whatever a worker, or too little memory, gives: the other jobs go on
        return error


def workers_of(executor: Executor) -> int | None:
    """How many workers an executor has; None where it does not say."""
    for name in ("_max_workers", "num_workers"):  # those of concurrent.futures, and of mpi4py
        workers = getattr(executor, name, None)
        if isinstance(workers, int):
            return workers
    return None


def _most(executor: Executor) -> int:
    """How many jobs an executor is given at a time."""
    workers = workers_of(executor)
    return _OF_UNKNOWN if workers is None else _WAITING * workers


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _settings() -> tuple[object, ...]:
    return tuple(getattr(jax.config, name) for name in _SETTINGS)
