"""From histograms to a workspace."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyhf_func._lookup import shown
from pyhf_func.documents.building import cabinetry, parts
from pyhf_func.documents.building.assembling import assembled
from pyhf_func.documents.building.histograms import Histogram as Histogram
from pyhf_func.documents.building.parts import Channel as Channel
from pyhf_func.documents.building.parts import Free as Free
from pyhf_func.documents.building.parts import FreeShape as FreeShape
from pyhf_func.documents.building.parts import Lumi as Lumi
from pyhf_func.documents.building.parts import Norm as Norm
from pyhf_func.documents.building.parts import Sample as Sample
from pyhf_func.documents.building.parts import Settings
from pyhf_func.documents.building.parts import Stat as Stat
from pyhf_func.documents.building.parts import Uncorrelated as Uncorrelated
from pyhf_func.documents.building.parts import UpDown as UpDown
from pyhf_func.documents.building.pruning import pruned, verified
from pyhf_func.workspace import Workspace

__all__ = ["Histogram", "build", *parts.__all__]


def __dir__() -> list[str]:
    return __all__


def build(
    config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    channels: Mapping[str, Channel] | None = None,
    poi: str | None = None,
    measurement: str = "measurement",
    fixed: Mapping[str, float] | None = None,
    negative: str = "refuse",
    statistics: str = "staterror_{channel}",
    prune: float | None = None,
    verify: bool = False,
    metadata: Mapping[str, Any] | None = None,
    strict: bool = False,
) -> Workspace:
    """Build a workspace from histograms of hist, boost-histogram, uproot or NumPy, or from cabinetry's configuration.

    Statistical uncertainties of the simulation come from the histograms' variances. Bins below and above a histogram's
    range are not part of it.

    Args:
        config: A configuration of cabinetry's, as a YAML file (extra ``yaml``) or a dictionary, whose histograms exist:
            in its ``HistogramFolder``, or in the ROOT files of its ``InputPath``.
        channels: `Channel` by name, in place of a configuration.
        poi: Name of the parameter of interest.
        measurement: Name of the measurement.
        fixed: Parameters that are fixed, and their values.
        negative: How negative bins of samples and variations are treated: ``"refuse"`` names them all, ``"zero"`` sets
            them to zero, ``"keep"`` keeps them (of a configuration they are kept, as by cabinetry).
        statistics: Name of the statistical uncertainties of a channel, with ``{channel}`` for its name.
        prune: Leave out uncertainties whose relative effect on their sample is below this in every bin, such as 0.005;
            ``workspace.metadata["pruned"]`` names them.
        verify: Whether to fit, and search limits, with and without what was left out: ``metadata["pruned"]["results"]``
            has the best value, its error and the limits ``[before, after]``, and the largest change over the error.
        metadata: How things are called in pictures (``labels``, ``luminosity``, ...), beside the histograms' axes.
        strict: Whether what is otherwise warned of is refused.

    Returns:
        The workspace, a document of pyhf's format. Edges and titles of axes are in ``metadata``, for pictures.

    Raises:
        InvalidModel: Histograms cannot be used: negative or infinite bins, other binnings, ...; all of it at once, each
            with channel, sample, modifier and bins.
        InvalidSpecification: The configuration does not follow cabinetry's layout, or histograms of it are missing.
        ImportError: A configuration needs PyYAML or uproot, which are not installed.
        TypeError, ValueError: An argument is wrong.

    Example:
        >>> import numpy as np, pyhf_func as pf
        >>> edges = [0.0, 50.0, 100.0]
        >>> workspace = pf.build(poi="mu", channels={"SR": pf.Channel(data=([52, 41], edges), samples={
        ...     "signal": pf.Sample(([2.0, 6.0], edges), pf.Free("mu")),
        ...     "background": pf.Sample(([50.0, 30.0], edges), pf.Norm("xsec", 0.05),
        ...         pf.UpDown("jes", up=([54.0, 33.0], edges)), variances=[4.0, 3.0])})})
        >>> model = workspace.model()
        >>> model.config.par_order, workspace.data(model, include_auxdata=False)
        (['jes', 'mu', 'xsec', 'staterror_SR'], [52.0, 41.0])
        >>> workspace.metadata["axes"]["SR"]
        [{'edges': [0.0, 50.0, 100.0]}]
    """
    if (config is None) == (channels is None):
        raise TypeError("Give config, a configuration of cabinetry's, or channels, not both.")
    if negative not in ("refuse", "zero", "keep"):
        raise ValueError(f"negative is {shown(negative)}; give 'refuse', 'zero' or 'keep'.")
    if prune is not None and not (isinstance(prune, int | float) and 0 <= prune < math.inf):
        raise ValueError(f"prune is {shown(prune)}; give a relative effect, such as 0.005.")
    if verify and prune is None:
        raise ValueError("verify compares results with and without what prune leaves out: give prune.")
    if channels is None:
        found, settings = _of_config(config)
    else:
        found = channels
        settings = Settings(poi, measurement, negative, statistics, fixed or {})
    document, axes = assembled(found, settings)
    belongings = {**axes, **(metadata or {})}
    if prune is None:
        return Workspace(document, strict=strict, metadata=belongings)
    smaller, left_out = pruned(document, prune)
    report: dict[str, Any] = {"threshold": prune, "left_out": left_out}
    workspace = Workspace(smaller, strict=strict, metadata={**belongings, "pruned": report})
    if verify:
        workspace.metadata["pruned"]["results"] = verified(Workspace(document, strict=strict), workspace)
    return workspace


def _of_config(config: Any) -> tuple[Mapping[str, Channel], Settings]:
    """Channels of a configuration, and how to build them."""
    if isinstance(config, Mapping):
        cabinetry.check(config)
        return cabinetry.channels_of(dict(config), Path())
    if not isinstance(config, str | os.PathLike):
        raise TypeError(f"config is {shown(config)}; give the path of a configuration, or a dictionary.")
    return cabinetry.channels_of(cabinetry.load_config(config), Path(config).parent, os.fspath(config))
