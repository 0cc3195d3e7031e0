"""Templates: the yields of a sample as a systematic uncertainty moves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from pyhf_func.contrib.viz.palette import BLUE, RED
from pyhf_func.core.arrays import floats
from pyhf_func.core.likelihood.yields import entry_yields
from pyhf_func.model import AnyModel
from pyhf_func.plot.canvas import canvas, check_model, legend, styled, with_ratios
from pyhf_func.plot.counts import reach_of
from pyhf_func.plot.labels import labels_of
from pyhf_func.plot.parameters import before
from pyhf_func.plot.yields import finish, known, panels_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_entries = jax.jit(entry_yields)


@styled
def templates(
    model: AnyModel,
    parameter: str,
    channel: str,
    samples: str | Sequence[str] | None = None,
    *,
    sigmas: float = 1.0,
    ax: Axes | None = None,
    label: Mapping[str, str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    header: str | None = None,
) -> Figure:
    """Nominal yields in a channel, and those with one parameter moved up and down by the width of its constraint.

    Args:
        model: The model.
        parameter: The name of a constrained parameter (``"name[i]"`` for a component).
        channel: Which channel.
        samples: One sample, or several that are summed; by default all.
        sigmas: By how many widths the parameter is moved.
        ax: Axes to draw in, which are split in two; by default those of a new figure.
        label: What parameter, channel and samples are called, from their names.
        metadata: What else is known of the document, to complete ``label`` and ``header``, with titles, units and
            edges of bins; see `pyhf_func.plot`.
        header: The line above, such as luminosity and energy.

    Returns:
        A figure with the three templates, and below the relative change.

    Raises:
        ValueError: There is no such channel, sample or parameter, or the parameter has no constraint.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.correlated_background([5.0, 2.0], [50.0, 60.0], [52.0, 66.0], [47.0, 56.0])
        >>> figure = pf.plot.templates(model, "correlated_bkg_uncertainty", "single_channel", "background")
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['nominal', 'correlated_bkg_uncertainty + 1σ', 'correlated_bkg_uncertainty - 1σ']
    """
    check_model(model)
    config = model.config
    [place] = [config.par_names.index(name) for name in known([parameter], config.par_names, "parameter")]
    chosen = known(config.samples if samples is None else samples, config.samples, "sample")
    labels = labels_of(label, metadata, header)
    [panel] = panels_of(model, known([channel], config.channels, "channel"), (), labels)
    start, widths = before(model)
    if not widths[place] > 0:
        raise ValueError(f"The parameter {parameter!r} has no constraint, and so no width to be moved by.")
    step = np.zeros_like(start)
    step[place] = sigmas * widths[place]
    nominal, up, down = (_yields(model, chosen, start + shift * step)[panel.bins] for shift in (0, 1, -1))
    drawn = canvas(ax, 1, 4.6, 4.2)
    [parts] = with_ratios(drawn)
    title = labels(parameter)
    safe = np.where(nominal > 0, nominal, np.nan)
    for values, colour, line, width, text in (
        (nominal, "black", "solid", 2.4, "nominal"),
        (up, RED, "solid", 1.2, f"{title} + {sigmas:g}σ"),
        (down, BLUE, (0, (3, 3)), 1.2, f"{title} - {sigmas:g}σ"),
    ):  # each can be seen where they coincide
        style: dict[str, Any] = {"color": colour, "linestyle": line, "linewidth": width, "baseline": None}
        parts[0].stairs(values, panel.edges, label=text, **style)
        parts[1].stairs(100 * (values / safe - 1), panel.edges, **style)
    parts[0].set_ylim(0.0, 1.2 * float(np.max([nominal, up, down])) or 1.0)
    reach = 100 * reach_of(up / safe - 1, down / safe - 1, least=0.01)
    parts[1].set_ylim(-reach, reach)
    parts[1].set_ylabel("change [%]")
    which = ", ".join(labels(name) for name in chosen) if samples is not None else "all samples"
    finish(parts, panel, f"{panel.title}: {which}")
    legend(drawn, labels.header, 3)
    return drawn.figure


def _yields(model: AnyModel, samples: Sequence[str], pars: Any) -> Any:
    """The summed yield of samples in all bins."""
    place, (n_samples, n_bins) = model.config._names.by_sample()
    table = np.bincount(place, np.asarray(_entries(model.likelihood, floats(pars))), n_samples * n_bins)
    rows = [model.config.samples.index(name) for name in samples]
    return table.reshape(n_samples, n_bins)[rows].sum(axis=0)
