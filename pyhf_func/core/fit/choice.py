"""Minimisers by name."""

from __future__ import annotations

from collections.abc import Callable

from pyhf_func.core.fit.first_order import LBFGS
from pyhf_func.core.fit.host import HostMinimiser, Minuit, SciPy
from pyhf_func.core.fit.newton import Newton
from pyhf_func.core.fit.problem import Minimiser
from pyhf_func.exceptions import InvalidOptimizer

_BY_NAME: dict[str, Callable[[], Minimiser | HostMinimiser]] = {
    "newton": Newton,
    "lbfgs": LBFGS,
    "scipy": SciPy,
    "minuit": Minuit,
}


def chosen_minimiser(minimiser: Minimiser | HostMinimiser | str) -> Minimiser | HostMinimiser:
    """The minimiser of a name, with its default options; a minimiser itself as it is.

    Raises:
        InvalidOptimizer: There is no minimiser of that name.
    """
    if not isinstance(minimiser, str):
        return minimiser
    if minimiser not in _BY_NAME:
        raise InvalidOptimizer(f"{minimiser!r} is not a minimiser: choose one of {', '.join(_BY_NAME)}.")
    return _BY_NAME[minimiser]()
