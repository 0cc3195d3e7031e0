"""Constraint terms, for other constraints than Gaussian ones."""

from __future__ import annotations

from typing import Any

from pyhf_func.histfactory.elements import number
from pyhf_func.histfactory.notes import doubt

__all__ = ["apply_terms"]


def apply_terms(top: Any, document: dict[str, Any]) -> None:
    """``<ConstraintTerm>``: gamma and uniform constraints of effects with an interpolation, of all measurements alike.

    Raises:
        ValueError: A term has no relative uncertainty.
    """
    elements = top.findall("Measurement")
    known = {m["name"] for c in document["channels"] for s in c["samples"] for m in s["modifiers"]}
    for name, (kind, width) in _terms(elements[0]).items() if elements else ():
        if name not in known:
            doubt(f"Measurement {elements[0].get('Name', '')}", f"<ConstraintTerm> of {name}: no channel has that")
            continue
        for modifier in (m for c in document["channels"] for s in c["samples"] for m in s["modifiers"]):
            if modifier["name"] == name and modifier["type"] in ("normsys", "histosys"):
                modifier["constraint"] = kind
        for measurement in document["measurements"] if kind == "gamma" else ():
            parameters = measurement["config"]["parameters"]
            config = next((one for one in parameters if one["name"] == name), None)
            if config is None:
                parameters.append(config := {"name": name})
            config["sigmas"] = [width]


def _terms(measurement: Any) -> dict[str, tuple[str, float]]:
    words = {"gamma": "gamma", "uniform": "none"}
    return {
        name.removeprefix("alpha_"): (words[kind], number(term, "RelativeUncertainty") if kind == "gamma" else 0.0)
        for term in measurement.findall("ConstraintTerm")
        for name in (term.text or "").split()
        if (kind := term.get("Type", "").lower()) in words
    }
