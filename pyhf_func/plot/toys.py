"""Distributions of test statistics: of toys, and their asymptotic forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import chdtr, ndtr

from pyhf_func.contrib.viz.palette import BLUE, GREY, RED
from pyhf_func.core.inference import GoodnessResult, HypotestResult, ToysResult
from pyhf_func.core.values import as_numpy
from pyhf_func.model import AnyModel
from pyhf_func.plot.canvas import canvas, check_arguments, check_status, legend, styled, tidy
from pyhf_func.plot.labels import labels_of, poi_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def toys(
    result: ToysResult,
    model: AnyModel | None = None,
    bins: int = 50,
    *,
    asymptotic: HypotestResult | None = None,
    ax: Axes | None = None,
    label: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    header: str | None = None,
) -> Figure:
    """The test statistic over toys of both hypotheses, and its observed value.

    Args:
        result: From `toys` or `merge_toys`.
        model: The model, for the name of its parameter of interest, where the result does not know it.
        bins: How many bins to count toys in.
        asymptotic: The same test from `hypotest`, with the statistic ``qtilde`` or ``q0``, to draw its asymptotic
            distributions too (arXiv:1007.1727, equations 52 and 65).
        ax: Axes to draw in; by default those of a new figure.
        label: What the parameter is called, from its name.
        metadata: What else is known of the document, to complete ``label`` and ``header``; see `pyhf_func.plot`.
        header: The line above, such as luminosity and energy.

    Returns:
        A figure with the fraction of toys in each bin, on a logarithmic scale. The tails above the line are the
        p-values, which the legend names. Toys whose fits failed are left out.

    Raises:
        ValueError: The fits of all toys of a hypothesis failed.

    Example:
        >>> import jax, pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> result = pf.toys(1.0, [51, 48] + model.config.auxdata, model, jax.random.key(0), 1000)
        >>> texts = [text.get_text() for text in pf.plot.toys(result, model).legends[0].get_texts()]
        >>> texts[0].partition(",")[0], texts[2].partition(" ")[0]
        ('mu = 1', 'observed')
    """
    check_arguments(result, ToysResult, "toys", model, needs_model=False)
    sets = [values[np.isfinite(values)] for values in (as_numpy(result.teststats_sb), as_numpy(result.teststats_b))]
    if not all(map(len, sets)):
        raise ValueError("There is nothing to draw: the fits of all toys of a hypothesis failed.")
    observed, mu = float(as_numpy(result.teststat)), float(as_numpy(result.mu))
    highest = max(observed if np.isfinite(observed) else 0.0, *(float(values.max()) for values in sets))
    edges = np.linspace(0.0, 1.02 * highest or 1.0, bins + 1)
    labels = labels_of(label, metadata, header)
    name = poi_of(result, model, labels)
    drawn = canvas(ax, 1, 6.0, 4.6)
    axes = drawn.axes[0]
    tails = as_numpy(result.clsb), as_numpy(result.clb)
    hypotheses = f"{name} = {mu:g}", f"{name} = {1 if result.of_discovery else 0}"
    for values, colour, text, tail in zip(sets, (RED, BLUE), hypotheses, tails, strict=True):
        fractions = np.histogram(values, edges)[0] / len(values)
        axes.stairs(fractions, edges, color=colour, label=f"{text}, {len(values)} toys, p = {float(tail):.3g}")
    axes.axvline(observed, color="black", linestyle="dashed", label=f"observed {observed:.3g}")
    if asymptotic is not None:
        for which, (colour, text) in enumerate(zip((RED, BLUE), hypotheses, strict=True)):
            expected = np.diff(_distribution(edges, mu, float(as_numpy(asymptotic.teststat_asimov)), which == 1))
            middle = (edges[1:] + edges[:-1]) / 2
            axes.plot(middle, expected, color=colour, linestyle="dotted", label=f"{text}, asymptotic")
    axes.set_yscale("log")
    axes.set_xlim(-0.02 * edges[-1] if observed <= 0 else 0.0, edges[-1])  # so that a line at zero is seen whole
    axes.set_ylim(0.3 / max(map(len, sets)), 2.0)
    axes.set_xlabel(f"test statistic for {hypotheses[0]}")
    axes.set_ylabel("fraction of toys")
    tidy(axes)
    legend(drawn, labels.header, 2)
    return drawn.figure


def _distribution(edges: Any, mu: float, asimov: float, alternative: bool) -> Any:
    """The asymptotic distribution function at edges, with all at zero in the first bin.

    ``asimov`` is the statistic of the alternative's Asimov data: the squared distance of both hypotheses in standard
    deviations, and beyond it ``qtilde`` goes over to another form.
    """
    shift = np.sqrt(max(asimov, 0.0)) if alternative else 0.0
    roots = np.sqrt(edges)
    if mu == 0 or asimov <= 0:  # of q0, which has one form only
        values = ndtr(roots - shift)
    else:
        distance = np.sqrt(asimov)
        far = (edges - asimov) / (2 * distance) + distance - shift
        values = ndtr(np.where(edges <= asimov, roots - shift, far))
    return np.concatenate([[0.0], values[1:]])


@styled
def goodness_of_fit(
    result: GoodnessResult,
    *,
    ax: Axes | None = None,
    metadata: Mapping[str, Any] | None = None,
    header: str | None = None,
) -> Figure:
    """The goodness of fit: the distribution of the statistic if the model is right, and its observed value.

    Args:
        result: From `goodness_of_fit`.
        ax: Axes to draw in; by default those of a new figure.
        metadata: What else is known of the document, to complete ``header``; see `pyhf_func.plot`.
        header: The line above, such as luminosity and energy.

    Returns:
        A figure with the chi-squared distribution of its degrees of freedom, the observed value, and its tail, whose
        area is the p-value.

    Raises:
        ValueError: The fit failed, or there are no degrees of freedom.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [100.0, 100.0],
        ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
        >>> figure = pf.plot.goodness_of_fit(pf.goodness_of_fit([90.0, 110.0], model))
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['$\\\\chi^2$, 1 degree of freedom', 'observed 2', 'p = 0.157']
    """
    check_arguments(result, GoodnessResult, "goodness_of_fit", needs_model=False)
    check_status(result.status, "goodness of fit")
    degrees, observed = int(as_numpy(result.degrees_of_freedom)), float(as_numpy(result.statistic))
    if degrees < 1:
        raise ValueError("There are no degrees of freedom: the model has as many free parameters as bins, or more.")
    end = max(degrees + 5 * np.sqrt(2 * degrees), 1.15 * observed)
    edges = np.linspace(0.0, end, 401)
    density = np.diff(chdtr(degrees, edges)) / np.diff(edges)
    middle = (edges[1:] + edges[:-1]) / 2
    drawn = canvas(ax, 1, 5.6, 4.2)
    axes = drawn.axes[0]
    plural = "" if degrees == 1 else "s"
    axes.plot(middle, density, color=BLUE, label=rf"$\chi^2$, {degrees} degree{plural} of freedom")
    axes.axvline(observed, color="black", linestyle="dashed", label=f"observed {observed:.3g}")
    tail = middle >= observed
    text = f"p = {float(as_numpy(result.p_value)):.3g}"
    axes.fill_between(middle[tail], density[tail], color=GREY, alpha=0.5, linewidth=0, label=text)
    axes.set_xlim(0.0, end)
    axes.set_ylim(0.0, 1.1 * float(density[min(5, len(density) - 1) :].max()))
    axes.set_xlabel("-2 log of the likelihood ratio to the saturated model")
    axes.set_ylabel("probability density")
    tidy(axes)
    legend(drawn, labels_of(None, metadata, header).header, 3)
    return drawn.figure
