"""Documents of the model language in pyhf's format, where that is exact: what the engine computes with today."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyhf_func.core.codes import DEFAULT_CODES, of_settings
from pyhf_func.core.expression import parse
from pyhf_func.exceptions import Fault, UnsupportedExtension, json_path, raise_faults
from pyhf_func.schema.extended import Steps, modifiers, parameters, scale_sample, walk
from pyhf_func.schema.frozen import thaw

__all__ = ["Plain", "plain"]

Document = dict[str, Any]


@dataclass(frozen=True)
class Plain:
    """A document of pyhf's format, and what goes with it.

    Attributes:
        document: The document.
        settings: Arguments of :class:`Model` that belong to it: ``modifier_settings``, ``clip_sample_data``, ...
        metadata: What changes no likelihood: names of the owner's parameters, bin edges, groups, ...
    """

    document: Document
    settings: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


def plain(document: Mapping[str, Any], source: str | None = None, *, computed: Collection[str] = frozenset()) -> Plain:
    """The same likelihood in pyhf's format.

    A product of parameters becomes several ``normfactor``; a Poisson ``staterror`` of one sample a ``shapesys``, and a
    Gaussian ``shapesys`` a ``staterror``; bins whose factor is fixed lose their uncertainty; a parameter with a Poisson
    count that scales one bin becomes a ``shapesys``, and the only one with a Gaussian measurement ``lumi``; one code of
    interpolation for all becomes a setting of the model.

    Args:
        document: The document, which :func:`~pyhf_func.schema.extended.check` passes.
        source: The file that it came from, for messages.
        computed: Optional keys that may stay where nothing is equal to them: those that the engine computes with.
            Constraints that it computes stay as they are.

    Raises:
        UnsupportedExtension: Something else has no exact counterpart; all of it at once, each with its place.

    Example:
        >>> document = {
        ...     "channels": [{"name": "SR", "samples": [{"name": "s", "data": [5.0], "modifiers": [
        ...         {"name": "r", "type": "normfactor", "data": None, "expression": "mu*eff"},
        ...         {"name": "xsec", "type": "normsys", "data": {"lo": 0.8, "hi": 1.25}, "interpolation": "code1"}]}]}],
        ...     "observations": [{"name": "SR", "data": [5]}],
        ...     "measurements": [{"name": "fit", "config": {"poi": "mu", "parameters": []}}],
        ...     "version": "1.0.0"}
        >>> same = plain(document)
        >>> [m["name"] for m in same.document["channels"][0]["samples"][0]["modifiers"]]
        ['mu', 'eff', 'xsec']
        >>> same.settings["modifier_settings"]
        {'normsys': {'interpcode': 'code1'}, 'histosys': {'interpcode': 'code4p'}}
    """
    work = _Work(thaw(dict(document)), source, computed)
    constraints = () if "constraint" in computed else (_fixed_bins, _densities, _poisson_factors, _gaussian_factor)
    for step in (_products, _pois, _usual_styles, *constraints, _codes, _rest):
        step(work)
    raise_faults(work.faults)
    return Plain(work.document, work.settings, work.metadata)


class _Work:
    """A document on its way, and what was found."""

    def __init__(self, document: Document, source: str | None, computed: Collection[str]) -> None:
        self.document = document
        self.source = source
        self.computed = computed
        self.settings: dict[str, Any] = dict(document.pop("settings", {}))
        self.metadata: dict[str, Any] = copy.deepcopy(document.pop("metadata", {}))
        self.places = {id(modifier): steps for steps, _, _, modifier in walk(document)}
        self.found: dict[tuple[str, str, str], list[Steps]] = {}

    def refuse(self, steps: Steps, name: str, message: str) -> None:
        """Note what cannot be held, once for a parameter: samples may share it."""
        if steps[-1] in self.computed:
            return
        self.found.setdefault((str(steps[-1]), name, message), []).append(steps)

    @property
    def faults(self) -> list[Fault]:
        return [self._fault(name, message, places) for (_, name, message), places in self.found.items()]

    def _fault(self, name: str, message: str, places: list[Steps]) -> Fault:
        line = self.metadata.get("lines", {}).get(name)
        where = f"{name!r}, line {line}" if line else repr(name)
        others = f" (and in {len(places) - 1} more places)" if len(places) > 1 else ""
        return Fault(json_path(places[0]), f"{where}: {message}{others}", UnsupportedExtension, self.source)

    def carriers(self, name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """The samples and modifiers of a parameter."""
        return [(sample, modifier) for _, _, sample, modifier in walk(self.document) if modifier["name"] == name]

    def arguments(self) -> set[str]:
        """The parameters of expressions."""
        found = [m for m in modifiers(self.document) if "expression" in m]
        return {name for m in found for name in parse(m["expression"], m.get("arguments", [])).names}

    def configured(self, name: str) -> list[dict[str, Any]]:
        return [config for _, config in parameters(self.document) if config["name"] == name]


def _products(work: _Work) -> None:
    for channel in work.document["channels"]:
        for sample in channel["samples"]:
            made: list[dict[str, Any]] = []
            taken = Counter(m["name"] for m in sample["modifiers"] if "expression" not in m)
            for modifier in sample["modifiers"]:
                if "expression" not in modifier:
                    made.append(modifier)
                    continue
                names = parse(modifier["expression"], modifier.get("arguments", [])).factors()
                if names is None or len(set(names)) < len(names) or any(taken[name] for name in names):
                    steps = (*work.places[id(modifier)], "expression")
                    message = f"{modifier['expression']!r} is no product of different parameters"
                    work.refuse(steps, modifier["name"], message)
                    made.append(modifier)
                    continue
                taken.update(names)
                made.extend({"name": name, "type": "normfactor", "data": None} for name in names)
            sample["modifiers"] = made
    for m in modifiers(work.document):
        work.places.setdefault(id(m), ())


def _pois(work: _Work) -> None:
    """The further parameters of interest, which are free like others."""
    for m, measurement in enumerate(work.document["measurements"]):
        config = measurement["config"]
        if "pois" in config:
            work.metadata.setdefault("pois", {})[measurement["name"]] = config.pop("pois")
        if "correlations" in config:
            work.refuse(("measurements", m, "config", "correlations"), measurement["name"], "correlated constraints")


def _usual_styles(work: _Work) -> None:
    for modifier in modifiers(work.document, "staterror"):
        if modifier.get("style") == "factor":
            del modifier["style"]


def _fixed_bins(work: _Work) -> None:
    """Bins whose factor stays at one: without an uncertainty they do."""
    for steps, config in parameters(work.document):
        fixed = config.get("fixed")
        if not isinstance(fixed, list):
            continue
        name, place = config["name"], (*steps, "fixed")
        inits = config.get("inits", [1.0] * len(fixed))
        others = [c.get("fixed") for c in work.configured(name)]
        others += [None] * (len(work.document["measurements"]) - len(others))
        per_bin = [m for m in modifiers(work.document, "shapesys", "staterror") if m["name"] == name]
        if len(set(fixed)) == 1:
            config["fixed"] = fixed[0]
        elif (
            not per_bin
            or any(f and i != 1 for f, i in zip(fixed, inits, strict=True))
            or any(o != fixed for o in others)
        ):
            work.refuse(place, name, "flags for single bins, of a factor that is not fixed at one")
        else:
            _drop_uncertainties(work, name, fixed)
    for config in (config for _, config in parameters(work.document)):
        if isinstance(config.get("fixed"), list):
            del config["fixed"]


def _drop_uncertainties(work: _Work, name: str, fixed: list[bool]) -> None:
    start = 0
    for channel in sorted(work.document["channels"], key=lambda channel: str(channel["name"])):
        found = [m for sample in channel["samples"] for m in sample["modifiers"] if m["name"] == name]
        for modifier in found:
            flags = fixed[start : start + len(modifier["data"])]
            modifier["data"] = [0.0 if flag else error for flag, error in zip(flags, modifier["data"], strict=True)]
        start += len(found[0]["data"]) if found and found[0]["type"] == "staterror" else 0


def _densities(work: _Work) -> None:
    """Constraints of the other type on factors of single bins: of one sample, the modifier types differ in no more."""
    measurements = len(work.document["measurements"])
    for modifier in list(modifiers(work.document, "shapesys", "staterror")):
        kind, given = modifier["type"], modifier.get("constraint")
        fixed = [config.get("fixed") is True for config in work.configured(modifier["name"])]
        if given and len(fixed) == measurements and all(fixed):
            given = modifier["constraint"] = "poisson" if kind == "shapesys" else "gauss"  # it is a constant
        usual = "poisson" if kind == "shapesys" else "gauss"
        if given == usual:
            del modifier["constraint"]
        elif given in ("gauss", "poisson") and "style" not in modifier and len(work.carriers(modifier["name"])) == 1:
            modifier["type"] = "staterror" if given == "gauss" else "shapesys"
            del modifier["constraint"]
    for modifier in modifiers(work.document, "normsys", "histosys"):
        if modifier.get("constraint") == "gauss":
            del modifier["constraint"]


def _poisson_factors(work: _Work) -> None:
    """A parameter that scales one bin, and that a Poisson count measures: the factor of a shapesys, in its unit."""
    for name in dict.fromkeys(c["name"] for _, c in parameters(work.document) if c.get("constraint") == "poisson"):
        carriers, configs = work.carriers(name), work.configured(name)
        if name in work.arguments():
            continue
        measured = {(c.get("constraint"), *c.get("auxdata", ()), *c.get("factors", (1.0,))) for c in configs}
        if len(carriers) != 1 or len(carriers[0][0]["data"]) != 1 or len(configs) != len(work.document["measurements"]):
            continue
        if len(measured) != 1 or len(found := next(iter(measured))) != 3 or found[1] <= 0:
            continue
        sample, modifier = carriers[0]
        _, count, factor = found
        unit = count / factor
        scale_sample(sample, unit)
        modifier.update({"type": "shapesys", "data": [sample["data"][0] / count**0.5]})
        for config in configs:
            for key in ("constraint", "auxdata", "factors"):
                config.pop(key, None)
            config["inits"] = [value / unit for value in config.get("inits", [1.0])]
            config["bounds"] = [[end / unit for end in pair] for pair in config.get("bounds", [[0.0, 10.0]])]
        for owner, entry in work.metadata.get("foreign_names", {}).items():
            if entry == name:
                work.metadata["foreign_names"][owner] = f"{name}[0]"
                work.metadata.setdefault("scales", {})[owner] = unit


def _gaussian_factor(work: _Work) -> None:
    """The only parameter with a Gaussian measurement is what pyhf calls lumi."""
    names = {c["name"] for _, c in parameters(work.document) if c.get("constraint") == "gauss"}
    if len(names) != 1 or any(m["type"] == "lumi" or m["name"] == "lumi" for m in modifiers(work.document)):
        return
    (name,) = names
    if name in work.arguments():
        return
    configs = work.configured(name)
    complete = all({"constraint", "auxdata", "sigmas"} <= c.keys() for c in configs)
    if not complete or len(configs) != len(work.document["measurements"]):
        return
    if any(measurement["config"]["poi"] == name for measurement in work.document["measurements"]):
        return
    for _, modifier in work.carriers(name):
        modifier.update({"name": "lumi", "type": "lumi"})
    for config in configs:
        del config["constraint"]
        config.update(
            {"name": "lumi", "inits": config.get("inits", [1.0]), "bounds": config.get("bounds", [[0.0, 10.0]])}
        )
    foreign = work.metadata.setdefault("foreign_names", {name: "lumi"})
    for owner, entry in foreign.items():
        foreign[owner] = "lumi" if entry == name else entry


def _codes(work: _Work) -> None:
    """One code for all of a type, as a setting of the model: settings for one type say something of the other's."""
    chosen = dict(DEFAULT_CODES)
    for kind, usual in DEFAULT_CODES.items():
        found = list(modifiers(work.document, kind))
        for modifier in found:
            if modifier.get("interpolation") == "asympow" and modifier["data"]["lo"] * modifier["data"]["hi"] == 1.0:
                modifier["interpolation"] = "code1"
            if modifier.get("smooth") == 1.0:
                del modifier["smooth"]
        used = {modifier.get("interpolation", usual) for modifier in found}
        if len(used) != 1 or not used <= set(of_settings(kind)):
            continue
        (chosen[kind],) = used
        for modifier in found:
            modifier.pop("interpolation", None)
    if chosen != DEFAULT_CODES:
        work.settings["modifier_settings"] = {kind: {"interpcode": code} for kind, code in chosen.items()}


