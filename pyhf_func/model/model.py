"""The model that the verbs compute with: a frozen pytree of numbers, with the names beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func._lookup import unknown
from pyhf_func.adapters import bridge
from pyhf_func.core import compiler, likelihood
from pyhf_func.core.arrays import Numbers, argument, floats
from pyhf_func.core.likelihood import Likelihood
from pyhf_func.core.processes import check_process
from pyhf_func.exceptions import InvalidModel, InvalidModifier, InvalidPdfData
from pyhf_func.model.config import Config
from pyhf_func.model.kinds import kind
from pyhf_func.model.names import Names


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A HistFactory likelihood: pure functions of (pars, data) in JAX, and a frozen pytree.

    Every verb accepts it. It changes nothing about itself, and reads no settings: those of a `pyhf_func.Model` (its
    parameter of interest, suggestions to fits) are part of what its ``frozen()`` gives.

    Attributes:
        likelihood: The numbers, without names; the leaves of the pytree.
        names: The names, the parameter of interest and the suggestions to fits; static.

    Example:
        >>> import jax, pyhf_func as pf
        >>> model = pf.simplemodels.correlated_background([5.0], [50.0], [55.0], [45.0]).frozen()
        >>> model.expected_data([0.0, 1.0]).tolist()
        [55.0, 0.0]
        >>> jax.vmap(model.logpdf, (0, None))(jax.numpy.ones((3, 2)), [52.0, 0.0]).shape
        (3,)
        >>> pf.fit([52.0, 0.0], model).pars.round(4).tolist()
        [0.0, 0.4]
    """

    likelihood: Likelihood
    names: Names

    def tree_flatten(self) -> tuple[tuple[Likelihood], Names]:
        """The likelihood's leaves; the names are static."""
        return (self.likelihood,), self.names

    @classmethod
    def tree_unflatten(cls, names: Names, children: tuple[Likelihood]) -> Model:
        """Put leaves and names together again."""
        return cls(children[0], names)

    def __copy__(self) -> Model:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        """Itself, as nothing of it can change; in a forked process JAX would hang over a copy of its arrays."""
        return self

    def __repr__(self) -> str:
        config = self.config
        return (
            f"Model({len(config.channels)} channels, {config.nmaindata} bins, {config.npars} parameters, "
            f"POI {config.poi_name!r})"
        )

    @property
    def config(self) -> Config:
        """The names as users see them."""
        return Config(self.names)

    @cached_property
    def kind(self) -> str | None:
        """The kind of tensor that its own numbers ask for: None where they are plain."""
        leaves = jax.tree.leaves(self.likelihood)
        if all(isinstance(leaf, jax.Array) for leaf in leaves):
            return "jax" if any(isinstance(leaf, jax.core.Tracer) for leaf in leaves) else None
        return kind(leaves)

    def expected_data(self, pars: Numbers) -> Array:
        """Expected main data, followed by expected auxiliary data; shape (bins + auxiliary data,)."""
        return likelihood.expected_data(self.likelihood, floats(argument(pars, "pars")))

    def logpdf(self, pars: Numbers, data: Numbers) -> Array:
        """Log density of the data (main, then auxiliary) at the parameters; shape ().

        Raises:
            InvalidPdfData: ``data`` does not have shape (bins + auxiliary data,).
        """
        return likelihood.logpdf(self.likelihood, floats(argument(pars, "pars")), self.checked_data(data))

    def checked_data(self, data: Numbers) -> Array:
        """Data as an array of the right shape, to be given to a compiled function.

        Raises:
            InvalidPdfData: ``data`` does not have shape (nmaindata + nauxdata,).
        """
        n_main, n_aux = self.likelihood.n_bins, self.likelihood.n_aux
        array = argument(data, "data")
        if array.shape != (n_main + n_aux,):
            raise InvalidPdfData(
                f"data has shape {array.shape}; the model needs ({n_main + n_aux},): {n_main} bins, then {n_aux} "
                "auxiliary data (Workspace.data(model) gives both; model.config.auxdata gives the latter). "
                "Use jax.vmap for several data sets."
            )
        return array

    def with_values(self, **values: Numbers) -> Model:
        """A copy with whole arrays of ``model.likelihood.values`` replaced."""
        check_process()
        old = self.likelihood.values
        for name in values:
            if not hasattr(old, name):
                raise InvalidModel(unknown("array", name, vars(old)))
        new = {name: self._like(getattr(old, name), value, name) for name, value in values.items()}
        return replace(self, likelihood=replace(self.likelihood, values=replace(old, **new)))

    def with_settings(self, names: Names) -> Model:
        """The same with the parameter of interest and the suggestions to fits of its names as they are now."""
        return self if names is self.names else Model(_with_space(self.likelihood, names), names)

    def with_poi(self, name: str | None) -> Model:
        """A copy with another parameter of interest; None for none.

        Raises:
            InvalidModel: There is no such parameter, or it has several components.
        """
        names = self.names.with_poi(name)
        content, place = self.likelihood, -1 if names.poi_index is None else names.poi_index
        poi = jax.device_put(np.full(content.space.poi.shape, place, np.int32))
        return Model(replace(content, space=replace(content.space, poi=poi)), names)

    def with_yields(self, channel: str, sample: str, yields: Numbers) -> Model:
        """A copy with other nominal yields of one sample; may be traced.

        Templates, factors and constraint widths stay what they are: the yields of histosys templates are absolute
        (change them with `with_histosys`).

        Raises:
            InvalidModel: The model has no such sample, or the number of bins differs.
        """
        return self._with_part("nominal", self._entries(channel, sample), yields, "yields")

    def changed_yields(self, changes: Mapping[tuple[str, str], Any]) -> np.ndarray:
        """Nominal yields with those of some samples, by (channel, sample), replaced by numbers."""
        changed = np.array(self.likelihood.values.nominal, dtype=float)
        for (channel, sample), yields in changes.items():
            place, new = self._entries(channel, sample), np.asarray(yields, dtype=float)
            _check_shape("yields", new.shape, changed[place].shape)
            changed[place] = new
        return changed

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
        place = self._term(self._layout.histosys, channel, sample, modifier, "histosys")
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
        place = self._term(self._layout.normsys, channel, sample, modifier, "normsys")
        return self._with_terms("normsys", place, lo, hi)

    def _with_terms(self, kind: str, place: slice | int, lo: Numbers | None, hi: Numbers | None) -> Model:
        changed = self
        for side, value in (("lo", lo), ("hi", hi)):
            if value is not None:
                changed = changed._with_part(f"{kind}_{side}", place, value, side)
        return changed

    def with_widths(self, density: str, place: slice, widths: Any, what: str) -> Model:
        """A copy with other widths, or factors, of some measurements of one density."""
        array = {"normal": "normal_sigma", "poisson": "poisson_factor"}.get(density)
        if array is not None:
            return self._with_part(array, place, widths, what)
        content = self.likelihood
        others = tuple(
            replace(each, numbers=(self._put(each.numbers[0], place, widths, what), *each.numbers[1:]))
            if each.density.name == density
            else each
            for each in content.others
        )
        return replace(self, likelihood=replace(content, others=others))

    def _with_part(self, name: str, place: slice | int, part: Any, what: str) -> Model:
        """A copy with a part of one array of ``model.likelihood.values`` replaced."""
        return self.with_values(**{name: self._put(getattr(self.likelihood.values, name), place, part, what)})

    def _put(self, old: Any, place: slice | int, part: Any, what: str) -> Any:
        """An array of the model with a part of it replaced."""
        own, index = self.kind, np.arange(old.shape[0])[place]
        part = self._like(index, part, what)
        here = kind(part) if own in (None, "jax") else own
        return put(old, index, part) if here in (None, "jax") else bridge.apply(put, old, index, part)

    @property
    def _layout(self) -> compiler.Layout:
        return self.config.layout

    def _entries(self, channel: str, sample: str) -> slice:
        places = self._layout.entries
        here = [name for where, name in places if where == channel]
        if not here:
            raise InvalidModel(unknown("channel", channel, self.config.channels))
        if sample not in here:
            raise InvalidModel(unknown("sample", sample, here, f"Channel {channel!r} of the model"))
        return places[channel, sample]

    def _term(self, places: Mapping[Any, Any], channel: str, sample: str, modifier: str, kind: str) -> Any:
        self._entries(channel, sample)
        if (channel, sample, modifier) not in places:
            here = [name for *where, name in places if where == [channel, sample]]
            raise InvalidModifier(
                unknown(f"{kind} modifier", modifier, here, f"Sample {sample!r} of channel {channel!r}")
            )
        return places[channel, sample, modifier]

    @staticmethod
    def _like(old: Any, value: Any, name: str) -> Any:
        """A value as an array of the shape of another; tensors stay tensors."""
        array = value if kind(value) not in (None, "jax") else floats(argument(value, name))
        _check_shape(name, tuple(array.shape), tuple(old.shape))
        return array


