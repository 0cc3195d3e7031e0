"""The statistical uncertainty of the simulation in each bin: one Gaussian factor on all samples that carry it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyhf_func.pyhf.modifiers.applying import ScalingByBin
from pyhf_func.pyhf.modifiers.building import Builder

log = logging.getLogger("pyhf_func.modifiers.staterror")  # programs written for pyhf set its level

__all__ = ["required_parset", "staterror_builder", "staterror_combined"]


def required_parset(sigmas: Sequence[float], fixed: Sequence[bool]) -> dict[str, Any]:
    """A parameter around one with a Gaussian constraint of each component."""
    n_parameters = len(sigmas)
    return {
        "paramset_type": "constrained_by_normal",
        "n_parameters": n_parameters,
        "is_scalar": False,
        "inits": (1.0,) * n_parameters,
        "bounds": ((1e-10, 10.0),) * n_parameters,
        "fixed": tuple(fixed),
        "auxdata": (1.0,) * n_parameters,
        "sigmas": tuple(sigmas),
    }


class staterror_builder(Builder):
    """Collects staterror modifiers."""

    sized = ("uncrt",)

    def collect(self, thismod: Mapping[str, Any] | None, nom: Sequence[float]) -> dict[str, Any]:
        """Where it acts, and the uncertainty of each bin."""
        uncertainties = thismod["data"] if thismod else [0.0] * len(nom)
        return {"mask": [bool(thismod)] * len(nom), "nom_data": nom, "uncrt": uncertainties}

    def required(self, thismod: Mapping[str, Any], nom: Sequence[float]) -> None:
        """Known only when all samples are."""

    def finalize(self) -> dict[str, dict[str, Any]]:
        """Everything collected; widths are relative to the summed yield of the samples that carry the modifier."""
        super().finalize()
        for key, samples in self.builder_data.items():
            here = [content["data"] for content in samples.values() if content["data"]["mask"].any()]
            total = sum(fields["nom_data"] for fields in here)
            squares = sum(np.square(fields["uncrt"]) for fields in here)
            relative = np.where(total > 0, np.sqrt(squares) / np.where(total > 0, total, 1.0), 0.0)
            sigmas = relative[here[0]["mask"]]
            fixed = (sigmas == 0).tolist()
            name = key.partition("/")[2]
            self.required_parsets.setdefault(name, [required_parset(np.where(fixed, 1.0, sigmas).tolist(), fixed)])
        return self.builder_data


class staterror_combined(ScalingByBin):
    """Applies staterror modifiers."""

    name = "staterror"
