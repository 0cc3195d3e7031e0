"""Interpolation of whole sets of histograms at once, with the engine's functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.likelihood.interpolation import ADDITIVE, MULTIPLICATIVE
from pyhf_func.pyhf import events
from pyhf_func.pyhf.tensor.dispatch import backend_for, evaluate, kind
from pyhf_func.pyhf.tensor.manager import current_backend

CODES: dict[str, Any] = {**ADDITIVE, **MULTIPLICATIVE}


@cache
def _compiled(code: str) -> Callable[[Any, Any], Array]:
    """The effect of alphas (sets, alphas) on histograms (sets, histograms, 3, bins)."""

    def interpolate(histograms: Any, alphas: Any) -> Array:
        lo, nominal, hi = jnp.moveaxis(jnp.asarray(histograms, float), 2, 0)[:, :, :, None, :]
        return CODES[code](lo, nominal, hi, jnp.asarray(alphas, float)[:, None, :, None])

    return jax.jit(interpolate)


class Interpolator:
    """One interpolation code on sets of histograms: what the codes of this room share.

    Args:
        histogramssets: Down, nominal and up variation of each histogram; shape (sets, histograms, 3, bins), where
            a set holds the histograms that one nuisance parameter affects. May be traced.
        subscribe: Prepare the histograms anew when the backend changes.
    """

    code: ClassVar[str]

    def __init__(self, histogramssets: Any, subscribe: bool = True) -> None:
        self._histogramssets = _histograms(histogramssets)
        self.alphasets_shape: tuple[int, ...] | None = (int(self._histogramssets.shape[0]), 1)
        self._precompute()
        if subscribe:
            events.subscribe("tensorlib_changed")(self._precompute)

    def _precompute(self) -> None:
        """The histograms that the code is evaluated on."""
        self._prepared = self._histogramssets

    def _precompute_alphasets(self, alphasets_shape: Sequence[int]) -> None:
        self.alphasets_shape = tuple(alphasets_shape)

    def _scaled(self, alphasets: Any) -> Any:
        return alphasets

    def __call__(self, alphasets: Any) -> Any:
        """The effect of ``alphasets`` (sets, alphas); shape (sets, histograms, alphas, bins).

        A shift of the yield for the additive codes, a factor for the multiplicative ones.
        """
        alphasets = np.asarray(alphasets, float) if isinstance(alphasets, list | tuple) else alphasets
        self._precompute_alphasets(alphasets.shape)
        return evaluate(_compiled(self.code), self._prepared, self._scaled(alphasets))


class OneByOne:
    """The same, one histogram and one alpha at a time."""

    fast: ClassVar[type[Interpolator]]

    def __init__(self, histogramssets: Any, subscribe: bool = True, **options: Any) -> None:
        self._histogramssets = histogramssets
        self._options = options

    def __call__(self, alphasets: Any) -> Any:
        """As the fast version."""
        tensorlib = backend_for(alphasets)
        alphas = alphasets if isinstance(alphasets, list) else tensorlib.tolist(alphasets)
        sets = zip(self._histogramssets, alphas, strict=True)
        return tensorlib.astensor(
            [[self._effects(histogram, row) for histogram in histograms] for histograms, row in sets]
        )

    def _effects(self, histogram: Any, alphas: Sequence[float]) -> list[Any]:
        one = self.fast([[histogram]], subscribe=False, **self._options)
        return [current_backend().tolist(one([[alpha]]))[0][0][0] for alpha in alphas]


def _histograms(values: Any) -> Any:
    """Plain numbers as one array; tensors and tracers as they come."""
    if kind(values) is None:
        return np.asarray(values, dtype=float)
    return values if hasattr(values, "shape") else backend_for(values).astensor(values)
