"""What all verbs do with their arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

import jax
import numpy as np
from jax import Array

from pyhf_func.adapters import bridge
from pyhf_func.core.arrays import Numbers, argument
from pyhf_func.core.compiler import Bounds, Fixed, Init, Start, resolve_start
from pyhf_func.core.fit import HostMinimiser, Minimiser, Newton, chosen_minimiser
from pyhf_func.core.processes import check_process
from pyhf_func.exceptions import InvalidModel, InvalidTestStatistic, UnspecifiedPOI
from pyhf_func.pdf import Model

P = ParamSpec("P")
T = TypeVar("T")


def for_every_framework(verb: Callable[P, T]) -> Callable[P, T]:
    """The verb, which gives PyTorch, TensorFlow or MXNet their own tensors, with gradients, where it is given some.

    Raises:
        TypeError: The model is none.
    """
    names = list(signature(verb).parameters)
    place = names.index("model")

    @wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        check_process()
        model = args[place] if len(args) > place else kwargs.get("model")
        if model is not None and not isinstance(model, Model):
            order = ", ".join(names[: place + 1])
            raise TypeError(f"model is of type {type(model).__name__}; call pyhf_func.{verb.__name__}({order}, ...).")
        if bridge.kind((args, kwargs)) is None:
            return verb(*args, **kwargs)
        return bridge.apply(verb, *args, **kwargs)

    return call


def start_of(model: Model, init: Init, bounds: Bounds, fixed: Fixed) -> Start:
    """The start of the fits: the model's suggestions, overridden."""
    return resolve_start(model.likelihood.space, model.config.par_slices, init, bounds, fixed)


def start_of_test(model: Model, init: Init, bounds: Bounds, fixed: Fixed) -> Start:
    """The start of the fits of a hypothesis test, which need the parameter of interest free.

    Raises:
        InvalidModel: It is fixed.
    """
    start = start_of(model, init, bounds, fixed)
    poi = model.config.poi_index
    if poi is not None and not isinstance(start.fixed, jax.core.Tracer) and np.asarray(start.fixed)[..., poi].any():
        raise InvalidModel(
            f"The parameter of interest {model.config.poi_name!r} is fixed, and a hypothesis test needs it free: "
            "set its flag in fixed=, its suggested_fixed, or 'fixed' in the measurement, to False."
        )
    return start


def traced_minimiser(minimiser: Minimiser | HostMinimiser | str, verb: str) -> Minimiser:
    """A minimiser that can be part of a compiled computation.

    Raises:
        TypeError: It runs on the host.
    """
    chosen = chosen_minimiser(minimiser)
    if isinstance(chosen, Newton):  # known without the look at its methods, which takes longer
        return chosen
    if isinstance(chosen, HostMinimiser):
        raise TypeError(
            f"{verb} is one compiled computation, and {type(chosen).__name__} runs on the host: "
            "use 'newton', 'lbfgs' or FirstOrder."
        )
    return chosen


def check_poi(model: Model) -> None:
    """Refuse a model without a parameter of interest.

    Raises:
        UnspecifiedPOI: The model has none.
    """
    if model.config.poi_name is None:
        raise UnspecifiedPOI(
            "A hypothesis test needs a parameter of interest, and this model has none: "
            "name one when the model is built (poi_name=...)."
        )


def check_test_stat(test_stat: str, known: tuple[str, ...] = ("q", "qtilde", "q0")) -> None:
    """Refuse what is no test statistic.

    Raises:
        InvalidTestStatistic: It is not one of those known here.
    """
    if test_stat not in known:
        choices = ", ".join(map(repr, known[:-1]))
        raise InvalidTestStatistic(f"{test_stat!r} is not a test statistic here: choose {choices} or {known[-1]!r}.")


def check_level(level: Array | float) -> None:
    """Refuse a level of upper limits that is none; tracers are taken as they are.

    Raises:
        ValueError: It is not between 0 and 1.
    """
    if not isinstance(level, jax.core.Tracer) and not 0 < float(level) < 1:
        raise ValueError(f"level is {float(level)}; it must lie between 0 and 1, such as 0.05 for 95% confidence.")


def one_number(value: Numbers, name: str, several: str) -> Array:
    """A scalar as an array of shape (), to be given to a compiled function.

    Raises:
        ValueError: It is no scalar.
    """
    number = argument(value)
    if number.shape != ():
        raise ValueError(f"{name} has shape {number.shape}; give one value, and use {several} for several.")
    return number
