"""The sets of parameters, at the place where they were before `pyhf_func.parameters`."""

from pyhf_func.pyhf.parameters import reduce_paramsets_requirements as reduce_paramsets_requirements
from pyhf_func.pyhf.parameters.paramsets import constrained_by_normal as constrained_by_normal
from pyhf_func.pyhf.parameters.paramsets import constrained_by_poisson as constrained_by_poisson
from pyhf_func.pyhf.parameters.paramsets import paramset as paramset
from pyhf_func.pyhf.parameters.paramsets import unconstrained as unconstrained

__all__ = [
    "constrained_by_normal",
    "constrained_by_poisson",
    "paramset",
    "reduce_paramsets_requirements",
    "unconstrained",
]
