"""The declaration of a verb: ``@verb(engine)`` in the file of its name in this folder is all that makes it one.

From the declaration follow the compiled and stored program of the engine's function, the check of the model, the
bridge to other frameworks, the names in results and what they were made with, and the text of the settings that all
verbs share; from the name of the file follows ``pyhf_func.NAME``.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from inspect import Parameter, signature
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

import jax

from pyhf_func._lookup import shown
from pyhf_func.adapters import bridge
from pyhf_func.compiled import Compiled
from pyhf_func.core.memory import enough
from pyhf_func.core.processes import check_process
from pyhf_func.exceptions import InvalidPdfParameters
from pyhf_func.model import Model, frozen, is_model
from pyhf_func.results.about import About
from pyhf_func.results.base import named
from pyhf_func.verbs._arguments import no_model

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SETTINGS = {
    "data": "Main and auxiliary data; shape (nmaindata + nauxdata,).",
    "model": "The model.",
    "test_stat": """For limits ``"qtilde"``, whose best value of the POI is not negative (Equation (16)) even where the
        bounds reach below zero, or ``"q"``, whose best value may be; ``"q0"`` for discovery, which tests 0 whatever
        ``mu`` is.""",
    "poi": "The parameter of interest; by default the model's.",
    "init": """Start values: an array of shape (npars,), or a mapping from names to values; or a result of any verb,
        for its best values of the parameters that the model has, too.""",
    "bounds": "An array of shape (npars, 2), or a mapping from names to (lower, upper).",
    "fixed": """Flags of shape (npars,); or a mapping from names to the values to fix them at (``True``: at the start
        value, ``False``: free); or names to fix at their start values; or a result, to fix all parameters that the
        model has, too, at its best values (in a hypothesis test all but the parameter of interest).""",
    "minimiser": """``"newton"`` (our own, in JAX), ``"lbfgs"`` (optax), or one of `Newton`, `LBFGS`, `FirstOrder` with
        options. SciPy and Minuit run on the host: they cannot be part of a compiled computation.""",
    "progress": """Whether to show a progress bar on standard error; the work is then done in pieces, whose numbers
        agree with those of one computation to the precision of the fits.""",
    "executor": """Computes the work in pieces, in other processes or on other machines: anything with the ``submit`` of
        `concurrent.futures`, such as ``ProcessPoolExecutor(4, multiprocessing.get_context("spawn"))``, Dask's
        ``client.get_executor()`` or mpi4py's. Workers made by fork are refused. Numbers agree with those of one
        computation to the precision of the fits. Not inside `jax.jit` and the like.""",
}
"""Meanings of the arguments that verbs share: in the help of each that has them, unless its docstring explains them."""

_ON_HOST = """``"newton"`` (our own, in JAX), ``"lbfgs"`` (optax), ``"scipy"``, ``"minuit"``, or one of `Newton`,
    `LBFGS`, `FirstOrder`, `SciPy`, `Minuit` with options. SciPy and Minuit run on the host: they can't be compiled,
    mapped or differentiated."""

_ARGUMENTS = re.compile(r"(?<=^Args:\n)(?: {4}.*\n)*", re.MULTILINE)
_ARGUMENT = re.compile(r"^ {4}(\w+): .*\n(?: {8}.*\n)*", re.MULTILINE)
_SHARED = re.compile(r"^( {4}\w+: )As for all fits\.", re.MULTILINE)


class Verb(Protocol[P, T_co]):
    """A function of the public API, and the program that it runs."""

    program: Compiled
    """The engine's function: stored, and run by NumPy until it is compiled."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co:
        """The result for data and a model."""


@overload
def verb(
    engine: Callable[..., Any], *, static: int = ..., long: bool = ..., bridged: bool = ..., on_host: bool = ...
) -> Callable[[Callable[P, T]], Verb[P, T]]: ...
@overload
def verb(
    engine: None = None, *, bridged: bool = ..., on_host: bool = ...
) -> Callable[[Callable[P, T]], Callable[P, T]]: ...
def verb(
    engine: Callable[..., Any] | None = None,
    *,
    static: int = 0,
    long: bool = False,
    bridged: bool = True,
    on_host: bool = False,
) -> Callable[[Callable[P, T]], Any]:
    """Declare a verb: a function of a model, and mostly of data, whose result knows what it was made with.

    Args:
        engine: The pure function that it calls, as its ``program``; None where it calls the programs of others.
        static: How many of the engine's first arguments are part of the program.
        long: Whether one call of the program may run for long.
        bridged: Whether it gives PyTorch, TensorFlow or MXNet their own tensors, with gradients.
        on_host: Whether SciPy and Minuit, which can't be traced, are among its minimisers.

    Returns:
        The decorator. A verb raises TypeError where its model is something else.
    """

    def declared(function: Callable[P, T]) -> Any:
        settings = {**SETTINGS, "minimiser": _ON_HOST} if on_host else SETTINGS
        names = list(signature(function).parameters)
        function.__doc__ = _whole(inspect.cleandoc(function.__doc__ or ""), names, settings)
        made = _called(function, bridged) if "model" in names else function
        if engine is not None:
            cast("Verb[P, T]", made).program = Compiled(engine, static, long=long)
        return made

    return declared


