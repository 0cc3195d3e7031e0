"""Read HistFactory's XML and ROOT files into a workspace document.

Needs uproot, which the extra ``xmlio`` brings; it is loaded when the first histogram is read.
"""

from __future__ import annotations

import logging
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from pyhf_func import compat, schema
from pyhf_func.exceptions import ImportBackendError, InvalidSpecification

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
        raise ImportBackendError(
            "reading and writing ROOT files needs uproot: python -m pip install 'pyhf-func[xmlio]'"
        ) from error
    return uproot


def parse(
    configfile: str | os.PathLike[str] | IO[bytes] | IO[str],
    rootdir: str | os.PathLike[str],
    mounts: Mounts | None = None,
    track_progress: bool = False,
    validation_as_error: bool = True,
) -> dict[str, Any]:
    """Read a HistFactory configuration and the histograms that it names.

    Args:
        configfile: The top-level XML file, a path or stream.
        rootdir: The folder that relative paths in the configuration start from.
        mounts: Pairs (folder here, folder as the configuration calls it) that replace the start of paths.
        track_progress: Whether to show a progress bar on standard error.
        validation_as_error: Whether a result that is no valid workspace is an error, or only logged.

    Returns:
        The workspace document, a plain dictionary.

    Raises:
        ImportBackendError: uproot is not installed.
        OSError: A file is missing or cannot be read.
        KeyError: A file lacks a histogram, or an element an attribute.
        RuntimeError: A channel has no data, a measurement no parameter of interest, or parameters are configured in
            two ways.
        ValueError: A setting has no counterpart in the format.
        InvalidSpecification: The result is no valid workspace.
    """
    resolver = resolver_factory(Path(rootdir), mounts or ())
    top: Any = ET.parse(configfile)
    inputs = [(element.text or "").strip() for element in top.findall("Input")]
    channels, observations, parameters = [], [], []
    for path in _progress([path for path in inputs if path], "channel", track_progress):
        name, data, samples, configs = process_channel(ET.parse(resolver(path)), resolver, track_progress)
        channels.append({"name": name, "samples": samples})
        observations.append({"name": name, "data": data})
        parameters.extend(configs)
    spec = {
        "measurements": process_measurements(top, dedupe_parameters(parameters)),
        "channels": channels,
        "observations": observations,
        "version": schema.version,
    }
    try:
        schema.validate(spec, "workspace.json")
    except InvalidSpecification as error:
        if validation_as_error:
            raise
        log.warning(error)
    return spec


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
        errors: list[float] = np.sqrt(hist.variances() if hist.weighted else hist.values()).tolist()
    return errors


def import_root_histogram(
    resolver: Resolver, filename: str, path: str, name: str, filecache: FileCache | None = None
) -> tuple[list[float], list[float]]:
    """Contents and uncertainties of a histogram.

    Args:
        resolver: Finds the file.
        filename: Name of the ROOT file in the configuration.
        path: Folder in the ROOT file; the histogram is looked for there, then at the top.
        name: Name of the histogram.
        filecache: Files that are open; by default one for the whole process, see :func:`clear_filecache`.

    Raises:
        KeyError: The file has no such histogram.
    """
    place = str(resolver(filename))
    file, keys = _opened(place, _FILES if filecache is None else filecache)
    folder = (path or "").strip("/")
    names = [f"{folder}/{name}", name] if folder else [name]
    for candidate in names:
        if candidate in keys:
            hist = file[candidate]
            return hist.values().tolist(), extract_error(hist)
    raise KeyError(f"{place} has no histogram {' or '.join(names)}")


def _opened(place: str, cache: FileCache) -> tuple[Any, set[str]]:
    """An open file and the names in it; opened again when the file has changed."""
    stamp = _stamp(place)
    if place not in cache or cache[place][2] != stamp:
        file = _load_uproot().open(place)
        cache[place] = file, set(file.keys(cycle=False)), stamp
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
    if observed is None:
        raise RuntimeError(f"Channel {name} is missing data: give it a <Data> element with a histogram")
    data = process_data(observed, resolver, inputfile, histopath)
    samples, parameters = [], []
    for element in _progress(channel.findall("Sample"), "sample", track_progress):
        sample = process_sample(element, resolver, inputfile, histopath, name, track_progress)
        parameters.extend(sample.pop("parameter_configs"))
        samples.append(sample)
    return name, data, samples, parameters


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
    if _flag(sample, "NormalizeByTheory"):
        modifiers.append({"name": "lumi", "type": "lumi", "data": None})

    def histogram(element: ET.Element, side: str = "") -> list[float]:
        """The histogram that a modifier names, by default in the file and folder of the sample."""
        file = element.get(f"HistoFile{side}", element.get("InputFile", inputfile))
        folder = element.get(f"HistoPath{side}", histopath)
        return import_root_histogram(resolver, file, folder, _attribute(element, f"HistoName{side}"))[0]

    for element in _progress(list(sample), "modifier", track_progress):
        name = element.get("Name", "")
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
            if element.get("ConstraintType", "Poisson") != "Poisson":
                log.warning("shapesys modifier %s has a constraint that is not Poisson; Poisson is taken", name)
            widths = [relative * content for relative, content in zip(histogram(element), data, strict=True)]
            modifiers.append({"name": name, "type": "shapesys", "data": widths})
        elif element.tag == "ShapeFactor":
            modifiers.append({"name": name, "type": "shapefactor", "data": None})
        elif element.tag == "StatError":
            log.warning("the StatError of sample %s in channel %s is not active", sample.get("Name"), channel_name)
        else:
            log.warning("not considering modifier tag %s", element)
    return {
        "name": _attribute(sample, "Name"),
        "data": data,
        "modifiers": modifiers,
        "parameter_configs": parameters,
    }


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
                raise ValueError(f"{rootname} is one component of a parameter, which cannot be set on its own")
            # A parameter with a setting comes after those without.
            known = configs if parameter["name"] in configs else others
            config = known.pop(parameter["name"], {"name": parameter["name"]})
            target = configs if parameter["name"] == "lumi" else others
            target[parameter["name"]] = {**config, **values}
    return {
        "name": name,
        "config": {"poi": (poi.text or "").strip(), "parameters": [*configs.values(), *others.values()]},
    }


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
