"""Lint of the physics: what a likelihood may mean, though somebody probably means something else."""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from pyhf_func._lookup import listed, shown
from pyhf_func.core.expression import parse
from pyhf_func.core.values import as_list, bins
from pyhf_func.exceptions import PyhfFuncError, WorkspaceWarning, json_path
from pyhf_func.workspace import Workspace

__all__ = ["CHECKS", "Finding", "lint"]

_TINY = 1e-3
"""Relative effect of an uncertainty, below which it is called tiny."""
_FAR = 5.0
"""Standard deviations between data and expectation, from which data are far outside."""
_BINWISE = ("shapesys", "staterror")

CHECKS = {
    "invalid": "the model cannot be built",
    "dubious": "the model can be built, with a warning",
    "negative-yield": "a sample has a negative yield",
    "empty-bin": "no sample has a yield in a bin",
    "empty-sample": "a sample has no yield at all",
    "one-sided": "up and down change a yield in the same direction",
    "flat": "an uncertainty changes nothing",
    "tiny": "an uncertainty changes next to nothing",
    "large": "an uncertainty changes a yield by its whole size, or more",
    "no-poi": "there is no parameter of interest",
    "poi-without-effect": "the parameter of interest changes no yield, or cannot move",
    "poi-everywhere": "the parameter of interest scales every sample of every channel",
    "without-effect": "a parameter scales nothing but empty samples",
    "degenerate": "two free factors scale the same samples",
    "similar-names": "two parameters have names that differ by their writing alone",
    "shared-factor": "one free factor scales samples of different names",
    "shared-shape": "one set of free factors of bins scales several channels",
    "no-statistics": "a sample lacks the statistical uncertainty that others of its channel have",
    "not-integer": "observed counts are not integers",
    "far-outside": "data lie far outside of the expectation",
}
"""What is looked for."""


class Finding(NamedTuple):
    """Something that may not be meant."""

    check: str
    """its kind, one of ``CHECKS``."""
    path: str
    """JSON path of the place in the workspace."""
    message: str
    """what is there, with channel, sample, modifier and bins."""


