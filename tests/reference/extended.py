"""2NLL of a document of the model language, one sample at a time in NumPy: slow, and made of the formulas alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = Any

FUNCTIONS = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "pow": np.power, "min": min, "max": max}


@dataclass(frozen=True)
class Parameter:
    """A parameter of one or more components, and its auxiliary measurement."""

    name: str
    scalar: bool
    inits: tuple[float, ...]
    constraint: str = "none"
    auxdata: tuple[float, ...] = ()
    sigmas: tuple[float, ...] = ()  # Gaussian widths
    factors: tuple[float, ...] = ()  # expected counts a unit of the parameter
    fixed: tuple[bool, ...] = ()
    sigmas_down: tuple[float, ...] = ()

    @property
    def entries(self) -> list[str]:
        return [self.name] if self.scalar else [f"{self.name}[{i}]" for i in range(len(self.inits))]


class ExtendedModel:
    """The model of one measurement of a document.

    Values of parameters are given by entry, ``name`` or ``name[i]``; those that are not given are at their start.
    """

    def __init__(self, document: Mapping[str, Any], measurement: int = 0) -> None:
        self.document = document
        self.channels = document["channels"]
        self.ordered = sorted(self.channels, key=lambda channel: channel["name"])
        self.config = document["measurements"][measurement]["config"]
        self.observed = {o["name"]: np.asarray(o["data"], dtype=float) for o in document["observations"]}
        self.settings = document.get("settings", {})
        self.parameters = self._parameters()

    @property
    def entries(self) -> list[str]:
        return [entry for parameter in self.parameters.values() for entry in parameter.entries]

    @property
    def inits(self) -> dict[str, float]:
        return {e: i for p in self.parameters.values() for e, i in zip(p.entries, p.inits, strict=True)}

    @property
    def fixed(self) -> dict[str, bool]:
        return {e: f for p in self.parameters.values() for e, f in zip(p.entries, p.fixed, strict=True)}

    def twice_nll(self, values: Mapping[str, float]) -> float:
        """2NLL up to what the parameters do not change."""
        point = self._point(values)
        main = 0.0
        for channel in self.channels:
            expected = self._expected(channel, point)
            observed = self.observed[channel["name"]]
            main += float(
                np.sum(expected - np.where(observed > 0, observed, 0.0) * np.log(np.maximum(expected, 1e-300)))
            )
        return 2 * main + self._constraints(point)

    def expected(self, values: Mapping[str, float]) -> dict[str, Array]:
        """Expected yields of each channel."""
        point = self._point(values)
        return {channel["name"]: self._expected(channel, point) for channel in self.channels}

    def _point(self, values: Mapping[str, float]) -> dict[str, Array]:
        unknown = set(values) - set(self.entries)
        assert not unknown, f"no parameters: {unknown}"
        start = self.inits
        return {
            p.name: np.array([float(values.get(entry, start[entry])) for entry in p.entries])
            for p in self.parameters.values()
        }

    # Expected yields

    def _expected(self, channel: Mapping[str, Any], point: Mapping[str, Array]) -> Array:
        total: Array = 0.0
        variances: dict[str, Array] = {}
        for sample in channel["samples"]:
            factor, bins = self._factors(channel, sample, point)
            total = total + np.maximum(factor * bins, self.settings.get("clip_sample_data", -np.inf))
            for modifier in sample["modifiers"]:
                if modifier.get("style") == "additive":
                    size = factor * np.asarray(modifier["data"], dtype=float)
                    variances[modifier["name"]] = variances.get(modifier["name"], 0.0) + size**2
        for name, variance in variances.items():
            total = total + self._of_channel(name, channel, point) * np.sqrt(variance)
        return np.maximum(total, self.settings.get("clip_bin_data", -np.inf))

    def _factors(
        self, channel: Mapping[str, Any], sample: Mapping[str, Any], point: Mapping[str, Array]
    ) -> tuple[float, Array]:
        """The factor of the whole sample, and its yields without it."""
        nominal = np.asarray(sample["data"], dtype=float)
        added, logs, one, factor = np.zeros_like(nominal), np.zeros_like(nominal), 0.0, 1.0
        bins: Array = 1.0
        for modifier in sample["modifiers"]:
            name, kind = modifier["name"], modifier["type"]
            code = modifier.get("interpolation", {"normsys": "code4", "histosys": "code4p"}.get(kind, ""))
            if kind == "histosys":
                lo, hi = (np.asarray(modifier["data"][key], dtype=float) for key in ("lo_data", "hi_data"))
                if code == "shapen":
                    logs = logs + _shapen(point[name][0], lo, nominal, hi, modifier.get("smooth", 1.0))
                elif code in ADDITIVE:
                    added = added + ADDITIVE[code](point[name][0], lo, nominal, hi, modifier.get("smooth", 1.0))
                else:
                    bins = bins * MULTIPLICATIVE[code](point[name][0], lo / nominal, hi / nominal)
            elif kind == "normsys":
                lo, hi = modifier["data"]["lo"], modifier["data"]["hi"]
                if code in ADDITIVE:
                    one = one + ADDITIVE[code](point[name][0], lo, 1.0, hi, 1.0)
                else:
                    factor = factor * MULTIPLICATIVE[code](point[name][0], lo, hi)
            elif "expression" in modifier:
                text, names = _formula(modifier)
                values = {placeholder: point[name][0] for placeholder, name in names.items()}
                factor = factor * eval(text, dict(FUNCTIONS), values)  # of the tests' own documents
            elif kind in ("normfactor", "lumi"):
                factor = factor * point[name][0]
            elif kind in ("shapesys", "shapefactor"):
                bins = bins * point[name][: len(nominal)]
            elif modifier.get("style") != "additive":
                bins = bins * self._of_channel(name, channel, point)
        yields = (nominal + added) * np.exp(logs)
        if "floor" in sample:
            yields = np.maximum(yields, sample["floor"] * np.sum(nominal))
        if "floor" in sample or np.any(logs):
            yields = yields * (np.sum(nominal) / np.sum(yields))
        return factor * (1.0 + one), yields * bins

    def _of_channel(self, name: str, channel: Mapping[str, Any], point: Mapping[str, Array]) -> Array:
        """The components of a staterror that belong to a channel."""
        start = 0
        for other in self.ordered:
            carriers = [s for s in other["samples"] if any(m["name"] == name for m in s["modifiers"])]
            if other["name"] == channel["name"]:
                return point[name][start : start + len(carriers[0]["data"])]
            start += len(carriers[0]["data"]) if carriers else 0
        raise KeyError(name)

    # Constraints

    def _constraints(self, point: Mapping[str, Array]) -> float:
        correlated = self.config.get("correlations", {"names": [], "matrix": []})
        total = 0.0
        for parameter in self.parameters.values():
            if parameter.constraint == "none" or parameter.name in correlated["names"]:
                continue
            for i, value in enumerate(point[parameter.name]):
                total += _constraint(parameter, i, float(value))
        if correlated["names"]:
            found = [self.parameters[name] for name in correlated["names"]]
            pulls = np.array([(point[p.name][0] - p.auxdata[0]) / p.sigmas[0] for p in found])
            total += float(pulls @ np.linalg.solve(np.asarray(correlated["matrix"], dtype=float), pulls))
        return total

    # Parameters

    def _parameters(self) -> dict[str, Parameter]:
        found: dict[str, Parameter] = {}
        pairs = [(s, m) for channel in self.ordered for s in channel["samples"] for m in s["modifiers"]]
        for sample, modifier in sorted(pairs, key=lambda pair: "expression" in pair[1]):  # which introduces no other's
            for parameter in self._of_modifier(modifier, sample):
                found.setdefault(parameter.name, parameter)
        configs = {config["name"]: config for config in self.config["parameters"]}
        return {name: _configured(p, configs.get(name, {})) for name, p in found.items()}

    def _of_modifier(self, modifier: Mapping[str, Any], sample: Mapping[str, Any]) -> list[Parameter]:
        name, kind, given = modifier["name"], modifier["type"], modifier.get("constraint")
        if "expression" in modifier:
            names = dict.fromkeys(_formula(modifier)[1].values())
            return [Parameter(name, True, (1.0,), fixed=(False,)) for name in names]
        if kind in ("normsys", "histosys"):
            return [Parameter(name, True, (0.0,), given or "gauss", (0.0,), (1.0,), (), (False,))]
        if kind in ("normfactor", "lumi"):
            constraint = "gauss" if kind == "lumi" else "none"
            return [Parameter(name, True, (1.0,), constraint, fixed=(False,))]
        nominal = np.asarray(sample["data"], dtype=float)
        ones = (1.0,) * len(nominal)
        if kind == "shapefactor":
            return [Parameter(name, False, ones, fixed=(False,) * len(ones))]
        if kind == "shapesys":
            return [_of_widths(name, _ratio(modifier["data"], nominal), given or "poisson")]
        if modifier.get("style") == "additive":
            return [self._additive(name)]
        return [_of_widths(name, np.concatenate(self._relative_errors(name)), given or "gauss")]

    def _relative_errors(self, name: str) -> list[Array]:
        widths = []
        for channel in self.ordered:
            carriers = [(s, m) for s in channel["samples"] for m in s["modifiers"] if m["name"] == name]
            if carriers:
                errors = np.sqrt(sum(np.asarray(m["data"], dtype=float) ** 2 for _, m in carriers))
                widths.append(_ratio(errors, sum(np.asarray(s["data"], dtype=float) for s, _ in carriers)))
        return widths

    def _additive(self, name: str) -> Parameter:
        used = np.concatenate([_sizes(channel, name) for channel in self.ordered]) > 0
        zeros, ones = (0.0,) * len(used), (1.0,) * len(used)
        return Parameter(name, False, zeros, "gauss", zeros, ones, (), tuple(bool(not u) for u in used))


def _formula(modifier: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """An expression as Python writes it, and the parameter that each of its names stands for."""
    arguments = modifier.get("arguments", [])
    text = re.sub(r"@(\d+)", r"argument_\1", modifier["expression"].replace("^", "**"))
    names = {name: name for name in re.findall(r"[A-Za-z_]\w*", text) if name not in FUNCTIONS}
    return text, names | {f"argument_{i}": name for i, name in enumerate(arguments) if f"argument_{i}" in names}


def _sizes(channel: Mapping[str, Any], name: str) -> Array:
    data = [m["data"] for s in channel["samples"] for m in s["modifiers"] if m["name"] == name]
    return np.sum(np.abs(np.asarray(data, dtype=float)), axis=0) if data else np.zeros(0)


def _ratio(errors: Any, nominal: Any) -> Array:
    errors, nominal = np.asarray(errors, dtype=float), np.asarray(nominal, dtype=float)
    return np.where((nominal > 0) & (errors > 0), errors / np.where(nominal > 0, nominal, 1.0), 0.0)


def _of_widths(name: str, widths: Array, constraint: str) -> Parameter:
    """Factors around one of these relative widths; those of width zero are fixed."""
    used = widths > 0
    sigmas = np.where(used, widths, 1.0)
    ones = (1.0,) * len(widths)
    fixed = tuple(bool(not u) for u in used)
    tau = tuple(1 / sigmas**2)
    if constraint == "poisson":
        return Parameter(name, False, ones, "poisson", tau, (), tau, fixed)
    return Parameter(name, False, ones, constraint, ones, tuple(sigmas), (), fixed)


def _configured(parameter: Parameter, config: Mapping[str, Any]) -> Parameter:
    changes: dict[str, Any] = {
        key: tuple(map(float, config[key]))
        for key in ("inits", "auxdata", "sigmas", "factors", "sigmas_down")
        if key in config
    }
    if "constraint" in config:
        changes["constraint"] = config["constraint"]
    fixed = config.get("fixed", list(parameter.fixed))
    changes["fixed"] = tuple(fixed) if isinstance(fixed, list) else (fixed,) * len(parameter.inits)
    return replace(parameter, **changes)


def _constraint(p: Parameter, i: int, value: float) -> float:
    """Minus twice the logarithm of an auxiliary density, up to a constant."""
    if p.constraint == "poisson":
        rate = value * (p.factors[i] if p.factors else 1.0)
        return 2 * (rate - p.auxdata[i] * np.log(rate)) if p.auxdata[i] else 2 * rate
    if p.constraint == "gauss":
        return ((value - p.auxdata[i]) / p.sigmas[i]) ** 2
    if p.constraint == "bifurcated":
        width = p.sigmas[i] if value > p.auxdata[i] else p.sigmas_down[i]
        return ((value - p.auxdata[i]) / width) ** 2
    # of beta, which is the factor itself or 1 + sigma alpha
    sigma = p.sigmas[i]
    beta = value / p.auxdata[i] if p.auxdata[i] else 1 + sigma * value
    if p.constraint == "lognormal":
        return (np.log(beta) / np.log1p(sigma)) ** 2
    assert p.constraint == "gamma"
    return 2 * (beta - np.log(beta)) / sigma**2


# Interpolations


def _step(x: float) -> float:
    """The odd quintic from -1 to 1, which joins both with two derivatives."""
    return float(np.sign(x)) if abs(x) >= 1 else x * (15 + x * x * (3 * x * x - 10)) / 8


def _code0(x: float, lo: Array, nominal: Array, hi: Array, smooth: float) -> Array:
    return x * (hi - nominal) if x >= 0 else x * (nominal - lo)


def _quadratic(x: float, lo: Array, nominal: Array, hi: Array, smooth: float) -> Array:
    s, t = (hi + lo) / 2 - nominal, (hi - lo) / 2
    if x > 1:
        return (t + 2 * s) * (x - 1) + hi - nominal
    if x < -1:
        return (t - 2 * s) * (x + 1) + lo - nominal
    return s * x * x + t * x


def _code4p(x: float, lo: Array, nominal: Array, hi: Array, smooth: float) -> Array:
    return x / 2 * ((hi - lo) + _step(x / smooth) * (hi + lo - 2 * nominal))


def _shapen(x: float, lo: Array, nominal: Array, hi: Array, smooth: float) -> Array:
    up, down = _logs(hi, nominal), _logs(lo, nominal)
    return x / 2 * ((up - down) + _step(x / smooth) * (up + down))


def _logs(template: Array, nominal: Array) -> Array:
    used = (template > 0) & (nominal > 0)
    return np.log(np.where(used, template, 1.0) / np.where(used, nominal, 1.0))


def _code1(x: float, lo: Array, hi: Array) -> Array:
    return hi**x if x >= 0 else lo ** (-x)


def _code4(x: float, lo: Array, hi: Array) -> Array:
    if abs(x) >= 1:
        return _code1(x, lo, hi)
    ends = np.array([[(e**i, i * e ** (i - 1), i * (i - 1) * e ** (i - 2)) for i in range(1, 7)] for e in (1.0, -1.0)])
    matrix = np.concatenate([ends[0].T, ends[1].T])
    lo, hi = np.asarray(lo, dtype=float), np.asarray(hi, dtype=float)
    u, d = np.log(hi), np.log(lo)
    target = np.stack([hi - 1, u * hi, u * u * hi, lo - 1, -d * lo, d * d * lo])
    coefficients = np.linalg.solve(matrix, target.reshape(6, -1)).reshape(target.shape)
    return 1 + sum(c * x ** (i + 1) for i, c in enumerate(coefficients))


def _code6(x: float, lo: Array, hi: Array) -> Array:
    return 1 + _code4p(x, lo, 1.0, hi, 1.0)


def _asympow(x: float, lo: Array, hi: Array) -> Array:
    a, c = np.log(hi), -np.log(lo)
    return np.exp(x * ((a + c) / 2 + (a - c) / 2 * _step(2 * x)))


ADDITIVE: dict[str, Callable[..., Array]] = {"code0": _code0, "quadratic": _quadratic, "code4p": _code4p}
MULTIPLICATIVE: dict[str, Callable[..., Array]] = {
    "code1": _code1,
    "code4": _code4,
    "code6": _code6,
    "asympow": _asympow,
}


def differences(model: ExtendedModel, points: Sequence[Mapping[str, float]]) -> Array:
    """2NLL at the points less that at the first."""
    values = np.array([model.twice_nll(point) for point in points])
    return values - values[0]


def owners_point(document: Mapping[str, Any], values: Mapping[str, float]) -> dict[str, float]:
    """Values of the owner's parameters as values of our entries."""
    metadata = document.get("metadata", {})
    names, scales = metadata.get("foreign_names", {}), metadata.get("scales", {})
    return {names.get(name, name): value / scales.get(name, 1.0) for name, value in values.items()}
