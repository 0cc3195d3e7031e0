"""An independent uncertainty of each bin: a factor with a Poisson constraint."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pyhf_func.core.modifiers import shapesys
from pyhf_func.pyhf.modifiers.applying import ScalingByBin
from pyhf_func.pyhf.modifiers.building import Builder, requirement

log = logging.getLogger("pyhf_func.modifiers.shapesys")  # programs written for pyhf set its level

__all__ = ["required_parset", "shapesys_builder", "shapesys_combined"]


def required_parset(sample_data: Sequence[float], modifier_data: Sequence[float]) -> dict[str, Any]:
    """Counts of (yield / uncertainty)² for each bin; a bin without yield or uncertainty is fixed.

    Example:
        >>> required_parset([50.0, 60.0], [5.0, 0.0])["factors"]
        (100.0, 1.0)
    """
    return requirement(shapesys.parameter("", sample_data, modifier_data))


class shapesys_builder(Builder):
    """Collects shapesys modifiers."""

    is_shared = False
    sized = ("uncrt",)

    def collect(self, thismod: Mapping[str, Any] | None, nom: Sequence[float]) -> dict[str, Any]:
        """Where it acts, and the uncertainty of each bin."""
        uncertainties = thismod["data"] if thismod else [0.0] * len(nom)
        return {"mask": [bool(thismod)] * len(nom), "nom_data": nom, "uncrt": uncertainties}

    def required(self, thismod: Mapping[str, Any], nom: Sequence[float]) -> dict[str, Any] | None:
        """See `required_parset`."""
        return required_parset(nom, thismod["data"]) if len(thismod["data"]) == len(nom) else None


class shapesys_combined(ScalingByBin):
    """Applies shapesys modifiers."""

    name = "shapesys"
