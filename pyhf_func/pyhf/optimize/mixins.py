"""The method `minimize` that all optimizers share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.optimize import OptimizeResult

from pyhf_func.exceptions import FailedMinimization, Unsupported
from pyhf_func.pyhf.optimize.arrays import kind
from pyhf_func.pyhf.optimize.common import shim
from pyhf_func.pyhf.optimize.engine import Objective
from pyhf_func.pyhf.tensor.dispatch import backend_for
from pyhf_func.pyhf.tensor.manager import get_backend

log = logging.getLogger("pyhf_func.optimize.mixins")


class OptimizerMixin:
    """Base of the optimizers; a subclass says how to minimise a function of the parameters.

    Attributes:
        maxiter: The most iterations.
        verbose: How much is printed while minimising; 0 for nothing.
    """

    __slots__ = ["maxiter", "verbose"]

    def __init__(self, **kwargs: Any) -> None:
        """Set options.

        Args:
            kwargs: ``maxiter`` (100000) and ``verbose`` (0).

        Raises:
            Unsupported: There is no such option.
        """
        self.maxiter = kwargs.pop("maxiter", 100000)
        self.verbose = kwargs.pop("verbose", 0)
        if kwargs:
            raise Unsupported(f"{type(self).__name__} has no options {list(kwargs)}.")

    def minimize(
        self,
        objective: Callable[..., Any],
        data: Any,
        pdf: Any,
        init_pars: Any,
        par_bounds: Any,
        fixed_vals: Sequence[tuple[int, Any]] | None = None,
        return_fitted_val: bool = False,
        return_result_obj: bool = False,
        return_uncertainties: bool = False,
        return_correlations: bool = False,
        do_grad: bool | None = None,
        do_stitch: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Find the parameters that minimise an objective inside bounds.

        Args:
            objective: A function of (pars, data, pdf), such as `pyhf_func.infer.mle.twice_nll`.
            data: Observed data.
            pdf: The model; its ``config`` names the parameters.
            init_pars: Start values; shape (npars,).
            par_bounds: (lower, upper) of each parameter; shape (npars, 2).
            fixed_vals: Pairs of index and value of the parameters that stay fixed.
            return_fitted_val: Also return the objective at the minimum, shape ().
            return_result_obj: Also return the minimiser's `scipy.optimize.OptimizeResult`.
            return_uncertainties: Return (values, uncertainties) as the columns of one tensor, shape (npars, 2); a
                fixed parameter has the uncertainty 0.
            return_correlations: Also return the correlation matrix, shape (npars, npars); 0 in the rows and columns
                of fixed parameters.
            do_grad: Whether minimisers on the host use gradients; by default where the backend has them.
            do_stitch: Whether fixed parameters are hidden from minimisers on the host.
            kwargs: Options of the minimiser.

        Returns:
            The parameters, shape (npars,), or a tuple: parameters, correlations, objective, result, as asked for.

        Raises:
            FailedMinimization: The minimiser did not converge; its result is in the attribute ``result``.
            Unsupported: An option that the minimiser does not have, gradients in a backend without, or uncertainties
                of a minimiser that has none for this objective.
        """
        tensorlib, _ = get_backend()
        do_grad = tensorlib.default_do_grad if do_grad is None else do_grad
        minimizer_kwargs, stitch_pars = shim(
            objective, data, pdf, init_pars, par_bounds, fixed_vals, do_grad=do_grad, do_stitch=do_stitch
        )
        par_names = getattr(pdf.config, "par_names", None)
        if par_names and do_stitch and fixed_vals:
            fixed = {index for index, _ in fixed_vals}
            par_names = [name for index, name in enumerate(par_names) if index not in fixed]

        result = self._internal_minimize(**minimizer_kwargs, options=kwargs, par_names=par_names)
        func = minimizer_kwargs.get("func")
        if return_uncertainties or return_correlations:
            self._add_uncertainties(result, func)
        result = self._internal_postprocess(result, stitch_pars, return_uncertainties=return_uncertainties)
        if tensorlib.name != "jax" and kind(data, init_pars, fixed_vals, pdf) == "jax":
            for field in ("x", "fun", "unc", "corr"):
                result[field] = None if result.get(field) is None else jnp.asarray(result[field])

        returned = [result.x]
        if return_correlations:
            returned.append(result.corr)
        if return_fitted_val:
            returned.append(result.fun)
        if return_result_obj:
            returned.append(result)
        return tuple(returned) if len(returned) > 1 else returned[0]

    def unconstrained_bestfit(
        self, objective: Callable[..., Any], data: Any, pdf: Any, init_pars: Any, par_bounds: Any
    ) -> Any:
        """The parameters that minimise an objective, shape (npars,); those that the model fixes stay fixed.

        Raises:
            FailedMinimization: The minimiser did not converge.
        """
        return self.minimize(objective, data, pdf, init_pars, par_bounds, _fixed_by_model(pdf, init_pars))

    def constrained_bestfit(
        self,
        objective: Callable[..., Any],
        constrained_mu: Any,
        data: Any,
        pdf: Any,
        init_pars: Any,
        par_bounds: Any,
    ) -> Any:
        """The same with the parameter of interest fixed.

        Raises:
            FailedMinimization: The minimiser did not converge.
        """
        poi = pdf.config.poi_index
        others = [(index, value) for index, value in _fixed_by_model(pdf, init_pars) if index != poi]
        fixed_vals = [(poi, constrained_mu), *others]
        return self.minimize(objective, data, pdf, init_pars, par_bounds, fixed_vals)

    def _get_minimizer(
        self,
        objective_and_grad: Any,
        init_pars: Any,
        init_bounds: Any,
        fixed_vals: Any = None,
        do_grad: bool = False,
        par_names: Any = None,
    ) -> Any:
        """The minimiser; a subclass has one."""
        raise Unsupported(f"{type(self).__name__} has no minimiser: use one of pyhf_func.optimize.")

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
        """Run the minimiser."""
        raise Unsupported(f"{type(self).__name__} has no minimiser: use one of pyhf_func.optimize.")

    def _internal_minimize(
        self,
        func: Any,
        x0: Any,
        do_grad: bool = False,
        bounds: Any = None,
        fixed_vals: Any = None,
        options: dict[str, Any] | None = None,
        par_names: Any = None,
    ) -> OptimizeResult:
        minimizer = self._get_minimizer(func, x0, bounds, fixed_vals=fixed_vals, do_grad=do_grad, par_names=par_names)
        result = self._minimize(
            minimizer, func, x0, do_grad=do_grad, bounds=bounds, fixed_vals=fixed_vals, options=dict(options or {})
        )
        if not result.success:
            log.error("The minimisation failed: %s\n%s", result.message, result)
            raise FailedMinimization(result)
        return result

    def _add_uncertainties(self, result: OptimizeResult, func: Any) -> None:
        """From the exact Hessian of -2 log L, where the minimiser has none."""
        if result.get("unc") is not None:
            return
        if not isinstance(func, Objective):
            raise Unsupported(
                f"{type(self).__name__} has no uncertainties and correlations for an objective that is not the "
                "twice_nll of a HistFactory model: use the minuit optimizer."
            )
        pars = result.x if isinstance(result, EngineResult) else func.whole(np.asarray(result.x))
        result.unc, result.corr = func.uncertainties(pars)

    def _internal_postprocess(
        self, fitresult: OptimizeResult, stitch_pars: Callable[..., Any], return_uncertainties: bool = False
    ) -> OptimizeResult:
        """Results as tensors, for all parameters."""
        tensorlib, _ = get_backend()
        for field in ("unc", "corr"):
            fitresult.setdefault(field, None)
        if not isinstance(fitresult, EngineResult):
            n_seen = len(fitresult.x)
            fitresult.x = stitch_pars(tensorlib.astensor(np.asarray(fitresult.x)))
            fitresult.fun = tensorlib.astensor(fitresult.fun)
            if "minuit" in fitresult and fitresult.unc is not None:
                fitresult.unc, fitresult.corr = _of_minuit(fitresult, stitch_pars, len(fitresult.x) - n_seen)
        if return_uncertainties and fitresult.unc is not None:
            fitresult.x = backend_for(fitresult.x).stack([fitresult.x, fitresult.unc], axis=1)
        return fitresult


def _fixed_by_model(pdf: Any, init_pars: Any) -> list[tuple[int, Any]]:
    return [(i, init_pars[i]) for i, fixed in enumerate(pdf.config.suggested_fixed()) if fixed]


class EngineResult(OptimizeResult):  # type: ignore[misc]
    """The result of a fit by the engine: tensors of the right kind, for all parameters."""


def _of_minuit(result: OptimizeResult, stitch_pars: Callable[..., Any], n_hidden: int) -> tuple[Any, Any]:
    """Minuit's uncertainties and correlations; 0 for fixed parameters, seen by Minuit or not."""
    tensorlib, _ = get_backend()
    zeros = tensorlib.zeros(n_hidden)

    def stitched(values: Any) -> Any:
        return stitch_pars(tensorlib.astensor(values), stitch_with=zeros)

    uncertainties = stitched(np.where(result.minuit.fixed, 0.0, result.unc))
    rows = [np.asarray(row) for row in np.asarray(result.corr)]
    columns = tensorlib.stack([stitched(row) for row in rows], axis=1)
    every = [stitched(column) for column in columns]
    return uncertainties, tensorlib.stack(every, axis=0)
