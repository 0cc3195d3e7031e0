"""What studies write: JSON with the status of each result beside it, and without numbers that JSON lacks."""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pyhf_func as pf
from pyhf_func.cli.errors import CommandError, warn
from pyhf_func.exceptions import CheckpointNotWritten

T = TypeVar("T")


def status_of(number: Any) -> dict[str, str]:
    """How a result ended, as a word and a sentence."""
    status = pf.Status(int(number))
    return {"status": status.name, "message": status.sentence}


def require_converged(number: Any) -> dict[str, str]:
    """The status of a study's only result.

    Raises:
        CommandError: A fit failed, so that there is nothing to write.
    """
    status = status_of(number)
    if int(number):
        raise CommandError(status["message"])
    return status


def computed(compute: Callable[[], T]) -> tuple[T, str]:
    """A result, and why it could not be saved to a checkpoint; empty where it was."""
    try:
        return compute(), ""
    except CheckpointNotWritten as error:
        return error.result, str(error)


def words(numbers: Any) -> Any:
    """The words for statuses, one or an array of them."""
    found = numbers.tolist()
    return [pf.Status(number).name for number in found] if isinstance(found, list) else pf.Status(found).name


def failures(numbers: Any) -> int:
    """How many of several results have numbers that failed; a limit that does not exist is no failure."""
    return sum(number >= pf.Status.ITERATION_LIMIT for number in numbers.ravel().tolist())


def require_some(*numbers: Any) -> dict[str, str]:
    """The worst status of several numbers, with a warning where some failed.

    Raises:
        CommandError: All of them failed, so that there is nothing to write; or there is no limit at all.
    """
    every = [int(number) for each in numbers for number in each.ravel().tolist()]
    if min(every):
        raise CommandError(status_of(min(every))["message"])
    if max(every):
        warn(status_of(max(every))["message"])
    return status_of(max(every))


def tell_failures(what: str, failed: int, total: int) -> None:
    """Warn where some members of a batch failed; to be called when the others are written.

    Raises:
        CommandError: All of them failed.
    """
    if failed and failed == total:
        raise CommandError(f"All {total} {what} failed; the output says why.")
    if failed:
        warn(f"{failed} of {total} {what} failed; the output says which and why.")


def spaced(low: float, high: float, n: int) -> list[float]:
    """Equidistant values from the first to the last."""
    return [low + (high - low) * i / (n - 1) for i in range(n - 1)] + [high]


def plain(value: Any) -> Any:
    """Arrays as lists, and None for numbers that are not finite: JSON has none."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None  # NumPy's are floats, and written otherwise
    return plain(value.tolist()) if hasattr(value, "tolist") else value
