"""One result of every verb, for one small model that all tests share."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

import pyhf_func as pf

SPEC: dict[str, Any] = {
    "version": "1.0.0",
    "channels": [
        {
            "name": "SR",
            "samples": [
                {
                    "name": "signal",
                    "data": [12.0, 11.0],
                    "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
                },
                {
                    "name": "background",
                    "data": [50.0, 52.0],
                    "modifiers": [{"name": "gamma", "type": "shapesys", "data": [3.0, 7.0]}],
                },
            ],
        }
    ],
    "observations": [{"name": "SR", "data": [58.0, 63.0]}],
    "measurements": [{"name": "search", "config": {"poi": "mu", "parameters": []}}],
}


@functools.cache
def workspace() -> pf.Workspace:
    return pf.Workspace(SPEC)


@functools.cache
def model() -> pf.Model:
    return workspace().model()


@functools.cache
def data() -> jax.Array:
    return jnp.asarray(workspace().data(model()))


_MADE: dict[str, Any] = {
    "fit": lambda: pf.fit(data(), model()),
    "covariance": lambda: pf.covariance(data(), model()),
    "hypotest": lambda: pf.hypotest(1.0, data(), model()),
    "scan": lambda: pf.scan([0.5, 1.0, 1.5], data(), model()),
    "upper_limit": lambda: pf.upper_limit(data(), model(), level=0.1),
    "discovery": lambda: pf.discovery(data(), model()),
    "profile": lambda: pf.profile({"mu": [0.5, 1.0], "gamma[1]": [0.9, 1.0, 1.1]}, data(), model()),
    "intervals": lambda: pf.intervals(data(), model()),
    "impacts": lambda: pf.impacts(data(), model()),
    "group_impacts": lambda: pf.group_impacts(data(), model(), {"background": "gamma[0]"}),
    "yields": lambda: pf.yields(data(), model()),
    "goodness_of_fit": lambda: pf.goodness_of_fit(data(), model()),
    "toys": lambda: pf.toys(1.0, data(), model(), jax.random.key(3), 20),
}
VERBS = tuple(_MADE)
"""Verbs of one model, whose results have best values."""
POINTS = {"m1": {("SR", "signal"): [12.0, 11.0]}, "m2": {("SR", "signal"): [1.0, 1.0]}}
_MADE["grid"] = lambda: pf.grid(workspace(), POINTS, limits=False)


@functools.cache
def result_of(verb: str) -> Any:
    return _MADE[verb]()
