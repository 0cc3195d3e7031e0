"""Samples, with their modifiers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from pyhf_func.histfactory.elements import KNOWN, attribute, check_attributes, flag, number, progress
from pyhf_func.histfactory.histograms import import_root_histogram
from pyhf_func.histfactory.notes import AS_ROOT, doubt, log
from pyhf_func.histfactory.places import Resolver

__all__ = ["Parameter", "process_sample"]

Parameter = dict[str, Any]


def process_sample(
    sample: ET.Element,
    resolver: Resolver,
    inputfile: str,
    histopath: str,
    channel_name: str,
    track_progress: bool = False,
) -> dict[str, Any]:
    """A sample with its modifiers, and under ``parameter_configs`` what its NormFactors say of their parameters."""
    inputfile, histopath = sample.get("InputFile", inputfile), sample.get("HistoPath", histopath)
    data, errors = import_root_histogram(resolver, inputfile, histopath, attribute(sample, "HistoName"))
    modifiers: list[dict[str, Any]] = []
    parameters: list[Parameter] = []
    place = f"channel {channel_name}, sample {sample.get('Name', '')}"
    check_attributes(sample, place)
    if flag(sample, "NormalizeByTheory"):
        modifiers.append({"name": "lumi", "type": "lumi", "data": None})

    def histogram(element: ET.Element, side: str = "") -> list[float]:
        """The histogram that a modifier names, by default in the file and folder of the sample."""
        file = element.get(f"HistoFile{side}", element.get(f"InputFile{side}", element.get("InputFile", inputfile)))
        folder = element.get(f"HistoPath{side}", histopath)
        return import_root_histogram(resolver, file, folder, attribute(element, f"HistoName{side}"))[0]

    for element in progress(list(sample), "modifier", track_progress):
        name = element.get("Name", "")
        if element.tag in KNOWN:
            check_attributes(element, place)
        if element.tag == "OverallSys":
            factors = {"lo": number(element, "Low"), "hi": number(element, "High")}
            modifiers.append({"name": name, "type": "normsys", "data": factors})
        elif element.tag == "NormFactor":
            modifiers.append({"name": name, "type": "normfactor", "data": None})
            parameters.append(_normfactor_config(element))
        elif element.tag == "HistoSys":
            templates = {"lo_data": histogram(element, "Low"), "hi_data": histogram(element, "High")}
            modifiers.append({"name": name, "type": "histosys", "data": templates})
        elif element.tag == "StatError" and flag(element, "Activate"):
            if element.get("HistoName"):
                errors = [relative * content for relative, content in zip(histogram(element), data, strict=True)]
            modifiers.append({"name": f"staterror_{channel_name}", "type": "staterror", "data": errors})
        elif element.tag == "ShapeSys":
            widths = [relative * content for relative, content in zip(histogram(element), data, strict=True)]
            modifiers.append({"name": name, "type": "shapesys", "data": widths, **_shapesys_constraint(element, place)})
        elif element.tag == "ShapeFactor":
            modifiers.append({"name": name, "type": "shapefactor", "data": None})
            if flag(element, "Const"):
                parameters.append({"name": name, "fixed": True})
        elif element.tag == "StatError":
            log.warning("the StatError of sample %s in channel %s is not active", sample.get("Name"), channel_name)
        else:
            doubt(place, f"not considering modifier tag {element.tag} {name}")
    return {
        "name": attribute(sample, "Name"),
        "data": data,
        "modifiers": modifiers,
        "parameter_configs": parameters,
    }


def _shapesys_constraint(element: ET.Element, place: str) -> dict[str, str]:
    """The key for a Gaussian constraint, which is ROOT's default."""
    kind = element.get("ConstraintType", "Gaussian").lower()
    if kind in ("poisson", "pois"):
        return {}
    if not AS_ROOT.get():
        word = "" if "ConstraintType" in element.attrib else ", but ROOT's default, Gaussian"
        what = f"shapesys modifier {element.get('Name')} has a constraint that is not Poisson{word}"
        doubt(place, f"{what}; Poisson is taken")
        return {}
    if kind not in ("gaussian", "gauss"):
        raise ValueError(f"{place}: shapesys modifier {element.get('Name')} has no constraint of type {kind}")
    return {"constraint": "gauss"}


def _normfactor_config(element: ET.Element) -> Parameter:
    config: Parameter = {
        "name": attribute(element, "Name"),
        "bounds": [[number(element, "Low"), number(element, "High")]],
        "inits": [number(element, "Val")],
    }
    if element.get("Const"):
        config["fixed"] = flag(element, "Const")
    return config
