"""Pictures of parameters: many of them fit on a page, and no number is drawn that is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.plot.profiles import ends
from pyhf_func.results.base import named
from tests.plot import made

pytest.importorskip("matplotlib", reason="matplotlib (the extra plot) is not installed")


def of_many(n: int) -> tuple[pf.CovarianceResult, pf.Model]:
    """A model of ``n`` constrained parameters and its fit, the i-th pulled by i thousandths."""
    modifiers = [{"name": f"systematic_{i:03d}", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}} for i in range(n)]
    sample = {"name": "background", "data": [50.0], "modifiers": modifiers}
    model = pf.Model({"channels": [{"name": "SR", "samples": [sample]}]}, poi_name=None)
    return made.covariance(n)._replace(errors=np.ones(n), fit=made.fitted(0.001 * np.arange(n))), model


def shown(figure: Any) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.get_yticklabels()]


@pytest.mark.parametrize("n", [1, 40, 41, 182])
def test_pulls_fit_on_a_page(n: int) -> None:
    """All of them, in columns, neither a strip nor a ribbon; rows of at least 8 points."""
    figure = pf.plot.pulls(*of_many(n))
    width, height = figure.get_size_inches()
    assert len(shown(figure)) == n
    assert n == 1 or 0.4 < width / height < 2.0
    rows = max(len(axes.get_yticks()) for axes in figure.axes)
    assert 72 * (height - 1.4) / rows > 8


def test_the_most_important_pulls_stand_in_the_order_of_the_model() -> None:
    result, model = of_many(182)
    values = np.zeros(182)
    values[[7, 150, 60]] = [-3.0, 2.0, 1.0]
    errors = np.ones(182)
    errors[100] = 0.1
    changed = result._replace(fit=made.fitted(values), errors=errors)
    names = shown(pf.plot.pulls(changed, model, most=4))
    assert names == [f"systematic_{i:03d}" for i in (7, 60, 100, 150)]


def test_pulls_without_an_error_are_open_and_named() -> None:
    result, model = of_many(5)
    figure = pf.plot.pulls(result._replace(errors=np.array([1.0, np.nan, 1.0, 1.0, 1.0])), model)
    assert "pull without an error" in [text.get_text() for text in figure.legends[0].get_texts()]
    assert "nan" not in "".join(shown(figure))


@pytest.mark.parametrize("value", [-0.004, 0.0, -0.0, 0.0049])
def test_cells_that_round_to_zero_have_no_sign(value: float) -> None:
    correlation = np.array([[1.0, value], [value, 1.0]])
    result = made.covariance(2)._replace(correlation=correlation, errors=np.ones(2))
    _, model = of_many(2)
    figure = pf.plot.correlation(result, model, least=0.0)
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.00", "0.00", "0.00", "1.00"]


def test_the_largest_correlations_are_kept() -> None:
    correlation = np.eye(60)
    for i, j, value in ((3, 50, -0.9), (10, 20, 0.5), (11, 21, 0.2)):
        correlation[i, j] = correlation[j, i] = value
    result, model = of_many(60)
    result = result._replace(correlation=correlation)
    assert shown(pf.plot.correlation(result, model, most=4))[:4] == [f"systematic_{i:03d}" for i in (3, 10, 20, 50)]
    assert len(pf.plot.correlation(result, model, least=0.0, most=None).axes[0].get_yticks()) == 60
    assert len(pf.plot.correlation(result, model, least=0.0).axes[0].get_yticks()) == 25


def test_the_largest_are_drawn_where_no_correlation_reaches_the_least() -> None:
    result, model = of_many(12)
    correlation = np.eye(12)
    correlation[2, 7] = correlation[7, 2] = 0.04
    figure = pf.plot.correlation(result._replace(correlation=correlation), model, most=2)
    assert shown(figure)[:2] == ["systematic_002", "systematic_007"]
    assert figure.axes[0].get_xlabel() == "the largest: no correlation reaches 0.1"
    assert pf.plot.correlation(result._replace(correlation=correlation), model, least=0.01).axes[0].get_xlabel() == ""


def test_unknown_correlations_have_no_number() -> None:
    result, model = of_many(3)
    correlation = result.correlation.copy()
    correlation[0, 1] = correlation[1, 0] = np.nan
    figure = pf.plot.correlation(result._replace(correlation=correlation), model)
    assert [text.get_text() for text in figure.axes[0].texts].count("") == 2


def test_a_ranking_without_an_impact_says_so() -> None:
    nothing = dict.fromkeys(("prefit_up", "prefit_down", "postfit_up", "postfit_down"), np.zeros(3))
    figure = pf.plot.ranking(made.impacts()._replace(**nothing), made.model())
    assert [text.get_text() for text in figure.axes[0].texts] == ["mu stays at 1.2: no parameter moves it"]


def test_impacts_whose_fit_failed_leave_no_bar_of_another_size() -> None:
    figure = pf.plot.ranking(made.impacts(), made.model())
    widths = [patch.get_width() for patch in figure.axes[0].patches]
    assert np.sum(np.isnan(widths)) == 1
    assert np.all(np.isfinite(figure.axes[0].get_xlim()))


def test_a_profile_has_the_numbers_of_its_interval() -> None:
    figure = pf.plot.profile(made.profile(), made.model(), "mu")
    assert figure.legends[0].get_texts()[1].get_text() == r"mu = $1.20\;^{+0.50}_{-0.50}$"


def test_interval_ends_lie_between_points() -> None:
    """Exact for a parabola on any points, and only where the curve gets there."""
    x = np.array([0.3, 0.9, 1.1, 1.5, 2.6])
    low, high = ends(x, ((x - 1.2) / 0.5) ** 2, 1.2)
    assert (low, high) == (pytest.approx(0.7), pytest.approx(1.7))
    low, high = ends(x[1:], ((x[1:] - 1.2) / 0.5) ** 2, 1.2)
    assert np.isnan(low)
    assert high == pytest.approx(1.7)


def test_missing_limits_are_left_out_and_named_so() -> None:
    none = made.limit()._replace(observed=np.float64(np.inf), expected=np.array([0.5, 0.7, np.inf, np.inf, np.inf]))
    figure = pf.plot.limits({"here": made.limit(), "there": none}, made.model())
    assert "none (none)" in [text.get_text() for text in figure.axes[0].texts]
    assert np.all(np.isfinite(figure.axes[0].get_xlim()))
    with pytest.raises(ValueError, match="no limits to draw"):
        pf.plot.limits(none._replace(expected=np.full(5, np.inf)), made.model())


def test_toys_lie_on_their_asymptotic_distributions() -> None:
    """The curves are the fractions of a Gaussian measurement's toys, in every bin, beyond the change of form too."""
    axes = pf.plot.toys(made.toys(), made.model(), bins=12, asymptotic=made.test_of_toys()).axes[0]
    for steps, curve in zip(axes.patches[:2], axes.lines[1:3], strict=True):
        counts, expected = 2000 * steps.get_data().values, 2000 * curve.get_ydata()
        assert expected.sum() == pytest.approx(2000, rel=0.01)
        assert np.all(np.abs(counts - expected) < 4 * np.sqrt(expected) + 1)


