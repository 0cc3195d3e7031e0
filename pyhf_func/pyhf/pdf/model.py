"""The model of the documented API: it holds a frozen one, and what users set beside it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
from jax import Array

from pyhf_func import model as native
from pyhf_func._lookup import shown
from pyhf_func.core import likelihood
from pyhf_func.core.arrays import Numbers, argument, count
from pyhf_func.core.likelihood import Likelihood
from pyhf_func.core.processes import check_process
from pyhf_func.exceptions import InvalidModel, InvalidPdfData, InvalidPdfParameters
from pyhf_func.model import Names, Options
from pyhf_func.pyhf.pdf import compute
from pyhf_func.pyhf.pdf.config import _ModelConfig, refuse_options
from pyhf_func.pyhf.pdf.custom import CustomModifiers
from pyhf_func.pyhf.pdf.origin import Origin
from pyhf_func.pyhf.pdf.parts import ConstraintModel, MainModel
from pyhf_func.pyhf.probability import Simultaneous
from pyhf_func.pyhf.tensor.common import TensorViewer, _tensorviewer_from_sizes
from pyhf_func.pyhf.tensor.dispatch import backend_for, call, kind, numbers
from pyhf_func.pyhf.tensor.manager import current_backend


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
    _batch_size: int | None
    _held: native.Model
    _origin: Origin | None

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
        options = Options(
            poi_name=poi_name,
            modifier_settings=modifier_settings,
            validate=validate,
            schema=schema,
            version=version,
            clip_sample_data=clip_sample_data,
            clip_bin_data=clip_bin_data,
            continue_below_zero=continue_below_zero,
            strict=strict,
        )
        own = (lambda plain, settings: CustomModifiers(plain, modifier_set, settings)) if modifier_set else None
        held, live = native.build(spec, options, own)
        self._hold(held, _ModelConfig._of(held.names, live), batch_size, Origin(spec, modifier_set, schema, version))

    def _hold(self, held: native.Model, config: _ModelConfig, batch_size: int | None, origin: Origin | None) -> None:
        fields = {"config": config, "_batch_size": batch_size, "_held": held, "_origin": origin}
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @classmethod
    def _around(cls, held: native.Model, batch_size: int | None) -> Model:
        model = object.__new__(cls)
        model._hold(held, _ModelConfig._of(held.names), batch_size, None)
        return model

    def frozen(self) -> native.Model:
        """The model that the verbs compute with, with the parameter of interest and the suggestions as they are set."""
        return self.config.applied_to(self._held)

    def tree_flatten(self) -> tuple[tuple[Likelihood], tuple[Names, int | None]]:
        """The likelihood's leaves; the names and the size of batches are static."""
        now = self.frozen()
        return (now.likelihood,), (now.names, self.batch_size)

    @classmethod
    def tree_unflatten(cls, names: tuple[Names, int | None], children: tuple[Likelihood]) -> Model:
        """Put leaves and names together again."""
        static, batch_size = names
        return cls._around(native.Model(children[0], static), batch_size)

    def __repr__(self) -> str:
        return repr(self.frozen())

    @property
    def likelihood(self) -> Likelihood:
        """The numbers, without names: what the engine works on."""
        return self.frozen().likelihood

    @property
    def _content(self) -> Likelihood:
        """The same where suggestions to fits do not matter, without a look at them."""
        return self._held.likelihood

    @property
    def spec(self) -> dict[str, Any]:
        """The spec that the model was built from.

        Raises:
            AttributeError: The model is a changed copy, or comes out of a transformation: it has none.
        """
        return self._built_from.spec

    @property
    def schema(self) -> str:
        """The schema that the spec was checked against."""
        return self._built_from.schema

    @property
    def version(self) -> str | None:
        """The version of that schema."""
        return self._built_from.version

    @property
    def _source(self) -> Any:
        """The workspace and the measurement that the model is of, where they are known."""
        return self._origin and self._origin.workspace

    @property
    def _built_from(self) -> Origin:
        if self._origin is None:
            raise AttributeError("This model has no spec: it was not built from one, but made from another model.")
        return self._origin

    @property
    def batch_size(self) -> int | None:
        """The number of parameter vectors that are evaluated at once; None for single vectors."""
        return self._batch_size

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
        return self._held.checked_data(data)

    def _kind(self, *values: Any) -> str | None:
        """The kind of tensor that the values, and the model's own numbers, ask for."""
        check_process()
        here = kind(*(value for value in values if not isinstance(value, Mapping)))  # which no array is
        return self._held.kind or here if here in (None, "jax") else here

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
        return self._around(self.frozen().with_values(**values), self.batch_size)

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
        return self._around(self.frozen().with_poi(name), self.batch_size)

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
        return self._around(self.frozen().with_yields(channel, sample, yields), self.batch_size)

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
        changed = self.frozen().with_histosys(channel, sample, modifier, lo=lo, hi=hi)
        return self._around(changed, self.batch_size)

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
        changed = self.frozen().with_normsys(channel, sample, modifier, lo=lo, hi=hi)
        return self._around(changed, self.batch_size)
