"""The luminosity: a factor on all samples that carry it, with a Gaussian constraint."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pyhf_func.pyhf.modifiers.applying import Scaling
from pyhf_func.pyhf.modifiers.building import Builder

log = logging.getLogger("pyhf_func.modifiers.lumi")  # programs written for pyhf set its level

__all__ = ["lumi_builder", "lumi_combined", "required_parset"]


def required_parset(sample_data: Sequence[float], modifier_data: Any) -> dict[str, Any]:
    """One parameter with a Gaussian constraint; its values come from the measurement."""
    return {
        "paramset_type": "constrained_by_normal",
        "n_parameters": 1,
        "is_scalar": True,
        "inits": None,
        "bounds": None,
        "fixed": False,
        "auxdata": None,
        "sigmas": None,
    }


class lumi_builder(Builder):
    """Collects lumi modifiers."""

    def collect(self, thismod: Mapping[str, Any] | None, nom: Sequence[float]) -> dict[str, Any]:
        """Where it acts."""
        return {"mask": [bool(thismod)] * len(nom)}

    def required(self, thismod: Mapping[str, Any], nom: Sequence[float]) -> dict[str, Any]:
        """See `required_parset`."""
        return required_parset(nom, thismod["data"])


class lumi_combined(Scaling):
    """Applies lumi modifiers."""

    name = "lumi"
