"""Write a workspace document as HistFactory's XML and ROOT files.

Needs uproot, which the extra ``xmlio`` brings.
"""

from __future__ import annotations

import logging
import os
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyhf_func.core.values import as_list
from pyhf_func.exceptions import Fault, InvalidSpecification, WorkspaceWarning, raise_faults
from pyhf_func.histfactory.components import parameters_of
from pyhf_func.histfactory.histograms import load_uproot
from pyhf_func.histfactory.language import constraint_terms, functions, unheld
from pyhf_func.mixins import _ChannelSummaryMixin
from pyhf_func.schema.extended import modifiers

__all__ = [
    "build_channel",
    "build_data",
    "build_measurement",
    "build_modifier",
    "build_sample",
    "indent",
    "writexml",
]

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())  # what is logged is also warned of

# The ROOT file that is being written.
_ROOT_DATA_FILE: Any = None

_PREFIXES = {"normsys": "alpha_", "histosys": "alpha_", "shapesys": "gamma_", "staterror": "gamma_"}

# Elements of HistFactory's XML: what they contain, their required attributes and their other attributes.
_ELEMENTS = {
    "Combination": ("(Function*, Input+, Measurement*)", "OutputFilePrefix", "Mode"),
    "Function": ("EMPTY", "Name Expression Dependents", ""),
    "Input": ("(#PCDATA)", "", ""),
    "Measurement": (
        "(POI, ParamSetting*, ConstraintTerm*)",
        "Name Lumi LumiRelErr",
        "BinLow BinHigh Mode ExportOnly",
    ),
    "POI": ("(#PCDATA)", "", ""),
    "ParamSetting": ("(#PCDATA)", "", "Val Const"),
    "ConstraintTerm": ("(#PCDATA)", "Type", "RelativeUncertainty"),
    "Channel": ("(Data*, StatErrorConfig*, Sample+)", "Name", "InputFile HistoPath HistoName"),
    "Data": ("EMPTY", "", "InputFile HistoPath HistoName"),
    "StatErrorConfig": ("EMPTY", "", "RelErrorThreshold ConstraintType"),
    "Sample": (
        "(StatError | HistoSys | OverallSys | ShapeSys | NormFactor | ShapeFactor)*",
        "Name",
        "InputFile HistoName HistoPath NormalizeByTheory",
    ),
    "StatError": ("EMPTY", "Activate", "HistoName InputFile HistoPath"),
    "HistoSys": (
        "EMPTY",
        "Name",
        "InputFile HistoFileHigh HistoPathHigh HistoNameHigh HistoFileLow HistoPathLow HistoNameLow",
    ),
    "OverallSys": ("EMPTY", "Name High Low", ""),
    "ShapeSys": ("EMPTY", "Name HistoName", "HistoPath InputFile ConstraintType"),
    "NormFactor": ("EMPTY", "Name Val High Low", "Const"),
    "ShapeFactor": ("EMPTY", "Name", "Const HistoName HistoPath InputFile"),
}


def __dir__() -> list[str]:
    return __all__


