"""The model language in HistFactory's XML: constraint terms and functions, and all that the XML lacks."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import Any

from pyhf_func.core.codes import DEFAULT_CODES
from pyhf_func.core.expression import parse
from pyhf_func.exceptions import Fault, UnsupportedExtension, json_path
from pyhf_func.schema.extended import Steps, parameters, uses, walk

__all__ = ["constraint_terms", "functions", "unheld"]

Document = Mapping[str, Any]
_TERMS = {"gamma": "Gamma", "none": "Uniform"}


def unheld(document: Document) -> list[Fault]:
    """Everything of the model language that a document has and the XML lacks.

    Example:
        >>> modifier = {"name": "jes", "type": "normsys", "data": {"lo": 0.9, "hi": 1.2}, "interpolation": "code1"}
        >>> sample = {"name": "s", "data": [5.0], "modifiers": [modifier]}
        >>> document = {"channels": [{"name": "SR", "samples": [sample]}],
        ...     "measurements": [{"name": "fit", "config": {"poi": "mu", "parameters": []}}]}
        >>> [fault.message for fault in unheld(document)]
        ['HistFactory interpolates a normsys with code4, not with code1: the XML cannot hold it']
    """
    found: list[Fault] = []
    holders = {steps: modifier for steps, _, _, modifier in walk(document)}
    for steps, value in uses(document):
        message = _lacking(document, steps, value, holders.get(steps[:-1]))
        if message:
            found.append(Fault(json_path(steps), f"{message}: the XML cannot hold it", UnsupportedExtension))
    return found


def _lacking(document: Document, steps: Steps, value: Any, modifier: Mapping[str, Any] | None) -> str | None:
    """The fault of an optional key, if the XML lacks it."""
    match steps[-1]:
        case "metadata" | "pois" | "arguments":
            return None
        case "interpolation" if modifier:
            usual = DEFAULT_CODES[modifier["type"]]
            return (
                None
                if value == usual
                else f"HistFactory interpolates a {modifier['type']} with {usual}, not with {value}"
            )
        case "smooth" if value == 1.0:
            return None
        case "style" if value == "factor":
            return None
        case "constraint" if modifier:
            return _constraint(document, modifier)
        case "expression" if modifier:
            return _expression(document, modifier)
        case "fixed":
            kinds = {m["type"] for *_, m in walk(document) if m["name"] == _config_at(document, steps)["name"]}
            return None if kinds <= {"shapesys", "staterror", "shapefactor"} else "flags of single components"
    return f"HistFactory has no {steps[-1]!r}"


def _config_at(document: Document, steps: Steps) -> Mapping[str, Any]:
    return next(config for place, config in parameters(document) if place == steps[:-1])


def _constraint(document: Document, modifier: Mapping[str, Any]) -> str | None:
    name, kind = modifier["name"], modifier["type"]
    given = {m.get("constraint") for *_, m in walk(document) if m["name"] == name and "expression" not in m}
    if kind in ("shapesys", "staterror"):
        if kind == "staterror":
            given = _in_channels_of(document, name)
        return None if given <= {"gauss", "poisson"} else f"constraints of {name!r} that are {sorted(map(str, given))}"
    if given == {"gauss"}:
        return None
    if len(given) > 1 or not given <= _TERMS.keys():
        return f"a {kind} with the constraint {modifier['constraint']!r}"
    widths = {tuple(config.get("sigmas", ())) for _, config in parameters(document) if config["name"] == name}
    if given == {"gamma"} and (len(widths) != 1 or not next(iter(widths))):
        return f"a gamma constraint of {name!r} without one width"
    return None


def _in_channels_of(document: Document, name: str) -> set[str | None]:
    """The constraints of all staterrors in the channels of one: the XML has one for a channel."""
    channels = {channel["name"] for _, channel, _, m in walk(document) if m["name"] == name}
    found: set[str | None] = set()
    for _, channel, _, modifier in walk(document):
        if channel["name"] in channels and modifier["type"] == "staterror":
            found.add(modifier.get("constraint"))
    return found if len(found) > 1 else {next(iter(found)) or "gauss"}


def _expression(document: Document, modifier: Mapping[str, Any]) -> str | None:
    name = modifier["name"]
    others = [m for *_, m in walk(document) if m["name"] == name]
    if any(
        m.get("expression") != modifier["expression"] or m.get("arguments") != modifier.get("arguments") for m in others
    ):
        return f"{name!r} as two things, or as different expressions"
    names = parse(modifier["expression"], modifier.get("arguments", [])).names
    taken = [m["name"] for *_, m in walk(document) if m["name"] in names and m["type"] != "normfactor"]
    unfit = [one for one in names if not re.fullmatch(r"[A-Za-z_]\w*", one, re.ASCII)]
    if name in names or taken or unfit:
        return f"an expression of {', '.join([*dict.fromkeys(taken), *unfit]) or name}"
    return None


def functions(document: Document) -> Iterator[ET.Element]:
    """A ``<Function>`` for each expression, with the ranges of parameters that nothing else declares."""
    made: set[str] = set()
    configs = {config["name"]: config for config in document["measurements"][0]["config"]["parameters"]}
    factors = {m["name"] for *_, m in walk(document) if "expression" not in m}
    for *_, modifier in walk(document):
        if "expression" not in modifier or modifier["name"] in made:
            continue
        made.add(modifier["name"])
        arguments = modifier.get("arguments", [])
        expression = parse(modifier["expression"], arguments)
        text = expression.with_names({name: name for name in expression.names}, arguments)
        dependents = []
        for name in expression.names:
            config = configs.get(name, {})
            start, (low, high) = config.get("inits", [1.0])[0], config.get("bounds", [[0.0, 10.0]])[0]
            dependents.append(name if name in factors else f"{name}[{start!r},{low!r},{high!r}]")
        yield ET.Element(
            "Function", Name=modifier["name"], Expression="".join(text.split()), Dependents=",".join(dependents)
        )


def constraint_terms(document: Document) -> Iterator[ET.Element]:
    """The ``<ConstraintTerm>`` of each parameter that has another constraint than a Gaussian."""
    widths = {config["name"]: config["sigmas"][0] for _, config in parameters(document) if "sigmas" in config}
    kinds = {
        m["name"]: m["constraint"]
        for *_, m in walk(document)
        if m["type"] in ("normsys", "histosys") and m.get("constraint") in _TERMS
    }
    for name, kind in kinds.items():
        attributes = {"RelativeUncertainty": str(widths[name])} if kind == "gamma" else {}
        term = ET.Element("ConstraintTerm", {"Type": _TERMS[kind], **attributes})
        term.text = f"alpha_{name}"
        yield term
