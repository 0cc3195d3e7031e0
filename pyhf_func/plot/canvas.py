"""What all figures share: how they are made, and their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pyhf_func.exceptions import needs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"
SERIES = ("#56B4E9", ORANGE, GREEN, "#CC79A7", "#F0E442", BLUE, RED, "#999999", "#B2DF8A", "#CAB2D6")
"""Colours that can be told apart by everyone (Okabe and Ito, 2008), and two more."""
ONE_SIGMA, TWO_SIGMA = "#8BC34A", "#FFEB3B"


def new_figure(width: float, height: float) -> Figure:
    """An empty figure; width and height in inches.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(needs("A figure", "matplotlib", "plot", error)) from error
    return Figure(figsize=(width, height), layout="constrained")


def tidy(axes: Axes, *, grid: Literal["both", "x", "y"] | None = None) -> None:
    """Ticks inside, and possibly faint lines across ("x", "y" or "both")."""
    axes.tick_params(direction="in", which="both", top=True, right=True)
    if grid:
        axes.grid(axis=grid, color="0.9", linewidth=0.8)
        axes.set_axisbelow(True)