def writexml(
    spec: Mapping[str, Any],
    specdir: str | os.PathLike[str],
    data_rootdir: str | os.PathLike[str],
    resultprefix: str,
    *,
    strict: bool = False,
) -> bytes:
    """Write the channels' XML files and the histograms of a workspace.

    Written are ``SPECDIR/PREFIX_CHANNEL.xml`` for each channel, ``DATA_ROOTDIR/data.root``, and the document type
    ``HistFactorySchema.dtd`` in the folder above SPECDIR. Both folders must exist. What has no
    place in the XML, such as bounds of parameters other than those of normfactors, is warned of.

    Args:
        spec: The workspace document.
        specdir: Folder for the XML files of the channels.
        data_rootdir: Folder for the ROOT file.
        resultprefix: Start of the names of the XML files.
        strict: Whether to refuse what is otherwise warned of.

    Returns:
        The top-level XML.

    Raises:
        ImportBackendError: uproot is not installed.
        OSError: A file cannot be written.
        KeyError: A channel has no observation, or two histograms would get one name.
        InvalidSpecification: ``strict`` refuses something.
        UnsupportedExtension: The document has keys of the model language that HistFactory lacks; each with its place.

    Warns:
        WorkspaceWarning: Once, naming everything that has no place in the XML.
    """
    global _ROOT_DATA_FILE
    load_uproot()  # before anything is written
    raise_faults(unheld(spec))
    doubts = _doubts(spec)
    if strict:
        raise_faults(doubts)
    elif doubts:
        warnings.warn(WorkspaceWarning(doubts), stacklevel=2)
    specdir = Path(specdir)
    (specdir.parent / "HistFactorySchema.dtd").write_text(_document_type(), encoding="utf-8")
    combination = ET.Element("Combination", OutputFilePrefix=str(specdir / resultprefix))
    combination.extend(functions(spec))
    before = _ROOT_DATA_FILE
    with load_uproot().recreate(Path(data_rootdir) / "data.root") as _ROOT_DATA_FILE:
        try:
            for channel in spec["channels"]:
                path = specdir / f"{resultprefix}_{channel['name'].replace('/', '_')}.xml"
                element = build_channel(spec, channel, spec.get("observations"))
                path.write_bytes(_document(element, "../HistFactorySchema.dtd"))
                ET.SubElement(combination, "Input").text = str(path)
        finally:
            _ROOT_DATA_FILE = before
    types, components = parameters_of(spec["channels"])
    normfactors = _normfactor_inits(spec)
    for measurement in spec["measurements"]:
        element = build_measurement(measurement, types, normfactors, components)
        element.extend(constraint_terms(spec))
        combination.append(element)
    return _document(combination, "HistFactorySchema.dtd")


def _document(element: ET.Element, document_type: str) -> bytes:
    indent(element)
    return f"<!DOCTYPE {element.tag} SYSTEM '{document_type}'>\n\n".encode() + ET.tostring(element, encoding="utf-8")


def _document_type() -> str:
    """The document type of the XML."""
    lines = []
    for name, (content, required, implied) in _ELEMENTS.items():
        lines.append(f"<!ELEMENT {name} {content}>")
        lines.extend(f"<!ATTLIST {name} {attribute} CDATA #REQUIRED>" for attribute in required.split())
        lines.extend(f"<!ATTLIST {name} {attribute} CDATA #IMPLIED>" for attribute in implied.split())
    return "\n".join(lines) + "\n"


def indent(elem: ET.Element, level: int = 0) -> None:
    """Put each element on a line of its own, in place."""
    ET.indent(elem, space="  ", level=level)


def build_measurement(
    measurementspec: Mapping[str, Any],
    modifiertypes: Mapping[str, str],
    normfactors: Mapping[str, float] | None = None,
    components: Mapping[str, list[str]] | None = None,
) -> ET.Element:
    """The XML of a measurement.

    Args:
        measurementspec: The measurement.
        modifiertypes: The type of the modifiers of each parameter.
        normfactors: Start values of normfactors as the channels have them, which need not be said again.
        components: ROOT's names of the components of parameters that have some.
    """
    config = measurementspec["config"]
    lumi, width = _luminosity(config["parameters"])
    known = {"lumi": lumi, **(normfactors or {})}
    measurement = ET.Element(
        "Measurement",
        Name=measurementspec["name"],
        Lumi=str(lumi),
        LumiRelErr=str(width / lumi if lumi else width),
        ExportOnly="True",
    )
    ET.SubElement(measurement, "POI").text = " ".join(config.get("pois", [config["poi"]]))
    settings: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for parameter in config["parameters"]:
        name = parameter["name"]
        fixed, inits = parameter.get("fixed", False), parameter.get("inits", [])
        if name in (components or {}):
            for index, rootname in enumerate((components or {})[name]):
                constant = {"Const": "True"} if (fixed[index] if isinstance(fixed, list) else fixed) else {}
                start = {"Val": str(inits[index])} if index < len(inits) and inits[index] != 1 else {}
                if start or constant:
                    settings.setdefault(tuple({**constant, **start}.items()), []).append(rootname)
            continue
        attributes = {"Const": "True"} if fixed else {}
        if len(inits) == 1 and known.get(name) != inits[0] and _is_scalar(modifiertypes.get(name)):
            attributes["Val"] = str(inits[0])
        if attributes:
            prefix = _PREFIXES.get(modifiertypes.get(name, ""), "")
            rootname = "Lumi" if name == "lumi" else f"{prefix}{name}"
            settings.setdefault(tuple(attributes.items()), []).append(rootname)
    for attributes_of_all, names in settings.items():
        ET.SubElement(measurement, "ParamSetting", dict(attributes_of_all)).text = " ".join(names)
    return measurement


