"""How a command fails: one clear message on standard error and a non-zero exit code, never a traceback.

Exit codes: 1 for input or output that cannot be used and for fits that did not converge, 2 for wrong usage
(click's own); for those after signals and of closed streams see `streams`.
"""

import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click

from pyhf_func.cli.streams import warn_of
from pyhf_func.exceptions import PyhfFuncError, WorkspaceWarning

WRONG_XML = ET.ParseError, KeyError, ValueError, RuntimeError
"""Errors that wrong XML and ROOT files raise."""


class CommandError(click.ClickException):
    """What the user gave cannot be worked with; the message says what and why."""

    exit_code = 1


@contextmanager
def reported(*also: type[Exception]) -> Iterator[None]:
    """Turn the library's errors into a ``CommandError`` and its warnings into lines on standard error.

    Args:
        also: Other exceptions that wrong input raises in this command.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("default", WorkspaceWarning)  # whatever PYTHONWARNINGS makes of others
        warnings.showwarning = _show_warning
        try:
            yield
        except PyhfFuncError as error:
            raise CommandError(str(error)) from error
        except also as error:
            # The text of a KeyError is a representation.
            raise CommandError(str(error.args[0]) if error.args else str(error)) from error
        except BrokenPipeError:  # what reads the output has enough
            raise
        except OSError as error:
            raise CommandError(f"{error.filename or 'input/output'}: {error.strerror or error}") from error


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """One line for a reader, without the source line that issued the warning."""
    warn(message)


def warn(message: object) -> None:
    """One line on standard error."""
    warn_of(f"Warning: {message}")
