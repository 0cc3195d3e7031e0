"""Fitted parameters: pulls, impacts and correlations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyhf_func.core.arrays import floats
from pyhf_func.core.fit import Problem
from pyhf_func.core.inference import CovarianceResult, ImpactResult
from pyhf_func.core.inference.constraints import prefit_pars, prefit_widths
from pyhf_func.pdf import Model
from pyhf_func.plot.canvas import BLUE, GREY, ONE_SIGMA, RED, TWO_SIGMA, new_figure, tidy
from pyhf_func.schema.values import as_numpy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW = 0.26  # inches


def pulls(result: CovarianceResult, model: Model, parameters: Sequence[str] | None = None) -> Figure:
    """Fitted values of the constrained parameters, in widths of their constraints.

    Args:
        result: From `covariance`, or the ``covariance`` of another result.
        model: The model.
        parameters: Names of those to show (``"name[i]"`` for a component); by default all that are constrained and
            not fixed.

    Returns:
        A figure with one row for each parameter: its value less that before the fit, and its standard error.

    Raises:
        ValueError: A parameter has no constraint, or none is left to show.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> figure = pf.plot.pulls(pf.covariance([51, 48] + model.config.auxdata, model), model)
        >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
        ['uncorr_bkguncrt[0]', 'uncorr_bkguncrt[1]']
    """
    nominal, widths = _before(model)
    names = model.config.par_names
    if parameters is None:
        places = [place for place, width in enumerate(widths) if width > 0]
    else:
        places = [names.index(name) for name in parameters]
    if loose := [names[place] for place in places if not widths[place] > 0]:
        raise ValueError(f"Pulls are measured in widths of constraints, which these have not: {', '.join(loose)}.")
    if not places:
        raise ValueError("There is no parameter to show: the model has no constrained parameter that is not fixed.")
    values = (as_numpy(result.fit.pars)[places] - nominal[places]) / widths[places]
    errors = as_numpy(result.errors)[places] / widths[places]
    figure = new_figure(5.5, 1.1 + _ROW * len(places))
    axes = figure.subplots()
    _pull_bands(axes, len(places))
    axes.errorbar(values, range(len(places)), xerr=errors, fmt="o", color="black", markersize=4, capsize=0)
    _rows(axes, [names[place] for place in places])
    reach = max(2.5, float(np.nanmax(np.abs(values) + errors)) * 1.1)
    axes.set_xlim(-reach, reach)
    axes.set_xlabel(r"$(\hat{\theta} - \theta_0)\, /\, \Delta\theta$")
    return figure


def ranking(result: ImpactResult, model: Model, most: int = 20) -> Figure:
    """The most important parameters with their impacts on the parameter of interest and their pulls.

    Args:
        result: From `impacts`.
        model: The model.
        most: How many parameters to show.

    Returns:
        A figure with one row for each parameter, the most important on top: bars for its impacts (lower axis), filled
        post-fit and outlined pre-fit; a point for its pull (upper axis).

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> figure = pf.plot.ranking(pf.impacts([51, 48] + model.config.auxdata, model), model)
        >>> figure.axes[0].get_xlabel()
        '$\\\\Delta$ mu'
    """
    n = min(most, result.parameters.shape[0])
    shown = {
        name: as_numpy(getattr(result, name))[:n]
        for name in ("parameters", "prefit_up", "prefit_down", "postfit_up", "postfit_down", "pulls", "constraints")
    }
    names = model.config.par_names
    rows = np.arange(n)
    figure = new_figure(6.5, 1.9 + _ROW * n)
    axes = figure.subplots()
    pull_axes = axes.twiny()
    for side, colour in (("up", BLUE), ("down", RED)):
        label = rf"$\theta = \hat{{\theta}} {'+' if side == 'up' else '-'} \Delta$"
        outline: dict[str, Any] = {"height": 0.8, "facecolor": "none", "edgecolor": colour, "linewidth": 1}
        axes.barh(rows, shown[f"prefit_{side}"], label=f"pre-fit {label}", **outline)
        filled: dict[str, Any] = {"height": 0.8, "facecolor": colour, "alpha": 0.75, "edgecolor": "none"}
        axes.barh(rows, shown[f"postfit_{side}"], label=f"post-fit {label}", **filled)
    sizes = [np.abs(shown[f"{stage}_{side}"]) for stage in ("prefit", "postfit") for side in ("up", "down")]
    largest = float(np.nanmax(np.array(sizes), initial=0.0)) or 1.0
    axes.set_xlim(-1.15 * largest, 1.15 * largest)
    axes.set_xlabel(rf"$\Delta$ {names[int(result.poi)]}")
    _rows(axes, [names[int(place)] for place in shown["parameters"]])
    constrained = shown["constraints"] > 0
    pull_axes.errorbar(
        shown["pulls"][constrained],
        rows[constrained],
        xerr=shown["constraints"][constrained],
        fmt="o",
        color="black",
        markersize=4,
        label="pull",
    )
    reach = max(2.0, 1.1 * float(np.max(np.abs(shown["pulls"]) + shown["constraints"], initial=0.0)))
    pull_axes.set_xlim(-reach, reach)
    pull_axes.axvline(0.0, color=GREY, linewidth=0.8, zorder=0)
    for pull in (-1.0, 1.0):
        pull_axes.axvline(pull, color=GREY, linewidth=0.8, linestyle="dotted", zorder=0)
    pull_axes.set_xlabel(r"$(\hat{\theta} - \theta_0)\, /\, \Delta\theta$")
    tidy(pull_axes)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def correlation(result: CovarianceResult, model: Model, least: float = 0.1) -> Figure:
    """Correlations of the fitted parameters.

    Args:
        result: From `covariance`, or the ``covariance`` of another result.
        model: The model.
        least: Parameters without any correlation of at least this size are left out, except for the parameter of
            interest. Fixed parameters and those at a bound always are.

    Returns:
        A figure of the matrix, with numbers where there is room for them.

    Raises:
        ValueError: No parameter is left.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> figure = pf.plot.correlation(pf.covariance([61, 58] + model.config.auxdata, model), model)
        >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
        ['mu', 'uncorr_bkguncrt[0]', 'uncorr_bkguncrt[1]']
    """
    matrix = as_numpy(result.correlation)
    largest = np.max(np.abs(matrix - np.eye(len(matrix))), axis=0)
    shown = largest >= least
    if (poi := model.config.poi_index) is not None:
        shown[poi] = True
    places = np.flatnonzero(shown & (as_numpy(result.errors) > 0))
    if not len(places):
        raise ValueError(f"No free parameter has a correlation of {least} or more; lower `least` to see them all.")
    names = [model.config.par_names[place] for place in places]
    size = max(3.5, 1.8 + _ROW * len(names))
    figure = new_figure(size + 0.8, size)
    axes = figure.subplots()
    inner = matrix[np.ix_(places, places)]
    image = axes.imshow(inner, vmin=-1, vmax=1, cmap="RdBu_r")
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    if len(names) <= 25:
        for (row, column), value in np.ndenumerate(inner):
            colour = "white" if abs(value) > 0.6 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=6, color=colour)
    figure.colorbar(image, ax=axes, label="correlation", shrink=0.8)
    return figure


def _before(model: Model) -> tuple[Any, Any]:
    """The parameters before a fit, and the widths of their constraints."""
    content, config = model.likelihood, model.config
    space = content.space
    data = floats([0.0] * config.nmaindata + list(config.auxdata))
    problem = Problem(content, data, space.init, space.lower, space.upper, space.fixed)
    return as_numpy(prefit_pars(problem)), as_numpy(prefit_widths(problem))


def _rows(axes: Axes, names: Sequence[str]) -> None:
    """One row for each name, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    tidy(axes)
    axes.tick_params(axis="y", length=0)


def _pull_bands(axes: Axes, n: int) -> None:
    for reach, colour in ((2, TWO_SIGMA), (1, ONE_SIGMA)):
        axes.fill_betweenx([-0.6, n - 0.4], -reach, reach, color=colour, linewidth=0, zorder=0)
    axes.axvline(0.0, color=GREY, linewidth=0.8, linestyle="dotted", zorder=1)
