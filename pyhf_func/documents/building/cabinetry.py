"""cabinetry's configurations: a YAML file that says which histograms make up which channels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pyhf_func._lookup import close_to, shown
from pyhf_func.documents.building.histograms import Histogram, read_histogram, title_and_unit
from pyhf_func.documents.building.parts import Channel, Free, Norm, Sample, Settings, UpDown
from pyhf_func.exceptions import Fault, InvalidDocument, InvalidSpecification, needs, raise_faults
from pyhf_func.schema.reading import load
from pyhf_func.schema.validator import of_file

__all__ = ["channels_of", "load_config"]

Config = dict[str, Any]
_NAMES = (str, list)
_SETTINGS: dict[str, dict[str, tuple[type, ...]]] = {
    "General": {
        "Measurement": (str,),
        "POI": (str,),
        "InputPath": (str,),
        "HistogramFolder": (str,),
        "Fixed": (list,),
        "VariationPath": (str,),
    },
    "Regions": {"Name": (str,), "Variable": (str,), "Binning": (list,), "Filter": (str,), "RegionPath": (str,)},
    "Samples": {
        "Name": (str,),
        "Tree": (str,),
        "Filter": (str,),
        "Weight": (str,),
        "SamplePath": _NAMES,
        "Data": (bool,),
        "DisableStaterror": (bool,),
        "Regions": _NAMES,
    },
    "NormFactors": {"Name": (str,), "Regions": _NAMES, "Samples": _NAMES, "Nominal": (int, float), "Bounds": (list,)},
    "Systematics": {
        "Name": (str,),
        "Type": (str,),
        "Up": (dict,),
        "Down": (dict,),
        "Regions": _NAMES,
        "Samples": _NAMES,
        "Smoothing": (dict,),
        "ModifierName": (str,),
    },
}
"""Sections and their settings, with the types of the values."""
_NEEDED = {
    "General": ("Measurement", "InputPath", "HistogramFolder"),
    "Systematics": ("Name", "Type", "Up", "Down"),
}
_KINDS = ("Normalization", "NormPlusShape")


def load_config(source: str | os.PathLike[str]) -> Config:
    """Read a configuration.

    Raises:
        ImportError: PyYAML is not installed (extra ``yaml``).
        InvalidDocument: The file is no YAML, or holds no configuration.
        InvalidSpecification: The configuration does not follow cabinetry's layout; all faults at once.
    """
    try:
        import yaml
    except ImportError as error:
        if Path(source).suffix != ".json":
            raise ImportError(needs("A configuration in YAML", "yaml", "yaml", error)) from error
        with of_file(os.fspath(source)):
            config = load(source)
    else:
        try:
            config = yaml.safe_load(Path(source).read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
            message = f"is no YAML: {error}"
            raise InvalidDocument(faults=[Fault("$", message, InvalidDocument, os.fspath(source))]) from error
    check(config, os.fspath(source))
    return config


def check(config: Any, source: str | None = None) -> None:
    """Refuse what does not follow cabinetry's layout; all faults at once."""
    faults = [Fault(path, message, InvalidSpecification, source) for path, message in _wrong(config)]
    raise_faults(faults)


