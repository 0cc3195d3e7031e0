"""Distributions of the test statistic over toys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyhf_func.core.inference import ToysResult
from pyhf_func.pdf import Model
from pyhf_func.plot.canvas import BLUE, RED, new_figure, tidy
from pyhf_func.schema.values import as_numpy

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def toys(result: ToysResult, model: Model | None = None, bins: int = 50) -> Figure:
    """The test statistic over toys of both hypotheses, and its observed value.

    Args:
        result: From `toys` or `merge_toys`.
        model: The model, for the name of its parameter of interest.
        bins: How many bins to count toys in.

    Returns:
        A figure with the fraction of toys in each bin, on a logarithmic scale. The tails above the line are the
        p-values. Toys whose fits failed are left out.

    Raises:
        ValueError: The fits of all toys of a hypothesis failed.

    Example:
        >>> import jax, pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
        >>> result = pf.toys(1.0, [51, 48] + model.config.auxdata, model, jax.random.key(0), 1000)
        >>> [text.get_text() for text in pf.plot.toys(result, model).axes[0].get_legend().get_texts()]
        ['mu = 1', 'alternative', 'observed']
    """
    sets = [values[np.isfinite(values)] for values in (as_numpy(result.teststats_sb), as_numpy(result.teststats_b))]
    if not all(map(len, sets)):
        raise ValueError("There is nothing to draw: the fits of all toys of a hypothesis failed.")
    observed = float(as_numpy(result.teststat))
    highest = max(observed, *(float(values.max()) for values in sets))
    edges = np.linspace(0.0, 1.02 * highest or 1.0, bins + 1)
    figure = new_figure(6.0, 4.2)
    axes = figure.subplots()
    name = (model.config.poi_name if model else None) or r"$\mu$"
    labels = f"{name} = {float(as_numpy(result.mu)):g}", "alternative"
    for values, colour, label in zip(sets, (RED, BLUE), labels, strict=True):
        fractions = np.histogram(values, edges)[0] / len(values)
        axes.stairs(fractions, edges, color=colour, label=label, fill=False, linewidth=1.5)
    axes.axvline(observed, color="black", linestyle="dashed", label="observed")
    axes.set_yscale("log")
    axes.set_xlim(0.0, edges[-1])
    axes.set_xlabel("test statistic")
    axes.set_ylabel("fraction of toys")
    axes.legend(frameon=False)
    tidy(axes)
    return figure
