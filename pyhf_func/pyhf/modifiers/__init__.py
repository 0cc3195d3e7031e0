"""The modifier types of HistFactory: what each requires of its parameter, and what it does to the yields.

``histfactory_set`` maps each type to its builder and its applier; a set with more of them defines types of one's own
(``Model(..., modifier_set=...)``).
"""

from __future__ import annotations

from typing import Any

from pyhf_func.pyhf.modifiers import histosys, lumi, normfactor, normsys, shapefactor, shapesys, staterror
from pyhf_func.pyhf.modifiers.histosys import histosys_builder, histosys_combined
from pyhf_func.pyhf.modifiers.lumi import lumi_builder, lumi_combined
from pyhf_func.pyhf.modifiers.normfactor import normfactor_builder, normfactor_combined
from pyhf_func.pyhf.modifiers.normsys import normsys_builder, normsys_combined
from pyhf_func.pyhf.modifiers.registration import add_to_registry, modifier, registry, validate_modifier_structure
from pyhf_func.pyhf.modifiers.shapefactor import shapefactor_builder, shapefactor_combined
from pyhf_func.pyhf.modifiers.shapesys import shapesys_builder, shapesys_combined
from pyhf_func.pyhf.modifiers.staterror import staterror_builder, staterror_combined

__all__ = [
    "add_to_registry",
    "histfactory_set",
    "histosys",
    "histosys_builder",
    "histosys_combined",
    "lumi",
    "lumi_builder",
    "lumi_combined",
    "modifier",
    "normfactor",
    "normfactor_builder",
    "normfactor_combined",
    "normsys",
    "normsys_builder",
    "normsys_combined",
    "registry",
    "shapefactor",
    "shapefactor_builder",
    "shapefactor_combined",
    "shapesys",
    "shapesys_builder",
    "shapesys_combined",
    "staterror",
    "staterror_builder",
    "staterror_combined",
    "validate_modifier_structure",
]

histfactory_set: dict[str, tuple[Any, Any]] = {
    "histosys": (histosys_builder, histosys_combined),
    "lumi": (lumi_builder, lumi_combined),
    "normfactor": (normfactor_builder, normfactor_combined),
    "normsys": (normsys_builder, normsys_combined),
    "shapefactor": (shapefactor_builder, shapefactor_combined),
    "shapesys": (shapesys_builder, shapesys_combined),
    "staterror": (staterror_builder, staterror_combined),
}
"""Builder and applier of each modifier type of HistFactory."""

combined: dict[str, Any] = {kind: applier for kind, (_, applier) in histfactory_set.items()}
"""The applier of each modifier type."""

uncombined: dict[str, Any] = {
    module.__name__.rpartition(".")[2]: module
    for module in (histosys, lumi, normfactor, normsys, shapefactor, shapesys, staterror)
}
"""The module of each modifier type, with its ``required_parset``."""

_DENSITIES = {"histosys": "normal", "lumi": "normal", "normsys": "normal", "shapesys": "poisson", "staterror": "normal"}

for _kind, _module in uncombined.items():
    add_to_registry(
        type(_kind, (), {"required_parset": staticmethod(_module.required_parset)}),
        constrained=_kind in _DENSITIES,
        pdf_type=_DENSITIES.get(_kind, "normal"),
        op_code=combined[_kind].op_code,
    )


def __dir__() -> list[str]:
    return __all__
