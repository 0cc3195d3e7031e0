"""What all pictures share: figures, axes, style, legends."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, ParamSpec, TypeVar

import numpy as np

from pyhf_func.core.fit import Status
from pyhf_func.core.values import as_numpy
from pyhf_func.exceptions import needs
from pyhf_func.model import is_model
from pyhf_func.verbs._arguments import no_model

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_P = ParamSpec("_P")
_R = TypeVar("_R")

_STYLE: dict[Any, Any] = {
    "axes.labelsize": 10.0,
    "axes.linewidth": 0.8,
    "axes.titlesize": 9.5,
    "font.size": 9.0,
    "hatch.linewidth": 0.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "lines.linewidth": 1.4,
    "pdf.fonttype": 42,
    "savefig.dpi": 200.0,
    "xtick.direction": "in",
    "xtick.top": True,
    "ytick.direction": "in",
    "ytick.right": True,
}
"""Of figures that we make; axes of a caller keep the caller's style."""

_LONGEST = 4.5
"""Inches that a name of a row may take, at the size of 8 points."""


def check_arguments(result: Any, kind: type, verb: str, model: Any = None, *, needs_model: bool = True) -> None:
    """Raise unless the result is of this verb, and the model is a model.

    Raises:
        TypeError: It is.
    """
    if not isinstance(result, kind):
        raise TypeError(f"result is of type {type(result).__name__}; give what pyhf_func.{verb} returned.")
    if needs_model or model is not None:
        check_model(model)


def check_model(model: Any) -> None:
    """Raise unless this is a model.

    Raises:
        TypeError: It is.
    """
    if not is_model(model):
        raise TypeError(no_model(model, "model"))


class Canvas(NamedTuple):
    """Where a picture is drawn."""

    figure: Figure
    axes: list[Axes]
    ours: bool
    """whether we made the figure, so that its legend may stand outside of the axes."""


def mpl() -> Any:
    """matplotlib, with its modules that pictures use: loaded when one is drawn.

    Raises:
        ImportError: It is not installed.
    """
    try:
        from matplotlib import figure, font_manager, gridspec, patches, path, textpath, transforms  # noqa: F401
    except ImportError as error:
        raise ImportError(needs("A figure", "matplotlib", "plot", error)) from error
    return sys.modules["matplotlib"]


def styled(draw: Callable[_P, _R]) -> Callable[_P, _R]:
    """Draw a picture of our own in our style, whatever style is set.

    Raises:
        ImportError: matplotlib is not installed.
    """

    @functools.wraps(draw)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with mpl().rc_context({} if kwargs.get("ax") is not None else _STYLE):
            return draw(*args, **kwargs)

    return call


