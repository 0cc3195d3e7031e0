"""Read HistFactory's XML and ROOT files into a workspace document.

Needs uproot, which the extra ``xmlio`` brings; it is loaded when the first histogram is read.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

import numpy as np

from pyhf_func import compat, schema
from pyhf_func.core.expression import InvalidExpression
from pyhf_func.core.expression import parse as parse_expression
from pyhf_func.exceptions import (
    Fault,
    ImportBackendError,
    InvalidDocument,
    InvalidSpecification,
    WorkspaceWarning,
    needs,
    raise_faults,
)
from pyhf_func.schema import extended as model_language

__all__ = [
    "clear_filecache",
    "dedupe_parameters",
    "extract_error",
    "import_root_histogram",
    "parse",
    "process_channel",
    "process_data",
    "process_measurements",
    "process_sample",
    "resolver_factory",
]

Resolver = Callable[[str], Path]
Mounts = Iterable[tuple[Path, Path]]
Parameter = dict[str, Any]
FileCache = MutableMapping[str, tuple[Any, set[str], Any]]

log = logging.getLogger(__name__)
log.addHandler(logging.NullHandler())  # what is logged is also warned of

_DOUBTS: ContextVar[list[Fault] | None] = ContextVar("doubts", default=None)
"""Takes what the format cannot hold while a configuration is read."""

_AS_ROOT: ContextVar[bool] = ContextVar("as_root", default=False)
"""Whether keys of the model language may say what a plain workspace cannot."""

_FILES: FileCache = {}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name == "uproot":
        return _load_uproot()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _load_uproot() -> Any:
    try:
        import uproot
    except ImportError as error:
        raise ImportBackendError(needs("reading and writing ROOT files", "uproot", "xmlio", error)) from error
    return uproot


def parse(
    configfile: str | os.PathLike[str] | IO[bytes] | IO[str],
    rootdir: str | os.PathLike[str],
    mounts: Mounts | None = None,
    track_progress: bool = False,
    validation_as_error: bool = True,
    *,
    strict: bool = False,
    allow_outside: bool = False,
    extended: bool = False,
    measurement: str | None = None,
) -> dict[str, Any]:
    """Read a HistFactory configuration and the histograms that it names.

    What the configuration says and a workspace cannot hold is warned of, each with its place.

    Args:
        configfile: The top-level XML file, a path or stream.
        rootdir: The folder that relative paths in the configuration start from.
        mounts: Pairs (folder here, folder as the configuration calls it) that replace the start of paths.
        track_progress: Whether to show a progress bar on standard error.
        validation_as_error: Whether a result that is no valid workspace is an error, or only logged.
        strict: Whether to refuse what is otherwise warned of.
        allow_outside: Whether the configuration may name files outside of ``rootdir``, its own folder and the mounts.
        extended: Whether the result may have the optional keys of the model language, for what ROOT reads and a
            workspace of pyhf's cannot hold.
        measurement: With ``extended``, the measurement to read, by default the first, with all that share its
            constraint terms.

    Returns:
        The workspace document, a plain dictionary.

    Raises:
        ImportBackendError: uproot is not installed.
        OSError: A file is missing or cannot be read.
        KeyError: A file lacks a histogram, or an element an attribute.
        RuntimeError: A channel has no data, a measurement no parameter of interest, or parameters are configured in
            two ways.
        ValueError: A setting has no counterpart in the format.
        InvalidSpecification: The result is no valid workspace; the configuration is in an unknown encoding, declares
            entities or names a file outside of its folder; or ``strict`` refuses something.

    Warns:
        WorkspaceWarning: Once, naming everything that a workspace cannot hold.
    """
    mounts = list(mounts or ())
    resolver = resolver_factory(Path(rootdir), mounts)
    if not allow_outside:
        own = [Path(configfile).parent] if isinstance(configfile, str | os.PathLike) else []
        resolver = _guarded(resolver, [Path(rootdir), *own, *(Path(here) for here, _ in mounts)])
    doubts: list[Fault] = []
    token, language = _DOUBTS.set(doubts), _AS_ROOT.set(extended)
    try:
        spec = _parsed(configfile, resolver, track_progress, extended, measurement)
    finally:
        _AS_ROOT.reset(language)
        _DOUBTS.reset(token)
    if strict:
        raise_faults(doubts)
    if doubts:
        warnings.warn(WorkspaceWarning(doubts), stacklevel=2)
    try:
        if extended:
            model_language.check(spec)
        else:
            schema.validate(spec, "workspace.json")
    except InvalidSpecification as error:
        if validation_as_error:
            raise
        log.warning(error)
        warnings.warn(str(error), stacklevel=2)
    return spec


def _parsed(
    configfile: Any, resolver: Resolver, track_progress: bool, extended: bool, measurement: str | None
) -> dict[str, Any]:
    """The document, not validated."""
    top: Any = _tree(configfile)
    if extended:
        _choose_measurements(top.getroot(), measurement)
    _check_top(top.getroot())
    inputs = [(element.text or "").strip() for element in top.findall("Input")]
    channels, observations, parameters = [], [], []
    for path in _progress([path for path in inputs if path], "channel", track_progress):
        name, data, samples, configs = process_channel(_tree(resolver(path)), resolver, track_progress)
        channels.append({"name": name, "samples": samples})
        observations.append({"name": name, "data": data})
        parameters.extend(configs)
    if extended:
        parameters.extend(_apply_functions(top, channels))
    measurements = process_measurements(top, dedupe_parameters(parameters))
    for one in measurements:
        _join_components(one, channels)
    document: dict[str, Any] = {
        "measurements": measurements,
        "channels": channels,
        "observations": observations,
        "version": schema.version,
    }
    if extended:
        _apply_terms(top, document)
        _fill_observations(document)
        document["metadata"] = {"origin": "xml", "foreign_names": _root_names(channels)}
    return document


def _doubt(place: str, message: str) -> None:
    """Note something that a workspace cannot hold."""
    log.warning("%s: %s", place, message)
    doubts = _DOUBTS.get()
    fault = Fault(place, message, InvalidSpecification)
    if doubts is None:
        warnings.warn(WorkspaceWarning([fault]), stacklevel=3)
    else:
        doubts.append(fault)


def _tree(source: Any) -> Any:
    """An XML file, or stream, as a tree of elements.

    Raises:
        InvalidDocument: It is in an unknown encoding, or declares entities, which can grow without bound and stand for
            other files.
        ParseError: It is no XML.
    """
    named = isinstance(source, str | os.PathLike)
    if named:
        with open(source, "rb") as stream:
            content: str | bytes = stream.read()
    else:
        content = source.read()
    name = os.fspath(source) if named else getattr(source, "name", "the input")

    def refuse(*declaration: Any) -> None:
        message = f"declares the entity {declaration[0]}, which HistFactory has no use for. Write it out"
        raise InvalidDocument(faults=[Fault("$", message, InvalidDocument, str(name))])

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
        return ET.ElementTree(ET.fromstring(content))
    except (expat.ExpatError, ET.ParseError) as error:
        raise ET.ParseError(f"{name}: {error}") from error
    except (LookupError, ValueError) as error:
        raise InvalidDocument(
            faults=[Fault("$", f"cannot be decoded: {error}. Use UTF-8", InvalidDocument, str(name))]
        ) from error


def _guarded(resolver: Resolver, folders: Sequence[Path]) -> Resolver:
    """The resolver, which refuses files outside of some folders."""
    known = [folder.resolve() for folder in folders]

    def guarded(filename: str) -> Path:
        path = resolver(filename)
        place = path.resolve()  # where a link leads
        if path.exists() and not any(place.is_relative_to(folder) for folder in known):
            message = (
                f"{filename!r} lies outside of the base folder {folders[0]}. If the configuration is to be trusted, "
                "name its folder as a mount, or allow it with allow_outside (in the shell --allow-outside)"
            )
            raise InvalidSpecification(faults=[Fault("$", message, InvalidSpecification)])
        return path

    return guarded


_KNOWN = {
    "Combination": "OutputFilePrefix Mode",
    "Measurement": "Name Lumi LumiRelErr Mode ExportOnly",
    "POI": "",
    "ParamSetting": "Val Const",
    "Channel": "Name InputFile HistoPath HistoName",
    "Data": "InputFile HistoPath HistoName",
    "StatErrorConfig": "RelErrorThreshold ConstraintType",
    "Sample": "Name InputFile HistoPath HistoName NormalizeByTheory",
    "StatError": "Activate HistoName InputFile HistoPath",
    "HistoSys": "Name InputFile HistoFileHigh HistoPathHigh HistoNameHigh HistoFileLow HistoPathLow HistoNameLow "
    "InputFileHigh InputFileLow HistoFile",
    "OverallSys": "Name High Low",
    "ShapeSys": "Name HistoName HistoPath InputFile HistoFile ConstraintType",
    "NormFactor": "Name Val High Low Const",
    "ShapeFactor": "Name Const",
}
"""Elements that are read, with the attributes that are, or that mean nothing for the likelihood."""


def _check_attributes(element: ET.Element, place: str) -> None:
    """Note attributes that are not read."""
    unread = [name for name in element.attrib if name not in _KNOWN[element.tag].split()]
    if unread:
        _doubt(place, f"<{element.tag} {element.get('Name', '')}> has {', '.join(unread)}, which is not considered")


def _check_top(top: ET.Element) -> None:
    """Note everything in the top-level XML that is not read."""
    for element in top:
        place = f"{element.tag} {element.get('Name', '')}".strip()
        if element.tag == "Function" and not _AS_ROOT.get():
            _doubt(place, f"the function {element.get('Expression', '')} of parameters is not considered")
        elif element.tag not in ("Input", "Measurement", "Function"):
            _doubt(place, f"<{element.tag}> is not considered")
        if element.tag != "Measurement":
            continue
        _check_attributes(element, place)
        for inner in element:
            kind = inner.get("Type", "").lower() if inner.tag == "ConstraintTerm" else ""
            if kind.startswith("gauss") or (_AS_ROOT.get() and kind in ("gamma", "uniform")):
                continue
            if inner.tag == "ConstraintTerm":
                names = " ".join((inner.text or "").split())
                _doubt(place, f"the constraint {inner.get('Type', '')} of {names} is not considered: it stays Gaussian")
            elif inner.tag not in ("POI", "ParamSetting"):
                what = " ".join([inner.get("Name", ""), *(inner.text or "").split()])
                _doubt(place, f"<{inner.tag}> {what} is not considered")


def resolver_factory(rootdir: Path, mounts: Mounts) -> Resolver:
    """A function that finds the place of a file here from its name in the configuration.

    Example:
        >>> find = resolver_factory(Path("/here"), [(Path("/data"), Path("/eos/analysis"))])
        >>> find("a.root").as_posix(), find("/eos/analysis/b.root").as_posix(), find("/c.root").as_posix()
        ('/here/a.root', '/data/b.root', '/c.root')
    """
    places = [(Path(here), Path(there)) for here, there in mounts]

    def resolver(filename: str) -> Path:
        path = Path(filename)
        for here, there in places:
            if path.is_relative_to(there):
                path = here / path.relative_to(there)
                break
        return rootdir / path

    return resolver


def extract_error(hist: Any) -> list[float]:
    """The uncertainty of each bin: from the sum of squared weights, or √n where there are no weights."""
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(hist.variances() if hist.weighted else hist.values())
    return _flat(errors)


def _flat(contents: Any) -> list[float]:
    """The bins in one row, in the order of ROOT: the first axis is the slowest."""
    row: list[float] = np.ravel(contents, order="C").tolist()
    return row


def import_root_histogram(
    resolver: Resolver, filename: str, path: str, name: str, filecache: FileCache | None = None
) -> tuple[list[float], list[float]]:
    """Contents and uncertainties of a histogram.

    Args:
        resolver: Finds the file.
        filename: Name of the ROOT file in the configuration.
        path: Folder in the ROOT file; the histogram is looked for there, then at the top. As in ROOT the file may
            stand before it, ``file.root:/folder/``.
        name: Name of the histogram, possibly with folders before it.
        filecache: Files that are open; by default one for the whole process, see :func:`clear_filecache`.

    Raises:
        KeyError: The file has no such histogram.
        InvalidDocument: The file is damaged, or no ROOT file.
    """
    file_of_name, _, name = name.rpartition(":")
    file_of_path, _, path = (path or "").rpartition(":")
    place = _place(resolver, filename, file_of_name or file_of_path)
    file, keys = _opened(place, _FILES if filecache is None else filecache)
    inner = "/".join(filter(None, name.split("/")))
    folder = "" if file_of_name else "/".join(filter(None, path.split("/")))
    names = [f"{folder}/{inner}", inner] if folder else [inner]
    for candidate in names:
        if candidate in keys or candidate.partition(";")[0] in keys:
            return _histogram(file, candidate, place)
    raise KeyError(f"{place} has no histogram {' or '.join(names)}")


def _place(resolver: Resolver, filename: str, named: str) -> str:
    """The ROOT file to read: the one that a path names, which may be called as beside ``filename``, or ``filename``."""
    if not named or Path(named).name == Path(filename).name:
        return str(resolver(filename))
    beside = str(Path(filename).parent / named)
    return str(next((place for place in map(resolver, (named, beside)) if place.exists()), resolver(named)))


def _histogram(file: Any, name: str, place: str) -> tuple[list[float], list[float]]:
    """Contents and uncertainties of a histogram of an open file."""
    try:
        hist = file[name]
        kind = hist.classname
        if kind.startswith("TH"):
            return _flat(hist.values()), extract_error(hist)
    except Exception as error:  # whatever uproot stumbles over
        message = f"{name} cannot be read: {type(error).__name__}: {error}. Is the file damaged?"
        raise InvalidDocument(faults=[Fault("$", message, InvalidDocument, place)]) from error
    raise KeyError(f"{place}: {name} is a {kind}, not a histogram")


def _opened(place: str, cache: FileCache) -> tuple[Any, set[str]]:
    """An open file and the names in it; opened again when the file has changed."""
    stamp = _stamp(place)
    if place not in cache or cache[place][2] != stamp:
        uproot = _load_uproot()
        try:
            file = uproot.open(place)
            cache[place] = file, set(file.keys(cycle=False)), stamp
        except OSError:
            raise
        except Exception as error:  # whatever uproot stumbles over
            message = f"cannot be read as a ROOT file: {type(error).__name__}: {error}"
            raise InvalidDocument(faults=[Fault("$", message, InvalidDocument, place)]) from error
    return cache[place][:2]


def _stamp(place: str) -> Any:
    try:
        status = os.stat(place)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def clear_filecache() -> None:
    """Close the ROOT files that were read."""
    for file, *_ in _FILES.values():
        file.close()
    _FILES.clear()


def process_channel(
    channelxml: Any, resolver: Resolver, track_progress: bool = False
) -> tuple[str, list[float], list[dict[str, Any]], list[Parameter]]:
    """Name, observed counts, samples and parameter configurations of a channel's XML file.

    Raises:
        RuntimeError: The channel has no data.
    """
    channel = channelxml.getroot()
    name = _attribute(channel, "Name")
    inputfile, histopath = channel.get("InputFile", ""), channel.get("HistoPath", "")
    observed = channel.find("Data")
    if observed is None and not _AS_ROOT.get():
        raise RuntimeError(f"Channel {name} is missing data: give it a <Data> element with a histogram")
    _check_channel(channel, name)
    if observed is None or (_AS_ROOT.get() and not observed.get("HistoName")):
        data = []
        _doubt(f"channel {name}", "has no data: it gets the yields that are expected at the start")
    else:
        data = process_data(observed, resolver, inputfile, histopath)
    samples, parameters = [], []
    for element in _progress(channel.findall("Sample"), "sample", track_progress):
        sample = process_sample(element, resolver, inputfile, histopath, name, track_progress)
        parameters.extend(sample.pop("parameter_configs"))
        samples.append(sample)
    _apply_stat_error_config(channel.find("StatErrorConfig"), name, samples)
    return name, data, samples, parameters


def _check_channel(channel: ET.Element, name: str) -> None:
    """Note everything in a channel's XML, apart from its samples, that is not read."""
    place = f"channel {name}"
    _check_attributes(channel, place)
    seen = set()
    for element in channel:
        if element.tag not in ("Data", "StatErrorConfig", "Sample"):
            _doubt(place, f"<{element.tag}> is not considered")
        elif element.tag in seen and element.tag != "Sample":
            _doubt(place, f"another <{element.tag}> is not considered")
        elif element.tag != "Sample":
            _check_attributes(element, place)
        seen.add(element.tag)


