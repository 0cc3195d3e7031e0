"""Minimisers by name."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from pyhf_func._lookup import shown, unknown
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
        InvalidOptimizer: There is no minimiser of that name, or the package that it needs can't be imported.
        TypeError: It is neither a name nor a minimiser.
    """
    if isinstance(minimiser, Newton):  # known without a look at its methods, which takes longer
        return minimiser
    if isinstance(minimiser, str):
        if minimiser not in _BY_NAME:
            raise InvalidOptimizer(f"minimiser: {unknown('minimiser', minimiser, _BY_NAME, 'pyhf_func')}")
        return chosen_minimiser(_BY_NAME[minimiser]())
    if isinstance(minimiser, type):
        raise TypeError(f"minimiser is the class {minimiser.__name__}; give one with options: {minimiser.__name__}().")
    if not (callable(minimiser) or isinstance(minimiser, HostMinimiser)) or not isinstance(minimiser, Hashable):
        raise TypeError(f"minimiser is {shown(minimiser)}; give a name or a minimiser, such as pyhf_func.Newton().")
    if isinstance(minimiser, Minuit):
        minimiser.require()
    return minimiser
