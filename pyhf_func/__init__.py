"""HistFactory likelihoods as pure, batched, differentiable functions in JAX.

Importing the package enables JAX's 64 bit numbers, unless the environment variable JAX_ENABLE_X64 is set. JAX itself
is loaded when a name that needs it is first used.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from typing import TYPE_CHECKING, Any

from pyhf_func import _wings
from pyhf_func._version import __version__ as __version__

if TYPE_CHECKING:
    from pyhf_func import adapters as adapters
    from pyhf_func import cli as cli
    from pyhf_func import compat as compat
    from pyhf_func import contrib as contrib
    from pyhf_func import documents as documents
    from pyhf_func import exceptions as exceptions
    from pyhf_func import mixins as mixins
    from pyhf_func import patchset as patchset
    from pyhf_func import plot as plot
    from pyhf_func import readxml as readxml
    from pyhf_func import schema as schema
    from pyhf_func import typing as typing
    from pyhf_func import utils as utils
    from pyhf_func import workspace as workspace
    from pyhf_func import writexml as writexml
    from pyhf_func._dropin import as_pyhf as as_pyhf
    from pyhf_func.compiled import use_cache as use_cache
    from pyhf_func.core.fit import LBFGS as LBFGS
    from pyhf_func.core.fit import FirstOrder as FirstOrder
    from pyhf_func.core.fit import FitResult as FitResult
    from pyhf_func.core.fit import Minuit as Minuit
    from pyhf_func.core.fit import Newton as Newton
    from pyhf_func.core.fit import SciPy as SciPy
    from pyhf_func.core.fit import Status as Status
    from pyhf_func.core.inference import CovarianceResult as CovarianceResult
    from pyhf_func.core.inference import DiscoveryResult as DiscoveryResult
    from pyhf_func.core.inference import GoodnessResult as GoodnessResult
    from pyhf_func.core.inference import HypotestResult as HypotestResult
    from pyhf_func.core.inference import ImpactResult as ImpactResult
    from pyhf_func.core.inference import IntervalResult as IntervalResult
    from pyhf_func.core.inference import LimitResult as LimitResult
    from pyhf_func.core.inference import ProfileResult as ProfileResult
    from pyhf_func.core.inference import ScanResult as ScanResult
    from pyhf_func.core.inference import ToysResult as ToysResult
    from pyhf_func.core.inference import YieldBand as YieldBand
    from pyhf_func.core.inference import YieldsResult as YieldsResult
    from pyhf_func.core.inference import merge_toys as merge_toys
    from pyhf_func.documents import read as read
    from pyhf_func.documents.building import Channel as Channel
    from pyhf_func.documents.building import Free as Free
    from pyhf_func.documents.building import FreeShape as FreeShape
    from pyhf_func.documents.building import Histogram as Histogram
    from pyhf_func.documents.building import Lumi as Lumi
    from pyhf_func.documents.building import Norm as Norm
    from pyhf_func.documents.building import Sample as Sample
    from pyhf_func.documents.building import Stat as Stat
    from pyhf_func.documents.building import Uncorrelated as Uncorrelated
    from pyhf_func.documents.building import UpDown as UpDown
    from pyhf_func.documents.building import build as build
    from pyhf_func.documents.certifying import certify as certify
    from pyhf_func.documents.lint import lint as lint
    from pyhf_func.patchset import PatchSet as PatchSet
    from pyhf_func.pyhf import constraints as constraints
    from pyhf_func.pyhf import events as events
    from pyhf_func.pyhf import infer as infer
    from pyhf_func.pyhf import interpolators as interpolators
    from pyhf_func.pyhf import modifiers as modifiers
    from pyhf_func.pyhf import optimize as optimize
    from pyhf_func.pyhf import parameters as parameters
    from pyhf_func.pyhf import paramsets as paramsets
    from pyhf_func.pyhf import pdf as pdf
    from pyhf_func.pyhf import probability as probability
    from pyhf_func.pyhf import simplemodels as simplemodels
    from pyhf_func.pyhf import tensor as tensor
    from pyhf_func.pyhf.pdf import Model as Model
    from pyhf_func.pyhf.tensor.manager import get_backend as get_backend
    from pyhf_func.pyhf.tensor.manager import set_backend as set_backend
    from pyhf_func.results.hepdata import to_hepdata as to_hepdata
    from pyhf_func.results.rootfile import to_root as to_root
    from pyhf_func.saved_results import load as load
    from pyhf_func.verbs.covariance import covariance as covariance
    from pyhf_func.verbs.discovery import discovery as discovery
    from pyhf_func.verbs.fit import fit as fit
    from pyhf_func.verbs.goodness_of_fit import goodness_of_fit as goodness_of_fit
    from pyhf_func.verbs.grid import GridResult as GridResult
    from pyhf_func.verbs.grid import grid as grid
    from pyhf_func.verbs.group_impacts import GroupImpact as GroupImpact
    from pyhf_func.verbs.group_impacts import GroupImpacts as GroupImpacts
    from pyhf_func.verbs.group_impacts import group_impacts as group_impacts
    from pyhf_func.verbs.hypotest import hypotest as hypotest
    from pyhf_func.verbs.impacts import impacts as impacts
    from pyhf_func.verbs.intervals import intervals as intervals
    from pyhf_func.verbs.profile import profile as profile
    from pyhf_func.verbs.scan import scan as scan
    from pyhf_func.verbs.toys import toys as toys
    from pyhf_func.verbs.upper_limit import upper_limit as upper_limit
    from pyhf_func.verbs.yields import yields as yields
    from pyhf_func.workspace import Workspace as Workspace

    default_backend: Any
    default_optimizer: Any
    optimizer: Any
    tensorlib: Any

_VERBS = sorted(
    file.name for file in pkgutil.iter_modules([os.path.join(__path__[0], "verbs")]) if not file.name.startswith("_")
)
"""Each lies in the file of its name."""
_HOMES = {
    **{name: f"verbs.{name}" for name in _VERBS},
    "Channel": "documents.building",
    "CovarianceResult": "core.inference",
    "DiscoveryResult": "core.inference",
    "FirstOrder": "core.fit",
    "FitResult": "core.fit",
    "Free": "documents.building",
    "FreeShape": "documents.building",
    "GoodnessResult": "core.inference",
    "GridResult": "verbs.grid",
    "GroupImpact": "verbs.group_impacts",
    "GroupImpacts": "verbs.group_impacts",
    "Histogram": "documents.building",
    "HypotestResult": "core.inference",
    "ImpactResult": "core.inference",
    "IntervalResult": "core.inference",
    "LBFGS": "core.fit",
    "LimitResult": "core.inference",
    "Lumi": "documents.building",
    "Minuit": "core.fit",
    "Model": "pyhf.pdf",
    "Newton": "core.fit",
    "Norm": "documents.building",
    "PatchSet": "patchset",
    "ProfileResult": "core.inference",
    "Sample": "documents.building",
    "ScanResult": "core.inference",
    "SciPy": "core.fit",
    "Stat": "documents.building",
    "Status": "core.fit",
    "ToysResult": "core.inference",
    "Uncorrelated": "documents.building",
    "UpDown": "documents.building",
    "Workspace": "workspace",
    "YieldBand": "core.inference",
    "YieldsResult": "core.inference",
    "build": "documents.building",
    "certify": "documents.certifying",
    "get_backend": "pyhf.tensor.manager",
    "lint": "documents.lint",
    "load": "saved_results",
    "merge_toys": "core.inference",
    "read": "documents",
    "set_backend": "pyhf.tensor.manager",
    "to_hepdata": "results.hepdata",
    "to_root": "results.rootfile",
    "use_cache": "compiled",
}
_MODULES = (
    "adapters",
    "as_pyhf",
    "cli",
    "compat",
    "constraints",
    "contrib",
    "documents",
    "events",
    "exceptions",
    "infer",
    "interpolators",
    "mixins",
    "modifiers",
    "optimize",
    "parameters",
    "paramsets",
    "patchset",
    "pdf",
    "plot",
    "probability",
    "pyhf",
    "readxml",
    "schema",
    "simplemodels",
    "tensor",
    "typing",
    "utils",
    "workspace",
    "writexml",
)
_CURRENT = {
    "default_backend": (True, 0),
    "default_optimizer": (True, 1),
    "optimizer": (False, 1),
    "tensorlib": (False, 0),
}
"""Names that depend on the backend's setting: whether of the default one, and the place in ``get_backend``."""

__all__ = ["__version__", *_HOMES, *_MODULES, *_CURRENT]


def __getattr__(name: str) -> Any:
    if name in _CURRENT:
        manager = importlib.import_module("pyhf_func.pyhf.tensor.manager")
        default, place = _CURRENT[name]
        return manager.backend(default) if place == 0 else manager.get_backend(default)[1]
    if name in _HOMES:
        value = getattr(importlib.import_module(f"pyhf_func.{_HOMES[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"pyhf_func.{name}")
    else:
        raise AttributeError(f"module 'pyhf_func' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _enable_64_bit() -> None:
    if "JAX_ENABLE_X64" in os.environ:
        return
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_enable_x64", True)
    else:
        os.environ["JAX_ENABLE_X64"] = "1"


_enable_64_bit()
_wings.install()
__path__ = [*__path__, os.path.join(__path__[0], "pyhf")]  # for those that list the modules below
