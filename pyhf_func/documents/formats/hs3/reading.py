"""Read HS3 into a document of the model language."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from pyhf_func.documents.formats.hs3.channels import Channels, ModifierUse
from pyhf_func.documents.formats.hs3.constraints import constraint_of
from pyhf_func.documents.formats.hs3.naming import named
from pyhf_func.documents.formats.hs3.parameters import Found, configs
from pyhf_func.documents.formats.hs3.parts import Analysis, Item, Notes, Parts, Steps
from pyhf_func.documents.formats.hs3.structure import check_structure
from pyhf_func.exceptions import WorkspaceWarning, raise_faults

__all__ = ["is_hs3", "read"]

Document = dict[str, Any]


def is_hs3(document: Any) -> bool:
    """Whether a JSON object is HS3.

    Example:
        >>> is_hs3({"distributions": [], "metadata": {"hs3_version": "0.2"}}), is_hs3({"channels": []})
        (True, False)
    """
    if not isinstance(document, Mapping) or "channels" in document:
        return False
    metadata = document.get("metadata")
    return "distributions" in document or (isinstance(metadata, Mapping) and "hs3_version" in metadata)


def read(
    document: Mapping[str, Any],
    *,
    analysis: str | None = None,
    strict: bool = False,
    source: str | None = None,
) -> Document:
    """Read HS3 with HistFactory distributions, of any of the dialects in use: ROOT's old, current and next, pyhs3's.

    Args:
        document: The HS3 document.
        analysis: Name of the analysis; by default the first whose name holds ``obs``, else the first. All analyses of
            the same likelihood become measurements.
        strict: Whether what is otherwise warned of is refused.
        source: The file that it came from, for messages.

    Returns:
        A document of the model language; of pyhf's format but for the key ``metadata``, where nothing more is needed.

    Raises:
        InvalidSpecification: The document holds what the model language lacks, or makes no sense; all at once.

    Warns:
        WorkspaceWarning: Once, naming everything dubious.

    Example:
        >>> document = read({
        ...     "distributions": [{"name": "model_SR", "type": "histfactory_dist", "axes": [{"name": "x", "nbins": 1}],
        ...         "samples": [{"name": "s", "data": {"contents": [5.0]}, "modifiers": [
        ...             {"name": "mu", "type": "normfactor", "parameter": "mu"}, {"name": "jes", "type": "normsys",
        ...              "parameter": "alpha_jes", "data": {"hi": 1.1, "lo": 0.9}}]}]}],
        ...     "data": [{"name": "obs_SR", "type": "binned", "contents": [6]}],
        ...     "likelihoods": [{"name": "L", "distributions": ["model_SR"], "data": ["obs_SR"]}],
        ...     "analyses": [{"name": "fit", "likelihood": "L", "parameters_of_interest": ["mu"]}]})
        >>> document["channels"][0]["name"], document["metadata"]["foreign_names"]
        ('SR', {'mu': 'mu', 'alpha_jes': 'jes'})
    """
    notes = Notes(source)
    check_structure(document, notes)
    raise_faults(notes.faults)
    parts = Parts(document, notes)
    analyses, likelihood = _chosen(parts, analysis)
    raise_faults(notes.faults)
    assert likelihood is not None
    steps, item = likelihood
    channels = Channels(parts, analyses[0], notes)
    pairs = list(_pairs(parts, steps, item))
    for place, distribution, data in pairs:
        channels.add(place, distribution, data)
    _constrain(channels, item)
    raise_faults(notes.faults)
    result = _document(channels, analyses)
    raise_faults(notes.faults)
    if strict:
        raise_faults(notes.doubts)
    if notes.doubts:
        warnings.warn(WorkspaceWarning(notes.doubts), stacklevel=2)
    return result


def _chosen(parts: Parts, wanted: str | None) -> tuple[list[Analysis], tuple[Steps, Item] | None]:
    """The analyses of one likelihood, and it."""
    analyses, likelihoods = parts.analyses(), parts.likelihoods()
    if not any(item.get("type") == "histfactory_dist" for _, item in parts.distributions.values()):
        kinds = sorted({str(item.get("type")) for _, item in parts.distributions.values()}) or ["none"]
        parts.notes.fault(("distributions",), f"no histfactory_dist is there, only {', '.join(kinds)}")
        return [], None
    if not likelihoods:
        parts.notes.fault(("likelihoods",), "no likelihood says which distributions belong to which data")
        return [], None
    if not analyses:
        found = next((pair for name, pair in likelihoods.items() if "obs" in name.lower()), None)
        chosen = found or next(iter(likelihoods.values()))
        return [parts.analysis({"name": chosen[1]["name"]})], chosen
    names = [str(item["name"]) for _, item in analyses]
    if wanted is not None and wanted not in names:
        parts.notes.fault(("analyses",), f"there is no analysis {wanted!r}, but {', '.join(names)}")
        return [], None
    first = (
        names.index(wanted) if wanted is not None else next((i for i, n in enumerate(names) if "obs" in n.lower()), 0)
    )
    name = analyses[first][1].get("likelihood")
    if name not in likelihoods:
        parts.notes.fault((*analyses[first][0], "likelihood"), f"there is no likelihood {name!r}")
        return [], None
    same = [item for _, item in analyses if item.get("likelihood") == name]
    return [parts.analysis(item) for item in same], likelihoods[name]


def _pairs(parts: Parts, steps: Steps, likelihood: Item) -> Iterator[tuple[Steps, Item, Item]]:
    """The HistFactory distributions of a likelihood with their data; everything else is a constraint, or a fault."""
    names, data = likelihood.get("distributions", []), likelihood.get("data", [])
    auxiliary = likelihood.get("aux_distributions", [])
    if len(names) != len(data):
        parts.notes.fault(steps, f"has {len(names)} distributions and {len(data)} data")
    for i, (name, observed) in enumerate(zip([*names, *auxiliary], [*data, *([None] * len(auxiliary))], strict=False)):
        if name not in parts.distributions:
            parts.notes.fault((*steps, "distributions", i), f"there is no distribution {name!r}")
            continue
        place, distribution = parts.distributions[name]
        if distribution.get("type") != "histfactory_dist":
            continue  # a constraint, or a fault
        found = parts.data.get(observed) if isinstance(observed, str) else None
        if found is None:
            parts.notes.fault((*steps, "data", i), f"there are no data {observed!r}")
        else:
            yield place, distribution, found[1]


def _constrain(channels: Channels, likelihood: Item) -> None:
    """Constraints that a likelihood names itself, of parameters that no modifier says are constrained."""
    parts = channels.parts
    names = [*likelihood.get("distributions", []), *likelihood.get("aux_distributions", [])]
    for name in dict.fromkeys(name for name in names if name in parts.distributions):
        place, density = parts.distributions[name]
        kind = density.get("type")
        if kind == "histfactory_dist":
            continue
        if kind not in ("gaussian_dist", "lognormal_dist", "poisson_dist"):
            parts.notes.fault(place, f"is of type {kind!r}, which is no histfactory_dist")
            continue
        uses = [use for use in channels.uses if {density.get("x"), density.get("mean")} & set(use.owners)]
        known = {argument: None for expression in channels.expressions for argument in expression["arguments"]}
        arguments = [owner for owner in known if owner in (density.get("x"), density.get("mean"))]
        constant = {density.get("x"), density.get("mean")} & channels.analysis.constant
        if not uses and not arguments and not constant:
            parts.notes.fault(place, f"{name!r} constrains {density.get('x')!r}, on which no sample depends")
        free = [use for use in uses if use.constraint.kind == "none" and use.modifier["type"] == "normfactor"]
        if kind != "gaussian_dist" and (free or (arguments and not uses)):
            parts.notes.fault(place, f"is a {kind} of a factor: only a Gaussian one can be read")
            continue
        for owners in {use.owners for use in free} | {(owner,) for owner in arguments if not uses}:
            constrained = {"type": "normfactor", "constraint_name": name}
            found = constraint_of(constrained, owners, "none", parts, channels.analysis, place)
            channels.measured[owners[0]] = found
            for use in (use for use in free if use.owners == owners):
                use.constraint = found


def _document(channels: Channels, analyses: list[Analysis]) -> Document:
    """Channels and parameters under our names."""
    names = named([use.key for use in channels.uses])
    offsets = _offsets(channels, names)
    found: dict[str, Found] = {}
    foreign: dict[str, str] = {}
    for use in channels.uses:
        name = names[use.owners]
        use.modifier["name"] = name
        known = found.setdefault(name, Found(name, use.modifier["type"]))
        known.merge(use)
        for i, owner in enumerate(use.owners):
            component = i + offsets[use.owners]
            known.put(component, owner)
            foreign[owner] = f"{name}[{component}]" if known.per_bin else name
    for expression in channels.expressions:
        names_of = [foreign.get(argument, argument) for argument in expression["arguments"]]
        expression["arguments"] = names_of
    free = [owner for e in channels.expressions for owner in e["arguments"] if owner not in found]
    for owner in dict.fromkeys(free):
        found[owner] = Found(owner, "normfactor")
        found[owner].put(0, owner)
        if owner in channels.measured:
            found[owner].uses.append(ModifierUse("", owner, (owner,), {}, channels.measured[owner]))
        foreign[owner] = owner
    measurements = [
        {
            "name": analysis.name,
            "config": {
                "poi": foreign.get(analysis.pois[0], analysis.pois[0]) if analysis.pois else "",
                "parameters": configs(found.values(), analysis),
            },
        }
        for analysis in analyses
    ]
    pois = {a.name: [foreign.get(poi, poi) for poi in a.pois] for a in analyses if len(a.pois) > 1}
    for measurement in measurements:
        if measurement["name"] in pois:
            measurement["config"]["pois"] = pois[measurement["name"]]  # type: ignore[index]
    settings = _settings(channels)
    metadata: Document = {"origin": "hs3", "foreign_names": foreign, "axes": channels.axes}
    order = [item["name"] for item in channels.parts.document.get("data", []) if isinstance(item, Mapping)]
    observations = sorted(channels.observations, key=lambda pair: order.index(pair[0]))
    return {
        "channels": channels.channels,
        "observations": [observation for _, observation in observations],
        "measurements": measurements,
        "version": "1.0.0",
        **({"settings": settings} if settings else {}),
        "metadata": metadata,
    }


def _settings(channels: Channels) -> Document:
    """Settings that we wrote; and ROOT's, which lets no morphed sample fall below zero."""
    ours = channels.parts.document.get("misc", {}).get("pyhf_func", {}).get("settings", {})
    falls = channels.parts.by_root and any(_may_fall(s) for channel in channels.channels for s in channel["samples"])
    return {**({"clip_sample_data": 0.0} if falls else {}), **ours}


def _may_fall(sample: Mapping[str, Any]) -> bool:
    """Whether five standard deviations of everything could bring a bin below zero."""
    shifts = [0.0] * len(sample["data"])
    for modifier in sample["modifiers"]:
        if modifier["type"] == "histosys":
            data = modifier["data"]
            for i, nominal in enumerate(sample["data"]):
                shifts[i] += 5 * max(abs(data[side][i] - nominal) for side in ("lo_data", "hi_data"))
    return any(shift > max(nominal, 0.0) for shift, nominal in zip(shifts, sample["data"], strict=True))


def _offsets(channels: Channels, names: Mapping[tuple[str, ...], str]) -> dict[tuple[str, ...], int]:
    """Where the components of each set of parameters start: staterrors of several channels follow each other."""
    offsets: dict[tuple[str, ...], int] = {}
    ends: dict[str, int] = {}
    for use in sorted(channels.uses, key=lambda use: use.key[0]):
        if use.owners not in offsets:
            name = names[use.owners]
            offsets[use.owners] = ends.get(name, 0) if use.modifier["type"] == "staterror" else 0
            ends[name] = offsets[use.owners] + len(use.owners)
    return offsets
