"""What pictures of yields share: intervals of observed counts, stacked steps, bands, ratios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammaincinv, ndtr

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TAIL = float(ndtr(-1.0))
_POINTS: dict[str, Any] = {"fmt": "o", "color": "black", "markersize": 3.5, "elinewidth": 1.0}


def garwood(counts: Any) -> tuple[Any, Any]:
    """Ends of the central 68.3 % confidence intervals of Poisson means (Garwood, 1936).

    Args:
        counts: Observed events, not negative; not a number where nothing was observed. Any shape.

    Returns:
        Lower and upper ends, in the same shape. No event gives an interval from zero to 1.84.

    Example:
        >>> low, high = garwood([0.0, 9.0])
        >>> low.round(3).tolist(), high.round(3).tolist()
        ([0.0, 6.057], [1.841, 13.11])
    """
    counts = np.asarray(counts, dtype=float)
    low = np.where(counts > 0, gammaincinv(np.where(counts > 0, counts, 1.0), _TAIL), 0.0)
    return np.where(np.isnan(counts), np.nan, low), gammaincinv(counts + 1, 1 - _TAIL)


def draw_counts(axes: Axes, x: Any, counts: Any, scale: Any = 1.0, label: str | None = None) -> None:
    """Observed events with their intervals, divided by ``scale``."""
    low, high = garwood(counts)
    errors = np.array([counts - low, high - counts]) / scale
    axes.errorbar(x, counts / scale, yerr=errors, label=label, **_POINTS)


def draw_band(axes: Axes, edges: Any, middle: Any, error: Any, label: str | None = None) -> None:
    """A hatched band around steps; nothing where the error is unknown."""
    axes.stairs(
        middle + error,
        edges,
        baseline=middle - error,
        fill=True,
        facecolor="none",
        edgecolor="0.25",
        hatch="//////",
        linewidth=0,
        label=label if np.any(np.isfinite(middle + error)) else None,
    )


def draw_outside(axes: Axes, x: Any, values: Any, low: float, high: float) -> None:
    """Small triangles at the edge, where values lie beyond it."""
    for beyond, edge, marker in ((values > high, high, "^"), (values < low, low, "v")):
        if np.any(beyond):
            axes.plot(x[beyond], np.full(int(np.sum(beyond)), edge), marker, color="black", markersize=4, clip_on=False)


def reach_of(*deviations: Any, least: float = 0.1) -> float:
    """Half the height of a ratio's axis: what holds all deviations, between the least and one."""
    sizes = np.abs(np.concatenate([np.ravel(deviation) for deviation in deviations]))
    return float(np.clip(1.15 * np.max(sizes, initial=0.0, where=np.isfinite(sizes)), least, 1.0))
