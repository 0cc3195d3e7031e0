"""Read results that were saved."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyhf_func.core.inference import ToysResult
from pyhf_func.exceptions import Fault, InvalidDocument
from pyhf_func.results.documents import result_of
from pyhf_func.verbs import grid, group_impacts  # noqa: F401 - so that every class of results is known

__all__ = ["load"]


def __dir__() -> list[str]:
    return __all__


def load(path: str | os.PathLike[str]) -> Any:
    """Read a result that its ``save`` wrote: JSON, or toys also in NumPy's format npz.

    Args:
        path: The file.

    Returns:
        The result, with its names and with what it was made with; its arrays are NumPy's.

    Raises:
        InvalidDocument: The file is no such document, or damaged; it names the place.
        InvalidCheckpoint: A file of toys is damaged.
        OSError: It can't be read.

    Example:
        >>> import pathlib, tempfile, pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> data = [55, 50, *model.config.auxdata]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     pf.fit(data, model).save(f"{folder}/fit.json")
        ...     result = pf.load(f"{folder}/fit.json")
        >>> round(float(result["mu"]), 4), int(pf.fit(data, model, init=result).iterations)
        (0.2109, 1)
    """
    content = Path(path).read_bytes()
    if content[:2] == b"PK":
        return ToysResult.load(path)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        fault = Fault("$", f"is not the file of a result: {error}", InvalidDocument, os.fspath(path))
        raise InvalidDocument(faults=[fault]) from error
    try:
        return result_of(document)
    except InvalidDocument as error:
        faults = [replace(fault, file=os.fspath(path)) for fault in error.faults]
        raise InvalidDocument(faults=faults) from error
