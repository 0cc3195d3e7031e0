"""A document from a model and data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyhf_func import schema
from pyhf_func._lookup import shown
from pyhf_func.core.values import as_list
from pyhf_func.exceptions import InvalidPdfData
from pyhf_func.schema.frozen import thaw

__all__ = ["built"]

# What a parameter is configured with besides its start values and bounds, where its constraint is not the usual one.
_CONSTRAINT = ("constraint", "auxdata", "sigmas", "factors", "sigmas_down")


def built(model: Any, data: Any, name: str) -> dict[str, Any]:
    """The workspace that gives the model and the data again; see :meth:`Workspace.build`."""
    _check(model, data)
    config = {"poi": model.config.poi_name or "", "parameters": _parameters(model)}
    config |= {"correlations": thaw(model.spec["correlations"])} if "correlations" in model.spec else {}
    return {
        "channels": thaw(model.spec["channels"]),
        "version": schema.version,
        "measurements": [{"name": name, "config": config}],
        "observations": [
            {"name": channel, "data": _numbers(data[model.config.channel_slices[channel]])}
            for channel in model.config.channels
        ],
    }


def _check(model: Any, data: Any) -> None:
    if not hasattr(model, "config"):
        raise TypeError(f"model is of type {type(model).__name__}; give a model, then data.")
    if not hasattr(model, "spec"):
        raise TypeError("model has no spec: it was not built from one, but made from another model.")
    if isinstance(data, str | bytes | Mapping) or not hasattr(data, "__len__"):
        raise TypeError(f"data is {shown(data)}; give the observed counts, with or without auxiliary data.")
    n_main, n_all = model.config.nmaindata, model.config.nmaindata + model.config.nauxdata
    if len(data) not in (n_main, n_all):
        raise InvalidPdfData(
            f"data has {len(data)} elements; the model needs {n_main} bins, or {n_all} with auxiliary data."
        )


def _parameters(model: Any) -> list[dict[str, Any]]:
    """The configuration of every parameter, in the order of the model."""
    configs = {config["name"]: config for config in model.spec.get("parameters", ())}
    inits, bounds = model.config.suggested_init(), model.config.suggested_bounds()
    fixed = model.config.suggested_fixed()
    parameters = []
    for parameter in model.config.par_order:
        place = model.config.par_slice(parameter)
        configured = configs.get(parameter, {})
        parameters.append(
            {
                "bounds": [list(pair) for pair in bounds[place]],
                "inits": list(inits[place]),
                **_fixed(fixed[place], configured),
                "name": parameter,
                **{key: thaw(configured[key]) for key in _CONSTRAINT if key in configured},
            }
        )
    return parameters


def _fixed(flags: list[bool], configured: Mapping[str, Any]) -> dict[str, bool | list[bool]]:
    """The flag of all components; where only some are fixed, as configured: without a flag, bins fix themselves."""
    if len(set(flags)) == 1:
        return {"fixed": flags[0]}
    return {"fixed": list(flags)} if "fixed" in configured else {}


def _numbers(values: Any) -> list[float]:
    """Numbers of any kind of array as JSON has them."""
    return list(values) if isinstance(values, list | tuple) else as_list(values)
