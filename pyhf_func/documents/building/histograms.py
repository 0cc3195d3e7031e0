"""Histograms of any library: counts, variances, edges and titles by the protocol that they share (UHI)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Histogram", "read_histogram"]


@dataclass(frozen=True)
class Histogram:
    """Counts in bins, with what else is known of them.

    Attributes:
        values: Counts; of several dimensions in the order of their axes, the last one fastest.
        variances: Variances of the counts; None where they are not known.
        axes: The axes as HS3 lays them out, for pictures: ``{"title": ..., "unit": ..., "edges": [...]}``.

    Example:
        >>> import pyhf_func as pf
        >>> mass = {"title": "mass", "unit": "GeV", "edges": [0, 50, 100]}
        >>> pf.Histogram([5.0, 3.0], variances=[0.5, 0.3], axes=[mass]).edges
        [[0.0, 50.0, 100.0]]
    """

    values: Sequence[float]
    variances: Sequence[float] | None = None
    axes: Sequence[dict[str, Any]] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _numbers(self.values))
        if self.variances is not None:
            object.__setattr__(self, "variances", _numbers(self.variances))
        object.__setattr__(self, "axes", tuple(self.axes))

    @property
    def edges(self) -> list[list[float]]:
        """Edges of the axes, as far as they are known."""
        return [list(map(float, axis["edges"])) for axis in self.axes if "edges" in axis]


def read_histogram(given: Any) -> Histogram:
    """What a histogram of any library holds, without the bins below and above its range.

    Args:
        given: A `Histogram`; an object with ``values()``, ``variances()`` and ``axes``, as those of hist,
            boost-histogram and uproot; ``(counts, edges)``, as ``numpy.histogram`` gives them; or counts alone.

    Raises:
        TypeError: It is something else, or holds something else than numbers.

    Example:
        >>> import numpy as np
        >>> read_histogram(np.histogram([0.5, 1.5, 1.7], bins=[0.0, 1.0, 2.0]))
        Histogram(values=(1.0, 2.0), variances=None, axes=({'edges': [0.0, 1.0, 2.0]},))
    """
    if isinstance(given, Histogram):
        return given
    if callable(getattr(given, "values", None)) and hasattr(given, "axes"):
        variances = given.variances() if callable(getattr(given, "variances", None)) else None
        return Histogram(given.values(), variances, [_axis(axis) for axis in given.axes])
    if isinstance(given, tuple) and len(given) == 2:
        counts, edges = _array(given[0]), given[1]
        several = list(edges) if isinstance(edges, list) and edges and np.ndim(edges[0]) == 1 else [edges]
        axes = [{"edges": list(_numbers(one))} for one in several]
        if counts.shape != tuple(len(axis["edges"]) - 1 for axis in axes):
            found = " × ".join(str(len(axis["edges"])) for axis in axes)
            raise TypeError(
                f"(counts, edges) has counts of shape {counts.shape} and {found} edges; one more than counts"
            )
        return Histogram(_numbers(counts), axes=axes)
    return Histogram(given)


def _array(given: Any) -> np.ndarray:
    """Numbers, of any library's array."""
    try:
        array = np.asarray(given)
        if array.dtype.kind not in "fiu":
            raise TypeError
        return array.astype(float)
    except (TypeError, ValueError) as error:
        kind = type(given).__name__
        raise TypeError(f"is of type {kind}; give a histogram, (counts, edges), or an array of counts") from error


def _numbers(given: Any) -> tuple[float, ...]:
    array = _array(given)
    if not array.size or not array.ndim:
        raise TypeError("has no bins; give a histogram, (counts, edges), or an array of counts")
    return tuple(array.ravel().tolist())


def _axis(axis: Any) -> dict[str, Any]:
    """An axis: its title and unit where there is one, and its edges where its bins are intervals that touch."""
    found: dict[str, Any] = {}
    title, unit = title_and_unit(_title(axis))
    if title:
        found["title"] = title
    if unit:
        found["unit"] = unit
    bins = [axis[place] for place in range(len(axis))]
    if bins and all(np.ndim(one) == 1 and len(one) == 2 for one in bins):
        edges = [float(bins[0][0]), *(float(high) for _, high in bins)]
        if all(float(low) == edge for (low, _), edge in zip(bins, edges, strict=False)):
            found["edges"] = edges
    return found


def _title(axis: Any) -> str:
    """How an axis is called: ROOT's title, hist's label or name, boost-histogram's metadata."""
    if hasattr(axis, "member"):
        return str(axis.member("fTitle", none_if_missing=True) or "")
    for name in ("label", "name", "metadata"):
        title = getattr(axis, name, None)
        if isinstance(title, str) and title and not re.fullmatch(r"Axis \d+", title):
            return title
    return ""


def title_and_unit(text: str) -> tuple[str, str]:
    """A title without the unit that stands in brackets after it, and that unit.

    Example:
        >>> title_and_unit("m_eff [GeV]"), title_and_unit("BDT score")
        (('m_eff', 'GeV'), ('BDT score', ''))
    """
    found = re.fullmatch(r"(.*\S)\s*[\[(]([^\[\]()]+)[\])]\s*", text)
    return (found[1], found[2]) if found else (text.strip(), "")