def _whole(doc: str, names: list[str], settings: Mapping[str, str]) -> str:
    """A docstring that explains all arguments, in their order."""

    def whole(found: re.Match[str]) -> str:
        own = {argument[1]: argument[0] for argument in _ARGUMENT.finditer(found[0])}
        shared = {name: _entry(name, settings[name]) for name in names if name in settings}
        for name, text in own.items():
            if _SHARED.match(text):
                own[name] = _entry(name, settings[name] + text.split("fits.", 1)[1])
        return "".join({**shared, **own}[name] for name in names if name in own or name in shared)

    with_section = doc if "\nArgs:\n" in doc else doc.replace("\nReturns:\n", "\nArgs:\n\nReturns:\n", 1)
    return _ARGUMENTS.sub(whole, with_section, count=1)


def _entry(name: str, text: str) -> str:
    words = " ".join(f"{name}: {text}".split())
    return textwrap.fill(words, 112, initial_indent=" " * 4, subsequent_indent=" " * 8) + "\n"


def _called(function: Callable[P, T], bridged: bool) -> Callable[P, T]:
    """The function with what all functions share around it."""
    names = list(signature(function).parameters)
    needed = [name for name, one in signature(function).parameters.items() if one.default is Parameter.empty]
    place = names.index("model")
    defaults = {name: one.default for name, one in signature(function).parameters.items() if name not in needed}

    def about(model: Any, arguments: Mapping[str, Any]) -> About:
        settings = {**defaults, **arguments}
        settings.pop("data", None), settings.pop("model", None)
        return About(function.__name__, getattr(model, "_source", None), settings)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        check_process()
        arguments = {**dict(zip(names, args, strict=False)), **kwargs}
        given_model: Any = arguments.get("model")
        if not is_model(given_model):
            raise TypeError(_without_model(f"pyhf_func.{function.__name__}({', '.join(needed)}, ...)", arguments))
        if dict in map(type, arguments.values()):
            _check_names(arguments)
        model = frozen(given_model)
        args, kwargs = _with_model(model, place, args, kwargs)
        with enough(model.likelihood, function.__name__, arguments.get("parameters")):
            foreign = bridged and bridge.kind((args, kwargs)) is not None
            result: Any = bridge.apply(function, *args, **kwargs) if foreign else function(*args, **kwargs)
        own = result.model_names or model.names.of_results
        asked = arguments.get("poi")
        own = own if asked is None else replace(own, poi=asked)
        return named(result, own, None if _is_traced(result) else about(given_model, arguments))

    return call


def _with_model(model: Model, place: int, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments of a verb with the frozen model, wherever a model was given."""
    if len(args) > place:
        return (*args[:place], model, *args[place + 1 :]), kwargs
    return args, {**kwargs, "model": model}


def _is_traced(result: Any) -> bool:
    """Whether a result is part of a transformation."""
    while isinstance(result, tuple):
        result = result[0]
    return isinstance(result, jax.core.Tracer)


def _without_model(call: str, given: Mapping[str, Any]) -> str:
    """The message of a call whose model is missing, or something else."""
    elsewhere = [name for name, value in given.items() if is_model(value)]
    wanted = f"Call {call}."
    if elsewhere and "model" not in given:
        return f"{next(iter(given))} is missing, and the model was given as {elsewhere[0]}. {wanted}"
    if elsewhere:
        return f"The model was given as {elsewhere[0]}: two arguments are swapped, or one is missing. {wanted}"
    if "model" not in given:
        return f"model is missing. {wanted}"
    return f"{no_model(given['model'], 'model')} {wanted}"


def _check_names(given: Mapping[str, Any]) -> None:
    """Refuse mappings with keys that are not names, which no pytree may have beside names."""
    for name, mapping in given.items():
        wrong = [key for key in mapping if not isinstance(key, str)] if isinstance(mapping, dict) else []
        if wrong:
            raise InvalidPdfParameters(f"{name}: {shown(wrong[0])} is not a parameter's name; names are strings.")
