"""The optimizer that uses Minuit (iminuit)."""

from __future__ import annotations

from typing import Any

import iminuit
from scipy.optimize import OptimizeResult

from pyhf_func.exceptions import Unsupported
from pyhf_func.pyhf.optimize.arrays import to_numpy
from pyhf_func.pyhf.optimize.mixins import OptimizerMixin


class minuit_optimizer(OptimizerMixin):
    """Minuit's MIGRAD, followed by HESSE for uncertainties and correlations.

    Attributes:
        errordef: How much the objective rises at one standard deviation: 1 for -2 log L, 0.5 for -log L.
        steps: Kept for existing scripts; MIGRAD finds its own steps.
        strategy: 0, 1 or 2: fast to careful; None for 0 with gradients and 1 without.
        tolerance: Minuit's tolerance on the estimated distance to the minimum.

    Example:
        >>> import pyhf_func as pyhf
        >>> pyhf.optimize.minuit_optimizer(tolerance=0.01).tolerance
        0.01
    """

    __module__ = "pyhf_func.optimize"
    __slots__ = ["errordef", "name", "steps", "strategy", "tolerance"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Set options.

        Args:
            args: None.
            kwargs: ``maxiter`` (100000; its older name is ``ncall``), ``verbose`` (0), ``errordef`` (1), ``steps``
                (1000), ``strategy`` (None) and ``tolerance`` (0.1).

        Raises:
            Unsupported: There is no such option.
        """
        self.name = "minuit"
        self.errordef = kwargs.pop("errordef", 1)
        self.steps = kwargs.pop("steps", 1000)
        self.strategy = kwargs.pop("strategy", None)
        self.tolerance = kwargs.pop("tolerance", 0.1)
        if "ncall" in kwargs:
            kwargs.setdefault("maxiter", kwargs.pop("ncall"))
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
        """A `iminuit.Minuit` of the objective, with names, limits and fixed parameters."""
        start = to_numpy(list(init_pars)).tolist()
        fixed = [False] * len(start)
        for index, value in fixed_vals or []:
            fixed[index] = True
            start[index] = float(to_numpy(value))
        function, gradient = objective_and_grad, None
        if do_grad:

            def function(pars: Any) -> Any:
                return objective_and_grad(pars)[0]

            def gradient(pars: Any) -> Any:
                return objective_and_grad(pars)[1]

        minuit = iminuit.Minuit(function, start, grad=gradient, name=par_names)
        minuit.limits = init_bounds
        minuit.fixed = fixed
        minuit.print_level = self.verbose
        minuit.errordef = self.errordef
        return minuit

    def _minimize(
        self,
        minimizer: Any,
        func: Any,
        x0: Any,
        do_grad: bool = False,
        bounds: Any = None,
        fixed_vals: Any = None,
        options: dict[str, Any] | None = None,
    ) -> OptimizeResult:
        """Minimise.

        Args:
            minimizer: The `iminuit.Minuit`.
            func: A function of the parameters (the minimizer has it).
            x0: Start values (the minimizer has them).
            do_grad: Whether there are gradients.
            bounds: Bounds (the minimizer has them).
            fixed_vals: Fixed parameters (the minimizer has them).
            options: ``maxiter``, ``strategy`` and ``tolerance``.

        Returns:
            SciPy's kind of result, with the `iminuit.Minuit` in ``minuit``, uncertainties in ``unc`` and correlations
            in ``corr``.

        Raises:
            Unsupported: There is no such option.
        """
        options = dict(options or {})
        maxiter = options.pop("maxiter", self.maxiter)
        strategy = options.pop("strategy", self.strategy)
        tolerance = options.pop("tolerance", self.tolerance)
        if options:
            raise Unsupported(f"{type(self).__name__} has no options {list(options)}.")
        minimizer.strategy = int(not do_grad) if strategy is None else strategy
        minimizer.tol = tolerance
        minimizer.migrad(ncall=maxiter)

        covariance = correlations = uncertainties = None
        message = "Optimization terminated successfully."
        if minimizer.valid:
            minimizer.hesse()
            covariance, uncertainties = minimizer.covariance, minimizer.errors
            correlations = None if covariance is None else covariance.correlation()
        else:
            message = "Optimization failed."
            if minimizer.fmin.has_reached_call_limit:
                message += " Call limit was reached."
            if minimizer.fmin.is_above_max_edm:
                message += " Estimated distance to minimum too large."
        return OptimizeResult(
            x=minimizer.values,
            unc=uncertainties,
            corr=correlations,
            success=minimizer.valid,
            fun=minimizer.fval,
            hess_inv=covariance,
            message=message,
            nfev=minimizer.nfcn,
            njev=minimizer.ngrad,
            minuit=minimizer,
        )
