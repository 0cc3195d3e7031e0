"""Parameters as models see them: sets of components with suggestions and constraints, and views of their vector."""

from pyhf_func.pyhf.parameters.paramsets import constrained_by_normal as constrained_by_normal
from pyhf_func.pyhf.parameters.paramsets import constrained_by_poisson as constrained_by_poisson
from pyhf_func.pyhf.parameters.paramsets import paramset as paramset
from pyhf_func.pyhf.parameters.paramsets import unconstrained as unconstrained
from pyhf_func.pyhf.parameters.paramview import ParamViewer as ParamViewer
from pyhf_func.pyhf.parameters.utils import reduce_paramsets_requirements as reduce_paramsets_requirements

__all__ = [
    "ParamViewer",
    "constrained_by_normal",
    "constrained_by_poisson",
    "paramset",
    "reduce_paramsets_requirements",
    "unconstrained",
]


def __dir__() -> list[str]:
    return __all__
