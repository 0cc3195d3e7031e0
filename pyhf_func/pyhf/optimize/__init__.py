"""Optimizers: minimise an objective of (pars, data, pdf) inside bounds.

`newton_optimizer` is the default: our own engine, in JAX. `scipy_optimizer` and `minuit_optimizer` run on the host.
`pytorch_optimizer` and `tflow_optimizer` are older names of the default.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pyhf_func.exceptions import ImportBackendError, needs

if TYPE_CHECKING:
    from pyhf_func.pyhf.optimize.opt_minuit import minuit_optimizer as minuit_optimizer
    from pyhf_func.pyhf.optimize.opt_newton import newton_optimizer as newton_optimizer
    from pyhf_func.pyhf.optimize.opt_scipy import scipy_optimizer as scipy_optimizer

_HOMES = {
    "newton_optimizer": "opt_newton",
    "scipy_optimizer": "opt_scipy",
    "minuit_optimizer": "opt_minuit",
    "pytorch_optimizer": "opt_pytorch",
    "tflow_optimizer": "opt_tflow",
}
_NEEDS = {
    "minuit_optimizer": ("iminuit", "minuit"),
    "pytorch_optimizer": ("torch", "torch"),
    "tflow_optimizer": ("tensorflow", "tensorflow"),
}
"""Packages that may be missing, and our extras that install them."""


class _OptimizerRetriever:
    """Loads an optimizer when it is first asked for.

    Raises:
        ImportBackendError: Its package is not installed.
    """

    def __getattr__(self, name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"there is no optimizer {name!r}; there are {', '.join(_HOMES)}")
        try:
            module = importlib.import_module(f"pyhf_func.optimize.{_HOMES[name]}")
        except ImportError as error:
            if name not in _NEEDS:
                raise
            raise ImportBackendError(needs(name, *_NEEDS[name], error)) from error
        setattr(self, name, getattr(module, name))
        return getattr(module, name)

    def __dir__(self) -> list[str]:
        return list(_HOMES)


OptimizerRetriever = _OptimizerRetriever()

__all__ = ["OptimizerRetriever", "minuit_optimizer", "newton_optimizer", "scipy_optimizer"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(OptimizerRetriever, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
