"""From channels, samples and histograms to a document of pyhf's format; everything that is wrong is named at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyhf_func._lookup import listed, shown
from pyhf_func.core.values import bins
from pyhf_func.documents.building.histograms import Histogram, read_histogram
from pyhf_func.documents.building.parts import (
    Channel,
    Free,
    FreeShape,
    Lumi,
    Norm,
    Sample,
    Settings,
    Stat,
    Uncorrelated,
    UpDown,
)
from pyhf_func.exceptions import Fault, InvalidModel, raise_faults

__all__ = ["assembled"]

Document = dict[str, Any]
_SAME_EDGE = 1e-9
"""By how much of its range an edge may differ: one rounding of a float32, and no bin."""


@dataclass
class _Work:
    """What is made, and what was found wrong on the way."""

    settings: Settings
    faults: list[Fault] = field(default_factory=list)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def refuse(self, where: str, message: str) -> None:
        """Note something that cannot be used."""
        self.faults.append(Fault(f"$.channels.{where}", message, InvalidModel))

    def configure(self, where: str, config: dict[str, Any]) -> None:
        """Note what a parameter needs beside its modifiers; all that use it must agree."""
        known = self.configs.setdefault(config["name"], config)
        if known != config and len(config) > 1 and len(known) > 1:
            self.refuse(
                where, f"{config['name']!r} has other settings elsewhere: {known}, not {config}. Give it the same"
            )
        elif len(config) > len(known):
            self.configs[config["name"]] = config

    def read(self, where: str, given: Any) -> Histogram | None:
        """A histogram with numbers in it."""
        try:
            found = read_histogram(given)
        except TypeError as error:
            self.refuse(where, f"{error}")
            return None
        wrong = [b for b, count in enumerate(found.values) if not math.isfinite(count)]
        if wrong:
            self.refuse(where, f"not finite in {bins(wrong)}. Give finite numbers")
            return None
        return found


def assembled(channels: Mapping[str, Channel], settings: Settings) -> tuple[Document, dict[str, Any]]:
    """A document of pyhf's format, and the metadata of its axes.

    Raises:
        InvalidModel: Something cannot be used: negative or infinite counts, other binnings, ...; all of it at once,
            each with its channel, sample, modifier and bins.
    """
    work = _Work(settings)
    made = [_channel(name, channel, work) for name, channel in _named(channels, Channel, "", "channel", work)]
    used = {m["name"] for content, _, _ in made for sample in content["samples"] for m in sample["modifiers"]}
    if settings.poi is not None and settings.poi not in used:
        work.faults.append(
            Fault("$.poi", f"{settings.poi!r} is no parameter. There are {listed(sorted(used))}", InvalidModel)
        )
    for name, value in settings.fixed.items():
        if settings.parameters is None and name not in used:
            work.faults.append(
                Fault("$.fixed", f"{name!r} is no parameter. There are {listed(sorted(used))}", InvalidModel)
            )
        work.configs[name] = {**work.configs.get(name, {"name": name}), "inits": [value], "fixed": True}
    raise_faults(work.faults)
    parameters = [config for config in work.configs.values() if len(config) > 1]
    config = {"poi": settings.poi or "", "parameters": parameters}
    if settings.parameters is not None:
        config["parameters"] = [dict(one) for one in settings.parameters]
    document = {
        "channels": [content for content, _, _ in made],
        "observations": [{"name": content["name"], "data": data} for content, data, _ in made],
        "measurements": [{"name": settings.measurement, "config": config}],
        "version": "1.0.0",
    }
    axes = {content["name"]: axes for content, _, axes in made if axes}
    return document, {"axes": axes} if axes else {}


def _named(given: Any, kind: type, where: str, noun: str, work: _Work) -> list[tuple[str, Any]]:
    """The parts of a mapping, as far as they are parts."""
    if not isinstance(given, Mapping) or not given:
        work.refuse(where, f"is {shown(given)}; give a {kind.__name__} for the name of each {noun}")
        return []
    found = []
    for name, part in given.items():
        if isinstance(part, kind) and isinstance(name, str):
            found.append((name, part))
        else:
            dot = "." if where else ""
            work.refuse(f"{where}{dot}{name}", f"is of type {type(part).__name__}; give a pyhf_func.{kind.__name__}")
    return found


def _channel(name: str, channel: Channel, work: _Work) -> tuple[Document, list[float], list[dict[str, Any]]]:
    """The channel of the document, its observed counts and its axes."""
    samples = _named(channel.samples, Sample, name, "sample", work)
    nominal = {sample: work.read(f"{name}.{sample}", part.nominal) for sample, part in samples}
    known = {sample: histogram for sample, histogram in nominal.items() if histogram is not None}
    data = None if channel.data is None else work.read(f"{name}.data", channel.data)
    first = next(iter([*known.values(), *([data] if data else [])]), None)
    for sample, histogram in known.items():
        _same_binning(f"{name}.{sample}", histogram, first, work)
    if data is not None:
        _same_binning(f"{name}.data", data, first, work)
        if wrong := [b for b, count in enumerate(data.values) if count < 0]:
            work.refuse(f"{name}.data", f"negative in {bins(wrong)}. Observed events are counts")
    made = [_Sample(name, sample, part, known[sample], work) for sample, part in samples if sample in known]
    content = {"name": name, "samples": [one.content() for one in made]}
    if data is None and made and all(len(one.values) == len(made[0].values) for one in made):
        counts = np.sum([one.values for one in made], axis=0).tolist()
    else:
        counts = [] if data is None else list(data.values)
    return content, counts, _axes(channel, [*known.values(), *([data] if data else [])])


def _axes(channel: Channel, histograms: Sequence[Histogram]) -> list[dict[str, Any]]:
    """The axes of the first histogram that has them, called as the channel says."""
    found = next((list(histogram.axes) for histogram in histograms if histogram.edges), [])
    titles = next(
        (histogram.axes[0] for histogram in histograms if histogram.axes and "title" in histogram.axes[0]), {}
    )
    own = {key: value for key, value in (("title", channel.title), ("unit", channel.unit)) if value}
    said: dict[str, Any] = {key: titles[key] for key in ("title", "unit") if key in titles}
    return [{**said, **found[0], **own}] if len(found) == 1 else found


def _same_binning(where: str, histogram: Histogram, first: Histogram | None, work: _Work) -> bool:
    """Whether a histogram has the bins of the channel."""
    if first is None or histogram is first:
        return True
    if len(histogram.values) != len(first.values):
        work.refuse(where, f"has {len(histogram.values)} bins, but the channel has {len(first.values)}. Rebin one")
        return False
    for ours, theirs in zip(histogram.edges, first.edges, strict=False):
        width = max(map(abs, theirs), default=1.0) or 1.0
        if len(ours) != len(theirs) or not np.allclose(ours, theirs, rtol=0.0, atol=_SAME_EDGE * width):
            work.refuse(where, f"has the edges {shown(ours)}, but the channel has {shown(theirs)}. Rebin one")
            return False
    return True


class _Sample:
    """One sample on its way into the document."""

    def __init__(self, channel: str, name: str, part: Sample, nominal: Histogram, work: _Work) -> None:
        self.channel, self.name, self.part, self.work = channel, name, part, work
        self.where = f"{channel}.{name}"
        self.nominal = nominal
        self.values = self._counts(self.where, nominal)

    def content(self) -> Document:
        """The sample of the document."""
        modifiers: list[Document] = []
        own = [modifier for modifier in self.part.modifiers if isinstance(modifier, Stat)]
        if self.part.statistics and not own and (errors := self._errors()) is not None:
            name = self.work.settings.statistics.format(channel=self.channel.replace(" ", "-"))
            modifiers.append({"name": name, "type": "staterror", "data": errors})
        for modifier in self.part.modifiers:
            make = _MAKERS.get(type(modifier))
            if make is None:
                kinds = ", ".join(kind.__name__ for kind in _MAKERS)
                self.work.refuse(self.where, f"{shown(modifier)} is no modifier. There are {kinds}")
            else:
                modifiers.extend(make(self, modifier))
        return {"name": self.name, "data": list(self.values), "modifiers": modifiers}

    def _counts(self, where: str, histogram: Histogram) -> np.ndarray:
        """Counts that are not negative, or are taken as they are."""
        values = np.array(histogram.values)
        wrong = [b for b, count in enumerate(values) if count < 0]
        if wrong and self.work.settings.negative == "refuse":
            found = ", ".join(f"{values[b]:.4g}" for b in wrong[:3])
            advice = "Merge bins, or give negative='zero' or negative='keep'"
            self.work.refuse(where, f"negative in {bins(wrong)}: {found}{', ...' * (len(wrong) > 3)}. {advice}")
        return np.maximum(values, 0.0) if self.work.settings.negative == "zero" else values

    def _errors(self, given: Any = None) -> list[float] | None:
        """Statistical errors in bins; none where the variances are not known."""
        if given is not None:
            return self._absolute(f"{self.where}.errors", given)
        variances = self.nominal.variances if self.part.variances is None else self.part.variances
        if variances is None:
            return None
        try:
            found = np.array(Histogram(variances).values)
        except TypeError as error:
            self.work.refuse(f"{self.where}.variances", f"{error}")
            return None
        found = np.where(np.isnan(found) & (self.values == 0), 0.0, found)  # of what has no events
        if len(found) != len(self.values):
            self.work.refuse(f"{self.where}.variances", f"{len(found)} of {len(self.values)} bins. Give one for each")
        elif wrong := [b for b, variance in enumerate(found) if not 0 <= variance < math.inf]:
            self.work.refuse(f"{self.where}.variances", f"negative or not finite in {bins(wrong)}")
        else:
            return np.sqrt(found).tolist()
        return None

    def _absolute(self, where: str, given: Any) -> list[float] | None:
        """Errors in bins that somebody gave."""
        found = self.work.read(where, given)
        if found is None or not _same_binning(where, found, self.nominal, self.work):
            return None
        if wrong := [b for b, error in enumerate(found.values) if error < 0]:
            self.work.refuse(where, f"negative in {bins(wrong)}")
        return list(found.values)

    def free(self, given: Free) -> list[Document]:
        """A factor without constraint."""
        config: dict[str, Any] = {"name": given.name}
        if given.start is not None:
            config["inits"] = [float(given.start)]
        if given.bounds is not None:
            config["bounds"] = [[float(end) for end in given.bounds]]
        self.work.configure(f"{self.where}.{given.name}", config)
        return [{"name": given.name, "type": "normfactor", "data": None}]

    def free_shape(self, given: FreeShape) -> list[Document]:
        """Factors of bins without constraint."""
        return [{"name": given.name, "type": "shapefactor", "data": None}]

    def lumi(self, given: Lumi) -> list[Document]:
        """The luminosity, measured as one."""
        low, high = max(0.0, 1 - 5 * given.size), 1 + 5 * given.size
        config = {"name": "lumi", "auxdata": [1.0], "sigmas": [given.size], "inits": [1.0], "bounds": [[low, high]]}
        self.work.configure(f"{self.where}.lumi", config)
        return [{"name": "lumi", "type": "lumi", "data": None}]

    def norm(self, given: Norm) -> list[Document]:
        """A relative uncertainty of the yield."""
        down, up = (-given.size, given.size) if isinstance(given.size, int | float) else given.size
        return self._factor(given.name, 1 + up, 1 + down)

    def uncorrelated(self, given: Uncorrelated) -> list[Document]:
        """Independent uncertainties in bins."""
        errors = self._absolute(f"{self.where}.{given.name}", given.errors)
        return [] if errors is None else [{"name": given.name, "type": "shapesys", "data": errors}]

    def stat(self, given: Stat) -> list[Document]:
        """Statistical uncertainties under a name of their own."""
        errors = self._errors(given.errors)
        if errors is None:
            self.work.refuse(f"{self.where}.{given.name}", "the histogram has no variances. Give errors")
            return []
        return [{"name": given.name, "type": "staterror", "data": errors}]

    def up_down(self, given: UpDown) -> list[Document]:
        """The change of yield and shape, together or one by one."""
        where = f"{self.where}.{given.name}"
        pair = [("up", given.up), *([("down", given.down)] if given.down is not None else [])]
        read = [(f"{where}.{side}", self.work.read(f"{where}.{side}", histogram)) for side, histogram in pair]
        if any(one is None or not _same_binning(place, one, self.nominal, self.work) for place, one in read):
            return []
        up, *down = (self._counts(place, histogram) for place, histogram in read if histogram is not None)
        total = float(np.sum(self.values))
        if not given.split or total == 0:
            return self._shape(given, up, down[0] if down else 2 * self.values - up)
        if min(np.sum(up), *map(np.sum, down), total) <= 0:
            self.work.refuse(
                where, "a variation, or what it varies, has no events to take the shape from. Give split=False"
            )
            return []
        high, low = (np.sum(up) / total, np.sum(down[0]) / total if down else 2 - np.sum(up) / total)
        if given.symmetrise and down:
            high, low = (1 + change for change in _symmetric(given.symmetrise, high - 1, low - 1))
        up = up / (np.sum(up) / total)
        lower = down[0] / (np.sum(down[0]) / total) if down else 2 * self.values - up
        found = self._factor(given.name, float(high), float(low))
        return [*found, *(self._shape(given, up, lower) if len(self.values) > 1 else [])]

    def _shape(self, given: UpDown, up: np.ndarray, down: np.ndarray) -> list[Document]:
        """Templates, symmetric where that is asked for; the mirror image of one that doubles a bin is negative."""
        if given.symmetrise:
            changes = _symmetric(given.symmetrise, up - self.values, down - self.values)
            up, down = (self.values + change for change in changes)
        for side, template in (("up", up), ("down", down)):
            wrong = [b for b, count in enumerate(template) if count < 0 <= self.values[b]]
            if wrong and self.work.settings.negative == "refuse":
                place = f"{self.where}.{given.name}.{side}"
                self.work.refuse(place, f"negative in {bins(wrong)}, as a mirror image. Give both, or negative='zero'")
        if self.work.settings.negative == "zero":
            up, down = np.maximum(up, 0.0), np.maximum(down, 0.0)
        return [{"name": given.name, "type": "histosys", "data": {"hi_data": up.tolist(), "lo_data": down.tolist()}}]

    def _factor(self, name: str, high: float, low: float) -> list[Document]:
        if not (0 < high < math.inf and 0 < low < math.inf):
            advice = "They must be positive: give a smaller uncertainty, or UpDown with split=False"
            self.work.refuse(f"{self.where}.{name}", f"the yield is scaled by {low:g} and {high:g}. {advice}")
        return [{"name": name, "type": "normsys", "data": {"hi": high, "lo": low}}]


def _symmetric(how: str, up: Any, down: Any) -> tuple[Any, Any]:
    """A change up, and the same down."""
    if how == "average":
        change = (up - down) / 2
    else:
        change = np.where(np.asarray(up) < 0, -1.0, 1.0) * np.maximum(np.abs(up), np.abs(down))
    return change, -change


_MAKERS: dict[type, Callable[[_Sample, Any], list[Document]]] = {
    Free: _Sample.free,
    Norm: _Sample.norm,
    UpDown: _Sample.up_down,
    Lumi: _Sample.lumi,
    Uncorrelated: _Sample.uncorrelated,
    Stat: _Sample.stat,
    FreeShape: _Sample.free_shape,
}