_ATTRIBUTES = ("bounds", "auxdata", "sigmas", "factors")


def _doubts(spec: Mapping[str, Any]) -> list[Fault]:
    """The settings of parameters in a workspace that have no place in the XML."""
    kinds = parameters_of(spec["channels"])[0]
    doubts = []
    for m, measurement in enumerate(spec["measurements"]):
        for p, parameter in enumerate(measurement["config"]["parameters"]):
            kind = kinds.get(parameter["name"], "none")
            for key in _ATTRIBUTES:
                if key in parameter and not _is_held(spec, parameter, kind, key):
                    message = f"{parameter['name']}: the {key} of a {kind} parameter have no place in the XML"
                    path = f"$.measurements[{m}].config.parameters[{p}].{key}"
                    doubts.append(Fault(path, message, InvalidSpecification))
    for c, channel in enumerate(spec["channels"]):
        found = [modifier for sample in channel["samples"] for modifier in sample["modifiers"]]
        names = dict.fromkeys(modifier["name"] for modifier in found if modifier["type"] == "staterror")
        if len(names) > 1:
            message = f"{', '.join(names)}: HistFactory has one staterror in a channel, and combines these"
            doubts.append(Fault(f"$.channels[{c}]", message, InvalidSpecification))
        doubts.extend(_modifier_doubts(channel, c))
    return doubts


def _modifier_doubts(channel: Mapping[str, Any], c: int) -> Iterator[Fault]:
    """Modifiers of a channel that the XML does not have, or not as they are."""
    for s, sample in enumerate(channel["samples"]):
        for m, modifier in enumerate(sample["modifiers"]):
            name, kind = modifier["name"], modifier["type"]
            path = f"$.channels[{c}].samples[{s}].modifiers[{m}]"
            if kind not in _TYPES:
                yield Fault(path, f"{name}: HistFactory has no type {kind}", InvalidSpecification)
            elif kind in ("staterror", "shapesys"):
                pairs = zip(as_list(modifier["data"]), as_list(sample["data"]), strict=False)
                if any(width and not content for width, content in pairs):
                    message = f"{name}: the uncertainty of a bin without yield is lost, as the XML has relative ones"
                    yield Fault(path, message, InvalidSpecification)


def changes(spec: Mapping[str, Any]) -> list[Fault]:
    """Everything that has no place in the XML and changes the likelihood, unlike bounds of parameters."""
    used = parameters_of(spec["channels"])[0]
    configured = [m["config"]["parameters"] for m in spec["measurements"]]
    idle = {
        f"$.measurements[{m}].config.parameters[{p}]"
        for m, configs in enumerate(configured)
        for p, config in enumerate(configs)
        if config["name"] not in used
    }
    doubts = _doubts(spec)
    return [
        doubt for doubt in doubts if not doubt.path.endswith(".bounds") and doubt.path.rpartition(".")[0] not in idle
    ]


