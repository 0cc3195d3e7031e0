"""One small model with every kind of number in it, made once, and finite differences."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

import pyhf_func as pf
from tests import zoo

Points = NDArray[np.float64]


def spec(names: tuple[str, str] = ("sig", "mu"), yields: tuple[float, float] = (5.0, 8.0)) -> zoo.Spec:
    """Two bins; normsys, histosys, staterror (Gaussian) and shapesys (Poisson); other names, same structure."""
    signal, poi = names
    background = zoo.sample(
        "bkg",
        [50.0, 42.0],
        zoo.normsys("norm", 0.93, 1.12),
        zoo.histosys("shape", [47.0, 43.5], [54.5, 41.0]),
        zoo.staterror("stat", [2.0, 3.0]),
    )
    fakes = zoo.sample("fakes", [12.0, 9.0], zoo.shapesys("rate", [3.0, 2.0]))
    channel = zoo.channel("SR", zoo.sample(signal, list(yields), zoo.normfactor(poi)), background, fakes)
    return zoo.workspace([channel], {"SR": [65.0, 54.0]}, poi=poi)


def build(**kwargs: Any) -> tuple[pf.Model, Array]:
    """A fresh model and its data."""
    workspace = pf.Workspace(spec(**kwargs))
    model = workspace.model()
    return model, jnp.array(workspace.data(model))


@cache
def toy() -> tuple[pf.Model, Array]:
    """The model and its data."""
    return build()


def with_counts(*counts: float) -> Array:
    """The data with other counts in the bins."""
    return toy()[1].at[:2].set(jnp.array(counts))


def place(name: str) -> int:
    """Where a parameter starts in the parameter vector of the toy."""
    return int(toy()[0].config.par_slice(name).start)


def slope(function: Callable[[Points], Any], at: Any, step: float) -> Points:
    """Four-point central differences in every element; shape (elements of ``at``, *shape of the result)."""
    origin = np.asarray(at, dtype=float)
    result = []
    for i in np.ndindex(origin.shape):
        values = []
        for k in (-2, -1, 1, 2):
            moved = origin.copy()
            moved[i] += k * step
            values.append(np.asarray(function(moved), dtype=float))
        result.append((values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step))
    return np.array(result)
