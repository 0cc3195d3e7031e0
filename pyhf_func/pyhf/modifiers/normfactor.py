"""A factor that the data determine: a free normalisation."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pyhf_func.core.parameters import free
from pyhf_func.pyhf.modifiers.applying import Scaling
from pyhf_func.pyhf.modifiers.building import Builder, requirement

log = logging.getLogger("pyhf_func.modifiers.normfactor")  # programs written for pyhf set its level

__all__ = ["normfactor_builder", "normfactor_combined", "required_parset"]


def required_parset(sample_data: Sequence[float], modifier_data: Any) -> dict[str, Any]:
    """One free parameter."""
    return requirement(free("", 1, is_scalar=True))


class normfactor_builder(Builder):
    """Collects normfactor modifiers."""

    def collect(self, thismod: Mapping[str, Any] | None, nom: Sequence[float]) -> dict[str, Any]:
        """Where it acts."""
        return {"mask": [bool(thismod)] * len(nom)}

    def required(self, thismod: Mapping[str, Any], nom: Sequence[float]) -> dict[str, Any]:
        """See `required_parset`."""
        return required_parset(nom, thismod["data"])


class normfactor_combined(Scaling):
    """Applies normfactor modifiers."""

    name = "normfactor"
