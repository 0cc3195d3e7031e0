"""Scans of CLs and upper limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pyhf_func.contrib.viz.brazil import plot_brazil_band
from pyhf_func.core.inference import LimitResult, ScanResult
from pyhf_func.pdf import Model
from pyhf_func.plot.canvas import ONE_SIGMA, TWO_SIGMA, new_figure, tidy
from pyhf_func.schema.values import as_numpy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def cls(result: ScanResult, model: Model | None = None, level: float = 0.05) -> Figure:
    """The Brazil band: observed and expected CLs against the parameter of interest.

    Args:
        result: From `scan`.
        model: The model, for the name of its parameter of interest.
        level: CLs at the limit, drawn as a line.

    Returns:
        A figure with observed CLs, and expected CLs with its bands of one and two standard deviations.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> figure = pf.plot.cls(pf.scan([0.5, 1.0, 1.5], [51, 48] + model.config.auxdata, model), model)
        >>> figure.axes[0].get_xlabel()
        'mu'
    """
    figure = new_figure(6.0, 4.2)
    axes = figure.subplots()
    mus = as_numpy(result.mu)
    order = np.argsort(mus, kind="stable")
    plot_brazil_band(
        mus[order],
        as_numpy(result.cls)[order],
        as_numpy(result.cls_expected)[order].T,
        level,
        axes,
    )
    if len(mus) > 1:
        axes.set_xlim(mus[order[0]], mus[order[-1]])
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel(_poi(model))
    axes.set_ylabel(r"$\mathrm{CL}_{s}$")
    axes.legend(frameon=False)
    tidy(axes)
    return figure


def limits(
    results: LimitResult | Mapping[Any, LimitResult],
    model: Model | None = None,
    xlabel: str = "",
) -> Figure:
    """Observed and expected upper limits.

    Args:
        results: From `upper_limit`: one, or a mapping from labels to several. Where all labels are numbers, such as
            masses, the limits are drawn as curves over them.
        model: The model, for the name of its parameter of interest.
        xlabel: What the numbers are.

    Returns:
        A figure with the observed limits, the median expected ones and their bands of one and two standard deviations.

    Raises:
        ValueError: There are no limits.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> limit = pf.upper_limit([51, 48] + model.config.auxdata, model)
        >>> pf.plot.limits({"here": limit, "there": limit}, model).axes[0].get_xlabel()
        'upper limit on mu'
    """
    if isinstance(results, LimitResult):
        results = {"": results}
    if not results:
        raise ValueError("There are no limits to draw.")
    labels = list(results)
    observed = np.array([float(as_numpy(limit.observed)) for limit in results.values()])
    expected = np.array([as_numpy(limit.expected) for limit in results.values()])
    wanted = f"upper limit on {_poi(model)}"
    if len(labels) > 1 and all(isinstance(label, int | float) for label in labels):
        figure = new_figure(6.0, 4.2)
        axes = figure.subplots()
        order = np.argsort(labels, kind="stable")
        _curves(axes, np.array(labels, dtype=float)[order], observed[order], expected[order])
        axes.set_xlabel(xlabel)
        axes.set_ylabel(wanted)
        axes.set_ylim(bottom=0.0)
        tidy(axes)
    else:
        figure = new_figure(6.0, 1.6 + 0.4 * len(labels))
        axes = figure.subplots()
        _rows(axes, observed, expected)
        axes.set_yticks(range(len(labels)), [str(label) for label in labels])
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.set_xlabel(wanted)
        axes.set_xlim(left=0.0)
        tidy(axes, grid="x")
        axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize="small")
    return figure


def _curves(axes: Axes, x: Any, observed: Any, expected: Any) -> None:
    axes.fill_between(x, expected[:, 0], expected[:, 4], color=TWO_SIGMA, linewidth=0, label=r"expected $\pm 2\sigma$")
    axes.fill_between(x, expected[:, 1], expected[:, 3], color=ONE_SIGMA, linewidth=0, label=r"$\pm 1\sigma$")
    axes.plot(x, expected[:, 2], color="black", linestyle="dashed", label="median")
    axes.plot(x, observed, color="black", marker="o", markersize=3, label="observed")
    axes.set_xlim(x[0], x[-1])


def _rows(axes: Axes, observed: Any, expected: Any) -> None:
    y = np.arange(len(observed))
    for low, high, colour, label in ((0, 4, TWO_SIGMA, r"expected $\pm 2\sigma$"), (1, 3, ONE_SIGMA, r"$\pm 1\sigma$")):
        axes.barh(y, expected[:, high] - expected[:, low], 0.7, left=expected[:, low], color=colour, label=label)
    axes.vlines(expected[:, 2], y - 0.35, y + 0.35, color="black", linestyle="dashed", label="median")
    axes.plot(observed, y, "o", color="black", label="observed")


def _poi(model: Model | None) -> str:
    name = model.config.poi_name if model else None
    return r"$\mu$" if name is None else name
