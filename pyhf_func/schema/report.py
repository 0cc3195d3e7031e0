"""Collect what is wrong with a model spec, and where it stands in the document that the user gave."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from typing import Any

from pyhf_func.exceptions import (
    Fault,
    InvalidModel,
    PyhfFuncError,
    WorkspaceWarning,
    json_path,
    raise_faults,
)
from pyhf_func.schema.frozen import FrozenDict
from pyhf_func.schema.wording import Steps, named

__all__ = ["ModelSpec", "Origin", "Report"]


@dataclass(frozen=True)
class Origin:
    """Where a model spec comes from.

    Attributes:
        document: The document that paths refer to; None for the model spec itself.
        parameters: Path of the parameter configurations in it.
        poi: Path of the name of the parameter of interest in it.
        source: File of the document, where known.
        doubts: What else is dubious about the document.
        faults: What else is wrong with it; it is told where the model is refused anyway.
    """

    document: Any = None
    parameters: Steps = ("parameters",)
    poi: Steps = ()
    source: str | None = None
    doubts: tuple[Fault, ...] = ()
    faults: tuple[Fault, ...] = ()


class ModelSpec(FrozenDict):
    """A model spec that knows the document it comes from."""

    origin: Origin

    def __init__(self, spec: dict[str, Any], origin: Origin) -> None:
        super().__init__(spec)
        self.origin = origin

    def __reduce__(self) -> Any:
        return ModelSpec, (dict(self), self.origin)


class Report:
    """The faults and doubts found so far in one spec."""

    def __init__(self, spec: Any) -> None:
        self.origin = spec.origin if isinstance(spec, ModelSpec) else Origin()
        self.document = spec if self.origin.document is None else self.origin.document
        self.faults: list[Fault] = []
        self.doubts: list[Fault] = list(self.origin.doubts)

    def fault(self, steps: Steps, message: str, exception: type[PyhfFuncError] = InvalidModel) -> None:
        """Note something that has no defined meaning."""
        self.faults.append(self._make(steps, message, exception))

    def doubt(self, steps: Steps, message: str) -> None:
        """Note something that gives finite numbers and may not be meant."""
        self.doubts.append(self._make(steps, message, InvalidModel))

    def finish(self, *, strict: bool) -> None:
        """Raise all faults at once, and where ``strict`` the doubts with them; else warn once of all doubts."""
        refused = [*self.faults, *(self.doubts if strict else ())]
        if refused:
            raise_faults([*refused, *self.origin.faults])
        elif self.doubts:
            warnings.warn(WorkspaceWarning(self.doubts), stacklevel=_levels_to_caller())

    def _make(self, steps: Steps, message: str, exception: type[PyhfFuncError]) -> Fault:
        if steps[:1] == ("parameters",):
            steps = (*self.origin.parameters, *steps[1:])
        names = named(self.document, steps)
        return Fault(json_path(steps), f"{names}: {message}" if names else message, exception, self.origin.source)


def _levels_to_caller() -> int:
    """Stack levels from the function that warns to the code that called the library."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("pyhf_func."):
        level, frame = level + 1, frame.f_back
    return level
