"""Channels, with their data and samples."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import numpy as np

from pyhf_func.histfactory.elements import attribute, check_attributes, number, progress
from pyhf_func.histfactory.histograms import import_root_histogram
from pyhf_func.histfactory.notes import AS_ROOT, doubt
from pyhf_func.histfactory.places import Resolver
from pyhf_func.histfactory.samples import Parameter, process_sample

__all__ = ["apply_stat_error_config", "process_channel", "process_data"]


def process_channel(
    channelxml: Any, resolver: Resolver, track_progress: bool = False
) -> tuple[str, list[float], list[dict[str, Any]], list[Parameter]]:
    """Name, observed counts, samples and parameter configurations of a channel's XML file.

    Raises:
        RuntimeError: The channel has no data.
    """
    channel = channelxml.getroot()
    name = attribute(channel, "Name")
    inputfile, histopath = channel.get("InputFile", ""), channel.get("HistoPath", "")
    observed = channel.find("Data")
    if observed is None and not AS_ROOT.get():
        raise RuntimeError(f"Channel {name} is missing data: give it a <Data> element with a histogram")
    _check_channel(channel, name)
    if observed is None or (AS_ROOT.get() and not observed.get("HistoName")):
        data = []
        doubt(f"channel {name}", "has no data: it gets the yields that are expected at the start")
    else:
        data = process_data(observed, resolver, inputfile, histopath)
    samples, parameters = [], []
    for element in progress(channel.findall("Sample"), "sample", track_progress):
        sample = process_sample(element, resolver, inputfile, histopath, name, track_progress)
        parameters.extend(sample.pop("parameter_configs"))
        samples.append(sample)
    apply_stat_error_config(channel.find("StatErrorConfig"), name, samples)
    return name, data, samples, parameters


def _check_channel(channel: ET.Element, name: str) -> None:
    """Note everything in a channel's XML, apart from its samples, that is not read."""
    place = f"channel {name}"
    check_attributes(channel, place)
    seen = set()
    for element in channel:
        if element.tag not in ("Data", "StatErrorConfig", "Sample"):
            doubt(place, f"<{element.tag}> is not considered")
        elif element.tag in seen and element.tag != "Sample":
            doubt(place, f"another <{element.tag}> is not considered")
        elif element.tag != "Sample":
            check_attributes(element, place)
        seen.add(element.tag)


def apply_stat_error_config(config: ET.Element | None, channel: str, samples: list[dict[str, Any]]) -> None:
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
    threshold = number(config, "RelErrorThreshold") if "RelErrorThreshold" in config.attrib else 0.05
    kind = config.get("ConstraintType", "Poisson").lower()
    if kind not in ("gaussian", "gauss") and AS_ROOT.get():
        if kind not in ("poisson", "pois"):
            raise ValueError(f"channel {channel}: statistical uncertainties have no constraint of type {kind}")
        for _, modifier in found:
            modifier["constraint"] = "poisson"
    elif kind not in ("gaussian", "gauss"):
        doubt(
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
