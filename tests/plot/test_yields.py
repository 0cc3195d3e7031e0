"""Pictures of yields and templates: everything drawn is named, in one order, with honest errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import poisson

import pyhf_func as pf
from pyhf_func.plot.counts import garwood
from tests.plot import made

pytest.importorskip("matplotlib", reason="matplotlib (the extra plot) is not installed")
from matplotlib.colors import to_hex


def named(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


_RATE = {"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}


def many(channels: int, samples: int, bins: int = 1) -> tuple[pf.YieldsResult, pf.Model]:
    """A model of many channels and samples, each of which is in one channel only, and its yields."""
    spec = [
        {
            "name": f"channel{c:03d}",
            "samples": [
                {"name": f"sample{s:02d}", "data": [1.0 + s] * bins, "modifiers": [_RATE]}
                for s in range(samples)
                if s % channels == c or channels == 1
            ]
            or [{"name": "sample00", "data": [1.0] * bins, "modifiers": [_RATE]}],
        }
        for c in range(channels)
    ]
    model = pf.Model({"channels": spec}, poi_name=None)
    config = model.config
    table = np.zeros((len(config.samples), config.nmaindata))
    for channel in spec:
        for sample in channel["samples"]:
            table[config.samples.index(sample["name"]), config.channel_slices[channel["name"]]] = sample["data"]
    total = table.sum(axis=0)
    band = made.made(pf.YieldBand, samples=table, total=total, total_error=0.1 * total)
    return pf.YieldsResult(total, band, band, np.int32(0), made.covariance(1)), model


@pytest.mark.parametrize("count", [0.0, 1.0, 3.0, 17.0, 250.0])
def test_data_errors_are_central_poisson_intervals(count: float) -> None:
    """Against the definition: each tail has the probability of one standard deviation; none below zero events."""
    tail = 0.15865525393145707
    low, high = garwood(count)
    assert high == pytest.approx(brentq(lambda mean: poisson.cdf(count, mean) - tail, 1e-9, 2 * count + 20), rel=1e-9)
    if count:
        assert low == pytest.approx(brentq(lambda mean: poisson.sf(count - 1, mean) - tail, 1e-9, count), rel=1e-9)
    else:
        assert low == 0.0


def test_a_bin_without_events_has_an_error_in_both_parts() -> None:
    figure = pf.plot.yields(made.yields(), made.model(), "prefit", channels=["CR_low", "CR_high"])
    upper, lower = figure.axes
    [bars] = [c for c in upper.collections if type(c).__name__ == "LineCollection"]
    [ratio] = [c for c in lower.collections if type(c).__name__ == "LineCollection"]
    empty = 0
    np.testing.assert_allclose(np.array(bars.get_segments()[empty])[:, 1], [0.0, 1.8410216], rtol=1e-6)
    np.testing.assert_allclose(np.array(ratio.get_segments()[empty])[:, 1], [0.0, 1.8410216 / 1.8], rtol=1e-6)


@pytest.mark.parametrize(("channels", "samples"), [(3, 3), (4, 13), (12, 7), (1, 24)])
def test_the_legend_names_all_samples_of_all_panels_once(channels: int, samples: int) -> None:
    result, model = many(channels, samples, bins=2)
    figure = pf.plot.yields(result, model)
    texts = named(figure)
    assert sorted(texts[:-2]) == model.config.samples
    assert texts[-2:] == ["uncertainty", "data"]
    faces = [to_hex(handle.get_facecolor()) for handle in figure.legends[0].legend_handles[: len(model.config.samples)]]
    assert len(set(faces)) == len(faces)


def test_only_samples_of_the_chosen_channels_are_named() -> None:
    figure = pf.plot.yields(made.yields(), made.model(), channels=["CR_high"])
    assert named(figure) == ["top", "uncertainty", "data"]


def test_order_and_colours_are_alike_on_every_scale_and_in_every_panel() -> None:
    """The largest sample lies on top of the stack and first in the legend."""

    def order(**options: Any) -> list[tuple[str, str]]:
        figure = pf.plot.yields(made.yields(), made.model(), **options)
        found = figure.legends[0]
        pairs = list(zip(found.get_texts(), found.legend_handles, strict=True))[:-2]
        return [(text.get_text(), to_hex(handle.get_facecolor())) for text, handle in pairs]

    linear = order(log=False)
    assert linear == order(log=True) == order(stage="prefit")
    assert [name for name, _ in linear] == ["background", "signal", "top"]
    [alone] = order(channels=["CR_high"])[:1]
    assert alone in linear


@pytest.mark.parametrize(("n", "panels"), [(2, 1), (24, 1), (25, 2), (44, 2)])
def test_channels_of_one_bin_share_panels_that_can_be_read(n: int, panels: int) -> None:
    result, model = many(n, 2)
    figure = pf.plot.yields(result, model)
    uppers = figure.axes[:panels]
    assert len(figure.axes) == 2 * panels
    sizes = [len(axes.get_xticks()) for axes in figure.axes if axes.get_ylabel() == "data / model"]
    assert sum(sizes) == n
    assert max(sizes) - min(sizes) <= 1
    figure.draw_without_rendering()
    inches = figure.get_size_inches()[0] * uppers[0].get_position().width
    assert inches / max(sizes) > 0.3


def test_channels_of_one_bin_are_gathered_beside_others() -> None:
    figure = pf.plot.yields(made.yields(), made.model())
    labels = [
        [text.get_text() for text in axes.get_xticklabels()] for axes in figure.axes if "data" in axes.get_ylabel()
    ]
    assert labels == [["CR_high", "CR_low"], ["1", "2", "3"]]


def test_metadata_give_edges_titles_and_units() -> None:
    figure = pf.plot.yields(made.yields(), made.model(), channels=["SR"], metadata=made.METADATA)
    upper, lower = figure.axes
    assert (upper.get_ylabel(), lower.get_xlabel(), upper.get_xlim()) == ("events / 50 GeV", "$m$ [GeV]", (0.0, 150.0))
    assert upper.get_title(loc="right") == "signal region (post-fit)"
    axis = [{"name": "mass", "min": 10.0, "max": 40.0, "nbins": 3}]
    figure = pf.plot.yields(made.yields(), made.model(), channels=["SR"], metadata={"axes": {"SR": axis}})
    assert (figure.axes[1].get_xlabel(), figure.axes[0].get_xlim()) == ("mass", (10.0, 40.0))
    uneven = [{"title": "m", "edges": [0, 1, 3, 9]}]
    figure = pf.plot.yields(made.yields(), made.model(), channels=["SR"], metadata={"axes": {"SR": uneven}})
    assert figure.axes[0].get_ylabel() == "events / bin"


def test_a_scale_is_logarithmic_where_bins_differ_much() -> None:
    result, model = many(2, 2, bins=2)
    band = result.postfit._replace(total=np.array([1.0, 3.0, 2.0, 900.0]))
    figure = pf.plot.yields(result._replace(postfit=band), model)
    assert [axes.get_yscale() for axes in figure.axes if axes.get_ylabel() == "events"] == ["linear", "log"]
    figure = pf.plot.yields(result._replace(postfit=band), model, log=False)
    assert {axes.get_yscale() for axes in figure.axes} == {"linear"}


@pytest.mark.parametrize("blind", [True, ["SR"], "SR"], ids=str)
def test_blinded_channels_show_no_data(blind: Any) -> None:
    figure = pf.plot.yields(made.yields(), made.model(), channels=["SR"], blind=blind)
    assert "data" not in named(figure)
    assert not [c for axes in figure.axes for c in axes.collections if type(c).__name__ == "LineCollection"]
    figure = pf.plot.yields(made.yields(), made.model(), blind=["SR"])
    assert "data" in named(figure)


def test_a_sample_is_drawn_as_a_line_with_a_factor() -> None:
    """Its nominal yield, whatever the fit made of it; and the range holds it."""
    figure = pf.plot.yields(made.yields(), made.model(), channels=["SR"], lines={"signal": 20.0}, log=False)
    assert "signal × 20" in named(figure)
    [line] = [patch for patch in figure.axes[0].patches if patch.get_label() == "signal × 20"]
    np.testing.assert_allclose(line.get_data().values, [0.0, 80.0, 120.0])
    assert figure.axes[0].get_ylim()[1] > 120.0


def test_points_beyond_the_ratio_are_marked_at_its_edge() -> None:
    result, model = many(1, 1, bins=3)
    figure = pf.plot.yields(result._replace(observed=np.array([9.0, 1.0, 0.0])), model)
    lower = figure.axes[1]
    [marks] = [line for line in lower.lines if line.get_marker() == "^"]
    assert (marks.get_xdata().tolist(), marks.get_ydata().tolist()) == ([0.0], [lower.get_ylim()[1]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stage": "fit"}, "stage is 'fit'"),
        ({"channels": ["VR"]}, r"no channel 'VR'"),
        ({"blind": ["VR"]}, r"no channel 'VR'"),
        ({"lines": {"bsm": 2.0}}, r"no sample 'bsm'"),
    ],
    ids=str,
)
def test_what_the_model_lacks_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pf.plot.yields(made.yields(), made.model(), **options)


def test_templates_are_the_models_yields_at_one_standard_deviation() -> None:
    figure = pf.plot.templates(made.model(), "tilt", "SR", "background")
    curves = {patch.get_label(): patch.get_data().values for patch in figure.axes[0].patches}
    np.testing.assert_allclose(curves["nominal"], [50.0, 30.0, 10.0])
    np.testing.assert_allclose(curves["tilt + 1σ"], [54.0, 31.0, 9.0])
    np.testing.assert_allclose(curves["tilt - 1σ"], [47.0, 29.0, 11.0])
    changes = figure.axes[1].patches[1].get_data().values
    np.testing.assert_allclose(changes, [8.0, 100 / 30, -10.0])
    figure = pf.plot.templates(made.model(), "rate", "SR", sigmas=2.0)
    up = figure.axes[0].patches[1].get_data().values
    np.testing.assert_allclose(up, np.array([50.0, 30.0, 10.0]) * 1.1**2 + [0.0, 4.0, 6.0])


def test_templates_of_a_parameter_without_a_constraint_are_refused() -> None:
    with pytest.raises(ValueError, match="'mu' has no constraint"):
        pf.plot.templates(made.model(), "mu", "SR")


def test_names_that_are_too_long_lose_their_middle_and_stay_in_the_picture() -> None:
    """Whatever stands in legends and titles is no wider than its room; both ends of a name are kept."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    name = "a_name_" + "that_goes_on_and_on_" * 12 + "and_ends"
    label = {channel: f"{name}_{channel}" for channel in made.model().config.channels}
    label |= {sample: f"{name}_{sample}" for sample in made.model().config.samples}
    figure = pf.plot.yields(made.yields(), made.model(), label=label)
    FigureCanvasAgg(figure).draw()
    [legend] = figure.legends
    width = figure.get_figwidth() * figure.dpi
    box = legend.get_window_extent()
    assert (box.x0 >= 0, box.x1 <= width) == (True, True)
    assert all(text.get_text().startswith("a_name_") for text in legend.get_texts()[:2])
    assert all("…" in text.get_text() for text in legend.get_texts()[:2])
    for axes in figure.axes:
        title = axes.get_title(loc="right")
        if title:
            assert "…" in title or "channels of one bin" in title
            assert title.endswith("(post-fit)")


