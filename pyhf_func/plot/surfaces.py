"""Smooth surfaces through scattered points: significances over the plane of two signal parameters."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import eigh, qr, solve_triangular
from scipy.spatial.distance import cdist
from scipy.special import xlogy

_KNOTS = 250
"""Places where a surface may bend, at most: the cost grows with their cube."""
_CAUTION = 1.4
"""Weight of a degree of freedom in cross validation, above one against fitting noise (Kim and Gu, 2004)."""
_LEAST_SPREAD = 1e-6
"""Points whose second principal axis is shorter than this, of the first, lie on a line."""


class Plane(NamedTuple):
    """Coordinates in which points have no correlation and unit spread, in whatever units they are given."""

    centre: Any  # (2,)
    axes: Any  # (2, 2)

    def __call__(self, points: Any) -> Any:
        """The points in these coordinates; shape (..., 2)."""
        return (np.asarray(points) - self.centre) @ self.axes


def plane_of(points: Any) -> Plane:
    """The principal axes of points, scaled.

    Raises:
        ValueError: The points lie on one line.
    """
    scale = np.ptp(points, axis=0)
    if np.any(scale == 0):
        raise ValueError("The points lie on one line, and a contour needs some beside it.")
    centre = points.mean(axis=0)
    _, spread, directions = np.linalg.svd((points - centre) / scale, full_matrices=False)
    if spread[1] < _LEAST_SPREAD * spread[0]:
        raise ValueError("The points lie on one line, and a contour needs some beside it.")
    return Plane(centre, (directions.T / spread) * np.sqrt(len(points)) / scale[:, None])


def smooth(points: Any, values: Any, wanted: Any) -> Any:
    """Thin-plate splines through values at points of a plane, as smooth as the values ask for.

    A spline minimises the mean squared distance from the values plus ``λ`` times its bending energy; ``λ`` comes from
    generalised cross validation (Craven and Wahba, 1979), for each spline by itself: values without noise are
    interpolated, scattered ones smoothed. A spline that passes through all values exists for any ``n`` points that do
    not lie on a line.

    Args:
        points: Shape (n, 2), at least three.
        values: Shape (n, splines).
        wanted: Where the splines are evaluated; shape (m, 2).

    Returns:
        Shape (m, splines).
    """
    knots = _spread_out(points, _KNOTS)
    # Bends have no linear part: coefficients of the radial functions are orthogonal to 1, x and y at the knots.
    linear = _linear(knots)
    inside = qr(linear)[0][:, 3:]
    design = np.hstack([_radial(points, knots) @ inside, _linear(points)])
    energy = np.zeros((design.shape[1],) * 2)
    energy[: inside.shape[1], : inside.shape[1]] = inside.T @ _radial(knots, knots) @ inside
    upper = qr(design, mode="economic")[1]
    half = solve_triangular(upper, energy, trans="T")
    bend, turn = eigh(solve_triangular(upper, half.T, trans="T"))  # penalty where the design is orthonormal
    bend = np.where(np.arange(len(bend)) < 3, 0.0, np.maximum(bend, 0.0))  # planes do not bend
    basis = solve_triangular(upper, turn)
    seen = (design @ basis).T @ values
    rest = np.sum(values**2, axis=0) - np.sum(seen**2, axis=0)
    coefficients = np.column_stack(
        [basis @ (seen[:, i] * _kept(bend, seen[:, i], max(rest[i], 0.0), len(points))) for i in range(values.shape[1])]
    )
    return np.hstack([_radial(wanted, knots) @ inside, _linear(wanted)]) @ coefficients


def _kept(bend: Any, seen: Any, rest: float, n: int) -> Any:
    """How much is kept of each mode: the choice of ``λ`` with the least score of cross validation."""
    largest = bend.max(initial=0.0)
    if largest == 0.0:
        return np.ones_like(bend)
    choices = 1.0 / (1.0 + np.geomspace(1e-9, 1e9, 145)[:, None] * bend / largest)
    bends = (choices * (bend > 0)).sum(axis=1)
    free = n - 3 - _CAUTION * bends
    distances = rest + np.sum(((1 - choices) * seen) ** 2, axis=1)
    scores = np.where(free > 0, distances / np.maximum(free, 1e-9) ** 2, np.inf)
    return choices[np.argmin(scores)]


def _radial(points: Any, knots: Any) -> Any:
    """``r² log r`` of the distances."""
    squared = cdist(points, knots, "sqeuclidean")
    return 0.5 * xlogy(squared, squared)


def _linear(points: Any) -> Any:
    return np.column_stack([np.ones(len(points)), points])


def _spread_out(points: Any, most: int) -> Any:
    """All points; of many, those that lie farthest from one another."""
    if len(points) <= most:
        return points
    chosen, distance = [0], np.full(len(points), np.inf)
    while len(chosen) < most:
        distance = np.minimum(distance, np.sum((points - points[chosen[-1]]) ** 2, axis=1))
        chosen.append(int(np.argmax(distance)))
    return points[chosen]
