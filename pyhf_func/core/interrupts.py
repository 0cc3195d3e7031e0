"""Signals that end a process, such as the one that batch systems send before they kill: time to save what there is."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

_ENDING = ("SIGTERM", "SIGHUP", "SIGXCPU")


class Ending:
    """The signal that asked for the end of a block, where one came.

    What a handler raises is lost where Python runs it in a finaliser or a callback of the garbage collector, of which
    JAX has one: so it is kept here, too.
    """

    def __init__(self) -> None:
        self._asked: BaseException | None = None

    def check(self) -> None:
        """Raise what a signal asked for; to be called wherever the block can be left.

        Raises:
            SystemExit, KeyboardInterrupt: There was a signal.
        """
        if self._asked is not None:
            raise self._asked

    def handle(self, number: int, frame: FrameType | None) -> None:
        """A handler of signals."""
        self._asked = KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)
        raise self._asked


@contextmanager
def exit_on_signals(wanted: bool = True) -> Iterator[Ending]:
    """Let signals that would end the process at once raise ``SystemExit`` in the block, with the shell's exit code.

    Ctrl-C raises ``KeyboardInterrupt``, as always. Either is raised when the block ends, at the latest.

    Signals with a handler of the program's own, or that it ignores, are left alone; so are all of them where the block
    runs in another thread than the main one, which alone may handle signals, or where this is not ``wanted``.
    """
    ending, before = Ending(), dict[signal.Signals, Any]()
    if wanted and threading.current_thread() is threading.main_thread():
        usual: dict[Any, Any] = {getattr(signal, name): signal.SIG_DFL for name in _ENDING if hasattr(signal, name)}
        usual[signal.SIGINT] = signal.default_int_handler
        before = {number: own for number, own in usual.items() if signal.getsignal(number) is own}
    try:
        for number in before:
            signal.signal(number, ending.handle)
        yield ending
    finally:
        for number, own in before.items():
            signal.signal(number, own)
    ending.check()


def note(error: BaseException, text: str) -> None:
    """Add to what broke off some work what became of it; ``SystemExit`` shows no notes, so that it is printed."""
    if not text:
        return
    error.add_note(text)
    if isinstance(error, SystemExit) and sys.stderr is not None:
        with suppress(OSError, ValueError):  # closed
            print(text, file=sys.stderr, flush=True)
