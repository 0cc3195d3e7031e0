"""The belongings of a workspace beside its document: settings of its models, and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyhf_func.exceptions import InvalidWorkspaceOperation

__all__ = ["joined_belongings", "with_new_names"]


def joined_belongings(*workspaces: Any) -> dict[str, dict[str, Any]]:
    """The settings and metadata of workspaces that are joined; the first one's metadata count where both have some.

    Raises:
        InvalidWorkspaceOperation: They need different settings.
    """
    settings = [workspace.settings for workspace in workspaces]
    if any(one != settings[0] for one in settings):
        found = " and ".join(map(repr, settings))
        raise InvalidWorkspaceOperation(f"the workspaces need different settings of their models: {found}")
    metadata: dict[str, Any] = {}
    for workspace in reversed(workspaces):
        for key, value in workspace.metadata.items():
            both = isinstance(value, dict) and isinstance(metadata.get(key), dict)
            metadata[key] = {**metadata[key], **value} if both else value
    belongings = {"settings": settings[0] if settings else {}, "metadata": metadata}
    return {key: value for key, value in belongings.items() if value}


def with_new_names(
    metadata: Mapping[str, Any],
    modifiers: Mapping[str, str],
    channels: Mapping[str, str],
    measurements: Mapping[str, str],
) -> dict[str, Any]:
    """Metadata whose names of parameters, channels and measurements were changed.

    Example:
        >>> with_new_names({"foreign_names": {"gamma_b_bin_0": "b[0]"}}, {"b": "stat"}, {}, {})
        {'foreign_names': {'gamma_b_bin_0': 'stat[0]'}}
    """
    result = dict(metadata)
    if "foreign_names" in result:
        names = result["foreign_names"]
        result["foreign_names"] = {owner: _renamed(entry, modifiers) for owner, entry in names.items()}
    if "pois" in result:
        pois = result["pois"]
        result["pois"] = {measurements.get(m, m): [_renamed(p, modifiers) for p in names] for m, names in pois.items()}
    if "axes" in result:
        result["axes"] = {channels.get(channel, channel): axes for channel, axes in result["axes"].items()}
    return result


def _renamed(entry: str, modifiers: Mapping[str, str]) -> str:
    if entry in modifiers:
        return modifiers[entry]
    name, bracket, component = entry.rpartition("[")
    return f"{modifiers[name]}[{component}" if bracket and name in modifiers else entry