def canvas(
    ax: Axes | Sequence[Axes] | None,
    n: int,
    width: float,
    height: float,
    columns: int = 1,
) -> Canvas:
    """Axes for ``n`` panels: the caller's, or those of a new figure.

    Args:
        ax: The caller's: one, or one for each panel; None for a new figure.
        n: How many panels there are.
        width: Of the new figure, in inches.
        height: Of the new figure, in inches.
        columns: Panels side by side in the new figure.

    Raises:
        ValueError: The number of axes is not that of the panels.
    """
    if ax is not None:
        axes = list(np.ravel(np.asarray(ax, dtype=object)))
        if len(axes) != n:
            raise ValueError(f"This picture has {n} panels, and ax holds {len(axes)} axes: give one for each panel.")
        figure = axes[0].figure
        if any(other.figure is not figure for other in axes):
            raise ValueError("The axes belong to different figures; they must share one.")
        return Canvas(figure, axes, ours=False)
    figure = mpl().figure.Figure(figsize=(width, height), layout="constrained")
    grid = np.ravel(figure.subplots(-(-n // columns), columns, squeeze=False))
    for empty in grid[n:]:
        empty.remove()
    return Canvas(figure, list(grid[:n]), ours=True)


def with_ratios(drawn: Canvas) -> list[tuple[Axes, Axes]]:
    """Split each axes of a picture in two, one above the other, that share the horizontal axis."""
    return _aligned(drawn) if drawn.ours else [_split(axes) for axes in drawn.axes]


def _aligned(drawn: Canvas) -> list[tuple[Axes, Axes]]:
    """The same in a figure of ours: one grid for all, so that all edges are in line."""
    place: Any = drawn.axes[0].get_subplotspec()
    rows, columns = place.get_gridspec().get_geometry()
    grid = mpl().gridspec.GridSpec(2 * rows, columns, drawn.figure, height_ratios=[3, 1] * rows)
    pairs = []
    for i, axes in enumerate(drawn.axes):
        row, column = divmod(i, columns)
        axes.set_subplotspec(grid[2 * row, column])
        pairs.append((axes, drawn.figure.add_subplot(grid[2 * row + 1, column], sharex=axes)))
        axes.tick_params(axis="x", labelbottom=False)
    return pairs


def _split(axes: Axes) -> tuple[Axes, Axes]:
    """The same with axes of a caller, wherever they lie."""
    figure: Any = axes.figure
    place = axes.get_subplotspec()
    ratios: dict[str, Any] = {"height_ratios": [3, 1], "hspace": 0.03}
    if place is None:
        box = axes.get_position()
        parts: Any = mpl().gridspec.GridSpec(
            2, 1, figure, left=box.x0, right=box.x1, bottom=box.y0, top=box.y1, **ratios
        )
        axes.set_position(parts[0].get_position(figure))
        lower = figure.add_axes(parts[1].get_position(figure), sharex=axes)
    else:
        parts = place.subgridspec(2, 1, **ratios)
        axes.set_subplotspec(parts[0])
        lower = figure.add_subplot(parts[1], sharex=axes)
    axes.tick_params(axis="x", labelbottom=False)
    return axes, lower


def legend(drawn: Canvas, header: str, columns: int) -> None:
    """One legend of all that has a label, and the header: on top of a figure of ours, or above a caller's axes.

    Args:
        drawn: The picture.
        header: The line that names experiment, energy and luminosity.
        columns: How many entries stand side by side, at most.
    """
    found: dict[str, Any] = {}
    for axes in drawn.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    named = list(found.values()), list(found)
    style: dict[str, Any] = {"title": header or None, "title_fontsize": "medium", "columnspacing": 1.2}
    if drawn.ours:
        _shorten(drawn)
        texts, ncols = _fitting(named[1], min(columns, len(found)), drawn.figure.get_figwidth())
        drawn.figure.legend(named[0], texts, loc="outside upper center", ncols=ncols, **style)
    else:
        style |= {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "frameon": False, "fontsize": "x-small"}
        drawn.axes[0].legend(*named, ncols=min(columns, 2), bbox_transform=_above(drawn), **style)


def _fitting(texts: list[str], columns: int, room: float) -> tuple[list[str], int]:
    """Entries of a legend that fit into a width in inches, and in how many columns: fewer, or shortened in one."""
    size = _STYLE["legend.fontsize"]
    beside, between = 2.6 * size / 72, 1.2 * size / 72  # handles with the space around them; between columns
    widths = [_width(text, size) + beside for text in texts]
    for n in range(columns, 1, -1):
        if sum(max(map(float, part)) + between for part in np.array_split(widths, n) if len(part)) <= room:
            return texts, n
    border = 2.0 * size / 72
    return [shortened(text, 0.95 * (room - beside - border), size) for text in texts], 1


def _shorten(drawn: Canvas) -> None:
    """Titles at the right, and names of axes, that are longer than their axes lose their middle."""
    width, height = drawn.figure.get_size_inches()
    for axes in drawn.axes:
        place: Any = axes.get_subplotspec()
        rows, columns = place.get_gridspec().get_geometry()
        across, along = 0.9 * float(width) / columns - 0.3, max(1.2, 0.9 * float(height) / rows - 0.6)
        if title := axes.get_title(loc="right"):
            axes.set_title(shortened(title, across, 0.833 * _STYLE["font.size"]), loc="right", fontsize="small")
        axes.set_xlabel(shortened(axes.get_xlabel(), across, _STYLE["axes.labelsize"]))
        axes.set_ylabel(shortened(axes.get_ylabel(), along, _STYLE["axes.labelsize"]))


def shortened(text: str, room: float, size: float) -> str:
    """A text that fits into a width in inches: names that are too long lose their middle; mathematics stay whole."""
    if _width(text, size) <= room or "$" in text.replace(r"\$", ""):
        return text
    keep = max(8, int(len(text) * room / _width(text, size)) - 3)
    return f"{text[: keep // 2].rstrip(chr(92))}…{text[-(keep - keep // 2) :]}"


def row_name(text: str, size: float) -> str:
    """The name of a row, or of a bin: one line, not longer than a third of a page is wide."""
    return shortened(" ".join(text.split()), _LONGEST * size / 8, size)


@functools.cache
def _width(text: str, size: float) -> float:
    """Width of a text in inches."""
    math = "$" in text.replace(r"\$", "")
    width: float = (
        mpl()
        .textpath.TextToPath()
        .get_text_width_height_descent(text, mpl().font_manager.FontProperties(size=size), math)[0]
    )
    return width / 72


def _above(drawn: Canvas) -> Any:
    """Coordinates of the first axes, moved up over what stands on top of them."""
    axes = drawn.axes[0]
    points = 2.0
    if any(axes.get_title(loc=side) for side in ("left", "center", "right")):
        points = 16.0
    if drawn.axes[-1].xaxis.get_label_position() == "top":
        points = 36.0
    return axes.transAxes + mpl().transforms.ScaledTranslation(0.0, points / 72, drawn.figure.dpi_scale_trans)


def write_header(drawn: Canvas, text: str) -> None:
    """The same line in a picture without a legend."""
    if text:
        drawn.axes[0].set_title(text, loc="left", fontsize="medium")


def tidy(axes: Axes, *, grid: Literal["both", "x", "y"] | None = None) -> None:
    """Ticks inside, and possibly faint lines across ("x", "y" or "both")."""
    axes.tick_params(direction="in", which="both", top=True, right=True)
    if grid:
        axes.grid(axis=grid, color="0.9", linewidth=0.8)
        axes.set_axisbelow(True)


def check_status(status: Any, drawn: str) -> None:
    """Refuse to draw numbers of a fit that failed.

    Args:
        status: Of the fit.
        drawn: The numbers.

    Raises:
        ValueError: It did not converge.
    """
    worst = Status(int(np.max(as_numpy(status))))
    if worst >= Status.ITERATION_LIMIT:
        raise ValueError(f"There are no {drawn} to draw. {worst.sentence}")