_REASONS: dict[str, Callable[[Any], str]] = {
    "interpolation": lambda code: f"the interpolation {code!r}, or its mixture with others",
    "smooth": lambda width: f"an interpolation that is smooth up to {width}",
    "constraint": lambda kind: f"the constraint {kind!r}",
    "style": lambda _: "statistical uncertainties that are added to the sum of samples",
    "sigmas_down": lambda _: "a constraint with two widths",
}


def _rest(work: _Work) -> None:
    """Refuse every optional key that is left."""
    for c, channel in enumerate(work.document["channels"]):
        for s, sample in enumerate(channel["samples"]):
            if "floor" in sample:
                message = "morphed templates that are kept above a floor and at their integral"
                work.refuse(("channels", c, "samples", s, "floor"), f"{channel['name']}/{sample['name']}", message)
    for _, _, _, modifier in walk(work.document):
        steps = work.places[id(modifier)]
        for key in ("interpolation", "smooth", "constraint", "style"):
            if key in modifier:
                work.refuse((*steps, key), modifier["name"], _REASONS[key](modifier[key]))
    kinds = {modifier["name"]: modifier["type"] for modifier in modifiers(work.document)}
    for steps, config in parameters(work.document):
        for key in ("constraint", "sigmas_down"):
            if key in config:
                work.refuse((*steps, key), config["name"], _REASONS[key](config[key]))
        if "sigmas" in config and kinds.get(config["name"]) in ("normsys", "histosys"):
            work.refuse((*steps, "sigmas"), config["name"], "a Gaussian of another width than one")
