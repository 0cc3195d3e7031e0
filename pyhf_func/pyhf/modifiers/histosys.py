"""A systematic uncertainty of the shape: a shift between two variations of the histogram."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pyhf_func.core.parameters import unit_normal
from pyhf_func.pyhf.modifiers.applying import Interpolating
from pyhf_func.pyhf.modifiers.building import Builder, requirement

log = logging.getLogger("pyhf_func.modifiers.histosys")  # programs written for pyhf set its level

__all__ = ["histosys_builder", "histosys_combined", "required_parset"]


def required_parset(sample_data: Sequence[float], modifier_data: Any) -> dict[str, Any]:
    """One parameter with a Gaussian constraint of width one around zero."""
    return requirement(unit_normal(""))


class histosys_builder(Builder):
    """Collects histosys modifiers."""

    sized = ("lo_data", "hi_data")

    def collect(self, thismod: Mapping[str, Any] | None, nom: Sequence[float]) -> dict[str, Any]:
        """Where it acts, and its yields at -1, 0 and +1."""
        yields = thismod["data"] if thismod else {"lo_data": nom, "hi_data": nom}
        return {
            "lo_data": yields["lo_data"],
            "hi_data": yields["hi_data"],
            "mask": [bool(thismod)] * len(nom),
            "nom_data": nom,
        }

    def required(self, thismod: Mapping[str, Any], nom: Sequence[float]) -> dict[str, Any]:
        """See `required_parset`."""
        return required_parset(nom, thismod["data"])


class histosys_combined(Interpolating):
    """Applies histosys modifiers."""

    name = "histosys"
    op_code = "addition"
    fields = ("lo_data", "nom_data", "hi_data")
    codes = ("code0", "code2", "code4p")
    neutral = 0.0

    def __init__(
        self,
        modifiers: Sequence[tuple[str, str]],
        pdfconfig: Any,
        builder_data: Mapping[str, Any],
        interpcode: str = "code0",
        batch_size: int | None = None,
    ) -> None:
        super().__init__(modifiers, pdfconfig, builder_data, interpcode, batch_size)
