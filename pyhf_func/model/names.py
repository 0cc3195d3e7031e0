"""The static part of a model: what its compiled programs may depend on besides the numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from pyhf_func._lookup import unknown
from pyhf_func.core import compiler
from pyhf_func.core.compiler import Layout, Order
from pyhf_func.core.parameters import ParameterSet
from pyhf_func.exceptions import InvalidModel
from pyhf_func.results.names import ModelNames


class Names:
    """The names of a model, where they lie in its vectors, and what it suggests to fits.

    Immutable, hashable and compared by content: the static part of the pytree `pyhf_func.model.Model`.
    """

    def __init__(
        self,
        order: Order,
        parameters: Sequence[ParameterSet],
        layout: Layout | None,
        poi_name: str | None,
        modifier_settings: Mapping[str, Mapping[str, Any]],
        listed_bounds: frozenset[str] = frozenset(),
        live: frozenset[str] = frozenset(),
    ) -> None:
        self.order = order
        self.parameters = {parameter.name: parameter for parameter in parameters}
        self.slices = compiler.parameter_slices(parameters)
        self.layout = layout
        self.modifier_settings = modifier_settings
        self.listed_bounds = listed_bounds  # parameters whose bounds the measurement lists
        self.live = live  # parameters whose constraint is traced, or on a framework's tape
        self.poi_name = poi_name or None
        content = (order.channel_nbins, order.modifiers, tuple(parameters), layout, modifier_settings, sorted(live))
        self._digest = hashlib.sha256(repr((*content, self.poi_name)).encode()).digest()

    @cached_property
    def of_results(self) -> ModelNames:
        """The names alone, for results."""
        sizes = tuple((name, parameter.n_parameters) for name, parameter in self.parameters.items())
        return ModelNames(sizes, self.poi_name, tuple(self.order.channel_nbins.items()), tuple(self.order.samples))

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Names) and self._digest == other._digest)

    def __hash__(self) -> int:
        return hash(self._digest)

    @property
    def poi_index(self) -> int | None:
        """Place of the POI in the parameter vector; None without one."""
        return self.slices[self.poi_name].start if self.poi_name else None

    @property
    def n_pars(self) -> int:
        """Length of the parameter vector."""
        return sum(parameter.n_parameters for parameter in self.parameters.values())

    def constrained(self, density: str) -> tuple[np.ndarray, np.ndarray]:
        """Places of the parameters with constraints of one density, and of their auxiliary data."""
        pars: list[int] = []
        places: list[int] = []
        first = 0
        for name, parameter in self.parameters.items():
            if parameter.constraint == density:
                pars += range(self.slices[name].start, self.slices[name].stop)
                places += range(first, first + parameter.n_parameters)
            first += parameter.n_parameters if parameter.constraint != "none" else 0
        return np.array(pars, dtype=int), np.array(places, dtype=int)

    @cached_property
    def lowest_data(self) -> np.ndarray:
        """The lowest value that each of the data can have: zero for counts, observed and auxiliary ones."""
        n_aux = sum(len(parameter.auxdata) for parameter in self.parameters.values())
        lowest = np.full(self.order.n_bins + n_aux, np.finfo(float).min)
        lowest[: self.order.n_bins] = 0.0
        lowest[self.order.n_bins + self.constrained("poisson")[1]] = 0.0
        return lowest

    def width_slice(self, name: str) -> slice:
        """Where a parameter's widths or factors lie among those of its density."""
        first, density = 0, self.parameters[name].constraint
        for other, parameter in self.parameters.items():
            if other == name:
                break
            first += parameter.n_parameters if parameter.constraint == density else 0
        return slice(first, first + self.parameters[name].n_parameters)

    def by_sample(self) -> tuple[np.ndarray, tuple[int, int]]:
        """Where each entry lies in a flattened table of shape (samples, bins), and that shape."""
        samples = {sample: i for i, sample in enumerate(self.order.samples)}
        place = [
            samples[row.sample] * self.order.n_bins + row.first_bin + b
            for row in self.order.rows
            for b in range(row.n_bins)
        ]
        n_all = len(samples) * self.order.n_bins
        others = self.layout.n_entries - len(place) if self.layout else 0  # of no sample: behind the table
        return np.array([*place, *[n_all] * others], dtype=int), (len(samples), self.order.n_bins)

    def with_suggestions(self, changed: Mapping[str, tuple[Any, Any, Any]]) -> Names:
        """The same with other start values, bounds and fixed flags of parameters; itself where nothing differs.

        Raises:
            InvalidModel: They are not one for each component, or no numbers.
        """
        parameters = [_suggesting(known, *changed[name]) for name, known in self.parameters.items()]
        return self if parameters == list(self.parameters.values()) else self._with(parameters, self.poi_name)

    def with_poi(self, name: str | None) -> Names:
        """The same with another parameter of interest.

        Raises:
            InvalidModel: There is no such parameter, or it has several components.
        """
        if name is not None and (not isinstance(name, str) or name not in self.parameters):
            raise InvalidModel(f"The parameter of interest: {unknown('parameter', name, self.parameters)}")
        if name is not None and self.parameters[name].n_parameters > 1:
            raise InvalidModel(
                f"The parameter of interest {name!r} has {self.parameters[name].n_parameters} components; "
                "it must have exactly one."
            )
        return self._with(list(self.parameters.values()), name)

    def _with(self, parameters: Sequence[ParameterSet], poi_name: str | None) -> Names:
        return Names(
            self.order, parameters, self.layout, poi_name, self.modifier_settings, self.listed_bounds, self.live
        )


def _suggesting(known: ParameterSet, inits: Any, bounds: Any, fixed: Any) -> ParameterSet:
    try:
        pairs = tuple((float(low), float(high)) for low, high in bounds)
        changed = replace(
            known,
            inits=tuple(map(float, inits)),
            bounds=pairs,
            fixed=tuple(map(bool, fixed)),
            default_bounds=known.default_bounds and pairs == known.bounds,
        )
    except (TypeError, ValueError):
        changed = None
    if changed is None or not len(changed.inits) == len(changed.bounds) == len(changed.fixed) == known.n_parameters:
        raise InvalidModel(
            f"The parameter {known.name!r} was set to suggest the start {inits!r}, the bounds {bounds!r} and the flags "
            f"{fixed!r}; it needs {known.n_parameters} of each, with (lower, upper) as bounds."
        )
    return changed


def listed_bounds(spec: Mapping[str, Any]) -> frozenset[str]:
    """The parameters whose bounds a spec lists."""
    return frozenset(config["name"] for config in spec.get("parameters", ()) if "bounds" in config)