@pytest.mark.filterwarnings("ignore:.*negative yield")
def test_negative_yields_are_inside_of_the_panel() -> None:
    """Interference pulls the stack below zero."""
    spec = {
        "channels": [
            {
                "name": "SR",
                "samples": [
                    {"name": "signal", "data": [6.0, 5.0], "modifiers": [made._MU]},
                    {"name": "a", "data": [-3.0, -2.0], "modifiers": []},
                    {"name": "b", "data": [30.0, 20.0], "modifiers": []},
                ],
            }
        ]
    }
    model = pf.Model(spec)
    table = np.array([[-3.0, -2.0], [30.0, 20.0], [6.0, 5.0]])
    total = table.sum(axis=0)
    band = made.made(pf.YieldBand, samples=table, samples_error=0 * table, total=total, total_error=0 * total)
    result = made.made(pf.YieldsResult, observed=total, prefit=band, postfit=band, status=np.int32(0))
    assert pf.plot.yields(result, model).axes[0].get_ylim()[0] < -3.0


def test_samples_whose_names_begin_with_a_line_are_named() -> None:
    """Such labels are left out of matplotlib's legends."""
    spec = {"channels": [{"name": "_SR", "samples": [{"name": "_fakes", "data": [3.0], "modifiers": [made._MU]}]}]}
    band = made.made(
        pf.YieldBand,
        samples=np.array([[3.0]]),
        samples_error=np.zeros((1, 1)),
        total=np.array([3.0]),
        total_error=np.array([0.1]),
    )
    result = made.made(pf.YieldsResult, observed=np.array([3.0]), prefit=band, postfit=band, status=np.int32(0))
    figure = pf.plot.yields(result, pf.Model(spec))
    assert "_fakes" in [text.strip("\N{HAIR SPACE}") for text in named(figure)]
