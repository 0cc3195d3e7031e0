"""The lines of a card that is written, and what its names stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyhf_func.core.expression import parse
from pyhf_func.documents.formats.datacards.card import Column
from pyhf_func.documents.formats.datacards.components import Component, Parameter, parameters_of
from pyhf_func.documents.formats.datacards.factors import ADDITIVE, MULTIPLICATIVE, added, factor
from pyhf_func.documents.formats.datacards.names import Names
from pyhf_func.exceptions import Fault, InvalidSpecification, json_path
from pyhf_func.schema.extended import modifiers, walk

__all__ = ["Lines", "Steps"]

Steps = tuple[str | int, ...]
Modifier = Mapping[str, Any]

AUXILIARY = "auxiliary"
"""The process of channels that hold an auxiliary count."""


class Lines:
    """A card on its way.

    Args:
        document: What is written, of whose measurements the first counts.
        approximate: Whether interpolations that Combine lacks become its log-normal.
        source: The file that the document came from, for messages.
    """

    def __init__(self, document: Mapping[str, Any], approximate: bool, source: str | None) -> None:
        self.document = document
        self.approximate = approximate
        self.source = source
        self.poi: str = document["measurements"][0]["config"]["poi"]
        self.parameters: dict[str, Parameter] = parameters_of(document)
        self.faults: list[Fault] = []
        self.doubts: list[Fault] = []
        self.names = {
            "parameter": Names(taken=["r"]),
            "channel": Names(pattern=r"[A-Za-z_][\w.-]*"),
            "sample": Names(taken=[AUXILIARY], pattern=r"[A-Za-z_][\w.-]*"),
        }
        self.names["parameter"].known[self.poi] = "r"
        self.observed: dict[str, float] = {}
        self.shaped: list[str] = []
        self.columns: list[Column] = []
        self.rates: dict[Column, float] = {}
        self.signals: dict[str, None] = {}
        self.effects: dict[tuple[str, str], dict[Column, str]] = {}
        self.rate_params: list[str] = []
        self.free: dict[str, None] = {}
        self.used: dict[tuple[str, int], Steps] = {}
        self.formulas: dict[str, str] = {}
        self.made: set[str] = set()
        self.statistics: list[str] = []

    def fault(self, steps: Steps, message: str) -> None:
        """Note what a card cannot hold, once for all places of it."""
        if not any(fault.message == message for fault in self.faults):
            self.faults.append(Fault(json_path(steps), message, InvalidSpecification, self.source))

    def doubt(self, steps: Steps, message: str) -> None:
        self.doubts.append(Fault(json_path(steps), message, InvalidSpecification, self.source))

    # Names

    def parameter(self, name: str, index: int = 0) -> str:
        """The card's name of a component.

        Example:
            >>> import pyhf_func as pf
            >>> model = pf.simplemodels.uncorrelated_background([5.0], [50.0], [5.0])
            >>> lines = Lines(pf.Workspace.build(model, [52.0]), False, None)
            >>> lines.parameter("mu"), lines.parameter("uncorr_bkguncrt", 0)
            ('r', 'uncorr_bkguncrt_bin0')
        """
        several = self.parameters[name].kind in ("shapesys", "shapefactor", "staterror")
        return self.names["parameter"].of(f"{name}_bin{index}" if several else name)

    def process(self, sample: Mapping[str, Any], part: int = 0) -> str:
        """The card's name of a sample: another where it is a signal, since it may be background elsewhere."""
        name = sample["name"] + (f"_part{part + 1}" if part else "")
        signal = any(m["name"] == self.poi and "expression" not in m for m in sample["modifiers"])
        if not signal and sample["name"] in self._scaled():
            name = f"{name}_unscaled"
        safe = self.names["sample"].of(name)
        if signal:
            self.signals[safe] = None
        return safe

    def _scaled(self) -> set[str]:
        samples = (sample for channel in self.document["channels"] for sample in channel["samples"])
        return {s["name"] for s in samples for m in s["modifiers"] if m["name"] == self.poi and "expression" not in m}

    # Columns and their factors

    def column(self, channel: str, process: str, rate: float) -> Column:
        column = (channel, process)
        self.columns.append(column)
        self.rates[column] = rate
        return column

    def effect(self, name: str, kind: str, column: Column, value: str) -> None:
        self.effects.setdefault((self.names["parameter"].of(name), kind), {})[column] = value

    def formula(
        self, column: Column, name: str, text: str, components: Sequence[tuple[str, int]], steps: Steps
    ) -> None:
        """A factor of a column: ``@0``, ``@1``, ... of the text are components of parameters."""
        names = [self.parameter(*component) for component in components]
        for component in components:
            self.used.setdefault(component, steps)
        rest = f"{text} {','.join(names)}".rstrip()
        self.made.add(name)
        wanted = self.names["parameter"].of(name)
        while self.formulas.setdefault(wanted, rest) != rest:
            self.made.add(name := f"{name}_")
            wanted = self.names["parameter"].of(name)
        self.rate_params.append(f"{wanted} rateParam {column[0]} {column[1]} {rest}")

    def factors(self, steps: Steps, column: Column, sample: Mapping[str, Any], paired: set[str]) -> None:
        """Every modifier of a sample that scales all of its bins; those in ``paired`` are in templates."""
        shifts: list[tuple[str, Modifier]] = []
        for m, modifier in enumerate(sample["modifiers"]):
            place, kind, name = (*steps, "modifiers", m), modifier["type"], modifier["name"]
            if "expression" in modifier:
                self._expression(place, column, modifier)
            elif kind == "normsys" and name not in paired:
                code = modifier.get("interpolation", "code4")
                if code in ADDITIVE:
                    shifts.append((code, modifier))
                else:
                    self._log_normal(place, column, sample, modifier, code)
            elif kind in ("normfactor", "lumi") and name != self.poi:
                self._factor(place, column, name)
            elif kind not in ("normsys", "histosys", "normfactor", "lumi", "shapesys", "staterror", "shapefactor"):
                self.fault(place, f"a card cannot hold the {kind} {name!r}")
        if shifts:
            texts = [
                added(code, m["data"]["lo"] - 1.0, m["data"]["hi"] - 1.0, f"@{i}") for i, (code, m) in enumerate(shifts)
            ]
            names = [(m["name"], 0) for _, m in shifts]
            self.formula(column, f"{column[1]}_{column[0]}_norm", f"(1.0+{'+'.join(texts)})", names, steps)

    def _expression(self, steps: Steps, column: Column, modifier: Modifier) -> None:
        arguments = modifier.get("arguments", [])
        expression = parse(modifier["expression"], arguments)
        places = {name: f"@{i}" for i, name in enumerate(expression.names)}
        text = "".join(expression.with_names(places, arguments).split())
        self.formula(column, modifier["name"], text, [(name, 0) for name in expression.names], (*steps, "expression"))

    def _log_normal(
        self, steps: Steps, column: Column, sample: Mapping[str, Any], modifier: Modifier, code: str
    ) -> None:
        name, (lo, hi) = modifier["name"], (float(modifier["data"][side]) for side in ("lo", "hi"))
        if code not in MULTIPLICATIVE or (code != "code6" and min(lo, hi) <= 0):
            self.fault(steps, f"a card cannot hold the normsys {name!r} with the interpolation {code} and {lo}, {hi}")
            return
        kind = self.log_normal_kind(name)
        symmetric = abs(lo * hi - 1) < 1e-12
        exact = code in ("code1", "asympow") if symmetric else code == "asympow" and abs(lo * hi - 1) >= 1e-5
        has_shape = any(m["type"] == "histosys" and m["name"] == name for m in sample["modifiers"])
        if kind and not has_shape and (exact or (self.approximate and code != "code6")):
            if lo == hi == 1:
                return
            if not exact:
                self.doubt(steps, f"{name!r}: Combine's log-normal is not the interpolation {code}")
            self.effect(name, kind, column, repr(hi) if symmetric else f"{lo!r}/{hi!r}")
            return
        if (lo, hi) != (1.0, 1.0):
            self.formula(column, f"{name}_{column[1]}_{column[0]}", factor(code, lo, hi), [(name, 0)], steps)

    def log_normal_kind(self, name: str) -> str:
        """The line that a parameter of a normsys or histosys can have, if any."""
        component = self.parameters[name].components[0]
        if component.is_standard:
            return "lnN"
        flat = component.density == "none" and (component.low, component.high) == (-1.0, 1.0) and not component.fixed
        return "lnU" if flat and self.parameters[name].kind in ("normsys", "histosys") else ""

    def _factor(self, steps: Steps, column: Column, name: str) -> None:
        component = self.parameters[name].components[0]
        if self._is_sideband(name):
            count = int(component.mean)
            self.effect(name, f"gmN {count}", column, repr(self.rates[column]))
            self.rates[column] *= count
        elif component.density == "none" or (component.density == "poisson" and not component.fixed):
            self.scale(steps, column, name)
        else:
            self.formula(column, f"{name}_factor", "@0", [(name, 0)], steps)

    def _is_sideband(self, name: str) -> bool:
        """Whether a factor is the count of a sideband, as it starts in Combine, of samples in channels of one bin."""
        component = self.parameters[name].components[0]
        expected = (component.density, component.factor, component.start) == ("poisson", 1.0, component.mean + 1)
        if not expected or component.mean % 1 or component.fixed:
            return False
        samples = [sample for *_, sample, m in walk(self.document) if m["name"] == name]
        factors = [m["name"] for sample in samples for m in sample["modifiers"] if m["type"] == "normfactor"]
        others = [m for m in modifiers(self.document) if "expression" in m]
        return (
            all(len(sample["data"]) == 1 and min(sample["data"]) > 0 for sample in samples)
            and not any(self.parameters[f].components[0].density == "poisson" for f in factors if f not in (name,))
            and not any(name in parse(m["expression"], m.get("arguments", [])).names for m in others)
        )

    def scale(self, steps: Steps, column: Column, name: str, index: int = 0) -> None:
        """A free factor of a column."""
        component, safe = self.parameters[name].components[index], self.parameter(name, index)
        self.used.setdefault((name, index), steps)
        self.free[safe] = None
        line = f"{safe} rateParam {column[0]} {column[1]} {component.start!r} [{component.low!r},{component.high!r}]"
        if line in self.rate_params:
            self.fault(steps, f"{name!r} scales a sample twice, which a card cannot hold")
        self.rate_params.append(line)

    # Parameters

    def declarations(self) -> list[str]:
        """Lines of parameters that only formulas have, and channels of auxiliary counts."""
        made: list[str] = []
        nuisances = {name for name, _ in self.effects}
        for (name, index), steps in list(self.used.items()):
            safe, component = self.parameter(name, index), self.parameters[name].components[index]
            if name == self.poi or safe in nuisances:
                continue
            counted = component.density in ("poisson", "gamma") and not component.fixed
            if counted:
                self._count(name, index, component)
            if safe not in self.free:
                made.append(self._declared(steps, name, safe, component))
        return [line for line in made if line]

    def _declared(self, steps: Steps, name: str, safe: str, component: Component) -> str:
        ends = f"[{component.low!r},{component.high!r}]"
        if component.fixed:
            return f"{safe} extArg {component.start!r} [const]"
        match component.density:
            case "none" | "poisson" | "gamma":
                return f"{safe} extArg {component.start!r} {ends}"
            case "gauss":
                return f"{safe} param {component.mean!r} {component.width!r} {ends}"
            case "bifurcated":
                return f"{safe} param {component.mean!r} -{component.below!r}/+{component.width!r} {ends}"
        self.fault(steps, f"a card cannot hold the parameter {name!r} with the constraint {component.density!r}")
        return ""

    def _count(self, name: str, index: int, component: Component) -> None:
        """A channel whose count is the auxiliary measurement of a component."""
        safe = self.parameter(name, index)
        channel = self.names["channel"].of(f"{AUXILIARY}_{safe}")
        steps = self.used[name, index]
        if component.density == "gamma":
            events = 1 / component.width**2
            self.observed[channel] = events
            column = self.column(channel, AUXILIARY, events)
            self.formula(column, f"{safe}_{AUXILIARY}", f"(1.0+{component.width!r}*@0)", [(name, index)], steps)
            return
        self.observed[channel] = component.mean
        column = self.column(channel, AUXILIARY, component.factor)
        self.scale(steps, column, name, index)

    def text(self, shapes: str) -> str:
        """The card."""
        declarations = self.declarations()
        processes = list(dict.fromkeys(process for _, process in self.columns))
        backgrounds = [process for process in processes if process not in self.signals]
        ids = {process: 1 - len(self.signals) + i for i, process in enumerate([*self.signals, *backgrounds])}
        fakes = [f"shapes * {channel} FAKE" for channel in self.observed if channel not in self.shaped]
        header = f"shapes * * {shapes} $CHANNEL/$PROCESS $CHANNEL/$PROCESS_$SYSTEMATIC"
        lines = [
            *(f"imax {len(self.observed)}", f"jmax {len(processes) - 1}", "kmax *"),
            *([header, *fakes] if self.shaped else []),
            " ".join(["bin", *self.observed]),
            " ".join(["observation", *map(repr, self.observed.values())]),
            " ".join(["bin", *(channel for channel, _ in self.columns)]),
            " ".join(["process", *(process for _, process in self.columns)]),
            " ".join(["process", *(str(ids[process]) for _, process in self.columns)]),
            " ".join(["rate", *(repr(self.rates[column]) for column in self.columns)]),
        ]
        for (name, kind), effects in _joined(self.effects).items():
            lines.append(" ".join([name, kind, *(effects.get(column, "-") for column in self.columns)]))
        lines.extend(dict.fromkeys(self.rate_params))
        lines.extend([*declarations, *self.statistics, *self._frozen()])
        return "\n".join(lines) + "\n"

    def idle(self) -> list[str]:
        """Parameters that are measured and that nothing depends on: a card has no place for them."""
        written = {name for name, _ in self.effects} | {self.parameter(*component) for component in self.used}
        return [
            name
            for name, parameter in self.parameters.items()
            if parameter.kind in ("normsys", "histosys")
            and not parameter.components[0].fixed
            and self.parameter(name) not in written
        ]

    def _frozen(self) -> list[str]:
        written = {name for name, _ in self.effects} | self.free.keys()
        names = [
            self.parameter(name, i)
            for name, parameter in self.parameters.items()
            for i, component in enumerate(parameter.components)
            if component.fixed and name != self.poi
        ]
        return [f"nuisance edit freeze {name}" for name in names if name in written]


def _joined(effects: Mapping[tuple[str, str], Mapping[Column, str]]) -> dict[tuple[str, str], dict[Column, str]]:
    """A name with log-normals and shapes has one line ``shape?``: a shape where there are histograms."""
    kinds: dict[str, list[str]] = {}
    for name, kind in effects:
        kinds.setdefault(name, []).append(kind)
    made: dict[tuple[str, str], dict[Column, str]] = {}
    for (name, kind), columns in effects.items():
        both = "lnN" in kinds[name] and kind in ("lnN", "shape", "shapeN")
        other = next((other for other in kinds[name] if both and other in ("shape", "shapeN")), None)
        made.setdefault((name, kind if other is None else f"{other}?"), {}).update(columns)
    return made
