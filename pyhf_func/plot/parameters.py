"""Fitted parameters: pulls, impacts and correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from pyhf_func.contrib.viz.palette import BLUE, GREY, ONE_SIGMA, RED, TWO_SIGMA, UNKNOWN
from pyhf_func.core.arrays import floats
from pyhf_func.core.fit import Problem
from pyhf_func.core.inference import CovarianceResult, ImpactResult
from pyhf_func.core.inference.constraints import prefit_pars, prefit_widths
from pyhf_func.core.values import as_numpy
from pyhf_func.model import AnyModel
from pyhf_func.plot.canvas import canvas, check_arguments, check_status, legend, row_name, styled, tidy, write_header
from pyhf_func.plot.labels import labels_of
from pyhf_func.plot.yields import known

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LETTER = 0.064
"""Width of a letter of a row's name, in inches, at the size of 8 points."""
_ONE_COLUMN = 40
"""Pulls that stand in one column, at most."""
_PULL = r"$(\hat{\theta} - \theta_0)\, /\, \Delta\theta$"


@styled
def pulls(
    result: CovarianceResult,
    model: AnyModel,
    parameters: Sequence[str] | None = None,
    *,
    most: int | None = None,
    ax: Axes | Sequence[Axes] | None = None,
    label: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    header: str | None = None,
) -> Figure:
    """Fitted values of the constrained parameters, in widths of their constraints.

    Args:
        result: From `covariance`, or the ``covariance`` of another result.
        model: The model.
        parameters: Names of those to show (``"name[i]"`` for a component); by default all that are constrained and
            not fixed.
        most: Show only this many: those farthest from a value of 0 ± 1, in the order of the model.
        ax: Axes to draw in, one for each column; by default those of a new figure.
        label: What parameters are called, from their names.
        metadata: What else is known of the document, to complete ``label`` and ``header``; see `pyhf_func.plot`.
        header: The line above, such as luminosity and energy.

    Returns:
        A figure with one row for each parameter: its value less that before the fit, and its standard error. More
        than forty stand in several columns. An open point has no error: the likelihood is flat there.

    Raises:
        ValueError: The fit failed, a parameter has no constraint, or none is left to show.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> figure = pf.plot.pulls(pf.covariance([51, 48] + model.config.auxdata, model), model)
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['uncorr_bkguncrt[0]', 'uncorr_bkguncrt[1]']
    """
    check_arguments(result, CovarianceResult, "covariance", model)
    check_status(result.fit.status, "fitted parameters")
    nominal, widths = before(model)
    asked = _places(result, model)
    if parameters is None:
        widths = np.where(np.isin(np.arange(len(widths)), asked), widths, 0.0)
    places = np.array(_constrained(model, widths, parameters))
    values = (as_numpy(result.fit.pars)[places] - nominal[places]) / widths[places]
    errors = np.full(len(widths), np.nan)
    errors[asked] = as_numpy(result.errors)
    errors = errors[places] / widths[places]
    if most is not None:
        kept = np.sort(np.argsort(-np.hypot(values, np.nan_to_num(1 - errors)), kind="stable")[:most])
        places, values, errors = places[kept], values[kept], errors[kept]
    labels = labels_of(label, metadata, header)
    size = 8.0 if len(places) <= _ONE_COLUMN else 6.0
    names = [row_name(labels(model.config.par_names[place]), size) for place in places]
    columns, width, height = _layout(len(names), _LETTER * size / 8 * max(map(len, names)))
    rows = -(-len(names) // columns)
    drawn = canvas(ax, columns, width, height, columns)
    reach = max(2.5, 1.1 * float(np.max(np.abs(values) + np.nan_to_num(errors))))
    for column, axes in enumerate(drawn.axes):
        part = slice(column * rows, (column + 1) * rows)
        _pull_bands(axes, len(names[part]))
        _points(axes, values[part], errors[part], markersize=0.45 * size)
        _rows(axes, names[part], size, n=rows)
        axes.set_xlim(-reach, reach)
        axes.set_xticks(_whole(reach))
        axes.set_xlabel(_PULL, fontsize=size + 1.5)
    legend(drawn, labels.header, 4)
    return drawn.figure


@styled
def ranking(
    result: ImpactResult,
    model: AnyModel,
    most: int = 20,
    *,
    ax: Axes | None = None,
    label: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    header: str | None = None,
) -> Figure:
    """The most important parameters with their impacts on the parameter of interest and their pulls.

    Args:
        result: From `impacts`.
        model: The model.
        most: How many parameters to show.
        ax: Axes to draw in; by default those of a new figure.
        label: What parameters are called, from their names.
        metadata: What else is known of the document, to complete ``label`` and ``header``; see `pyhf_func.plot`.
        header: The line above, such as luminosity and energy.

    Returns:
        A figure with one row for each parameter, the most important on top: bars for its impacts (lower axis), filled
        post-fit and outlined pre-fit; a point for its pull (upper axis). Impacts whose fit failed are left out.

    Raises:
        ValueError: The fit of all parameters failed, or there is no other parameter.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> figure = pf.plot.ranking(pf.impacts([51, 48] + model.config.auxdata, model), model)
        >>> figure.axes[0].get_xlabel()
        '$\\\\Delta$ mu'
    """
    check_arguments(result, ImpactResult, "impacts", model)
    check_status(result.covariance.fit.status, "impacts")
    n = min(most, result.parameters.shape[0])
    if n < 1:
        raise ValueError("There is no impact to draw: the model has no other parameter, or `most` is less than one.")
    labels = labels_of(label, metadata, header)
    names = [labels(name) for name in model.config.par_names]
    shown = [row_name(names[int(place)], 8.0) for place in as_numpy(result.parameters)[:n]]
    drawn = canvas(ax, 1, max(6.8, 3.8 + _LETTER * max(map(len, shown))), 1.9 + 0.24 * n)
    axes = drawn.axes[0]
    if not _impacts(axes, result, n):
        text = f"{names[int(result.poi)]} stays at {float(result.poi_best):.3g}: no parameter moves it"
        axes.text(0.5, 0.01, text, transform=axes.transAxes, ha="center", va="bottom", fontstyle="italic")
    axes.set_xlabel(rf"$\Delta$ {names[int(result.poi)]}")
    _rows(axes, shown, 8.0)
    pull_axes = axes.twiny()
    constrained = as_numpy(result.constraints)[:n] > 0
    values, errors = as_numpy(result.pulls)[:n][constrained], as_numpy(result.constraints)[:n][constrained]
    _points(pull_axes, values, errors, np.arange(n)[constrained], markersize=4)
    reach = max(2.0, 1.1 * float(np.max(np.abs(values) + errors, initial=0.0)))
    pull_axes.set_xlim(-reach, reach)
    pull_axes.axvline(0.0, color=GREY, linewidth=0.8, zorder=0)
    for pull in (-1.0, 1.0):
        pull_axes.axvline(pull, color=GREY, linewidth=0.8, linestyle="dotted", zorder=0)
    pull_axes.set_xlabel(_PULL)
    axes.tick_params(top=False)
    pull_axes.tick_params(direction="in")
    legend(drawn._replace(axes=[axes, pull_axes]), labels.header, 3)
    return drawn.figure


def _impacts(axes: Axes, result: ImpactResult, n: int) -> bool:
    """Bars of the first ``n`` impacts; whether there are any."""
    largest = 0.0
    for stage in ("pre", "post"):
        up, down = (as_numpy(getattr(result, f"{stage}fit_{side}"))[:n] for side in ("up", "down"))
        halves = np.where(up * down > 0, 0.5, 1.0)  # of a row, where both lie on one side: they would overlap
        for side, colour in (("up", BLUE), ("down", RED)):
            shift = rf"$\theta = \hat{{\theta}} {'+' if side == 'up' else '-'} \Delta$"
            style: dict[str, Any] = {"facecolor": colour, "alpha": 0.75, "edgecolor": "none"}
            if stage == "pre":
                style = {"facecolor": "none", "edgecolor": colour, "linewidth": 1}
            sizes, turn = (up, -1) if side == "up" else (down, 1)
            place = np.arange(n) + turn * 0.4 * (1 - halves)
            axes.barh(place, sizes, height=0.8 * halves, label=f"{stage}-fit impact, {shift}", **style)
            largest = max(largest, float(np.max(np.abs(np.nan_to_num(sizes)), initial=0.0)))
    axes.set_xlim(-1.15 * (largest or 1.0), 1.15 * (largest or 1.0))
    return largest > 0


@styled
def correlation(
    result: CovarianceResult,
    model: AnyModel,
    least: float = 0.1,
    *,
    most: int | None = 25,
    ax: Axes | None = None,
    label: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    header: str | None = None,
) -> Figure:
    """Correlations of the fitted parameters.

    Args:
        result: From `covariance`, or the ``covariance`` of another result.
        model: The model.
        least: Parameters without any correlation of at least this size are left out, except for the parameter of
            interest; where that leaves none, those of the largest correlations are drawn, and a line says so. Fixed
            parameters and those at a bound are never drawn.
        most: Show at most this many: those with the largest correlations, in the order of the model; None for all.
        ax: Axes to draw in; by default those of a new figure.
        label: What parameters are called, from their names.
        metadata: What else is known of the document, to complete ``label`` and ``header``; see `pyhf_func.plot`.
        header: The line above, such as luminosity and energy.

    Returns:
        A figure of the matrix, with numbers where there is room for them.

    Raises:
        ValueError: The fit failed, or no parameter is left.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> figure = pf.plot.correlation(pf.covariance([61, 58] + model.config.auxdata, model), model)
        >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
        ['mu', 'uncorr_bkguncrt[0]', 'uncorr_bkguncrt[1]']
    """
    check_arguments(result, CovarianceResult, "covariance", model)
    check_status(result.fit.status, "correlations")
    places, reached = _correlated(result, model, least, most)
    labels = labels_of(label, metadata, header)
    room, size = (0.3, 8.0) if len(places) <= 25 else (0.16, 6.0)
    names = [row_name(labels(model.config.par_names[place]), size) for place in _places(result, model)[places]]
    side = max(2.4, room * len(names)) + _LETTER * size / 8 * max(map(len, names))
    drawn = canvas(ax, 1, side + 1.7, side + 0.3)
    axes = drawn.axes[0]
    inner = as_numpy(result.correlation)[np.ix_(places, places)]
    axes.set_facecolor(UNKNOWN)  # seen through cells that are not a number
    image = axes.imshow(inner, vmin=-1, vmax=1, cmap="RdBu_r")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.tick_params(length=0)
    if len(names) <= 25:
        for (row, column), value in np.ndenumerate(inner):
            text = _two_digits(value)
            colour = "white" if abs(value) > 0.6 else GREY if text == "0.00" else "black"
            axes.text(column, row, text, ha="center", va="center", fontsize=6, color=colour)
    drawn.figure.colorbar(image, ax=axes, label="correlation", shrink=0.8)
    if not reached:
        axes.set_xlabel(f"the largest: no correlation reaches {least:g}", fontsize=size, color=GREY)
    write_header(drawn, labels.header)
    return drawn.figure


def _correlated(result: CovarianceResult, model: AnyModel, least: float, most: int | None) -> tuple[Any, bool]:
    """Those of the result's parameters to show, in order, and whether correlations reach the least one."""
    matrix = np.nan_to_num(as_numpy(result.correlation))
    largest = np.max(np.abs(matrix - np.diag(np.diagonal(matrix))), axis=0, initial=0.0)
    free = ~(as_numpy(result.errors) <= 0)
    reached = bool(np.any((largest >= least) & free))
    if (poi := model.config.poi_index) is not None:
        largest[_places(result, model) == poi] = np.inf
    places = np.flatnonzero(((largest >= least) | (not reached)) & free)
    places = np.sort(places[np.argsort(-largest[places], kind="stable")][:most])
    if not len(places):
        raise ValueError("No parameter is free, so there are no correlations to draw.")
    return places, reached


def _places(result: CovarianceResult, model: AnyModel) -> Any:
    """Places of the result's parameters in the parameter vector."""
    return np.arange(model.config.npars) if result.parameters is None else as_numpy(result.parameters)


def _two_digits(value: float) -> str:
    """A number without a sign where it rounds to zero."""
    return "" if np.isnan(value) else f"{round(float(value), 2) + 0.0:.2f}"


def before(model: AnyModel) -> tuple[Any, Any]:
    """The parameters before a fit, and the widths of their constraints."""
    content, config = model.likelihood, model.config
    space = content.space
    data = floats([0.0] * config.nmaindata + list(config.auxdata))
    pars, widths = _before_fit(Problem(content, data, space.init, space.lower, space.upper, space.fixed))
    return as_numpy(pars), as_numpy(widths)


@jax.jit
def _before_fit(problem: Problem) -> tuple[jax.Array, jax.Array]:
    return prefit_pars(problem), prefit_widths(problem)


def _constrained(model: AnyModel, widths: Any, parameters: Sequence[str] | None) -> list[int]:
    """Places of the parameters whose pulls are shown.

    Raises:
        ValueError: One has no constraint, or none is left.
    """
    names = model.config.par_names
    if parameters is None:
        places = [place for place, width in enumerate(widths) if width > 0]
    else:
        places = [names.index(name) for name in known(parameters, names, "parameter")]
    if loose := [names[place] for place in places if not widths[place] > 0]:
        raise ValueError(f"Pulls are measured in widths of constraints, which these have not: {', '.join(loose)}.")
    if not places:
        raise ValueError("There is no parameter to show: the model has no constrained parameter that is not fixed.")
    return places


def _layout(n: int, letters: float) -> tuple[int, float, float]:
    """Columns, width and height of ``n`` pulls whose names have a width: about as wide as high where there are many."""
    if n <= _ONE_COLUMN:
        return 1, max(5.4, 2.8 + letters), 1.4 + 0.21 * n
    sizes = [(columns, columns * (1.4 + letters), 1.4 + 0.14 * -(-n // columns)) for columns in range(2, 9)]
    return min(sizes, key=lambda size: abs(np.log(size[1] / size[2])))


def _whole(reach: float) -> Any:
    """Places of five to seven ticks at whole numbers, or fewer where they are small, with zero in the middle."""
    step = -(-int(reach) // 3)
    most = int(reach / step)
    return step * np.arange(-most, most + 1)


def _points(axes: Axes, values: Any, errors: Any, rows: Any = None, markersize: float = 4.0) -> None:
    """Values with their errors; open where there is none."""
    rows = np.arange(len(values)) if rows is None else rows
    known = np.isfinite(errors)
    style: dict[str, Any] = {"fmt": "o", "color": "black", "markersize": markersize, "elinewidth": 1.0}
    axes.errorbar(values[known], rows[known], xerr=errors[known], label="post-fit pull", **style)
    if not np.all(known):
        axes.errorbar(values[~known], rows[~known], markerfacecolor="white", label="pull without an error", **style)


def _rows(axes: Axes, names: Sequence[str], size: float, n: int | None = None) -> None:
    """One row for each name, the first on top."""
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_ylim((n or len(names)) - 0.4, -0.6)
    tidy(axes)
    axes.tick_params(axis="y", length=0)


def _pull_bands(axes: Axes, n: int) -> None:
    for reach, colour in ((2, TWO_SIGMA), (1, ONE_SIGMA)):
        text = rf"$\pm {reach}\sigma$ of the constraint"
        axes.fill_betweenx([-0.6, n - 0.4], -reach, reach, color=colour, linewidth=0, zorder=0, label=text)
    axes.axvline(0.0, color=GREY, linewidth=0.8, linestyle="dotted", zorder=1)
