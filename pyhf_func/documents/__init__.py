"""Documents of every format: read into one model language, and from there into workspaces."""

from __future__ import annotations

from pyhf_func.documents.reading import read as read
from pyhf_func.documents.reading import read_document as read_document

__all__ = ["read", "read_document"]


def __dir__() -> list[str]:
    return __all__
