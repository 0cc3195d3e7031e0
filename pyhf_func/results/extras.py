"""Packages that are imported where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from pyhf_func.exceptions import ImportBackendError


def needed(package: str, what: str, extra: str) -> Any:
    """A package.

    Raises:
        ImportBackendError: It is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ImportBackendError(
            f"{what} need the package {package}: pip install 'pyhf-func[{extra}]' ({error})."
        ) from error
