"""Channels of HS3: samples and modifiers, with the parameters that they use."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pyhf_func.core.codes import DEFAULT_CODES
from pyhf_func.documents.formats.hs3.codes import code_of
from pyhf_func.documents.formats.hs3.constraints import Constraint, constraint_of
from pyhf_func.documents.formats.hs3.functions import expression_of
from pyhf_func.documents.formats.hs3.parts import Analysis, Item, Notes, Parts, Steps, axis_bins
from pyhf_func.schema.extended import scale_sample

__all__ = ["Channels", "Modifier", "ModifierUse"]

Modifier = dict[str, Any]


@dataclass
class ModifierUse:
    """A modifier of ours, still without a name, and the parameters that it uses."""

    channel: str
    called: str
    owners: tuple[str, ...]
    modifier: Modifier
    constraint: Constraint
    unused: list[bool] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, str, tuple[str, ...]]:
        return self.channel, self.modifier["type"], self.called, self.owners


class Channels:
    """Reads one channel after the other."""

    def __init__(self, parts: Parts, analysis: Analysis, notes: Notes) -> None:
        self.parts = parts
        self.analysis = analysis
        self.notes = notes
        self.channels: list[dict[str, Any]] = []
        self.observations: list[tuple[str, dict[str, Any]]] = []
        self.axes: dict[str, Any] = {}
        self.uses: list[ModifierUse] = []
        self.expressions: list[Modifier] = []
        self.measured: dict[str, Constraint] = {}

    def add(self, steps: Steps, distribution: Item, data: Item) -> None:
        """A channel and its observation."""
        name = self._channel_name(distribution["name"])
        samples = distribution.get("samples", [])
        made = [
            made
            for i, sample in enumerate(samples)
            if (made := self._sample((*steps, "samples", i), name, distribution, sample)) is not None
        ]
        bins = axis_bins(distribution.get("axes", []))
        counts = {len(sample["data"]) for sample in made} | ({bins} if bins is not None else set())
        observed = self._observed(data)
        if observed is not None and made and {*counts, len(observed)} != {len(observed)}:
            self.notes.fault(
                steps, f"axes, samples and data have different numbers of bins: {sorted({*counts, len(observed)})}"
            )
        _refine(self.uses, made, name, self)
        self.channels.append({"name": name, "samples": made})
        self.observations.append((data["name"], {"name": name, "data": observed or []}))
        self.axes[name] = distribution.get("axes", [])

    def _channel_name(self, name: str) -> str:
        """The name without ROOT's prefix, unless another distribution has that name."""
        short = name.removeprefix("model_")
        return name if short != name and (not short or short in self.parts.distributions) else short

    def _observed(self, data: Item) -> list[float] | None:
        steps = self.parts.data[data["name"]][0]
        if data.get("type", "binned") != "binned":
            self.notes.fault((*steps, "type"), f"{data.get('type')!r} data: only binned data can be read")
        bins, contents = axis_bins(data.get("axes", [])), data.get("contents")
        if data.get("axes") and isinstance(contents, list) and bins not in (None, len(contents)):
            self.notes.fault((*steps, "contents"), f"has {len(contents)} values for {bins} bins of its axes")
        if data.get("uncertainty"):
            self.notes.fault((*steps, "uncertainty"), "data with uncertainties of their own have no meaning here")
        return self._numbers((*steps, "contents"), data.get("contents"))

    def _numbers(self, steps: Steps, value: Any, count: int | None = None) -> list[float] | None:
        """A list of finite numbers, of the number of bins where that is known."""
        if not isinstance(value, list) or not all(
            isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in value
        ):
            self.notes.fault(steps, "is no list of numbers")
            return None
        if count is not None and len(value) != count:
            self.notes.fault(steps, f"has {len(value)} values for {count} bins")
            return None
        return value

    def _sample(self, steps: Steps, channel: str, distribution: Item, sample: Item) -> dict[str, Any] | None:
        data = sample.get("data", {})
        nominal = self._numbers((*steps, "data", "contents"), data.get("contents"))
        if nominal is None:
            return None
        errors = self._numbers((*steps, "data", "errors"), data.get("errors", [0.0] * len(nominal)), len(nominal))
        if errors and min(errors) < 0:
            self.notes.fault((*steps, "data", "errors"), "has negative errors: give standard deviations")
        errors = [error if error > 1e-100 else 0.0 for error in errors or ()]
        result: dict[str, Any] = {"name": str(sample.get("name", f"sample{steps[-1]}")), "data": list(nominal)}
        reader = _Sample(self, channel, distribution, list(nominal), errors or [0.0] * len(nominal))
        for i, modifier in enumerate(sample.get("modifiers", [])):
            reader.read((*steps, "modifiers", i), modifier)
        result["modifiers"] = reader.made
        if reader.scale != 1.0:
            scale_sample(result, reader.scale)
        return result


