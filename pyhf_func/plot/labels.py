"""What pictures call things: names from the model, and titles, units and edges from the document's metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from pyhf_func.model import AnyModel
from pyhf_func.results.base import Result


class Binning(NamedTuple):
    """The horizontal axis of a channel."""

    title: str
    unit: str
    edges: Sequence[float]

    @property
    def label(self) -> str:
        """Title and unit."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


class Labels(NamedTuple):
    """How things are called, and the line above a picture."""

    names: Mapping[str, str]
    binnings: Mapping[str, Binning]
    header: str

    def __call__(self, name: str) -> str:
        """What a parameter, sample or channel is called; a name that nothing is said of stays as it is."""
        if name in self.names:
            return self.names[name]
        whole, bracket, component = name.partition("[")
        if bracket and whole in self.names:
            return f"{self.names[whole]} [{component}"
        shown = name.replace("$", r"\$")
        return f"\N{HAIR SPACE}{shown}" if shown.startswith("_") else shown  # which legends would leave out


def labels_of(label: Mapping[str, str] | None, metadata: Mapping[str, Any] | None, header: str | None) -> Labels:
    """What the caller calls things, before what the document's metadata say; see `pyhf_func.plot`.

    Raises:
        ValueError: The metadata are not laid out as they should be.
    """
    said = metadata or {}
    names = {**_mapping(said, "labels"), **(label or {})}
    binnings = {channel: _binning(channel, axes) for channel, axes in _mapping(said, "axes").items()}
    return Labels(names, binnings, _conditions(said) if header is None else header)


def poi_of(result: Result, model: AnyModel | None, labels: Labels) -> str:
    """What the parameter of interest of a result is called: the one that it was made for, then the model's."""
    names = result.model_names
    name = names.poi if names is not None and names.poi is not None else model.config.poi_name if model else None
    return r"$\mu$" if name is None else labels(name)


def _mapping(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = said.get(key, {})
    if not isinstance(found, Mapping):
        raise ValueError(f"The metadata {key!r} are {found!r}; they must be an object with an entry for each name.")
    return found


def _binning(channel: str, axes: Any) -> Binning:
    """The axis of a channel, as HS3 lays it out; more than one, whose bins follow one another, have no edges."""
    several = list(axes) if isinstance(axes, list | tuple) else [axes]
    if not all(isinstance(axis, Mapping) for axis in several):
        raise ValueError(f"The axes of channel {channel!r} are {axes!r}; each must be an object with title and edges.")
    title = " × ".join(str(axis.get("title", axis.get("name", ""))) for axis in several)
    if len(several) != 1:
        return Binning(title, "", ())
    axis = several[0]
    edges = axis.get("edges", axis.get("bounds", ()))
    if not len(edges) and {"min", "max", "nbins"} <= {*axis}:
        edges = np.linspace(axis["min"], axis["max"], int(axis["nbins"]) + 1)
    edges = [float(edge) for edge in edges]
    if any(low >= high for low, high in pairwise(edges)):
        raise ValueError(f"The edges of channel {channel!r} are {edges}; they must rise.")
    return Binning(title, str(axis.get("unit", "")), edges)


def _conditions(said: Mapping[str, Any]) -> str:
    """The line that names experiment, energy and luminosity, as far as they are known."""
    parts = []
    if "energy" in said:
        parts.append(rf"$\sqrt{{s}}$ = {float(said['energy']):g} TeV")
    if "luminosity" in said:
        parts.append(rf"{float(said['luminosity']):g} fb$^{{-1}}$")
    return "  ".join([*([str(said["experiment"])] if "experiment" in said else []), ", ".join(parts)]).strip()
