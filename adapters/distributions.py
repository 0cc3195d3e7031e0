"""Distributions that a backend makes: samples, log densities and expectations, written once for all frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyhf_func.adapters.contract import Tensor, TensorBackend, TensorLike

__all__ = ["Normal", "Poisson"]


def __dir__() -> list[str]:
    return __all__


@dataclass(frozen=True, eq=False)
class Poisson:
    """Independent Poisson distributions.

    Attributes:
        backend: The backend that made it.
        rate: Expected numbers of events.
    """

    backend: TensorBackend
    rate: Tensor

    @property
    def mean(self) -> Tensor:
        """The rates."""
        return self.rate

    @property
    def variance(self) -> Tensor:
        """The rates."""
        return self.rate

    def expected_data(self) -> Tensor:
        """The mean."""
        return self.rate

    def sample(self, sample_shape: int | Sequence[int] = ()) -> Tensor:
        """Random counts, as floats; shape ``sample_shape + rate.shape``."""
        return self.backend._draw_poisson(self.rate, _joined(sample_shape, self.rate))

    def log_prob(self, value: TensorLike) -> Tensor:
        """Log probability of counts, which broadcast against the rates."""
        return self.backend.poisson_logpdf(value, self.rate)


@dataclass(frozen=True, eq=False)
class Normal:
    """Independent normal distributions.

    Attributes:
        backend: The backend that made it.
        loc: Means.
        scale: Standard deviations.
    """

    backend: TensorBackend
    loc: Tensor
    scale: Tensor

    @property
    def mean(self) -> Tensor:
        """The means."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The squared standard deviations."""
        return self.scale * self.scale

    def expected_data(self) -> Tensor:
        """The mean."""
        return self.loc

    def sample(self, sample_shape: int | Sequence[int] = ()) -> Tensor:
        """Random values; shape ``sample_shape`` followed by the shape that means and deviations have in common."""
        loc, scale = self.backend.simple_broadcast(self.loc, self.scale)
        return self.backend._draw_normal(loc, scale, _joined(sample_shape, loc))

    def log_prob(self, value: TensorLike) -> Tensor:
        """Log density of values, which broadcast against the means."""
        return self.backend.normal_logpdf(value, self.loc, self.scale)


def _joined(sample_shape: int | Sequence[int], tensor: Any) -> tuple[int, ...]:
    front = (sample_shape,) if isinstance(sample_shape, int) else tuple(sample_shape)
    return (*map(int, front), *map(int, tensor.shape))
