"""The model language: a workspace document with optional keys for what pyhf's format cannot hold.

``docs/model-language.md`` has the meaning of every key. A document without any is pyhf's, byte for byte; one with some
is refused by pyhf's schema, by name. :func:`check` validates such a document, and
:func:`~pyhf_func.documents.plain.plain` turns it into one of pyhf's format where that is exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from pyhf_func import schema
from pyhf_func.core import codes
from pyhf_func.core.expression import InvalidExpression, parse
from pyhf_func.core.modifiers import MODIFIERS
from pyhf_func.exceptions import Fault, InvalidSpecification, UnsupportedExtension, cut, json_path, raise_faults
from pyhf_func.schema.frozen import thaw
from pyhf_func.schema.validator import conforms as conforms
from pyhf_func.schema.validator import of_file

__all__ = ["CODES", "CONSTRAINTS", "METADATA", "check", "modifiers", "uses", "validate", "walk"]

Document = dict[str, Any]
Steps = tuple[str | int, ...]

CONSTRAINTS = (
    "gauss",
    "poisson",
    "lognormal",
    "gamma",
    "none",
)
"""Densities of an auxiliary measurement."""

CODES = {kind: codes.of_modifiers(kind) for kind in ("normsys", "histosys")}
"""Interpolations of each modifier type."""


COMPUTED: frozenset[str] = frozenset(
    {
        *("interpolation", "smooth", "floor", "style", "expression", "arguments"),
        *("constraint", "correlations", "fixed", "pois", "sigmas", "sigmas_down"),
    }
)
"""Optional keys of modifiers, samples, parameters and measurements that the engine computes with."""

SETTINGS = ("clip_sample_data", "clip_bin_data")
"""The content of the key ``settings`` of a document: least yields of a sample, and of all, in a bin."""

METADATA = (
    *("foreign_names", "scales", "lines", "axes", "groups", "pois", "origin", "prefixes", "pruned"),
    *("labels", "experiment", "energy", "luminosity"),  # of pictures
)
"""The content of the key ``metadata`` of a document, which does not change the likelihood."""

_SAMPLE_KEYS = {"floor"}
_PARAMETER_KEYS = {"constraint", "sigmas_down"}
_CONFIG_KEYS = {"pois", "correlations"}


def walk(document: Mapping[str, Any]) -> Iterator[tuple[Steps, dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Every modifier: its place, its channel, its sample and itself."""
    for c, channel in enumerate(document.get("channels", ())):
        for s, sample in enumerate(channel["samples"]):
            for m, modifier in enumerate(sample["modifiers"]):
                yield ("channels", c, "samples", s, "modifiers", m), channel, sample, modifier


def modifiers(document: Mapping[str, Any], *kinds: str) -> Iterator[dict[str, Any]]:
    """The modifiers of some types, or all."""
    return (modifier for *_, modifier in walk(document) if not kinds or modifier["type"] in kinds)


def parameters(document: Mapping[str, Any]) -> Iterator[tuple[Steps, dict[str, Any]]]:
    """Every parameter configuration of a workspace, a measurement or the spec of a model, with its place."""
    for p, config in enumerate(document.get("parameters", ())):
        yield ("parameters", p), config
    for steps, config in _configs(document):
        for p, parameter in enumerate(config["parameters"]):
            yield (*steps, "parameters", p), parameter


def _configs(document: Mapping[str, Any]) -> Iterator[tuple[Steps, dict[str, Any]]]:
    """The configuration of every measurement with its place."""
    if "config" in document:
        yield ("config",), document["config"]
    for m, measurement in enumerate(document.get("measurements", ())):
        yield ("measurements", m, "config"), measurement["config"]


def scale_sample(sample: dict[str, Any], factor: float) -> None:
    """Multiply the yields of a sample, and what is in the same unit."""
    sample["data"] = [factor * x for x in sample["data"]]
    for modifier in sample["modifiers"]:
        modifier["data"] = MODIFIERS[modifier["type"]].scaled(modifier["data"], factor)


