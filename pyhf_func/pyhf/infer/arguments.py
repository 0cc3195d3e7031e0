"""How the documented functions read their arguments: as the verbs do, and other libraries' models are let through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pyhf_func._lookup import shown
from pyhf_func.pyhf.optimize.arrays import kind
from pyhf_func.pyhf.pdf import Model
from pyhf_func.verbs._arguments import data_of, level_of, no_model

_KNOWN = (None, "jax")
"""Kinds of arrays whose values can be looked at where they are not traced."""


def check_model(pdf: Any, name: str = "pdf") -> None:
    """Raise unless this is a model.

    Raises:
        TypeError: It has no configuration, or is a model of pyhf.
    """
    if not hasattr(pdf, "config") or type(pdf).__module__.split(".")[0] == "pyhf":
        raise TypeError(no_model(pdf, name))


def check_problem(data: Any, pdf: Any, name: str = "pdf") -> None:
    """Raise unless this is a model and the data fit it; traced data, or those on a framework's tape, are let through.

    Raises:
        TypeError: There is no model, or there are no data.
        InvalidPdfData: The data have another shape, or a count is negative or not finite.
    """
    if hasattr(data, "config"):
        raise TypeError(f"The model was given as data: give data first, then {name}.")
    check_model(pdf, name)
    if isinstance(data, str | bytes | Mapping | type(None)):
        raise TypeError(f"data is {shown(data)}; give main and auxiliary data: workspace.data(model).")
    if isinstance(pdf, Model) and kind(data) in _KNOWN:
        data_of(pdf, data)


def check_limit(data: Any, model: Any, level: Any) -> None:
    """Raise unless data, model and level of an upper limit are valid.

    Raises:
        TypeError, ValueError, InvalidPdfData: One of them is not what it should be.

    Warns:
        UserWarning: The level looks like a confidence level.
    """
    check_problem(data, model, "model")
    if kind(level) in _KNOWN:
        level_of(level)


def values_of(scan: Any) -> Any:
    """The values of a scan, which can be counted.

    Raises:
        TypeError: They are something else.
        ValueError: There are none.
    """
    if isinstance(scan, str | Mapping) or not (isinstance(scan, Iterable) or hasattr(scan, "__len__")):
        raise TypeError(f"scan is {shown(scan)}; give values of the parameter of interest.")
    values = scan if hasattr(scan, "__len__") else list(scan)
    if not len(values):
        raise ValueError("scan is empty; give at least one value of the parameter of interest.")
    return values
