"""Write a document as a datacard with its file of histograms."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyhf_func.documents.formats.datacards.components import Component
from pyhf_func.documents.formats.datacards.counts import write_counts
from pyhf_func.documents.formats.datacards.lines import Lines
from pyhf_func.documents.formats.datacards.templates import Histograms, is_shaped, write_templates
from pyhf_func.exceptions import WorkspaceWarning, raise_faults
from pyhf_func.histfactory.histograms import load_uproot

__all__ = ["text_of", "write"]


def write(
    document: Mapping[str, Any],
    path: str | os.PathLike[str],
    *,
    approximate: bool = False,
    strict: bool = False,
    source: str | None = None,
) -> None:
    """Write a datacard, and beside it ``NAME.shapes.root`` where channels have templates.

    Args:
        document: A document of the model language. Of several measurements the first is written.
        path: The card.
        approximate: As for :func:`text_of`.
        strict: Whether what is otherwise warned of is refused.
        source: The file that the document came from, for messages.

    Raises:
        InvalidSpecification: A card cannot hold what the document says; all at once.
        ImportBackendError: Histograms are needed and uproot is not installed.

    Warns:
        WorkspaceWarning: Names are written otherwise, or Combine would compute a part a little otherwise.
    """
    path = Path(path)
    shapes = f"{path.stem}.shapes.root"
    text, histograms = text_of(document, shapes, approximate=approximate, strict=strict, source=source)
    if histograms:
        _write_histograms(path.with_name(shapes), histograms)
    path.write_text(text, encoding="utf-8")


def text_of(
    document: Mapping[str, Any],
    shapes: str = "shapes.root",
    *,
    approximate: bool = False,
    strict: bool = False,
    source: str | None = None,
) -> tuple[str, Histograms]:
    """The text of a card, and the contents and errors of its histograms.

    The card has the same likelihood. What no line of a nuisance has is a formula: interpolations other than Combine's
    log-normal, and factors of single bins, whose channels are then counted bin by bin. Templates keep their integrals
    (``autoMCStats -1 0 2``) where Combine would make a log-normal of a change. A Poisson measurement is a channel.

    Args:
        document: A document of the model language.
        shapes: The name of the file of histograms.
        approximate: Whether interpolations become Combine's log-normal, and changes of integrals too: lines ``lnN``
            and ``shape`` as a person would write them, and a likelihood that differs, as warned of.
        strict: Whether what is otherwise warned of is refused.
        source: The file that the document came from, for messages.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [
        ...     {"name": "s", "data": [5.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        ...     {"name": "b", "data": [9.0], "modifiers": []}]}],
        ...     "parameters": [{"name": "mu", "bounds": [[0.0, 20.0]]}]}, poi_name="mu")
        >>> print(text_of(pf.Workspace.build(model, [12.0]))[0])
        imax 1
        jmax 1
        kmax *
        bin SR
        observation 12.0
        bin SR SR
        process s b
        process 0 1
        rate 5.0 9.0
        <BLANKLINE>
    """
    lines = Lines(document, approximate, source)
    histograms: Histograms = {}
    observed = {observation["name"]: observation["data"] for observation in document["observations"]}
    for c, channel in enumerate(document["channels"]):
        if is_shaped(lines, channel):
            write_templates(lines, c, observed, histograms)
        else:
            write_counts(lines, c, observed)
    text = lines.text(shapes)
    _note_settings(lines)
    raise_faults(lines.faults)
    if strict:
        raise_faults(lines.doubts)
    if lines.doubts:
        warnings.warn(WorkspaceWarning(lines.doubts), stacklevel=2)
    return text, histograms


def _note_settings(lines: Lines) -> None:
    """What belongs to the document as a whole."""
    document, place = lines.document, ("measurements", 0, "config")
    config = document["measurements"][0]["config"]
    if "correlations" in config:
        lines.fault((*place, "correlations"), "a card has no correlated constraints")
    for key, value in document.get("settings", {}).items():
        if value > 1e-6 or value < 0:
            lines.fault(("settings", key), f"a card cannot hold yields of at least {value}")
    if not lines.signals:
        lines.doubt((*place, "poi"), "no sample is a signal, which Combine needs to fit the card")
    poi = lines.parameters.get(lines.poi)
    if poi is not None and poi.components[0].density != "none":
        lines.fault((*place, "parameters"), f"the parameter of interest {lines.poi!r} is constrained, and r is not")
    elif poi is not None and _differs(poi.components[0], config):
        message = "start, range and whether the parameter of interest is fixed are options of Combine's, not the card's"
        lines.doubt(place, message)
    if idle := lines.idle():
        lines.doubt(place, f"nothing depends on {', '.join(map(repr, idle))}, which a card leaves out")
    for kind, names in lines.names.items():
        changed = {name: safe for name, safe in names.changed.items() if safe != "r" and name not in lines.made}
        if changed:
            shown = ", ".join(f"{name!r} as {safe}" for name, safe in changed.items())
            lines.doubt((), f"names of {kind}s are written otherwise: {shown}")


def _differs(poi: Component, config: Mapping[str, Any]) -> bool:
    """Whether the document says of the parameter of interest what a card does not."""
    given: Mapping[str, Any] = next((one for one in config["parameters"] if one["name"] == config["poi"]), {})
    ends = (poi.low, poi.high) if "bounds" in given else (0.0, 20.0)
    return (poi.start, *ends, poi.fixed) != (1.0, 0.0, 20.0, False)


def _write_histograms(path: Path, histograms: Histograms) -> None:
    with load_uproot().recreate(path) as file:
        for name, (contents, errors) in histograms.items():
            file[name] = _histogram(name.rpartition("/")[2], np.asarray(contents, dtype=float), np.asarray(errors))


def _histogram(name: str, contents: Any, errors: Any) -> Any:
    """A histogram with errors, which NumPy's pairs of contents and edges lack."""
    identify = load_uproot().writing.identify
    count = len(contents)
    axis = identify.to_TAxis("xaxis", "", count, 0.0, float(count))
    padded, squares = (np.concatenate([[0.0], values, [0.0]]) for values in (contents, np.square(errors)))
    middles = np.arange(count) + 0.5
    sums = (float(np.sum(contents)), float(np.sum(squares)))
    moments = (float(np.sum(contents * middles)), float(np.sum(contents * middles**2)))
    return identify.to_TH1x(name, "", padded, float(np.sum(contents)), *sums, *moments, squares, axis)