@dataclass
class _Sample:
    """Reads the modifiers of one sample."""

    owner: Channels
    channel: str
    distribution: Item
    nominal: list[float]
    errors: list[float]
    scale: float = 1.0
    made: list[Modifier] = field(default_factory=list)

    def read(self, steps: Steps, modifier: Item) -> None:
        kind = modifier.get("type")
        readers = {
            "normfactor": self._normfactor,
            "normsys": self._interpolated,
            "histosys": self._interpolated,
            "shapesys": self._per_bin,
            "shapefactor": self._per_bin,
            "staterror": self._staterror,
        }
        if kind not in readers:
            what = f"the function {modifier.get('name')!r}" if kind == "custom" else "nothing that we know"
            self.owner.notes.fault(steps, f"a modifier of type {kind!r}, which applies {what}")
            return
        readers[kind](steps, modifier)

    def _use(
        self, made: Modifier, modifier: Item, owners: Sequence[str], constraint: Constraint, unused: Sequence[bool] = ()
    ) -> None:
        self.made.append(made)
        called = str(modifier.get("name", ""))
        self.owner.uses.append(ModifierUse(self.channel, called, tuple(owners), made, constraint, list(unused)))

    def _normfactor(self, steps: Steps, modifier: Item) -> None:
        parameter = modifier.get("parameter", modifier.get("name"))
        if isinstance(parameter, int | float) and not isinstance(parameter, bool):
            self.scale *= parameter
            return
        if parameter in self.owner.parts.functions:
            made = expression_of(str(parameter), self.owner.parts, self.owner.notes)
            if made is not None:
                expression = {"name": parameter, "type": "normfactor", "data": None, **made}
                self.made.append(expression)
                self.owner.expressions.append(expression)
            return
        constraint = self._constraint(steps, modifier, [parameter], "none")
        is_lumi = str(parameter).lower() == "lumi"
        if parameter == "Lumi" and constraint.kind == "none" and parameter in self.owner.analysis.constant:
            self.scale *= self.owner.analysis.values.get(parameter, 1.0)
            return
        kind = "lumi" if is_lumi and constraint.kind == "gauss" else "normfactor"
        self._use({"name": "", "type": kind, "data": None}, modifier, [str(parameter)], constraint)

    def _interpolated(self, steps: Steps, modifier: Item) -> None:
        kind, data = modifier["type"], modifier.get("data")
        data = data if isinstance(data, dict) else {}
        parameter = str(modifier.get("parameter", f"alpha_{modifier.get('name')}"))
        constraint = self._constraint(steps, modifier, [parameter], "gauss")
        if constraint.kind == "const":
            self.owner.notes.fault(steps, f"the constraint of {parameter!r} is constant, which a {kind} cannot be")
            return
        if constraint.kind in ("lognormal", "gamma"):
            message = f"the constraint of {parameter!r} is {constraint.kind}, with which ROOT means another parameter"
            self.owner.notes.fault(steps, f"{message}. A Gaussian one can be read")
            return
        made: Modifier = {"name": "", "type": kind, "data": None}
        if kind == "normsys":
            values = self.owner._numbers((*steps, "data"), [data.get("lo"), data.get("hi")])
            if values is None:
                return
            made["data"] = {"lo": values[0], "hi": values[1]}
        else:
            sides = {side: data.get(side, {}) for side in ("lo", "hi")}
            read = {
                f"{side}_data": self.owner._numbers(
                    (*steps, "data", side), item.get("contents") if isinstance(item, dict) else item, len(self.nominal)
                )
                for side, item in sides.items()
            }
            if None in read.values():
                return
            made["data"] = read
            self._warn_of_differences(steps, made["data"])
        code = self._code(steps, modifier)
        if code is not None and code != DEFAULT_CODES[kind]:
            made["interpolation"] = code
        if constraint.kind != "gauss":
            made["constraint"] = constraint.kind
        self._use(made, modifier, [parameter], constraint)

    def _warn_of_differences(self, steps: Steps, data: Item) -> None:
        """Templates around zero under large yields: differences, as the standard's example prints them?"""
        total = sum(map(abs, self.nominal))
        if total and all(sum(map(abs, data[side])) < 0.3 * total for side in data) and any(map(any, data.values())):
            self.owner.notes.doubt(
                steps, "both templates are far below the nominal yields: differences? They are taken as yields"
            )

    def _code(self, steps: Steps, modifier: Item) -> str | None:
        kind, data = modifier["type"], modifier.get("data", {})
        given = modifier.get("interpolation", data.get("interpolation") if isinstance(data, dict) else None)
        if given is None:
            given = self.distribution.get("default_interpolation")
            given = given.get(kind, given) if isinstance(given, dict) else given
        if given is None:
            return None
        code = code_of(kind, given)
        if code is None:
            self.owner.notes.fault((*steps, "interpolation"), f"{given!r} is no interpolation that we know")
        return code

    def _per_bin(self, steps: Steps, modifier: Item) -> None:
        """Shapesys and shapefactor, which are one: the constraint decides."""
        count = len(self.nominal)
        owners = self._owners(steps, modifier, [f"gamma_{modifier.get('name')}_bin_{i}" for i in range(count)])
        data = modifier.get("data")
        given = data.get("vals") if isinstance(data, dict) else None
        constraint = self._constraint(steps, modifier, owners, "poisson" if given else "none")
        if given is None and constraint.kind in ("gauss", "poisson"):
            given = constraint.widths(owners)
        if constraint.kind == "none" and not given:
            self._use({"name": "", "type": "shapefactor", "data": None}, modifier, owners, constraint)
            return
        values = self.owner._numbers((*steps, "data", "vals"), given or [0.0] * count, count)
        if values is None:
            return
        constant = [owner in self.owner.analysis.constant for owner in owners]
        if constraint.kind == "const" or (not any(values) and all(constant)):
            self._constant(steps, owners)
            return
        if constraint.kind not in ("gauss", "poisson"):
            self.owner.notes.fault(steps, f"a shapesys with the constraint {constraint.kind!r}")
            return
        absolute = self._is_absolute(steps, modifier, values, owners)
        errors = list(values) if absolute else [_events(r, n) for r, n in zip(values, self.nominal, strict=True)]
        for i, (value, nominal) in enumerate(zip(values, self.nominal, strict=True)):
            if value > 0 and nominal <= 0 and not constant[i]:
                message = f"bin {i} has no yield and the relative uncertainty {value}: nothing depends on {owners[i]!r}"
                self.owner.notes.doubt((*steps, "data", "vals", i), message)
        made: Modifier = {"name": "", "type": "shapesys", "data": errors}
        if constraint.kind == "gauss":
            made["constraint"] = "gauss"
        unused = [not (n > 0 and e > 0) for n, e in zip(self.nominal, errors, strict=True)]
        for name, n, e, without in zip(owners, self.nominal, errors, unused, strict=True):
            constraint.expected[name] = 1.0 if without or constraint.kind == "gauss" else _count(e / n)
        self._use(made, modifier, owners, constraint, unused)

    def _constant(self, steps: Steps, owners: Sequence[str]) -> None:
        """Constant factors of one change nothing."""
        values = [self.owner.analysis.values.get(owner, 1.0) for owner in owners]
        if any(value != 1.0 for value in values):
            self.owner.notes.fault(steps, f"constant factors other than one: {values}")

    def _is_absolute(self, steps: Steps, modifier: Item, values: Sequence[float], owners: Sequence[str]) -> bool:
        """Whether the uncertainties are in events, as pyhs3 has them; ROOT's are relative."""
        if self.owner.parts.by_root or {"constraint_type", "constraint_name", "constraints"} & modifier.keys():
            return False
        for value, nominal, owner in zip(values, self.nominal, owners, strict=True):
            upper = self.owner.analysis.ranges.get(owner, (None, None))[1]
            if upper is None or nominal <= 0 or value == value / nominal:
                continue
            for absolute, width in ((False, value), (True, value / nominal)):
                if math.isclose(upper, 1 + 5 * width, rel_tol=1e-6):  # ROOT's ranges, and those of converted files
                    return absolute
        absolute = "parameters" in modifier
        words = "events, as pyhs3 has them" if absolute else "fractions of the yields, as ROOT has them"
        self.owner.notes.doubt((*steps, "data", "vals"), f"are taken for {words}: the file does not say")
        return absolute

    def _staterror(self, steps: Steps, modifier: Item) -> None:
        count = len(self.nominal)
        default = [f"gamma_stat_{self.channel}_bin_{i}" for i in range(count)]
        owners = self._owners(steps, modifier, default)
        data = modifier.get("data")
        own = data.get("uncertainties") if isinstance(data, dict) else None
        errors = self.owner._numbers((*steps, "data", "uncertainties"), own, count) if own is not None else self.errors
        config = self.distribution.get("staterror", {})
        spoken = {"constraint_type": config["constraint_type"]} if "constraint_type" in config else {}
        constraint = self._constraint(steps, {**spoken, **modifier}, owners, "poisson")
        if errors is None:
            return
        if constraint.kind == "const":
            self._constant(steps, owners)
            return
        if constraint.kind not in ("gauss", "poisson"):
            self.owner.notes.fault(steps, f"a staterror with the constraint {constraint.kind!r}")
            return
        made: Modifier = {"name": "", "type": "staterror", "data": list(errors)}
        if constraint.kind == "poisson":
            made["constraint"] = "poisson"
        self._use(made, modifier, owners, constraint)

    def _owners(self, steps: Steps, modifier: Item, default: list[str]) -> list[str]:
        given = modifier.get("parameters", default)
        if not isinstance(given, list) or len(given) != len(default):
            self.owner.notes.fault((*steps, "parameters"), f"{len(default)} parameters are needed, one a bin")
            return default
        return [str(owner) for owner in given]

    def _constraint(self, steps: Steps, modifier: Item, owners: Sequence[str], default: str) -> Constraint:
        return constraint_of(modifier, owners, default, self.owner.parts, self.owner.analysis, steps)


