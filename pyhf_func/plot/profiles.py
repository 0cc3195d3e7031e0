"""Profile likelihoods in one and two dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.interpolate import RectBivariateSpline

from pyhf_func.contrib.viz.palette import BLUE, GREY, RED, UNKNOWN
from pyhf_func.core.inference import ProfileResult
from pyhf_func.core.values import as_numpy
from pyhf_func.model import AnyModel
from pyhf_func.plot.canvas import canvas, check_arguments, check_status, legend, styled, tidy
from pyhf_func.plot.labels import labels_of
from pyhf_func.plot.yields import known

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CONTOURS = {2.2957: ("68% confidence", "solid"), 5.9915: ("95% confidence", "dashed")}
"""Heights in two dimensions, and the coverage of what they enclose."""
_LATTICE = 150
"""Places at which a map is evaluated, along each axis."""
_RATIO = r"$-2\, \ln\lambda$"


@styled
def profile(
    result: ProfileResult,
    model: AnyModel,
    parameters: str | Sequence[str],
    *,
    ax: Axes | None = None,
    label: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    header: str | None = None,
) -> Figure:
    """A profile likelihood, with the heights that bound its confidence regions.

    Args:
        result: From `profile`, over one or two parameters.
        model: The model.
        parameters: Their names, in the order of the grid.
        ax: Axes to draw in; by default those of a new figure.
        label: What parameters are called, from their names.
        metadata: What else is known of the document, to complete ``label`` and ``header``; see `pyhf_func.plot`.
        header: The line above, such as luminosity and energy.

    Returns:
        A figure with a curve, lines at one and more standard deviations, the best value, and the interval of one
        standard deviation as far as the curve reaches (interpolated between the points: `intervals` gives the exact
        one); or with a map, and contours at 68% and 95% confidence, both smooth between the points (cubic splines).
        Points whose fit failed are left out.

    Raises:
        ValueError: There are not one or two parameters, their number differs from the grid's, or all fits failed.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> scanned = pf.profile({"mu": [0.0, 0.5, 1.0, 1.5]}, [61, 58] + model.config.auxdata, model)
        >>> pf.plot.profile(scanned, model, "mu").axes[0].get_xlabel()
        'mu'
    """
    check_arguments(result, ProfileResult, "profile", model)
    names = known(parameters, model.config.par_names, "parameter")
    if len(names) not in (1, 2) or len(names) != len(result.values):
        raise ValueError(
            f"A grid of {len(result.values)} parameters and {len(names)} names were given; "
            "one or two parameters can be drawn, each with its name."
        )
    check_status(result.free_fit.status, "profile likelihood")
    if not np.any(np.isfinite(as_numpy(result.ratio))):
        raise ValueError("There is no profile likelihood to draw: the fits at all points failed.")
    labels = labels_of(label, metadata, header)
    shown = [labels(name) for name in names]
    best = [float(as_numpy(result.free_fit.pars)[model.config.par_names.index(name)]) for name in names]
    drawn = canvas(ax, 1, 5.6, 4.4)
    axes = drawn.axes[0]
    if len(names) == 1:
        _curve(axes, result, best[0], shown[0])
    else:
        _map(axes, result, best)
        axes.set_ylabel(shown[1])
    axes.set_xlabel(shown[0])
    tidy(axes)
    legend(drawn, labels.header, 3)
    return drawn.figure


def _curve(axes: Axes, result: ProfileResult, best: float, name: str) -> None:
    x, ratio = as_numpy(result.values[0]), as_numpy(result.ratio)
    order = np.argsort(x, kind="stable")
    order = order[np.isfinite(ratio[order])]
    x, ratio = x[order], np.maximum(ratio[order], 0.0)
    axes.plot(x, ratio, color=BLUE, marker=".", markersize=4, label="profile likelihood ratio")
    top = 1.05 * float(np.max(ratio, initial=1.0))
    for sigmas in (1, 2, 3, 4, 5):
        if sigmas**2 < top:
            axes.axhline(sigmas**2, color=GREY, linewidth=0.8, linestyle="dashed")
            axes.text(1.01, sigmas**2, rf"{sigmas}$\sigma$", transform=axes.get_yaxis_transform(), va="center")
    if len(x) and x.min() <= best <= x.max():
        text = rf"{name} = {_interval(best, *ends(x, ratio, best))}"
        axes.axvline(best, color=RED, linewidth=1.0, linestyle="dotted", label=text)
    axes.set_ylim(0.0, top)
    axes.set_ylabel(_RATIO)


def ends(x: Any, ratio: Any, best: float, height: float = 1.0) -> tuple[float, float]:
    """Where a profile first rises to a height on both sides of its best value; not a number where it does not.

    Between points the root of the ratio, with the sign of the side, is interpolated linearly: it is a straight line
    where the likelihood is Gaussian.
    """

    def end(side: int) -> float:
        beyond = side * (x - best) > 0
        steps, roots = np.append(0.0, side * (x[beyond] - best)), np.append(0.0, np.sqrt(ratio[beyond]))
        order = np.argsort(steps)
        steps, roots = steps[order], roots[order]
        over = np.flatnonzero(roots >= np.sqrt(height))
        if not len(over):
            return float("nan")
        i = over[0]
        return best + side * float(np.interp(np.sqrt(height), roots[i - 1 : i + 1], steps[i - 1 : i + 1]))

    return end(-1), end(1)


def _interval(best: float, low: float, high: float) -> str:
    """A value with its errors, to two digits of the smaller one."""
    errors = [abs(end - best) for end in (low, high) if np.isfinite(end) and end != best]
    digits = max(0, 1 - int(np.floor(np.log10(min(errors))))) if errors else 3
    text = f"{best:.{digits}f}"
    above = f"^{{+{high - best:.{digits}f}}}" if np.isfinite(high) else ""
    below = f"_{{-{best - low:.{digits}f}}}" if np.isfinite(low) else ""
    return rf"${text}\;{above}{below}$" if errors else text


def _map(axes: Axes, result: ProfileResult, best: Sequence[float]) -> None:
    x, y = (np.sort(as_numpy(values)) for values in result.values)
    places = np.ix_(*(np.argsort(as_numpy(values), kind="stable") for values in result.values))
    ratio = np.ma.masked_invalid(as_numpy(result.ratio)[places].T)
    axes.set_facecolor(UNKNOWN)
    shading: Literal["nearest", "gouraud"] = "nearest" if np.ma.is_masked(ratio) else "gouraud"
    if shading == "gouraud":
        x, y, ratio = _finer(x, y, ratio)
    shades = axes.pcolormesh(
        x, y, ratio, shading=shading, cmap="Blues_r", vmin=0.0, vmax=min(12.0, float(ratio.max())), rasterized=True
    )
    axes.figure.colorbar(shades, ax=axes, label=_RATIO)
    for height, (text, style) in _CONTOURS.items():
        if ratio.min() < height < ratio.max():  # otherwise there is nothing to name
            axes.contour(x, y, ratio, [height], colors="black", linestyles=style)
            axes.plot([], [], color="black", linestyle=style, label=text)
    if x[0] <= best[0] <= x[-1] and y[0] <= best[1] <= y[-1]:
        axes.plot(*best, "+", color=RED, markersize=10, markeredgewidth=2, linestyle="none", label="best fit")


def _finer(x: Any, y: Any, ratio: Any) -> tuple[Any, Any, Any]:
    """A map between its points, as smooth as they allow; a value that is given twice stays as it is."""
    if any(len(axis) < 2 or len(np.unique(axis)) < len(axis) for axis in (x, y)):
        return x, y, ratio
    spline = RectBivariateSpline(y, x, ratio, kx=min(3, len(y) - 1), ky=min(3, len(x) - 1))
    fine = [np.linspace(axis[0], axis[-1], _LATTICE) for axis in (x, y)]
    return *fine, np.maximum(spline(fine[1], fine[0]), 0.0)
