"""Small models of pyhf_func and pyhf, with data, for the tests of the documented API."""

from types import ModuleType
from typing import Any

import numpy as np

SIGNAL, BACKGROUND, UNCERTAINTY, OBSERVED = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0], [51.0, 48.0]


def two_bins(library: ModuleType) -> tuple[Any, list[float]]:
    """Signal over a background with independent uncertainties, and its data."""
    model = library.simplemodels.uncorrelated_background(SIGNAL, BACKGROUND, UNCERTAINTY)
    return model, OBSERVED + model.config.auxdata


def fixed_rate_spec() -> dict[str, Any]:
    """Two channels; the POI is not first, and a parameter is fixed by its configuration."""
    signal = {"name": "signal", "data": [7.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}
    modifiers = [
        {"name": "tilt", "type": "histosys", "data": {"lo_data": [36.0], "hi_data": [45.0]}},
        {"name": "rate", "type": "normsys", "data": {"lo": 0.92, "hi": 1.11}},
        {"name": "held", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}},
    ]
    background = {"name": "background", "data": [40.0], "modifiers": modifiers}
    control = {"name": "background", "data": [90.0], "modifiers": modifiers[1:]}
    return {
        "channels": [{"name": "SR", "samples": [signal, background]}, {"name": "CR", "samples": [control]}],
        "parameters": [{"name": "held", "fixed": True, "inits": [0.5]}],
    }


def flat(tree: Any) -> np.ndarray:
    """Every number of nested lists and tuples of tensors, in order."""
    if isinstance(tree, list | tuple):
        return np.concatenate([flat(branch) for branch in tree]) if tree else np.zeros(0)
    if hasattr(tree, "detach"):
        tree = tree.detach()
    return np.ravel(tree.asnumpy() if hasattr(tree, "asnumpy") else np.asarray(tree)).astype(float)


def start(model: Any) -> tuple[Any, Any, Any]:
    """What the model suggests to fits."""
    config = model.config
    return config.suggested_init(), config.suggested_bounds(), config.suggested_fixed()
