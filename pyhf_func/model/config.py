"""The names of a model as its users see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyhf_func._lookup import listed, unknown
from pyhf_func.core.compiler import Layout
from pyhf_func.core.parameters import ParameterSet
from pyhf_func.exceptions import UnknownParameter
from pyhf_func.model.names import Names


class Config:
    """The names of a model, where they lie in its vectors, and what it suggests to fits; to be read only.

    Orders and values are those of pyhf 0.7.6.

    Args:
        names: The names.
        live: Widths or factors, by parameter, of the constraints that are traced, or on a framework's tape.
    """

    def __init__(self, names: Names, live: Mapping[str, Any] | None = None) -> None:
        self._names = names
        self._live = dict(live or {})

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
        return [value for parameter in self._names.parameters.values() for value in parameter.inits]

    def suggested_bounds(self) -> list[Sequence[float]]:
        """(lower, upper) bounds for a fit; lists where the measurement lists them."""
        return [pair for parameter in self._names.parameters.values() for pair in self._bounds_of(parameter)]

    def suggested_fixed(self) -> list[bool]:
        """Which parameters a fit should keep fixed."""
        return [flag for parameter in self._names.parameters.values() for flag in parameter.fixed]

    def _bounds_of(self, parameter: ParameterSet) -> list[Sequence[float]]:
        return [list(pair) if parameter.name in self._names.listed_bounds else pair for pair in parameter.bounds]
