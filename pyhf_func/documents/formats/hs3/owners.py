"""Parameters of a document as HS3 holds them: one name for each component."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyhf_func.core.expression import parse
from pyhf_func.documents.formats.hs3.naming import numbered
from pyhf_func.documents.formats.hs3.parameters import DEFAULTS
from pyhf_func.documents.formats.hs3.parts import Notes
from pyhf_func.schema.extended import walk

__all__ = ["Owned", "owned"]


@dataclass
class Owned:
    """One parameter of ours under HS3's names.

    Attributes:
        name: Our name.
        kind: The modifier type.
        owners: HS3's name of each component.
        starts: Where the components of a channel start.
        sizes: How many a channel has.
        constraint: Name of the Gaussian that constrains it, for a parameter of one component that has one.
        nominal: Name of what was measured.
        sigma: Width of that Gaussian.
        unused: Components that nothing depends on, which are constant anyway.
    """

    name: str
    kind: str
    owners: list[str]
    starts: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    constraint: str | None = None
    nominal: str = ""
    sigma: float = 1.0

    def owners_in(self, channel: Mapping[str, Any]) -> list[str]:
        start = self.starts.get(channel["name"], 0)
        return self.owners[start : start + len(channel["samples"][0]["data"])]

    def _setting(self, measurement: Mapping[str, Any], key: str) -> Any:
        configs = measurement["config"]["parameters"]
        return next((config.get(key) for config in configs if config["name"] == self.name), None)

    def inits(self, measurement: Mapping[str, Any]) -> list[float]:
        given = self._setting(measurement, "inits")
        return list(given) if given is not None else [DEFAULTS[self.kind][0]] * len(self.owners)

    def bounds(self, measurement: Mapping[str, Any]) -> list[tuple[float, float]]:
        given = self._setting(measurement, "bounds")
        return [tuple(pair) for pair in given] if given is not None else [DEFAULTS[self.kind][1]] * len(self.owners)

    def fixed(self, measurement: Mapping[str, Any]) -> list[bool]:
        given = self._setting(measurement, "fixed")
        return list(given) if isinstance(given, list) else [bool(given)] * len(self.owners)

    def auxdata(self, measurement: Mapping[str, Any]) -> float:
        given = self._setting(measurement, "auxdata")
        return float(given[0]) if given is not None else (0.0 if self.kind in ("normsys", "histosys") else 1.0)

    def counts(self, measurement: Mapping[str, Any]) -> list[float]:
        """What was measured of the factors of bins, where the document says so."""
        given = self._setting(measurement, "auxdata") if self.kind in ("shapesys", "staterror") else None
        return list(given or ())


def owned(document: Mapping[str, Any], notes: Notes) -> dict[str, Owned]:
    """Every parameter of a document, by our name."""
    foreign = _foreign(document)
    result: dict[str, Owned] = {}
    for _, channel, sample, modifier in walk(document):
        if "expression" in modifier:
            names, kind, count = parse(modifier["expression"], modifier.get("arguments", [])).names, "normfactor", 1
        else:
            names, kind, count = (modifier["name"],), modifier["type"], len(sample["data"])
        for name in names:
            parameter = result.setdefault(name, Owned(name, kind, []))
            parameter.sizes[channel["name"]] = count
    taken: set[str] = set()
    for parameter in result.values():
        parameter.owners = _owners(parameter, foreign, taken)
    for parameter in result.values():
        _add_constraint(parameter, document, notes)
    return result


def _foreign(document: Mapping[str, Any]) -> dict[str, str]:
    """The owner's name of each entry, where there is one and the values are the same."""
    metadata = document.get("metadata", {})
    names, scales = metadata.get("foreign_names", {}), metadata.get("scales", {})
    return {entry: owner for owner, entry in names.items() if owner not in scales}


def _owners(parameter: Owned, foreign: Mapping[str, str], taken: set[str]) -> list[str]:
    """A name for each component, which no other has."""
    name, kind = parameter.name, parameter.kind
    if kind not in ("shapesys", "shapefactor", "staterror"):
        plain = {"normsys": f"alpha_{name}", "histosys": f"alpha_{name}", "lumi": "Lumi"}.get(kind, name)
        wanted = [foreign.get(name, plain)]
    else:
        count = 0
        for channel in sorted(parameter.sizes):
            parameter.starts[channel] = count if kind == "staterror" else 0
            size = parameter.sizes[channel]
            count = count + size if kind == "staterror" else max(count, size)
        entries = [f"{name}[{i}]" for i in range(count)]
        known = kind != "staterror" or len(parameter.sizes) == 1
        wanted = [foreign[e] for e in entries] if known and set(entries) <= foreign.keys() else numbered(name, count)
    # The name of a factor is that of its parameter, so that it cannot be another.
    safe = wanted if kind == "normfactor" else [re.sub(r"\W", "_", owner, flags=re.ASCII) for owner in wanted]
    while taken & set(safe) or (safe == ["Lumi"] and kind == "normfactor"):
        safe = [f"{owner}_" for owner in safe]
    taken.update(safe)
    return safe


def _add_constraint(parameter: Owned, document: Mapping[str, Any], notes: Notes) -> None:
    """The Gaussian of a parameter of one component; other densities have no place."""
    widths = set()
    for m, measurement in enumerate(document["measurements"]):
        for p, config in enumerate(measurement["config"]["parameters"]):
            if config["name"] != parameter.name:
                continue
            widths.add(tuple(config.get("sigmas", [1.0])))
            place = ("measurements", m, "config", "parameters", p)
            if config.get("constraint", "gauss") != "gauss":
                notes.fault(
                    (*place, "constraint"), f"HS3 has no normfactor with the constraint {config['constraint']!r}"
                )
            if parameter.kind == "normfactor" and "constraint" in config:
                parameter.constraint = ""
            if parameter.kind in ("shapesys", "staterror", "shapefactor"):
                for key in sorted({"sigmas", "factors"} & config.keys()):
                    notes.fault(
                        (*place, key), "HS3 has no measurements of a factor of a bin other than those of its width"
                    )
    if len(widths) > 1:
        notes.fault(("measurements",), f"the width of {parameter.name!r} differs from measurement to measurement")
    if parameter.kind in ("normsys", "histosys", "lumi"):
        parameter.constraint = ""
    if parameter.constraint is not None:
        owner = parameter.owners[0]
        parameter.constraint = "lumiConstraint" if owner == "Lumi" else f"{owner}Constraint"
        parameter.nominal = "nominalLumi" if owner == "Lumi" else f"nom_{owner}"
        parameter.sigma = float(next(iter(widths))[0]) if widths else 1.0
