"""From how a backend evaluates a function of parameters to its ``wrap_objective``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyhf_func.exceptions import Unsupported
from pyhf_func.pyhf.tensor.manager import get_backend

Evaluate = Callable[[Callable[[Any], Any], Any, bool], Any]
"""The value, or with True value and gradient, of a function at parameters: floats, and a NumPy array."""


def wrapping(evaluate: Evaluate) -> Callable[..., Callable[[Any], Any]]:
    """The ``wrap_objective`` of a backend."""

    def wrap_objective(
        objective: Callable[..., Any],
        data: Any,
        pdf: Any,
        stitch_pars: Callable[..., Any],
        do_grad: bool = False,
        jit_pieces: dict[str, Any] | None = None,
    ) -> Callable[[Any], Any]:
        """The objective as a function of the parameters that a minimiser sees; with ``do_grad`` value and gradient.

        Raises:
            Unsupported: ``do_grad`` in a backend without gradients.
        """
        tensorlib, _ = get_backend()
        if do_grad:
            require_gradients(tensorlib)

        def whole(pars: Any) -> Any:
            return objective(stitch_pars(pars), data, pdf)

        return lambda pars: evaluate(whole, tensorlib.astensor(pars), do_grad)

    wrap_objective.__module__ = evaluate.__module__
    return wrap_objective


def require_gradients(tensorlib: Any) -> None:
    """Refuse a backend without gradients.

    Raises:
        Unsupported: It is NumPy's.
    """
    if tensorlib.name == "numpy":
        raise Unsupported("NumPy has no gradients: do_grad=True needs another backend, such as jax.")
