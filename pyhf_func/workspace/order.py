"""A document in its standard order."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from pyhf_func.schema.frozen import thaw

__all__ = ["ordered"]


def ordered(workspace: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the document with all lists of named objects sorted; see :meth:`Workspace.sorted`."""
    spec: dict[str, Any] = thaw(workspace)
    by_name = itemgetter("name")
    for key in ("channels", "measurements", "observations"):
        spec.get(key, []).sort(key=by_name)
    for channel in spec["channels"]:
        channel["samples"].sort(key=by_name)
        for sample in channel["samples"]:
            sample["modifiers"].sort(key=itemgetter("name", "type"))
    for measurement in spec.get("measurements", ()):
        measurement["config"]["parameters"].sort(key=by_name)
    return spec
