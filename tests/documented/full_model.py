"""A model with every modifier type, and comparisons of its tensors."""

from typing import Any

import numpy as np

from tests.documented.models import flat

SPEC: dict[str, Any] = {
    "channels": [
        {
            "name": "SR",
            "samples": [
                {
                    "name": "signal",
                    "data": [5.0, 8.0],
                    "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
                },
                {
                    "name": "background",
                    "data": [50.0, 60.0],
                    "modifiers": [
                        {"name": "bin", "type": "shapesys", "data": [7.0, 0.0]},
                        {
                            "name": "tilt",
                            "type": "histosys",
                            "data": {"lo_data": [45.0, 66.0], "hi_data": [56.0, 53.0]},
                        },
                        {"name": "rate", "type": "normsys", "data": {"lo": 0.92, "hi": 1.11}},
                    ],
                },
            ],
        },
        {
            "name": "CR",
            "samples": [
                {
                    "name": "background",
                    "data": [120.0],
                    "modifiers": [
                        {"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.05}},
                        {"name": "mc", "type": "staterror", "data": [6.0]},
                        {"name": "lumi", "type": "lumi", "data": None},
                        {"name": "free", "type": "shapefactor", "data": None},
                    ],
                }
            ],
        },
    ],
    "parameters": [
        {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "bounds": [[0.5, 1.5]], "inits": [1.0]},
    ],
}
DATA = [55.0, 70.0, 130.0]


def point(theirs: Any, shift: float = 0.07) -> list[float]:
    init = np.array(theirs.config.suggested_init())
    return (init + shift * (1 + np.arange(init.size) % 3)).tolist()


def assert_same(ours: Any, theirs: Any, tolerance: float = 1e-12) -> None:
    assert tuple(ours.shape) == np.shape(theirs)
    np.testing.assert_allclose(flat(ours), np.ravel(theirs), rtol=tolerance)
