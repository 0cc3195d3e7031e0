"""The semantic check of a workspace's observations and measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyhf_func.core.values import as_list, bins, not_finite, places
from pyhf_func.exceptions import (
    Fault,
    InvalidMeasurement,
    InvalidModel,
    InvalidPdfData,
    MissingObservation,
    json_path,
)

__all__ = ["measurement_doubts", "observation_doubts", "observation_faults"]


def observation_faults(
    workspace: Mapping[str, Any], channel_nbins: Mapping[str, int], source: str | None = None
) -> list[Fault]:
    """The faults that keep the observations from being data of a model.

    Args:
        workspace: The workspace.
        channel_nbins: Number of bins of each channel of the model.
        source: File of the workspace, where known.
    """
    faults = []
    names: set[str] = set()
    for o, observation in enumerate(workspace["observations"]):
        name, data = observation["name"], as_list(observation["data"])
        if name in names:
            message = f"observation {name!r}: the channel is observed twice. Keep one of the two"
            faults.append(Fault(json_path(("observations", o, "name")), message, InvalidPdfData, source))
        names.add(name)
        if message := _wrong(data, channel_nbins.get(name)):
            place = json_path(("observations", o, "data"))
            faults.append(Fault(place, f"observation {name!r}: {message}", InvalidPdfData, source))
    for name in channel_nbins:
        if name not in names:
            message = f"channel {name!r} has no observation. Add one, or leave the channel out"
            faults.append(Fault("$.observations", message, MissingObservation, source))
    return faults


def _wrong(data: list[float], n_bins: int | None) -> str:
    """The fault of the observation of a channel of that many bins; None: not a channel of the model."""
    if n_bins is None:
        return ""
    if len(data) != n_bins:
        return f"has {len(data)} bins, but the channel has {n_bins}. Give one count for each bin"
    if wrong := not_finite(data):
        return f"a count that is not finite in {bins(wrong)}"
    if negative := places(data, lambda count: count < 0):
        return f"a negative count in {bins(negative)}"
    return ""


def observation_doubts(workspace: Mapping[str, Any], source: str | None = None) -> list[Fault]:
    """Observations of channels that do not exist."""
    channels = {channel["name"] for channel in workspace["channels"]}
    return [
        Fault(
            json_path(("observations", o, "name")),
            f"observation {observation['name']!r}: there is no channel of this name",
            InvalidModel,
            source,
        )
        for o, observation in enumerate(workspace["observations"])
        if observation["name"] not in channels
    ]


def measurement_doubts(workspace: Mapping[str, Any], source: str | None = None) -> list[Fault]:
    """Measurements of one name, of which only the first is found by it."""
    names = [measurement["name"] for measurement in workspace["measurements"]]
    return [
        Fault(
            json_path(("measurements", i, "name")),
            f"measurement {name!r}: the name is taken by an earlier measurement, which hides this one",
            InvalidMeasurement,
            source,
        )
        for i, name in enumerate(names)
        if name in names[:i]
    ]
