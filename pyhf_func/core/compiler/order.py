"""Every ordering that the library decides, in one place. It is that of pyhf 0.7.6.

Channels, samples and modifiers are sorted by name. Parameters come by modifier type in the order of
`core.modifiers.TYPES`; within a type in the order in which a walk over sorted channels, samples and modifiers first
meets them, or sorted by name where the type says so. Auxiliary data follow their parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pyhf_func.core.modifiers import TYPES


class Row(NamedTuple):
    """One sample of one channel, with where it lies in the flat arrays."""

    number: int
    channel: str
    sample: str
    spec: Mapping[str, Any]
    modifiers: Sequence[Mapping[str, Any]]  # sorted by name, then type
    first_entry: int
    first_bin: int
    n_bins: int

    @property
    def entries(self) -> slice:
        """The row's entries."""
        return slice(self.first_entry, self.first_entry + self.n_bins)


class Order(NamedTuple):
    """The sorted names of a model spec and its rows in order."""

    channels: tuple[str, ...]
    samples: tuple[str, ...]
    modifiers: tuple[tuple[str, str], ...]  # (name, type)
    channel_nbins: Mapping[str, int]
    rows: tuple[Row, ...]

    @property
    def n_bins(self) -> int:
        """Number of bins of all channels."""
        return sum(self.channel_nbins.values())

    @property
    def n_entries(self) -> int:
        """Number of entries of all rows."""
        return sum(row.n_bins for row in self.rows)


def order_spec(spec: Mapping[str, Any]) -> Order:
    """Put a model spec in order."""
    channels = sorted(spec["channels"], key=lambda channel: channel["name"])
    nbins = {channel["name"]: len(channel["samples"][0]["data"]) for channel in channels}
    rows = tuple(_rows(channels, nbins))
    modifiers = {(modifier["name"], modifier["type"]) for row in rows for modifier in row.modifiers}
    return Order(
        channels=tuple(nbins),
        samples=tuple(sorted({row.sample for row in rows})),
        modifiers=tuple(sorted(modifiers)),
        channel_nbins=nbins,
        rows=rows,
    )


def _rows(channels: Sequence[Mapping[str, Any]], nbins: Mapping[str, int]) -> Iterator[Row]:
    index, first_entry, first_bin = 0, 0, 0
    for channel in channels:
        name = channel["name"]
        for sample in sorted(channel["samples"], key=lambda sample: sample["name"]):
            modifiers = sorted(sample["modifiers"], key=lambda modifier: (modifier["name"], modifier["type"]))
            yield Row(index, name, sample["name"], sample, modifiers, first_entry, first_bin, nbins[name])
            index += 1
            first_entry += nbins[name]
        first_bin += nbins[name]


def parameter_order(first_met: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Parameter names in order, from each modifier type's names in the order in which the walk met them."""
    names: dict[str, None] = {}
    for kind in TYPES:
        met = first_met.get(kind.name, ())
        names.update(dict.fromkeys(sorted(met) if kind.sorted_by_name else met))
    return tuple(names)
