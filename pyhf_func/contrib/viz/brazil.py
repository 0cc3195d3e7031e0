"""The Brazil band: observed and expected CLs against the parameter of interest.

Tests may hold arrays of any framework. Needs matplotlib, which the extra ``plot`` brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pyhf_func.contrib.viz.palette import ONE_SIGMA, TWO_SIGMA
from pyhf_func.core.values import as_numpy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D

__all__ = ["BrazilBandCollection", "plot_brazil_band", "plot_cls_components", "plot_results"]

_BAND_OPTIONS = {"color": "black", "test_size_color": "red", "test_size_linestyle": "solid"}
_COMPONENT_OPTIONS = {
    "linewidth": 2,
    "no_clsb": False,
    "no_clb": False,
    "clsb_color": "red",
    "clb_color": "blue",
}
_RESULT_OPTIONS = {
    "components": False,
    "no_cls": False,
    "xlabel": r"$\mu$ (POI)",
    "ylabel": r"$\mathrm{CL}_{s}$",
}


def __dir__() -> list[str]:
    return __all__


class BrazilBandCollection(NamedTuple):
    """The artists that were drawn; None for those that were left out."""

    cls_obs: Line2D | None
    """Observed CLs."""
    cls_exp: list[Line2D] | None
    """Expected CLs at -2, -1, 0, 1 and 2 standard deviations."""
    one_sigma_band: PolyCollection | None
    """Between ±1 standard deviation."""
    two_sigma_band: PolyCollection | None
    """Between ±2 standard deviations."""
    test_size: Line2D | None
    """The size of the test."""
    clsb: Line2D | None
    """Observed CLs+b."""
    clb: Line2D | None
    """Observed CLb."""
    axes: Axes
    """Where it was drawn."""


def plot_brazil_band(
    test_pois: Any, cls_obs: Any, cls_exp: Any, test_size: float, ax: Axes, **kwargs: Any
) -> tuple[Line2D, list[Line2D], PolyCollection, PolyCollection, Line2D]:
    """Draw observed CLs, the expected CLs with its bands, and the size of the test.

    Args:
        test_pois: Tested values of the parameter of interest, shape (n,).
        cls_obs: Observed CLs, shape (n,).
        cls_exp: Expected CLs at -2, -1, 0, 1 and 2 standard deviations, shape (5, n).
        test_size: Size of the test, such as 0.05.
        ax: Where to draw.
        kwargs: ``color``, ``test_size_color`` and ``test_size_linestyle``. Options of the other functions of this
            module are left to them.

    Returns:
        The lines and bands, as the first five of :class:`BrazilBandCollection`.
    """
    options = _options(kwargs, _BAND_OPTIONS)
    pois = as_numpy(test_pois)
    band = [as_numpy(line).ravel() for line in cls_exp]
    color = options["color"]
    (observed,) = ax.plot(pois, as_numpy(cls_obs).ravel(), color=color, label=r"$\mathrm{CL}_{s}$")
    expected = []
    for nsigma, line in zip(range(-2, 3), band, strict=True):
        median = nsigma == 0
        label = r"$\mathrm{CL}_{s,\mathrm{exp}}$" if median else None
        style = "dashed" if median else "dotted"
        expected.extend(ax.plot(pois, line, color=color, linestyle=style, label=label))
    bands = [
        ax.fill_between(
            pois,
            band[2 - nsigma],
            band[2 + nsigma],
            facecolor=face,
            label=rf"$\pm{nsigma}\sigma$ $\mathrm{{CL}}_{{s,\mathrm{{exp}}}}$",
        )
        for nsigma, face in ((2, TWO_SIGMA), (1, ONE_SIGMA))
    ]
    (size,) = ax.plot(
        pois,
        np.full(len(pois), test_size),
        color=options["test_size_color"],
        linestyle=options["test_size_linestyle"],
        label=rf"$\alpha={test_size}$",
    )
    return observed, expected, bands[1], bands[0], size


def plot_cls_components(
    test_pois: Any, tail_probs: Any, ax: Axes, **kwargs: Any
) -> tuple[Line2D | None, Line2D | None]:
    """Draw observed CLs+b and CLb, whose ratio is CLs.

    Args:
        test_pois: Tested values of the parameter of interest, shape (n,).
        tail_probs: [CLs+b, CLb] at each of them, shape (n, 2).
        ax: Where to draw.
        kwargs: ``linewidth``, ``clsb_color``, ``clb_color``, and ``no_clsb`` or ``no_clb`` to leave one out. Options
            of the other functions of this module are left to them.

    Returns:
        The lines of CLs+b and CLb; None for one that is left out.
    """
    options = _options(kwargs, _COMPONENT_OPTIONS)
    pois = as_numpy(test_pois)
    lines: list[Line2D | None] = []
    for place, (name, label) in enumerate((("clsb", "s+b"), ("clb", "b"))):
        if options[f"no_{name}"]:
            lines.append(None)
            continue
        values = [float(as_numpy(probs[place]).item()) for probs in tail_probs]
        style = {"color": options[f"{name}_color"], "linewidth": options["linewidth"]}
        lines.extend(ax.plot(pois, values, label=rf"$\mathrm{{CL}}_{{{label}}}$", **style))
    return lines[0], lines[1]


def plot_results(
    test_pois: Any, tests: Sequence[Any], test_size: float = 0.05, ax: Axes | None = None, **kwargs: Any
) -> BrazilBandCollection:
    """Draw the results of hypothesis tests at several values of the parameter of interest.

    Args:
        test_pois: Tested values of the parameter of interest, shape (n,).
        tests: What ``hypotest`` returned at each of them, with ``return_expected_set=True`` and possibly
            ``return_tail_probs=True``.
        test_size: Size of the test.
        ax: Where to draw; by default the current axes.
        kwargs: ``components`` to draw CLs+b and CLb too, ``no_cls`` to leave out CLs and its bands, ``xlabel``,
            ``ylabel``, and the options of :func:`plot_brazil_band` and :func:`plot_cls_components`.

    Raises:
        ValueError: ``components`` are asked for and the tests do not have them.
        TypeError: There is no such option.

    Example:
        >>> import matplotlib; matplotlib.use("agg")
        >>> import pyhf_func as pf
        >>> from pyhf_func.contrib.viz import brazil
        >>> model = pf.simplemodels.uncorrelated_background([12.0], [50.0], [7.0])
        >>> data, mus = [53.0, *model.config.auxdata], [0.5, 1.5, 3.0]
        >>> tests = [pf.infer.hypotest(mu, data, model, return_expected_set=True) for mu in mus]
        >>> drawn = brazil.plot_results(mus, tests)
        >>> len(drawn.cls_exp), drawn.axes.get_xlabel()
        (5, '$\\\\mu$ (POI)')
    """
    options = _options(kwargs, _RESULT_OPTIONS)
    if options["components"] and len(tests[0]) != 3:
        raise ValueError(
            f"The components of 'tests' should have len of 3 to draw CLs+b and CLb, but have len {len(tests[0])}: "
            "[CLs, [CLs+b, CLb], expected CLs], as hypotest returns it with return_tail_probs and return_expected_set"
        )
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.gca()
    band: tuple[Any, Any, Any, Any, Any] = (None, None, None, None, None)
    if not options["no_cls"]:
        observed = [float(as_numpy(test[0]).item()) for test in tests]
        expected = np.array([[float(as_numpy(value).item()) for value in test[-1]] for test in tests]).T
        band = plot_brazil_band(test_pois, observed, expected, test_size, ax, **kwargs)
    components: tuple[Any, Any] = (None, None)
    if options["components"]:
        components = plot_cls_components(test_pois, [test[1] for test in tests], ax, **kwargs)
    ax.set_xlabel(options["xlabel"])
    ax.set_ylabel(options["ylabel"])
    ax.set_ylim(*((0.1 * test_size, 1.0) if ax.get_yscale() == "log" else (0.0, 1.0)))
    _order_legend(ax)
    return BrazilBandCollection(*band, *components, ax)


def _options(given: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The options of one function, out of those of all."""
    known = {**_BAND_OPTIONS, **_COMPONENT_OPTIONS, **_RESULT_OPTIONS}
    if unknown := [name for name in given if name not in known]:
        raise TypeError(f"there is no option {', '.join(unknown)}. There are {', '.join(known)}")
    return {name: given.get(name, default) for name, default in defaults.items()}


def _order_legend(ax: Axes) -> None:
    """The lines first, then the expected CLs, its bands from inside to outside, and the size of the test."""
    last = ["exp", r"\pm1", r"\pm2", r"\alpha"]

    def rank(label: str) -> int:
        # The labels of the bands hold "exp" too, so the last match decides.
        return max((place for place, part in enumerate(last, start=1) if part in label), default=0)

    handles, labels = ax.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda place: rank(labels[place]))
    ax.legend([handles[place] for place in order], [labels[place] for place in order], loc="best")
