"""Modifier types, one object each: the compiler, the semantic check and the model language loop over them."""

from __future__ import annotations

from pyhf_func.core.modifiers.base import ModifierType as ModifierType
from pyhf_func.core.modifiers.base import Uncertainties
from pyhf_func.core.modifiers.base import Use as Use
from pyhf_func.core.modifiers.factors import Lumi, ShapeFactor
from pyhf_func.core.modifiers.factors import NormFactor as NormFactor
from pyhf_func.core.modifiers.histosys import HistoSys
from pyhf_func.core.modifiers.normsys import NormSys
from pyhf_func.core.modifiers.shapesys import ShapeSys
from pyhf_func.core.modifiers.staterror import StatError

TYPES: tuple[ModifierType, ...] = (
    HistoSys(),
    Lumi(),
    NormFactor(),
    NormSys(),
    ShapeFactor(),
    ShapeSys(),
    StatError(),
)
"""Every type, in the order of their parameters in a model."""

MODIFIERS: dict[str, ModifierType] = {each.name: each for each in TYPES}
"""Every type by its name in documents."""

MEASURED_BY_BIN = frozenset(each.name for each in TYPES if isinstance(each, Uncertainties))
"""Those with a factor of each bin that is measured to a width, which follows from the yields."""