def test_impacts_on_one_side_lie_beside_each_other() -> None:
    """A colour that is in no legend is nowhere: bars that would overlap share the height of the row."""
    ones = np.ones(3)
    sides = {"postfit_up": 0.2 * ones, "postfit_down": np.array([0.3, -0.3, 0.0])}
    axes = pf.plot.ranking(made.impacts()._replace(**sides, prefit_up=ones, prefit_down=-ones), made.model()).axes[0]
    up, down = (axes.containers[place].patches for place in (2, 3))
    for row, (above, below) in enumerate(zip(up, down, strict=True)):
        overlap = above.get_y() + above.get_height() > below.get_y() + 1e-9
        assert overlap == (row > 0)
        assert row - 0.4 <= above.get_y() + 1e-9
        assert below.get_y() + below.get_height() <= row + 0.4 + 1e-9


@pytest.mark.parametrize("reach", [0.3, 2.5, 4.0, 5.1, 11.0, 80.0])
def test_pulls_have_ticks_at_whole_numbers(reach: float) -> None:
    result, model = of_many(3)
    axes = pf.plot.pulls(result._replace(fit=made.fitted([reach, 0.0, 0.0])), model).axes[0]
    ticks, (_, end) = axes.get_xticks(), axes.get_xlim()
    assert 5 <= len(ticks) <= 7
    np.testing.assert_array_equal(ticks, np.round(ticks))
    assert np.all(np.abs(ticks) <= end)


