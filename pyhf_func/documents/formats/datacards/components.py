"""Components of the parameters of a document: start, range and auxiliary measurement of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyhf_func.core.expression import parse
from pyhf_func.schema.extended import walk

__all__ = ["Component", "Parameter", "parameters_of"]

_DEFAULTS = {
    "normsys": (0.0, (-5.0, 5.0), "gauss"),
    "histosys": (0.0, (-5.0, 5.0), "gauss"),
    "lumi": (1.0, (0.0, 10.0), "gauss"),
    "normfactor": (1.0, (0.0, 10.0), "none"),
    "shapefactor": (1.0, (0.0, 10.0), "none"),
    "shapesys": (1.0, (1e-10, 10.0), "poisson"),
    "staterror": (1.0, (1e-10, 10.0), "gauss"),
}


@dataclass(frozen=True)
class Component:
    """One number of a parameter: its start, range and what is measured of it.

    A Poisson measurement counts ``mean`` events and expects ``factor`` for a value of one.
    """

    start: float
    low: float
    high: float
    fixed: bool
    density: str
    mean: float
    width: float
    below: float
    factor: float

    @property
    def is_standard(self) -> bool:
        """Whether its measurement is a Gaussian of zero and one."""
        return (self.density, self.mean, self.width) == ("gauss", 0.0, 1.0) and not (self.fixed and self.start)


@dataclass
class Parameter:
    """A parameter: its modifier type, components, and where those of a channel start."""

    kind: str
    components: list[Component]
    starts: dict[str, int]
    place: tuple[str | int, ...]


def parameters_of(document: Mapping[str, Any]) -> dict[str, Parameter]:
    """Every parameter of the first measurement.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([5.0], [32.0], [8.0])
        >>> found = parameters_of(pf.Workspace.build(model, [52.0]))["uncorr_bkguncrt"].components[0]
        >>> found.density, found.mean, found.factor
        ('poisson', 16.0, 16.0)
    """
    configs = {config["name"]: config for config in document["measurements"][0]["config"]["parameters"]}
    found: dict[str, Parameter] = {}
    carriers = list(_carriers(document))
    for steps, name, kind, sample, modifier in sorted(carriers, key=lambda carrier: "expression" in carrier[-1]):
        if name in found:
            continue
        widths, starts = _widths(document, name, kind, sample, modifier)
        additive = modifier.get("style") == "additive"
        start, ends, density = (0.0, (-7.0, 7.0), "gauss") if additive else _DEFAULTS.get(kind, _DEFAULTS["normfactor"])
        density = modifier.get("constraint", density) if kind not in ("normfactor", "lumi") else density
        base = {"density": density, "start": start, "ends": ends, "additive": additive}
        found[name] = Parameter(kind, _components(widths, base, configs.get(name, {})), starts, steps)
    return found


def _carriers(document: Mapping[str, Any]) -> Iterator[tuple[Any, str, str, dict[str, Any], dict[str, Any]]]:
    for steps, _, sample, modifier in walk(document):
        if "expression" in modifier:
            for name in parse(modifier["expression"], modifier.get("arguments", [])).names:
                yield steps, name, "normfactor", sample, modifier
        else:
            yield steps, modifier["name"], modifier["type"], sample, modifier


def _widths(
    document: Mapping[str, Any], name: str, kind: str, sample: Mapping[str, Any], modifier: Mapping[str, Any]
) -> tuple[list[float], dict[str, int]]:
    """The relative uncertainty of each component, or one; and where those of a channel start."""
    if kind == "shapefactor":
        return [1.0] * max(len(s["data"]) for _, _, s, m in walk(document) if m["name"] == name), {}
    if kind == "shapesys":
        return _ratio(np.asarray(modifier["data"], dtype=float), np.asarray(sample["data"], dtype=float)), {}
    if kind != "staterror":
        return [1.0], {}
    widths: list[float] = []
    starts: dict[str, int] = {}
    for channel in sorted(document["channels"], key=lambda channel: str(channel["name"])):
        pairs = [(s, m) for s in channel["samples"] for m in s["modifiers"] if m["name"] == name]
        if pairs:
            starts[channel["name"]] = len(widths)
            errors = np.sqrt(np.sum([np.square(m["data"]) for _, m in pairs], axis=0))
            widths.extend(_ratio(errors, np.sum([s["data"] for s, _ in pairs], axis=0)))
    return widths, starts


def _ratio(errors: Any, nominal: Any) -> list[float]:
    used = (nominal > 0) & (errors > 0)
    found: list[float] = np.where(used, errors / np.where(used, nominal, 1.0), 0.0).tolist()
    return found


def _components(widths: list[float], base: Mapping[str, Any], config: Mapping[str, Any]) -> list[Component]:
    """The components, of what a document says and what it leaves to the defaults."""
    count, density = len(widths), config.get("constraint", base["density"])
    used = [1.0 if width == 0 or base["additive"] else width for width in widths]
    events = [1 / width**2 for width in used] if density == "poisson" and "constraint" not in config else [1.0] * count
    means = events if density == "poisson" else [base["start"]] * count
    fixed = config.get("fixed", [False] * count)
    flags = fixed if isinstance(fixed, list) else [fixed] * count
    sigmas = config.get("sigmas", used)
    return [
        Component(
            start=float(config.get("inits", [base["start"]] * count)[i]),
            low=float(config.get("bounds", [base["ends"]] * count)[i][0]),
            high=float(config.get("bounds", [base["ends"]] * count)[i][1]),
            fixed=bool(flags[i] or width == 0),
            density=density,
            mean=float(config.get("auxdata", means)[i]),
            width=float(sigmas[i]),
            below=float(config.get("sigmas_down", sigmas)[i]),
            factor=float(config.get("factors", events)[i]),
        )
        for i, width in enumerate(widths)
    ]