_TYPES = ("histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror")


def _is_held(spec: Mapping[str, Any], parameter: Mapping[str, Any], kind: str, key: str) -> bool:
    """Whether the XML says an attribute of a parameter, or it is the one that every such parameter has."""
    value = np.asarray(parameter[key], dtype=float)
    if kind == "normfactor":
        return key == "bounds" and np.array_equal(value[0], _normfactor(spec, parameter["name"])[1:])
    if kind == "lumi":
        lumi, width = _luminosity([parameter])
        return key != "bounds" or bool(np.allclose(value, [[lumi - 5 * width, lumi + 5 * width]]))
    if key == "sigmas" and any(
        m["name"] == parameter["name"] for m in modifiers(spec) if m.get("constraint") == "gamma"
    ):
        return True
    usual = _USUAL.get(kind, {}).get(key)
    return usual is not None and bool(np.all(value == usual))


_USUAL: dict[str, dict[str, Any]] = {
    "normsys": {"bounds": (-5.0, 5.0), "auxdata": 0.0},
    "histosys": {"bounds": (-5.0, 5.0), "auxdata": 0.0},
    "staterror": {"bounds": (1e-10, 10.0), "auxdata": 1.0},
    "shapesys": {"bounds": (1e-10, 10.0)},
    "shapefactor": {"bounds": (0.0, 10.0)},
}


def _is_scalar(kind: str | None) -> bool:
    return kind in ("normsys", "histosys", "normfactor", "lumi")


