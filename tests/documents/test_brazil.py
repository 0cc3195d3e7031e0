"""The Brazil band: what is drawn is what was tested, as pyhf 0.7.6 draws it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from pyhf_func.contrib.viz import brazil

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib (the extra plot) is not installed")
matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402 (after the choice of a canvas)

POIS = np.linspace(0.0, 3.0, 5)
CLS = [1.0, 0.6, 0.3, 0.1, 0.02]
BAND = [[0.2 * (n + 1) * value for n in range(5)] for value in CLS]
TAILS = [[0.5 * value, 0.5] for value in CLS]


def results(kind: Any = np.asarray, *, components: bool = False) -> list[Any]:
    """Results in the shape of hypotest's."""
    return [
        (kind(cls), *([[kind(tail) for tail in tails]] if components else []), [kind(value) for value in band])
        for cls, tails, band in zip(CLS, TAILS, BAND, strict=True)
    ]


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray, float])
@pytest.mark.parametrize("components", [False, True])
def test_draws_what_was_tested(kind: Any, components: bool) -> None:
    _, ax = plt.subplots()
    drawn = brazil.plot_results(POIS, results(kind, components=components), ax=ax, components=components)
    assert drawn.axes is ax
    np.testing.assert_allclose(drawn.cls_obs.get_xydata(), np.stack([POIS, CLS], axis=1), rtol=1e-6)
    for line, values in zip(drawn.cls_exp, np.array(BAND).T, strict=True):
        np.testing.assert_allclose(line.get_ydata(), values, rtol=1e-6)
    np.testing.assert_allclose(drawn.test_size.get_ydata(), 0.05)
    for collection, nsigma in ((drawn.one_sigma_band, 1), (drawn.two_sigma_band, 2)):
        edge = collection.get_paths()[0].vertices
        assert edge[:, 1].max() == pytest.approx(BAND[0][2 + nsigma], rel=1e-6)
        assert edge[:, 1].min() == pytest.approx(BAND[-1][2 - nsigma], rel=1e-6)
    if components:
        np.testing.assert_allclose(drawn.clsb.get_ydata(), [tail[0] for tail in TAILS], rtol=1e-6)
        np.testing.assert_allclose(drawn.clb.get_ydata(), [tail[1] for tail in TAILS], rtol=1e-6)
    else:
        assert drawn.clsb is drawn.clb is None


@pytest.mark.parametrize("options", [{}, {"components": True}, {"components": True, "no_cls": True}], ids=str)
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_looks_as_by_pyhf(options: dict[str, Any], scale: str) -> None:
    theirs = pytest.importorskip("pyhf.contrib.viz.brazil")
    looks = []
    for module in (brazil, theirs):
        _, ax = plt.subplots()
        ax.set_yscale(scale)
        module.plot_results(POIS, results(components=True), ax=ax, **options)
        texts = [text.get_text() for text in ax.get_legend().get_texts()]
        styles = [(line.get_color(), line.get_linestyle(), line.get_linewidth()) for line in ax.get_lines()]
        looks.append((texts, styles, ax.get_xlabel(), ax.get_ylabel(), ax.get_ylim()))
    assert looks[0] == looks[1]


def test_options() -> None:
    drawn = brazil.plot_results(
        POIS, results(components=True), components=True, no_clb=True, clsb_color="purple", color="grey", xlabel="x"
    )
    assert drawn.axes is plt.gca()
    assert drawn.clb is None
    assert (drawn.clsb.get_color(), drawn.cls_obs.get_color(), drawn.axes.get_xlabel()) == ("purple", "grey", "x")
    with pytest.raises(TypeError, match="no option colour"):
        brazil.plot_results(POIS, results(), colour="grey")


def test_components_must_be_there() -> None:
    with pytest.raises(ValueError, match="len of 3"):
        brazil.plot_results(POIS, results(), components=True)
