"""Read the text of a datacard."""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Callable

from pyhf_func.documents.formats.datacards.card import Card, Column, Effect, Notes, Nuisance, RateParam
from pyhf_func.documents.formats.datacards.edits import edit

__all__ = ["parse"]

_EFFECTS = ("lnN", "lnU", "gmM", "gmN", "shape", "shapeN", "shapeU", "shape?", "shapeN?", "shapeU?")
_UNCOUNTED = ("group", "autoMCStats", "rateParam", "extArg", "flatParam", "discrete", "edit")
"""Lines that ``kmax`` does not count."""

_REFUSED = {
    "trG": "a truncated Gaussian",
    "unif": "a uniform density",
    "dFD": "a Fermi-Dirac density",
    "dFD2": "a Fermi-Dirac density",
    "constr": "a constraint by a formula",
}


def parse(text: str, notes: Notes) -> Card:
    """The content of a datacard.

    Args:
        text: The card.
        notes: Takes the faults, each with its line.
    """
    reader = _Reader(notes)
    in_header = True
    for line, content in enumerate(text.splitlines(), start=1):
        fields = content.split("#", 1)[0].split()
        if not fields or content.startswith("--"):
            continue
        if in_header:
            in_header = reader.header(line, fields)
        elif len(fields) > 1:
            reader.nuisance(line, fields)
    if in_header:
        notes.fault(0, "there is no rate line")
    else:
        reader.finish()
    return reader.card


