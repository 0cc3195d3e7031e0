"""A free factor for each bin."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pyhf_func.core.parameters import free
from pyhf_func.pyhf.modifiers.applying import ScalingByBinOfChannel
from pyhf_func.pyhf.modifiers.building import Builder, requirement

log = logging.getLogger("pyhf_func.modifiers.shapefactor")  # programs written for pyhf set its level

__all__ = ["required_parset", "shapefactor_builder", "shapefactor_combined"]


def required_parset(sample_data: Sequence[float], modifier_data: Any) -> dict[str, Any]:
    """A free parameter with one component for each bin."""
    return requirement(free("", len(sample_data), is_scalar=False))


class shapefactor_builder(Builder):
    """Collects shapefactor modifiers."""

    def collect(self, thismod: Mapping[str, Any] | None, nom: Sequence[float]) -> dict[str, Any]:
        """Where it acts."""
        return {"mask": [bool(thismod)] * len(nom)}

    def required(self, thismod: Mapping[str, Any], nom: Sequence[float]) -> dict[str, Any]:
        """See `required_parset`."""
        return required_parset(nom, thismod["data"])


class shapefactor_combined(ScalingByBinOfChannel):
    """Applies shapefactor modifiers."""

    name = "shapefactor"
