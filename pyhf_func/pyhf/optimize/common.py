"""From an objective of (pars, data, pdf) to the function of pars that a minimiser calls."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from pyhf_func.adapters.registry import FRAMEWORKS
from pyhf_func.pyhf.optimize.engine import Objective, runs_in_engine
from pyhf_func.pyhf.optimize.wrapping import require_gradients
from pyhf_func.pyhf.tensor.common import _TensorViewer
from pyhf_func.pyhf.tensor.manager import get_backend


def _make_stitch_pars(tv: _TensorViewer | None = None, fixed_values: Any = None) -> Callable[..., Any]:
    """A function that puts fixed values among free parameters; without arguments the identity."""
    if tv is None or fixed_values is None:
        return lambda pars, stitch_with=None: pars

    def stitch_pars(pars: Any, stitch_with: Any = fixed_values) -> Any:
        tensorlib, _ = get_backend()
        return tv.stitch([tensorlib.astensor(stitch_with, dtype="float"), pars])

    return stitch_pars


def _get_tensor_shim() -> Callable[..., Any]:
    """How objectives are called, and differentiated, in the current backend.

    Raises:
        ValueError: The backend is not one of ours.
    """
    name = get_backend()[0].name
    if name not in FRAMEWORKS:
        raise ValueError(f"No optimizer shim for {name}.")
    return importlib.import_module(f"pyhf_func.pyhf.optimize.{FRAMEWORKS[name].objective}").wrap_objective


def shim(
    objective: Callable[..., Any],
    data: Any,
    pdf: Any,
    init_pars: Any,
    par_bounds: Any,
    fixed_vals: Sequence[tuple[int, Any]] | None = None,
    do_grad: bool = False,
    do_stitch: bool = False,
) -> tuple[dict[str, Any], Callable[..., Any]]:
    """The inputs of a minimiser.

    Args:
        objective: A function of (pars, data, pdf).
        data: Observed data.
        pdf: The model.
        init_pars: Start values; shape (npars,).
        par_bounds: (lower, upper) of each parameter; shape (npars, 2).
        fixed_vals: Pairs of index and value of the parameters that stay fixed.
        do_grad: Whether gradients are used.
        do_stitch: Whether fixed parameters are hidden from the minimiser.

    Returns:
        The arguments ``func``, ``x0``, ``do_grad``, ``bounds`` and ``fixed_vals`` of a minimiser, and a function that
        puts the fixed values back among the parameters that the minimiser sees.

    Raises:
        Unsupported: Gradients are asked for in a backend without.
    """
    tensorlib, _ = get_backend()
    fixed_vals = list(fixed_vals or [])
    init_pars, par_bounds = list(init_pars), list(par_bounds)
    if do_grad:
        require_gradients(tensorlib)

    variable_init, variable_bounds, visible_fixed = init_pars, par_bounds, fixed_vals
    stitch_pars = _make_stitch_pars()
    fixed_idx = [index for index, _ in fixed_vals]
    fixed_values = [value for _, value in fixed_vals]
    variable_idx = [index for index in range(len(init_pars)) if index not in set(fixed_idx)]
    if do_stitch:
        variable_init = [init_pars[index] for index in variable_idx]
        variable_bounds = [par_bounds[index] for index in variable_idx]
        visible_fixed = []
        if fixed_vals:
            stitch_pars = _make_stitch_pars(_TensorViewer([fixed_idx, variable_idx]), fixed_values)

    if runs_in_engine(objective, pdf):
        func: Any = Objective(data, pdf, init_pars, par_bounds, fixed_vals, do_grad=do_grad, do_stitch=do_stitch)
    else:
        pieces = {
            "fixed_idx": fixed_idx,
            "variable_idx": variable_idx,
            "fixed_values": fixed_values,
            "do_stitch": bool(do_stitch and fixed_vals),
        }
        func = _get_tensor_shim()(
            objective, tensorlib.astensor(data), pdf, stitch_pars, do_grad=do_grad, jit_pieces=pieces
        )
    return {
        "func": func,
        "x0": variable_init,
        "do_grad": do_grad,
        "bounds": variable_bounds,
        "fixed_vals": visible_fixed,
    }, stitch_pars