def _apply_stat_error_config(config: ET.Element | None, channel: str, samples: list[dict[str, Any]]) -> None:
    """Take out the statistical uncertainties below the threshold, and note a constraint that a staterror lacks.

    ROOT holds the factor of a bin constant where the relative uncertainty of all samples with ``StatError`` is below
    the threshold, by default 5 %; a staterror without uncertainty is constant, too.
    """
    found = [
        (sample, modifier) for sample in samples for modifier in sample["modifiers"] if modifier["type"] == "staterror"
    ]
    if not found:
        return
    config = ET.Element("StatErrorConfig") if config is None else config
    threshold = _number(config, "RelErrorThreshold") if "RelErrorThreshold" in config.attrib else 0.05
    kind = config.get("ConstraintType", "Poisson").lower()
    if kind not in ("gaussian", "gauss") and _AS_ROOT.get():
        if kind not in ("poisson", "pois"):
            raise ValueError(f"channel {channel}: statistical uncertainties have no constraint of type {kind}")
        for _, modifier in found:
            modifier["constraint"] = "poisson"
    elif kind not in ("gaussian", "gauss"):
        _doubt(
            f"channel {channel}",
            f"its statistical uncertainties have a constraint of type {config.get('ConstraintType', 'Poisson')} "
            "(ROOT's default is Poisson), which a staterror lacks: a Gaussian is taken",
        )
    totals = np.sum([sample["data"] for sample, _ in found], axis=0)
    errors = np.sqrt(np.sum(np.square([modifier["data"] for _, modifier in found]), axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        constant = (errors / totals < threshold) & (errors > 0)
    for _, modifier in found if constant.any() else ():
        modifier["data"] = np.where(constant, 0.0, modifier["data"]).tolist()


def process_data(sample: ET.Element, resolver: Resolver, inputfile: str, histopath: str) -> list[float]:
    """The observed counts that a ``<Data>`` element names.

    Raises:
        NotImplementedError: It names no file or no histogram; a workspace cannot be without observations.
    """
    inputfile, histopath = sample.get("InputFile", inputfile), sample.get("HistoPath", histopath)
    histoname = sample.get("HistoName", "")
    if not inputfile or not histoname:
        raise NotImplementedError(
            "Conversion of workspaces without data is not supported: <Data> names no file or no histogram"
        )
    return import_root_histogram(resolver, inputfile, histopath, histoname)[0]


def process_sample(
    sample: ET.Element,
    resolver: Resolver,
    inputfile: str,
    histopath: str,
    channel_name: str,
    track_progress: bool = False,
) -> dict[str, Any]:
    """A sample with its modifiers, and under ``parameter_configs`` what its NormFactors say of their parameters."""
    inputfile, histopath = sample.get("InputFile", inputfile), sample.get("HistoPath", histopath)
    data, errors = import_root_histogram(resolver, inputfile, histopath, _attribute(sample, "HistoName"))
    modifiers: list[dict[str, Any]] = []
    parameters: list[Parameter] = []
    place = f"channel {channel_name}, sample {sample.get('Name', '')}"
    _check_attributes(sample, place)
    if _flag(sample, "NormalizeByTheory"):
        modifiers.append({"name": "lumi", "type": "lumi", "data": None})

    def histogram(element: ET.Element, side: str = "") -> list[float]:
        """The histogram that a modifier names, by default in the file and folder of the sample."""
        file = element.get(f"HistoFile{side}", element.get(f"InputFile{side}", element.get("InputFile", inputfile)))
        folder = element.get(f"HistoPath{side}", histopath)
        return import_root_histogram(resolver, file, folder, _attribute(element, f"HistoName{side}"))[0]

    for element in _progress(list(sample), "modifier", track_progress):
        name = element.get("Name", "")
        if element.tag in _KNOWN:
            _check_attributes(element, place)
        if element.tag == "OverallSys":
            factors = {"lo": _number(element, "Low"), "hi": _number(element, "High")}
            modifiers.append({"name": name, "type": "normsys", "data": factors})
        elif element.tag == "NormFactor":
            modifiers.append({"name": name, "type": "normfactor", "data": None})
            parameters.append(_normfactor_config(element))
        elif element.tag == "HistoSys":
            templates = {"lo_data": histogram(element, "Low"), "hi_data": histogram(element, "High")}
            modifiers.append({"name": name, "type": "histosys", "data": templates})
        elif element.tag == "StatError" and _flag(element, "Activate"):
            if element.get("HistoName"):
                errors = [relative * content for relative, content in zip(histogram(element), data, strict=True)]
            modifiers.append({"name": f"staterror_{channel_name}", "type": "staterror", "data": errors})
        elif element.tag == "ShapeSys":
            widths = [relative * content for relative, content in zip(histogram(element), data, strict=True)]
            modifiers.append({"name": name, "type": "shapesys", "data": widths, **_shapesys_constraint(element, place)})
        elif element.tag == "ShapeFactor":
            modifiers.append({"name": name, "type": "shapefactor", "data": None})
            if _flag(element, "Const"):
                parameters.append({"name": name, "fixed": True})
        elif element.tag == "StatError":
            log.warning("the StatError of sample %s in channel %s is not active", sample.get("Name"), channel_name)
        else:
            _doubt(place, f"not considering modifier tag {element.tag} {name}")
    return {
        "name": _attribute(sample, "Name"),
        "data": data,
        "modifiers": modifiers,
        "parameter_configs": parameters,
    }


def _shapesys_constraint(element: ET.Element, place: str) -> dict[str, str]:
    """The key for a Gaussian constraint, which is ROOT's default."""
    kind = element.get("ConstraintType", "Gaussian").lower()
    if kind in ("poisson", "pois"):
        return {}
    if not _AS_ROOT.get():
        word = "" if "ConstraintType" in element.attrib else ", but ROOT's default, Gaussian"
        what = f"shapesys modifier {element.get('Name')} has a constraint that is not Poisson{word}"
        _doubt(place, f"{what}; Poisson is taken")
        return {}
    if kind not in ("gaussian", "gauss"):
        raise ValueError(f"{place}: shapesys modifier {element.get('Name')} has no constraint of type {kind}")
    return {"constraint": "gauss"}


def _normfactor_config(element: ET.Element) -> Parameter:
    config: Parameter = {
        "name": _attribute(element, "Name"),
        "bounds": [[_number(element, "Low"), _number(element, "High")]],
        "inits": [_number(element, "Val")],
    }
    if element.get("Const"):
        config["fixed"] = _flag(element, "Const")
    return config


def process_measurements(
    toplvl: Any, other_parameter_configs: Sequence[Parameter] | None = None
) -> list[dict[str, Any]]:
    """The measurements of the top-level XML.

    Args:
        toplvl: The XML.
        other_parameter_configs: What the channels say of parameters; a ``<ParamSetting>`` takes precedence.

    Raises:
        RuntimeError: A measurement has no parameter of interest.
        ValueError: A setting is for one component of a parameter, which the format cannot say.
    """
    return [_measurement(element, other_parameter_configs or ()) for element in toplvl.findall("Measurement")]


def _measurement(element: ET.Element, parameter_configs: Sequence[Parameter]) -> dict[str, Any]:
    name = _attribute(element, "Name")
    poi = element.find("POI")
    if poi is None:
        raise RuntimeError(f"Measurement {name} is missing POI specification")
    lumi = _number(element, "Lumi")
    width = lumi * _number(element, "LumiRelErr")
    configs: dict[str, Parameter] = {
        "lumi": {
            "name": "lumi",
            "auxdata": [lumi],
            "bounds": [[lumi - 5.0 * width, lumi + 5.0 * width]],
            "inits": [lumi],
            "sigmas": [width],
        }
    }
    others = {config["name"]: dict(config) for config in parameter_configs}
    for setting in element.findall("ParamSetting"):
        values: Parameter = {}
        if setting.get("Const"):
            values["fixed"] = _flag(setting, "Const")
        if setting.get("Val"):
            values["inits"] = [_number(setting, "Val")]
        for rootname in (setting.text or "").split():
            parameter = compat.interpret_rootname(rootname)
            if not parameter["is_scalar"]:
                component = rootname, values
                others.setdefault(_COMPONENTS, {"name": _COMPONENTS, "settings": []})["settings"].append(component)
                continue
            # A parameter with a setting comes after those without.
            known = configs if parameter["name"] in configs else others
            config = known.pop(parameter["name"], {"name": parameter["name"]})
            target = configs if parameter["name"] == "lumi" else others
            target[parameter["name"]] = {**config, **values}
    names = (poi.text or "").split()
    if len(names) > 1 and not _AS_ROOT.get():
        _doubt(f"Measurement {name}", f"of the parameters of interest the first is taken: {' '.join(names)}")
    several = {"pois": names} if len(names) > 1 and _AS_ROOT.get() else {}
    return {
        "name": name,
        "config": {"poi": names[0] if names else "", "parameters": [*configs.values(), *others.values()], **several},
    }


_COMPONENTS = "components of parameters"
"""The name under which settings of components wait until all channels are known."""


def _join_components(measurement: dict[str, Any], channels: Sequence[Mapping[str, Any]]) -> None:
    """Make configurations of parameters of the settings of their components, and check that all parameters exist.

    Raises:
        ValueError: Not all components of a parameter are fixed, or set, which the format cannot say.
    """
    config, place = measurement["config"], f"Measurement {measurement['name']}"
    known = {one["name"]: one for one in config["parameters"]}
    settings = dict(known.pop(_COMPONENTS, {"settings": []})["settings"])
    kinds, components = _parameters(channels)
    for parameter, names in components.items():
        given = [settings.pop(name, None) for name in names]
        if not any(given):
            continue
        values = dict(known.get(parameter, {"name": parameter}))
        flags = [(one or {}).get("fixed") for one in given]
        if len(set(flags)) > 1 and not _AS_ROOT.get():
            raise ValueError(f"{names[0]} is one component of a parameter, which cannot be set on its own")
        if len(set(flags)) > 1:
            values["fixed"] = [bool(flag) for flag in flags]
        elif flags[0] is not None:
            values["fixed"] = flags[0]
        if any("inits" in one for one in given if one):
            values["inits"] = [one["inits"][0] if one and "inits" in one else 1.0 for one in given]
        known[parameter] = values
    if settings:
        raise ValueError(f"{', '.join(settings)}: not one component of a parameter that any channel has")
    for parameter in known:
        if parameter not in kinds and parameter != "lumi":
            _doubt(place, f"<ParamSetting> of {parameter}: no channel has such a parameter")
    config["poi"] = _name_of(config["poi"], kinds)
    if "pois" in config:
        config["pois"] = [_name_of(poi, kinds) for poi in config["pois"]]
    config["parameters"] = list(known.values())


def _name_of(rootname: str, kinds: Mapping[str, str]) -> str:
    """Our name of a parameter of one component."""
    short = rootname.removeprefix("alpha_")
    if rootname not in kinds and kinds.get(short) in ("normsys", "histosys"):
        return short
    return "lumi" if rootname == "Lumi" else rootname


def _apply_functions(top: Any, channels: Sequence[dict[str, Any]]) -> list[Parameter]:
    """Make expressions of the normfactors that a ``<Function>`` stands for, and return what it says of its parameters.

    Raises:
        ValueError: A function is not one of the grammar of expressions, or its parameters have no range.
    """
    found: list[Parameter] = []
    for element in top.findall("Function"):
        name, text = _attribute(element, "Name"), _attribute(element, "Expression")
        dependents = re.findall(r"\s*([^,\[\]\s]+)\s*(?:\[([^\]]*)\])?\s*,?", _attribute(element, "Dependents"))
        try:
            parse_expression(text, [dependent for dependent, _ in dependents])
        except InvalidExpression as error:
            raise ValueError(f"Function {name}: {error}") from error
        made = {"expression": text, "arguments": [dependent for dependent, _ in dependents]}
        for modifier in (m for c in channels for s in c["samples"] for m in s["modifiers"]):
            if modifier["name"] == name and modifier["type"] == "normfactor":
                modifier.update(made)
        for dependent, numbers in dependents:
            ends = [float(number) for number in numbers.split(",")] if numbers else []
            known = any(config["name"] == dependent for config in found)
            if len(ends) in (2, 3) and not known:
                start = ends[0] if len(ends) == 3 else (ends[0] + ends[1]) / 2
                found.append({"name": dependent, "inits": [start], "bounds": [ends[-2:]]})
    return found


def _choose_measurements(top: Any, wanted: str | None) -> None:
    """Leave the measurements that share their constraint terms with the wanted one, or the first: they are one model.

    Raises:
        ValueError: There is no such measurement.
    """
    elements = top.findall("Measurement")
    names = [element.get("Name", "") for element in elements]
    if wanted is not None and wanted not in names:
        raise ValueError(f"there is no measurement {wanted!r}, but {', '.join(names)}")
    chosen = elements[0 if wanted is None else names.index(wanted)] if elements else None
    for element in elements:
        if _all_terms(element) != _all_terms(chosen):
            top.remove(element)
            if wanted is None:
                message = "has other constraint terms than the first, and is left out: its name as analysis reads it"
                _doubt(f"Measurement {element.get('Name', '')}", message)


def _all_terms(measurement: Any) -> list[tuple[str, str, list[str]]]:
    terms = measurement.findall("ConstraintTerm")
    texts = (
        (t.get("Type", "").lower(), t.get("RelativeUncertainty", ""), sorted((t.text or "").split())) for t in terms
    )
    return sorted(text for text in texts if not text[0].startswith("gauss"))


def _apply_terms(top: Any, document: dict[str, Any]) -> None:
    """``<ConstraintTerm>``: gamma and uniform constraints of effects with an interpolation, of all measurements alike.

    Raises:
        ValueError: A term has no relative uncertainty.
    """
    elements = top.findall("Measurement")
    for name, (kind, width) in _terms(elements[0]).items() if elements else ():
        for modifier in (m for c in document["channels"] for s in c["samples"] for m in s["modifiers"]):
            if modifier["name"] == name and modifier["type"] in ("normsys", "histosys"):
                modifier["constraint"] = kind
        for measurement in document["measurements"] if kind == "gamma" else ():
            parameters = measurement["config"]["parameters"]
            config = next((one for one in parameters if one["name"] == name), None)
            if config is None:
                parameters.append(config := {"name": name})
            config["sigmas"] = [width]


def _terms(measurement: Any) -> dict[str, tuple[str, float]]:
    words = {"gamma": "gamma", "uniform": "none"}
    return {
        name.removeprefix("alpha_"): (words[kind], _number(term, "RelativeUncertainty") if kind == "gamma" else 0.0)
        for term in measurement.findall("ConstraintTerm")
        for name in (term.text or "").split()
        if (kind := term.get("Type", "").lower()) in words
    }


def _fill_observations(document: dict[str, Any]) -> None:
    """The expected yields at the start of the first measurement where there are no data."""
    starts: dict[str, float] = {}
    for config in document["measurements"][0]["config"]["parameters"] if document["measurements"] else ():
        starts[config["name"]] = config.get("inits", [1.0])[0]
    for channel, observation in zip(document["channels"], document["observations"], strict=True):
        if observation["data"]:
            continue
        total = np.zeros(len(channel["samples"][0]["data"]) if channel["samples"] else 0)
        for sample in channel["samples"]:
            yields = np.asarray(sample["data"], dtype=float)
            for modifier in sample["modifiers"]:
                if "expression" in modifier:
                    expression = parse_expression(modifier["expression"], modifier["arguments"])
                    yields = yields * expression({name: starts.get(name, 1.0) for name in expression.names})
                elif modifier["type"] in ("normfactor", "lumi"):
                    yields = yields * starts.get(modifier["name"], 1.0)
            total = total + yields
        observation["data"] = total.tolist()


def _root_names(channels: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """ROOT's names of parameters, and ours."""
    kinds, components = _parameters(channels)
    changed = {
        m["name"] for c in channels for s in c["samples"] for m in s["modifiers"] if m.get("constraint") == "gamma"
    }
    names: dict[str, str] = {}
    for name, kind in kinds.items():
        if kind in ("normsys", "histosys") and name not in changed:
            names[f"alpha_{name}"] = name
        elif kind in ("normfactor", "lumi"):
            names["Lumi" if kind == "lumi" else name] = name
        names.update({owner: f"{name}[{i}]" for i, owner in enumerate(components.get(name, ()))})
    return names


def _parameters(channels: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The modifier type of each parameter, and ROOT's names of its components where it has some."""
    kinds: dict[str, str] = {}
    components: dict[str, list[str]] = {}
    for channel in sorted(channels, key=lambda channel: str(channel["name"])):
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                name, kind = modifier["name"], modifier["type"]
                if "expression" in modifier:
                    kinds.update(
                        dict.fromkeys(parse_expression(modifier["expression"], modifier["arguments"]).names, kind)
                    )
                    continue
                kinds.setdefault(name, kind)
                if kind in ("shapesys", "shapefactor", "staterror"):
                    names = components.setdefault(name, [])
                    new = component_names(channel["name"], name, kind, len(sample["data"]))
                    names.extend([one for one in new if one not in names] if kind == "staterror" or not names else [])
    return kinds, components


def component_names(channel: str, name: str, kind: str, n_bins: int) -> list[str]:
    """ROOT's names of the components of a parameter with one in each bin.

    Example:
        >>> component_names("SR", "fakes", "shapesys", 2), component_names("SR", "mc", "staterror", 1)
        (['gamma_fakes_bin_0', 'gamma_fakes_bin_1'], ['gamma_stat_SR_bin_0'])
    """
    parameter = f"stat_{channel}" if kind == "staterror" else name
    return [f"gamma_{parameter}_bin_{index}" for index in range(n_bins)]


def dedupe_parameters(parameters: Sequence[Parameter]) -> list[Parameter]:
    """Parameter configurations without repetitions.

    Raises:
        RuntimeError: A parameter is configured in two ways.
    """
    first: dict[str, Parameter] = {}
    for parameter in parameters:
        known = first.setdefault(parameter["name"], parameter)
        if known != parameter:
            raise RuntimeError(
                f"the channels configure parameter {parameter['name']} in different ways: {known} and {parameter}"
            )
    return list(first.values())


def _attribute(element: ET.Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise KeyError(f"<{element.tag} Name={element.get('Name', '')!r}> lacks the attribute {name}")
    return value


def _number(element: ET.Element, name: str) -> float:
    return float(_attribute(element, name))


def _flag(element: ET.Element, name: str) -> bool:
    """An attribute that is True or False, False where it is missing."""
    value = element.get(name, "False")
    if value.lower() not in ("true", "false"):
        raise ValueError(f"<{element.tag} Name={element.get('Name', '')!r}>: {name} is {value!r}, not True or False")
    return value.lower() == "true"


def _progress(items: Sequence[Any], unit: str, shown: bool) -> Iterator[Any]:
    """The items, with a progress bar on standard error where wanted."""
    if not shown:
        yield from items
        return
    from tqdm import tqdm

    bar = tqdm(items, unit=unit)
    for item in bar:
        bar.set_description(_described(item))
        yield item


def _described(item: Any) -> str:
    if isinstance(item, str):
        return f"Processing {item}"
    attributes: Mapping[str, str] = item.attrib
    return f"  - {item.tag} {attributes.get('Name', '')}"