def _luminosity(parameters: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Luminosity and its absolute uncertainty."""
    for parameter in parameters:
        if parameter["name"] == "lumi":
            return parameter.get("auxdata", [1.0])[0], parameter.get("sigmas", [0.0])[0]
    return 1.0, 0.0


def _normfactor(spec: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    """Start value and bounds of a normfactor: the XML has them with the modifier, so the first measurement decides."""
    value, (low, high) = 1, (0, 10)
    for parameter in spec["measurements"][0]["config"]["parameters"]:
        if parameter["name"] == name:
            value = parameter.get("inits", [value])[0]
            low, high = parameter.get("bounds", [[low, high]])[0]
    return value, low, high


def _normfactor_inits(spec: Mapping[str, Any]) -> dict[str, float]:
    kinds = _ChannelSummaryMixin(channels=spec["channels"]).modifiers
    return {name: _normfactor(spec, name)[0] for name, kind in kinds if kind == "normfactor"}


def build_channel(
    spec: Mapping[str, Any], channelspec: Mapping[str, Any], obsspec: Sequence[Mapping[str, Any]] | None
) -> ET.Element:
    """The XML of a channel; its histograms go to the ROOT file that is being written."""
    name = channelspec["name"]
    channel = ET.Element("Channel", Name=name, InputFile=_ROOT_DATA_FILE.file_path)
    if obsspec:
        channel.append(build_data(obsspec, name))
    # ROOT's default, a Poisson constraint above a threshold of 5 %, is another likelihood.
    stat = [m for sample in channelspec["samples"] for m in sample["modifiers"] if m["type"] == "staterror"]
    kind = "Poisson" if any(m.get("constraint") == "poisson" for m in stat) else "Gaussian"
    ET.SubElement(channel, "StatErrorConfig", RelErrorThreshold="0", ConstraintType=kind)
    for sample in channelspec["samples"]:
        channel.append(build_sample(spec, sample, name))
    return channel


def build_data(obsspec: Sequence[Mapping[str, Any]], channelname: str) -> ET.Element:
    """The XML of a channel's observed counts.

    Raises:
        KeyError: The channel has no observation.
    """
    for observation in obsspec:
        if observation["name"] == channelname:
            histogram = _make_hist_name(channelname, "data")
            _export_root_histogram(histogram, observation["data"])
            return ET.Element("Data", HistoName=histogram, InputFile=_ROOT_DATA_FILE.file_path)
    raise KeyError(f"channel {channelname} has no observation")


def build_sample(spec: Mapping[str, Any], samplespec: Mapping[str, Any], channelname: str) -> ET.Element:
    """The XML of a sample."""
    name, data = samplespec["name"], samplespec["data"]
    histogram = _make_hist_name(channelname, name)
    sample = ET.Element(
        "Sample",
        Name=name,
        HistoName=histogram,
        InputFile=_ROOT_DATA_FILE.file_path,
        NormalizeByTheory=str(any(modifier["type"] == "lumi" for modifier in samplespec["modifiers"])),
    )
    for modifier in samplespec["modifiers"]:
        element = build_modifier(spec, modifier, channelname, name, data)
        if element is not None:
            sample.append(element)
    _export_root_histogram(histogram, data)
    return sample


def build_modifier(
    spec: Mapping[str, Any],
    modifierspec: Mapping[str, Any],
    channelname: str,
    samplename: str,
    sampledata: Sequence[float],
) -> ET.Element | None:
    """The XML of a modifier; None for lumi, which the sample says, and for types that HistFactory does not have."""
    name, kind = modifierspec["name"], modifierspec["type"]
    data: Any = modifierspec.get("data")
    histogram = _make_hist_name(channelname, samplename, name)
    if kind == "histosys":
        _export_root_histogram(f"{histogram}Low", data["lo_data"])
        _export_root_histogram(f"{histogram}High", data["hi_data"])
        names = {"HistoNameLow": f"{histogram}Low", "HistoNameHigh": f"{histogram}High"}
        return ET.Element("HistoSys", {"Name": name, **names})
    if kind == "normsys":
        return ET.Element("OverallSys", Name=name, High=str(data["hi"]), Low=str(data["lo"]))
    if kind == "normfactor":
        value, low, high = _normfactor(spec, name)
        return ET.Element("NormFactor", Name=name, Val=str(value), Low=str(low), High=str(high))
    if kind == "staterror":
        _export_root_histogram(histogram, _relative(data, sampledata, name))
        return ET.Element("StatError", Activate="True", HistoName=histogram)
    if kind == "shapesys":
        _export_root_histogram(histogram, _relative(data, sampledata, name))
        density = "Gaussian" if modifierspec.get("constraint") == "gauss" else "Poisson"
        return ET.Element("ShapeSys", Name=name, ConstraintType=density, HistoName=histogram)
    if kind == "shapefactor":
        return ET.Element("ShapeFactor", Name=name)
    if kind != "lumi":
        log.warning("Skipping modifier %s(%s): HistFactory has no such type", name, kind)
    return None


def _relative(uncertainties: Sequence[float], yields: Sequence[float], name: str) -> list[float]:
    """Relative uncertainties; 0 where there is no yield."""
    absolute, nominal = np.asarray(uncertainties, dtype=float), np.asarray(yields, dtype=float)
    filled = nominal != 0
    if np.any(absolute[~filled]):
        log.warning("%s: the uncertainty of a bin without yield is lost, as the XML has relative ones", name)
    relative: list[float] = np.divide(absolute, nominal, out=np.zeros_like(absolute), where=filled).tolist()
    return relative


def _make_hist_name(channel: str, sample: str, modifier: str = "", prefix: str = "hist", suffix: str = "") -> str:
    return f"{prefix}{'_'.join(filter(None, (channel, sample, modifier)))}{suffix}"


def _export_root_histogram(hist_name: str, data: Sequence[float]) -> None:
    """Write a histogram with bins of width one to the ROOT file."""
    if hist_name in _ROOT_DATA_FILE:
        raise KeyError(f"two histograms would be called {hist_name}: rename a channel, sample or modifier")
    contents = np.asarray(as_list(data), dtype=float)
    _ROOT_DATA_FILE[hist_name] = load_uproot().to_writable((contents, np.arange(len(contents) + 1.0)))
