"""Look-ups in an HS3 document: its named parts, and what one analysis says of parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from pyhf_func.exceptions import Fault, InvalidSpecification, json_path

__all__ = ["Analysis", "Notes", "Parts"]

Steps = tuple[str | int, ...]
Item = Mapping[str, Any]


class Notes:
    """What is wrong, and what is dubious, in a document that is being read."""

    def __init__(self, source: str | None) -> None:
        self.source = source
        self.faults: list[Fault] = []
        self.doubts: list[Fault] = []

    def fault(self, steps: Steps, message: str) -> None:
        self.faults.append(Fault(json_path(steps), message, InvalidSpecification, self.source))

    def doubt(self, steps: Steps, message: str) -> None:
        self.doubts.append(Fault(json_path(steps), message, InvalidSpecification, self.source))


@dataclass(frozen=True)
class Analysis:
    """One analysis: parameters of interest, and start, ends and constancy of parameters."""

    name: str
    pois: tuple[str, ...]
    values: Mapping[str, float]
    constant: frozenset[str]
    ranges: Mapping[str, tuple[float | None, float | None]]


class Parts:
    """The named parts of an HS3 document."""

    def __init__(self, document: Item, notes: Notes) -> None:
        self.document = document
        self.notes = notes
        self.distributions = self._by_name("distributions")
        self.functions = self._by_name("functions")
        self.data = self._by_name("data")
        self.points = self._by_name("parameter_points")
        self.domains = self._by_name("domains")
        packages = document.get("metadata", {}).get("packages", [])
        self.by_root = any(isinstance(p, Mapping) and p.get("name") == "ROOT" for p in packages)

    def _by_name(self, section: str) -> dict[str, tuple[Steps, Item]]:
        found: dict[str, tuple[Steps, Item]] = {}
        for i, item in enumerate(self.document.get(section, [])):
            if not isinstance(item, Mapping) or not isinstance(item.get("name"), str):
                self.notes.fault((section, i), "is no object with a name")
            elif item["name"] in found:
                self.notes.fault((section, i, "name"), f"{item['name']!r} is there twice")
            else:
                found[item["name"]] = (section, i), item
        return found

    def likelihoods(self) -> dict[str, tuple[Steps, Item]]:
        return self._by_name("likelihoods")

    def analyses(self) -> list[tuple[Steps, Item]]:
        return list(self._by_name("analyses").values())

    def analysis(self, item: Item) -> Analysis:
        """What one analysis says of parameters."""
        values: dict[str, float] = {}
        constant: set[str] = set()
        ranges: dict[str, tuple[float | None, float | None]] = {}
        for parameter in self._point(item):
            name = parameter["name"]
            if _is_number(parameter.get("value")):
                values.pop(name, None)  # so that the order is that of the last point
                values[name] = float(parameter["value"])
            elif parameter.get("value") is not None:
                message = f"the value of {name!r} is {parameter['value']!r}: give a finite number"
                self.notes.fault(("parameter_points",), message)
            (constant.add if parameter.get("const") else constant.discard)(name)
            if "min" in parameter or "max" in parameter:
                ranges[name] = self._ends(parameter)
        for axis in self._axes(item):
            ranges[axis["name"]] = self._ends(axis)
        pois = self._texts(item, "parameters_of_interest")
        return Analysis(str(item.get("name", "analysis")), tuple(pois), values, frozenset(constant), ranges)

    def _texts(self, item: Item, key: str) -> list[str]:
        """One name, or a list of names."""
        given = item.get(key, [])
        found = [given] if isinstance(given, str) else given
        if isinstance(found, list) and all(isinstance(name, str) for name in found):
            return found
        self.notes.fault(("analyses",), f"the {key} of {item.get('name')!r} are no names")
        return []

    def _point(self, item: Item) -> Iterator[Item]:
        """Values of parameters, those that count last: all points, ROOT's nominal ones, the default, the analysis'."""
        self._expect(item, "init", [item["init"]] if "init" in item else [], self.points)
        chosen = ["NominalParamValues", "default_values", str(item.get("init", ""))]
        order = [name for name in self.points if name not in chosen][:1] + [
            name for name in chosen if name in self.points
        ]
        for name in order:
            yield from _named(self.points[name][1].get("parameters", self.points[name][1].get("entries", [])))

    def _axes(self, item: Item) -> Iterator[Item]:
        """Domains of parameters, those that count last: the default one, the analysis' own."""
        key = "domains" if "domains" in item else "domain"
        self._expect(item, key, self._texts(item, key), self.domains)
        for name in ("default_domain", *self._texts(item, key)):
            if name in self.domains:
                yield from _named(self.domains[name][1].get("axes", []))

    def _expect(self, item: Item, key: str, names: Sequence[str], known: Mapping[str, Any]) -> None:
        """Note names of parts that are missing."""
        for name in names:
            if name not in known:
                message = (
                    f"the {key} of {item.get('name')!r} is {name!r}, which is not there: {', '.join(known) or 'none'}"
                )
                self.notes.fault(("analyses",), message)

    def _ends(self, axis: Item) -> tuple[float | None, float | None]:
        """Both ends of the range of a parameter; None where one is not given."""
        for key in ("min", "max"):
            if axis.get(key) is not None and not _is_number(axis[key]) and not _is_infinite(axis[key]):
                message = f"the {key} of {axis['name']!r} is {axis[key]!r}: give a number"
                self.notes.fault(("domains",), message)
        low, high = (float(end) if _is_number(end) else None for end in (axis.get("min"), axis.get("max")))
        if low is not None and high is not None and low > high:
            self.notes.fault(("domains",), f"the range of {axis['name']!r} is from {low} to {high}: swap them")
        return low, high


def _is_infinite(value: Any) -> bool:
    return isinstance(value, float) and math.isinf(value)


def _named(items: Any) -> Iterator[Item]:
    return (item for item in items if isinstance(item, Mapping) and isinstance(item.get("name"), str))


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def axis_bins(axes: Any) -> int | None:
    """Bins of a histogram of these axes; None where they do not say."""
    count = 1
    for axis in axes:
        edges = axis.get("edges", axis.get("bounds"))
        if isinstance(edges, list):
            count *= len(edges) - 1
        elif isinstance(axis.get("nbins"), int):
            count *= axis["nbins"]
        else:
            return None
    return count
