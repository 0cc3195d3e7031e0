"""Expected yields and log-density of a HistFactory model, one channel, sample, bin and modifier at a time."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tests.reference.interpolation import CODES
from tests.reference.numbers import Number, log, real

TYPE_ORDER = ("histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror")


@dataclass(frozen=True)
class Parameter:
    """One named parameter (a vector of `size` numbers) with its constraint term.

    `constraint` is None, "normal" (auxdata ~ Normal(par, sigma)) or "poisson"
    (auxdata ~ Poisson(par * factor)).
    """

    name: str
    size: int
    scalar: bool
    inits: tuple[float, ...]
    bounds: tuple[tuple[float, float], ...]
    fixed: tuple[bool, ...]
    constraint: str | None = None
    auxdata: tuple[float, ...] = ()
    sigmas: tuple[float, ...] = ()
    factors: tuple[float, ...] = ()


@dataclass(frozen=True)
class ReferenceModel:
    """A model spec with its parameters in pyhf 0.7.6's order; numbers are worked out anew at every call."""

    channels: tuple[Mapping[str, Any], ...]  # sorted by name, their samples and modifiers too
    parameters: tuple[Parameter, ...]
    poi_name: str | None
    normsys_code: str = "code4"
    histosys_code: str = "code4p"
    starts: dict[str, int] = field(default_factory=dict)

    @property
    def channel_names(self) -> list[str]:
        return [c["name"] for c in self.channels]

    @property
    def sample_names(self) -> list[str]:
        return sorted({s["name"] for c in self.channels for s in c["samples"]})

    @property
    def modifiers(self) -> list[tuple[str, str]]:
        return sorted({(m["name"], m["type"]) for _, _, m in walk(self.channels)})

    @property
    def channel_nbins(self) -> dict[str, int]:
        return {c["name"]: nbins(c) for c in self.channels}

    @property
    def channel_slices(self) -> dict[str, slice]:
        slices, begin = {}, 0
        for name, n in self.channel_nbins.items():
            slices[name] = slice(begin, begin + n)
            begin += n
        return slices

    @cached_property
    def nmaindata(self) -> int:
        return sum(self.channel_nbins.values())

    @cached_property
    def npars(self) -> int:
        return sum(p.size for p in self.parameters)

    @property
    def par_order(self) -> list[str]:
        return [p.name for p in self.parameters]

    @property
    def par_names(self) -> list[str]:
        return [
            n for p in self.parameters for n in ([p.name] if p.scalar else [f"{p.name}[{i}]" for i in range(p.size)])
        ]

    def par_slice(self, name: str) -> slice:
        parameter = self.parameter(name)
        return slice(self.starts[name], self.starts[name] + parameter.size)

    def parameter(self, name: str) -> Parameter:
        return next(p for p in self.parameters if p.name == name)

    @property
    def poi_index(self) -> int | None:
        return None if self.poi_name is None else self.starts[self.poi_name]

    @property
    def inits(self) -> list[float]:
        return [x for p in self.parameters for x in p.inits]

    @property
    def bounds(self) -> list[tuple[float, float]]:
        return [b for p in self.parameters for b in p.bounds]

    @property
    def fixed(self) -> list[bool]:
        return [f for p in self.parameters for f in p.fixed]

    @property
    def auxdata(self) -> list[float]:
        return [x for p in self.parameters for x in p.auxdata]

    @property
    def auxdata_order(self) -> list[str]:
        return [p.name for p in self.parameters if p.constraint]

    def expected_main(self, pars: Sequence[Number]) -> list[Number]:
        """Expected yields of all bins, channel after channel."""
        return [
            sum((self.sample_yield(channel, sample, b, pars) for sample in channel["samples"]), start=0.0)
            for channel in self.channels
            for b in range(nbins(channel))
        ]

    def sample_yield(
        self, channel: Mapping[str, Any], sample: Mapping[str, Any], b: int, pars: Sequence[Number]
    ) -> Number:
        """(nominal + sum of additive terms) * product of factors, of one sample in one bin."""
        nominal = float(sample["data"][b])
        additive: Number = nominal
        factor: Number = 1.0
        for modifier in sample["modifiers"]:
            name, kind, data = modifier["name"], modifier["type"], modifier["data"]
            start = self.starts[name]
            if kind == "histosys":
                shift = CODES[self.histosys_code]
                additive = additive + shift(float(data["lo_data"][b]), nominal, float(data["hi_data"][b]), pars[start])
            elif kind == "normsys":
                factor = factor * CODES[self.normsys_code](float(data["lo"]), 1.0, float(data["hi"]), pars[start])
            elif kind in ("lumi", "normfactor"):
                factor = factor * pars[start]
            elif kind in ("shapefactor", "shapesys"):
                factor = factor * pars[start + b]
            elif kind == "staterror":
                factor = factor * pars[start + self._bins_before(channel, name) + b]
        return additive * factor

    def _bins_before(self, wanted: Mapping[str, Any], name: str) -> int:
        """Bins of the channels that stand before `wanted` and share its staterror `name`."""
        count = 0
        for channel in self.channels:
            if channel is wanted:
                return count
            if any(m["name"] == name and m["type"] == "staterror" for _, _, m in walk([channel])):
                count += nbins(channel)
        raise KeyError(name)

    def expected_aux(self, pars: Sequence[Number]) -> list[Number]:
        """Expected auxiliary data, in the order of `auxdata`."""
        result: list[Number] = []
        for p in self.parameters:
            for i in range(p.size):
                value = pars[self.starts[p.name] + i]
                if p.constraint == "normal":
                    result.append(value)
                elif p.constraint == "poisson":
                    result.append(value * p.factors[i])
        return result

    def expected_data(self, pars: Sequence[Number]) -> list[Number]:
        """Main bins, then auxiliary data."""
        return [*self.expected_main(pars), *self.expected_aux(pars)]

    def log_terms(self, pars: Sequence[Number], data: Sequence[float]) -> list[Number]:
        """The terms of the log-density: one for each bin, one for each auxiliary measurement."""
        main, aux = data[: self.nmaindata], data[self.nmaindata :]
        terms = [poisson_logpdf(n, rate) for n, rate in zip(main, self.expected_main(pars), strict=True)]
        expected = self.expected_aux(pars)
        widths = [
            w
            for p in self.parameters
            if p.constraint
            for w in (p.sigmas if p.constraint == "normal" else [None] * p.size)
        ]
        for x, mean, sigma in zip(aux, expected, widths, strict=True):
            terms.append(poisson_logpdf(x, mean) if sigma is None else normal_logpdf(x, mean, sigma))
        return terms

    def logpdf(self, pars: Sequence[Number], data: Sequence[float]) -> Number:
        """log p(data | pars) with every constant."""
        return sum(self.log_terms(pars, data), start=0.0)

    def rounding(self, pars: Sequence[float], data: Sequence[float]) -> float:
        """How far two correct double-precision log-densities may differ: an ulp or two of each piece.

        A bin with n = 1e6 is n log(rate) - rate - log n!, pieces of 1e7 that cancel to -8: no relative bound
        on the result alone can hold there.
        """
        pieces = [math.lgamma(n + 1.0) for n in data if n > 0]
        pieces += [abs(real(x)) for x in self.expected_data(pars)]
        pieces += [
            n * abs(math.log(real(rate)))
            for n, rate in zip(data, self.expected_data(pars), strict=True)
            if n > 0 < real(rate)
        ]
        return 4 * 2.3e-16 * sum(pieces)

    def with_codes(self, *, normsys: str = "code4", histosys: str = "code4p") -> "ReferenceModel":
        """The same model with other interpolation codes."""
        return replace(self, normsys_code=normsys, histosys_code=histosys)


