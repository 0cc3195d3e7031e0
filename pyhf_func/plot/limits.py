"""Scans of CLs and upper limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pyhf_func.contrib.viz.brazil import plot_brazil_band
from pyhf_func.contrib.viz.palette import ONE_SIGMA, TWO_SIGMA
from pyhf_func.core.inference import LimitResult, ScanResult
from pyhf_func.core.values import as_numpy
from pyhf_func.model import AnyModel
from pyhf_func.plot.canvas import canvas, check_arguments, legend, row_name, styled, tidy
from pyhf_func.plot.labels import labels_of, poi_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BANDS = ((0, 4, TWO_SIGMA, r"expected $\pm 2\sigma$"), (1, 3, ONE_SIGMA, r"expected $\pm 1\sigma$"))


@styled
def cls(
    result: ScanResult,
    model: AnyModel | None = None,
    level: float = 0.05,
    *,
    log: bool = False,
    ax: Axes | None = None,
    label: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    header: str | None = None,
) -> Figure:
    """The Brazil band: observed and expected CLs against the parameter of interest.

    Args:
        result: From `scan`.
        model: The model, for the name of its parameter of interest, where a result does not know it.
        level: CLs at the limit, drawn as a line.
        log: Show CLs on a logarithmic scale.
        ax: Axes to draw in; by default those of a new figure.
        label: What the parameter is called, from its name.
        metadata: What else is known of the document, to complete ``label`` and ``header``; see `pyhf_func.plot`.
        header: The line above, such as luminosity and energy.

    Returns:
        A figure with observed CLs, and expected CLs with its bands of one and two standard deviations.

    Raises:
        ValueError: No point has a result.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> figure = pf.plot.cls(pf.scan([0.5, 1.0, 1.5], [51, 48] + model.config.auxdata, model), model)
        >>> figure.axes[0].get_xlabel()
        'mu'
    """
    check_arguments(result, ScanResult, "scan", model, needs_model=False)
    mus, observed = as_numpy(result.mu), as_numpy(result.cls)
    known = np.isfinite(observed)
    if not np.any(known):
        raise ValueError("There is no CLs to draw: the fits at all points failed.")
    order = np.argsort(mus, kind="stable")
    order = order[known[order]]
    labels = labels_of(label, metadata, header)
    drawn = canvas(ax, 1, 6.0, 4.4)
    axes = drawn.axes[0]
    _, lines, *_ = plot_brazil_band(mus[order], observed[order], as_numpy(result.cls_expected)[order].T, level, axes)
    for i, line in enumerate(lines):  # the edges of bands need no lines
        line.set_visible(i == 2)
    for line, text in zip(
        (axes.lines[0], lines[2], axes.lines[-1]), ("observed", "expected", f"{level:g}"), strict=True
    ):
        line.set_label(rf"$\mathrm{{CL}}_s$ = {text}" if text[0].isdigit() else text)
    for band, (*_, text) in zip(axes.collections, _BANDS, strict=False):
        band.set(label=text, linewidth=0)
    if len(order) > 1:
        axes.set_xlim(mus[order[0]], mus[order[-1]])
    axes.set_yscale("log" if log else "linear")
    axes.set_ylim(0.02 * level if log else 0.0, 1.0)
    axes.set_xlabel(poi_of(result, model, labels))
    axes.set_ylabel(r"$\mathrm{CL}_{s}$")
    tidy(axes)
    legend(drawn, labels.header, 5)
    return drawn.figure


@styled
def limits(
    results: LimitResult | Mapping[Any, LimitResult],
    model: AnyModel | None = None,
    xlabel: str = "",
    *,
    log: bool = False,
    ax: Axes | None = None,
    label: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    header: str | None = None,
) -> Figure:
    """Observed and expected upper limits.

    Args:
        results: From `upper_limit`: one, or a mapping from labels to several. Where all labels are numbers, such as
            masses, the limits are drawn as curves over them.
        model: The model, for the name of its parameter of interest, where a result does not know it.
        xlabel: What the numbers are.
        log: Show limits on a logarithmic scale.
        ax: Axes to draw in; by default those of a new figure.
        label: What the parameter and the rows are called, from their names.
        metadata: What else is known of the document, to complete ``label`` and ``header``; see `pyhf_func.plot`.
        header: The line above, such as luminosity and energy.

    Returns:
        A figure with the observed limits, the median expected ones and their bands of one and two standard deviations.
        Rows end with the numbers, observed and expected. What has no limit is left out.

    Raises:
        ValueError: There are no limits.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> limit = pf.upper_limit([51, 48] + model.config.auxdata, model)
        >>> pf.plot.limits({"here": limit, "there": limit}, model).axes[0].get_xlabel()
        'upper limit on mu'
    """
    if not isinstance(results, Mapping):
        results = {"": results}
    for result in results.values():
        check_arguments(result, LimitResult, "upper_limit", model, needs_model=False)
    names = list(results)
    observed = _finite([as_numpy(limit.observed) for limit in results.values()])
    expected = _finite([as_numpy(limit.expected) for limit in results.values()]).reshape(-1, 5)
    if not np.any(np.isfinite(observed)) and not np.any(np.isfinite(expected)):
        raise ValueError("There are no limits to draw.")
    labels = labels_of(label, metadata, header)
    wanted = f"upper limit on {poi_of(next(iter(results.values())), model, labels)}"
    if len(names) > 1 and all(isinstance(name, int | float) for name in names):
        drawn = canvas(ax, 1, 6.0, 4.4)
        order = np.argsort(names, kind="stable")
        _curves(drawn.axes[0], np.array(names, dtype=float)[order], observed[order], expected[order])
        drawn.axes[0].set_xlabel(xlabel)
        drawn.axes[0].set_ylabel(wanted)
        drawn.axes[0].set_yscale("log" if log else "linear")
        if not log:
            drawn.axes[0].set_ylim(bottom=0.0)
        tidy(drawn.axes[0])
    else:
        drawn = canvas(ax, 1, 6.4, 1.5 + 0.36 * len(names))
        _rows(drawn.axes[0], [row_name(labels(str(name)), 8.0) for name in names], observed, expected)
        drawn.axes[0].set_xlabel(wanted)
        drawn.axes[0].set_xscale("log" if log else "linear")
    legend(drawn, labels.header, 4)
    return drawn.figure


def _finite(values: list[Any]) -> Any:
    """Numbers; not a number where there is no limit."""
    array = np.array(values, dtype=float)
    return np.where(np.isfinite(array), array, np.nan)


def _curves(axes: Axes, x: Any, observed: Any, expected: Any) -> None:
    for low, high, colour, text in _BANDS:
        axes.fill_between(x, expected[:, low], expected[:, high], color=colour, linewidth=0, label=text)
    axes.plot(x, expected[:, 2], color="black", linestyle="dashed", label="expected")
    axes.plot(x, observed, color="black", marker="o", markersize=3, label="observed")
    axes.set_xlim(x[0], x[-1])


def _rows(axes: Axes, names: list[str], observed: Any, expected: Any) -> None:
    """One row for each limit, the first on top, with its numbers behind."""
    y = np.arange(len(observed))
    for low, high, colour, text in _BANDS:
        axes.barh(y, expected[:, high] - expected[:, low], 0.7, left=expected[:, low], color=colour, label=text)
    axes.vlines(expected[:, 2], y - 0.35, y + 0.35, color="black", linestyle="dashed", label="expected")
    axes.plot(observed, y, "o", color="black", markersize=4, label="observed")
    highest = np.nanmax(np.append(expected, observed))
    for place, (seen, band) in enumerate(zip(observed, expected, strict=True)):
        numbers = f"{_number(seen)} ({_number(band[2])})"
        axes.text(1.01, place, numbers, transform=axes.get_yaxis_transform(), va="center", fontsize="small")
    axes.text(1.01, -0.62, "obs. (exp.)", transform=axes.get_yaxis_transform(), va="bottom", fontsize="small")
    axes.set_yticks(y, names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0.0, 1.06 * highest)
    tidy(axes, grid="x")
    axes.tick_params(axis="y", length=0)


def _number(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "none"
