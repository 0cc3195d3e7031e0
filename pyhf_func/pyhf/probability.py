"""Probability distributions of HistFactory, in every backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyhf_func.pyhf.tensor.common import TensorViewer
from pyhf_func.pyhf.tensor.dispatch import backend_for

__all__ = ["Independent", "Normal", "Poisson", "Simultaneous"]


def __dir__() -> list[str]:
    return __all__


class _Distribution:
    """A distribution of one backend, ``self._pdf``."""

    _pdf: Any

    def log_prob(self, value: Any) -> Any:
        """Log density at ``value``, elementwise."""
        return self._pdf.log_prob(value)

    def expected_data(self) -> Any:
        """The expectation value."""
        return self._pdf.expected_data()

    def sample(self, sample_shape: Sequence[int] = ()) -> Any:
        """Random values; shape ``sample_shape + shape of the parameters``."""
        return self._pdf.sample(sample_shape)


class Poisson(_Distribution):
    """Poisson distributions with means ``rate``.

    Example:
        >>> import numpy as np
        >>> Poisson(np.array([5.0, 8.0])).log_prob(np.array([4.0, 9.0])).round(6).tolist()
        [-1.740302, -2.086854]
    """

    def __init__(self, rate: Any) -> None:
        self.rate = rate
        self._pdf = backend_for(rate).poisson_dist(rate)

    def expected_data(self) -> Any:
        """The means."""
        return self.rate


class Normal(_Distribution):
    """Gaussian distributions with means ``loc`` and widths ``scale``.

    Example:
        >>> import numpy as np
        >>> Normal(np.array([5.0]), np.array([2.0])).log_prob(np.array([4.0])).round(6).tolist()
        [-1.737086]
    """

    def __init__(self, loc: Any, scale: Any) -> None:
        self.loc = loc
        self.scale = scale
        self._pdf = backend_for(loc, scale).normal_dist(loc, scale)

    def expected_data(self) -> Any:
        """The means."""
        return self.loc


class Independent(_Distribution):
    """The joint distribution of independent variables of one kind, along the last axis.

    Example:
        >>> import numpy as np
        >>> float(Independent(Poisson(np.array([10.0, 10.0]))).log_prob(np.array([2.0, 3.0])).round(6))
        -10.971981
    """

    def __init__(self, batched_pdf: Any, batch_size: int | None = None) -> None:
        self.batch_size = batch_size
        self._pdf = batched_pdf

    def log_prob(self, value: Any) -> Any:
        """Log density; the last axis is summed over."""
        terms = self._pdf.log_prob(value)
        return backend_for(terms).sum(terms, axis=-1)


class Simultaneous:
    """The joint distribution of several distributions, each of its own part of the data.

    Args:
        pdfobjs: The distributions.
        tensorview: Which part of the data each describes.
        batch_size: The number of parameter vectors, where they come in a batch.
    """

    def __init__(self, pdfobjs: Sequence[Any], tensorview: TensorViewer | None, batch_size: int | None = None) -> None:
        self.tv = tensorview
        self._pdfobjs = pdfobjs
        self.batch_size = batch_size

    def __iter__(self) -> Iterator[Any]:
        yield from self._pdfobjs

    def __getitem__(self, index: int) -> Any:
        return self._pdfobjs[index]

    def _view(self) -> TensorViewer:
        if self.tv is None:
            raise TypeError("These distributions were given no view of the data: which part belongs to which.")
        return self.tv

    def expected_data(self) -> Any:
        """The expectation values, in the order of the data."""
        return self._view().stitch([pdf.expected_data() for pdf in self])

    def sample(self, sample_shape: Sequence[int] = ()) -> Any:
        """Random data; shape ``sample_shape`` + (..., data)."""
        return self._view().stitch([pdf.sample(sample_shape) for pdf in self])

    def log_prob(self, value: Any) -> Any:
        """Log density of the data; shape () or that of the batch."""
        parts = self._view().split(value)
        terms = [pdf.log_prob(part) for pdf, part in zip(self, parts, strict=True)]
        return self._joint_logpdf(terms, batch_size=self.batch_size)

    @staticmethod
    def _joint_logpdf(terms: Sequence[Any], batch_size: int | None = None) -> Any:
        if len(terms) == 1:
            return terms[0]
        if len(terms) == 2 and batch_size is None:
            return terms[0] + terms[1]
        tensorlib = backend_for(*terms)
        return tensorlib.sum(tensorlib.stack(list(terms)), axis=0)