def poisson_logpdf(n: float, rate: Number) -> Number:
    """n log(rate) - rate - log Gamma(n + 1); for n > 0 a rate of zero gives -inf, a negative one nan."""
    if n == 0:
        return -rate
    if real(rate) <= 0:
        return -math.inf if real(rate) == 0 else math.nan
    return n * log(rate) - rate - math.lgamma(n + 1.0)


def normal_logpdf(x: float, mean: Number, sigma: float) -> Number:
    """-((x - mean)/sigma)^2/2 - log(sigma sqrt(2 pi))."""
    pull = (x - mean) / sigma
    return -0.5 * pull * pull - math.log(sigma * math.sqrt(2 * math.pi))


def nbins(channel: Mapping[str, Any]) -> int:
    return len(channel["samples"][0]["data"])


def walk(
    channels: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]]:
    """(channel, sample, modifier) in the order of the given lists."""
    for channel in channels:
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                yield channel, sample, modifier


def reference_model(
    workspace: Mapping[str, Any], measurement: str | None = None, poi_name: str | None = ""
) -> ReferenceModel:
    """The model of a measurement (the first, if none is named); `poi_name` "" takes the measurement's."""
    chosen = next(m for m in workspace["measurements"] if measurement in (None, m["name"]))
    configured = {p["name"]: p for p in chosen["config"].get("parameters", [])}
    channels = tuple(_sorted_channel(c) for c in sorted(workspace["channels"], key=lambda c: c["name"]))
    parameters = tuple(_configure(p, configured.get(p.name, {})) for p in _parameters(channels))
    starts, start = {}, 0
    for p in parameters:
        starts[p.name] = start
        start += p.size
    poi = (chosen["config"]["poi"] or None) if poi_name == "" else poi_name
    return ReferenceModel(channels=channels, parameters=parameters, poi_name=poi, starts=starts)