class Holder(Protocol):
    """Something that holds a model, and settings of it: `pyhf_func.Model`."""

    def frozen(self) -> Model:
        """The model with the settings as they are now."""

    @property
    def likelihood(self) -> Likelihood:
        """Its numbers."""

    @property
    def config(self) -> Config:
        """Its names."""

    def checked_data(self, data: Numbers) -> Array:
        """Data as an array of the right shape."""


AnyModel: TypeAlias = Model | Holder
"""A model as every verb accepts it."""


def is_model(value: Any) -> bool:
    """Whether something is, or holds, a model."""
    return isinstance(value, Model) or (hasattr(type(value), "frozen") and hasattr(type(value), "tree_flatten"))


def frozen(model: AnyModel) -> Model:
    """The model itself, or that which something holds."""
    return model if isinstance(model, Model) else model.frozen()


def _check_shape(name: str, shape: tuple[int, ...], needed: tuple[int, ...]) -> None:
    if shape != needed:
        raise InvalidModel(f"{name} has shape {shape}; the model needs {needed}.")


def put(old: Array, index: np.ndarray, part: Array) -> Array:
    """An array with some of its elements replaced."""
    if any(isinstance(array, jax.core.Tracer) for array in (old, part)):
        return jnp.asarray(old, float).at[index].set(part)
    new = np.array(old, dtype=float)
    new[index] = part
    return jax.device_put(new)


def _with_space(content: Likelihood, names: Names) -> Likelihood:
    """The likelihood with the parameter of interest and the suggestions of its names."""
    old, poi = content.space, names.poi_index
    with jax.ensure_compile_time_eval():  # what is kept must not belong to a transformation
        new = compiler.parameter_space(list(names.parameters.values()), -1 if poi is None else poi)
        shaped = {
            name: jnp.broadcast_to(jnp.asarray(getattr(new, name), array.dtype), array.shape)
            for name, array in vars(old).items()
        }
    return replace(content, space=replace(old, **shaped))
