"""Every default picture looks like its reference, which was looked at, and the palette is one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.contrib.viz import brazil, palette
from tests.plot import made, pictures

pytest.importorskip("matplotlib", reason="matplotlib (the extra plot) is not installed")
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images

_TOLERANCE = 5.0
"""Root mean square of grey levels: other releases of matplotlib and its fonts move lines by parts of a dot,
while what is missing changes more."""


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_looks_like_its_reference(name: str, tmp_path: Path) -> None:
    drawn = tmp_path / f"{name}.png"
    pictures.draw(name, drawn)
    difference: Any = compare_images(str(pictures.FOLDER / drawn.name), str(drawn), _TOLERANCE, in_decorator=True)
    assert difference is None, f"{difference}: look at it, and draw the references anew if it is right"


def test_every_picture_has_a_reference() -> None:
    """And every verb of plot is in one of them."""
    assert {path.stem for path in pictures.FOLDER.glob("*.png")} == {*pictures.PICTURES}
    assert all(any(name.startswith(verb) for name in pictures.PICTURES) for verb in pf.plot.__all__)


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_names_its_axes_and_all_that_it_draws(name: str) -> None:
    figure = pictures.PICTURES[name]()
    for axes in figure.axes:
        x, y = ([text.get_text() for text in labels()] for labels in (axes.get_xticklabels, axes.get_yticklabels))
        below = any(other.get_shared_x_axes().joined(axes, other) and other.get_xlabel() for other in figure.axes)
        is_scale = axes.get_label() == "<colorbar>"
        assert axes.get_xlabel() or any(x) or below or is_scale or axes.get_ylabel().startswith(("events", "data"))
        assert axes.get_ylabel() or any(y) or axes.get_xlabel().startswith(r"$(\hat")
    if name != "correlation":
        [legend] = figure.legends
        assert all(text.get_text().strip("_ ") for text in legend.get_texts())


def test_a_callers_axes_keep_the_callers_figure_and_style() -> None:
    import matplotlib as mpl

    figure = Figure(layout="constrained")
    above, below = figure.subplots(2, 1)
    before = dict(mpl.rcParams)
    assert pf.plot.cls(made.scan(), made.model(), ax=above) is figure
    assert pf.plot.limits(made.limit(), made.model(), ax=below, header="13 TeV") is figure
    assert (above.get_ylabel(), below.get_legend().get_title().get_text()) == (r"$\mathrm{CL}_{s}$", "13 TeV")
    assert above.get_legend() is not None
    assert not figure.legends
    assert dict(mpl.rcParams) == before


def test_legends_cover_nothing_of_a_callers_axes() -> None:
    figure = Figure(figsize=(14.0, 5.0), layout="constrained")
    axes = figure.subplots(1, 4)
    pf.plot.yields(made.yields(), made.model(), channels=["SR"], ax=axes[0], header="13 TeV")
    pf.plot.ranking(made.impacts(), made.model(), ax=axes[1])
    pf.plot.exclusion(made.grid(*made.masses(20, 0.1)), ax=axes[2])
    pf.plot.limits(made.limit(), made.model(), ax=axes[3])
    figure.draw_without_rendering()
    for one in figure.axes:
        if (legend := one.get_legend()) is not None:
            assert legend.get_window_extent().y0 >= one.bbox.y1


def test_a_wrong_number_of_axes_is_refused() -> None:
    axes = Figure().subplots(1, 3)
    with pytest.raises(ValueError, match="has 2 panels, and ax holds 3 axes"):
        pf.plot.yields(made.yields(), made.model(), ax=axes)


@pytest.mark.parametrize("constrained", [True, False])
def test_yields_split_a_callers_axes(constrained: bool) -> None:
    figure = Figure(layout="constrained" if constrained else None)
    axes = figure.subplots() if constrained else figure.add_axes((0.1, 0.1, 0.8, 0.8))
    pf.plot.yields(made.yields(), made.model(), channels=["SR"], ax=axes)
    upper, lower = figure.axes
    figure.draw_without_rendering()
    assert upper is axes
    assert upper.get_position().y0 > lower.get_position().y1 - 1e-6
    np.testing.assert_allclose(upper.get_position().x1, lower.get_position().x1)


def test_bands_have_one_green_and_one_yellow() -> None:
    """Also in pictures that are drawn by pyhf's functions."""
    axes = Figure().subplots()
    tests = [(0.3, [0.1, 0.2, 0.3, 0.4, 0.5])] * 2
    brazil.plot_results([0.0, 1.0], tests, ax=axes)
    shown = {tuple(c.get_facecolor()[0][:3]) for c in axes.collections}
    for figure in (pf.plot.cls(made.scan()), pf.plot.pulls(made.covariance(), made.model())):
        assert {tuple(c.get_facecolor()[0][:3]) for c in figure.axes[0].collections[:2]} == shown
    assert shown == {to_rgb(palette.ONE_SIGMA), to_rgb(palette.TWO_SIGMA)}
    source = Path(pf.plot.__file__).parent
    assert not [path for path in source.glob("*.py") if re.search(r"#[0-9A-Fa-f]{6}\b", path.read_text())]


