"""Twice the negative log-likelihood of our own models as an objective: what the compiled engine minimises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func.core.arrays import floats
from pyhf_func.core.fit import FitResult, Newton, Problem, compiled_fit
from pyhf_func.core.fit.cholesky import inverse
from pyhf_func.core.inference.covariance import hessian
from pyhf_func.core.likelihood import Likelihood, logpdf
from pyhf_func.core.memory import enough
from pyhf_func.exceptions import InvalidPdfData
from pyhf_func.pyhf.optimize.arrays import bounds_array, call, numbers, to_numpy

_Function = TypeVar("_Function", bound=Callable[..., Any])


def is_twice_nll(function: _Function) -> _Function:
    """Mark an objective of (pars, data, pdf) as -2 log L: the engine knows its derivatives."""
    function.is_twice_nll = True  # type: ignore[attr-defined]
    return function


def engine_model(pdf: Any) -> bool:
    """Whether the engine has the whole likelihood of a model: none of its parts is a user's own."""
    return isinstance(getattr(pdf, "likelihood", None), Likelihood)


def runs_in_engine(objective: Callable[..., Any], pdf: Any) -> bool:
    """Whether an objective is -2 log L of one of our models."""
    return getattr(objective, "is_twice_nll", False) and engine_model(pdf)


class Objective:
    """-2 log L as SciPy and Minuit call it, compiled; and the whole problem, as the engine wants it."""

    def __init__(
        self,
        data: Any,
        pdf: Any,
        init_pars: Any,
        par_bounds: Any,
        fixed_vals: Sequence[tuple[int, Any]],
        *,
        do_grad: bool,
        do_stitch: bool,
    ) -> None:
        """The problem; arguments are those of `pyhf_func.optimize.common.shim`.

        Raises:
            InvalidPdfData: ``data`` does not have shape (nmaindata + nauxdata,).
        """
        self.data, self.pdf = numbers(data), pdf
        _check_length(self.data, pdf.likelihood)
        self.init, self.bounds = init_pars, par_bounds
        self.fixed_vals = fixed_vals
        self.do_grad = do_grad
        self._stitched = bool(do_stitch and fixed_vals)
        self._host: tuple[Any, ...] | None = None

    def __call__(self, pars: Any) -> Any:
        """The value; with ``do_grad`` a pair of value and gradient."""
        if self._host is None:
            self._host = to_numpy(self.data), self.pdf.likelihood
        data, likelihood = self._host
        full = self.whole(to_numpy(pars))
        if not self.do_grad:
            return float(_value(likelihood, data, full))
        value, gradient = _value_and_gradient(likelihood, data, full)
        gradient = np.array(gradient)
        return float(value), gradient[self._free()] if self._stitched else gradient

    def whole(self, pars: np.ndarray) -> np.ndarray:
        """All parameters, from those that the minimiser sees."""
        if not self._stitched:
            return pars
        full = np.empty(self.pdf.likelihood.n_pars)
        full[self._free()] = pars
        for index, value in self.fixed_vals:
            full[index] = value
        return full

    @property
    def fixed(self) -> np.ndarray:
        """(pars,) bool: which parameters are fixed."""
        flags = np.zeros(self.pdf.likelihood.n_pars, bool)
        flags[[index for index, _ in self.fixed_vals]] = True
        return flags

    def _free(self) -> np.ndarray:
        return np.flatnonzero(~self.fixed)

    def minimum(self, minimiser: Newton) -> FitResult:
        """Minimise with the engine; the fields have the kind of arrays that the problem asks for."""
        init = list(self.init)
        for index, value in self.fixed_vals:
            init[index] = value
        fit = _engine_fit(minimiser)
        return call(fit, self.pdf, self.data, numbers(init), bounds_array(self.bounds), self.fixed)

    def uncertainties(self, pars: Any) -> tuple[Any, Any]:
        """Uncertainties (pars,) and correlations (pars, pars) from the exact Hessian; 0 for fixed parameters."""
        return call(_uncertainties, self.pdf, self.data, numbers(pars), self.fixed)


def _check_length(data: Any, model: Likelihood) -> None:
    shape = tuple(data.shape) if hasattr(data, "shape") else (len(data),)
    if shape != (model.n_bins + model.n_aux,):
        raise InvalidPdfData(
            f"data has shape {shape}; the model needs ({model.n_bins + model.n_aux},): {model.n_bins} bins, then "
            f"{model.n_aux} auxiliary data (Workspace.data(model) gives both; model.config.auxdata gives the latter)."
        )


@cache
def _engine_fit(minimiser: Newton) -> Callable[..., FitResult]:
    """One function for each minimiser, so that what is known of it is known again."""
    return partial(_fit, minimiser)


def _fit(minimiser: Newton, model: Any, data: Any, init: Any, bounds: Any, fixed: Any) -> FitResult:
    bounds = floats(bounds)
    problem = Problem(model.likelihood, floats(data), floats(init), bounds[:, 0], bounds[:, 1], fixed)
    with enough(model.likelihood):
        return compiled_fit(minimiser, problem)


@jax.jit
def _value(model: Likelihood, data: Array, pars: Array) -> Array:
    return -2 * logpdf(model, pars, data)


_value_and_gradient = jax.jit(jax.value_and_grad(_value, argnums=2))


def _uncertainties(model: Any, data: Any, pars: Any, fixed: Any) -> tuple[Array, Array]:
    return _compiled_uncertainties(model.likelihood, floats(data), floats(pars), fixed)


@jax.jit
def _compiled_uncertainties(model: Likelihood, data: Array, pars: Array, fixed: Array) -> tuple[Array, Array]:
    """From the inverse of the Hessian of -log L on the free parameters."""
    free = ~fixed[:, None] & ~fixed[None, :]
    problem = Problem(model, data, pars, model.space.lower, model.space.upper, fixed)
    matrix = jnp.where(free, hessian(problem, pars), jnp.eye(model.n_pars))
    scale = 1 / jnp.sqrt(jnp.abs(jnp.diagonal(matrix)))  # parameters of very different widths invert together
    inverted = inverse(matrix * scale[:, None] * scale[None, :])
    width = jnp.sqrt(jnp.diagonal(inverted))
    correlations = inverted / (width[:, None] * width[None, :])
    return jnp.where(fixed, 0.0, width * scale), jnp.where(free, correlations, 0.0)
