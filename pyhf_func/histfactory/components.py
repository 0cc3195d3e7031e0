"""Components of parameters, under ROOT's names and ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyhf_func.core.expression import parse as parse_expression
from pyhf_func.histfactory.notes import AS_ROOT, doubt

__all__ = ["COMPONENTS", "component_names", "join_components", "parameters_of", "root_names"]

COMPONENTS = "components of parameters"
"""The name under which settings of components wait until all channels are known."""


def join_components(measurement: dict[str, Any], channels: Sequence[Mapping[str, Any]]) -> None:
    """Make configurations of parameters of the settings of their components, and check that all parameters exist.

    Raises:
        ValueError: Not all components of a parameter are fixed, or set, which the format cannot say.
    """
    config, place = measurement["config"], f"Measurement {measurement['name']}"
    known = {one["name"]: one for one in config["parameters"]}
    settings = dict(known.pop(COMPONENTS, {"settings": []})["settings"])
    kinds, components = parameters_of(channels)
    for parameter, names in components.items():
        given = [settings.pop(name, None) for name in names]
        if not any(given):
            continue
        values = dict(known.get(parameter, {"name": parameter}))
        flags = [(one or {}).get("fixed") for one in given]
        if len(set(flags)) > 1 and not AS_ROOT.get():
            raise ValueError(f"{names[0]} is one component of a parameter, which cannot be set on its own")
        if len(set(flags)) > 1:
            values["fixed"] = [bool(flag) for flag in flags]
        elif flags[0] is not None:
            values["fixed"] = flags[0]
        if any("inits" in one for one in given if one):
            values["inits"] = [one["inits"][0] if one and "inits" in one else 1.0 for one in given]
        known[parameter] = values
    if settings:
        raise ValueError(f"{', '.join(settings)}: not one component of a parameter that any channel has")
    for parameter in known:
        if parameter not in kinds and parameter != "lumi":
            doubt(place, f"<ParamSetting> of {parameter}: no channel has such a parameter")
    config["poi"] = _name_of(config["poi"], kinds)
    if "pois" in config:
        config["pois"] = [_name_of(poi, kinds) for poi in config["pois"]]
    config["parameters"] = list(known.values())


def _name_of(rootname: str, kinds: Mapping[str, str]) -> str:
    """Our name of a parameter of one component."""
    short = rootname.removeprefix("alpha_")
    if rootname not in kinds and kinds.get(short) in ("normsys", "histosys"):
        return short
    return "lumi" if rootname == "Lumi" else rootname


def root_names(channels: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """ROOT's names of parameters, and ours."""
    kinds, components = parameters_of(channels)
    changed = {
        m["name"] for c in channels for s in c["samples"] for m in s["modifiers"] if m.get("constraint") == "gamma"
    }
    names: dict[str, str] = {}
    for name, kind in kinds.items():
        if kind in ("normsys", "histosys") and name not in changed:
            names[f"alpha_{name}"] = name
        elif kind in ("normfactor", "lumi"):
            names["Lumi" if kind == "lumi" else name] = name
        names.update({owner: f"{name}[{i}]" for i, owner in enumerate(components.get(name, ()))})
    return names


def parameters_of(channels: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The modifier type of each parameter, and ROOT's names of its components where it has some."""
    kinds: dict[str, str] = {}
    components: dict[str, list[str]] = {}
    for channel in sorted(channels, key=lambda channel: str(channel["name"])):
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                name, kind = modifier["name"], modifier["type"]
                if "expression" in modifier:
                    kinds.update(
                        dict.fromkeys(parse_expression(modifier["expression"], modifier["arguments"]).names, kind)
                    )
                    continue
                kinds.setdefault(name, kind)
                if kind in ("shapesys", "shapefactor", "staterror"):
                    names = components.setdefault(name, [])
                    new = component_names(channel["name"], name, kind, len(sample["data"]))
                    names.extend([one for one in new if one not in names] if kind == "staterror" or not names else [])
    return kinds, components


def component_names(channel: str, name: str, kind: str, n_bins: int) -> list[str]:
    """ROOT's names of the components of a parameter with one in each bin.

    Example:
        >>> component_names("SR", "fakes", "shapesys", 2), component_names("SR", "mc", "staterror", 1)
        (['gamma_fakes_bin_0', 'gamma_fakes_bin_1'], ['gamma_stat_SR_bin_0'])
    """
    parameter = f"stat_{channel}" if kind == "staterror" else name
    return [f"gamma_{parameter}_bin_{index}" for index in range(n_bins)]
