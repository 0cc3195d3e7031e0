"""The functional verbs: data and a model in, one complete named tuple out.

Each can be compiled, mapped and differentiated with respect to data, the tested value and every number of the
model. Called with plain numbers they run a compiled program that is shared by all models of one structure.
"""

from __future__ import annotations

import jax
from jax.typing import ArrayLike

from pyhf_func.core import fit as _fit
from pyhf_func.core import inference as _inference
from pyhf_func.core.arrays import Numbers, floats
from pyhf_func.core.compiler import Bounds, Fixed, Init, resolve_start
from pyhf_func.core.fit import FitResult, HostMinimiser, Minimiser, Problem, chosen_minimiser
from pyhf_func.core.inference import HypotestResult, TestStat
from pyhf_func.exceptions import InvalidTestStatistic, UnspecifiedPOI
from pyhf_func.pdf import Model

_compiled_fit = jax.jit(_fit.fit_problem, static_argnums=0)
_compiled_description = jax.jit(_fit.describe)
_compiled_hypotest = jax.jit(_inference.hypotest, static_argnums=(0, 1))


def fit(
    data: Numbers,
    model: Model,
    *,
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> FitResult:
    """Fit the model's parameters to data: the minimum of -2 log L inside the bounds.

    Args:
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        model: The model.
        init: Start values: an array of shape (npars,), or a mapping from names to values.
        bounds: An array of shape (npars, 2), or a mapping from names to (lower, upper).
        fixed: Flags of shape (npars,); or a mapping from names to the values to fix them at (``True``: at the
            start value, ``False``: free); or names to fix at their start values.
        minimiser: ``"newton"`` (our own, in JAX), ``"lbfgs"`` (optax), ``"scipy"``, ``"minuit"``, or one of
            `Newton`, `LBFGS`, `FirstOrder`, `SciPy`, `Minuit` with options. SciPy and Minuit run on the host:
            they can't be compiled, mapped or differentiated.

    Returns:
        The minimum. It can be differentiated, any number of times, by the implicit function theorem. Whether the
        fit converged is in its ``status``: nothing is raised.

    Raises:
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.

    Example:
        >>> import pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [5.0],
        ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
        >>> result = pf.fit([12.0], model)
        >>> round(float(result.pars[0]), 6), pf.Status(int(result.status)).name
        (2.4, 'CONVERGED')
    """
    start = resolve_start(model.likelihood.space, model.config.par_slices, init, bounds, fixed)
    problem = Problem(model.likelihood, model.checked_data(data), *start)
    chosen = chosen_minimiser(minimiser)
    if isinstance(chosen, HostMinimiser):
        return _compiled_description(problem, chosen.minimise_on_host(problem))
    return _compiled_fit(chosen, problem)


def hypotest(
    mu: ArrayLike,
    data: Numbers,
    model: Model,
    *,
    test_stat: TestStat | str = "qtilde",
    init: Init = None,
    bounds: Bounds = None,
    fixed: Fixed = None,
    minimiser: Minimiser | HostMinimiser | str = "newton",
) -> HypotestResult:
    """Test one value of the parameter of interest with asymptotic formulae (arXiv:1007.1727).

    Args:
        mu: The tested value; a scalar (`jax.vmap` for several).
        data: Main and auxiliary data; shape (nmaindata + nauxdata,).
        model: The model.
        test_stat: ``"qtilde"`` or ``"q"`` for limits, ``"q0"`` for discovery, which tests 0 whatever ``mu`` is.
        init: As for `fit`.
        bounds: As for `fit`.
        fixed: As for `fit`.
        minimiser: As for `fit`; not SciPy or Minuit.

    Returns:
        CLs and its parts, observed and expected, with the fits and the worst of their statuses.

    Raises:
        UnspecifiedPOI: The model has no parameter of interest.
        InvalidTestStatistic: There is no such test statistic.
        InvalidPdfData, InvalidPdfParameters: A shape or name does not fit the model.

    Example:
        >>> import jax, pyhf_func as pf
        >>> model = pf.Model({"channels": [{"name": "SR", "samples": [
        ...     {"name": "signal", "data": [12.0, 11.0],
        ...      "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        ...     {"name": "background", "data": [50.0, 52.0],
        ...      "modifiers": [{"name": "rate", "type": "shapesys", "data": [3.0, 7.0]}]}]}]})
        >>> data = [51.0, 48.0] + model.config.auxdata
        >>> round(float(pf.hypotest(1.0, data, model).cls), 8)
        0.05251553
        >>> round(float(jax.grad(lambda mu: pf.hypotest(mu, data, model).cls)(1.0)), 4)
        -0.222
    """
    if model.config.poi_name is None:
        raise UnspecifiedPOI(
            "A hypothesis test needs a parameter of interest, and this model has none: "
            "name one when the model is built (poi_name=...)."
        )
    if test_stat not in ("q", "qtilde", "q0"):
        raise InvalidTestStatistic(f"{test_stat!r} is not a test statistic: choose 'q', 'qtilde' or 'q0'.")
    tested = floats(mu)
    if tested.shape != ():
        raise ValueError(f"mu has shape {tested.shape}; give one value, and use jax.vmap for several.")
    start = resolve_start(model.likelihood.space, model.config.par_slices, init, bounds, fixed)
    chosen = chosen_minimiser(minimiser)
    if isinstance(chosen, HostMinimiser):
        raise TypeError(
            f"hypotest is one compiled computation, and {type(chosen).__name__} runs on the host: "
            "use 'newton', 'lbfgs' or FirstOrder."
        )
    return _compiled_hypotest(chosen, test_stat, tested, model.checked_data(data), model.likelihood, start)
