"""Exclusion contours: smooth, without islands, and where they belong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pyhf_func as pf
from pyhf_func.plot.surfaces import plane_of, smooth
from tests.plot import made

pytest.importorskip("matplotlib", reason="matplotlib (the extra plot) is not installed")

LEVEL = 1.6449  # standard deviations at CLs = 0.05


def lines(result: pf.GridResult) -> tuple[list[Any], list[Any]]:
    """The pieces of the expected and the observed contour, without what lies outside of the points."""
    from matplotlib.path import Path
    from scipy.spatial import ConvexHull

    places = np.array(result.values)
    hull = Path(places[ConvexHull(places).vertices])
    _, expected, observed = pf.plot.exclusion(result).axes[0].collections[:3]
    found = []
    for contour in (expected, observed):
        found.append([p for p in contour.allsegs[0] if np.mean(hull.contains_points(p)) > 0.05])
    return found[0], found[1]


@pytest.mark.slow
@pytest.mark.parametrize(("n", "noise"), [(40, 0.1), (125, 0.25), (125, 0.0), (700, 0.3), (2000, 0.3)])
@pytest.mark.parametrize("seed", [1, 2])
def test_an_irregular_grid_has_one_smooth_line(n: int, noise: float, seed: int) -> None:
    """In one piece, nowhere bent back by more than a right angle, and near the true contour."""
    places, significance = made.masses(n, noise, seed)
    for shift, pieces in zip((0.5, 0.0), lines(made.grid(places, significance)), strict=True):
        assert len(pieces) == 1
        steps = np.diff(pieces[0][::4], axis=0) / np.ptp(places, axis=0)
        turns = np.sum(steps[1:] * steps[:-1], axis=1)
        assert np.all(turns > 0)
        m1, m2 = pieces[0][10:-10].T
        inside = m1 - m2 > 160.0  # where the significance does not fall to nothing within one grid spacing
        off = made.significance(m1[inside], m2[inside]) + shift - LEVEL
        assert np.sqrt(np.mean(off**2)) < 0.35


def test_points_without_noise_are_interpolated() -> None:
    """Along the contour of a smooth surface the significance is that of the level, to a hundredth."""
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(0.0, 10.0, 9), np.linspace(0.0, 1.0, 9)))

    def truth(x: Any, y: Any) -> Any:
        return 3.0 - 0.02 * x**2 - 1.5 * y - 0.5 * np.sin(x / 3) * y

    for shift, pieces in zip((0.5, 0.0), lines(made.grid(np.column_stack([x, y]), truth(x, y))), strict=True):
        assert len(pieces) == 1
        np.testing.assert_allclose(truth(*pieces[0].T) + shift, LEVEL, atol=0.02)


def test_a_hole_that_points_support_stays() -> None:
    """Two pieces where there really are two."""
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(-2.0, 2.0, 15), np.linspace(-2.0, 2.0, 15)))
    ring = 3.0 - 4.0 * (np.hypot(x, y) - 1.1) ** 2 / 0.6
    _, observed = lines(made.grid(np.column_stack([x, y]), ring))
    assert len(observed) == 2


def test_units_do_not_matter() -> None:
    places, significance = made.masses(60, 0.2)
    _, [plain] = lines(made.grid(places, significance))
    _, [scaled] = lines(made.grid(places * [1e-3, 1e6], significance))
    np.testing.assert_allclose(scaled, plain * [1e-3, 1e6], rtol=1e-6)


def test_values_over_decades_are_compared_by_their_logarithms() -> None:
    random = np.random.default_rng(5)
    mass, lifetime = random.uniform(100.0, 1000.0, 80), 10 ** random.uniform(-3.0, 2.0, 80)

    def truth(mass: Any, lifetime: Any) -> Any:
        return 4.0 - mass / 300.0 - 0.4 * np.log10(lifetime) ** 2

    result = made.grid(np.column_stack([mass, lifetime]), truth(mass, lifetime))
    axes = pf.plot.exclusion(result).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")
    _, [observed] = lines(result)
    assert np.quantile(np.abs(truth(*observed.T) - LEVEL), 0.95) < 0.15


def test_points_on_a_line_are_refused() -> None:
    places = np.column_stack([np.arange(5.0), 2 * np.arange(5.0)])
    with pytest.raises(ValueError, match="lie on one line"):
        pf.plot.exclusion(made.grid(places, np.linspace(3.0, 0.0, 5)))


@pytest.mark.parametrize("value", ["heavy", float("nan")])
def test_points_without_a_place_are_refused(value: object) -> None:
    result = made.grid(*made.masses(20, 0.1))
    with pytest.raises(ValueError, match="must be finite numbers"):
        pf.plot.exclusion(result._replace(values=((100.0, value), *result.values[1:])))


def test_a_point_given_twice_counts_as_its_mean() -> None:
    places, significance = made.masses(60, 0.1)
    twice = np.concatenate([places, places[:3]])
    _, [once] = lines(made.grid(places, significance))
    _, [again] = lines(made.grid(twice, np.append(significance, significance[:3])))
    np.testing.assert_allclose(again, once, rtol=1e-6)


def test_certain_exclusion_and_no_exclusion_can_be_drawn() -> None:
    """CLs of exactly 0 and 1 have no finite significance."""
    places, significance = made.masses(40, 0.0)
    extreme = np.where(significance > 2.5, 60.0, np.where(significance < 0.2, -60.0, significance))
    expected, observed = lines(made.grid(places, extreme))
    assert (len(expected), len(observed)) == (1, 1)


@pytest.mark.parametrize("n", [3, 4, 6])
def test_a_plane_is_reproduced_by_few_points(n: int) -> None:
    points = np.random.default_rng(n).normal(size=(n, 2))
    plane = plane_of(points)
    wanted = np.random.default_rng(9).normal(size=(20, 2))
    found = smooth(plane(points), (points @ [2.0, -1.0] + 3.0)[:, None], plane(wanted))
    np.testing.assert_allclose(found[:, 0], wanted @ [2.0, -1.0] + 3.0, atol=1e-9)


@pytest.mark.parametrize(("shift", "named"), [(9.0, ["excluded"]), (-9.0, ["not excluded"])])
def test_what_is_not_drawn_is_not_named(shift: float, named: list[str]) -> None:
    """Where all points are excluded, or none, there is no line, and the legend has none either."""
    places, _ = made.masses(30, 0.0)
    figure = pf.plot.exclusion(made.grid(places, np.full(30, shift)))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == named
