"""Views of one tensor as several: split by indices, and stitch together again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from pyhf_func.pyhf.tensor.dispatch import backend_for
from pyhf_func.pyhf.tensor.manager import current_backend


class TensorViewer:
    """Parts of a vector, each a list of indices, that together make up the whole.

    Works along the last axis, in any backend.

    Example:
        >>> view = TensorViewer([[0, 2], [1]], names=["even", "odd"])
        >>> [part.tolist() for part in view.split(np.array([10.0, 11.0, 12.0]))]
        [[10.0, 12.0], [11.0]]
        >>> view.stitch([np.array([1.0, 3.0]), np.array([2.0])]).tolist()
        [1.0, 2.0, 3.0]
    """

    def __init__(
        self, indices: Sequence[Any], batch_size: int | None = None, names: Sequence[str] | None = None
    ) -> None:
        self.batch_size = batch_size
        self.names = names
        self._partition_indices = [_integers(part) for part in indices]
        self._sorted_indices = np.concatenate(self._partition_indices).argsort()

    @property
    def partition_indices(self) -> list[Any]:
        """The indices of each part, in the current backend."""
        return [current_backend().astensor(part, dtype="int") for part in self._partition_indices]

    @property
    def sorted_indices(self) -> Any:
        """Where each element of the whole lies in the concatenated parts, in the current backend."""
        return current_backend().astensor(self._sorted_indices, dtype="int")

    @property
    def name_map(self) -> dict[str, Any]:
        """The indices of each part by name, in the current backend."""
        return dict(zip(self.names or (), self.partition_indices, strict=False))

    def stitch(self, data: Sequence[Any]) -> Any:
        """The whole from its parts; shape (..., all)."""
        if len(data) != len(self._partition_indices):
            raise AssertionError(f"There are {len(self._partition_indices)} parts, and {len(data)} were given.")
        tensorlib = backend_for(*data)
        return take(tensorlib, tensorlib.concatenate(list(data), axis=-1), self._sorted_indices)

    def split(self, data: Any, selection: Sequence[str] | None = None) -> list[Any]:
        """The parts of the whole, or those named in ``selection`` in its order; shape (..., part) each."""
        tensorlib = backend_for(data)
        if selection is None:
            parts = self._partition_indices
        else:
            by_name = dict(zip(self.names or (), self._partition_indices, strict=False))
            parts = [by_name[name] for name in selection]
        if isinstance(data, list | tuple):
            data = tensorlib.astensor(data)
        return [take(tensorlib, data, part) for part in parts]


_TensorViewer = TensorViewer


def take(tensorlib: Any, data: Any, indices: np.ndarray) -> Any:
    """Elements along the last axis."""
    index = tensorlib.astensor(indices, dtype="int")
    if len(tensorlib.shape(data)) == 1:
        return tensorlib.gather(data, index)
    return tensorlib.einsum("j...->...j", tensorlib.gather(tensorlib.einsum("...j->j...", data), index))


def _tensorviewer_from_slices(
    target_slices: Sequence[slice], names: Sequence[str] | None, batch_size: int | None
) -> TensorViewer | None:
    """A view of slices of a vector; None without slices."""
    if not target_slices:
        return None
    ranges = [range(part.start, part.stop) for part in target_slices]
    return TensorViewer(ranges, names=names, batch_size=batch_size)


def _tensorviewer_from_sizes(
    sizes: Sequence[int], names: Sequence[str] | None, batch_size: int | None
) -> TensorViewer | None:
    """A view of neighbouring parts of the given sizes; None without sizes."""
    stops = np.cumsum([0, *sizes]).tolist()
    slices = [slice(start, stop) for start, stop in pairwise(stops)]
    return _tensorviewer_from_slices(slices, names, batch_size)


def _integers(indices: Any) -> np.ndarray:
    """Indices of any backend as NumPy integers."""
    values = indices if isinstance(indices, range | list) else backend_for(indices).tolist(indices)
    return np.asarray(values, dtype=int).ravel()
