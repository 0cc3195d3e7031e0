"""Our own optimizer: the compiled engine."""

from __future__ import annotations

import time
from typing import Any

import jax
from scipy.optimize import OptimizeResult

from pyhf_func.core.fit import Newton, Status
from pyhf_func.exceptions import Unsupported
from pyhf_func.pyhf.optimize.engine import Objective
from pyhf_func.pyhf.optimize.mixins import EngineResult, OptimizerMixin, log
from pyhf_func.pyhf.optimize.opt_scipy import scipy_optimizer

_ENGINE_ITERATIONS = Newton().iterations
_ONLY_SCIPY = {"method", "solver_options"}


class newton_optimizer(OptimizerMixin):
    """The engine's Newton method with exact Hessians: the default optimizer.

    It minimises `pyhf_func.infer.mle.twice_nll` of HistFactory models, compiled once for all models of one
    structure, and its results can be differentiated. Any other objective, and the options ``method`` and
    ``solver_options``, which only SciPy has, go to `scipy_optimizer`.

    Attributes:
        maxiter: The most iterations; None for the default of the method.
        verbose: Greater than 0: log how each fit ended.
        tolerance: A fit that ended early counts as converged where its estimated distance to the minimum, in units
            of the objective, is smaller than this; None for the engine's own criterion alone.

    Example:
        >>> import pyhf_func as pyhf
        >>> with pyhf.set_backend("numpy", pyhf.optimize.newton_optimizer(maxiter=50)):
        ...     pyhf.optimizer.name, pyhf.optimizer.maxiter
        ('newton', 50)
    """

    __module__ = "pyhf_func.optimize"
    __slots__ = ["name", "tolerance"]

    def __init__(self, **kwargs: Any) -> None:
        """Set options.

        Args:
            kwargs: ``maxiter`` (None), ``verbose`` (0) and ``tolerance`` (None).

        Raises:
            Unsupported: There is no such option.
        """
        self.name = "newton"
        self.tolerance = kwargs.pop("tolerance", None)
        super().__init__(**{"maxiter": None, **kwargs})

    def _get_minimizer(
        self,
        objective_and_grad: Any,
        init_pars: Any,
        init_bounds: Any,
        fixed_vals: Any = None,
        do_grad: bool = False,
        par_names: Any = None,
    ) -> Any:
        return Newton

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
        options = dict(options or {})
        if not isinstance(func, Objective) or _ONLY_SCIPY & set(options):
            return self._by_scipy(func, x0, do_grad, bounds, fixed_vals, options)
        maxiter = options.pop("maxiter", self.maxiter)
        verbose = options.pop("verbose", self.verbose)
        tolerance = options.pop("tolerance", self.tolerance)
        if options:
            raise Unsupported(f"newton_optimizer has no options {list(options)}.")
        start = time.perf_counter()
        fit = func.minimum(minimizer(iterations=_ENGINE_ITERATIONS if maxiter is None else maxiter))
        result = EngineResult(x=fit.pars, fun=fit.twice_nll, nit=fit.iterations, edm=fit.edm, fit=fit)
        _judge(result, tolerance)
        if verbose:
            log.info("%s %s iterations, %.3f s.", result.message, result.nit, time.perf_counter() - start)
        return result

    def _by_scipy(
        self, func: Any, x0: Any, do_grad: bool, bounds: Any, fixed_vals: Any, options: dict[str, Any]
    ) -> OptimizeResult:
        maxiter = 100000 if self.maxiter is None else self.maxiter
        scipy = scipy_optimizer(maxiter=maxiter, verbose=self.verbose, tolerance=self.tolerance)
        minimizer = scipy._get_minimizer(func, x0, bounds, fixed_vals=fixed_vals, do_grad=do_grad)
        return scipy._minimize(
            minimizer, func, x0, do_grad=do_grad, bounds=bounds, fixed_vals=fixed_vals, options=options
        )


def _judge(result: OptimizeResult, tolerance: float | None) -> None:
    """Success and message; inside a transformed function there is nothing to be judged yet."""
    if isinstance(result.fit.status, jax.core.Tracer):
        result.success, result.status, result.message = True, result.fit.status, "The fit is being traced."
        return
    status = Status(int(result.fit.status))
    result.status, result.message = int(status), status.sentence
    close = tolerance is not None and status == Status.ITERATION_LIMIT and float(result.edm) < tolerance
    result.success = status == Status.CONVERGED or close
