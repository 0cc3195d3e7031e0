"""Results as objects of ROOT, in a file: histograms, matrices and Combine's tree of limits."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyhf_func import _files
from pyhf_func.results.base import Result
from pyhf_func.results.extras import needed

QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)
"""How Combine names expected limits at -2, ..., 2 standard deviations; the observed one is -1."""


def to_root(path: str | os.PathLike[str], *results: Result) -> None:
    """Write results to a ROOT file; one that is there is replaced.

    Of `pf.yields`, histograms ``prefit/CHANNEL/SAMPLE`` and ``postfit/CHANNEL/SAMPLE``, with ``total`` and ``data``,
    whose errors are the standard errors of the bins, over the numbers of the bins; of these and of `pf.covariance`, the
    matrices ``covariance`` and ``correlation`` of all parameters as ``TH2D``, and the tree ``parameters`` with their
    ``name``, ``value`` and ``error``; of `pf.upper_limit`, the tree ``limit`` with Combine's branches: ``limit`` and
    ``quantileExpected`` (-1 for the observed one), and ``limitErr``, ``mh``, ``syst``, ``iToy``, ``iSeed``,
    ``iChannel``, ``t_cpu`` and ``t_real``, which are zero but for ``syst``.

    Args:
        path: The file.
        results: What to write; at most one result of a kind.

    Raises:
        ImportBackendError: uproot is not installed (extra ``xmlio``).
        TypeError: A result has no form in ROOT, or is no result.
        ValueError: Two results would be written to the same place.

    Example:
        >>> import tempfile
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> limit = pf.upper_limit([51, 48, *model.config.auxdata], model)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     pf.to_root(f"{folder}/limits.root", limit)
    """
    uproot = needed("uproot", "ROOT files", "xmlio")
    objects: dict[str, Any] = {}
    for number, result in enumerate(results):
        if not isinstance(result, Result):
            raise TypeError(
                f"results[{number}] is of type {type(result).__name__}; give the path, then results of verbs."
            )
        for name, thing in result._root_objects().items():
            if name in objects:
                raise ValueError(f"{name} would be written twice: give one {type(result).__name__} to each file.")
            objects[name] = thing
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "results.root"
        with uproot.recreate(made) as file:
            for name, thing in objects.items():
                if isinstance(thing, dict):
                    file.mktree(name, {branch: _type(values) for branch, values in thing.items()})
                    file[name].extend(thing)
                else:
                    file[name] = _histogram(uproot, name, *thing)
        content = made.read_bytes()
    _files.replace(path, lambda file: file.write(content))


def limit_tree(observed: Any, expected: Any) -> dict[str, Any]:
    """The branches of Combine's tree; a limit that could not be found is NaN."""
    limits = np.asarray([*expected, observed], float)
    n = len(limits)
    zeros = {name: np.zeros(n) for name in ("limitErr", "mh")}
    numbers = {name: np.zeros(n, np.int32) for name in ("iToy", "iSeed", "iChannel")}
    times = {name: np.zeros(n, np.float32) for name in ("t_cpu", "t_real")}
    quantiles = np.asarray([*QUANTILES, -1.0], np.float32)
    syst = np.ones(n, np.int32)
    return {"limit": limits, **zeros, "syst": syst, **numbers, **times, "quantileExpected": quantiles}


def parameter_objects(names: Sequence[str], values: Any, errors: Any, covariance: Any, correlation: Any) -> Any:
    """The matrices of a fit, and a tree of its parameters."""
    tree = {"name": list(names), "value": np.asarray(values, float), "error": np.asarray(errors, float)}
    return {
        "parameters": tree,
        "covariance": (np.asarray(covariance, float), None),
        "correlation": (np.asarray(correlation, float), None),
    }


def _type(values: Any) -> Any:
    return "string" if isinstance(values, list) else values.dtype


def _histogram(uproot: Any, name: str, values: np.ndarray, errors: np.ndarray | None) -> Any:
    """A histogram over the numbers of its bins, of one or two dimensions."""
    edges = [np.arange(size + 1.0) for size in values.shape]
    if errors is None:
        return (values, *edges)
    short, places = name.rsplit("/", 1)[-1], edges[0][:-1] + 0.5
    sums = np.sum(values), np.sum(errors**2), values @ places, values @ places**2
    axis = uproot.writing.identify.to_TAxis("xaxis", "", len(values), 0.0, float(len(values)))
    whole, squares = np.pad(values, 1), np.pad(errors**2, 1)  # with empty underflow and overflow
    return uproot.writing.identify.to_TH1x(short, short, whole, len(values), *map(float, sums), squares, axis)
