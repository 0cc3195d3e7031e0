"""Doubts about a configuration while it is read: what the format cannot hold."""

from __future__ import annotations

import logging
import warnings
from contextvars import ContextVar

from pyhf_func.exceptions import Fault, InvalidSpecification, WorkspaceWarning

__all__ = ["AS_ROOT", "DOUBTS", "doubt"]

log = logging.getLogger("pyhf_func.readxml")
log.addHandler(logging.NullHandler())  # what is logged is also warned of

DOUBTS: ContextVar[list[Fault] | None] = ContextVar("doubts", default=None)
"""Takes what the format cannot hold while a configuration is read."""


AS_ROOT: ContextVar[bool] = ContextVar("as_root", default=False)
"""Whether keys of the model language may say what a plain workspace cannot."""


def doubt(place: str, message: str) -> None:
    """Note something that a workspace cannot hold."""
    log.warning("%s: %s", place, message)
    doubts = DOUBTS.get()
    fault = Fault(place, message, InvalidSpecification)
    if doubts is None:
        warnings.warn(WorkspaceWarning([fault]), stacklevel=3)
    else:
        doubts.append(fault)
