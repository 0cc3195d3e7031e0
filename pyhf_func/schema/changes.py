"""The parts of a document that differ from one that is known to follow the schema: the rest need not be read again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

__all__ = ["identities", "unknown_part"]


def identities(spec: Mapping[str, Any]) -> frozenset[int]:
    """Identities of the samples of a model spec, and of its list of parameters: to be used as long as it is kept."""
    samples = (id(sample) for channel in spec["channels"] for sample in channel["samples"])
    return frozenset([*samples, id(spec["parameters"])])


def unknown_part(spec: Any, known: Collection[int]) -> Any:
    """A model spec without the samples and parameters of which the identities are known.

    It follows the schema where, and only where, the whole spec does: the schema asks nothing of several samples. What
    has another shape than a spec is left as it is.
    """
    if not known or not isinstance(spec, Mapping) or not isinstance(spec.get("channels"), list):
        return spec
    parameters: dict[str, Any] = {"parameters": []} if id(spec.get("parameters")) in known else {}
    return {**spec, "channels": list(_channels(spec["channels"], known)), **parameters}


def _channels(channels: list[Any], known: Collection[int]) -> Iterator[Any]:
    for channel in channels:
        samples = channel.get("samples") if isinstance(channel, dict) else None
        if not isinstance(samples, list) or not samples:
            yield channel
        else:
            yield {**channel, "samples": [sample for sample in samples if id(sample) not in known] or samples[:1]}