def is_extended(document: Any) -> bool:
    """Whether the document looks like one of the model language: keys are there that pyhf's format lacks."""
    try:
        return bool(list(uses(document)))
    except (AttributeError, KeyError, TypeError):
        return False


def validate(document: Any, schema_name: str, version: str | None = None, source: str | None = None) -> None:
    """Validate a workspace, or the spec of a model, that may have optional keys.

    Args:
        document: The document.
        schema_name: ``"workspace.json"``, ``"model.json"`` or ``"measurement.json"``.
        version: Version of the format; by default ``schema.version``.
        source: The file that it came from, for messages.

    Raises:
        InvalidSpecification: It follows neither pyhf's format nor that with the optional keys.
        UnsupportedExtension: It has optional keys that the engine does not compute with; each with its place.
        SchemaNotFound: There is no such schema in that version.
    """
    if conforms(document, schema_name, version=version):
        return
    if is_extended(document):
        check(document, source, schema_name, version)
        _refuse_uncomputed(document, source)
    else:
        with of_file(source):
            schema.validate(document, schema_name, version=version)


def check(
    document: Mapping[str, Any],
    source: str | None = None,
    schema_name: str = "workspace.json",
    version: str | None = None,
) -> None:
    """Validate a document of the model language.

    Args:
        document: The document.
        source: The file that it came from, for messages.
        schema_name: What it is; see :func:`validate`.
        version: Likewise.

    Raises:
        InvalidSpecification: It does not follow the format; every fault of the optional keys is told at once.

    Example:
        >>> document = {
        ...     "channels": [{"name": "SR", "samples": [{"name": "s", "data": [5.0], "modifiers": [
        ...         {"name": "r", "type": "normfactor", "data": None, "expression": "mu*system('rm')"}]}]}],
        ...     "observations": [{"name": "SR", "data": [5]}],
        ...     "measurements": [{"name": "fit", "config": {"poi": "mu", "parameters": []}}],
        ...     "version": "1.0.0"}
        >>> check(document)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        pyhf_func.exceptions.InvalidSpecification: $.channels[0].samples[0].modifiers[0].expression: ...
    """
    try:
        bare = stripped(document)
    except (AttributeError, KeyError, TypeError):  # not even of that shape, as the schema says
        bare = dict(document)
    with of_file(source):
        schema.validate(bare, schema_name, version=version)
    faults = [Fault(json_path(steps), message, InvalidSpecification, source) for steps, message in _wrong(document)]
    raise_faults(faults)


def _refuse_uncomputed(document: Mapping[str, Any], source: str | None) -> None:
    """Refuse optional keys that the engine does not compute with."""
    message = "a model is not computed with this key. pyhf_func.read may find an equal document without it"
    found = [steps for steps, _ in uses(document) if steps[-1] not in COMPUTED and not _is_modifier(steps)]
    raise_faults([Fault(json_path(steps), message, UnsupportedExtension, source) for steps in found])


def stripped(document: Mapping[str, Any]) -> Document:
    """A copy without the optional keys and modifiers, whatever they mean: it is of pyhf's format where the rest is."""
    result: Document = thaw(dict(document))
    for steps, *_ in uses(result):
        if _is_modifier(steps):
            continue
        holder: Any = result
        for step in steps[:-1]:
            holder = holder[step]
        if steps[-1] == "fixed":
            holder["fixed"] = False
        else:
            del holder[steps[-1]]
    for _, _, sample, _ in list(walk(result)):
        sample["modifiers"] = [modifier for modifier in sample["modifiers"] if not _is_own(modifier)]
    return result


def _is_own(modifier: Mapping[str, Any]) -> bool:
    """Whether a modifier has a type that pyhf's schema lacks."""
    kind = MODIFIERS.get(modifier["type"])
    return kind is not None and kind.data is not None