@dataclass(frozen=True)
class _Use:
    """A modifier where it stands."""

    path: str
    place: str
    channel: str
    sample: str
    nominal: np.ndarray
    modifier: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.modifier["type"])

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters: the modifier's name, or those of its expression."""
        if "expression" not in self.modifier:
            return (str(self.modifier["name"]),)
        return tuple(parse(self.modifier["expression"], self.modifier.get("arguments", [])).names)

    @property
    def templates(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Yields one standard deviation up and down; none of what has no such pair."""
        data = self.modifier["data"]
        if self.kind == "normsys":
            return self.nominal * data["hi"], self.nominal * data["lo"]
        if self.kind == "histosys":
            return np.array(as_list(data["hi_data"]), float), np.array(as_list(data["lo_data"]), float)
        return None


@dataclass
class _Likelihood:
    """A workspace as the checks read it."""

    workspace: Workspace
    measurement: Mapping[str, Any]
    tiny: float
    uses: list[_Use] = field(default_factory=list)
    of_channel: dict[str, list[_Use]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for c, s, channel, sample in self.samples():
            nominal = np.array(as_list(sample["data"]), float)
            for m, modifier in enumerate(sample["modifiers"]):
                path = json_path(("channels", c, "samples", s, "modifiers", m))
                place = f"{channel['name']}, {sample['name']}, {modifier['name']} ({modifier['type']})"
                use = _Use(path, place, channel["name"], sample["name"], nominal, modifier)
                self.uses.append(use)
                self.of_channel.setdefault(use.channel, []).append(use)

    def samples(self) -> Iterator[tuple[int, int, Mapping[str, Any], Mapping[str, Any]]]:
        for c, channel in enumerate(self.workspace["channels"]):
            for s, sample in enumerate(channel["samples"]):
                yield c, s, channel, sample

    @property
    def poi(self) -> str:
        return str(self.measurement["config"]["poi"])

    def by_name(self) -> dict[str, list[_Use]]:
        found: dict[str, list[_Use]] = defaultdict(list)
        for use in self.uses:
            for name in use.names:
                found[name].append(use)
        return found


def lint(
    workspace: Workspace | Mapping[str, Any], measurement_name: str | None = None, *, tiny: float = _TINY
) -> list[Finding]:
    """Look for what a likelihood may mean, though somebody probably means something else.

    Empty and negative bins, uncertainties that are one-sided, flat, tiny or large, a parameter of interest without
    effect, names that are shared, or not shared, by accident, data far outside of the expectation, and all that a model
    of the workspace is refused or warned for. No fit is made. `pyhf_func.documents.lint.CHECKS` has all kinds.

    Args:
        workspace: The workspace, or its document.
        measurement_name: The measurement whose parameters are looked at; by default the first.
        tiny: Relative effect on a sample, below which an uncertainty is called tiny.

    Returns:
        The findings, each with its kind, place and what is there; none where all is as usual.

    Raises:
        InvalidSpecification: The document does not follow the schema.
        InvalidMeasurement: There is no such measurement.

    Example:
        >>> import pyhf_func as pf
        >>> workspace = pf.build(poi="mu", channels={"SR": pf.Channel(data=[52.0, 40.0], samples={
        ...     "signal": pf.Sample([0.0, 0.0], pf.Free("mu")),
        ...     "background": pf.Sample([50.0, 41.0], pf.Norm("xsec", (0.04, 0.06)))})})
        >>> for finding in pf.lint(workspace):
        ...     print(finding.check, finding.path)
        empty-sample $.channels[0].samples[0].data
        one-sided $.channels[0].samples[1].modifiers[0]
        poi-without-effect $.measurements[0].config.poi
    """
    opened = workspace if isinstance(workspace, Workspace) else Workspace(workspace)
    measurement = opened.get_measurement(measurement_name)
    refused = list(_of_model(opened, measurement["name"]))
    found = []
    if not any(finding.check == "invalid" for finding in refused):
        likelihood = _Likelihood(opened, measurement, tiny)
        found = [finding for check in _LOOKS for finding in check(likelihood)]
    known = {finding.path for finding in found}
    return [*(finding for finding in refused if finding.path not in known), *found]


def _of_model(workspace: Workspace, measurement: str) -> Iterator[Finding]:
    """What the model is refused or warned for."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", WorkspaceWarning)
        try:
            workspace.data(workspace.model(measurement_name=measurement, strict=False))
        except PyhfFuncError as error:
            yield from (Finding("invalid", fault.path, fault.message) for fault in error.faults)
            if not error.faults:
                yield Finding("invalid", "$", str(error))
    for warning in caught:
        if isinstance(warning.message, WorkspaceWarning):
            doubts = [Finding("dubious", fault.path, fault.message) for fault in warning.message.faults]
            yield from doubts or [Finding("dubious", "$", str(warning.message))]


def _yields(likelihood: _Likelihood) -> Iterator[Finding]:
    """Negative and empty bins and samples."""
    for c, s, channel, sample in likelihood.samples():
        data, path = np.array(as_list(sample["data"]), float), json_path(("channels", c, "samples", s, "data"))
        place = f"{channel['name']}, {sample['name']}"
        if np.any(data < 0):
            yield Finding("negative-yield", path, f"{place}: negative in {bins(_where(data < 0))}")
        elif not np.any(data):
            yield Finding("empty-sample", path, f"{place}: no yield in any bin")
    for c, channel in enumerate(likelihood.workspace["channels"]):
        total = np.sum([as_list(sample["data"]) for sample in channel["samples"]], axis=0)
        empty = _where(total <= 0)
        if empty:
            seen = np.array(as_list(likelihood.workspace.observations[channel["name"]]))[empty]
            events = f", where {np.sum(seen):g} events were observed" if np.any(seen) else ""
            message = f"{channel['name']}: nothing is expected in {bins(empty)}{events}"
            yield Finding("empty-bin", json_path(("channels", c)), message)


