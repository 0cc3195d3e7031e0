"""Worker processes made by fork, which can't compute where their parent already has.

A fork copies the locks of XLA's threads but not the threads: a computation in the child would wait for ever. A parent
has computed once JAX has compiled anything in it, also a function of the user's own.
"""

from __future__ import annotations

import os
from typing import Any

import jax

from pyhf_func.exceptions import ForkedProcess

_state = {"computed": False, "lost": False}


def check_process() -> None:
    """Raise where this process was forked from one that had already computed; else note that this one computes.

    Raises:
        ForkedProcess: A computation in this process would never end.
    """
    if _state["lost"]:
        raise ForkedProcess()
    _state["computed"] = True


def _on_event(*event: Any, **settings: Any) -> None:
    _state["computed"] = True


def _after_fork() -> None:
    _state["lost"] = _state["lost"] or _state["computed"]


if hasattr(os, "register_at_fork"):
    jax.monitoring.register_event_duration_secs_listener(_on_event)  # of tracing and compiling
    os.register_at_fork(after_in_child=_after_fork)
