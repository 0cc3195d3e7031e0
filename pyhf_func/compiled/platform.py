"""Whether a function is traced for CPUs alone, so that what other platforms would do instead is left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_cpus_only: ContextVar[bool] = ContextVar("cpus_only", default=False)


@contextmanager
def for_cpus() -> Iterator[None]:
    """Trace for CPUs alone."""
    token = _cpus_only.set(True)
    try:
        yield
    finally:
        _cpus_only.reset(token)


def is_for_cpus() -> bool:
    """Whether what is traced will run on CPUs alone."""
    return _cpus_only.get()
