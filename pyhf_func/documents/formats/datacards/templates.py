"""Channels of a card that are written with histograms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor
from typing import Any

import numpy as np

from pyhf_func.core.expression import parse
from pyhf_func.documents.formats.datacards.lines import Lines, Steps

__all__ = ["Histograms", "is_shaped", "write_templates"]

Histograms = dict[str, tuple[Any, Any]]
"""Contents and errors by name."""

Document = Mapping[str, Any]
KINDS = {"code4p": "shape", "shapen": "shapeN"}


def is_shaped(lines: Lines, channel: Document) -> bool:
    """Whether the templates of Combine can be those of a channel: of several bins, and without factors of single ones.

    A channel of one bin is one too where its uncertainties are added to the sum of samples.
    """
    modifiers = [modifier for sample in channel["samples"] for modifier in sample["modifiers"]]
    additive = [modifier for modifier in modifiers if modifier.get("style") == "additive"]
    if len(channel["samples"][0]["data"]) == 1 and not additive:
        return False
    if any(m["type"] in ("shapesys", "shapefactor", "staterror") and m not in additive for m in modifiers):
        return False
    if additive:
        return True
    return _is_usual(lines, channel) or not any(_obstacles(lines, channel))


def _obstacles(lines: Lines, channel: Document) -> Iterator[tuple[int, int | None, str]]:
    """What keeps a channel from having templates with integrals of their own."""
    for s, sample in enumerate(channel["samples"]):
        if "floor" in sample:
            yield s, None, "morphed templates that are kept above a floor and at their integral"
        if not sum(sample["data"]) > 0:
            yield s, None, "a sample without yield"
        for m, modifier in enumerate(sample["modifiers"]):
            if modifier["type"] != "histosys":
                continue
            name, code = modifier["name"], modifier.get("interpolation", "code4p")
            if code != "code4p" or modifier.get("smooth", 1.0) != 1.0 or not _kind_of(lines, name, code):
                yield s, m, f"the histosys {name!r} with its interpolation or constraint"
            elif min(sum(modifier["data"][side]) for side in ("lo_data", "hi_data")) <= 0:
                yield s, m, f"the histosys {name!r} with an empty template"


def _kind_of(lines: Lines, name: str, code: str) -> str:
    """The line of a shape, if there is one."""
    kind = {"lnN": KINDS.get(code, ""), "lnU": "shapeU"}.get(lines.log_normal_kind(name), "")
    return "" if kind == "shapeU" and code != "code4p" else kind


def _is_usual(lines: Lines, channel: Document) -> bool:
    """Whether every template keeps the integral, as those that Combine normalises."""
    for sample in channel["samples"]:
        total = float(np.sum(sample["data"]))
        for modifier in sample["modifiers"]:
            if modifier["type"] != "histosys":
                continue
            code = modifier.get("interpolation", "code4p")
            if not total > 0 or not _kind_of(lines, modifier["name"], code) or modifier.get("smooth", 1.0) != 1.0:
                return False
            ends = (_template(modifier["data"][side], sample["data"], code) for side in ("lo_data", "hi_data"))
            ratios = [float(np.sum(end)) / total for end in ends]
            near = 1e-5 if "floor" in sample else 1e-7
            if min(ratios) <= 0 or (not lines.approximate and any(abs(ratio - 1) > near for ratio in ratios)):
                return False
    return True


def _template(values: Any, nominal: Any, code: str) -> Any:
    """A template as Combine has it. Multiplicative ones of the integral of the nominal are empty where they equal it.

    Without empty bins, only the shape of a multiplicative template counts.
    """
    values, nominal = np.asarray(values, dtype=float), np.asarray(nominal, dtype=float)
    if code != "shapen":
        return values
    moved = np.where(values == nominal, 0.0, values)
    if abs(np.sum(moved) / np.sum(nominal) - 1) < 1e-6:
        return moved
    return values * (np.sum(nominal) / np.sum(values)) if np.all((values > 0) & (nominal > 0)) else values


def write_templates(lines: Lines, c: int, observed: Document, histograms: Histograms) -> None:
    """Write a channel with its histograms."""
    channel = lines.document["channels"][c]
    usual = _is_usual(lines, channel)
    if not usual:
        for s, m, message in _obstacles(lines, channel):
            place = ("channels", c, "samples", s, *(() if m is None else ("modifiers", m)))
            lines.fault(place, f"a card cannot hold {message}")
    safe = lines.names["channel"].of(channel["name"])
    writer = _Channel(lines, ("channels", c), channel, safe, histograms, usual)
    for s, sample in enumerate(channel["samples"]):
        writer.sample(("channels", c, "samples", s), sample)
    counts = np.asarray(observed[channel["name"]], dtype=float)
    histograms[f"{safe}/data_obs"] = counts, np.sqrt(np.abs(counts))
    lines.observed[safe] = float(np.sum(counts))
    lines.shaped.append(safe)
    writer.statistics()


@dataclass
class _Channel:
    """A channel on its way."""

    lines: Lines
    steps: Steps
    channel: Document
    safe: str
    histograms: Histograms
    usual: bool
    errors: list[tuple[Any, Any, float]] = field(default_factory=list)

    def sample(self, steps: Steps, sample: Document) -> None:
        lines, data = self.lines, np.asarray(sample["data"], dtype=float)
        process = lines.process(sample)
        column = lines.column(self.safe, process, float(np.sum(data)))
        errors = np.zeros_like(data)
        for modifier in sample["modifiers"]:
            if modifier.get("style") == "additive":
                errors = np.hypot(errors, np.asarray(modifier["data"], dtype=float))
        self.histograms[f"{self.safe}/{process}"] = data, errors
        self.errors.append((data, errors, self._start(sample)))
        pairs = {m["name"]: norm for m in sample["modifiers"] if (norm := self._norm(m, sample)) is not None}
        if not sample["modifiers"] and float(f"{np.sum(data):g}") != np.sum(data) and self._is_normalised():
            lines.doubt(steps, "nothing scales the sample: Combine rounds its yield to six digits")
        for m, modifier in enumerate(sample["modifiers"]):
            if modifier["type"] == "histosys":
                self._shape((*steps, "modifiers", m), column, data, modifier, pairs.get(modifier["name"]))
        lines.factors(steps, column, sample, set(pairs))

    def _is_normalised(self) -> bool:
        """Whether yields are those of the card, not those of the histograms."""
        return self.usual and not any("style" in m for sample in self.channel["samples"] for m in sample["modifiers"])

    def _start(self, sample: Document) -> float:
        """The product of the factors of a sample at the start."""
        starts = {name: parameter.components[0].start for name, parameter in self.lines.parameters.items()}
        starts[self.lines.poi] = 1.0
        total = 1.0
        for modifier in sample["modifiers"]:
            if "expression" in modifier:
                total *= float(parse(modifier["expression"], modifier.get("arguments", []))(starts))
            elif modifier["type"] in ("normfactor", "lumi"):
                total *= starts[modifier["name"]]
        return total

    def _norm(self, modifier: Document, sample: Document) -> Document | None:
        """The factors of the normsys that goes into the templates of its name, where Combine finds it there again."""
        kinds = {other["type"]: other for other in sample["modifiers"] if other["name"] == modifier["name"]}
        if not self.usual or not {"normsys", "histosys"} <= kinds.keys():
            return None
        norm = kinds["normsys"]
        values = norm["data"].values()
        is_found = any(abs(value - 1) >= 1e-3 for value in values) and all(
            abs(float(f"{value:f}") - value) < 1e-12 for value in values
        )
        code = norm.get("interpolation", "code4")
        exact = code == "asympow" and is_found
        return norm["data"] if min(values) > 0 and (exact or (self.lines.approximate and code != "code6")) else None

    def _shape(self, steps: Steps, column: Any, data: Any, modifier: Document, norm: Document | None) -> None:
        name, lines = modifier["name"], self.lines
        kind = _kind_of(lines, name, modifier.get("interpolation", "code4p"))
        if not kind:
            return  # a fault already
        safe = lines.names["parameter"].of(name)
        for side, word in (("hi", "Up"), ("lo", "Down")):
            values = _template(modifier["data"][f"{side}_data"], data, modifier.get("interpolation", "code4p"))
            ratio = float(np.sum(values) / np.sum(data))
            if self.usual and abs(ratio - 1) > 1e-5:
                message = f"Combine takes a change of the integral, {ratio:.6g}, for a log-normal one"
                lines.doubt(steps, f"{name!r}: {message}")
            scaled = values * (norm[side] if norm else 1.0)
            self.histograms[f"{column[0]}/{column[1]}_{safe}{word}"] = scaled, np.zeros_like(data)
        lines.effect(name, kind, column, "1")

    def statistics(self) -> None:
        """The line of statistical uncertainties, or of templates that keep their integrals."""
        names = self._additive()
        mode = 1 if self.usual else 2
        if names:
            self.lines.statistics.append(f"{self.safe} autoMCStats 0 1 {mode}")
        elif not self.usual:
            self.lines.statistics.append(f"{self.safe} autoMCStats -1 0 2")

    def _additive(self) -> set[str]:
        found: set[str] = set()
        for s, sample in enumerate(self.channel["samples"]):
            for m, modifier in enumerate(sample["modifiers"]):
                if modifier.get("style") == "additive":
                    place = (*self.steps, "samples", s, "modifiers", m)
                    found.add(modifier["name"])
                    self._check(place, modifier["name"], found)
        for b in range(len(self.errors[0][0]) if found else 0):
            variance = sum((start * errors[b]) ** 2 for _, errors, start in self.errors)
            events = sum(start * data[b] for data, _, start in self.errors) ** 2
            if variance > 0 and floor(events / variance + 0.5) <= 0:
                message = f"bin {b} has too few effective events for one additive parameter in Combine"
                self.lines.fault(self.steps, message)
        return found

    def _check(self, steps: Steps, name: str, found: Sequence[str] | set[str]) -> None:
        start = self.lines.parameters[name].starts.get(self.channel["name"], 0)
        count = len(self.channel["samples"][0]["data"])
        components = self.lines.parameters[name].components[start : start + count]
        carriers = self.lines.parameters[name].starts
        if len(found) > 1 or len(carriers) > 1:
            self.lines.fault(steps, f"the additive staterror {name!r} is not the only one of a channel, or of several")
        elif not all((c.density, c.mean, c.width) == ("gauss", 0.0, 1.0) for c in components):
            self.lines.fault(steps, f"a card cannot hold the settings of the additive staterror {name!r}")
