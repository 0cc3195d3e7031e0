"""What is computed, and for how long: a line on a terminal while a command works."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_FIRST, _STEP = 2.0, 0.5
"""Seconds before the line appears, and between its changes."""


@contextmanager
def told(what: str) -> Iterator[None]:
    """Show what is computed on standard error, where that is a terminal, until it ends."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    begun, done = time.monotonic(), threading.Event()
    ticker = threading.Thread(target=_tick, args=(what, begun, done), daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()


def _tick(what: str, begun: float, done: threading.Event) -> None:
    shown = ""
    wait = _FIRST
    while not done.wait(wait):
        shown = f"{what}: {time.monotonic() - begun:.0f} s"
        sys.stderr.write(f"\r{shown}")
        sys.stderr.flush()
        wait = _STEP
    if shown:
        sys.stderr.write(f"\r{' ' * len(shown)}\r")
        sys.stderr.flush()
