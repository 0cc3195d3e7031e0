"""The optimizer that uses SciPy."""

from __future__ import annotations

from typing import Any

import scipy.optimize

from pyhf_func.exceptions import Unsupported
from pyhf_func.pyhf.optimize.arrays import to_numpy
from pyhf_func.pyhf.optimize.mixins import OptimizerMixin


class scipy_optimizer(OptimizerMixin):
    """`scipy.optimize.minimize`, by default with SLSQP; fixed parameters are equality constraints.

    Attributes:
        tolerance: SciPy's ``tol``; None for the method's default.
        solver_options: More entries of SciPy's ``options``.

    Example:
        >>> import pyhf_func as pyhf
        >>> pyhf.optimize.scipy_optimizer(solver_options={"ftol": 1e-10}).solver_options
        {'ftol': 1e-10}
    """

    __module__ = "pyhf_func.optimize"
    __slots__ = ["name", "solver_options", "tolerance"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Set options.

        Args:
            args: None.
            kwargs: ``maxiter`` (100000), ``verbose`` (0), ``tolerance`` (None) and ``solver_options`` ({}).

        Raises:
            Unsupported: There is no such option.
        """
        self.name = "scipy"
        self.tolerance = kwargs.pop("tolerance", None)
        self.solver_options = kwargs.pop("solver_options", {})
        super().__init__(*args, **kwargs)

    def _get_minimizer(
        self,
        objective_and_grad: Any,
        init_pars: Any,
        init_bounds: Any,
        fixed_vals: Any = None,
        do_grad: bool = False,
        par_names: Any = None,
    ) -> Any:
        return scipy.optimize.minimize

    def _minimize(
        self,
        minimizer: Any,
        func: Any,
        x0: Any,
        do_grad: bool = False,
        bounds: Any = None,
        fixed_vals: Any = None,
        options: dict[str, Any] | None = None,
    ) -> scipy.optimize.OptimizeResult:
        """Minimise.

        Args:
            minimizer: `scipy.optimize.minimize`.
            func: A function of the parameters; with ``do_grad`` it gives value and gradient.
            x0: Start values.
            do_grad: Whether there are gradients; SciPy takes differences otherwise.
            bounds: (lower, upper) of each parameter.
            fixed_vals: Pairs of index and value of the parameters that stay fixed.
            options: ``maxiter``, ``verbose``, ``tolerance``, ``solver_options``, and ``method`` ("SLSQP").

        Raises:
            Unsupported: There is no such option.
        """
        options = dict(options or {})
        maxiter = options.pop("maxiter", self.maxiter)
        verbose = options.pop("verbose", self.verbose)
        method = options.pop("method", "SLSQP")
        tolerance = options.pop("tolerance", self.tolerance)
        solver_options = options.pop("solver_options", self.solver_options)
        if options:
            raise Unsupported(f"{type(self).__name__} has no options {list(options)}.")

        start = to_numpy(list(x0))
        constraints = []
        if fixed_vals:
            indices = [index for index, _ in fixed_vals]
            values = to_numpy([value for _, value in fixed_vals])
            start[indices] = values
            constraints = [{"type": "eq", "fun": lambda pars: pars[indices] - values}]
        return minimizer(
            func,
            start.tolist(),
            method=method,
            jac=do_grad,
            bounds=bounds,
            constraints=constraints,
            tol=tolerance,
            options={"maxiter": maxiter, "disp": bool(verbose), **solver_options},
        )
