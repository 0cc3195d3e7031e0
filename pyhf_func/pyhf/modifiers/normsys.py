"""A systematic uncertainty of the normalisation: a factor between two variations."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from pyhf_func.core.parameters import unit_normal
from pyhf_func.pyhf.modifiers.applying import Interpolating
from pyhf_func.pyhf.modifiers.building import Builder, requirement

log = logging.getLogger("pyhf_func.modifiers.normsys")  # programs written for pyhf set its level

__all__ = ["normsys_builder", "normsys_combined", "required_parset"]


def required_parset(sample_data: Sequence[float], modifier_data: Any) -> dict[str, Any]:
    """One parameter with a Gaussian constraint of width one around zero."""
    return requirement(unit_normal(""))


class normsys_builder(Builder):
    """Collects normsys modifiers."""

    def collect(self, thismod: Mapping[str, Any] | None, nom: Sequence[float]) -> dict[str, Any]:
        """Where it acts, and its factors at -1, 0 and +1, for each bin."""
        factors = thismod["data"] if thismod else {"lo": 1.0, "hi": 1.0}
        n_bins = len(nom)
        return {
            "lo": [factors["lo"]] * n_bins,
            "hi": [factors["hi"]] * n_bins,
            "mask": [bool(thismod)] * n_bins,
            "nom_data": [1.0] * n_bins,
        }

    def required(self, thismod: Mapping[str, Any], nom: Sequence[float]) -> dict[str, Any]:
        """See `required_parset`."""
        return required_parset(nom, thismod["data"])


class normsys_combined(Interpolating):
    """Applies normsys modifiers."""

    name = "normsys"
    op_code = "multiplication"
    fields = ("lo", "nom_data", "hi")
    codes = ("code1", "code4")
    neutral = 1.0

    def __init__(
        self,
        modifiers: Sequence[tuple[str, str]],
        pdfconfig: Any,
        builder_data: Mapping[str, Any],
        interpcode: str = "code1",
        batch_size: int | None = None,
    ) -> None:
        super().__init__(modifiers, pdfconfig, builder_data, interpcode, batch_size)
