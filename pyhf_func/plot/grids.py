"""Exclusion contours of signal grids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.ndimage import label as pieces_of
from scipy.spatial import ConvexHull
from scipy.special import ndtri

from pyhf_func.contrib.viz.palette import BLUE, GREY, ONE_SIGMA, RED
from pyhf_func.plot.canvas import canvas, check_arguments, legend, mpl, styled, tidy
from pyhf_func.plot.labels import labels_of
from pyhf_func.plot.surfaces import plane_of, smooth
from pyhf_func.verbs.grid import GridResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_LATTICE = 180
"""Places at which surfaces are evaluated, along each axis."""
_FAR = 2.0
"""Standard deviations from the contour beyond which significances count as equal."""
_DECADES = 1.25
"""Values of which eight in ten span more are compared by their logarithms."""


class _Surfaces(NamedTuple):
    x: Any  # (n,)
    y: Any  # (n,)
    hull: Any  # (corners, 2)
    inside: Any  # (n, n) of bool: the place lies in the hull
    observed: Any  # (n, n) significance above that at the level
    minus: Any  # (n, n) the same for the expectation less one standard deviation
    expected: Any  # (n, n)
    plus: Any  # (n, n)


@styled
def exclusion(
    result: GridResult,
    x: int = 0,
    y: int = 1,
    *,
    ax: Axes | None = None,
    label: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    header: str | None = None,
) -> Figure:
    """The region of two signal parameters in which the tested hypothesis is excluded.

    Contours are drawn where CLs is the result's level, as experiments do it, from surfaces of the significance
    ``z = Φ⁻¹(1 - CLs)``, which varies slowly between points where CLs changes by orders of magnitude. The surfaces
    are thin-plate splines over the principal axes of the points (so that neither units nor a kinematic diagonal
    matter), with logarithms of values that are spread over decades. Each is as smooth as generalised
    cross validation asks for: points without noise are interpolated, and the scatter that limited simulated samples
    leave on others is smoothed, so that single points may lie on the wrong side of a line. Nothing is drawn outside
    of the convex hull of the points, and no piece of a contour that surrounds no point.

    Args:
        result: From `grid`, with at least three points that don't lie on one line.
        x: Which value of a point is the horizontal axis.
        y: Which value is the vertical axis.
        ax: Axes to draw in; by default those of a new figure.
        label: What the values are called, from their names in ``result.labels``.
        metadata: What else is known of the document, to complete ``label`` and ``header``; see `pyhf_func.plot`.
        header: The line above, such as luminosity and energy.

    Returns:
        A figure with the observed contour, the median expected one and its band of one standard deviation, and the
        points: full where excluded, open where not, crosses where a point has no result.

    Raises:
        ValueError: The points have too few values, or fewer than three of them have a result, or all of these lie on
            one line.

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
    check_arguments(result, GridResult, "grid", needs_model=False)
    if any(len(values) <= max(x, y) for values in result.values):
        raise ValueError(f"Each point needs a value number {max(x, y)}; the points have {result.values}.")
    places = _places(result, x, y)
    known = np.isfinite(result.cls) & np.all(np.isfinite(result.cls_expected), axis=1)
    if known.sum() < 3:
        raise ValueError(f"A contour needs at least three points with a result, and there are {known.sum()}.")
    logs = [_is_wide(places[:, axis]) for axis in (0, 1)]
    surfaces = _surfaces(places[known], _significances(result)[known], logs)
    drawn = canvas(ax, 1, 6.0, 4.8)
    axes = drawn.axes[0]
    _draw_contours(axes, surfaces, result.level)
    _draw_points(axes, places, known, result.cls < result.level)
    labels = labels_of(label, metadata, header)
    names = result.labels or tuple(f"value {i}" for i in range(max(x, y) + 1))
    axes.set_xlabel(labels(names[x]))
    axes.set_ylabel(labels(names[y]))
    for scale, wide in ((axes.set_xscale, logs[0]), (axes.set_yscale, logs[1])):
        scale("log" if wide else "linear")
    axes.set(xlim=_ends(places[:, 0]), ylim=_ends(places[:, 1]))
    tidy(axes)
    legend(drawn, labels.header, 3)
    return drawn.figure


def _places(result: GridResult, x: int, y: int) -> Any:
    """Where the points lie; shape (points, 2).

    Raises:
        ValueError: A value is no finite number.
    """
    pairs = [(values[x], values[y]) for values in result.values]
    try:
        places = np.array(pairs, dtype=float)
    except ValueError:
        places = np.full((1, 2), np.nan)
    if not np.all(np.isfinite(places)):
        raise ValueError(f"The axes of a contour must be finite numbers, and the points have {pairs}.")
    return places


def _ends(values: Any) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _is_wide(values: Any) -> bool:
    if values.min() <= 0:
        return False
    low, high = np.quantile(np.log10(values), (0.1, 0.9))
    return bool(high - low > _DECADES)


