"""Signals that end a process, such as the one that batch systems send before they kill: time to save what there is."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_ENDING = ("SIGTERM", "SIGHUP", "SIGXCPU")


@contextmanager
def exit_on_signals() -> Iterator[None]:
    """Let signals that would end the process at once raise ``SystemExit`` in the block, with the shell's exit code.

    Signals with a handler of the program's own, or that it ignores, are left alone; so are all of them where the block
    runs in another thread than the main one, which alone may handle signals.
    """
    ours = []
    if threading.current_thread() is threading.main_thread():
        numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
        ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in ours:
            signal.signal(number, _exit)
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def note(error: BaseException, text: str) -> None:
    """Add to what broke off some work what became of it; ``SystemExit`` shows no notes, so that it is printed."""
    if not text:
        return
    error.add_note(text)
    if isinstance(error, SystemExit) and sys.stderr is not None:
        with suppress(OSError, ValueError):  # closed
            print(text, file=sys.stderr, flush=True)