def _variations(likelihood: _Likelihood) -> Iterator[Finding]:
    """One-sided, flat, tiny and large uncertainties."""
    for use in likelihood.uses:
        templates = use.templates
        there = use.nominal > 0
        if templates is None or not np.any(there):
            continue
        changes = [(template - use.nominal)[there] / use.nominal[there] for template in templates]
        up, down = changes
        size = float(max(np.max(np.abs(up)), np.max(np.abs(down))))
        if size == 0:
            yield Finding("flat", use.path, f"{use.place}: up and down are the nominal yields")
            continue
        if size < likelihood.tiny:
            yield Finding("tiny", use.path, f"{use.place}: its largest relative effect is {size:.2g}")
            continue
        same = (up * down > 0) & (np.minimum(np.abs(up), np.abs(down)) >= likelihood.tiny)
        if np.any(same):
            where = "" if use.kind == "normsys" else f" in {bins(np.flatnonzero(there)[same].tolist())}"
            yield Finding(
                "one-sided", use.path, f"{use.place}: up and down change the yield in the same direction{where}"
            )
        elif not np.any(up) or not np.any(down):
            side = "up" if not np.any(up) else "down"
            yield Finding("one-sided", use.path, f"{use.place}: the variation {side} is the nominal yield")
        if np.any(np.minimum(up, down) <= -1) or size >= 1:
            yield Finding("large", use.path, f"{use.place}: its largest relative effect is {size:.2g}")


def _statistics(likelihood: _Likelihood) -> Iterator[Finding]:
    """Errors of bins that are as large as the yields, and samples without any."""
    for use in likelihood.uses:
        if use.kind not in _BINWISE:
            continue
        errors = np.array(as_list(use.modifier["data"]), float)
        large = _where((errors >= use.nominal) & (use.nominal > 0) & (errors > 0))
        if large:
            yield Finding("large", use.path, f"{use.place}: errors as large as the yields in {bins(large)}")
        elif not np.any(errors):
            yield Finding("flat", use.path, f"{use.place}: all errors are zero")
    for c, channel in enumerate(likelihood.workspace["channels"]):
        kinds = [{m["type"] for m in sample["modifiers"]} for sample in channel["samples"]]
        if not any("staterror" in one for one in kinds):
            continue
        for s, (sample, one) in enumerate(zip(channel["samples"], kinds, strict=True)):
            data_driven = one & {"shapesys", "shapefactor"} or likelihood.poi in {
                m["name"] for m in sample["modifiers"]
            }
            if "staterror" not in one and not data_driven:
                path = json_path(("channels", c, "samples", s))
                message = "no staterror, though other samples of the channel have one"
                yield Finding("no-statistics", path, f"{channel['name']}, {sample['name']}: {message}")


def _poi(likelihood: _Likelihood) -> Iterator[Finding]:
    """A parameter of interest that is missing, without effect, fixed, or on everything."""
    names = likelihood.workspace.measurement_names
    path = json_path(("measurements", names.index(likelihood.measurement["name"]), "config", "poi"))
    poi, uses = likelihood.poi, likelihood.by_name().get(likelihood.poi, [])
    if not poi:
        yield Finding("no-poi", path, "no parameter of interest is named: there is nothing to test")
        return
    config: Mapping[str, Any] = next(
        (one for one in likelihood.measurement["config"]["parameters"] if one["name"] == poi), {}
    )
    if not uses:
        yield Finding("poi-without-effect", path, f"no modifier is called {poi!r}")
    elif not any(np.any(use.nominal) for use in uses):
        yield Finding("poi-without-effect", path, f"all samples that {poi!r} changes are empty")
    elif config.get("fixed") is True:
        yield Finding("poi-without-effect", path, f"{poi!r} is fixed")
    elif all(low >= high for low, high in config.get("bounds", [])) and config.get("bounds"):
        yield Finding("poi-without-effect", path, f"{poi!r} has the bounds {config['bounds'][0]}")
    touched = {(use.channel, use.sample) for use in uses}
    every = {(channel["name"], sample["name"]) for _, _, channel, sample in likelihood.samples()}
    if touched == every and len(every) > 1:
        yield Finding("poi-everywhere", path, f"{poi!r} scales every sample: there is no background")


def _parameters(likelihood: _Likelihood) -> Iterator[Finding]:
    """Parameters without effect, and free ones that nothing tells apart."""
    by_name = likelihood.by_name()
    for name, uses in by_name.items():
        if name != likelihood.poi and not any(np.any(use.nominal) for use in uses):
            yield Finding("without-effect", uses[0].path, f"{name!r} changes nothing but empty samples")
    fixed = {one["name"] for one in likelihood.measurement["config"]["parameters"] if one.get("fixed") is True}
    free: dict[frozenset[tuple[str, str]], list[str]] = defaultdict(list)
    for name, uses in by_name.items():
        if all(use.kind == "normfactor" and "expression" not in use.modifier for use in uses) and name not in fixed:
            free[frozenset((use.channel, use.sample) for use in uses)].append(name)
    for names in free.values():
        if len(names) > 1:
            message = f"{listed(names)} scale the same samples: their product alone is known"
            yield Finding("degenerate", by_name[names[1]][0].path, message)