def _significances(result: GridResult) -> Any:
    """Observed, expected - 1 σ, median and + 1 σ, above the significance at the level; shape (points, 4)."""
    cls = np.column_stack([result.cls, result.cls_expected[:, 1:4]])
    contour = -ndtri(result.level)
    return np.clip(-ndtri(np.clip(cls, np.finfo(float).tiny, 1.0)) - contour, -_FAR, _FAR)


def _surfaces(places: Any, significances: Any, logs: list[bool]) -> _Surfaces:
    """Surfaces of significances on a lattice."""

    def straight(points: Any) -> Any:
        return np.column_stack([np.log(points[:, i]) if logs[i] else points[:, i] for i in (0, 1)])

    points, where = np.unique(straight(places), axis=0, return_inverse=True)
    counts = np.bincount(where)
    values = np.column_stack([np.bincount(where, column) / counts for column in significances.T])
    plane = plane_of(points)
    if len(points) < 3:
        raise ValueError("A contour needs at least three points at different places.")
    axes = [np.linspace(points[:, i].min(), points[:, i].max(), _LATTICE) for i in (0, 1)]
    lattice = np.column_stack([axis.ravel() for axis in np.meshgrid(*axes)])
    found = smooth(plane(points), values, plane(lattice)).T.reshape(-1, _LATTICE, _LATTICE)
    steps = [axis[1] - axis[0] for axis in axes]
    nearest = tuple(np.rint((points[:, i] - axes[i][0]) / steps[i]).astype(int) for i in (1, 0))
    convex = ConvexHull(plane(points))
    hull = points[convex.vertices]
    sides = plane(lattice) @ convex.equations[:, :2].T + convex.equations[:, 2]
    inside = np.all(sides <= 0, axis=1).reshape(_LATTICE, _LATTICE)
    shown = [np.exp(axis) if wide else axis for axis, wide in zip(axes, logs, strict=True)]
    corners = np.column_stack([np.exp(hull[:, i]) if logs[i] else hull[:, i] for i in (0, 1)])
    observed, minus, expected, plus = (_without_empty_pieces(surface, nearest) for surface in found)
    return _Surfaces(shown[0], shown[1], corners, inside, observed, minus, expected, plus)


def _without_empty_pieces(surface: Any, nearest: tuple[Any, Any]) -> Any:
    """The surface mirrored at zero in connected regions of one sign in which no point lies."""
    for side in (surface > 0, surface <= 0):
        regions, n = pieces_of(side)
        held = np.unique(regions[nearest])
        empty = side & np.isin(regions, np.setdiff1d(np.arange(1, n + 1), held))
        surface = np.where(empty, -surface, surface)
    return surface


def _draw_contours(axes: Axes, surfaces: _Surfaces, level: float) -> None:
    """The band and both lines, inside the hull; what has no part there is not named either."""
    outline = mpl().path.Path(surfaces.hull, closed=False)
    clip = mpl().patches.PathPatch(outline, transform=axes.transData, facecolor="none", linewidth=0)
    between = np.minimum(surfaces.minus, -surfaces.plus)
    place, inside = (surfaces.x, surfaces.y), surfaces.inside
    if is_banded := np.any(between[inside] > 0):
        axes.contourf(*place, between, levels=[0.0, np.inf], colors=[ONE_SIGMA]).set_clip_path(clip)
    named: list[tuple[str, dict[str, Any]]] = []
    lines: tuple[tuple[Any, str, dict[str, Any]], ...] = (
        (surfaces.expected, "expected", {"color": BLUE, "linestyle": "dashed", "linewidth": 1.4}),
        (
            surfaces.observed,
            rf"observed, $\mathrm{{CL}}_s$ = {level:g}",
            {"color": RED, "linestyle": "solid", "linewidth": 1.8},
        ),
    )
    for surface, text, style in lines:
        if np.any(surface[inside] > 0) and np.any(surface[inside] <= 0):
            several = {f"{name}s": value for name, value in style.items()}
            axes.contour(*place, surface, levels=[0.0], **several).set_clip_path(clip)
            named.insert(0, (text, style))
    for text, style in named:
        axes.plot([], [], label=text, **style)
    if is_banded:
        axes.fill_between([], [], color=ONE_SIGMA, linewidth=0, label=r"expected $\pm 1\sigma$")


def _draw_points(axes: Axes, places: Any, known: Any, excluded: Any) -> None:
    """Full where excluded, open where not, crosses where nothing is known; named where there are any."""
    size = float(np.clip(2400 / len(places), 1.0, 12.0))
    styles: tuple[tuple[Any, dict[str, Any]], ...] = (
        (known & excluded, {"s": size, "color": GREY, "label": "excluded"}),
        (known & ~excluded, {"s": size, "facecolors": "none", "edgecolors": GREY, "label": "not excluded"}),
        (~known, {"s": 18, "marker": "x", "color": GREY, "label": "no result"}),
    )
    for chosen, style in styles:
        if np.any(chosen):
            axes.scatter(*places[chosen].T, clip_on=False, zorder=3, **style)