def _count(width: float) -> float:
    """The Poisson count of a relative width."""
    return width**-2 if width > 1e-100 else math.inf


def _events(fraction: float, nominal: float) -> float:
    """The uncertainty in events: of the neighbours that are this fraction, the one that is shortest to write."""
    events = fraction * nominal
    near = (events, math.nextafter(events, math.inf), math.nextafter(events, 0.0))
    exact = [float(x) for x in near if nominal and x / nominal == fraction]
    return min(exact, key=lambda x: len(repr(x)), default=events)


def _refine(uses: list[ModifierUse], samples: list[dict[str, Any]], channel: str, owner: Channels) -> None:
    """Which staterror bins have no width or are below the threshold, and exact widths where ROOT rounded the errors."""
    of_channel = [use for use in uses if use.channel == channel and use.modifier["type"] == "staterror"]
    by_id = {id(modifier): sample for sample in samples for modifier in sample["modifiers"]}
    for owners in dict.fromkeys(use.owners for use in of_channel):
        group = [use for use in of_channel if use.owners == owners and id(use.modifier) in by_id]
        for i, name in enumerate(owners):
            total = sum(by_id[id(use.modifier)]["data"][i] for use in group)
            error = math.sqrt(sum(use.modifier["data"][i] ** 2 for use in group))
            width = error / total if total > 0 else 0.0
            for use in group:
                use.unused.append(width <= 0)
            exact = _exact_width(name, group[0].constraint.kind, width, owner.analysis)
            for use in group if exact != width else ():
                use.modifier["data"][i] *= exact / width
            of_poisson = width > 0 and group[0].constraint.kind == "poisson"
            group[0].constraint.expected[name] = _count(exact) if of_poisson else 1.0
            threshold = _threshold(owner, channel)
            if 0 < width < threshold:
                group[0].constraint.below.add(name)


def _exact_width(name: str, kind: str, width: float, analysis: Analysis) -> float:
    """The width that the auxiliary count or the range 1 + 5 sigma gives, if the rounded errors agree with it."""
    counted = analysis.values.get(f"nom_{name}", 0.0) if kind == "poisson" else 0.0
    upper = analysis.ranges.get(name, (None, None))[1]
    for exact in (counted**-0.5 if counted > 0 else 0.0, 0.0 if upper is None else (upper - 1) / 5):
        if width > 0 and exact > 0 and 1e-12 < abs(exact / width - 1) < 1e-6:
            return exact
    return width


def _threshold(owner: Channels, channel: str) -> float:
    for prefix in ("model_", ""):
        found = owner.parts.distributions.get(f"{prefix}{channel}")
        if found is not None:
            value = found[1].get("staterror", {}).get("relThreshold", 0.0)
            return float(value) if isinstance(value, int | float) else 0.0
    return 0.0
