"""Where a model comes from: what results say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyhf_func.schema.writing import digest


@dataclass(frozen=True)
class Built:
    """The workspace and the measurement that a model was built from, with the patches applied."""

    workspace: Mapping[str, Any]
    spec: Mapping[str, Any]
    """``{"channels": ..., "parameters": ...}``, patched."""
    place: int
    """of the measurement in the workspace."""

    @classmethod
    def whole(cls, workspace: Mapping[str, Any], place: int) -> Built:
        """The same without patches."""
        parameters = workspace["measurements"][place]["config"]["parameters"]
        return cls(workspace, {"channels": workspace["channels"], "parameters": parameters}, place)

    @property
    def measurement(self) -> str:
        """Name of the measurement."""
        return str(self.workspace["measurements"][self.place]["name"])

    @property
    def document(self) -> dict[str, Any]:
        """The workspace, patched."""
        measurements = [*self.workspace["measurements"]]
        one = measurements[self.place]
        measurements[self.place] = {**one, "config": {**one["config"], "parameters": self.spec["parameters"]}}
        return {**self.workspace, "channels": self.spec["channels"], "measurements": measurements}

    @cached_property
    def digest(self) -> str:
        """Of the patched workspace: what ``pyhf-func digest`` says of it."""
        return f"sha256:{digest(self.document)}"
