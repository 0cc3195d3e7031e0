"""Write a document of the model language as HS3, in the dialect of ROOT 6.40, which ROOT's next and pyhs3 read too."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from pyhf_func._version import __version__
from pyhf_func.core.codes import DEFAULT_CODES
from pyhf_func.core.expression import parse
from pyhf_func.documents.formats.hs3.codes import root_code
from pyhf_func.documents.formats.hs3.owners import Owned, owned
from pyhf_func.documents.formats.hs3.parts import Notes, Steps
from pyhf_func.exceptions import WorkspaceWarning, raise_faults
from pyhf_func.schema.extended import walk

__all__ = ["write"]

Document = dict[str, Any]
NO_ERROR = 1e-200
"""An error of nothing: where all are zero, ROOT takes square roots of the contents."""

_DATA, _PDF = "obsData", "simPdf"


def write(document: Mapping[str, Any], *, strict: bool = False, source: str | None = None) -> Document:
    """Write a document as HS3.

    Every measurement becomes an analysis. :func:`read` gives the same document again, up to parameter configurations
    that say what is the default anyway.

    Args:
        document: A document of the model language; a workspace of pyhf's format is one.
        strict: Whether what is otherwise warned of is refused.
        source: The file that it came from, for messages.

    Returns:
        The HS3 document.

    Raises:
        InvalidSpecification: HS3 cannot hold what the document says; all at once.

    Warns:
        WorkspaceWarning: ROOT would read a part otherwise.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([5.0], [50.0], [7.0])
        >>> written = write(pf.Workspace.build(model, [52.0]))
        >>> [d["name"] for d in written["distributions"]], written["analyses"][0]["parameters_of_interest"]
        (['model_singlechannel'], ['mu'])
        >>> written["distributions"][0]["samples"][1]["modifiers"][0]["data"]
        {'vals': [0.14]}
    """
    notes = Notes(source)
    parameters = owned(document, notes)
    channels = [_channel(document, c, parameters, notes) for c in range(len(document["channels"]))]
    _refuse_the_rest(document, notes)
    raise_faults(notes.faults)
    if strict:
        raise_faults(notes.doubts)
    if notes.doubts:
        warnings.warn(WorkspaceWarning(notes.doubts), stacklevel=2)
    names = [channel["name"] for channel in document["channels"]]
    measurements = document["measurements"]
    result: Document = {
        "metadata": {"hs3_version": "0.2", "packages": [{"name": "pyhf_func", "version": __version__}]},
        "distributions": [*channels, *_densities(parameters)],
        "data": [_data(document, observation) for observation in document["observations"]],
        "likelihoods": [
            {
                "name": f"{_PDF}_{_DATA}",
                "distributions": [f"model_{name}" for name in names],
                "data": [f"{_DATA}_{name}" for name in names],
            }
        ],
        "analyses": [_analysis(measurement, i, parameters) for i, measurement in enumerate(measurements)],
        "domains": [d for i, m in enumerate(measurements) for d in _domains(m, i, parameters)],
        "parameter_points": [_point(measurement, i, parameters) for i, measurement in enumerate(measurements)],
        "misc": _misc(document, names, parameters),
    }
    functions = [function for _, _, _, modifier in walk(document) for function in _functions(modifier, parameters)]
    if functions:
        result["functions"] = list({function["name"]: function for function in functions}.values())
    return result


def _channel(document: Mapping[str, Any], c: int, parameters: Mapping[str, Owned], notes: Notes) -> Document:
    channel = document["channels"][c]
    result: Document = {
        "name": f"model_{channel['name']}",
        "type": "histfactory_dist",
        "axes": _axes(document, channel["name"]),
        "samples": [],
    }
    stat = [m for sample in channel["samples"] for m in sample["modifiers"] if m["type"] == "staterror"]
    if stat:
        kind = "Poisson" if stat[0].get("constraint") == "poisson" else "Gauss"
        result["staterror"] = {"relThreshold": 0, "constraint_type": kind}
    if len({modifier["name"] for modifier in stat}) > 1:
        names = ", ".join(sorted({modifier["name"] for modifier in stat}))
        notes.doubt(("channels", c), f"has several staterrors, {names}, which ROOT would take for one")
    for s, sample in enumerate(channel["samples"]):
        place: Steps = ("channels", c, "samples", s)
        data: Document = {"contents": list(sample["data"])}
        modifiers = []
        for m, modifier in enumerate(sample["modifiers"]):
            if modifier["type"] == "staterror":
                if "errors" in data:
                    notes.fault((*place, "modifiers", m), "is a second staterror of one sample, which HS3 cannot hold")
                data["errors"] = list(modifier["data"]) if any(modifier["data"]) else [NO_ERROR] * len(modifier["data"])
            modifiers.append(_modifier((*place, "modifiers", m), channel, sample, modifier, parameters, notes))
        result["samples"].append({"name": sample["name"], "data": data, "modifiers": modifiers})
    return result


def _axes(document: Mapping[str, Any], channel: str) -> list[Document]:
    """The axes that the channel was read with, else one of unit bins."""
    known = document.get("metadata", {}).get("axes", {}).get(channel)
    if known:
        return list(known)
    count = next(len(item["samples"][0]["data"]) for item in document["channels"] if item["name"] == channel)
    return [{"name": f"obs_x_{channel}", "min": 0.0, "max": float(count), "nbins": count}]


def _modifier(
    steps: Steps,
    channel: Mapping[str, Any],
    sample: Mapping[str, Any],
    modifier: Mapping[str, Any],
    parameters: Mapping[str, Owned],
    notes: Notes,
) -> Document:
    name, kind = modifier["name"], modifier["type"]
    constraint = modifier.get("constraint")
    if kind in ("normsys", "histosys", "lumi", "normfactor"):
        written: Document = {"name": name, "type": "normfactor" if kind == "lumi" else kind}
        if "expression" in modifier:
            function = _function_name(name, parameters)
            return {**written, "name": function, "parameter": function}
        parameter = parameters[name]
        written["parameter"] = parameter.owners[0]
        if written["type"] == "normfactor":
            written["name"] = parameter.owners[0]  # which ROOT 6.40 takes for the parameter
        if parameter.constraint is not None:
            written["constraint_name"] = parameter.constraint
    else:
        owners = parameters[name].owners_in(channel)
        written = {"name": name, "type": kind, "parameters": owners}
    data = modifier["data"]
    if kind == "normsys":
        written["data"] = {"hi": data["hi"], "lo": data["lo"]}
    elif kind == "histosys":
        written["data"] = {"hi": {"contents": list(data["hi_data"])}, "lo": {"contents": list(data["lo_data"])}}
    elif kind == "shapesys":
        written["constraint_type"] = "Gauss" if constraint == "gauss" else "Poisson"
        written["data"] = {"vals": [e / n if n > 0 else 0.0 for e, n in zip(data, sample["data"], strict=True)]}
    elif kind == "staterror":
        written["constraint_type"] = "Poisson" if constraint == "poisson" else "Gauss"
    if kind in ("normsys", "histosys"):
        code = modifier.get("interpolation", DEFAULT_CODES[kind])
        number = root_code(kind, code)
        if number is None or modifier.get("smooth", 1.0) != 1.0:
            notes.fault(steps, f"HS3 has no interpolation {code!r} of a {kind}, or not with another width")
        elif code != "code4p":
            written["interpolation"] = number
        if constraint not in (None, "gauss"):
            notes.fault(steps, f"HS3 has no {kind} with the constraint {constraint!r}")
    if modifier.get("style") == "additive":
        notes.fault(steps, "HS3 has no additive staterror")
    return written


def _refuse_the_rest(document: Mapping[str, Any], notes: Notes) -> None:
    for m, measurement in enumerate(document["measurements"]):
        if "correlations" in measurement["config"]:
            notes.fault(
                ("measurements", m, "config", "correlations"), "HS3 has no correlated constraints that ROOT reads"
            )
    observed = {observation["name"] for observation in document["observations"]}
    for c, channel in enumerate(document["channels"]):
        if channel["name"] not in observed:
            notes.fault(("channels", c), f"{channel['name']!r} has no observation, which HS3 needs")


def _densities(parameters: Mapping[str, Owned]) -> Iterator[Document]:
    """The Gaussians of constrained parameters, which ROOT finds by name."""
    for parameter in parameters.values():
        if parameter.constraint is not None:
            yield {
                "name": parameter.constraint,
                "type": "gaussian_dist",
                "x": parameter.owners[0],
                "mean": parameter.nominal,
                "sigma": parameter.sigma,
            }


def _data(document: Mapping[str, Any], observation: Mapping[str, Any]) -> Document:
    name = observation["name"]
    return {
        "name": f"{_DATA}_{name}",
        "type": "binned",
        "axes": _axes(document, name),
        "contents": list(observation["data"]),
    }


def _analysis(measurement: Mapping[str, Any], index: int, parameters: Mapping[str, Owned]) -> Document:
    name = measurement["name"]
    pois = _pois(measurement, parameters)
    return {
        "name": name,
        "likelihood": f"{_PDF}_{_DATA}",
        "parameters_of_interest": pois,
        "domains": [f"{name}_nuisance_parameters", f"{name}_global_observables", f"{name}_parameters_of_interest"],
        "init": _point_name(measurement, index),
    }


def _point_name(measurement: Mapping[str, Any], index: int) -> str:
    return f"{measurement['name']}_values" if index else "default_values"


def _pois(measurement: Mapping[str, Any], parameters: Mapping[str, Owned]) -> list[str]:
    config = measurement["config"]
    names = config.get("pois", [config["poi"]] if config["poi"] else [])
    return [parameters[name].owners[0] if name in parameters else name for name in names]


def _domains(measurement: Mapping[str, Any], index: int, parameters: Mapping[str, Owned]) -> list[Document]:
    """The domains that ROOT sorts parameters by, and for the first measurement the default one."""
    name = measurement["name"]
    pois = _pois(measurement, parameters)
    free: list[Document] = []
    interest: list[Document] = []
    observed: list[Document] = []
    for parameter in parameters.values():
        for owner, (low, high) in zip(parameter.owners, parameter.bounds(measurement), strict=True):
            axis = {"name": owner, "min": float(low), "max": float(high)}
            (interest if owner in pois else free).append(axis)
        if parameter.constraint is not None:
            mean, sigma = parameter.auxdata(measurement), parameter.sigma
            observed.append({"name": parameter.nominal, "min": mean - 10 * sigma, "max": mean + 10 * sigma})
    named = [("nuisance_parameters", free), ("global_observables", observed), ("parameters_of_interest", interest)]
    default = [{"name": "default_domain", "type": "product_domain", "axes": [*free, *interest]}]
    return [
        *({"name": f"{name}_{kind}", "type": "product_domain", "axes": axes} for kind, axes in named),
        *([] if index else default),
    ]


def _point(measurement: Mapping[str, Any], index: int, parameters: Mapping[str, Owned]) -> Document:
    values: list[Document] = []
    order = [config["name"] for config in measurement["config"]["parameters"]]
    for parameter in sorted(parameters.values(), key=lambda p: order.index(p.name) if p.name in order else len(order)):
        settings = zip(parameter.owners, parameter.inits(measurement), parameter.fixed(measurement), strict=True)
        values.extend(
            {"name": owner, "value": float(value), **({"const": True} if fixed else {})}
            for owner, value, fixed in settings
        )
        if parameter.constraint is not None:
            values.append({"name": parameter.nominal, "value": parameter.auxdata(measurement), "const": True})
        for owner, count in zip(parameter.owners, parameter.counts(measurement), strict=False):
            values.append({"name": f"nom_{owner}", "value": float(count), "const": True})
    return {"name": _point_name(measurement, index), "parameters": values}


def _function_name(name: str, parameters: Mapping[str, Owned]) -> str:
    taken = {owner for parameter in parameters.values() for owner in parameter.owners}
    while name in taken:
        name += "_function"
    return name


def _functions(modifier: Mapping[str, Any], parameters: Mapping[str, Owned]) -> Iterator[Document]:
    if "expression" not in modifier:
        return
    expression = parse(modifier["expression"], modifier.get("arguments", []))
    text = expression.with_names(
        {name: parameters[name].owners[0] for name in expression.names}, modifier.get("arguments")
    )
    yield {"name": _function_name(modifier["name"], parameters), "type": "generic_function", "expression": text}


def _misc(document: Mapping[str, Any], channels: list[str], parameters: Mapping[str, Owned]) -> Document:
    """What ROOT needs to build one model of the channels; and settings of ours."""
    constant = {p.nominal: {"tags": ["Constant"]} for p in parameters.values() if p.constraint is not None}
    binned = {f"{channel}_model": {"tags": ["BinnedLikelihood", "GenerateBinned"]} for channel in channels}
    by_index = {"index_cat": "channelCat", "indices": list(range(len(channels))), "labels": channels}
    configs = {
        measurement["name"]: {"mcName": f"ModelConfig{i or ''}", "pdfName": _PDF}
        for i, measurement in enumerate(document["measurements"])
    }
    internal = {
        "ModelConfigs": configs,
        "attributes": {**binned, **constant},
        "combined_datasets": {_DATA: by_index},
        "combined_distributions": {_PDF: {**by_index, "distributions": [f"model_{channel}" for channel in channels]}},
    }
    ours = {"settings": dict(document["settings"])} if document.get("settings") else {}
    return {"ROOT_internal": internal, **({"pyhf_func": ours} if ours else {})}
