"""Small documents to spoil: a workspace of two channels with every modifier type."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]
Change = Callable[[Document], Any]

LUMI = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "bounds": [[0.5, 1.5]], "inits": [1.0]}


def modifier(kind: str, name: str, data: Any = None) -> Document:
    return {"type": kind, "name": name, "data": data}


def model_spec() -> Document:
    """Channels "SR" (2 bins) and "CR" (3 bins); parameter configurations for "lumi" and "mu"."""
    return {
        "channels": [
            {
                "name": "SR",
                "samples": [
                    {
                        "name": "signal",
                        "data": [5.0, 6.0],
                        "modifiers": [modifier("normfactor", "mu"), modifier("lumi", "lumi")],
                    },
                    {
                        "name": "background",
                        "data": [50.0, 60.0],
                        "modifiers": [
                            modifier("normsys", "scale", {"lo": 0.9, "hi": 1.2}),
                            modifier("histosys", "tilt", {"lo_data": [48.0, 63.0], "hi_data": [53.0, 55.0]}),
                            modifier("shapesys", "shape", [5.0, 6.0]),
                            modifier("staterror", "stat_SR", [3.0, 4.0]),
                        ],
                    },
                ],
            },
            {
                "name": "CR",
                "samples": [
                    {
                        "name": "background",
                        "data": [30.0, 40.0, 50.0],
                        "modifiers": [
                            modifier("normsys", "scale", {"lo": 0.95, "hi": 1.1}),
                            modifier("shapefactor", "free"),
                        ],
                    }
                ],
            },
        ],
        "parameters": [copy.deepcopy(LUMI), {"name": "mu", "bounds": [[0.0, 5.0]]}],
    }


def workspace_spec() -> Document:
    """The model spec as a workspace, with observations."""
    spec = model_spec()
    return {
        "channels": spec["channels"],
        "observations": [{"name": "SR", "data": [52, 66]}, {"name": "CR", "data": [31, 44, 47]}],
        "measurements": [{"name": "fit", "config": {"poi": "mu", "parameters": spec["parameters"]}}],
        "version": "1.0.0",
    }


def sample(spec: Document, channel: int = 0, index: int = 1) -> Document:
    """A sample; by default the background in SR."""
    found: Document = spec["channels"][channel]["samples"][index]
    return found


def put(path: str, value: Any) -> Change:
    """Set what stands at a path such as ``"channels.0.name"``."""
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]

    def change(spec: Any) -> None:
        for step in steps:
            spec = spec[step]
        spec[last] = value

    return change


def add(path: str, *values: Any) -> Change:
    """Append to the list at a path."""
    steps = [int(step) if step.isdigit() else step for step in path.split(".")]

    def change(spec: Any) -> None:
        for step in steps:
            spec = spec[step]
        spec.extend(copy.deepcopy(list(values)))

    return change


def drop(path: str) -> Change:
    """Remove what stands at a path."""
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]

    def change(spec: Any) -> None:
        for step in steps:
            spec = spec[step]
        del spec[last]

    return change


def all_of(*changes: Change) -> Change:
    def change(spec: Document) -> None:
        for one in changes:
            one(spec)

    return change


def spoiled(make: Callable[[], Document], change: Change) -> Document:
    spec = make()
    change(spec)
    return spec