def _keys_of(modifier: Mapping[str, Any]) -> frozenset[str]:
    """The optional keys that a modifier may have."""
    kind = MODIFIERS.get(modifier["type"])
    return kind.keys if kind is not None else frozenset()


def _is_modifier(steps: Steps) -> bool:
    return steps[-2:-1] == ("modifiers",)


def uses(document: Mapping[str, Any]) -> list[tuple[Steps, Any]]:
    """Every optional key of the document, and every modifier of a type that pyhf lacks, with its place and value."""
    found: list[tuple[Steps, Any]] = []
    whole = ("metadata", "settings") if "measurements" in document else ("correlations",)
    found.extend(((key,), document[key]) for key in whole if key in document)
    for steps, _, _, modifier in walk(document):
        if _is_own(modifier):
            found.append((steps, modifier))
        found.extend(((*steps, key), modifier[key]) for key in sorted(_keys_of(modifier) & modifier.keys()))
    for c, channel in enumerate(document.get("channels", ())):
        for s, sample in enumerate(channel["samples"]):
            place = ("channels", c, "samples", s)
            found.extend(((*place, key), sample[key]) for key in sorted(_SAMPLE_KEYS & sample.keys()))
    for within, config in _configs(document):
        found.extend(((*within, key), config[key]) for key in sorted(_CONFIG_KEYS & config.keys()))
    for steps, config in parameters(document):
        found.extend(((*steps, key), config[key]) for key in sorted(_PARAMETER_KEYS & config.keys()))
        if isinstance(config.get("fixed"), list):
            found.append(((*steps, "fixed"), config["fixed"]))
    return found


def _wrong(document: Mapping[str, Any]) -> Iterator[tuple[Steps, str]]:
    """Optional keys whose value makes no sense."""
    kinds = {steps: modifier for steps, _, _, modifier in walk(document)}
    for steps, value in uses(document):
        message = _modifier_fault(value) if _is_modifier(steps) else _fault_of(steps, value, kinds.get(steps[:-1]))
        if message:
            yield steps, message
    yield from _disagreeing(document)
    counts = _components(document)
    for steps, config in parameters(document):
        fixed, count = config.get("fixed"), counts.get(config["name"], 1)
        if isinstance(fixed, list) and len(fixed) != count and "channels" in document:
            yield (*steps, "fixed"), f"has {len(fixed)} flags, but the parameter has {count} components"
        if isinstance(fixed, list) and len(config.get("inits", fixed)) != len(fixed):
            yield (*steps, "inits"), f"has {len(config['inits'])} values for {len(fixed)} flags"


def _fault_of(steps: Steps, value: Any, modifier: Mapping[str, Any] | None) -> str | None:
    match steps[-1]:
        case "constraint":
            words = CONSTRAINTS if modifier else (*CONSTRAINTS, "bifurcated")
            return None if value in words else f"{value!r} is none of {', '.join(words)}"
        case "sigmas_down":
            return (
                None if isinstance(value, list) and all(map(_is_positive, value)) else "is no list of positive numbers"
            )
        case "interpolation" if modifier:
            known = CODES[modifier["type"]]
            return None if value in known else f"{value!r} is no code of a {modifier['type']}: {', '.join(known)}"
        case "smooth" | "floor":
            return None if _is_positive(value) else f"{value!r} is no positive number"
        case "style":
            return None if value in ("factor", "additive") else f"{value!r} is neither factor nor additive"
        case "expression" if modifier:
            return _expression_fault(value, modifier.get("arguments", []))
        case "arguments" | "pois":
            return None if _are(value, str) else "is no list of names"
        case "fixed":
            return None if _are(value, bool) else "is neither true nor false nor a list of these"
        case "correlations":
            return _correlation_fault(value)
        case "metadata" | "settings":
            return _belongings_fault(value, METADATA if steps[-1] == "metadata" else SETTINGS)
    return None


