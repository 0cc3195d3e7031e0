"""The part that all jobs of a study share, packed for other processes: each job carries it, and it is unpacked once."""

from __future__ import annotations

import pickle
import zlib
from functools import lru_cache
from typing import Any


def packed(shared: Any) -> bytes:
    """An object that can be pickled, as bytes."""
    return zlib.compress(pickle.dumps(shared), 1)


@lru_cache(2)
def unpacked(content: bytes) -> Any:
    """The object; the same one for the same bytes, which nobody may change."""
    return pickle.loads(zlib.decompress(content))
