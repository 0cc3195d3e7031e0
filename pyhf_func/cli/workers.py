"""Other processes for one command: the option ``--jobs``, and the executor that it asks for."""

import signal
from collections.abc import Iterator
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context

import click

from pyhf_func.cli.errors import reported
from pyhf_func.cli.settings import prepare_jax

jobs_option = click.option(
    "-j", "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Number of processes."
)


@contextmanager
def workers(jobs: int, *, cached: bool) -> Iterator[Executor | None]:
    """Other processes, set up like this one, which end when it is broken off; None to stay in this one."""
    if jobs == 1:
        yield None
        return
    with (
        reported(BrokenProcessPool),
        ProcessPoolExecutor(jobs, get_context("spawn"), _prepare, (cached,)) as executor,
    ):
        try:
            yield executor
        except BaseException:
            for worker in active_children():
                worker.terminate()
            raise


def _prepare(cached: bool) -> None:
    """Set up a worker; Ctrl-C, which it gets too, is the business of the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare_jax(cached=cached)
