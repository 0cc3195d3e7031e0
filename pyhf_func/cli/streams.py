"""Standard streams that are closed, full or not read to their end, and Ctrl-C: no traceback, and exit codes that tell.

Exit codes are those of other programs: 130 after Ctrl-C, 141 where what reads the output stops early, as ``head`` does.
"""

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, TextIO

import click
from click.exceptions import Exit


class _Closed(io.TextIOBase):
    """A stream that nothing can be read from or written to."""

    def __init__(self, title: str) -> None:
        self._title = title

    def _refuse(self, *args: object) -> NoReturn:
        raise OSError(errno.EBADF, "is closed", self._title)

    read = readline = write = _refuse


class _Nowhere(io.TextIOBase):
    """A stream that forgets what is written to it."""

    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def guarded() -> Iterator[None]:
    """Run a command; what the standard streams do to it ends it with a message, where one can be seen, and a code.

    Raises:
        click.exceptions.Exit: The exit code.
    """
    _open_descriptors()
    if sys.stdin is None:
        sys.stdin = _Closed("standard input")
    if sys.stdout is None:
        sys.stdout = _Closed("standard output")
    if sys.stderr is None:
        sys.stderr = _Nowhere()
    try:
        yield
    except KeyboardInterrupt as interrupt:
        warn_of("\n".join([*getattr(interrupt, "__notes__", ()), "Interrupted."]))
        raise Exit(128 + signal.SIGINT) from None
    except BrokenPipeError:
        _silence(sys.stdout)
        raise Exit(128 + getattr(signal, "SIGPIPE", 13)) from None
    except MemoryError as error:
        warn_of(f"Error: {error or 'The memory is not enough.'}")
        raise Exit(1) from None
    except OSError as error:
        _silence(sys.stdout)
        warn_of(f"Error: {error.filename or 'standard output'}: {error.strerror or error}")
        raise Exit(1) from None


def echo(text: str) -> None:
    """Write to standard output.

    Raises:
        OSError: It is closed, or what it goes to is full.
    """
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        _silence(sys.stdout)
        raise OSError(error.errno, error.strerror, "standard output") from error


def warn_of(text: str) -> None:
    """Write a line to standard error, if that is possible."""
    try:
        click.echo(text, err=True)
    except OSError:
        _silence(sys.stderr)


def _open_descriptors() -> None:
    """Keep the numbers of streams that are closed from other files, which would be written to in their place."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            if os.open(os.devnull, os.O_RDWR) > 2:
                return


def _silence(stream: TextIO | io.TextIOBase) -> None:
    """Let nothing be written to the stream any more, not even by Python when it ends."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):  # not a file of the system's
        os.dup2(descriptor, stream.fileno())
    os.close(descriptor)
