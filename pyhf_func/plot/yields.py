"""Observed and expected yields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from pyhf_func._lookup import shown, unknown
from pyhf_func.contrib.viz.palette import LINES, series
from pyhf_func.core.inference import YieldBand, YieldsResult
from pyhf_func.core.values import as_numpy
from pyhf_func.model import AnyModel
from pyhf_func.plot.canvas import canvas, check_arguments, check_status, legend, row_name, styled, tidy, with_ratios
from pyhf_func.plot.counts import draw_band, draw_counts, draw_outside, garwood, reach_of
from pyhf_func.plot.labels import Binning, Labels, labels_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3
_TOGETHER = 24
"""Channels of one bin that share a panel, at most."""
_WIDE = 15.0
"""Yields whose bins differ by a larger factor are shown on a logarithmic scale."""


class Panel(NamedTuple):
    """One channel, or several of one bin each."""

    title: str
    bins: Any  # places of its bins
    names: Sequence[str]  # of its bins; empty where they are numbered or have edges
    binning: Binning | None
    shown: Any  # (bins,) of bool: the data are not hidden

    @property
    def edges(self) -> Any:
        """Of the bins, on the horizontal axis."""
        if self.binning is not None and len(self.binning.edges) == len(self.bins) + 1:
            return np.asarray(self.binning.edges)
        return np.arange(len(self.bins) + 1) - 0.5

    @property
    def is_binned(self) -> bool:
        """Whether the edges are those of a quantity."""
        return self.binning is not None and len(self.binning.edges) == len(self.bins) + 1


class _Layer(NamedTuple):
    label: str
    colour: str
    values: Any  # (all bins,)


@styled
def yields(
    result: YieldsResult,
    model: AnyModel,
    stage: Literal["prefit", "postfit"] = "postfit",
    channels: Sequence[str] | None = None,
    log: bool | None = None,
    *,
    lines: Mapping[str, float] | None = None,
    blind: bool | Sequence[str] = False,
    ax: Axes | Sequence[Axes] | None = None,
    label: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    header: str | None = None,
) -> Figure:
    """Observed events over the stacked expected yields of the samples, and their ratio below.

    Args:
        result: From `yields`.
        model: The model.
        stage: Before or after the fit.
        channels: Those to show; by default all.
        log: Show yields on a logarithmic scale; by default where the bins of a panel differ by more than a factor 15.
        lines: Samples whose nominal yields are drawn as a line too, over the stack, and by which factor:
            ``{"signal": 10.0}``.
        blind: Channels whose observed events are not shown; True for all. The fit has seen them all the same.
        ax: Axes to draw in, one for each panel, which are split in two; by default those of a new figure.
        label: What samples and channels are called, from their names.
        metadata: What else is known of the document, to complete ``label`` and ``header``, with titles, units and
            edges of bins; see `pyhf_func.plot`.
        header: The line above, such as luminosity and energy.

    Returns:
        A figure with a panel for each channel; channels of one bin share panels of up to 24. Samples are stacked with
        the largest on top, each in one colour everywhere. Observed events have the central confidence intervals of
        Garwood. Points outside of the range of the ratio are small triangles at its edge.

    Raises:
        ValueError: ``stage`` is neither ``"prefit"`` nor ``"postfit"``, there is no such channel or sample, or the
            fit failed.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> figure = pf.plot.yields(pf.yields([61, 58] + model.config.auxdata, model), model)
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['background', 'signal', 'uncertainty', 'data']
    """
    check_arguments(result, YieldsResult, "yields", model)
    if stage not in ("prefit", "postfit"):
        raise ValueError(f"stage is {stage!r}; it must be 'prefit' or 'postfit'.")
    if stage == "postfit":
        check_status(result.status, "yields after the fit")
    labels = labels_of(label, metadata, header)
    every = model.config.channels
    chosen = known(every if channels is None else channels, every, "channel")
    hidden = known(every if blind is True else blind or (), every, "channel")
    overlaid = known(lines or {}, model.config.samples, "sample")
    panels = panels_of(model, chosen, hidden, labels)
    band: YieldBand = getattr(result, stage)
    layers = _layers(as_numpy(band.samples), np.concatenate([panel.bins for panel in panels]), model, labels)
    over = [
        _Layer(f"{labels(name)} × {(lines or {})[name]:g}", colour, (lines or {})[name] * _nominal(model, name))
        for name, colour in zip(overlaid, LINES, strict=False)
    ]
    columns = min(_COLUMNS if len(panels) < 12 else 4, len(panels))
    widest = max(len(panel.bins) for panel in panels)
    if widest > 12:
        columns = min(columns, 1 if widest > 18 else 2)
    size = min(11.0, max(3.4 if len(panels) > 1 else 5.0, 1.3 + 0.4 * widest)), 3.6 if len(panels) < 12 else 2.6
    longest = max((len(name) for panel in panels for name in panel.names), default=0)
    rows = -(-len(panels) // columns)
    drawn = canvas(ax, len(panels), columns * size[0], 0.6 + rows * (size[1] + 0.055 * longest), columns)
    for parts, panel in zip(with_ratios(drawn), panels, strict=True):
        _draw_yields(parts[0], panel, as_numpy(result.observed), band, layers, over, log)
        _draw_ratio(parts[1], panel, as_numpy(result.observed), band)
        finish(parts, panel, f"{panel.title} ({'pre' if stage == 'prefit' else 'post'}-fit)")
    legend(drawn, labels.header, min(6, max(2, int(columns * size[0] / 1.5))))
    return drawn.figure


def known(names: Any, every: Sequence[str], kind: str) -> list[str]:
    """The names, which must be known."""
    if not isinstance(names, Iterable):
        raise TypeError(f"{kind}s is {shown(names)}; give names.")
    chosen = [names] if isinstance(names, str) else list(names)
    for name in chosen:
        if not isinstance(name, str) or name not in every:
            raise ValueError(unknown(kind, name, every))
    return chosen


def panels_of(model: AnyModel, channels: Sequence[str], hidden: Sequence[str], labels: Labels) -> list[Panel]:
    """Channels of one bin together, in panels of about the same width; each other by itself."""
    slices, counts = model.config.channel_slices, model.config.channel_nbins
    single = [channel for channel in channels if counts[channel] == 1 and channel not in labels.binnings]
    if len(single) < 2:
        single = []
    panels = []
    for part in np.array_split(np.array(single, dtype=object), -(-len(single) // _TOGETHER)) if single else ():
        title = "channels of one bin" if len(single) == len(part) else f"{labels(part[0])} to {labels(part[-1])}"
        bins = np.array([slices[channel].start for channel in part])
        shown = np.array([channel not in hidden for channel in part])
        panels.append(Panel(title, bins, [row_name(labels(channel), 7.0) for channel in part], None, shown))
    for channel in channels:
        if channel not in single:
            bins = np.arange(slices[channel].start, slices[channel].stop)
            shown = np.full(len(bins), channel not in hidden)
            panels.append(Panel(labels(channel), bins, (), labels.binnings.get(channel), shown))
    return panels


def _layers(table: Any, bins: Any, model: AnyModel, labels: Labels) -> list[_Layer]:
    """Samples that yield something in any of the bins, the smallest first: one order for all panels and scales."""
    colours = series(len(model.config.samples))
    order = np.argsort(table[:, bins].sum(axis=1), kind="stable")
    return [
        _Layer(labels(model.config.samples[row]), colours[row], table[row]) for row in order if np.any(table[row, bins])
    ]


def _nominal(model: AnyModel, sample: str) -> Any:
    """The nominal yield of a sample in all bins, as the document has it."""
    place, (n_samples, n_bins) = model.config._names.by_sample()
    table = np.bincount(place, as_numpy(model.likelihood.values.nominal), n_samples * n_bins)
    return table.reshape(n_samples, n_bins)[model.config.samples.index(sample)]


def _draw_yields(
    axes: Axes,
    panel: Panel,
    observed: Any,
    band: YieldBand,
    layers: Sequence[_Layer],
    over: Sequence[_Layer],
    log: bool | None,
) -> None:
    """The stack, the band, lines and data of one panel."""
    edges, bins = panel.edges, panel.bins
    total, error = as_numpy(band.total)[bins], np.nan_to_num(as_numpy(band.total_error)[bins])
    base = np.zeros(len(bins))
    stack = []
    for layer in layers:
        style = {"facecolor": layer.colour, "edgecolor": "none", "linewidth": 0, "label": layer.label}
        stack.append((base + layer.values[bins], base, style))
        base = base + layer.values[bins]
    for top, bottom, style in reversed(stack):  # so that the legend is in the order of the stack
        axes.stairs(top, edges, baseline=bottom, fill=True, **style)
    axes.stairs(total, edges, color="black", linewidth=0.8, baseline=None)
    draw_band(axes, edges, total, as_numpy(band.total_error)[bins], label="uncertainty")
    for layer in over:
        axes.stairs(layer.values[bins], edges, color=layer.colour, linestyle="dashed", baseline=None, label=layer.label)
    data = np.where(panel.shown, observed[bins], np.nan)
    if np.any(panel.shown):
        draw_counts(axes, (edges[1:] + edges[:-1]) / 2, data, label="data")
    heights = np.concatenate([total + error, garwood(data)[1], *(layer.values[bins] for layer in over)])
    highest = float(np.nanmax(heights, initial=0.0)) or 1.0
    positive = total[total > 0]
    if log or (log is None and len(positive) > 1 and positive.max() > _WIDE * positive.min()):
        axes.set_yscale("log")
        axes.set_ylim(0.05 * float(np.min(positive, initial=max(1.0, highest))), 4 * highest)
    else:
        axes.set_ylim(1.15 * min(0.0, *(float(np.min(top)) for top, *_ in stack)), 1.15 * highest)


def _draw_ratio(axes: Axes, panel: Panel, observed: Any, band: YieldBand) -> None:
    """Data over the model, and the model's uncertainty."""
    edges, bins = panel.edges, panel.bins
    total, error = as_numpy(band.total)[bins], as_numpy(band.total_error)[bins]
    safe = np.where(total > 0, total, np.nan)
    draw_band(axes, edges, total / safe, error / safe)
    axes.axhline(1.0, color="black", linewidth=0.8, linestyle="dotted")
    data = np.where(panel.shown, observed[bins], np.nan)
    low, high = garwood(data)
    reach = reach_of(
        error / safe, np.where(data > 0, (high - total) / safe, 0.0), np.where(data > 0, low / safe - 1, 0)
    )
    axes.set_ylim(1 - reach if reach < 1 else -0.06, 1 + reach)  # a point at zero is seen whole
    if np.any(panel.shown):
        x = (edges[1:] + edges[:-1]) / 2
        draw_counts(axes, x, data, safe)
        draw_outside(axes, x, data / safe, 1 - reach, 1 + reach)
    axes.set_ylabel("data / model")


def finish(parts: tuple[Axes, Axes], panel: Panel, title: str) -> None:
    """Titles, units and ticks."""
    upper, lower = parts
    upper.set_title(title, loc="right", fontsize="small")
    for axes in parts:
        tidy(axes)
        axes.set_xlim(panel.edges[0], panel.edges[-1])
    upper.set_ylabel(_events(panel))
    if panel.is_binned and panel.binning is not None:
        lower.set_xlabel(panel.binning.label or "bin")
        return
    for axes in parts:
        axes.tick_params(axis="x", length=0)
    x = np.arange(len(panel.bins))
    if panel.names:
        lower.set_xticks(x, panel.names, rotation=90, fontsize=7)
    else:
        lower.set_xticks(x, [str(i + 1) for i in x])
        title = panel.binning.label if panel.binning is not None else ""
        lower.set_xlabel(f"bin of {title}" if title else "bin")


def _events(panel: Panel) -> str:
    """The unit of the vertical axis: events in bins of which width."""
    widths = np.diff(panel.edges)
    if panel.is_binned and panel.binning is not None and np.allclose(widths, widths[0]):
        return f"events / {widths[0]:g} {panel.binning.unit}".rstrip()
    return "events / bin" if panel.is_binned else "events"
