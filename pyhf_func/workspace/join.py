"""Join two workspaces: the rules of each join for channels, observations and measurements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pyhf_func.core.values import as_list, is_array
from pyhf_func.exceptions import InvalidWorkspaceOperation
from pyhf_func.schema.frozen import thaw

__all__ = ["VALID_JOINS", "joined", "same"]

VALID_JOINS = ["none", "outer", "left outer", "right outer"]

Items = Sequence[Mapping[str, Any]]

_HINT = f"You can also try another join operation: {', '.join(VALID_JOINS)}"


def same(first: Any, second: Any) -> bool:
    """Whether two parts of documents are equal, arrays being lists."""
    return bool(_plain(first) == _plain(second))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return as_list(value) if is_array(value) else value


def joined(
    left: Mapping[str, Any], right: Mapping[str, Any], join: str, merge_channels: bool = False
) -> dict[str, Any]:
    """The document that two documents make together; see :meth:`Workspace.combine`."""
    first, second = (right, left) if join == "right outer" else (left, right)
    metadata = {**thaw(dict(second)), **thaw(dict(first))}
    return {
        **metadata,
        "channels": _join_channels(join, left["channels"], right["channels"], merge=merge_channels),
        "measurements": _join_measurements(join, left["measurements"], right["measurements"]),
        "observations": _join_observations(join, left["observations"], right["observations"]),
        "version": _join_versions(join, left["version"], right["version"]),
    }


def _join_items(
    join: str, left_items: Items, right_items: Items, key: str = "name", deep_merge_key: str | None = None
) -> list[dict[str, Any]]:
    """Join two lists of named objects.

    Args:
        join: ``none`` keeps everything, ``outer`` leaves out what is equal to an object on the other side,
            ``left outer`` and ``right outer`` leave out what has the name of one on that side.
        left_items: The objects on the left.
        right_items: The objects on the right.
        key: What the name is called.
        deep_merge_key: A list inside of the objects; objects of one name are merged by joining it.
    """
    first, second = (right_items, left_items) if join == "right outer" else (left_items, right_items)
    result: list[dict[str, Any]] = [thaw(item) for item in first]
    namesakes: dict[Any, list[int]] = {}
    for place, item in enumerate(first):
        namesakes.setdefault(item[key], []).append(place)
    for item in second:
        places = namesakes.get(item[key], [])
        if places and deep_merge_key is not None:
            into = result[places[0]]
            # Only the safe join tells of objects that share a name and differ.
            inner = "outer" if join == "outer" else "left outer"
            into[deep_merge_key] = _join_items(inner, into[deep_merge_key], item[deep_merge_key], key)
        elif _is_kept(join, item, [first[place] for place in places]):
            result.append(thaw(item))
    return result


def _is_kept(join: str, item: Mapping[str, Any], namesakes: Items) -> bool:
    if join == "none":
        return True
    if join == "outer":
        return not any(same(item, other) for other in namesakes)
    return not namesakes


def _join_versions(join: str, left_version: str, right_version: str) -> str:
    """The version that both have."""
    if left_version != right_version:
        raise InvalidWorkspaceOperation(
            f"Workspaces of different versions cannot be combined: {left_version} != {right_version}"
        )
    return left_version


def _join_channels(join: str, left_channels: Items, right_channels: Items, merge: bool = False) -> list[dict[str, Any]]:
    """Join channels; with ``merge``, channels of one name by their samples."""
    _refuse_common(join, left_channels, right_channels, "channels")
    channels = _join_items(join, left_channels, right_channels, deep_merge_key="samples" if merge else None)
    _refuse_repeated(join, channels, "channels")
    for channel in channels if merge else ():
        _refuse_repeated(join, channel["samples"], f"samples of channel {channel['name']}")
    return channels


def _join_observations(join: str, left_observations: Items, right_observations: Items) -> list[dict[str, Any]]:
    """Join observations."""
    _refuse_common(join, left_observations, right_observations, "observations")
    observations = _join_items(join, left_observations, right_observations)
    _refuse_repeated(join, observations, "observations")
    return observations


def _join_parameter_configs(
    measurement_name: str, left_parameters: Items, right_parameters: Items
) -> list[dict[str, Any]]:
    """Join the parameter configurations of a measurement that both workspaces have."""
    parameters = _join_items("outer", left_parameters, right_parameters)
    _refuse_repeated("outer", parameters, f"parameter configurations of measurement {measurement_name}")
    return parameters


def _join_measurements(join: str, left_measurements: Items, right_measurements: Items) -> list[dict[str, Any]]:
    """Join measurements; the ``outer`` join makes one of two of the same name and POI."""
    _refuse_common(join, left_measurements, right_measurements, "measurements")
    measurements = _join_items(join, left_measurements, right_measurements)
    if join != "outer":
        return measurements
    by_name: dict[str, list[dict[str, Any]]] = {}
    for measurement in measurements:
        by_name.setdefault(measurement["name"], []).append(measurement)
    return [_merged(name, namesakes) for name, namesakes in by_name.items()]


def _merged(name: str, namesakes: list[dict[str, Any]]) -> dict[str, Any]:
    """One measurement with the parameter configurations of all."""
    first, *others = namesakes
    for other in others:
        pois = first["config"]["poi"], other["config"]["poi"]
        if pois[0] != pois[1]:
            raise InvalidWorkspaceOperation(
                f"Workspaces cannot have measurements of one name with different POI: {name} has "
                f"{pois[0]!r} and {pois[1]!r}. Rename one of them"
            )
        parameters = _join_parameter_configs(name, first["config"]["parameters"], other["config"]["parameters"])
        first = {**other, **first, "config": {**other["config"], **first["config"], "parameters": parameters}}
    return first


def _refuse_common(join: str, left: Items, right: Items, what: str) -> None:
    """Without a join operation, no name may be on both sides."""
    if join != "none":
        return
    common = sorted({item["name"] for item in left} & {item["name"] for item in right})
    if common:
        raise InvalidWorkspaceOperation(
            f"Workspaces cannot have any {what} in common with the same name: {', '.join(common)}. {_HINT}"
        )


def _refuse_repeated(join: str, items: Items, what: str) -> None:
    """The outer join keeps both of two objects that share a name and differ: nobody can say which is meant."""
    if join != "outer":
        return
    repeated = [name for name, count in Counter(item["name"] for item in items).items() if count > 1]
    if repeated:
        raise InvalidWorkspaceOperation(
            f"Workspaces cannot have {what} of one name that differ: {', '.join(repeated)}. {_HINT}"
        )