def main_data(workspace: Mapping[str, Any]) -> list[float]:
    """Observed counts of all bins, channels sorted by name."""
    return [float(x) for o in sorted(workspace["observations"], key=lambda o: o["name"]) for x in o["data"]]


def _sorted_channel(channel: Mapping[str, Any]) -> dict[str, Any]:
    samples = [
        {**s, "modifiers": sorted(s["modifiers"], key=lambda m: (m["name"], m["type"]))}
        for s in sorted(channel["samples"], key=lambda s: s["name"])
    ]
    return {"name": channel["name"], "samples": samples}


def _parameters(channels: Sequence[Mapping[str, Any]]) -> list[Parameter]:
    """All parameters with their defaults: type by type, then by first appearance; staterrors by name."""
    found: dict[str, Parameter] = {}
    for kind in TYPE_ORDER:
        of_kind = [(s, m) for _, s, m in walk(channels) if m["type"] == kind]
        if kind == "staterror":
            of_kind.sort(key=lambda item: item[1]["name"])
        for sample, modifier in of_kind:
            if modifier["name"] not in found:
                found[modifier["name"]] = _default(kind, modifier, sample, channels)
    return list(found.values())


def _default(
    kind: str, modifier: Mapping[str, Any], sample: Mapping[str, Any], channels: Sequence[Mapping[str, Any]]
) -> Parameter:
    name = modifier["name"]
    if kind in ("histosys", "normsys"):
        return Parameter(name, 1, True, (0.0,), ((-5.0, 5.0),), (False,), "normal", auxdata=(0.0,), sigmas=(1.0,))
    if kind == "lumi":  # everything comes from the measurement
        return Parameter(name, 1, True, (), (), (False,), "normal")
    if kind == "normfactor":
        return Parameter(name, 1, True, (1.0,), ((0.0, 10.0),), (False,))
    n = len(sample["data"])
    if kind == "shapefactor":
        return Parameter(name, n, False, (1.0,) * n, ((0.0, 10.0),) * n, (False,) * n)
    if kind == "shapesys":
        return _default_shapesys(name, sample["data"], modifier["data"])
    return _default_staterror(name, channels)


def _default_shapesys(name: str, nominal: Sequence[float], uncertainty: Sequence[float]) -> Parameter:
    """One Poisson count of expectation tau = (nominal/uncertainty)^2 a bin; bins without either are fixed."""
    n = len(nominal)
    used = [b > 0 and u > 0 for b, u in zip(nominal, uncertainty, strict=True)]
    tau = tuple((b / u) ** 2 if ok else 1.0 for b, u, ok in zip(nominal, uncertainty, used, strict=True))
    fixed = tuple(not ok for ok in used)
    return Parameter(name, n, False, (1.0,) * n, ((1e-10, 10.0),) * n, fixed, "poisson", auxdata=tau, factors=tau)


def _default_staterror(name: str, channels: Sequence[Mapping[str, Any]]) -> Parameter:
    """One Gaussian of relative width sqrt(sum unc^2)/sum nominal a bin; bins of width zero are fixed."""
    sigmas: list[float] = []
    for channel in channels:
        carriers = [(s, m) for _, s, m in walk([channel]) if m["name"] == name and m["type"] == "staterror"]
        for b in range(nbins(channel) if carriers else 0):
            total = math.fsum(s["data"][b] for s, _ in carriers)
            variance = math.fsum(m["data"][b] ** 2 for _, m in carriers)
            sigmas.append(math.sqrt(variance) / total if total > 0 else 0.0)
    n = len(sigmas)
    fixed = tuple(s == 0 for s in sigmas)
    widths = tuple(s if s > 0 else 1.0 for s in sigmas)
    return Parameter(
        name, n, False, (1.0,) * n, ((1e-10, 10.0),) * n, fixed, "normal", auxdata=(1.0,) * n, sigmas=widths
    )


def _configure(parameter: Parameter, config: Mapping[str, Any]) -> Parameter:
    """The measurement's settings over the defaults."""
    changes: dict[str, Any] = {
        k: tuple(float(x) for x in config[k]) for k in ("inits", "auxdata", "sigmas", "factors") if k in config
    }
    if "bounds" in config:
        changes["bounds"] = tuple((float(lo), float(hi)) for lo, hi in config["bounds"])
    if "fixed" in config:
        changes["fixed"] = (bool(config["fixed"]),) * parameter.size
    return replace(parameter, **changes)