def _wrong(config: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(config, Mapping):
        yield "$", f"is {shown(config)}; give the sections General, Regions, Samples, NormFactors"
        return
    for section in ("General", "Regions", "Samples", "NormFactors"):
        if not config.get(section):
            yield f"$.{section}", "is missing. Give it"
    for section, content in config.items():
        if section not in _SETTINGS:
            yield f"$.{section}", _unknown("section", section, _SETTINGS)
        elif section == "General":
            yield from _wrong_item("$.General", section, content)
        elif not isinstance(content, list):
            yield f"$.{section}", f"is {shown(content)}; give a list"
        else:
            for i, item in enumerate(content):
                yield from _wrong_item(f"$.{section}[{i}]", section, item)
            names = [item.get("Name") for item in content if isinstance(item, Mapping)]
            for name in {name for name in names if isinstance(name, str) and names.count(name) > 1}:
                yield f"$.{section}", f"the name {name!r} is there twice. Rename one"
    samples = config.get("Samples")
    data = [one for one in samples if isinstance(one, Mapping) and one.get("Data")] if isinstance(samples, list) else []
    if isinstance(samples, list) and len(data) != 1:
        yield "$.Samples", f"{len(data)} samples have Data: True. Exactly one holds the data"


def _wrong_item(path: str, section: str, item: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(item, Mapping):
        yield path, f"is {shown(item)}; give its settings by name"
        return
    known = _SETTINGS[section]
    for name in _NEEDED.get(section, ("Name",)):
        if name not in item:
            yield f"{path}.{name}", "is missing. Give it"
    for name, value in item.items():
        if name not in known:
            yield f"{path}.{name}", _unknown("setting", name, known)
        elif not isinstance(value, known[name]) or (isinstance(value, bool) and bool not in known[name]):
            kinds = " or ".join(
                {"str": "text", "dict": "settings"}.get(kind.__name__, kind.__name__) for kind in known[name]
            )
            yield f"{path}.{name}", f"is {shown(value)}; give {kinds}"
    if section == "Systematics":
        yield from _wrong_systematic(path, item)
    if section == "NormFactors" and "Bounds" in item and not _are_numbers(item["Bounds"], 2):
        yield f"{path}.Bounds", f"is {shown(item['Bounds'])}; give two numbers"
    for i, fixed in enumerate(item.get("Fixed", []) if isinstance(item.get("Fixed", []), list) else []):
        if not isinstance(fixed, Mapping) or not {"Name", "Value"} <= set(fixed) or not _is_number(fixed["Value"]):
            yield f"{path}.Fixed[{i}]", f"is {shown(fixed)}; give Name and Value"


def _wrong_systematic(path: str, item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind = item.get("Type")
    if kind not in _KINDS:
        yield f"{path}.Type", f"is {shown(kind)}; give {' or '.join(_KINDS)}"
    for side in ("Up", "Down"):
        settings = item.get(side)
        if not isinstance(settings, Mapping):
            continue
        if kind == "Normalization" and not _is_number(settings.get("Normalization")):
            yield f"{path}.{side}.Normalization", f"is {shown(settings.get('Normalization'))}; give a number"
        if side == "Up" and settings.get("Symmetrize"):
            yield f"{path}.Up.Symmetrize", "the variation up is the one that is mirrored. Give Symmetrize in Down"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(value: Any, length: int) -> bool:
    return isinstance(value, list) and len(value) == length and all(map(_is_number, value))


def _unknown(noun: str, name: Any, known: Mapping[str, Any]) -> str:
    near = close_to(name, known)
    hint = f": did you mean {' or '.join(near)}?" if near else f". Known: {', '.join(known)}"
    return f"is no {noun} of a configuration{hint}"


@dataclass
class _Reader:
    """Histograms where a configuration has them: in cabinetry's folder, or in the ROOT files of its InputPath."""

    config: Config
    folder: Path
    source: str | None = None
    faults: list[Fault] = field(default_factory=list)
    files: dict[Path, Any] = field(default_factory=dict)

    def histogram(self, region: Config, sample: Config, systematic: Config | None = None, side: str = "") -> Any:
        """A histogram; None where there is none, or it cannot be used, which is noted."""
        parts = [region["Name"], sample["Name"], *([systematic["Name"], side] if systematic else [])]
        name = "_".join(parts).replace(" ", "-")
        smooth = (systematic or {}).get("Smoothing")
        general = self.config["General"]
        kept = self._path(general["HistogramFolder"])
        found = next((p for ending in ("_modified", "") if (p := kept / f"{name}{ending}.npz").is_file()), None)
        smoothed = found is not None and found.name.endswith("_modified.npz")
        if smooth and not smoothed and _applies(region, smooth, "Regions") and _applies(sample, smooth, "Samples"):
            self.refuse(name, "Smoothing is not applied here: let cabinetry postprocess the histograms, or take it out")
        try:
            return _of_cabinetry(found) if found else self._of_root(region, sample, systematic, side)
        except (OSError, KeyError, ValueError, TypeError, ImportError) as error:
            text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
            self.refuse(name, f"{found or 'its histogram'} cannot be read: {text}")
            return None

    def refuse(self, name: str, message: str) -> None:
        """Note a histogram that cannot be used."""
        self.faults.append(Fault(f"$.{name}", message, InvalidSpecification, self.source))

    def _path(self, text: str) -> Path:
        """A path from the configuration's folder, or from the current one as in cabinetry."""
        beside = self.folder / text
        return beside if beside.exists() else Path(text)

    def _of_root(self, region: Config, sample: Config, systematic: Config | None, side: str) -> Histogram:
        """From the ROOT file that InputPath names."""
        general, override = self.config["General"], (systematic or {}).get(side, {})
        path: str = general["InputPath"]
        values = {
            "RegionPath": override.get("RegionPath", region.get("RegionPath")),
            "SamplePath": override.get("SamplePath", sample.get("SamplePath")),
            "VariationPath": override.get("VariationPath", general.get("VariationPath", "")),
        }
        for word, value in values.items():
            if f"{{{word}}}" not in path:
                continue
            if not isinstance(value, str):
                raise ValueError(f"InputPath has {{{word}}}, and there is no {word} for it")
            path = path.replace(f"{{{word}}}", value)
        file, colon, place = path.rpartition(":")
        if not colon or (region.get("Binning") and sample.get("Tree")):
            raise ValueError(
                f"{path} names no histogram in a file (file.root:histogram); ntuples are for cabinetry to read"
            )
        try:
            import uproot
        except ImportError as error:
            raise ImportError(needs("A ROOT file", "uproot", "xmlio", error)) from error
        located = self._path(file)
        if located not in self.files:
            self.files[located] = uproot.open(located)
        return read_histogram(self.files[located][place])


def _of_cabinetry(path: Path) -> Histogram:
    with np.load(path, allow_pickle=False) as found:
        edges = [{"edges": found["bins"].tolist()}]
        return Histogram(found["yields"], np.nan_to_num(found["stdev"], nan=0.0) ** 2, edges)


def channels_of(config: Config, folder: Path, source: str | None = None) -> tuple[dict[str, Channel], Settings]:
    """Channels, and how to build them, of a configuration that was checked.

    Raises:
        InvalidSpecification: Histograms are missing or can't be used; all of them at once.
    """
    read = _Reader(config, folder, source)
    (data,) = (sample for sample in config["Samples"] if sample.get("Data"))
    channels = {}
    for region in config["Regions"]:
        samples = {}
        for sample in config["Samples"]:
            if sample is data or not _applies(region, sample, "Regions"):
                continue
            modifiers = [
                Free(factor["Name"])
                for factor in config["NormFactors"]
                if _applies(region, factor, "Regions") and _applies(sample, factor, "Samples")
            ]
            varied = [
                _systematic(read, region, sample, one)
                for one in config.get("Systematics") or []
                if _applies(region, one, "Regions") and _applies(sample, one, "Samples")
            ]
            nominal = read.histogram(region, sample)
            statistics = not sample.get("DisableStaterror", False)
            samples[sample["Name"]] = Sample(nominal, *modifiers, *varied, statistics=statistics)
        title, unit = title_and_unit(region.get("Variable", ""))
        channels[region["Name"]] = Channel(samples, read.histogram(region, data), title, unit)
    raise_faults(read.faults)
    general = config["General"]
    settings = Settings(
        poi=general.get("POI") or None,
        measurement=general["Measurement"],
        parameters=_parameters(config),
        negative="keep",
    )
    return channels, settings


def _systematic(read: _Reader, region: Config, sample: Config, systematic: Config) -> Norm | UpDown:
    name: str = systematic.get("ModifierName") or systematic["Name"]
    if systematic["Type"] == "Normalization":
        return Norm(name, (systematic["Down"]["Normalization"], systematic["Up"]["Normalization"]))
    up = read.histogram(region, sample, systematic, "Up")
    mirrored = systematic["Down"].get("Symmetrize", False)
    return UpDown(name, up, None if mirrored else read.histogram(region, sample, systematic, "Down"))


def _parameters(config: Config) -> list[Config]:
    """Start values, bounds and what is fixed."""
    fixed = {one["Name"]: one["Value"] for one in reversed(config["General"].get("Fixed", []))}
    found: list[Config] = []
    for factor in config["NormFactors"]:
        one: Config = {"name": factor["Name"]}
        start = factor.get("Nominal", fixed.get(factor["Name"]))
        if start is not None:
            one["inits"] = [start]
        if "Bounds" in factor:
            one["bounds"] = [factor["Bounds"]]
        if factor["Name"] in fixed:
            one["fixed"] = True
        found.append(one)
    for systematic in config.get("Systematics") or []:
        if systematic["Name"] in fixed:
            found.append({"name": systematic["Name"], "inits": [fixed[systematic["Name"]]], "fixed": True})
    return found


def _applies(item: Config, part: Mapping[str, Any], key: str) -> bool:
    """Whether a part of the configuration is for a region or sample: all, where it names none."""
    named = part.get(key, [])
    return not named or item["Name"] in ([named] if isinstance(named, str) else named)
