"""The documented API: the names of pyhf, on this library's engine.

Every module here is also found directly below `pyhf_func`: ``pyhf_func.pyhf.infer`` is ``pyhf_func.infer``.
``import pyhf_func.pyhf as pyhf`` gives a program written for pyhf exactly the names that it knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyhf_func
from pyhf_func._version import __version__ as __version__

if TYPE_CHECKING:
    from pyhf_func import compat as compat
    from pyhf_func import default_backend as default_backend
    from pyhf_func import exceptions as exceptions
    from pyhf_func import optimizer as optimizer
    from pyhf_func import patchset as patchset
    from pyhf_func import schema as schema
    from pyhf_func import tensorlib as tensorlib
    from pyhf_func import utils as utils
    from pyhf_func import workspace as workspace
    from pyhf_func.patchset import PatchSet as PatchSet
    from pyhf_func.pyhf import infer as infer
    from pyhf_func.pyhf import interpolators as interpolators
    from pyhf_func.pyhf import modifiers as modifiers
    from pyhf_func.pyhf import parameters as parameters
    from pyhf_func.pyhf import pdf as pdf
    from pyhf_func.pyhf import probability as probability
    from pyhf_func.pyhf import simplemodels as simplemodels
    from pyhf_func.pyhf import tensor as tensor
    from pyhf_func.pyhf.pdf import Model as Model
    from pyhf_func.pyhf.tensor.manager import get_backend as get_backend
    from pyhf_func.pyhf.tensor.manager import set_backend as set_backend
    from pyhf_func.workspace import Workspace as Workspace

__all__ = [
    "Model",
    "PatchSet",
    "Workspace",
    "__version__",
    "compat",
    "default_backend",
    "exceptions",
    "get_backend",
    "infer",
    "interpolators",
    "modifiers",
    "optimizer",
    "parameters",
    "patchset",
    "pdf",
    "probability",
    "schema",
    "set_backend",
    "simplemodels",
    "tensor",
    "tensorlib",
    "utils",
    "workspace",
]


def __getattr__(name: str) -> Any:
    if name in pyhf_func.__all__ and not name.startswith("__"):
        return getattr(pyhf_func, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
