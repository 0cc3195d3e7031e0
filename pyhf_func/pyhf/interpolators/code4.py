"""Polynomial interpolation, exponential extrapolation."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array

from pyhf_func.pyhf.interpolators._sets import Interpolator, OneByOne
from pyhf_func.pyhf.tensor.dispatch import evaluate

log = logging.getLogger("pyhf_func.interpolators.code4")  # programs written for pyhf set its level

__all__ = ["code4"]


class code4(Interpolator):
    """Polynomial interpolation, exponential extrapolation. Gives a factor.

    For ``|alpha| >= alpha0`` the factor is that of code1; inside, the polynomial of sixth order that meets it there in
    value, slope and curvature.

    Args:
        histogramssets: As for the other codes.
        subscribe: As for the other codes.
        alpha0: Where the polynomial ends; positive.

    Example:
        >>> code4([[[[0.5], [1.0], [3.0]]]], subscribe=False)([[-1.0, 0.0, 2.0]]).round(10).tolist()
        [[[[0.5], [1.0], [9.0]]]]
    """

    code: ClassVar[str] = "code4"

    def __init__(self, histogramssets: Any, subscribe: bool = True, alpha0: float = 1) -> None:
        self.alpha0 = alpha0
        super().__init__(histogramssets, subscribe=subscribe)

    def _precompute(self) -> None:
        """The code for ``alpha0`` is that for one, with alpha in units of ``alpha0``."""
        self._prepared = self._histogramssets
        if self.alpha0 != 1:
            self._prepared = evaluate(_in_units_of, self._histogramssets, self.alpha0)

    def _scaled(self, alphasets: Any) -> Any:
        return alphasets if self.alpha0 == 1 else alphasets / self.alpha0


class _slow_code4(OneByOne):
    fast: ClassVar[type[Interpolator]] = code4


def _in_units_of(histograms: Any, alpha0: Any) -> Array:
    """Histograms whose variations are those at ``alpha = -alpha0`` and ``+alpha0``."""
    histograms = jnp.asarray(histograms, float)
    nominal = histograms[:, :, 1:2]
    return nominal * (histograms / nominal) ** alpha0
