"""Take parts out of a workspace and rename them: the same document otherwise, unknown metadata included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from pyhf_func._lookup import shown, unknown
from pyhf_func.core.expression import parse
from pyhf_func.exceptions import InvalidWorkspaceOperation
from pyhf_func.schema.frozen import thaw
from pyhf_func.workspace.join import same

__all__ = ["pruned", "renamed"]


def pruned(
    workspace: Mapping[str, Any],
    modifiers: Collection[str] | None = None,
    modifier_types: Collection[str] | None = None,
    samples: Collection[str] | None = None,
    channels: Collection[str] | None = None,
    measurements: Collection[str] | None = None,
) -> dict[str, Any]:
    """A copy of the document without the named parts; see :meth:`Workspace.prune`."""
    modifiers = _names("modifier", modifiers, _modifier_values(workspace, "name"))
    modifier_types = _names("modifier type", modifier_types, _modifier_values(workspace, "type"))
    samples = _names("sample", samples, [sample["name"] for sample in _samples(workspace)])
    channels = _names("channel", channels, _named(workspace["channels"]))
    measurements = _names("measurement", measurements, _named(workspace.get("measurements", ())))

    spec: dict[str, Any] = thaw(workspace)
    _keep(spec, "channels", lambda channel: channel["name"] not in channels)
    _keep(spec, "observations", lambda observation: observation["name"] not in channels)
    _keep(spec, "measurements", lambda measurement: measurement["name"] not in measurements)
    for channel in spec["channels"]:
        _keep(channel, "samples", lambda sample: sample["name"] not in samples)
    for sample in _samples(spec):
        _keep(sample, "modifiers", lambda mod: mod["name"] not in modifiers and mod["type"] not in modifier_types)
    for measurement in spec.get("measurements", ()):
        _keep(measurement["config"], "parameters", lambda parameter: parameter["name"] not in modifiers)
        config = measurement["config"]
        if "pois" in config:
            config["pois"] = [name for name in config["pois"] if name not in modifiers]
        if "correlations" in config:
            config["correlations"] = _correlations_without(config["correlations"], modifiers)
    return spec


def renamed(
    workspace: Mapping[str, Any],
    modifiers: Mapping[str, str] | None = None,
    samples: Mapping[str, str] | None = None,
    channels: Mapping[str, str] | None = None,
    measurements: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A copy of the document with other names; see :meth:`Workspace.rename`."""
    for noun, names in (
        ("modifier", modifiers),
        ("sample", samples),
        ("channel", channels),
        ("measurement", measurements),
    ):
        if not isinstance(names, Mapping | None):
            raise InvalidWorkspaceOperation(f"{noun}s are renamed with a dictionary {{old: new}}, not {shown(names)}")
    modifiers, samples = dict(modifiers or {}), dict(samples or {})
    channels, measurements = dict(channels or {}), dict(measurements or {})
    _names("modifier", modifiers, _modifier_values(workspace, "name") | _in_expressions(workspace))
    _names("sample", samples, [sample["name"] for sample in _samples(workspace)])
    _names("channel", channels, _named(workspace["channels"]))
    _names("measurement", measurements, _named(workspace.get("measurements", ())))

    spec: dict[str, Any] = thaw(workspace)
    _rename(spec["channels"], channels, "channel")
    _rename(spec.get("observations", ()), channels, "observation")
    _rename(spec.get("measurements", ()), measurements, "measurement")
    for channel in spec["channels"]:
        _rename(channel["samples"], samples, "sample")
    for sample in _samples(spec):
        for modifier in sample["modifiers"]:
            modifier["name"] = modifiers.get(modifier["name"], modifier["name"])
            _rename_in_expression(modifier, modifiers)
    for measurement in spec.get("measurements", ()):
        config = measurement["config"]
        config["poi"] = modifiers.get(config["poi"], config["poi"])
        config["parameters"] = _renamed_parameters(config["parameters"], modifiers)
        if "pois" in config:
            config["pois"] = [modifiers.get(name, name) for name in config["pois"]]
        if "correlations" in config:
            names = config["correlations"]["names"]
            config["correlations"]["names"] = [modifiers.get(name, name) for name in names]
    return spec


def _correlations_without(given: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    kept = [i for i, name in enumerate(given["names"]) if name not in names]
    matrix = [[given["matrix"][i][j] for j in kept] for i in kept]
    return {"names": [given["names"][i] for i in kept], "matrix": matrix}


def _in_expressions(spec: Mapping[str, Any]) -> set[str]:
    """The parameters of the expressions of the model language."""
    found = [m for sample in _samples(spec) for m in sample["modifiers"] if "expression" in m]
    return {name for m in found for name in parse(m["expression"], m.get("arguments", ())).names}


def _rename_in_expression(modifier: dict[str, Any], names: Mapping[str, str]) -> None:
    """Rename the parameters of an expression, in place: all become arguments, which may have any name."""
    if "expression" not in modifier:
        return
    given = modifier.get("arguments", ())
    expression = parse(modifier["expression"], given)
    if not names.keys() & set(expression.names):
        return
    places = {name: f"@{place}" for place, name in enumerate(expression.names)}
    modifier["expression"] = expression.with_names(places, given)
    modifier["arguments"] = [names.get(name, name) for name in expression.names]


def _keep(parent: dict[str, Any], key: str, is_kept: Callable[[dict[str, Any]], bool]) -> None:
    if key in parent:
        parent[key] = [item for item in parent[key] if is_kept(item)]


def _samples(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for channel in spec["channels"]:
        yield from channel["samples"]


def _modifier_values(spec: Mapping[str, Any], key: str) -> set[str]:
    return {modifier[key] for sample in _samples(spec) for modifier in sample["modifiers"]}


def _named(items: Iterable[Mapping[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


def _names(noun: str, given: Collection[str] | None, known: Collection[str]) -> Collection[str]:
    """The names that were given, all of which must exist."""
    if isinstance(given, str):
        raise InvalidWorkspaceOperation(f"{noun}s are given as a list of names, not as the string {given!r}")
    given = () if given is None else given
    if not isinstance(given, Collection):
        raise InvalidWorkspaceOperation(f"{noun}s are given as a list of names, not as {shown(given)}")
    for name in given:
        if not isinstance(name, str) or name not in known:
            raise InvalidWorkspaceOperation(unknown(noun, name, sorted(set(known)), "The workspace"))
    return given


def _rename(items: Collection[dict[str, Any]], names: Mapping[str, str], noun: str) -> None:
    """Rename in place; two names must not become one."""
    before = Counter(_named(items))
    for item in items:
        item["name"] = names.get(item["name"], item["name"])
    after = Counter(_named(items))
    for new in names.values():
        if after[new] > 1 and after[new] > before[new]:
            raise InvalidWorkspaceOperation(f"{after[new]} {noun}s would share the name {new!r}. Choose another name")


def _renamed_parameters(configs: list[dict[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Parameter configurations under new names; where two become one parameter, they must say the same."""
    result: list[dict[str, Any]] = []
    for config in configs:
        new = {**config, "name": names.get(config["name"], config["name"])}
        others = [other for other in result if other["name"] == new["name"] and new["name"] in names.values()]
        if not others:
            result.append(new)
        elif not same(others[0], new):
            raise InvalidWorkspaceOperation(
                f"the parameters that would share the name {new['name']!r} are configured differently. "
                "Make their configurations equal first"
            )
    return result
