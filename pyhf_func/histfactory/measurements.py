"""Measurements, with their settings of parameters."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

from pyhf_func import compat
from pyhf_func.histfactory.components import COMPONENTS
from pyhf_func.histfactory.elements import attribute, check_attributes, flag, number
from pyhf_func.histfactory.notes import AS_ROOT, doubt
from pyhf_func.histfactory.samples import Parameter

__all__ = ["check_top", "choose_measurements", "dedupe_parameters", "process_measurements"]


def process_measurements(
    toplvl: Any, other_parameter_configs: Sequence[Parameter] | None = None
) -> list[dict[str, Any]]:
    """The measurements of the top-level XML.

    Args:
        toplvl: The XML.
        other_parameter_configs: What the channels say of parameters; a ``<ParamSetting>`` takes precedence.

    Raises:
        RuntimeError: A measurement has no parameter of interest.
        ValueError: A setting is for one component of a parameter, which the format cannot say.
    """
    return [_measurement(element, other_parameter_configs or ()) for element in toplvl.findall("Measurement")]


def _measurement(element: ET.Element, parameter_configs: Sequence[Parameter]) -> dict[str, Any]:
    name = attribute(element, "Name")
    poi = element.find("POI")
    if poi is None:
        raise RuntimeError(f"Measurement {name} is missing POI specification")
    lumi = number(element, "Lumi")
    width = lumi * number(element, "LumiRelErr")
    configs: dict[str, Parameter] = {
        "lumi": {
            "name": "lumi",
            "auxdata": [lumi],
            "bounds": [[lumi - 5.0 * width, lumi + 5.0 * width]],
            "inits": [lumi],
            "sigmas": [width],
        }
    }
    others = {config["name"]: dict(config) for config in parameter_configs}
    for setting in element.findall("ParamSetting"):
        values: Parameter = {}
        if setting.get("Const"):
            values["fixed"] = flag(setting, "Const")
        if setting.get("Val"):
            values["inits"] = [number(setting, "Val")]
        for rootname in (setting.text or "").split():
            parameter = compat.interpret_rootname(rootname)
            if not parameter["is_scalar"]:
                component = rootname, values
                others.setdefault(COMPONENTS, {"name": COMPONENTS, "settings": []})["settings"].append(component)
                continue
            # A parameter with a setting comes after those without.
            known = configs if parameter["name"] in configs else others
            config = known.pop(parameter["name"], {"name": parameter["name"]})
            target = configs if parameter["name"] == "lumi" else others
            target[parameter["name"]] = {**config, **values}
    names = (poi.text or "").split()
    if len(names) > 1 and not AS_ROOT.get():
        doubt(f"Measurement {name}", f"of the parameters of interest the first is taken: {' '.join(names)}")
    several = {"pois": names} if len(names) > 1 and AS_ROOT.get() else {}
    return {
        "name": name,
        "config": {"poi": names[0] if names else "", "parameters": [*configs.values(), *others.values()], **several},
    }


def choose_measurements(top: Any, wanted: str | None) -> None:
    """Leave the measurements that share their constraint terms with the wanted one, or the first: they are one model.

    Raises:
        ValueError: There is no such measurement.
    """
    elements = top.findall("Measurement")
    names = [element.get("Name", "") for element in elements]
    if wanted is not None and wanted not in names:
        raise ValueError(f"there is no measurement {wanted!r}, but {', '.join(names)}")
    chosen = elements[0 if wanted is None else names.index(wanted)] if elements else None
    for element in elements:
        if _all_terms(element) != _all_terms(chosen):
            top.remove(element)
            if wanted is None:
                message = "has other constraint terms than the first, and is left out: its name as analysis reads it"
                doubt(f"Measurement {element.get('Name', '')}", message)


def _all_terms(measurement: Any) -> list[tuple[str, str, list[str]]]:
    terms = measurement.findall("ConstraintTerm")
    texts = (
        (t.get("Type", "").lower(), t.get("RelativeUncertainty", ""), sorted((t.text or "").split())) for t in terms
    )
    return sorted(text for text in texts if not text[0].startswith("gauss"))


def check_top(top: ET.Element) -> None:
    """Note everything in the top-level XML that is not read."""
    for element in top:
        place = f"{element.tag} {element.get('Name', '')}".strip()
        if element.tag == "Function" and not AS_ROOT.get():
            doubt(place, f"the function {element.get('Expression', '')} of parameters is not considered")
        elif element.tag not in ("Input", "Measurement", "Function"):
            doubt(place, f"<{element.tag}> is not considered")
        if element.tag != "Measurement":
            continue
        check_attributes(element, place)
        for inner in element:
            kind = inner.get("Type", "").lower() if inner.tag == "ConstraintTerm" else ""
            if kind.startswith("gauss") or (AS_ROOT.get() and kind in ("gamma", "uniform")):
                continue
            if inner.tag == "ConstraintTerm":
                names = " ".join((inner.text or "").split())
                doubt(place, f"the constraint {inner.get('Type', '')} of {names} is not considered: it stays Gaussian")
            elif inner.tag not in ("POI", "ParamSetting"):
                what = " ".join([inner.get("Name", ""), *(inner.text or "").split()])
                doubt(place, f"<{inner.tag}> {what} is not considered")


def dedupe_parameters(parameters: Sequence[Parameter]) -> list[Parameter]:
    """Parameter configurations without repetitions.

    Raises:
        RuntimeError: A parameter is configured in two ways.
    """
    first: dict[str, Parameter] = {}
    for parameter in parameters:
        known = first.setdefault(parameter["name"], parameter)
        if known != parameter:
            raise RuntimeError(
                f"the channels configure parameter {parameter['name']} in different ways: {known} and {parameter}"
            )
    return list(first.values())
