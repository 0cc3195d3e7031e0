"""Random likelihoods of any size, the same for the same seed: shared nuisance parameters, and one for each bin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np


class Size(NamedTuple):
    """What a large model is made of: the parameter of interest, shared nuisance parameters, and one for each bin.

    Every background of a channel is shifted by ``shapes`` of the shared ones and scaled by ``rates`` of the others.
    """

    channels: int
    bins: int  # of a channel
    backgrounds: int
    shared: int
    shapes: int
    rates: int

    @property
    def n_pars(self) -> int:
        """Number of parameters."""
        return 1 + self.shared + self.channels * self.bins

    @property
    def n_shapes(self) -> int:
        """Number of histosys terms: numbers for up and down, each."""
        return self.channels * self.bins * self.backgrounds * self.shapes


def workspace(size: Size, seed: int = 0) -> dict[str, Any]:
    """A workspace of that size, with observed events that fluctuate around the nominal yields."""
    rng = np.random.default_rng(seed)
    channels, observations = [], []
    for number in range(size.channels):
        name = f"channel{number:03}"
        samples, total = _samples(size, name, rng)
        channels.append({"name": name, "samples": samples})
        observations.append({"name": name, "data": rng.poisson(total).astype(float).tolist()})
    config = {"poi": "mu", "parameters": []}
    return {
        "version": "1.0.0",
        "channels": channels,
        "observations": observations,
        "measurements": [{"name": "measurement", "config": config}],
    }


def _samples(size: Size, channel: str, rng: np.random.Generator) -> tuple[list[dict[str, Any]], np.ndarray]:
    """The samples of a channel, and their sum."""
    place = np.linspace(0.0, 1.0, size.bins)
    signal = 3.0 * np.exp(-(((place - rng.uniform()) / 0.2) ** 2)) * rng.uniform(0.1, 1.0)
    total = signal.copy()
    mu = {"name": "mu", "type": "normfactor", "data": None}
    samples = [{"name": "signal", "data": signal.tolist(), "modifiers": [mu]}]
    for number in range(size.backgrounds):
        nominal = rng.uniform(20.0, 200.0) / size.backgrounds * np.exp(-place * rng.uniform(0.0, 2.0))
        total += nominal
        error = nominal * rng.uniform(0.02, 0.1, size.bins)
        gammas = {"name": f"gamma_{channel}", "type": "staterror", "data": error.tolist()}
        chosen = rng.permutation(size.shared)[: size.shapes + size.rates]
        modifiers = [gammas, *_shapes(chosen[: size.shapes], nominal, rng), *_rates(chosen[size.shapes :], rng)]
        samples.append({"name": f"background{number}", "data": nominal.tolist(), "modifiers": modifiers})
    return samples, total


def _shapes(chosen: np.ndarray, nominal: np.ndarray, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    place = np.linspace(0.0, 1.0, nominal.size)
    for number in chosen.tolist():
        up = 0.03 * np.sin(3.0 * place + rng.uniform(0.0, 6.3)) * rng.uniform(0.3, 1.0)
        down = -rng.uniform(0.8, 1.2) * up
        data = {"hi_data": (nominal * (1 + up)).tolist(), "lo_data": (nominal * (1 + down)).tolist()}
        yield {"name": f"shared{number:04}", "type": "histosys", "data": data}


def _rates(chosen: np.ndarray, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for number in chosen.tolist():
        data = {"hi": 1.0 + rng.uniform(0.01, 0.05), "lo": 1.0 - rng.uniform(0.01, 0.05)}
        yield {"name": f"shared{number:04}", "type": "normsys", "data": data}