def test_names_that_are_too_long_lose_their_middle() -> None:
    """In every picture with rows: its size stays that of a page, and ends of names tell them apart."""
    names = [f"first\n{'very_' * 60}long_{i}" for i in range(3)]
    modifiers = [{"name": name, "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}} for name in names]
    sample = {"name": "background", "data": [50.0], "modifiers": modifiers}
    channels = [{"name": name, "samples": [sample]} for name in names]
    model = pf.Model({"channels": channels}, poi_name=None)
    figures = [pf.plot.pulls(made.covariance(3), model), pf.plot.correlation(made.covariance(3), model)]
    figures += [pf.plot.limits(dict.fromkeys(names, made.limit()))]
    nothing = made.made(pf.YieldBand, samples=np.ones((1, 3)), total=np.ones(3), total_error=np.ones(3))
    found = pf.YieldsResult(np.ones(3), nothing, nothing, np.int32(0), made.covariance(3))
    figures += [pf.plot.yields(found, model)]
    for figure in figures:
        assert max(figure.get_size_inches()) < 12.0
        texts = {*shown(figure), *(text.get_text() for text in figure.axes[-1].get_xticklabels())}
        assert {text[-2:] for text in texts if text.startswith("first very_")} == {"_0", "_1", "_2"}
        assert not any("\n" in text for text in texts)


def test_heights_of_a_profile_stand_beside_the_curve() -> None:
    axes = pf.plot.profile(made.profile(), made.model(), "mu").axes[0]
    assert [text.get_text() for text in axes.texts] == [r"1$\sigma$", r"2$\sigma$", r"3$\sigma$"]
    assert all(text.get_position()[0] > 1 for text in axes.texts)


def test_contours_of_a_coarse_profile_are_smooth() -> None:
    """Of a parabola on five by six points they are the ellipses, to a hundredth of the axes."""
    mu, tilt = np.linspace(-0.8, 3.2, 5), np.linspace(-4.0, 2.0, 6)
    x, y = np.meshgrid((mu - 1.2) / 0.5, (tilt + 1.1) / 0.9, indexing="ij")
    found = made.profile_of_two()._replace(values=(mu, tilt), ratio=(x**2 + y**2 - x * y) / 0.75)
    axes = pf.plot.profile(found, made.model(), ["mu", "tilt"]).axes[0]
    inner = next(one for one in axes.collections if hasattr(one, "allsegs")).allsegs[0][0]
    x, y = (inner[:, 0] - 1.2) / 0.5, (inner[:, 1] + 1.1) / 0.9
    np.testing.assert_allclose((x**2 + y**2 - x * y) / 0.75, 2.2957, atol=0.02)


@pytest.mark.parametrize("shape", [(1, 4), (2, 2), (3, 2)])
def test_profiles_of_few_points_are_drawn(shape: tuple[int, int]) -> None:
    mu, tilt = (np.linspace(-1.0, 1.0, n) for n in shape)
    ratio = np.add.outer(mu**2, tilt**2)
    pf.plot.profile(made.profile_of_two()._replace(values=(mu, tilt), ratio=ratio), made.model(), ["mu", "tilt"])


def test_pictures_name_the_parameter_that_a_result_was_made_for() -> None:
    """Not the model's parameter of interest where another one was tested; and without a model too."""
    names = made.model().config._names.of_results
    other = replace(names, poi="rate")
    for model in (made.model(), None):
        scan, limit, toys = (named(one(), other) for one in (made.scan, made.limit, made.toys))
        assert pf.plot.cls(scan, model).axes[0].get_xlabel() == "rate"
        assert pf.plot.limits(limit, model).axes[0].get_xlabel() == "upper limit on rate"
        assert pf.plot.toys(toys, model).axes[0].get_xlabel() == "test statistic for rate = 1"
    assert pf.plot.cls(made.scan(), made.model()).axes[0].get_xlabel() == "mu"