def _names(likelihood: _Likelihood) -> Iterator[Finding]:
    """Names that are shared, or not shared, by accident."""
    by_name = likelihood.by_name()
    written: dict[str, list[str]] = defaultdict(list)
    for name in by_name:
        written[re.sub(r"[\s_.\-]+", "", re.sub(r"^(alpha|gamma)_", "", name)).lower()].append(name)
    for alike in written.values():
        for one, other in combinations(alike, 2):
            message = f"{one!r} and {other!r} differ by their writing alone, and are two parameters"
            yield Finding("similar-names", by_name[other][0].path, message)
    for name, uses in by_name.items():
        kinds = {use.kind for use in uses}
        samples = list(dict.fromkeys(use.sample for use in uses))
        channels = list(dict.fromkeys(use.channel for use in uses))
        if kinds == {"normfactor"} and len(samples) > 1 and name != likelihood.poi:
            message = f"{name!r} is one free factor of the samples {listed(samples)}"
            yield Finding("shared-factor", uses[1].path, message)
        if kinds == {"shapefactor"} and len(channels) > 1:
            message = f"{name!r} is one set of free factors of bins in the channels {listed(channels)}"
            yield Finding("shared-shape", uses[1].path, message)


def _data(likelihood: _Likelihood) -> Iterator[Finding]:
    """Data that are no counts, or that nobody would expect."""
    places = {observation["name"]: o for o, observation in enumerate(likelihood.workspace["observations"])}
    for channel in likelihood.workspace["channels"]:
        name = channel["name"]
        seen = np.array(as_list(likelihood.workspace.observations[name]), float)
        path = json_path(("observations", places[name], "data"))
        if fractions := _where(seen != np.round(seen)):
            yield Finding(
                "not-integer", path, f"{name}: {shown(seen[fractions[0]].item())} events in {bins(fractions)}"
            )
        expected, error = _expected(likelihood, channel)
        there = expected > 0
        deviation = np.where(there, (seen - expected) / np.sqrt(np.where(there, expected + error**2, 1.0)), 0.0)
        if far := _where(np.abs(deviation) >= _FAR):
            worst = max(far, key=lambda b: abs(deviation[b]))
            numbers = f"{seen[worst]:g} observed, {expected[worst]:.4g} ± {error[worst]:.2g} expected in bin {worst}"
            yield Finding("far-outside", path, f"{name}: {bins(far)} far outside: {numbers}")


def _expected(likelihood: _Likelihood, channel: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Expected yields of a channel before the fit, and their systematic errors: a free factor is known to 100 %."""
    total = np.sum([as_list(sample["data"]) for sample in channel["samples"]], axis=0).astype(float)
    shifts: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros_like(total))
    for use in likelihood.of_channel.get(channel["name"], []):
        if (templates := use.templates) is not None:
            up, down = (np.abs(template - use.nominal) for template in templates)
            shifts[use.names[0], "common"] += np.maximum(up, down)
        elif use.kind in _BINWISE:
            own = (use.path, "own")
            shifts[own] = np.array(as_list(use.modifier["data"]), float)
        elif use.kind == "lumi":
            shifts["lumi", "common"] += use.nominal * _width(likelihood)
        else:
            shifts[use.path, "free"] += use.nominal
    return total, np.sqrt(np.sum([np.zeros_like(total), *(shift**2 for shift in shifts.values())], axis=0))


def _width(likelihood: _Likelihood) -> float:
    """Of the luminosity."""
    for config in likelihood.measurement["config"]["parameters"]:
        if config["name"] == "lumi":
            return float(config.get("sigmas", [0.0])[0])
    return 0.0


def _where(condition: np.ndarray) -> list[int]:
    return np.flatnonzero(condition).tolist()


_LOOKS: tuple[Callable[[_Likelihood], Iterator[Finding]], ...] = (
    *(_yields, _variations, _statistics, _poi, _parameters, _names, _data),
)
