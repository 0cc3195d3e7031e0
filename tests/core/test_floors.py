"""Least yields: minima at their kinks, and beyond them."""

from __future__ import annotations

import numpy as np
import pytest

import pyhf_func as pf

FLOOR = 1e-9


@pytest.mark.parametrize(("slope", "observed", "expected"), [(0.5, 20.0, -0.5), (6.0, 2.0, -2.723)])
@pytest.mark.filterwarnings("ignore::pyhf_func.exceptions.WorkspaceWarning")
def test_a_fit_ends_at_the_kink_of_a_floor_or_beyond_it(slope: float, observed: float, expected: float) -> None:
    """An empty bin of yield 1 + 2x pulls x below -1/2; there the floor ends its pull, and the other bin goes on."""
    template = {"hi_data": [20.0 + slope, 3.0], "lo_data": [20.0 - slope, -1.0]}
    background = {
        "name": "b",
        "data": [20.0, 1.0],
        "modifiers": [{"name": "x", "type": "histosys", "data": template}],
    }
    signal = {"name": "s", "data": [2.0, 0.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}
    model = pf.Model({"channels": [{"name": "SR", "samples": [signal, background]}]}, clip_bin_data=FLOOR)
    found = pf.fit([observed, 0.0, 0.0], model, fixed={"mu": 0.0})
    x = np.linspace(-5, 5, 100_001)
    first, second = np.maximum(20 + slope * x, FLOOR), np.maximum(1 + 2 * x, FLOOR)
    value = 2 * (first - observed * np.log(first)) + 2 * second + x**2
    assert x[np.argmin(value)] == pytest.approx(expected, abs=2e-4)
    assert found.status == pf.Status.CONVERGED
    assert float(found["x"]) == pytest.approx(expected, abs=2e-4)
