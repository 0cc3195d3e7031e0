"""Observations of channels that have no data."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyhf_func.core.expression import parse as parse_expression

__all__ = ["fill_observations"]


def fill_observations(document: dict[str, Any]) -> None:
    """The expected yields at the start of the first measurement where there are no data."""
    starts: dict[str, float] = {}
    for config in document["measurements"][0]["config"]["parameters"] if document["measurements"] else ():
        starts[config["name"]] = config.get("inits", [1.0])[0]
    for channel, observation in zip(document["channels"], document["observations"], strict=True):
        if observation["data"]:
            continue
        total = np.zeros(len(channel["samples"][0]["data"]) if channel["samples"] else 0)
        for sample in channel["samples"]:
            yields = np.asarray(sample["data"], dtype=float)
            for modifier in sample["modifiers"]:
                if "expression" in modifier:
                    expression = parse_expression(modifier["expression"], modifier["arguments"])
                    yields = yields * expression({name: starts.get(name, 1.0) for name in expression.names})
                elif modifier["type"] in ("normfactor", "lumi"):
                    yields = yields * starts.get(modifier["name"], 1.0)
            total = total + yields
        observation["data"] = total.tolist()
