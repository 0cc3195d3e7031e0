"""The constraint terms of all parameters of one kind together, from the configuration of a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from pyhf_func.pyhf.parameters import ParamViewer
from pyhf_func.pyhf.probability import Independent, Normal, Poisson
from pyhf_func.pyhf.tensor.common import take
from pyhf_func.pyhf.tensor.dispatch import backend_for
from pyhf_func.pyhf.tensor.manager import current_backend

__all__ = ["gaussian_constraint_combined", "poisson_constraint_combined"]


def __dir__() -> list[str]:
    return __all__


class _Combined(ABC):
    """The constraint terms of one density.

    Args:
        pdfconfig: ``auxdata``, ``auxdata_order``, ``npars``, ``par_map`` and ``param_set(name)`` of a model.
        batch_size: The number of parameter vectors; None for single vectors.
    """

    density: ClassVar[str]

    def __init__(self, pdfconfig: Any, batch_size: int | None = None) -> None:
        self.batch_size = batch_size
        self.parsets = [pdfconfig.param_set(name) for name in pdfconfig.auxdata_order]
        names = [
            name
            for name, parameter in zip(pdfconfig.auxdata_order, self.parsets, strict=True)
            if parameter.pdf_type == self.density
        ]
        self.param_viewer = ParamViewer((batch_size or 1, pdfconfig.npars), pdfconfig.par_map, names)
        places: list[int] = []
        scales: list[float] = []
        first = 0
        for parameter in self.parsets:
            if parameter.pdf_type == self.density:
                places += range(first, first + parameter.n_parameters)
                scales += self._scales_of(parameter)
            first += parameter.n_parameters
        self.data_indices = list(range(first))
        self.par_indices = list(range(pdfconfig.npars))
        slices = [pdfconfig.par_map[name]["slice"] for name in names]
        pars = np.array([i for here in slices for i in range(here.start, here.stop)], dtype=int)
        batches = np.arange(batch_size or 1)[:, None]
        self._access = batches * pdfconfig.npars + pars if batch_size is not None else pars
        self._data = np.array(places, dtype=int)
        self._scales = np.array(scales, dtype=float)

    @staticmethod
    @abstractmethod
    def _scales_of(parameter: Any) -> list[float]:
        """Width or factor of each component."""

    @abstractmethod
    def _pdf(self, pars: Any, scales: Any) -> Any:
        """The distributions of the auxiliary data."""

    def has_pdf(self) -> bool:
        """Whether any parameter has such a constraint."""
        return bool(self._access.size)

    @property
    def access_field(self) -> Any:
        """Their parameters' places in the flattened parameter vectors; shape (batch_size or 1, constrained)."""
        return self._if_any(np.atleast_2d(self._access), "int")

    def _if_any(self, values: np.ndarray, dtype: str = "float") -> Any:
        """Numbers of the terms as a tensor of the current backend.

        Raises:
            AttributeError: There are no terms; callers find out by ``getattr`` or ``hasattr``.
        """
        if not self.has_pdf():
            raise AttributeError(f"The model has no {self.density} constraints.")
        return current_backend().astensor(values, dtype=dtype)

    def make_pdf(self, pars: Any) -> Independent | None:
        """The distribution of their auxiliary data; None where there are none."""
        if not self.has_pdf():
            return None
        tensorlib = backend_for(pars)
        picked = tensorlib.gather(tensorlib.reshape(pars, (-1,)), tensorlib.astensor(self._access, dtype="int"))
        scales = np.broadcast_to(self._scales, self._access.shape)
        return Independent(self._pdf(picked, tensorlib.astensor(scales)), batch_size=self.batch_size)

    def logpdf(self, auxdata: Any, pars: Any) -> Any:
        """Log density of their part of the auxiliary data; shape () or (batch_size,)."""
        pdf = self.make_pdf(pars)
        if pdf is None:
            tensorlib = current_backend()
            return tensorlib.astensor(0.0) if self.batch_size is None else tensorlib.zeros((self.batch_size,))
        return pdf.log_prob(take(backend_for(auxdata), auxdata, self._data))


class gaussian_constraint_combined(_Combined):
    """The Gaussian constraint terms of a model; widths are one where a parameter has no ``sigmas``."""

    density = "normal"

    @property
    def sigmas(self) -> Any:
        """Widths; shape (constrained,), or (batch_size, constrained)."""
        return self._if_any(np.broadcast_to(self._scales, self._access.shape))

    @property
    def normal_data(self) -> Any:
        """Places of their auxiliary data among all; shape (constrained,)."""
        return self._if_any(self._data, "int")

    @staticmethod
    def _scales_of(parameter: Any) -> list[float]:
        return list(getattr(parameter, "sigmas", [1.0] * parameter.n_parameters))

    def _pdf(self, pars: Any, scales: Any) -> Any:
        return Normal(pars, scales)


class poisson_constraint_combined(_Combined):
    """The Poisson constraint terms of a model: counts with mean parameter × factor."""

    density = "poisson"

    @property
    def batched_factors(self) -> Any:
        """Factors; shape (batch_size or 1, constrained)."""
        return self._if_any(np.broadcast_to(self._scales, np.atleast_2d(self._access).shape))

    @property
    def poisson_data(self) -> Any:
        """Places of their auxiliary data among all; shape (constrained,)."""
        return self._if_any(self._data, "int")

    @staticmethod
    def _scales_of(parameter: Any) -> list[float]:
        return list(parameter.factors)

    def _pdf(self, pars: Any, scales: Any) -> Any:
        return Poisson(pars * scales)
