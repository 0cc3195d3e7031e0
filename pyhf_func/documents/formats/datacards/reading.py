"""Read a datacard into a document of the model language."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyhf_func.core.expression import InvalidExpression
from pyhf_func.core.expression import parse as parse_expression
from pyhf_func.documents.formats.datacards.card import Card, Column, Notes, Nuisance, RateParam
from pyhf_func.documents.formats.datacards.effects import FLOOR, Templates, log_normal, shape_scale, with_log_normal
from pyhf_func.documents.formats.datacards.formulas import expression_of
from pyhf_func.documents.formats.datacards.parsing import parse
from pyhf_func.documents.formats.datacards.physics import Physics
from pyhf_func.documents.formats.datacards.shapes import Histogram, Shapes
from pyhf_func.documents.formats.datacards.statistics import Process, add_statistics
from pyhf_func.exceptions import WorkspaceWarning, raise_faults
from pyhf_func.schema.extended import scale_sample

__all__ = ["is_datacard", "read"]

Document = dict[str, Any]
Modifier = dict[str, Any]


def is_datacard(text: str) -> bool:
    """Whether a text is a datacard: lines of bins, processes and rates are there.

    Example:
        >>> is_datacard("bin SR SR\\nprocess s b\\nprocess 0 1\\nrate 1 2"), is_datacard("hello")
        (True, False)
    """
    words = {line.split(maxsplit=1)[0] for line in text.splitlines() if line.strip()}
    return {"bin", "process", "rate"} <= words


def read(
    text: str,
    *,
    folder: Path | None = None,
    mass: float = 120.0,
    keywords: Mapping[str, str] | None = None,
    maps: Sequence[str] = (),
    allow_outside: bool = False,
    strict: bool = False,
    source: str | None = None,
) -> Document:
    """Read a datacard of Combine's.

    Args:
        text: The card.
        folder: Where files of histograms are.
        mass: What ``$MASS`` stands for.
        keywords: What other words after ``$`` stand for.
        maps: Maps of ``multiSignalModel``, ``bin/process:parameter[start,low,high]``; by default ``r`` scales every
            signal.
        allow_outside: Whether histograms outside of the folder may be read.
        strict: Whether what is otherwise warned of is refused.
        source: The file that the card came from, for messages.

    Returns:
        A document of the model language.

    Raises:
        InvalidSpecification: The card cannot be read; every fault with its line.

    Warns:
        WorkspaceWarning: Once, naming lines that are left out since they change nothing.

    Example:
        >>> document = read('''
        ... bin         SR
        ... observation 12
        ... bin         SR   SR
        ... process     s    b
        ... process     0    1
        ... rate        5.0  10.0
        ... lumi lnN    1.02 1.02
        ... xsec lnN    -    0.8/1.1
        ... ''')
        >>> [m["name"] for m in document["channels"][0]["samples"][1]["modifiers"]]
        ['lumi', 'xsec']
    """
    notes = Notes(source)
    card = parse(text, notes)
    notes.finish()
    physics = Physics(maps, card, notes)
    shapes = Shapes(card, folder, mass, keywords or {}, allow_outside, notes)
    document = _Builder(card, physics, shapes, mass, notes).document()
    notes.finish()
    if strict:
        raise_faults(notes.doubts)
    if notes.doubts:
        warnings.warn(WorkspaceWarning(notes.doubts), stacklevel=2)
    return document


class _Builder:
    """A document on its way."""

    def __init__(self, card: Card, physics: Physics, shapes: Shapes, mass: float, notes: Notes) -> None:
        self.card = card
        self.mass = mass
        self.physics = physics
        self.shapes = shapes
        self.notes = notes
        self.settings: dict[str, dict[str, Any]] = {}
        self.names: dict[str, str] = {}
        self.scales: dict[str, float] = {}
        self.axes: dict[str, Any] = {}
        self.clipped = False
        nuisances = {nuisance.name for nuisance in card.nuisances}
        self.known = nuisances | card.params.keys() | card.extra.keys() | physics.settings.keys()

    def document(self) -> Document:
        self._params()
        for poi, factor in self.physics.settings.items():
            start = {"inits": [factor.start], "bounds": [[factor.low, factor.high]]}
            self.settings[poi] = {**start, **self.settings.get(poi, {})}
            for nuisance in self.card.nuisances:
                if nuisance.name == poi:
                    self.notes.fault(nuisance.line, f"{poi!r} is a {nuisance.kind}, and a parameter of interest too")
        channels, observations = [], []
        for channel in self.card.bins:
            processes = [made for c in self.card.columns if c[0] == channel and (made := self._process(c)) is not None]
            if channel in self.card.statistics and processes and not self.notes.faults:
                self._statistics(channel, processes)
            channels.append({"name": channel, "samples": [process.sample for process in processes]})
            count = len(processes[0].sample["data"]) if processes else 1
            observations.append({"name": channel, "data": self._observed(channel, count)})
            for process in processes:
                if len(process.sample["data"]) != count:
                    message = f"the histograms of {channel!r} have different numbers of bins"
                    self.notes.fault(self.shapes_line((channel, process.name)), message)
        for name, line in self.card.lines.items():
            if name in self.card.params and name not in self.names:
                self.notes.doubt(line, f"nothing that is read depends on the param {name!r}")
        pois = [poi for poi in self.physics.pois if poi in self.names]
        config: Document = {"poi": pois[0] if pois else "", "parameters": self._parameters()}
        if len(pois) > 1:
            config["pois"] = pois
        settings = {"clip_sample_data": FLOOR} if self.clipped else {}
        if any(flags[0] >= 0 for flags in self.card.statistics.values()):
            settings["clip_bin_data"] = FLOOR
        metadata = {
            "origin": "datacard",
            "foreign_names": self.names,
            "scales": self.scales,
            "lines": self.card.lines,
            "groups": self.card.groups,
            "axes": self.axes,
        }
        return {
            "channels": channels,
            "observations": observations,
            "measurements": [{"name": "combine", "config": config}],
            "version": "1.0.0",
            **({"settings": settings} if settings else {}),
            "metadata": {key: value for key, value in metadata.items() if value},
        }

    # Yields

    def _process(self, column: Column) -> Process | None:
        rate = self.card.rates[column]
        if rate == 0:
            return None
        modifiers, factor = self._factors(column)
        scaled = bool(modifiers)
        statistics = self.card.statistics.get(column[0])
        histogram = self.shapes.get(*column)
        floor: dict[str, float] = {}
        if histogram is None:
            if rate == -1 and not self.notes.faults:
                message = f"{column[1]!r} in {column[0]!r} has the rate -1 and no histogram"
                self.notes.fault(self.card.rate_line, message)
            data, errors = np.array([rate]), np.zeros(1)
            for nuisance in self._acting(column):
                if nuisance.kind in ("shape", "shapeN", "shapeU") and self.shapes.names(*column) is None:
                    message = f"the {nuisance.kind} {nuisance.name!r} changes nothing: {column[1]!r} has no histogram"
                    self.notes.doubt(nuisance.line, message)
        else:
            self._check(column, histogram, rate)
            if not histogram.integral > 0:
                return None
            raw = statistics is not None and statistics[2] == 2
            templates = Templates(column, histogram, statistics is not None, raw, rate, self.shapes, self.notes)
            shaped = templates.modifiers(self._shaped(column))
            data, errors = templates.data, histogram.errors
            for made in shaped:
                if made["type"] == "normsys":
                    with_log_normal(modifiers, made)
                else:
                    modifiers.append(made)
            if templates.may_fall(shaped, {n: self.settings[n]["bounds"][0][1] for n in {m["name"] for m in shaped}}):
                floor = {"floor": FLOOR} if statistics is None else {}
                self.clipped |= statistics is not None
        sample = {"name": column[1], "data": data.tolist(), "modifiers": modifiers, **floor}
        counts = histogram is not None and statistics is not None
        scale, start = self._of_sidebands(column, float(np.sum(data)), counts)
        if not scaled and not counts:  # Combine writes the yields of what nothing scales with six digits
            scale = float(f"{float(np.sum(data)):g}") / float(np.sum(data))
        if scale != 1.0:
            scale_sample(sample, scale)
        return Process(column[1], sample, errors * scale, factor * start, column[1] in self.card.signals)

    def _acting(self, column: Column) -> list[Nuisance]:
        return [nuisance for nuisance in self.card.nuisances if nuisance.acts_on(column)]

    def _shaped(self, column: Column) -> list[tuple[Nuisance, float]]:
        found = [(n, shape_scale(n, column, self.card, self.shapes)) for n in self._acting(column)]
        for nuisance, scale in found:
            if scale is not None:
                self._shape_settings(nuisance)
        return [(nuisance, scale) for nuisance, scale in found if scale is not None]

    def _shape_settings(self, nuisance: Nuisance) -> None:
        end = {"shape": 4.0, "shapeU": 1.0}.get(nuisance.kind, 7.0)
        self._set(nuisance.name, {"bounds": [[-end, end]]})

    def _note_axes(self, column: Column, histogram: Histogram) -> None:
        """Keep the edges of bins for pictures; Combine counts bins, whatever their edges."""
        known = self.axes.setdefault(column[0], [{"name": column[0], "edges": list(histogram.edges)}])[0]["edges"]
        if len(known) == len(histogram.edges) and not np.allclose(known, histogram.edges):
            message = f"the bins of {column[1]!r} in {column[0]!r} have other edges than those before"
            self.notes.doubt(self.shapes_line(column), message)

    def _check(self, column: Column, histogram: Histogram, rate: float) -> None:
        self._note_axes(column, histogram)
        where = f"{column[1]!r} in {column[0]!r}"
        if not histogram.integral > 0:
            self.notes.fault(
                self.shapes_line(column), f"the histogram of {where} has the integral {histogram.integral}"
            )
        elif rate != -1 and abs(histogram.integral - rate) > 0.01 * max(1.0, rate):
            message = f"the rate {rate} of {where} differs from the integral {histogram.integral:.6g} of its histogram"
            self.notes.fault(self.shapes_line(column), message)

    def shapes_line(self, column: Column) -> int:
        found = self.shapes.names(*column)
        return found[0] if found else 0

    def _of_sidebands(self, column: Column, total: float, counts: bool) -> tuple[float, float]:
        """The scale of a yield that a gmN replaces, and the factor at the start.

        The parameter, a count of events, is multiplied by what one weighs, or divided by the count where yields are
        those of a histogram.
        """
        for nuisance in self._acting(column):
            if nuisance.kind == "gmN":
                weight, count = nuisance.effects[column], float(nuisance.arguments[0])
                assert isinstance(weight, float)
                return (1 / count if count else 1.0) if counts else weight / total, count + 1
        return 1.0, 1.0

    def _observed(self, channel: str, count: int) -> list[float]:
        given = self.card.observed[channel]
        histogram = self.shapes.get(channel, "data_obs")
        line = self.card.observation_line
        if histogram is None:
            if count > 1 and not self.notes.faults:
                self.notes.fault(self.shapes_line((channel, "data_obs")) or line, f"{channel!r} has no data_obs")
            if given < 0 and not self.notes.faults:
                self.notes.fault(line, f"{given:g} events in {channel!r}, and no histogram of them")
            return [given]
        total = histogram.integral
        if len(histogram.exact) != count or np.min(histogram.exact) < 0:
            message = f"the histogram data_obs of {channel!r} has other bins than its processes, or negative ones"
            self.notes.fault(self.shapes_line((channel, "data_obs")), message)
        self._note_axes((channel, "data_obs"), histogram)
        if given != -1 and abs(total - given) > 0.005 * max(1.0, given):
            message = f"{given} events were observed in {channel!r}, but its histogram data_obs has {total:.6g}"
            self.notes.fault(self.shapes_line((channel, "data_obs")), message)
        return histogram.contents.tolist()

    # Factors

    def _factors(self, column: Column) -> tuple[list[Modifier], float]:
        """The factors of a process that are the same in all bins, and their product at the start."""
        modifiers: list[Modifier] = []
        start = 1.0
        poi = self.physics.factor(column)
        if isinstance(poi, str):
            modifiers.append({"name": poi, "type": "normfactor", "data": None})
            self._set(poi, {})
            start *= float(self.settings[poi]["inits"][0])
        elif poi != 1.0:
            modifiers.append({"name": "nothing", "type": "normfactor", "data": None, "expression": f"{poi:g}"})
            start *= poi
        for nuisance in self._acting(column):
            self._add_nuisance(modifiers, nuisance, column)
        for param in self.card.rate_params:
            if param.column == column:
                start *= self._add_rate_param(modifiers, param)
        return modifiers, start

    def _add_nuisance(self, modifiers: list[Modifier], nuisance: Nuisance, column: Column) -> None:
        name, kind, effect = nuisance.name, nuisance.kind, nuisance.effects[column]
        is_shape = kind.startswith("shape")
        if is_shape and ("?" not in kind or shape_scale(nuisance, column, self.card, self.shapes) is not None):
            return
        if kind in ("lnN", "lnU") or is_shape:
            made = log_normal(name, effect)
            if kind == "lnU":
                made["constraint"] = "none"
            with_log_normal(modifiers, made)
            end = 1.0 if kind == "lnU" else 7.0
            self._set(name, {"bounds": [[-end, end]]})
        elif kind == "gmN":
            self._add_sidebands(modifiers, nuisance, column)
        elif kind == "gmM":
            self._add_gamma(modifiers, nuisance, column)

    def _add_sidebands(self, modifiers: list[Modifier], nuisance: Nuisance, column: Column) -> None:
        effect, rate = nuisance.effects[column], self.card.rates[column]
        count = int(float(nuisance.arguments[0]))
        assert isinstance(effect, float)
        if rate != -1 and abs(count * effect - rate) > max(0.05 * max(rate, 1.0), effect):
            where = f"{column[1]!r} in {column[0]!r}"
            self.notes.fault(nuisance.line, f"{count} events of weight {effect} are not the rate {rate} of {where}")
        modifiers.append({"name": nuisance.name, "type": "normfactor", "data": None})
        measured = {"constraint": "poisson", "auxdata": [float(count)], "factors": [1.0]}
        self._set(nuisance.name, {"inits": [count + 1.0], "bounds": [_range_of_count(count)], **measured})

    def _add_gamma(self, modifiers: list[Modifier], nuisance: Nuisance, column: Column) -> None:
        width = nuisance.effects[column]
        if isinstance(width, tuple) or not 0 < width < 1 or len({*nuisance.effects.values()} - {0.0}) > 1:
            self.notes.fault(nuisance.line, f"the gmM {nuisance.name!r} needs one width below one for all processes")
            return
        events = 1 / width**2
        modifiers.append({"name": nuisance.name, "type": "normfactor", "data": None})
        measured = {"constraint": "poisson", "auxdata": [events - 1], "factors": [events]}
        ends = [max(0.01, 1 - 5 * width), 1 + 5 * width]
        self._set(nuisance.name, {"inits": [1.0], "bounds": [ends], **measured})

    def _add_rate_param(self, modifiers: list[Modifier], param: RateParam) -> float:
        """Add the factor, and return its value at the start."""
        if any(modifier["name"] == param.name and modifier["type"] == "normfactor" for modifier in modifiers):
            self.notes.fault(param.line, f"{param.name!r} scales {param.column[1]!r} in {param.column[0]!r} twice")
            return 1.0
        if self._is_parameter(param.name):
            modifiers.append({"name": param.name, "type": "normfactor", "data": None})
            self._use(param.name)
            return float(self.settings[param.name]["inits"][0])
        definition = self.card.definitions[param.name]
        try:
            made = expression_of(definition, self.card, self.mass, self._is_parameter)
            expression = parse_expression(made["expression"], made.get("arguments", []))
        except InvalidExpression as error:
            self.notes.fault(definition.line, str(error))
            return 1.0
        for name in expression.names:
            self._use(name)
        modifiers.append({"name": param.name, "type": "normfactor", "data": None, **made})
        starts = {name: (self.settings.get(name, {}).get("inits") or [0.0])[0] for name in expression.names}
        try:
            return float(expression(starts))
        except (ArithmeticError, ValueError):
            self.notes.fault(definition.line, f"the formula of {param.name!r} has no value at the start")
            return 1.0

    def _is_parameter(self, name: str) -> bool:
        """Whether a name is a parameter's, in place of a formula's."""
        free = self.card.definitions.get(name)
        return name in self.known or (free is not None and free.formula is None)

    def _use(self, name: str) -> None:
        """Take a parameter in: a param, a nuisance, an extArg or a rateParam, the first of them that there is."""
        if name in self.card.extra and name not in self.settings:
            line, words = self.card.extra[name]
            self._extra_argument(line, name, words)
        elif name in self.known:
            self._set(name, {})
        else:
            free = self.card.definitions[name]
            self._free(name, free.start, free.range)

    def _extra_argument(self, line: int, name: str, words: list[str]) -> None:
        """``extArg``: a value, and a range or the word ``[const]``."""
        constant = len(words) > 1 and words[1] == "[const]"
        try:
            ends = [float(end) for end in words[1].strip("[]").split(",")] if len(words) > 1 and not constant else None
            start = float(words[0])
        except (ValueError, IndexError):
            start, ends = math.nan, None
        if not math.isfinite(start) or (ends is not None and not (len(ends) == 2 and ends[0] <= start <= ends[1])):
            self.notes.fault(line, f"the extArg {name!r} is no number, which may have a range around it")
            return
        self._free(name, start, (ends[0], ends[1]) if ends else None)
        if constant:
            self._set(name, {"fixed": True})

    # Parameters

    def _set(self, name: str, settings: dict[str, Any]) -> None:
        self.names.setdefault(name, name)
        self.settings.setdefault(name, {}).update({k: v for k, v in settings.items() if k not in self.settings[name]})

    def _free(self, name: str, start: float, ends: tuple[float, float] | None) -> None:
        """A free parameter; without a range it has a wide one, since none may be infinite in a file."""
        wide = 1e6 * max(1.0, abs(start))
        self._set(name, {"inits": [start], "bounds": [list(ends) if ends else [-wide, wide]]})

    def _params(self) -> None:
        """Parameters with a Gaussian measurement, for formulas and rateParams of that name."""
        for name, (line, words) in self.card.params.items():
            numbers = _measured(words)
            if numbers is None:
                message = "has no mean and width that are numbers, or -down/+up, with a range [low,high] or without"
                self.notes.fault(line, f"the param {name!r} {message}")
                self.settings[name] = {"inits": [0.0]}
                continue
            mean, down, up, low, high = numbers
            measured: dict[str, Any] = {"constraint": "gauss", "auxdata": [mean], "sigmas": [up]}
            if down != up:
                measured.update({"constraint": "bifurcated", "sigmas_down": [down]})
            effect = next((nuisance for nuisance in self.card.nuisances if nuisance.name == name), None)
            if effect is not None:
                if (mean, down, up) != (0.0, 1.0, 1.0) or effect.kind in ("lnU", "shapeU", "gmN", "gmM"):
                    self.notes.fault(line, f"the param {name!r} is another measurement than that of line {effect.line}")
                measured = {}
            self.settings[name] = {"inits": [mean], "bounds": [[low, high]], **measured}

    def _parameters(self) -> list[Document]:
        """Configurations of the parameters that something depends on."""
        made: list[Document] = []
        for name in dict.fromkeys(name.split("[", 1)[0] for name in self.names.values()):
            settings = dict(self.settings.get(name, {}))
            if name in self.card.frozen:
                settings["fixed"] = True
            if settings:
                made.append({"name": name, **settings})
        return made

    def _statistics(self, channel: str, processes: list[Process]) -> None:
        threshold, with_signal, _ = self.card.statistics[channel]
        if threshold < 0:
            return
        names, scales, settings = add_statistics(channel, processes, threshold, with_signal)
        self.names.update(names)
        self.scales.update(scales)
        for name, setting in settings.items():
            self.settings[name] = dict(setting)


def _measured(words: Sequence[str]) -> tuple[float, float, float, float, float] | None:
    """Mean, widths below and above, and range of a param.

    Example:
        >>> _measured(["1.0", "-0.1/+0.2"]), _measured(["1.0", "0.1/0.2"])
        ((1.0, 0.1, 0.2, 0.6, 1.8), None)
    """
    try:
        mean, *widths = (float(word) for word in (words[0], *words[1].split("/")))
        ends = [float(end) for end in words[2].strip("[]").split(",")] if len(words) == 3 else []
    except ValueError:
        return None
    if len(widths) == 2:
        if not (words[1].startswith("-") and words[1].partition("/")[2].startswith("+")):
            return None
        widths[0] = -widths[0]
    down, up = widths[0], widths[-1]
    low, high = ends if len(ends) == 2 else (mean - 4 * down, mean + 4 * up)
    numbers = (mean, down, up, low, high)
    fine = all(map(math.isfinite, numbers)) and min(down, up) > 0 and low < high and len(widths) < 3
    return numbers if fine and len(ends) in (0, 2) else None


def _range_of_count(count: int) -> list[float]:
    """Where Combine lets the expected count go: as far as it has a probability of 1e-12.

    Example:
        >>> [round(end, 4) for end in _range_of_count(4)]
        [0.002, 44.5805]
    """

    def probability(expected: float) -> float:
        return math.exp(count * math.log(expected) - expected - math.lgamma(count + 1)) if expected > 0 else 0.0

    low, high = (count + 1.0 if count else 0.0), count + 1.0
    while probability(low) > 1e-12:
        low *= 0.8
    while probability(high) > 1e-12:
        high *= 1.2
    return [low, high]
