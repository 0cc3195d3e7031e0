"""Read HistFactory's XML and ROOT files into a workspace document.

Needs uproot, which the extra ``xmlio`` brings; it is loaded when the first histogram is read.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import IO, Any

from pyhf_func import schema
from pyhf_func.exceptions import Fault, InvalidSpecification, WorkspaceWarning, raise_faults
from pyhf_func.histfactory.channels import process_channel as process_channel
from pyhf_func.histfactory.channels import process_data as process_data
from pyhf_func.histfactory.components import join_components, root_names
from pyhf_func.histfactory.elements import progress, tree_of
from pyhf_func.histfactory.functions import apply_functions
from pyhf_func.histfactory.histograms import clear_filecache as clear_filecache
from pyhf_func.histfactory.histograms import extract_error as extract_error
from pyhf_func.histfactory.histograms import import_root_histogram as import_root_histogram
from pyhf_func.histfactory.histograms import load_uproot
from pyhf_func.histfactory.measurements import check_top, choose_measurements
from pyhf_func.histfactory.measurements import dedupe_parameters as dedupe_parameters
from pyhf_func.histfactory.measurements import process_measurements as process_measurements
from pyhf_func.histfactory.notes import AS_ROOT, DOUBTS, log
from pyhf_func.histfactory.observations import fill_observations
from pyhf_func.histfactory.places import Mounts, Resolver, guarded
from pyhf_func.histfactory.places import resolver_factory as resolver_factory
from pyhf_func.histfactory.samples import process_sample as process_sample
from pyhf_func.histfactory.terms import apply_terms
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


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name == "uproot":
        return load_uproot()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
        resolver = guarded(resolver, [Path(rootdir), *own, *(Path(here) for here, _ in mounts)])
    doubts: list[Fault] = []
    token, language = DOUBTS.set(doubts), AS_ROOT.set(extended)
    try:
        spec = _parsed(configfile, resolver, track_progress, extended, measurement)
    finally:
        AS_ROOT.reset(language)
        DOUBTS.reset(token)
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
    top: Any = tree_of(configfile)
    if top.getroot().tag != "Combination" and extended:
        raise ValueError(
            f"its outermost element is <{top.getroot().tag}>: read the file with <Combination>, which names it"
        )
    if extended:
        choose_measurements(top.getroot(), measurement)
    check_top(top.getroot())
    inputs = [(element.text or "").strip() for element in top.findall("Input")]
    channels, observations, parameters = [], [], []
    for path in progress([path for path in inputs if path], "channel", track_progress):
        name, data, samples, configs = process_channel(tree_of(resolver(path)), resolver, track_progress)
        channels.append({"name": name, "samples": samples})
        observations.append({"name": name, "data": data})
        parameters.extend(configs)
    if extended:
        parameters.extend(apply_functions(top, channels))
    measurements = process_measurements(top, dedupe_parameters(parameters))
    for one in measurements:
        join_components(one, channels)
    document: dict[str, Any] = {
        "measurements": measurements,
        "channels": channels,
        "observations": observations,
        "version": schema.version,
    }
    if extended:
        apply_terms(top, document)
        fill_observations(document)
        document["metadata"] = {"origin": "xml", "foreign_names": root_names(channels)}
    return document
