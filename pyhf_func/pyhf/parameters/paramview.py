"""Selected parameters out of the parameter vector, also of a batch of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyhf_func.pyhf.tensor.common import TensorViewer, _tensorviewer_from_sizes, _tensorviewer_from_slices
from pyhf_func.pyhf.tensor.dispatch import backend_for
from pyhf_func.pyhf.tensor.manager import current_backend

__all__ = ["ParamViewer"]


def __dir__() -> list[str]:
    return __all__


def _tensorviewer_from_parmap(par_map: Mapping[str, Any], batch_size: int | None) -> TensorViewer | None:
    """A view of the whole parameter vector by parameter name."""
    ordered = sorted(par_map, key=lambda name: par_map[name]["slice"].start)
    return _tensorviewer_from_slices([par_map[name]["slice"] for name in ordered], ordered, batch_size)


def extract_index_access(
    baseviewer: TensorViewer | None, subviewer: TensorViewer | None, indices: Any
) -> tuple[list[Any], Any, Any]:
    """Where the parameters of ``subviewer`` lie: for each, all stitched together, and with the batch axis last."""
    if baseviewer is None or subviewer is None:
        return [], None, None
    tensorlib = backend_for(indices)
    selection = baseviewer.split(indices, selection=subviewer.names)
    stitched = subviewer.stitch(selection)
    batched = len(tensorlib.shape(stitched)) > 1
    transposed = tensorlib.einsum("ij->ji", stitched) if batched else stitched
    return selection, stitched, tensorlib.astensor(transposed, dtype="int")


class ParamViewer:
    """Picks named parameters out of a parameter vector, or out of each vector of a batch.

    Args:
        shape: ``(npars,)``, or ``(batch_size, npars)``.
        par_map: ``{name: {"slice": ...}}`` of all parameters.
        par_selection: The names to pick, in this order.

    Example:
        >>> view = ParamViewer((3,), {"a": {"slice": slice(0, 1)}, "b": {"slice": slice(1, 3)}}, ["b"])
        >>> view.get(np.array([1.0, 2.0, 3.0])).tolist()
        [2.0, 3.0]
    """

    def __init__(self, shape: Sequence[int], par_map: Mapping[str, Any], par_selection: Sequence[str]) -> None:
        batch_size = shape[0] if len(shape) > 1 else None
        self._all_indices = np.arange(int(np.prod(tuple(shape)))).reshape(tuple(shape))
        self.allpar_viewer = _tensorviewer_from_parmap(par_map, batch_size)
        sizes = [par_map[name]["slice"].stop - par_map[name]["slice"].start for name in par_selection]
        self.selected_viewer = _tensorviewer_from_sizes(sizes, par_selection, batch_size)

    def _access(self) -> tuple[list[Any], Any, Any]:
        return extract_index_access(self.allpar_viewer, self.selected_viewer, self.all_indices)

    @property
    def all_indices(self) -> Any:
        """The index of every parameter in the flattened vectors, in the current backend."""
        return current_backend().astensor(self._all_indices, dtype="int")

    @property
    def index_selection(self) -> list[Any]:
        """The indices of each selected parameter, in the current backend; empty where none is selected."""
        return self._access()[0] if self.selected_viewer is not None else []

    @property
    def stitched(self) -> Any:
        """The indices of all selected parameters, in the current backend."""
        return self._access()[1]

    @property
    def indices_concatenated(self) -> Any:
        """The same with the batch axis last; shape (selected,) or (selected, batch_size)."""
        return self._access()[2]

    def get(self, data: Any, indices: Any = None) -> Any:
        """The selected parameters; shape (selected,) or (selected, batch_size). None where none is selected."""
        if self.selected_viewer is None:
            return None
        tensorlib = backend_for(data)
        indices = self._numpy_indices() if indices is None else indices
        return tensorlib.gather(tensorlib.reshape(data, (-1,)), tensorlib.astensor(indices, dtype="int"))

    def _numpy_indices(self) -> np.ndarray:
        """``indices_concatenated``, in NumPy."""
        assert self.allpar_viewer is not None
        assert self.selected_viewer is not None
        by_name = dict(zip(self.allpar_viewer.names or (), self.allpar_viewer._partition_indices, strict=True))
        picked = np.concatenate([by_name[name] for name in self.selected_viewer.names or ()])
        return np.moveaxis(self._all_indices[..., picked], -1, 0)
