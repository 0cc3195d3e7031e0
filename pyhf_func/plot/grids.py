"""Exclusion contours of signal grids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyhf_func.plot.canvas import BLUE, GREY, ONE_SIGMA, RED, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pyhf_func.signal_grids import GridResult


def exclusion(result: GridResult, x: int = 0, y: int = 1) -> Figure:
    """The region of two signal parameters in which the tested hypothesis is excluded.

    Contours of CLs at the result's level, of log CLs interpolated linearly between the points.

    Args:
        result: From `grid`, with at least three points that don't lie on one line.
        x: Which value of a point is the horizontal axis.
        y: Which value is the vertical axis.

    Returns:
        A figure with the observed contour, the median expected one and its band of one standard deviation, and the
        points: full where excluded, open where not, crosses where a point has no result.

    Raises:
        ValueError: The points have too few values, or fewer than three of them have a result.

    Example:
        >>> import numpy as np, pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0], [50.0], [3.0])
        >>> workspace = pf.Workspace.build(model, [51.0] + model.config.auxdata)
        >>> points = {f"s{s}": {("singlechannel", "signal"): [s]} for s in (8.0, 24.0, 60.0)}
        >>> result = pf.grid(workspace, points, limits=False)
        >>> masses = ((300.0, 50.0), (200.0, 20.0), (100.0, 40.0))
        >>> figure = pf.plot.exclusion(result._replace(values=masses, labels=("m1", "m2")))
        >>> figure.axes[0].get_xlabel()
        'm1'
    """
    if any(len(values) <= max(x, y) for values in result.values):
        raise ValueError(f"Each point needs a value number {max(x, y)}; the points have {result.values}.")
    places = np.array([[values[x], values[y]] for values in result.values], dtype=float)
    known = np.isfinite(result.cls) & np.all(np.isfinite(result.cls_expected), axis=1)
    if known.sum() < 3:
        raise ValueError(f"A contour needs at least three points with a result, and there are {known.sum()}.")
    figure = new_figure(6.0, 4.6)
    axes = figure.subplots()
    horizontal, vertical = places[known].T
    smallest = np.finfo(float).tiny
    observed, *band = np.log(np.maximum(np.column_stack([result.cls, result.cls_expected])[known], smallest)).T
    level = np.log(result.level)
    axes.tricontourf(
        horizontal, vertical, _between(band[1] - level, band[3] - level), levels=[0.0, np.inf], colors=[ONE_SIGMA]
    )
    axes.tricontour(horizontal, vertical, band[2], levels=[level], colors=[BLUE], linestyles="dashed")
    axes.tricontour(horizontal, vertical, observed, levels=[level], colors=[RED], linestyles="solid")
    excluded = observed < level
    axes.scatter(horizontal[excluded], vertical[excluded], s=14, color=GREY)
    axes.scatter(horizontal[~excluded], vertical[~excluded], s=14, facecolors="none", edgecolors=GREY)
    axes.scatter(places[~known, 0], places[~known, 1], s=18, marker="x", color=GREY)
    for label, options in (
        (f"observed, CLs = {result.level:g}", {"color": RED}),
        ("expected", {"color": BLUE, "linestyle": "dashed"}),
        ("expected ± 1 σ", {"color": ONE_SIGMA, "linewidth": 6.0}),
    ):
        axes.plot([], [], label=label, **options)
    names = result.labels or tuple(f"value {i}" for i in range(max(x, y) + 1))
    axes.set_xlabel(names[x])
    axes.set_ylabel(names[y])
    axes.margins(0.05)
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    tidy(axes)
    return figure


def _between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Positive where zero lies between the two."""
    return np.minimum(-low, high)
