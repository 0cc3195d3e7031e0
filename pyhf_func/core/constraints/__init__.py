"""Densities of auxiliary measurements, one object each: the engine loops over them."""

from __future__ import annotations

from pyhf_func.core.constraints.base import Density as Density
from pyhf_func.core.constraints.normal import Bifurcated, Normal
from pyhf_func.core.constraints.poisson import Poisson
from pyhf_func.core.constraints.positive import Gamma, LogNormal

NORMAL, POISSON = Normal(), Poisson()
"""Those of pyhf's format, whose numbers have arrays of their own in every model."""

OTHERS: tuple[Density, ...] = (
    LogNormal(),
    Gamma(),
    Bifurcated(),
)
"""Those of the model language; a model holds what it has measurements of."""

DENSITIES: dict[str, Density] = {density.name: density for density in (NORMAL, POISSON, *OTHERS)}
"""Every density by its name."""

NAMES: dict[str, str] = {density.word: density.name for density in DENSITIES.values()}
"""The name of each density by the model language's word."""
