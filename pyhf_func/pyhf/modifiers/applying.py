"""Appliers: what all modifiers of one type do to the yields at given parameters, in any backend.

Their results have shape (modifiers, samples, batch, bins): shifts, or factors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from pyhf_func.exceptions import InvalidInterpCode
from pyhf_func.pyhf import interpolators
from pyhf_func.pyhf.parameters import ParamViewer
from pyhf_func.pyhf.tensor.dispatch import backend_for


class Applier:
    """Applies the modifiers of one type.

    Args:
        modifiers: (name, type) of each.
        pdfconfig: The model's configuration.
        builder_data: What the type's builder collected.
        batch_size: The number of parameter vectors; None for single vectors.
    """

    name: ClassVar[str]
    op_code: ClassVar[str]

    def __init__(
        self,
        modifiers: Sequence[tuple[str, str]],
        pdfconfig: Any,
        builder_data: Mapping[str, Any],
        batch_size: int | None = None,
    ) -> None:
        self.batch_size = batch_size
        self._names = [name for name, _ in modifiers]
        shape = (batch_size, pdfconfig.npars) if batch_size else (pdfconfig.npars,)
        self.param_viewer = ParamViewer(shape, pdfconfig.par_map, self._names)
        self._starts = np.array([pdfconfig.par_map[name]["slice"].start for name in self._names], dtype=int)
        self._n_pars = pdfconfig.npars
        samples = [[builder_data[f"{kind}/{name}"][s]["data"] for s in pdfconfig.samples] for name, kind in modifiers]
        self._mask = np.array([[fields["mask"] for fields in row] for row in samples], dtype=bool)

    def _pick(self, tensorlib: Any, pars: Any, index: np.ndarray) -> Any:
        """Parameters of each vector of the batch; shape (..., batch, ...) for an index of (..., 1, ...)."""
        return tensorlib.gather(tensorlib.reshape(pars, (-1,)), tensorlib.astensor(index, dtype="int"))

    def _batches(self) -> np.ndarray:
        """Where each vector of the batch starts, in the flattened batch; shape (batch,)."""
        return np.arange(self.batch_size or 1) * self._n_pars

    def _where_they_act(self, tensorlib: Any, effects: Any, otherwise: float) -> Any:
        """Effects where the modifiers act; elsewhere what changes nothing."""
        n_modifiers, n_samples, n_bins = self._mask.shape
        shape = (n_modifiers, n_samples, self.batch_size or 1, n_bins)
        mask = np.broadcast_to(self._mask[:, :, None, :], shape)
        none = np.full(shape, otherwise)
        return tensorlib.where(tensorlib.astensor(mask, dtype="bool"), effects, tensorlib.astensor(none))


class Scaling(Applier):
    """Modifiers that multiply a bin by a parameter."""

    op_code = "multiplication"

    def __init__(
        self,
        modifiers: Sequence[tuple[str, str]],
        pdfconfig: Any,
        builder_data: Mapping[str, Any],
        batch_size: int | None = None,
    ) -> None:
        super().__init__(modifiers, pdfconfig, builder_data, batch_size)
        offsets = [self._offsets(mask, pdfconfig) for mask in self._mask]
        self._index = self._starts[:, None] + np.array(offsets, dtype=int) if self._names else np.zeros((0, 0), int)

    @staticmethod
    def _offsets(mask: np.ndarray, pdfconfig: Any) -> np.ndarray:
        """Which component of the parameter scales each bin, from the mask (samples, bins)."""
        return np.zeros(mask.shape[-1], dtype=int)

    def apply(self, pars: Any) -> Any:
        """The factors; None without modifiers."""
        if not self._names:
            return None
        tensorlib = backend_for(pars)
        factors = self._pick(tensorlib, pars, self._index[:, None, :] + self._batches()[:, None])
        every = tensorlib.einsum("mab,s->msab", factors, tensorlib.ones((self._mask.shape[1],)))
        return self._where_they_act(tensorlib, every, 1.0)


class ScalingByBin(Scaling):
    """Modifiers with one component for each bin on which they act."""

    @staticmethod
    def _offsets(mask: np.ndarray, pdfconfig: Any) -> np.ndarray:
        acted_on = next((here for here in mask[::-1] if here.any()), mask[-1])
        return np.where(acted_on, np.cumsum(acted_on) - 1, 0)


class ScalingByBinOfChannel(Scaling):
    """Modifiers with one component for each bin of a channel; several channels share them."""

    @staticmethod
    def _offsets(mask: np.ndarray, pdfconfig: Any) -> np.ndarray:
        inside = [b for channel in pdfconfig.channels for b in range(pdfconfig.channel_nbins[channel])]
        return np.where(mask.any(axis=0), inside, 0)


class Interpolating(Applier):
    """Modifiers that interpolate between variations."""

    fields: ClassVar[tuple[str, str, str]]
    codes: ClassVar[tuple[str, ...]]
    neutral: ClassVar[float]

    def __init__(
        self,
        modifiers: Sequence[tuple[str, str]],
        pdfconfig: Any,
        builder_data: Mapping[str, Any],
        interpcode: str,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(modifiers, pdfconfig, builder_data, batch_size)
        if interpcode not in self.codes:
            raise InvalidInterpCode(f"{interpcode!r} is not a code for {self.name}: choose {', '.join(self.codes)}.")
        self.interpcode = interpcode
        histograms = [
            [[builder_data[f"{kind}/{name}"][s]["data"][field] for field in self.fields] for s in pdfconfig.samples]
            for name, kind in modifiers
        ]
        if self._names:
            self.interpolator = getattr(interpolators, interpcode)(histograms, subscribe=False)

    def apply(self, pars: Any) -> Any:
        """The shifts or factors; None without modifiers."""
        if not self._names:
            return None
        tensorlib = backend_for(pars)
        alphas = self._pick(tensorlib, pars, self._starts[:, None] + self._batches())
        return self._where_they_act(tensorlib, self.interpolator(alphas), self.neutral)
