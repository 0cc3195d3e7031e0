"""Profile likelihoods in one and two dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pyhf_func.core.inference import ProfileResult
from pyhf_func.pdf import Model
from pyhf_func.plot.canvas import BLUE, GREY, RED, new_figure, tidy
from pyhf_func.schema.values import as_numpy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CONTOURS = {2.2957: "68%", 5.9915: "95%"}
"""Heights in two dimensions, and the coverage of what they enclose."""


def profile(result: ProfileResult, model: Model, parameters: str | Sequence[str]) -> Figure:
    """A profile likelihood, with the heights that bound its confidence regions.

    Args:
        result: From `profile`, over one or two parameters.
        model: The model.
        parameters: Their names, in the order of the grid.

    Returns:
        A figure with a curve, and lines at one and two standard deviations; or with a map, and contours at 68% and
        95% confidence. The best value is marked where it lies inside.

    Raises:
        ValueError: There are not one or two parameters, or their number differs from the grid's.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> scanned = pf.profile({"mu": [0.0, 0.5, 1.0, 1.5]}, [61, 58] + model.config.auxdata, model)
        >>> pf.plot.profile(scanned, model, "mu").axes[0].get_xlabel()
        'mu'
    """
    names = [parameters] if isinstance(parameters, str) else list(parameters)
    if len(names) not in (1, 2) or len(names) != len(result.values):
        raise ValueError(
            f"A grid of {len(result.values)} parameters and {len(names)} names were given; "
            "one or two parameters can be drawn, each with its name."
        )
    best = [float(as_numpy(result.free_fit.pars)[model.config.par_names.index(name)]) for name in names]
    figure = new_figure(5.5, 4.2)
    axes = figure.subplots()
    (_curve if len(names) == 1 else _map)(axes, result, best)
    axes.set_xlabel(names[0])
    if len(names) == 2:
        axes.set_ylabel(names[1])
    tidy(axes)
    return figure


def _curve(axes: Axes, result: ProfileResult, best: Sequence[float]) -> None:
    x, ratio = as_numpy(result.values[0]), as_numpy(result.ratio)
    order = np.argsort(x, kind="stable")
    axes.plot(x[order], ratio[order], color=BLUE, marker=".", markersize=4)
    top = 1.05 * float(np.nanmax(ratio, initial=1.0))
    for sigmas in (1, 2, 3, 4, 5):
        if sigmas**2 < top:
            axes.axhline(sigmas**2, color=GREY, linewidth=0.8, linestyle="dashed")
            axes.text(
                0.99, sigmas**2, rf"{sigmas}$\sigma$", transform=axes.get_yaxis_transform(), ha="right", va="bottom"
            )
    if x.min() <= best[0] <= x.max():
        axes.axvline(best[0], color=GREY, linewidth=0.8, linestyle="dotted")
    axes.set_ylim(0.0, top)
    axes.set_ylabel(r"$-2\, \ln\lambda$")


def _map(axes: Axes, result: ProfileResult, best: Sequence[float]) -> None:
    x, y = (np.sort(as_numpy(values)) for values in result.values)
    places = np.ix_(*(np.argsort(as_numpy(values), kind="stable") for values in result.values))
    ratio = as_numpy(result.ratio)[places].T
    shades = axes.pcolormesh(x, y, ratio, shading="gouraud", cmap="Blues_r", vmin=0.0, vmax=min(12.0, np.nanmax(ratio)))
    axes.figure.colorbar(shades, ax=axes, label=r"$-2\, \ln\lambda$")
    heights = [height for height in _CONTOURS if np.nanmin(ratio) < height < np.nanmax(ratio)]
    if heights:
        lines = axes.contour(x, y, ratio, heights, colors="black", linestyles=["solid", "dashed"][: len(heights)])
        axes.clabel(lines, fmt=_CONTOURS)
    if x[0] <= best[0] <= x[-1] and y[0] <= best[1] <= y[-1]:
        axes.plot(*best, "+", color=RED, markersize=10, markeredgewidth=2, label="best fit")
        axes.legend(frameon=False)
