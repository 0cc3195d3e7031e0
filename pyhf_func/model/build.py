"""From the spec of a model to its numbers and names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from pyhf_func._lookup import shown
from pyhf_func.core import compiler
from pyhf_func.core.arrays import argument
from pyhf_func.core.codes import settings_of
from pyhf_func.core.likelihood import Likelihood
from pyhf_func.exceptions import Fault, InvalidSpecification
from pyhf_func.model.live import live_rows, live_widths, with_live_numbers
from pyhf_func.model.model import Model
from pyhf_func.model.names import Names, listed_bounds
from pyhf_func.model.spec import numbers_as_lists
from pyhf_func.schema import extended
from pyhf_func.schema.changes import unknown_part
from pyhf_func.schema.semantics import check_model

Custom = Callable[[Mapping[str, Any], Mapping[str, Mapping[str, Any]]], Any]
"""A function of spec and settings that gives the modifier types of users, with their parameters and their effect."""


@dataclass(frozen=True)
class Options:
    """How a spec becomes a model.

    Attributes:
        poi_name: The parameter of interest; None for a model without one.
        modifier_settings: Interpolation codes by modifier type.
        validate: Check the spec against the schema first.
        schema: The file of the schema.
        version: Its version.
        clip_sample_data: Least expected yield of a sample in a bin.
        clip_bin_data: Least expected yield of a bin.
        continue_below_zero: Give negative yields a log density as pyhf does.
        strict: Refuse what is otherwise accepted with a warning.
    """

    poi_name: str | None = "mu"
    modifier_settings: Mapping[str, Mapping[str, Any]] | None = None
    validate: bool = True
    schema: str = "model.json"
    version: str | None = None
    clip_sample_data: float | None = None
    clip_bin_data: float | None = None
    continue_below_zero: bool = False
    strict: bool = False


def build(spec: Mapping[str, Any], options: Options, custom: Custom | None = None) -> tuple[Model, dict[str, Any]]:
    """The model of a spec, and the widths and factors of its constraints that are traced, by parameter.

    Raises:
        InvalidSpecification: The spec does not follow the schema.
        InvalidModel: The spec has no defined meaning; all faults at once. (InvalidModifier, InvalidNameReuse
            where these name the first fault better.)
        InvalidInterpCode: An interpolation code that does not exist.
    """
    plain = _plain(spec, options)
    settings, poi_name = settings_of(options.modifier_settings), options.poi_name
    own = custom(plain, settings) if custom else None
    known = own.known_spec if own else plain
    if own is None or own.has_known:
        _check(known, None if own and poi_name in own.names else poi_name, options)
    compiled = compiler.compile_model(known, poi_name, settings, own.parameters if own else None)
    live = live_rows(spec) if plain is not spec else []
    names = Names(
        own.order if own else compiled.order,
        compiled.parameters,
        compiled.layout,
        poi_name,
        settings,
        listed_bounds=listed_bounds(plain),
        live=frozenset(live_widths(spec, live)) & {p.name for p in compiled.parameters if p.constraint != "none"},
    )
    likelihood = jax.device_put(_clipped(compiled.likelihood, options))
    content = replace(likelihood, custom=own.effect(names) if own else None)
    return with_live_numbers(Model(content, names), spec, live) if live else (Model(content, names), {})


def compiled_plainly(spec: Mapping[str, Any], options: Options, known: Collection[int]) -> compiler.Compiled:
    """Likelihood and names of a spec, as `build` has them, without a model around them: for very many specs.

    Args:
        spec: The spec; its numbers are not traced.
        options: How it becomes a model.
        known: Identities of samples, and of the list of parameters, that are known to follow the schema.

    Raises:
        InvalidSpecification, InvalidModel, InvalidInterpCode: As for `build`.
    """
    part = unknown_part(spec, known)
    sure = options.validate and extended.conforms(part, options.schema, version=options.version, allow_tensors=False)
    plain = spec if sure else _plain(spec, options)
    settings = settings_of(options.modifier_settings)
    _check(plain, options.poi_name, options)
    found = compiler.compile_model(plain, options.poi_name, settings)
    return found._replace(likelihood=_clipped(found.likelihood, options))


def _plain(spec: Mapping[str, Any], options: Options) -> Any:
    """The spec with lists for arrays and tensors, validated where that is asked for."""
    if options.validate and extended.conforms(spec, options.schema, version=options.version, allow_tensors=False):
        return spec
    plain = numbers_as_lists(spec)
    if options.validate:
        _refuse_workspace(plain)
        extended.validate(plain, options.schema, options.version)
    return plain


def _check(spec: Any, poi_name: str | None, options: Options) -> None:
    """Raise where the spec has no defined meaning."""
    settings, clipped = settings_of(options.modifier_settings), options.clip_sample_data is not None
    check_model(spec, poi_name, strict=options.strict, modifier_settings=settings, clipped=clipped)


def _clipped(likelihood: Likelihood, options: Options) -> Likelihood:
    """The likelihood with the treatment of small and negative yields that is asked for."""
    return replace(
        likelihood,
        least_entry=_least(options.clip_sample_data, "clip_sample_data"),
        least_bin=_least(options.clip_bin_data, "clip_bin_data"),
        continued=bool(options.continue_below_zero),
    )


def _least(value: float | None, name: str) -> float | None:
    """A least yield, where one is given."""
    if value is None:
        return None
    least = argument(value, name)
    if least.shape != () or not np.isfinite(least):
        raise ValueError(f"{name} is {shown(value)}; give a finite number.")
    return float(least)


def _refuse_workspace(spec: Any) -> None:
    """Refuse a whole workspace, whose model is that of one of its measurements.

    Raises:
        InvalidSpecification: It is one, or a model.
    """
    if isinstance(spec, Mapping) and "channels" in spec and "measurements" in spec:
        message = "this is a workspace, not the spec of a model: give it to pyhf_func.Workspace, and call its .model()"
        raise InvalidSpecification(schema="model.json", faults=[Fault("$", message, InvalidSpecification)])