class _Reader:
    """A card on its way, and the lines that belong together."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.card = Card()
        self.counts: dict[str, tuple[int, int]] = {}
        self.bin_line: list[str] = []
        self.observed: list[float] = []
        self.processes: list[str] = []
        self.ids: list[str] = []
        self.counted = 0
        self.edited = False

    def numbers(self, line: int, fields: list[str]) -> list[float] | None:
        try:
            found = [float(field) for field in fields]
        except ValueError:
            found = [math.nan]
        if all(map(math.isfinite, found)):
            return found
        self.notes.fault(line, f"has other than numbers: {' '.join(fields)[:80]}")
        return None

    # The header

    def header(self, line: int, fields: list[str]) -> bool:
        """Read a line above the nuisances; whether others follow."""
        word, rest = fields[0], fields[1:]
        if word in ("imax", "jmax", "kmax") and rest and rest[0] != "*":
            count = self.numbers(line, rest[:1])
            if count is not None:
                self.counts[word] = (line, int(count[0]))
        elif word == "shapes":
            self._shapes(line, rest)
        elif word.lower() == "observation":
            self.observed = self.numbers(line, rest) or []
            self.card.observation_line = line
            self._observe(line)
        elif word == "bin":
            self.bin_line = rest
            for name in dict.fromkeys(rest):
                if name[0].isdigit():
                    self.notes.doubt(line, f"the bin {name!r} starts with a digit, which Combine refuses")
        elif word == "process":
            self._process(line, rest)
        elif word == "rate":
            self._rate(line, rest)
            return False
        return True

    def _shapes(self, line: int, rest: list[str]) -> None:
        if len(rest) < 3:
            self.notes.fault(line, "a shapes line has a process, a channel, a file and names of histograms")
            return
        process, channel, *names = rest
        known = self.card.shapes.setdefault(channel, {})
        if process in known:
            self.notes.fault(line, f"the shapes of {process!r} in {channel!r} are given twice")
        known[process] = (line, names)

    def _observe(self, line: int) -> None:
        if self.bin_line and len(self.bin_line) != len(self.observed):
            self.notes.fault(line, f"{len(self.observed)} observations of {len(self.bin_line)} bins")
        elif self.bin_line:
            if len(set(self.bin_line)) < len(self.bin_line):
                self.notes.fault(line, "the observations are of bins that have the same name")
            self.card.bins = self.bin_line
            self.card.observed = dict(zip(self.bin_line, self.observed, strict=True))

    def _process(self, line: int, rest: list[str]) -> None:
        if not self.processes:
            self.processes = rest
        else:
            self.ids = rest
            number = re.compile(r"-?[0-9]+")
            if rest and number.match(self.processes[0]) and not number.match(rest[0]):
                self.processes, self.ids = self.ids, self.processes
        if len(rest) != len(self.bin_line):
            self.notes.fault(line, f"has {len(rest)} entries for {len(self.bin_line)} bins")

    def _rate(self, line: int, rest: list[str]) -> None:
        rates = self.numbers(line, rest) or []
        self.card.rate_line = line
        if not len(rates) == len(self.processes) == len(self.ids) == len(self.bin_line):
            self.notes.fault(line, "bin, the two process lines and rate have different lengths")
            return
        signs: dict[str, bool] = {}
        for channel, process, number, rate in zip(self.bin_line, self.processes, self.ids, rates, strict=True):
            if not re.fullmatch(r"[-+]?[0-9]+", number):
                self.notes.fault(line, f"the number of the process {process!r} is {number!r}, no integer")
                continue
            if signs.setdefault(process, int(number) <= 0) != (int(number) <= 0):
                self.notes.fault(line, f"{process!r} is signal in one bin and background in another")
            column = (channel, process)
            if column in self.card.rates:
                self.notes.fault(line, f"{process!r} is there twice in {channel!r}")
            if rate < 0 and rate != -1:
                self.notes.fault(line, f"the rate of {process!r} in {channel!r} is {rate}")
            self.card.columns.append(column)
            self.card.rates[column] = rate
        self.card.signals = {process for process, signal in signs.items() if signal}
        self._bins(line)

    def _bins(self, line: int) -> None:
        card = self.card
        used = list(dict.fromkeys(channel for channel, _ in card.columns))
        if not card.bins:
            card.bins = used
            card.observed = dict(zip(used, self.observed, strict=False))
        unknown = [channel for channel in used if channel not in card.bins]
        if not self.observed:
            self.notes.fault(line, "there is no observation above")
        elif unknown or len(card.observed) != len(card.bins):
            self.notes.fault(line, f"bins of processes and observations differ: {', '.join(unknown or card.bins)}")
        empty = [b for b in card.bins if not any(card.rates[c] for c in card.columns if c[0] == b)]
        if empty:
            self.notes.fault(line, f"no process contributes to {', '.join(empty)}")
        if not card.signals:
            self.notes.doubt(line, "there is no signal, a process with a number of zero or below")

    # Nuisances

    def nuisance(self, line: int, fields: list[str]) -> None:
        name, kind, rest = fields[0].removesuffix("[nofloat]"), fields[1], fields[2:]
        if name[0].isdigit():
            name = f"theta{name}"
        readers: dict[str, Callable[[int, str, list[str]], None]] = {
            "param": self._param,
            "extArg": self._extra,
            "flatParam": self._of_functions,
            "discrete": self._of_functions,
            "rateParam": self._rate_param,
            "edit": self._edit,
            "group": self._group,
            "autoMCStats": self._statistics,
        }
        self.counted += kind not in _UNCOUNTED
        if kind in readers:
            readers[kind](line, name, rest)
        elif kind in _EFFECTS:
            self._effects(line, name, kind, rest)
        elif kind in _REFUSED:
            self.notes.fault(line, f"{name!r} has {_REFUSED[kind]} ({kind}), which is not read")
        else:
            self.notes.fault(line, f"{kind!r} of {name!r} is no kind of nuisance that is known")

    def _effects(self, line: int, name: str, kind: str, rest: list[str]) -> None:
        arguments = [rest.pop(0)] if kind == "gmN" and rest else []
        if len(rest) < len(self.card.columns):
            self.notes.fault(line, f"{name!r} has {len(rest)} effects for {len(self.card.columns)} columns")
            return
        if kind == "gmN" and not (arguments and re.fullmatch(r"[0-9]{1,15}(\.0*)?", arguments[0])):
            self.notes.fault(line, f"the gmN {name!r} needs a count of events")
            return
        clash = [n for n in self.card.nuisances if n.name == name and {n.kind, kind} == {"lnN", "shape"}]
        if clash:
            self.notes.fault(line, f"{name!r} is {kind}, and {clash[0].kind} in line {clash[0].line}: shape? is both")
        for other in self.card.nuisances:
            if other.name == name and _measured(other.kind, other.arguments) != _measured(kind, arguments):
                message = f"{name!r} is a {kind}, and a {other.kind} in line {other.line}, whose constraint is another"
                self.notes.fault(line, f"{message}: rename one")
        found = Nuisance(name, kind, line, arguments)
        for column, word in zip(self.card.columns, rest, strict=False):
            effect = self._effect(line, name, kind, word)
            if effect is not None:
                found.effects[column] = effect
                if kind == "gmN" and effect and self.card.rates[column] == 0:
                    self.card.rates[column] = 1e-6
        self.card.nuisances.append(found)
        self.card.lines.setdefault(name, line)

    def _effect(self, line: int, name: str, kind: str, word: str) -> Effect | None:
        if set(word) == {"-"}:
            return 0.0
        values = self.numbers(line, word.split("/"))
        if values is None:
            return None
        if len(values) == 2 and (kind in ("lnN", "lnU") or "?" in kind) and min(values) > 0:
            return values[0], values[1]
        if len(values) == 1 and values[0] >= 0:
            return values[0]
        self.notes.fault(line, f"{name!r} has the effect {word}, which a {kind} cannot have")
        return None

    def _param(self, line: int, name: str, rest: list[str]) -> None:
        if len(rest) < 2:
            self.notes.fault(line, f"the param {name!r} needs a mean and a width")
            return
        if name in self.card.params:
            self.notes.fault(line, f"the param {name!r} is there already in line {self.card.params[name][0]}: keep one")
        self.card.params[name] = (line, rest)
        self.card.lines.setdefault(name, line)

    def _extra(self, line: int, name: str, rest: list[str]) -> None:
        if name in self.card.extra:
            self.notes.fault(line, f"the extArg {name!r} is there already in line {self.card.extra[name][0]}: keep one")
        self.card.extra[name] = (line, rest)

    def _of_functions(self, line: int, name: str, rest: list[str]) -> None:
        self.notes.doubt(line, f"{name!r} concerns functions of a workspace only")

    def _rate_param(self, line: int, name: str, rest: list[str]) -> None:
        if not 3 <= len(rest) <= 4:
            self.notes.fault(line, f"the rateParam {name!r} needs a channel, a process, a value, and may have a range")
            return
        channel, process, value, *more = rest
        if "*" in channel + process:
            columns = [
                c for c in self.card.columns if fnmatch.fnmatch(c[0], channel) and fnmatch.fnmatch(c[1], process)
            ]
        else:
            known = channel in self.card.bins and any(process == c[1] for c in self.card.columns)
            columns = [(channel, process)] if known else []
        if not columns:
            self.notes.fault(line, f"the rateParam {name!r} matches no process {process!r} in {channel!r}")
        for column in columns:
            made = self._factor(line, name, column, value, more)
            if made is None:
                return
            if any(p.name == name and p.column == column for p in self.card.rate_params):
                self.notes.fault(line, f"the rateParam {name!r} is there twice for {column[1]!r} in {column[0]!r}")
            self.card.rate_params.append(made)
        self.card.lines.setdefault(name, line)

    def _factor(self, line: int, name: str, column: Column, value: str, more: list[str]) -> RateParam | None:
        if ".root" in value and ":" in value:
            self.notes.fault(line, f"the rateParam {name!r} is in a workspace, {value}, which is not read")
            return None
        if more and not ("[" in more[0] and "]" in more[0]):
            return RateParam(name, line, column, formula=value, arguments=tuple(more[0].split(",")))
        try:
            start = float(value)
        except ValueError:
            return RateParam(name, line, column, formula=value)
        ends = self.interval(line, more[0]) if more else None
        if not math.isfinite(start) or (ends is not None and not ends[0] <= start <= ends[1]):
            self.notes.fault(line, f"the rateParam {name!r} starts at {value}, outside of {(more or ['numbers'])[0]}")
        return RateParam(name, line, column, start, ends)

    def interval(self, line: int, text: str) -> tuple[float, float] | None:
        """The ends of ``[low,high]``."""
        ends = self.numbers(line, text.strip("[]").split(","))
        if ends is None or len(ends) != 2 or ends[0] > ends[1]:
            self.notes.fault(line, f"{text} is no range [low,high]")
            return None
        return ends[0], ends[1]

    def _edit(self, line: int, name: str, rest: list[str]) -> None:
        self.edited = True
        edit(self.card, line, rest, self.notes)

    def _group(self, line: int, name: str, rest: list[str]) -> None:
        operator, *members = rest or [""]
        if operator not in ("=", "+=") or (operator == "+=") != (name in self.card.groups):
            self.notes.fault(line, f"the group {name!r} is defined once with =, and later enlarged with +=")
            return
        self.card.lines.setdefault(name, line)
        known = self.card.groups.setdefault(name, [])
        known.extend(member for member in dict.fromkeys(members) if member not in known)

    def _statistics(self, line: int, name: str, rest: list[str]) -> None:
        values = self.numbers(line, rest)
        if values is None or not 1 <= len(values) <= 3:
            self.notes.fault(line, "autoMCStats needs a threshold, and may have two flags")
            return
        threshold, with_signal, mode = (*values, *(0.0, 1.0)[len(values) - 1 :])
        if mode not in (1.0, 2.0):
            self.notes.fault(line, f"autoMCStats has the hist-mode {mode:g}: there are 1 and 2")
        matching = [c for c in self.card.bins if c == name or ("*" in name and fnmatch.fnmatch(c, name))]
        if not matching:
            self.notes.fault(line, f"there is no channel {name!r}")
        for channel in matching:
            self.card.statistics[channel] = (threshold, bool(with_signal), int(mode))
            self.card.lines.setdefault(f"prop_bin{channel}", line)

    def finish(self) -> None:
        """Drop what has no effect, and compare with the counts that the card declares."""
        card = self.card
        columns = [column for column in card.columns if card.rates.get(column)]
        self._check_counts()
        known = {*(n.name for n in card.nuisances), *card.params, *card.extra, *(p.name for p in card.rate_params)}
        for name, members in card.groups.items():
            lost = [member for member in members if member not in known]
            if lost:
                self.notes.doubt(
                    self.card.lines.get(name, 0), f"the group {name!r} has members that are unknown: {', '.join(lost)}"
                )
            card.groups[name] = [member for member in members if member in known]
        card.nuisances = [n for n in card.nuisances if any(n.acts_on(column) for column in columns)]
        self._check_clashes()

    def _check_counts(self) -> None:
        """The counts that the card declares."""
        card = self.card
        processes = len({process for _, process in card.columns})
        found = {"imax": len(card.bins), "jmax": processes - 1, "kmax": self.counted}
        for word, (line, count) in self.counts.items():
            if found[word] != count and not self.notes.faults and not (word == "kmax" and self.edited):
                self.notes.fault(line, f"{word} is {count}, but there are {found[word]}")

    def _check_clashes(self) -> None:
        """Names that stand for two things."""
        rates = {param.name for param in self.card.rate_params}
        for nuisance in self.card.nuisances:
            if nuisance.name in rates:
                self.notes.fault(nuisance.line, f"{nuisance.name!r} is a {nuisance.kind}, and a rateParam too")
        seen: set[Column] = set()
        for nuisance in (nuisance for nuisance in self.card.nuisances if nuisance.kind == "gmN"):
            for channel, process in filter(nuisance.acts_on, self.card.columns):
                if (channel, process) in seen:
                    self.notes.fault(
                        nuisance.line, f"{nuisance.name!r} is the second gmN of {process!r} in {channel!r}"
                    )
                seen.add((channel, process))


def _measured(kind: str, arguments: list[str]) -> tuple[str, ...]:
    """The constraint of a kind of nuisance.

    Example:
        >>> _measured("lnN", []) == _measured("shape?", []), _measured("gmN", ["4"])
        (True, ('gmN', '4'))
    """
    if kind in ("gmN", "gmM"):
        return (kind, *arguments)
    return ("none",) if kind.rstrip("?").endswith("U") else ("gauss",)
