"""A document from a model and data."""

from __future__ import annotations

from typing import Any

from pyhf_func import schema
from pyhf_func.schema.frozen import thaw
from pyhf_func.schema.values import as_list

__all__ = ["built"]

# What a parameter is configured with besides its start values and bounds, where its constraint is not the usual one.
_CONSTRAINT = ("auxdata", "sigmas", "factors")


def built(model: Any, data: Any, name: str) -> dict[str, Any]:
    """The workspace that gives the model and the data again; see :meth:`Workspace.build`."""
    config = {"poi": model.config.poi_name or "", "parameters": _parameters(model)}
    return {
        "channels": thaw(model.spec["channels"]),
        "version": schema.version,
        "measurements": [{"name": name, "config": config}],
        "observations": [
            {"name": channel, "data": _numbers(data[model.config.channel_slices[channel]])}
            for channel in model.config.channels
        ],
    }


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
                **_fixed(fixed[place]),
                "name": parameter,
                **{key: thaw(configured[key]) for key in _CONSTRAINT if key in configured},
            }
        )
    return parameters


def _fixed(flags: list[bool]) -> dict[str, bool]:
    """The flag of all components; none where only some are fixed: these are bins that fix themselves."""
    return {"fixed": flags[0]} if len(set(flags)) == 1 else {}


def _numbers(values: Any) -> list[float]:
    """Numbers of any kind of array as JSON has them."""
    return list(values) if isinstance(values, list | tuple) else as_list(values)
