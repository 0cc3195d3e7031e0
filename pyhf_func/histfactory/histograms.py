"""Histograms in ROOT files."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import numpy as np

from pyhf_func.exceptions import Fault, ImportBackendError, InvalidDocument, needs
from pyhf_func.histfactory.places import Resolver

__all__ = ["FileCache", "clear_filecache", "extract_error", "import_root_histogram", "load_uproot"]

FileCache = MutableMapping[str, tuple[Any, set[str], Any]]


_FILES: FileCache = {}


def load_uproot() -> Any:
    try:
        import uproot
    except ImportError as error:
        raise ImportBackendError(needs("reading and writing ROOT files", "uproot", "xmlio", error)) from error
    return uproot


def extract_error(hist: Any) -> list[float]:
    """The uncertainty of each bin: from the sum of squared weights, or √n where there are no weights."""
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(hist.variances() if hist.weighted else hist.values())
    return _flat(errors)


def _flat(contents: Any) -> list[float]:
    """The bins in one row, in the order of ROOT: the first axis is the slowest."""
    row: list[float] = np.ravel(contents, order="C").tolist()
    return row


def import_root_histogram(
    resolver: Resolver, filename: str, path: str, name: str, filecache: FileCache | None = None
) -> tuple[list[float], list[float]]:
    """Contents and uncertainties of a histogram.

    Args:
        resolver: Finds the file.
        filename: Name of the ROOT file in the configuration.
        path: Folder in the ROOT file; the histogram is looked for there, then at the top. As in ROOT the file may
            stand before it, ``file.root:/folder/``.
        name: Name of the histogram, possibly with folders before it.
        filecache: Files that are open; by default one for the whole process, see :func:`clear_filecache`.

    Raises:
        KeyError: The file has no such histogram.
        InvalidDocument: The file is damaged, or no ROOT file.
    """
    file_of_name, _, name = name.rpartition(":")
    file_of_path, _, path = (path or "").rpartition(":")
    place = _place(resolver, filename, file_of_name or file_of_path)
    file, keys = _opened(place, _FILES if filecache is None else filecache)
    inner = "/".join(filter(None, name.split("/")))
    folder = "" if file_of_name else "/".join(filter(None, path.split("/")))
    names = [f"{folder}/{inner}", inner] if folder else [inner]
    for candidate in names:
        if candidate in keys or candidate.partition(";")[0] in keys:
            return _histogram(file, candidate, place)
    raise KeyError(f"{place} has no histogram {' or '.join(names)}")


def _place(resolver: Resolver, filename: str, named: str) -> str:
    """The ROOT file to read: the one that a path names, which may be called as beside ``filename``, or ``filename``."""
    if not named or Path(named).name == Path(filename).name:
        return str(resolver(filename))
    beside = str(Path(filename).parent / named)
    return str(next((place for place in map(resolver, (named, beside)) if place.exists()), resolver(named)))


def _histogram(file: Any, name: str, place: str) -> tuple[list[float], list[float]]:
    """Contents and uncertainties of a histogram of an open file."""
    try:
        hist = file[name]
        kind = hist.classname
        if kind.startswith("TH"):
            return _flat(hist.values()), extract_error(hist)
    except Exception as error:  # whatever uproot stumbles over
        message = f"{name} cannot be read: {type(error).__name__}: {error}. Is the file damaged?"
        raise InvalidDocument(faults=[Fault("$", message, InvalidDocument, place)]) from error
    raise KeyError(f"{place}: {name} is a {kind}, not a histogram")


def _opened(place: str, cache: FileCache) -> tuple[Any, set[str]]:
    """An open file and the names in it; opened again when the file has changed."""
    stamp = _stamp(place)
    if place not in cache or cache[place][2] != stamp:
        uproot = load_uproot()
        try:
            file = uproot.open(place)
            cache[place] = file, set(file.keys(cycle=False)), stamp
        except OSError:
            raise
        except Exception as error:  # whatever uproot stumbles over
            message = f"cannot be read as a ROOT file: {type(error).__name__}: {error}"
            raise InvalidDocument(faults=[Fault("$", message, InvalidDocument, place)]) from error
    return cache[place][:2]


def _stamp(place: str) -> Any:
    try:
        status = os.stat(place)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def clear_filecache() -> None:
    """Close the ROOT files that were read."""
    for file, *_ in _FILES.values():
        file.close()
    _FILES.clear()