def _modifier_fault(modifier: Mapping[str, Any]) -> str | None:
    """The faults of a modifier of a type that pyhf's schema lacks."""
    kind = MODIFIERS[modifier["type"]]
    allowed = {"name", "type", "data", *kind.keys}
    if surplus := sorted(set(modifier) - allowed):
        return f"holds {', '.join(surplus)}. Known: {', '.join(sorted(allowed))}"
    if not isinstance(modifier.get("name"), str):
        return "has no name"
    try:
        jsonschema.validate(modifier.get("data"), kind.data)
    except jsonschema.ValidationError as error:
        return f"data: {cut(error.message)}"
    return None


def _belongings_fault(value: Any, usable: tuple[str, ...]) -> str | None:
    """The faults of the metadata or settings of a document."""
    if not isinstance(value, dict):
        return "is no object"
    unknown = sorted(set(value) - set(usable))
    if unknown:
        return f"holds {', '.join(unknown)}. Known: {', '.join(usable)}"
    for key, kind in (("foreign_names", str), ("scales", (int, float)), ("lines", int)):
        items = value.get(key, {})
        if not isinstance(items, dict) or not all(isinstance(item, kind) for item in items.values()):
            return f"{key} is no object of {'names' if kind is str else 'numbers'}"
    if any(not isinstance(value[key], int | float) for key in SETTINGS if key in value):
        return "settings are numbers"
    return None


def _are(value: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _expression_fault(value: Any, arguments: Any) -> str | None:
    if not isinstance(value, str) or not _are(arguments, str):
        return "is no text with a list of names as its arguments"
    try:
        parse(value, arguments)
    except InvalidExpression as error:
        return str(error)
    return None


def _correlation_fault(value: Any) -> str | None:
    names: Any = value.get("names") if isinstance(value, dict) else None
    matrix = value.get("matrix") if isinstance(value, dict) else None
    if not _are(names, str) or not isinstance(matrix, list) or len(matrix) != len(names or ()):
        return "holds no names with a matrix of as many rows"
    if len(set(names)) < len(names):
        return "names a parameter twice"
    if any(not _are(row, (int, float)) for row in matrix):
        return "the matrix is no list of lists of numbers"
    for i, row in enumerate(matrix):
        if len(row) != len(matrix) or row[i] != 1:
            return "the matrix is not square with a diagonal of ones"
        if any(row[j] != matrix[j][i] or not -1 <= row[j] <= 1 for j in range(i)):
            return "the matrix is not symmetric with entries from -1 to 1"
    return None


def _components(document: Mapping[str, Any]) -> dict[str, int]:
    """The number of components of each parameter of bins."""
    found: dict[str, dict[str, int]] = {}
    kinds: dict[str, str] = {}
    for _, channel, sample, modifier in walk(document):
        if modifier["type"] in MODIFIERS and MODIFIERS[modifier["type"]].binwise:
            found.setdefault(modifier["name"], {})[channel["name"]] = len(sample["data"])
            kinds[modifier["name"]] = modifier["type"]
    counts = {name: sizes.values() for name, sizes in found.items()}
    return {name: sum(sizes) if kinds[name] == "staterror" else max(sizes) for name, sizes in counts.items()}


def _disagreeing(document: Mapping[str, Any]) -> Iterator[tuple[Steps, str]]:
    """Modifiers that share a parameter and give it two constraints, or styles."""
    first: dict[tuple[str, str], Any] = {}
    for steps, _, _, modifier in walk(document):
        for key in ("constraint", "style"):
            if key in _keys_of(modifier):
                usual = "factor" if key == "style" else MODIFIERS[modifier["type"]].constraint
                value = modifier.get(key, usual)
                if first.setdefault((key, modifier["name"]), value) != value:
                    yield (*steps, key), f"{modifier['name']!r} has {first[key, modifier['name']]!r} elsewhere"
