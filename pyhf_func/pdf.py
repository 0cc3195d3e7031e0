"""The model that users hold: a frozen pytree of numbers, with the names beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core import compiler, likelihood
from pyhf_func.core.arrays import Numbers, floats
from pyhf_func.core.compiler import Layout, Order, ParameterSet
from pyhf_func.core.likelihood import Likelihood
from pyhf_func.exceptions import InvalidModel, InvalidModifier, InvalidPdfData, InvalidPdfParameters
from pyhf_func.schema import validate as validate_schema
from pyhf_func.schema.semantics import check_model


class ModelConfig:
    """The names of a model, where they lie in its vectors, and what it suggests to fits. Immutable and hashable.

    Orders and values are those of pyhf 0.7.6.
    """

    def __init__(
        self,
        order: Order,
        parameters: Sequence[ParameterSet],
        layout: Layout,
        poi_name: str | None,
        modifier_settings: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._order = order
        self._parameters = {parameter.name: parameter for parameter in parameters}
        self._slices = compiler.parameter_slices(parameters)
        self._poi_name = poi_name or None
        self.layout = layout
        self.modifier_settings = modifier_settings
        content = repr((order.channel_nbins, order.modifiers, parameters, layout, self._poi_name, modifier_settings))
        self._digest = hashlib.sha256(content.encode()).digest()

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, ModelConfig) and self._digest == other._digest)

    def __hash__(self) -> int:
        return hash(self._digest)

    @property
    def channels(self) -> list[str]:
        """Channel names, sorted."""
        return list(self._order.channels)

    @property
    def samples(self) -> list[str]:
        """Sample names, sorted."""
        return list(self._order.samples)

    @property
    def modifiers(self) -> list[tuple[str, str]]:
        """(name, type) of every modifier, sorted."""
        return list(self._order.modifiers)

    @property
    def channel_nbins(self) -> dict[str, int]:
        """Number of bins of each channel."""
        return dict(self._order.channel_nbins)

    @property
    def channel_slices(self) -> dict[str, slice]:
        """Where each channel lies in the main data."""
        slices, start = {}, 0
        for channel, n_bins in self._order.channel_nbins.items():
            slices[channel] = slice(start, start + n_bins)
            start += n_bins
        return slices

    @property
    def nmaindata(self) -> int:
        """Number of bins of all channels."""
        return self._order.n_bins

    @property
    def nauxdata(self) -> int:
        """Number of auxiliary measurements."""
        return len(self.auxdata)

    @property
    def npars(self) -> int:
        """Length of the parameter vector."""
        return sum(parameter.n_parameters for parameter in self._parameters.values())

    @property
    def par_order(self) -> list[str]:
        """Parameter names in the order of the parameter vector."""
        return list(self._parameters)

    @property
    def parameters(self) -> list[str]:
        """Parameter names, sorted."""
        return sorted(self._parameters)

    @property
    def par_names(self) -> list[str]:
        """One name for each element of the parameter vector; ``name[i]`` where a parameter has components."""
        return [
            name if parameter.is_scalar else f"{name}[{i}]"
            for name, parameter in self._parameters.items()
            for i in range(parameter.n_parameters)
        ]

    @property
    def par_slices(self) -> dict[str, slice]:
        """Where each parameter lies in the parameter vector."""
        return dict(self._slices)

    @property
    def par_map(self) -> dict[str, dict[str, Any]]:
        """``{"slice": ..., "paramset": ...}`` of each parameter."""
        return {
            name: {"slice": self._slices[name], "paramset": parameter} for name, parameter in self._parameters.items()
        }

    def par_slice(self, name: str) -> slice:
        """Where a parameter lies in the parameter vector."""
        return self._slices[name]

    def param_set(self, name: str) -> ParameterSet:
        """What is known of a parameter: components, constraint, suggested values."""
        return self._parameters[name]

    @property
    def poi_name(self) -> str | None:
        """Name of the parameter of interest; None without one."""
        return self._poi_name

    @property
    def poi_index(self) -> int | None:
        """Its place in the parameter vector; None without one."""
        return self._slices[self._poi_name].start if self._poi_name else None

    @property
    def auxdata(self) -> list[float]:
        """The auxiliary data."""
        return [value for name in self.auxdata_order for value in self._parameters[name].auxdata]

    @property
    def auxdata_order(self) -> list[str]:
        """The constrained parameters in the order of the auxiliary data."""
        return [name for name, parameter in self._parameters.items() if parameter.constraint != "none"]

    def suggested_init(self) -> list[float]:
        """Start values for a fit."""
        return [value for parameter in self._parameters.values() for value in parameter.inits]

    def suggested_bounds(self) -> list[tuple[float, float]]:
        """(lower, upper) bounds for a fit."""
        return [bound for parameter in self._parameters.values() for bound in parameter.bounds]

    def suggested_fixed(self) -> list[bool]:
        """Which parameters a fit should keep fixed."""
        return [flag for parameter in self._parameters.values() for flag in parameter.fixed]


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, init=False, eq=False, repr=False)
class Model:
    """A HistFactory model: a pure function of (pars, data), and a frozen pytree.

    Its leaves are numbers and index arrays (``likelihood``); names and suggestions are in ``config``, outside of
    what is compiled: models of one structure share their compiled programs. A model travels into transformed
    functions as an argument; `with_yields` and its companions give a changed copy and accept tracers.

    Example:
        >>> import jax, pyhf_func as pf
        >>> spec = {"channels": [{"name": "SR", "samples": [
        ...     {"name": "signal", "data": [5.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        ...     {"name": "background", "data": [50.0], "modifiers": [
        ...         {"name": "scale", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}]}]}]}
        >>> model = pf.Model(spec)
        >>> model.config.par_names
        ['mu', 'scale']
        >>> [round(float(x), 4) for x in model.expected_data([1.0, 0.5])]
        [57.4657, 0.5]
        >>> round(float(jax.grad(model.logpdf)(jax.numpy.array([1.0, 0.0]), [52.0, 0.0])[0]), 6)
        -0.272727
    """

    likelihood: Likelihood
    config: ModelConfig

    def __init__(
        self,
        spec: Mapping[str, Any],
        *,
        poi_name: str | None = "mu",
        modifier_settings: Mapping[str, Mapping[str, str]] | None = None,
        validate: bool = True,
        strict: bool = False,
    ) -> None:
        """Compile a model spec.

        Args:
            spec: ``{"channels": [...], "parameters": [...]}`` as in the published format 1.0.0.
            poi_name: The parameter of interest; None for a model without one.
            modifier_settings: Interpolation codes by modifier type, such as
                ``{"normsys": {"interpcode": "code1"}}``; code4 and code4p where it is silent.
            validate: Check the spec against the schema first.
            strict: Refuse what is otherwise accepted with a warning, such as unused parameter configurations.

        Raises:
            InvalidSpecification: The spec does not follow the schema.
            InvalidModel: The spec has no defined meaning; all faults at once. (InvalidModifier, InvalidNameReuse
                where these name the first fault better.)
            InvalidInterpCode: An interpolation code that does not exist.
        """
        if validate:
            validate_schema(spec, "model.json")
        check_model(spec, poi_name, strict=strict, modifier_settings=modifier_settings)
        settings = {kind: dict(setting) for kind, setting in (modifier_settings or {}).items()}
        compiled = compiler.compile_model(spec, poi_name, settings)
        config = ModelConfig(compiled.order, compiled.parameters, compiled.layout, poi_name, settings)
        object.__setattr__(self, "likelihood", compiled.likelihood)
        object.__setattr__(self, "config", config)

    def tree_flatten(self) -> tuple[tuple[Likelihood], ModelConfig]:
        """The likelihood's leaves; the config is static."""
        return (self.likelihood,), self.config

    @classmethod
    def tree_unflatten(cls, config: ModelConfig, children: tuple[Likelihood]) -> Model:
        """Put leaves and config together again."""
        model = object.__new__(cls)
        object.__setattr__(model, "likelihood", children[0])
        object.__setattr__(model, "config", config)
        return model

    def __repr__(self) -> str:
        config = self.config
        return (
            f"Model({len(config.channels)} channels, {config.nmaindata} bins, {config.npars} parameters, "
            f"POI {config.poi_name!r})"
        )

    def expected_data(self, pars: Numbers, include_auxdata: bool = True) -> Array:
        """Expected main data, followed by expected auxiliary data; shape (nmaindata + nauxdata,).

        Raises:
            InvalidPdfParameters: ``pars`` does not have shape (npars,).
        """
        pars = self._pars(pars)
        if include_auxdata:
            return likelihood.expected_data(self.likelihood, pars)
        return likelihood.expected_main(self.likelihood, pars)

    def expected_actualdata(self, pars: Numbers) -> Array:
        """Expected main data; shape (nmaindata,)."""
        return likelihood.expected_main(self.likelihood, self._pars(pars))

    def expected_auxdata(self, pars: Numbers) -> Array:
        """Expected auxiliary data; shape (nauxdata,)."""
        return likelihood.expected_aux(self.likelihood, self._pars(pars))

    def logpdf(self, pars: Numbers, data: Numbers) -> Array:
        """Log density of the data (main, then auxiliary) at the parameters; shape ().

        ``-inf`` where the data have no density: an observed event in a bin without expected yield.

        Raises:
            InvalidPdfParameters: ``pars`` does not have shape (npars,).
            InvalidPdfData: ``data`` does not have shape (nmaindata + nauxdata,).
        """
        return likelihood.logpdf(self.likelihood, self._pars(pars), self.checked_data(data))

    def checked_data(self, data: Numbers) -> Array:
        """Data as an array of the right shape.

        Raises:
            InvalidPdfData: ``data`` does not have shape (nmaindata + nauxdata,).
        """
        n_main, n_aux = self.likelihood.n_bins, self.likelihood.n_aux
        array = floats(data)
        if array.shape != (n_main + n_aux,):
            raise InvalidPdfData(
                f"data has shape {array.shape}; the model needs ({n_main + n_aux},): {n_main} bins, then {n_aux} "
                "auxiliary data (Workspace.data(model) gives both; model.config.auxdata gives the latter). "
                "Use jax.vmap for several data sets."
            )
        return array

    def _pars(self, pars: Numbers) -> Array:
        n_pars = self.likelihood.n_pars
        array = floats(pars)
        if array.shape != (n_pars,):
            raise InvalidPdfParameters(
                f"pars has shape {array.shape}; the model needs ({n_pars},), in the order of "
                "model.config.par_names. Use jax.vmap for several parameter points."
            )
        return array

    def with_values(self, **values: Numbers) -> Model:
        """A copy with whole arrays of ``model.likelihood.values`` replaced."""
        old = self.likelihood.values
        new = {name: self._like(getattr(old, name), value, name) for name, value in values.items()}
        return self.tree_unflatten(self.config, (replace(self.likelihood, values=replace(old, **new)),))

    def with_yields(self, channel: str, sample: str, yields: Numbers) -> Model:
        """A copy with other nominal yields of one sample; may be traced.

        Templates, factors and constraint widths stay what they are: the yields of histosys templates are absolute
        (change them with `with_histosys`).

        Raises:
            InvalidModel: The model has no such sample, or the number of bins differs.

        Example:
            >>> import pyhf_func as pf
            >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [5.0],
            ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
            >>> model.with_yields("SR", "signal", [7.0]).expected_data([2.0]).tolist()
            [14.0]
        """
        place = self._entries(channel, sample)
        nominal = self.likelihood.values.nominal
        return self.with_values(nominal=nominal.at[place].set(self._like(nominal[place], yields, "yields")))

    def with_histosys(
        self,
        channel: str,
        sample: str,
        modifier: str,
        *,
        lo: Numbers | None = None,
        hi: Numbers | None = None,
    ) -> Model:
        """A copy with other yields at alpha = -1 (``lo``) and +1 (``hi``) of one histosys modifier; may be traced.

        Raises:
            InvalidModifier: The sample has no such histosys modifier.
            InvalidModel: The number of bins differs.
        """
        place = self._term(self.config.layout.histosys, channel, sample, modifier, "histosys")
        return self._with_terms("histosys", place, lo, hi)

    def with_normsys(
        self,
        channel: str,
        sample: str,
        modifier: str,
        *,
        lo: Numbers | None = None,
        hi: Numbers | None = None,
    ) -> Model:
        """A copy with other factors at alpha = -1 (``lo``) and +1 (``hi``) of one normsys modifier; may be traced.

        Raises:
            InvalidModifier: The sample has no such normsys modifier.
        """
        place = self._term(self.config.layout.normsys, channel, sample, modifier, "normsys")
        return self._with_terms("normsys", place, lo, hi)

    def _with_terms(
        self,
        kind: str,
        place: slice | int,
        lo: Numbers | None,
        hi: Numbers | None,
    ) -> Model:
        changes = {}
        for side, value in (("lo", lo), ("hi", hi)):
            if value is not None:
                old = getattr(self.likelihood.values, f"{kind}_{side}")
                changes[f"{kind}_{side}"] = old.at[place].set(self._like(old[place], value, side))
        return self.with_values(**changes)

    def _entries(self, channel: str, sample: str) -> slice:
        places = self.config.layout.entries
        if (channel, sample) not in places:
            here = [name for where, name in places if where == channel]
            known = f"channel {channel!r} has {here}" if here else f"channels are {self.config.channels}"
            raise InvalidModel(f"The model has no sample {sample!r} in channel {channel!r}: {known}.")
        return places[channel, sample]

    def _term(self, places: Mapping[Any, Any], channel: str, sample: str, modifier: str, kind: str) -> Any:
        self._entries(channel, sample)
        if (channel, sample, modifier) not in places:
            here = [name for *where, name in places if where == [channel, sample]]
            raise InvalidModifier(
                f"Sample {sample!r} of channel {channel!r} has no {kind} modifier {modifier!r}; it has {here}."
            )
        return places[channel, sample, modifier]

    @staticmethod
    def _like(old: Array, value: Numbers, name: str) -> Array:
        array = jnp.asarray(value, old.dtype)
        if array.shape != old.shape:
            raise InvalidModel(f"{name} has shape {array.shape}; the model needs {old.shape}.")
        return array
