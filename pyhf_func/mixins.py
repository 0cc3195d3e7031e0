"""Properties of a document that follow from its list of channels."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

log = logging.getLogger(__name__)  # programs written for pyhf set its level

__all__ = ["_ChannelSummaryMixin"]


def __dir__() -> list[str]:
    return __all__


class _ChannelSummaryMixin:
    """Summaries of channels, for workspaces and model configurations.

    Args:
        channels: The channels, as in ``model.json``. Everything else goes to the next class.

    Example:
        >>> channels = [{"name": "SR", "samples": [{"name": "signal", "data": [5.0, 3.0], "modifiers": [
        ...     {"name": "mu", "type": "normfactor", "data": None}]}]}]
        >>> summary = _ChannelSummaryMixin(channels=channels)
        >>> summary.channels, summary.samples, summary.modifiers, summary.channel_slices
        (['SR'], ['signal'], [('mu', 'normfactor')], {'SR': slice(0, 2, None)})
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        channels: Sequence[Mapping[str, Any]] = kwargs.pop("channels")
        super().__init__(*args, **kwargs)
        samples = [sample for channel in channels for sample in channel["samples"]]
        modifiers = [modifier for sample in samples for modifier in sample["modifiers"]]
        n_bins = {channel["name"]: len(channel["samples"][0]["data"]) for channel in channels}
        self._channels = sorted(n_bins)
        self._samples = sorted({sample["name"] for sample in samples})
        self._modifiers = sorted({(modifier["name"], modifier["type"]) for modifier in modifiers})
        self._channel_nbins = {name: n_bins[name] for name in self._channels}
        ends = accumulate(self._channel_nbins.values())
        self._channel_slices = {
            name: slice(end - n, end) for (name, n), end in zip(self._channel_nbins.items(), ends, strict=True)
        }

    @property
    def channels(self) -> list[str]:
        """Channel names, sorted."""
        return self._channels

    @property
    def samples(self) -> list[str]:
        """Sample names of all channels, sorted."""
        return self._samples

    @property
    def modifiers(self) -> list[tuple[str, str]]:
        """(name, type) of all modifiers, sorted."""
        return self._modifiers

    @property
    def channel_nbins(self) -> dict[str, int]:
        """Number of bins of each channel, in sorted order."""
        return self._channel_nbins

    @property
    def channel_slices(self) -> dict[str, slice]:
        """Where each channel's bins lie in the main data."""
        return self._channel_slices
