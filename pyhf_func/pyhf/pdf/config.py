"""The configuration of a model as its users see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any

from pyhf_func._lookup import listed, unknown
from pyhf_func.core.codes import settings_of
from pyhf_func.core.compiler import Layout, ParameterSet
from pyhf_func.core.compiler.order import order_spec
from pyhf_func.core.compiler.parameters import collect_parameters
from pyhf_func.exceptions import UnknownParameter, Unsupported
from pyhf_func.pyhf.parameters import constrained_by_normal, constrained_by_poisson, paramset, unconstrained
from pyhf_func.pyhf.parameters.paramsets import constrained_otherwise
from pyhf_func.pyhf.pdf.names import Names, listed_bounds


class _ModelConfig:
    """The names of a model, where they lie in its vectors, and what it suggests to fits: ``model.config``.

    Orders and values are those of pyhf 0.7.6. Equal and hashed by content.

    Args:
        spec: ``{"channels": [...], "parameters": [...]}``.
        config_kwargs: ``modifier_settings``, the interpolation codes by modifier type.

    Raises:
        Unsupported: Another option.
    """

    def __init__(self, spec: Mapping[str, Any], **config_kwargs: Any) -> None:
        settings = config_kwargs.pop("modifier_settings", None)
        refuse_options(config_kwargs)
        order = order_spec(spec)
        parameters = collect_parameters(order, spec.get("parameters", ()))
        settings = settings_of(settings)
        self._names = Names(order, parameters, None, None, settings, listed_bounds=listed_bounds(spec))

    _live: Mapping[str, Any] = MappingProxyType({})
    """Widths or factors of the constraints that are traced, or on a framework's tape."""

    _agreed: tuple[Any, Any] | None = None
    """A start that was found to be the one that the model's arrays suggest: those arrays, and the start."""

    _seen: Any = None
    """The suggestions of parameter sets in users' hands when they were last read."""

    @classmethod
    def _of(cls, names: Names, live: Mapping[str, Any] | None = None) -> _ModelConfig:
        config = cls.__new__(cls)
        config._names = names
        if live:
            config._live = live
        return config

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ModelConfig) and self._settled() == other._settled()

    def __hash__(self) -> int:
        return hash(self._settled())

    def __repr__(self) -> str:
        channels, parameters = listed(self.channels), listed(self.par_order)
        return (
            f"<configuration of a model: {self.nmaindata} bins in {len(self.channels)} channels ({channels}), "
            f"{self.npars} elements of {len(self.par_order)} parameters ({parameters}), POI {self.poi_name!r}>"
        )

    @property
    def layout(self) -> Layout:
        """Where channels, samples and modifiers lie in the model's arrays."""
        assert self._names.layout is not None
        return self._names.layout

    @property
    def modifier_settings(self) -> Mapping[str, Mapping[str, Any]]:
        """Options of modifier types, such as their interpolation codes."""
        return {kind: dict(options) for kind, options in self._names.modifier_settings.items()}

    @property
    def channels(self) -> list[str]:
        """Channel names, sorted."""
        return list(self._names.order.channels)

    @property
    def samples(self) -> list[str]:
        """Sample names, sorted."""
        return list(self._names.order.samples)

    @property
    def modifiers(self) -> list[tuple[str, str]]:
        """(name, type) of every modifier, sorted."""
        return list(self._names.order.modifiers)

    @property
    def channel_nbins(self) -> dict[str, int]:
        """Number of bins of each channel."""
        return dict(self._names.order.channel_nbins)

    @property
    def channel_slices(self) -> dict[str, slice]:
        """Where each channel lies in the main data."""
        slices, start = {}, 0
        for channel, n_bins in self._names.order.channel_nbins.items():
            slices[channel] = slice(start, start + n_bins)
            start += n_bins
        return slices

    @property
    def nmaindata(self) -> int:
        """Number of bins of all channels."""
        return self._names.order.n_bins

    @property
    def nauxdata(self) -> int:
        """Number of auxiliary measurements."""
        return sum(len(parameter.auxdata) for parameter in self._names.parameters.values())

    @property
    def npars(self) -> int:
        """Length of the parameter vector."""
        return self._names.n_pars

    @property
    def par_order(self) -> list[str]:
        """Parameter names in the order of the parameter vector."""
        return list(self._names.parameters)

    @property
    def parameters(self) -> list[str]:
        """Parameter names, sorted."""
        return sorted(self._names.parameters)

    @property
    def par_names(self) -> list[str]:
        """One name for each element of the parameter vector; ``name[i]`` where a parameter has components."""
        return [
            name if parameter.is_scalar else f"{name}[{i}]"
            for name, parameter in self._names.parameters.items()
            for i in range(parameter.n_parameters)
        ]

    @property
    def par_slices(self) -> dict[str, slice]:
        """Where each parameter lies in the parameter vector."""
        return dict(self._names.slices)

    def par_slice(self, name: str) -> slice:
        """Where a parameter lies in the parameter vector.

        Raises:
            UnknownParameter: There is no such parameter; it is an InvalidPdfParameters and a KeyError.
        """
        return self._names.slices[self._known(name)]

    @cached_property
    def par_map(self) -> dict[str, dict[str, Any]]:
        """``{"slice": ..., "paramset": ...}`` of each parameter."""
        widths = {name for name, kind in self._names.order.modifiers if kind in ("lumi", "staterror")}
        return {
            name: {"slice": self._names.slices[name], "paramset": self._paramset(parameter, name in widths)}
            for name, parameter in self._names.parameters.items()
        }

    def param_set(self, name: str) -> paramset:
        """A parameter: components, constraint, suggested values.

        What is changed in it, such as ``suggested_fixed``, is what this config suggests from then on.

        Raises:
            UnknownParameter: There is no such parameter; it is an InvalidPdfParameters and a KeyError.
        """
        return self.par_map[self._known(name)]["paramset"]

    def _known(self, name: Any) -> str:
        if not isinstance(name, str) or name not in self._names.slices:
            raise UnknownParameter(unknown("parameter", name, self._names.slices))
        return name

    @property
    def poi_name(self) -> str | None:
        """Name of the parameter of interest; None without one."""
        return self._names.poi_name

    @property
    def poi_index(self) -> int | None:
        """Its place in the parameter vector; None without one."""
        return self._names.poi_index

    def set_poi(self, name: str | None) -> None:
        """Make another parameter the parameter of interest of this model; None for none.

        Raises:
            InvalidModel: There is no such parameter, or it has several components.
        """
        self._names = self._names.with_poi(name)

    @property
    def auxdata(self) -> list[float]:
        """The auxiliary data.

        Raises:
            AttributeError: The model was built from traced numbers and went through a transformation.
        """
        return [value for parameter in self._names.parameters.values() for value in self._auxdata_of(parameter)]

    def _auxdata_of(self, parameter: ParameterSet) -> list[Any]:
        if parameter.constraint != "poisson" or parameter.name not in self._names.live:
            return list(parameter.auxdata)
        return self._live_of(parameter)

    def _live_of(self, parameter: ParameterSet) -> list[Any]:
        if parameter.name not in self._live:
            raise AttributeError(
                f"The constraint of {parameter.name!r} was traced when the model was built, and is known there only: "
                "take it from the config of that model, or from model.expected_auxdata."
            )
        return [self._live[parameter.name][i] for i in range(parameter.n_parameters)]

    @property
    def auxdata_order(self) -> list[str]:
        """The constrained parameters in the order of the auxiliary data."""
        return [name for name, parameter in self._names.parameters.items() if parameter.constraint != "none"]

    def suggested_init(self) -> list[float]:
        """Start values for a fit."""
        if not self._handed_out:
            return [value for parameter in self._names.parameters.values() for value in parameter.inits]
        return list(chain.from_iterable(entry["paramset"].suggested_init for entry in self.par_map.values()))

    def suggested_bounds(self) -> list[Sequence[float]]:
        """(lower, upper) bounds for a fit; lists where the measurement lists them."""
        if not self._handed_out:
            return [pair for parameter in self._names.parameters.values() for pair in self._bounds_of(parameter)]
        return list(chain.from_iterable(entry["paramset"].suggested_bounds for entry in self.par_map.values()))

    def suggested_fixed(self) -> list[bool]:
        """Which parameters a fit should keep fixed."""
        if not self._handed_out:
            return [flag for parameter in self._names.parameters.values() for flag in parameter.fixed]
        return list(chain.from_iterable(entry["paramset"].suggested_fixed for entry in self.par_map.values()))

    @property
    def _handed_out(self) -> bool:
        """Whether users hold parameter sets, and may have changed what these suggest."""
        return "par_map" in self.__dict__

    def _settled(self) -> Names:
        """The names, with what users have changed in parameter sets.

        Raises:
            InvalidModel: What was set does not fit a parameter.
        """
        if self._handed_out:
            sets = [entry["paramset"] for entry in self.par_map.values()]
            found = [(each.suggested_init, each.suggested_bounds, each._fixed) for each in sets]
            if found != self._seen:
                self._names = self._names.with_suggestions(dict(zip(self.par_map, found, strict=True)))
                self._seen = deepcopy(found)
        return self._names

    def _bounds_of(self, parameter: ParameterSet) -> list[Sequence[float]]:
        return [list(pair) if parameter.name in self._names.listed_bounds else pair for pair in parameter.bounds]

    def _paramset(self, parameter: ParameterSet, has_widths: bool) -> paramset:
        """A parameter as its users see it."""
        common: dict[str, Any] = {
            "name": parameter.name,
            "n_parameters": parameter.n_parameters,
            "inits": list(parameter.inits),
            "bounds": self._bounds_of(parameter),
            "fixed": list(parameter.fixed),
            "is_scalar": parameter.is_scalar,
        }
        live = self._live_of(parameter) if parameter.name in self._names.live else None
        match parameter.constraint:
            case "normal":
                widths = (live or list(parameter.sigmas)) if has_widths or set(parameter.sigmas) != {1.0} else None
                return constrained_by_normal(**common, auxdata=list(parameter.auxdata), sigmas=widths)
            case "poisson":
                factors = live or list(parameter.factors)
                return constrained_by_poisson(**common, auxdata=self._auxdata_of(parameter), factors=factors)
            case "none":
                return unconstrained(**common)
            case density:
                widths = live or list(parameter.sigmas)
                return constrained_otherwise(**common, auxdata=list(parameter.auxdata), sigmas=widths, pdf_type=density)


def refuse_options(options: Mapping[str, Any]) -> None:
    """Raise `Unsupported` where options are left over."""
    if options:
        raise Unsupported(f"Unsupported options: {', '.join(options)}.")
