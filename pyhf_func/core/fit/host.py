"""Minimisers that run on the host: SciPy and Minuit. They take exact gradients from JAX and give the same result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func._lookup import shown
from pyhf_func.core.arrays import count, positive
from pyhf_func.core.fit.judge import judge
from pyhf_func.core.fit.problem import Minimum, Problem
from pyhf_func.core.likelihood.expansion import expand
from pyhf_func.core.likelihood.objective import prepare
from pyhf_func.exceptions import InvalidOptimizer, needs


@runtime_checkable
class HostMinimiser(Protocol):
    """A minimiser that cannot be compiled."""

    def minimise_on_host(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood of a problem of plain arrays."""
        ...


@dataclass(frozen=True)
class SciPy:
    """`scipy.optimize.minimize` with bounds and exact gradients.

    Attributes:
        method: A method of SciPy that takes bounds and gradients, such as "L-BFGS-B", "SLSQP" or "trust-constr".
        iterations: The most iterations.
        tolerance: SciPy's ``tol``.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.simplemodels.uncorrelated_background([12.0], [50.0], [7.0])
        >>> found = pf.fit([60.0, *model.config.auxdata], model, minimiser=pf.SciPy("SLSQP"))
        >>> print(f"{found['mu']:.3f} {found.status}")
        0.833 CONVERGED
    """

    method: str = "L-BFGS-B"
    iterations: int = 10_000
    tolerance: float = 1e-12

    def __post_init__(self) -> None:
        """Check the options."""
        if not isinstance(self.method, str):
            raise TypeError(f"method is {shown(self.method)}; give the name of one of SciPy's.")
        count(self.iterations, "iterations")
        positive(self.tolerance, "tolerance")

    def minimise_on_host(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood."""
        from scipy.optimize import minimize

        free, pars, low, high = _plain(problem, "SciPy")
        scale = np.minimum(_widths(problem, pars)[free], high[free] - low[free])

        def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = _value_and_gradient(problem, _filled(pars, free, z * scale))
            return (value if np.isfinite(value) else 1e300), gradient[free] * scale

        if not free.any():
            return _judge(problem, pars, 0)
        found = minimize(
            objective,
            pars[free] / scale,
            jac=True,
            method=self.method,
            bounds=np.stack([low[free] / scale, high[free] / scale], axis=1),
            tol=self.tolerance,
            options={"maxiter": self.iterations},
        )
        best = np.clip(_filled(pars, free, found.x * scale), low, high)
        return _judge(problem, best, int(found.nit))


@dataclass(frozen=True)
class Minuit:
    """Minuit's MIGRAD (`iminuit`, in the extra ``minuit``) with exact gradients.

    Attributes:
        strategy: 0, 1 or 2: fast to careful.
        tolerance: Minuit's tolerance on the estimated distance to the minimum.
        calls: The most calls of the function; Minuit's choice by default.

    Example:
        >>> import pyhf_func as pf
        >>> pf.Minuit(strategy=2)  # minimiser="minuit" for the default options
        Minuit(strategy=2, tolerance=0.001, calls=None)
    """

    strategy: int = 1
    tolerance: float = 0.001
    calls: int | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        if count(self.strategy, "strategy", least=0) > 2:
            raise ValueError(f"strategy is {self.strategy}; it is 0, 1 or 2.")
        positive(self.tolerance, "tolerance")
        if self.calls is not None:
            count(self.calls, "calls")

    @staticmethod
    def require() -> Any:
        """The package iminuit.

        Raises:
            InvalidOptimizer: It can't be imported.
        """
        try:
            import iminuit
        except ImportError as error:
            raise InvalidOptimizer(needs("The minimiser 'minuit'", "iminuit", "minuit", error)) from error
        return iminuit

    def minimise_on_host(self, problem: Problem) -> Minimum:
        """Minimise the negative log-likelihood."""
        iminuit = self.require()
        free, pars, low, high = _plain(problem, "Minuit")
        if not free.any():
            return _judge(problem, pars, 0)
        minuit = iminuit.Minuit(
            lambda z: 2 * _value_and_gradient(problem, _filled(pars, free, z))[0],
            pars[free],
            grad=lambda z: 2 * _value_and_gradient(problem, _filled(pars, free, z))[1][free],
        )
        minuit.limits = list(zip(low[free], high[free], strict=True))
        minuit.errors = np.minimum(_widths(problem, pars)[free], (high - low)[free])
        minuit.errordef, minuit.strategy, minuit.tol = 1.0, self.strategy, self.tolerance
        minuit.migrad(ncall=self.calls)
        return _judge(problem, _filled(pars, free, np.asarray(minuit.values)), minuit.nfcn)


def _plain(problem: Problem, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Free flags, start and bounds as NumPy arrays."""
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(problem)):
        raise TypeError(
            f"{name} runs on the host: its fits can't be compiled, mapped or differentiated. "
            "Use the minimisers 'newton' or 'lbfgs' for that."
        )
    low, high, fixed = (np.asarray(x) for x in (problem.lower, problem.upper, problem.fixed))
    start = np.asarray(problem.init)
    free = ~fixed & (low < high)
    return free, np.where(fixed, start, np.clip(start, low, high)), low, high


def _filled(pars: np.ndarray, free: np.ndarray, values: Any) -> np.ndarray:
    full = pars.copy()
    full[free] = values
    return full


@jax.jit
def _compiled_expansion(problem: Problem, pars: Array) -> tuple[Array, Array, Array]:
    x = expand(prepare(problem.model, problem.data), pars)
    return x.value, x.gradient, x.constraint


_judge_compiled = jax.jit(judge)


def _value_and_gradient(problem: Problem, pars: np.ndarray) -> tuple[float, np.ndarray]:
    value, gradient, _ = _compiled_expansion(problem, jnp.asarray(pars))
    return float(value), np.asarray(gradient)


def _widths(problem: Problem, pars: np.ndarray) -> np.ndarray:
    """Widths of the constraints; 0.1 where there is none: the scale of the first step."""
    constraint = np.asarray(_compiled_expansion(problem, jnp.asarray(pars))[2])
    return np.where(constraint > 0, 1 / np.sqrt(np.where(constraint > 0, constraint, 1.0)), 0.1)


def _judge(problem: Problem, pars: np.ndarray, iterations: int) -> Minimum:
    return _judge_compiled(problem, jnp.asarray(pars), iterations)
