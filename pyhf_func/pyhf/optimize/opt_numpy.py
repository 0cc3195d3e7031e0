"""Objectives in the NumPy backend: values without gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pyhf_func.pyhf.optimize.wrapping import wrapping


def _evaluate(function: Callable[[Any], Any], pars: Any, do_grad: bool) -> Any:
    return float(np.ravel(function(pars))[0])


wrap_objective = wrapping(_evaluate)
