"""Modifier types that users define: builders and appliers of their own beside those of HistFactory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func._lookup import shown
from pyhf_func.core.compiler import Order
from pyhf_func.core.compiler.order import order_spec
from pyhf_func.core.compiler.parameters import collect_parameters
from pyhf_func.core.parameters import ParameterSet
from pyhf_func.exceptions import InvalidModifier
from pyhf_func.model import Names
from pyhf_func.pyhf.modifiers import histfactory_set
from pyhf_func.pyhf.parameters import reduce_paramsets_requirements
from pyhf_func.pyhf.pdf.appliers import ModifierSet, finished_builders, made_appliers, modifications
from pyhf_func.pyhf.pdf.config import _ModelConfig
from pyhf_func.pyhf.tensor.manager import set_backend

_CONSTRAINTS = {"unconstrained": "none", "constrained_by_normal": "normal", "constrained_by_poisson": "poisson"}


def custom_kinds(modifier_set: ModifierSet | None) -> list[str]:
    """The types of a set that are not HistFactory's.

    Raises:
        TypeError: It is no set of types.
    """
    if not isinstance(modifier_set, Mapping | None):
        raise TypeError(f"modifier_set is {shown(modifier_set)}; give {{type: (builder, applier)}}.")
    return [kind for kind, pair in (modifier_set or {}).items() if tuple(pair) != histfactory_set.get(kind)]


def without(spec: Mapping[str, Any], kinds: Sequence[str]) -> dict[str, Any]:
    """The spec without the modifiers of some types, and without the configuration of what is then no parameter."""
    channels = [
        {**channel, "samples": [{**s, "modifiers": _others(s["modifiers"], kinds)} for s in channel["samples"]]}
        for channel in spec["channels"]
    ]
    used = {m["name"] for channel in channels for s in channel["samples"] for m in s["modifiers"]}
    configs = [config for config in spec.get("parameters", ()) if config["name"] in used]
    return {**spec, "channels": channels, "parameters": configs}


def _others(modifiers: Sequence[Mapping[str, Any]], kinds: Sequence[str]) -> list[Mapping[str, Any]]:
    return [modifier for modifier in modifiers if modifier["type"] not in kinds]


class CustomModifiers:
    """The custom types of one model: their parameters, and what they do to the entries.

    Attributes:
        known_spec: The spec without their modifiers.
        has_known: Whether it has other modifiers.
        order: The order of the whole spec, in which custom modifiers have names and no rows.
        names: The parameters that they require.
        parameters: All parameters of the model.

    Args:
        spec: The whole spec.
        modifier_set: All types.
        settings: Options of the types.
    """

    def __init__(
        self, spec: Mapping[str, Any], modifier_set: ModifierSet, settings: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._set = modifier_set
        self._kinds = custom_kinds(modifier_set)
        for kind in histfactory_set:
            if kind not in modifier_set and any(kind == m["type"] for m in _all_modifiers(spec)):
                raise InvalidModifier(
                    f"The spec has a {kind} modifier, and the modifier_set has no such type. Add histfactory_set's."
                )
        if self._kinds and any(m.get("style") == "additive" for m in _all_modifiers(spec)):
            raise InvalidModifier(
                f"The types {', '.join(self._kinds)} can't go with a staterror of the style 'additive'. "
                "Use the style 'factor'."
            )
        self.known_spec = without(spec, self._kinds) if self._kinds else spec
        self.order = self._order(spec)
        configs = {config["name"]: config for config in spec.get("parameters", ())}
        known = collect_parameters(order_spec(self.known_spec), self.known_spec.get("parameters", ()))
        shell = _ModelConfig._of(Names(self.order, known, None, None, settings))
        self._builders = finished_builders(spec, shell, modifier_set, self._kinds)
        own = self._own_parameters(configs)
        self.has_known = bool(_all_modifiers(self.known_spec))
        self.names = {parameter.name for here in own.values() for parameter in here}
        self.parameters = self._in_order(known, own)

    def _order(self, spec: Mapping[str, Any]) -> Order:
        """The order of the spec, in which the custom modifiers have names and no rows."""
        order = order_spec(self.known_spec)
        every = {(modifier["name"], modifier["type"]) for modifier in _all_modifiers(spec)}
        return order._replace(modifiers=tuple(sorted(every)))

    def _own_parameters(self, configs: Mapping[str, Mapping[str, Any]]) -> dict[str, list[ParameterSet]]:
        """The requirements of the builders, by type."""
        return {
            kind: [
                _parameter(required)
                for required in reduce_paramsets_requirements(builder.required_parsets, configs).values()
            ]
            for kind, (builder, _) in self._builders.items()
        }

    def _in_order(
        self, known: Sequence[ParameterSet], own: Mapping[str, Sequence[ParameterSet]]
    ) -> tuple[ParameterSet, ...]:
        """All parameters by type, in the order of the modifier set."""
        kinds = {name: kind for name, kind in reversed(self.order.modifiers) if kind not in self._kinds}
        ordered: dict[str, ParameterSet] = {}
        for kind in self._set:
            here = own[kind] if kind in own else [p for p in known if kinds.get(p.name) == kind]
            for parameter in here:
                ordered.setdefault(parameter.name, parameter)
        return tuple(ordered.values())

    def effect(self, names: Names) -> CustomEffect | None:
        """Their effect on the entries of a model; None where all types are HistFactory's."""
        if not self._kinds:
            return None
        config = _ModelConfig._of(names)
        return CustomEffect(made_appliers(self._builders, config, self._set, None), names.by_sample()[0])


class CustomEffect:
    """Shifts and factors of the entries: the function that the engine calls. Hashed by identity."""

    def __init__(self, appliers: Mapping[str, Any], place: np.ndarray) -> None:
        self._appliers = appliers
        self._place = place  # (entries,) in the flattened table (samples, bins)

    def __call__(self, pars: Array) -> tuple[Array, Array]:
        """Shifts and factors of the entries at parameters of shape (npars,); the appliers see the JAX backend."""
        with set_backend("jax"):
            shifts, factors = modifications(self._appliers, pars)
        shift, factor = jnp.zeros(()), jnp.ones(())
        for effect in shifts:
            shift = shift + self._entries(jnp.sum(effect, axis=0))
        for effect in factors:
            factor = factor * self._entries(jnp.prod(effect, axis=0))
        return shift, factor

    def _entries(self, table: Array) -> Array:
        """From (samples, 1, bins) to entries."""
        return jnp.asarray(table).reshape(-1)[self._place]


def _all_modifiers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [m for channel in spec["channels"] for sample in channel["samples"] for m in sample["modifiers"]]


def _parameter(required: Mapping[str, Any]) -> ParameterSet:
    """A parameter of the engine from what a builder requires."""
    n_parameters = required["n_parameters"]
    fixed = required["fixed"]
    constraint = _CONSTRAINTS[required["paramset_type"]]
    return ParameterSet(
        name=required["name"],
        constraint=constraint,  # type: ignore[arg-type]
        is_scalar=bool(required.get("is_scalar", n_parameters == 1)),
        inits=_floats(required["inits"]),
        bounds=tuple((float(low), float(high)) for low, high in required["bounds"]),
        fixed=(fixed,) * n_parameters if isinstance(fixed, bool) else tuple(map(bool, fixed)),
        auxdata=_floats(required["auxdata"]) if constraint != "none" else (),
        sigmas=_floats(required.get("sigmas") or [1.0] * n_parameters) if constraint == "normal" else (),
        factors=_floats(required["factors"]) if constraint == "poisson" else (),
    )


def _floats(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
