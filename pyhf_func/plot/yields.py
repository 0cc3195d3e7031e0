"""Observed and expected yields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from pyhf_func.core.inference import YieldBand, YieldsResult
from pyhf_func.pdf import Model
from pyhf_func.plot.canvas import SERIES, new_figure, tidy
from pyhf_func.schema.values import as_numpy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_COLUMNS = 3


class _Panel(NamedTuple):
    title: str
    bins: Any  # places of its bins
    labels: Sequence[str]  # of its bins


def yields(
    result: YieldsResult,
    model: Model,
    stage: Literal["prefit", "postfit"] = "postfit",
    channels: Sequence[str] | None = None,
    log: bool = False,
) -> Figure:
    """Observed events over the stacked expected yields of the samples, and their ratio below.

    Args:
        result: From `yields`.
        model: The model.
        stage: Before or after the fit.
        channels: Those to show; by default all.
        log: Show yields on a logarithmic scale.

    Returns:
        A figure with a panel for each channel, or one panel for all where each has one bin.

    Raises:
        ValueError: ``stage`` is neither ``"prefit"`` nor ``"postfit"``, or there is no such channel.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> figure = pf.plot.yields(pf.yields([61, 58] + model.config.auxdata, model), model)
        >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        ['signal', 'background', 'uncertainty', 'data']
    """
    if stage not in ("prefit", "postfit"):
        raise ValueError(f"stage is {stage!r}; it must be 'prefit' or 'postfit'.")
    known = model.config.channels
    chosen = known if channels is None else list(channels)
    if unknown := [channel for channel in chosen if channel not in known]:
        raise ValueError(f"The model has no channels {unknown}: choose from {known}.")
    panels = _panels(model, chosen)
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    widest = max(len(panel.labels) for panel in panels)
    figure = new_figure(columns * min(12.0, max(4.0, 1.5 + 0.35 * widest)), 4.2 * rows)
    parts = np.ravel(figure.subfigures(rows, columns, squeeze=False))
    observed, band = as_numpy(result.observed), getattr(result, stage)
    for place, (part, panel) in enumerate(zip(parts, panels, strict=False)):
        _draw(part, panel, observed, band, model.config.samples, log, legend=place == 0)
        part.axes[0].set_title(f"{panel.title} ({'pre' if stage == 'prefit' else 'post'}-fit)", fontsize="medium")
    return figure


def _panels(model: Model, channels: Sequence[str]) -> list[_Panel]:
    slices, counts = model.config.channel_slices, model.config.channel_nbins
    if len(channels) > 1 and all(counts[channel] == 1 for channel in channels):
        return [_Panel("all channels", np.array([slices[channel].start for channel in channels]), channels)]
    return [
        _Panel(
            channel, np.arange(slices[channel].start, slices[channel].stop), [str(i) for i in range(counts[channel])]
        )
        for channel in channels
    ]


def _draw(
    figure: SubFigure, panel: _Panel, observed: Any, band: YieldBand, samples: Sequence[str], log: bool, legend: bool
) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    bins, x = panel.bins, np.arange(len(panel.bins))
    data, total, error = observed[bins], as_numpy(band.total)[bins], as_numpy(band.total_error)[bins]
    table = as_numpy(band.samples)[:, bins]
    base = np.zeros(len(x))
    shown = [row for row in np.argsort(table.sum(axis=1), kind="stable") if np.any(table[row] != 0)]
    if log:  # the small ones would be lost at the bottom of the scale otherwise
        shown.reverse()
    for row in shown:
        colour = SERIES[row % len(SERIES)]
        upper.bar(x, table[row], 1.0, bottom=base, color=colour, label=samples[row], linewidth=0)
        base = base + table[row]
    _hatched(upper, x, total, error, label="uncertainty")
    points: dict[str, Any] = {"fmt": "o", "color": "black", "markersize": 4}
    upper.errorbar(x, data, yerr=np.sqrt(data), label="data", **points)
    upper.set_ylabel("events")
    highest = float(np.max(np.concatenate([total + error, data + np.sqrt(data)]), initial=0.0)) or 1.0
    if log:
        positive = np.concatenate([total[total > 0], data[data > 0]])
        upper.set_yscale("log")
        upper.set_ylim(0.1 * float(np.min(positive, initial=1.0)), 30 * highest)
    else:
        upper.set_ylim(0.0, 1.35 * highest)

    safe = np.where(total > 0, total, np.nan)
    _hatched(lower, x, total / safe, error / safe)
    lower.axhline(1.0, color="black", linewidth=0.8, linestyle="dotted")
    lower.errorbar(x, data / safe, yerr=np.sqrt(data) / safe, **points)
    lower.set_ylabel("data / model")
    reach = np.abs(np.concatenate([data / safe - 1, error / safe, (data + np.sqrt(data)) / safe - 1]))
    reach = min(1.0, max(0.1, 1.15 * float(np.max(np.nan_to_num(reach), initial=0.0))))
    lower.set_ylim(1 - reach, 1 + reach)
    long = max(len(label) for label in panel.labels) > 4
    lower.set_xticks(x, panel.labels, rotation=90 if long else 0)
    lower.set_xlim(-0.5, len(x) - 0.5)
    lower.set_xlabel("" if long else "bin")
    for axes in (upper, lower):
        tidy(axes)
        axes.tick_params(axis="x", length=0)
    if legend:
        upper.legend(ncols=2, frameon=False, fontsize="small", loc="upper right")


def _hatched(axes: Axes, x: Any, middle: Any, error: Any, label: str | None = None) -> None:
    axes.bar(
        x,
        2 * error,
        1.0,
        bottom=middle - error,
        facecolor="none",
        edgecolor="0.3",
        hatch="//////",
        linewidth=0,
        label=label,
    )
