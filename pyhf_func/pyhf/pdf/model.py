"""The model that users hold: a frozen pytree of numbers, with the names beside it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from pyhf_func._lookup import shown, unknown
from pyhf_func.core import compiler, likelihood
from pyhf_func.core.arrays import Numbers, argument, count, floats
from pyhf_func.core.codes import settings_of
from pyhf_func.core.likelihood import Likelihood
from pyhf_func.core.processes import check_process
from pyhf_func.exceptions import (
    Fault,
    InvalidModel,
    InvalidModifier,
    InvalidPdfData,
    InvalidPdfParameters,
    InvalidSpecification,
)
from pyhf_func.pyhf.pdf import compute
from pyhf_func.pyhf.pdf.config import _ModelConfig, refuse_options
from pyhf_func.pyhf.pdf.custom import CustomModifiers
from pyhf_func.pyhf.pdf.live import live_rows, live_widths, with_live_numbers
from pyhf_func.pyhf.pdf.names import Names, listed_bounds
from pyhf_func.pyhf.pdf.parts import ConstraintModel, MainModel
from pyhf_func.pyhf.pdf.spec import copied, kept, numbers_as_lists
from pyhf_func.pyhf.probability import Simultaneous
from pyhf_func.pyhf.tensor.common import TensorViewer, _tensorviewer_from_sizes
from pyhf_func.pyhf.tensor.dispatch import backend_for, call, kind, numbers
from pyhf_func.pyhf.tensor.manager import current_backend
from pyhf_func.schema import extended
from pyhf_func.schema.semantics import check_model


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, init=False, eq=False, repr=False)
class Model:
    """A HistFactory model: a pure function of (pars, data), and a frozen pytree.

    Its leaves are numbers and index arrays (``likelihood``); names and suggestions are in ``config``, outside of
    what is compiled: models of one structure share their compiled programs. A model travels into transformed
    functions as an argument; `with_yields` and its companions give a changed copy and accept tracers.

    JAX arrays and tracers give JAX arrays; tensors of PyTorch, TensorFlow and MXNet give tensors of their framework,
    on its tape; numbers, lists and NumPy arrays give tensors of the current backend (NumPy unless it is set).

    Example:
        >>> import jax, pyhf_func as pf
        >>> spec = {"channels": [{"name": "SR", "samples": [
        ...     {"name": "signal", "data": [5.0], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]},
        ...     {"name": "background", "data": [50.0], "modifiers": [
        ...         {"name": "scale", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}]}]}]}
        >>> model = pf.Model(spec)
        >>> model.config.par_names
        ['mu', 'scale']
        >>> model.expected_data([1.0, 0.5]).round(4).tolist()
        [57.4657, 0.5]
        >>> round(float(jax.grad(model.logpdf)(jax.numpy.array([1.0, 0.0]), [52.0, 0.0])[0]), 6)
        -0.272727
    """

    config: _ModelConfig

    def __init__(
        self,
        spec: Mapping[str, Any],
        modifier_set: Mapping[str, tuple[Any, Any]] | None = None,
        batch_size: int | None = None,
        validate: bool = True,
        clip_sample_data: float | None = None,
        clip_bin_data: float | None = None,
        *,
        poi_name: str | None = "mu",
        modifier_settings: Mapping[str, Mapping[str, Any]] | None = None,
        continue_below_zero: bool = False,
        strict: bool = False,
        **config_kwargs: Any,
    ) -> None:
        """Compile a model spec.

        Args:
            spec: ``{"channels": [...], "parameters": [...]}`` as in the published format 1.0.0.
            modifier_set: Modifier types: ``{type: (builder, applier)}``; those of HistFactory where it is silent.
            batch_size: The number of parameter vectors that are evaluated at once; None for single vectors.
            validate: Check the spec against the schema first.
            clip_sample_data: Least expected yield of a sample in a bin.
            clip_bin_data: Least expected yield of a bin.
            poi_name: The parameter of interest; None for a model without one.
            modifier_settings: Interpolation codes by modifier type, such as
                ``{"normsys": {"interpcode": "code1"}}``; without any, code4 and code4p; for a
                type on which given settings are silent, code1 and code0 (as in pyhf).
            continue_below_zero: Give a bin without events the log density ``-yield`` also where its expected yield is
                negative, as pyhf does: fits are then rewarded for negative yields. Without it, such a yield has no
                density: ``-inf``.
            strict: Refuse what is otherwise accepted with a warning, such as unused parameter configurations.
            config_kwargs: ``schema`` and ``version``, what to check the spec against.

        Raises:
            InvalidSpecification: The spec does not follow the schema.
            InvalidModel: The spec has no defined meaning; all faults at once. (InvalidModifier, InvalidNameReuse
                where these name the first fault better.)
            InvalidInterpCode: An interpolation code that does not exist.
            Unsupported: An option that does not exist.
        """
        schema, version = config_kwargs.pop("schema", "model.json"), config_kwargs.pop("version", None)
        poi_name = config_kwargs.pop("poiname", poi_name)  # its older name
        refuse_options(config_kwargs)
        if poi_name is not None and not isinstance(poi_name, str):
            raise InvalidModel(f"poi_name is {shown(poi_name)}; give the name of a parameter, or None for no POI.")
        batch_size = None if batch_size is None else count(batch_size, "batch_size")
        plain = numbers_as_lists(spec)
        if validate:
            _refuse_workspace(plain)
            extended.validate(plain, schema, version)
        settings = settings_of(modifier_settings)
        own = CustomModifiers(plain, modifier_set, settings) if modifier_set else None
        known = own.known_spec if own else plain
        if own is None or own.has_known:
            named = None if own and poi_name in own.names else poi_name
            clipped = clip_sample_data is not None
            check_model(known, named, strict=strict, modifier_settings=settings, clipped=clipped)
        compiled = compiler.compile_model(known, poi_name, settings, own.parameters if own else None)
        order = own.order if own else compiled.order
        live = live_rows(spec) if plain is not spec else []
        names = Names(
            order,
            compiled.parameters,
            compiled.layout,
            poi_name,
            settings,
            batch_size,
            listed_bounds=listed_bounds(plain),
            live=frozenset(live_widths(spec, live)) & {p.name for p in compiled.parameters if p.constraint != "none"},
        )
        content = replace(
            compiled.likelihood,
            custom=own.effect(names) if own else None,
            least_entry=_least(clip_sample_data, "clip_sample_data"),
            least_bin=_least(clip_bin_data, "clip_bin_data"),
            continued=bool(continue_below_zero),
        )
        _fill(self, content, _ModelConfig._of(names))
        if live:
            changed, widths = with_live_numbers(self, spec, live)
            _fill(self, changed.likelihood, _ModelConfig._of(names, widths))
        self.__dict__.update(_kept_spec=kept(spec), _modifier_set=modifier_set, schema=schema, version=version)

    def tree_flatten(self) -> tuple[tuple[Likelihood], Names]:
        """The likelihood's leaves; the names are static."""
        return (self.likelihood,), self.config._settled()

    @classmethod
    def tree_unflatten(cls, names: Names, children: tuple[Likelihood]) -> Model:
        """Put leaves and names together again."""
        return _fill(object.__new__(cls), children[0], _ModelConfig._of(names))

    def __repr__(self) -> str:
        config = self.config
        return (
            f"Model({len(config.channels)} channels, {config.nmaindata} bins, {config.npars} parameters, "
            f"POI {config.poi_name!r})"
        )

    @property
    def likelihood(self) -> Likelihood:
        """The numbers, without names: what the engine works on."""
        hidden = self.__dict__
        names = self.config._settled()
        if hidden["_names"] is not names:  # the config was changed by hand
            hidden.update(_names=names, _likelihood=_with_space(hidden["_likelihood"], names))
        return hidden["_likelihood"]

    @property
    def _content(self) -> Likelihood:
        """The same where suggestions to fits do not matter, without a look at them."""
        return self.__dict__["_likelihood"]

    @property
    def spec(self) -> dict[str, Any]:
        """The spec that the model was built from.

        Raises:
            AttributeError: The model is a changed copy, or comes out of a transformation: it has none.
        """
        hidden = self.__dict__
        if "_kept_spec" not in hidden:
            raise AttributeError("This model has no spec: it was not built from one, but made from another model.")
        if "_spec" not in hidden:
            hidden["_spec"] = copied(hidden["_kept_spec"])
        return hidden["_spec"]

    @property
    def batch_size(self) -> int | None:
        """The number of parameter vectors that are evaluated at once; None for single vectors."""
        return self.config._names.batch_size

    @property
    def main_model(self) -> MainModel:
        """The bins on their own."""
        return MainModel(self)

    @property
    def constraint_model(self) -> ConstraintModel:
        """The constraints of the parameters on their own."""
        return ConstraintModel(self)

    def modifications(self, pars: Numbers) -> tuple[list[Any], list[Any]]:
        """Shifts and factors of all modifier types at the parameters.

        Each has shape (modifiers, samples, batch_size or 1, bins); the yield of a sample in a bin is
        (nominal + all shifts) × all factors.
        """
        return self.main_model.modifications(pars)

    _modifications = modifications

    @property
    def fullpdf_tv(self) -> TensorViewer | None:
        """Which part of the data is main, and which auxiliary."""
        n_main, n_aux = self.config.nmaindata, self.config.nauxdata
        sizes, names = ([n_main, n_aux], ["main", "aux"]) if n_aux else ([n_main], ["main"])
        return _tensorviewer_from_sizes(sizes, names, self.batch_size)

    @property
    def nominal_rates(self) -> Any:
        """Nominal yields; shape (1, samples, batch_size or 1, bins)."""
        place, shape = self.config._names.by_sample()
        rates = call(self._kind(), compute.nominal_rates(shape), self.likelihood, place)
        tensorlib = backend_for(rates)
        rates = tensorlib.reshape(rates, (1, shape[0], 1, shape[1]))
        return tensorlib.tile(rates, (1, 1, self.batch_size or 1, 1))

    def expected_data(self, pars: Numbers, include_auxdata: bool = True) -> Any:
        """Expected main data, followed by expected auxiliary data; shape (nmaindata + nauxdata,).

        With a ``batch_size``, ``pars`` and the result have an axis of that length in front, here and elsewhere.
        More than npars elements are cut off with a warning, here and elsewhere, and refused by `logpdf`.

        Raises:
            InvalidPdfParameters: ``pars`` does not have shape (npars,).
        """
        return self._evaluate(compute.expected_data if include_auxdata else compute.expected_main, pars)

    def expected_actualdata(self, pars: Numbers) -> Any:
        """Expected main data; shape (nmaindata,)."""
        return self._evaluate(compute.expected_main, pars)

    def expected_auxdata(self, pars: Numbers) -> Any:
        """Expected auxiliary data; shape (nauxdata,)."""
        return self._evaluate(compute.expected_aux, pars)

    def logpdf(self, pars: Numbers, data: Numbers) -> Any:
        """Log density of the data (main, then auxiliary) at the parameters; shape (1,), or (batch_size,).

        With JAX arrays and tracers it is a scalar, shape (), unless the backend is set to ``"jax"`` or the model has a
        ``batch_size``. ``-inf`` where the data have no density: an observed event in a bin without expected yield.

        Raises:
            InvalidPdfParameters: ``pars`` does not have shape (npars,).
            InvalidPdfData: ``data`` does not have shape (nmaindata + nauxdata,).
        """
        here = self._kind(pars, data)
        content = self._content
        pars = self._vector(pars, here, content.n_pars, "pars")
        if here == "jax" and self.batch_size is None and current_backend().name != "jax":
            return likelihood.logpdf(content, argument(pars, "pars"), self.checked_data(data))
        data = self._vector(data, here, content.n_bins + content.n_aux, "data")
        return call(here, compute.logpdf, content, pars, data)

    def pdf(self, pars: Numbers, data: Numbers) -> Any:
        """Density of the data at the parameters: the exponential of `logpdf`."""
        log_density = self.logpdf(pars, data)
        return backend_for(log_density).exp(log_density)

    def mainlogpdf(self, maindata: Numbers, pars: Numbers) -> Any:
        """Log density of the main data; shape (), or (batch_size,). (The data come first.)"""
        return self._logpdf_of(compute.main_logpdf, maindata, self.likelihood.n_bins, pars)

    def constraint_logpdf(self, auxdata: Numbers, pars: Numbers) -> Any:
        """Log density of the auxiliary data; shape (), or (batch_size,). (The data come first.)"""
        return self._logpdf_of(compute.constraint_logpdf, auxdata, self.likelihood.n_aux, pars)

    def make_pdf(self, pars: Numbers) -> Simultaneous:
        """The distribution of main and auxiliary data at the parameters.

        Example:
            >>> import pyhf_func as pf
            >>> model = pf.Model({"channels": [{"name": "SR", "samples": [{"name": "signal", "data": [5.0, 8.0],
            ...     "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]}]}]})
            >>> model.make_pdf([2.0]).expected_data().tolist()
            [10.0, 16.0]
            >>> model.make_pdf([2.0]).sample((100,)).shape
            (100, 2)
        """
        main, constraints = self.main_model.make_pdf(pars), self.constraint_model.make_pdf(pars)
        parts = [main] if constraints is None else [main, constraints]
        return Simultaneous(parts, self.fullpdf_tv, self.batch_size)

    def checked_data(self, data: Numbers) -> Array:
        """Data as an array of the right shape, to be given to a compiled function.

        Raises:
            InvalidPdfData: ``data`` does not have shape (nmaindata + nauxdata,).
        """
        n_main, n_aux = self._content.n_bins, self._content.n_aux
        array = argument(data, "data")
        if array.shape != (n_main + n_aux,):
            raise InvalidPdfData(
                f"data has shape {array.shape}; the model needs ({n_main + n_aux},): {n_main} bins, then {n_aux} "
                "auxiliary data (Workspace.data(model) gives both; model.config.auxdata gives the latter). "
                "Use jax.vmap for several data sets."
            )
        return array

    def _kind(self, *values: Any) -> str | None:
        """The kind of tensor that the values, and the model's own numbers, ask for."""
        check_process()
        hidden = self.__dict__
        if "_own_kind" not in hidden:
            hidden["_own_kind"] = _kind_of_leaves(hidden["_likelihood"])
        here = kind(*(value for value in values if not isinstance(value, Mapping)))  # which no array is
        return hidden["_own_kind"] or here if here in (None, "jax") else here

    def _evaluate(self, function: Any, pars: Numbers, places: Sequence[Any] = ()) -> Any:
        here = self._kind(pars)
        return call(here, function, self._content, *places, self._checked_pars(pars, here))

    def _logpdf_of(self, function: Any, data: Numbers, length: int, pars: Numbers) -> Any:
        here = self._kind(pars, data)
        data = self._vector(data, here, length, "data")
        return call(here, function, self._content, self._checked_pars(pars, here), data)

    def _checked_pars(self, pars: Numbers, here: str | None = None) -> Any:
        """Parameters as an array of the right shape, of the kind ``here``; a surplus is left out, with a warning."""
        here, length = here or self._kind(pars), self._content.n_pars
        array = numbers(here, pars, "pars")
        surplus = len(array.shape) == 1 and (array.shape[0] or 0) - length
        if self.batch_size is not None or surplus <= 0:
            return self._vector(array, here, length, "pars")
        warnings.warn(
            f"pars has {array.shape[0]} elements and the model {length} parameters: the last {surplus} are ignored. "
            "Give them in the order of model.config.par_names.",
            stacklevel=4,
        )
        return array[:length]

    def _vector(self, values: Any, here: str | None, length: int, what: str) -> Any:
        """A vector, or a batch of them, of the given length."""
        array = numbers(here, values, what)
        shape, batch = tuple(array.shape), self.batch_size
        needed = (length,) if batch is None else (batch, length)
        if shape == needed or (what == "data" and shape == (length,)) or None in shape:
            return array
        if what == "pars":
            raise InvalidPdfParameters(
                f"pars has shape {shape}; the model needs {needed}, in the order of model.config.par_names. "
                "Use jax.vmap for several parameter points, or a model with a batch_size."
            )
        raise InvalidPdfData(
            f"data has shape {shape}; the model needs ({length},) here. {self.config.nmaindata} bins come first, then "
            f"{self.config.nauxdata} auxiliary data (model.config.auxdata)."
        )

    def with_values(self, **values: Numbers) -> Model:
        """A copy with whole arrays of ``model.likelihood.values`` replaced."""
        check_process()
        old = self.likelihood.values
        for name in values:
            if not hasattr(old, name):
                raise InvalidModel(unknown("array", name, vars(old)))
        new = {name: self._like(getattr(old, name), value, name) for name, value in values.items()}
        return self.tree_unflatten(self.config._settled(), (replace(self.likelihood, values=replace(old, **new)),))

    def with_poi(self, name: str | None) -> Model:
        """A copy with another parameter of interest; None for none.

        Raises:
            InvalidModel: There is no such parameter, or it has several components.

        Example:
            >>> import pyhf_func as pf
            >>> model = pf.simplemodels.correlated_background([5.0], [50.0], [55.0], [45.0])
            >>> model.with_poi("correlated_bkg_uncertainty").config.poi_name
            'correlated_bkg_uncertainty'
        """
        names = self.config._settled().with_poi(name)
        content, place = self.likelihood, -1 if names.poi_index is None else names.poi_index
        poi = jax.device_put(np.full(content.space.poi.shape, place, np.int32))
        return self.tree_unflatten(names, (replace(content, space=replace(content.space, poi=poi)),))

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
        return self._with_part("nominal", self._entries(channel, sample), yields, "yields")

    def _changed_yields(self, changes: Mapping[tuple[str, str], Any]) -> np.ndarray:
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

    def _with_terms(self, kind: str, place: slice | int, lo: Numbers | None, hi: Numbers | None) -> Model:
        changed = self
        for side, value in (("lo", lo), ("hi", hi)):
            if value is not None:
                changed = changed._with_part(f"{kind}_{side}", place, value, side)
        return changed

    def _with_widths(self, density: str, place: slice, widths: Any, what: str) -> Model:
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
        return self.tree_unflatten(self.config._settled(), (replace(content, others=others),))

    def _with_part(self, name: str, place: slice | int, part: Any, what: str) -> Model:
        """A copy with a part of one array of ``model.likelihood.values`` replaced."""
        return self.with_values(**{name: self._put(getattr(self.likelihood.values, name), place, part, what)})

    def _put(self, old: Any, place: slice | int, part: Any, what: str) -> Any:
        """An array of the model with a part of it replaced."""
        own, index = self._kind(), np.arange(old.shape[0])[place]
        part = self._like(index, part, what)
        here = kind(part) if own in (None, "jax") else own
        return put(old, index, part) if here in (None, "jax") else call(here, put, old, index, part)

    def _entries(self, channel: str, sample: str) -> slice:
        places = self.config.layout.entries
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


def _fill(model: Model, content: Likelihood, config: _ModelConfig) -> Model:
    """Give a frozen model its content."""
    model.__dict__.update(config=config, _names=config._names, _likelihood=content)
    model.__dict__.pop("_own_kind", None)
    return model


def _with_space(content: Likelihood, names: Names) -> Likelihood:
    """The likelihood with the parameter of interest and the suggestions of its names."""
    old, poi = content.space, names.poi_index
    new = compiler.parameter_space(list(names.parameters.values()), -1 if poi is None else poi)
    shaped = {
        name: jnp.broadcast_to(jnp.asarray(getattr(new, name), array.dtype), array.shape)
        for name, array in vars(old).items()
    }
    return replace(content, space=replace(old, **shaped))


def _kind_of_leaves(content: Likelihood) -> str | None:
    """Tracers and tensors of other frameworks among a model's numbers ask for answers of their kind."""
    leaves = jax.tree.leaves(content)
    if all(isinstance(leaf, jax.Array) for leaf in leaves):
        return "jax" if any(isinstance(leaf, jax.core.Tracer) for leaf in leaves) else None
    return kind(leaves)
