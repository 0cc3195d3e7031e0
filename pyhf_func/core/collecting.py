"""The garbage collector in a run that makes very many objects: it looks again and again at all that was there before.

JAX, a workspace and its patches are a million objects that stay; a point of a grid is some thousand that do not.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def old_objects_kept() -> Iterator[None]:
    """Leave the objects that there are out of collections until the block ends; new ones are collected as always.

    Where the program has frozen objects of its own, nothing is changed.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