def test_forty_colours_differ() -> None:
    colours = np.array([to_rgb(colour) for colour in palette.series(40)])
    distance = np.linalg.norm(colours[:, None] - colours, axis=-1) + 9 * np.eye(40)
    assert distance.min() > 0.08
    assert palette.series(40)[:10] == palette.series(10)


def test_labels_of_the_caller_come_before_those_of_the_document() -> None:
    both = {"metadata": made.METADATA, "label": {"mu": "strength", "tilt": r"$\tau$"}}
    figure = pf.plot.profile(made.profile_of_two(), made.model(), ["mu", "tilt"], **both)
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("strength", r"$\tau$")
    figure = pf.plot.profile(made.profile(), made.model(), "mu", metadata=made.METADATA)
    assert figure.axes[0].get_xlabel() == r"$\mu$"
    assert figure.legends[0].get_title().get_text() == r"$\sqrt{s}$ = 13 TeV, 139 fb$^{-1}$"


def test_a_document_brings_its_metadata(tmp_path: Path) -> None:
    """Through the model language: what is written beside the channels labels the pictures."""
    path = tmp_path / "document.json"
    path.write_text(json.dumps({**made.SPEC, "metadata": made.METADATA}))
    figure = pf.plot.templates(made.model(), "tilt", "SR", metadata=pf.read(path).metadata)
    assert figure.axes[1].get_xlabel() == "$m$ [GeV]"
    assert figure.axes[0].get_title(loc="right") == "signal region: all samples"
    assert figure.legends[0].get_title().get_text() == r"$\sqrt{s}$ = 13 TeV, 139 fb$^{-1}$"


def test_a_name_with_dollars_is_no_mathematics(tmp_path: Path) -> None:
    figure = pf.plot.limits({r"a $\nonsense$ b_c": made.limit()})
    figure.savefig(tmp_path / "limits.png")
    assert figure.axes[0].get_yticklabels()[0].get_text() == r"a \$\nonsense\$ b_c"


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"labels": ["mu"]}, "'labels'"),
        ({"axes": {"SR": [{"edges": [0, 2, 1, 3]}]}}, "must rise"),
        ({"axes": {"SR": "m"}}, "channel 'SR'"),
    ],
    ids=str,
)
def test_metadata_of_another_layout_are_refused(metadata: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pf.plot.yields(made.yields(), made.model(), metadata=metadata)


FAILED = np.int32(pf.Status.STALLED)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: pf.plot.pulls(made.covariance()._replace(fit=made.fitted([0.0] * 4, FAILED)), made.model()),
        lambda: pf.plot.correlation(made.covariance()._replace(fit=made.fitted([0.0] * 4, FAILED)), made.model()),
        lambda: pf.plot.yields(made.yields()._replace(status=FAILED), made.model()),
        lambda: pf.plot.profile(made.profile()._replace(free_fit=made.fitted([0.0] * 4, FAILED)), made.model(), "mu"),
        lambda: pf.plot.goodness_of_fit(made.goodness()._replace(status=FAILED)),
    ],
    ids=["pulls", "correlation", "yields", "profile", "goodness_of_fit"],
)
def test_numbers_of_a_failed_fit_are_not_drawn(draw: Any) -> None:
    with pytest.raises(ValueError, match=r"There (are|is) no .* to draw\. The fit found no step"):
        draw()
