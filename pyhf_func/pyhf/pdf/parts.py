"""The two parts of a model, as distributions: the bins, and the constraints of the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from pyhf_func.exceptions import Unsupported
from pyhf_func.pyhf.constraints import gaussian_constraint_combined, poisson_constraint_combined
from pyhf_func.pyhf.parameters import ParamViewer
from pyhf_func.pyhf.pdf import compute
from pyhf_func.pyhf.pdf.appliers import modifications
from pyhf_func.pyhf.probability import Independent, Normal, Poisson, Simultaneous
from pyhf_func.pyhf.tensor.common import TensorViewer, take
from pyhf_func.pyhf.tensor.dispatch import backend_for, backend_of

if TYPE_CHECKING:
    from pyhf_func.pyhf.pdf.model import Model


class MainModel:
    """The bins of a model: Poisson counts around the expected yields."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.config = model.config
        self.batch_size = model.batch_size
        self.clip_sample_data = model.likelihood.least_entry
        self.clip_bin_data = model.likelihood.least_bin

    @property
    def nominal_rates(self) -> Any:
        """Nominal yields; shape (1, samples, batch_size or 1, bins)."""
        return self._model.nominal_rates

    def has_pdf(self) -> bool:
        """A model has bins: True."""
        return True

    def expected_data(self, pars: Any, return_by_sample: bool = False) -> Any:
        """Expected main data; shape (..., bins), or (..., samples, bins)."""
        if not return_by_sample:
            return self._model.expected_actualdata(pars)
        place, shape = self._model.config._names.by_sample()
        return self._model._evaluate(compute.by_sample(shape), pars, places=(place,))

    @property
    def modifiers_appliers(self) -> dict[str, Any]:
        """The applier of each modifier type."""
        return self._model._built_from.appliers(self.config, self.batch_size)

    def modifications(self, pars: Any) -> tuple[list[Any], list[Any]]:
        """Shifts and factors of all modifier types; see `Model.modifications`."""
        return modifications(self.modifiers_appliers, self._model._checked_pars(pars))

    _modifications = modifications

    def make_pdf(self, pars: Any) -> Independent:
        """The distribution of the main data."""
        return Independent(Poisson(self.expected_data(pars)), batch_size=self.batch_size)

    def logpdf(self, maindata: Any, pars: Any) -> Any:
        """Log density of the main data; shape () or (batch_size,)."""
        return self._model.mainlogpdf(maindata, pars)


class ConstraintModel:
    """The constraints of a model's parameters: Gaussian and Poisson auxiliary measurements."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.config = model.config
        self.batch_size = model.batch_size

    @property
    def constraints_gaussian(self) -> gaussian_constraint_combined:
        """The Gaussian terms on their own."""
        return gaussian_constraint_combined(self.config, self.batch_size)

    @property
    def constraints_poisson(self) -> poisson_constraint_combined:
        """The Poisson terms on their own."""
        return poisson_constraint_combined(self.config, self.batch_size)

    @property
    def viewer_aux(self) -> ParamViewer:
        """The constrained parameters in the parameter vector."""
        return ParamViewer((self.batch_size or 1, self.config.npars), self.config.par_map, self.config.auxdata_order)

    @property
    def constraints_tv(self) -> TensorViewer:
        """Which part of the auxiliary data is Gaussian, and which Poisson."""
        places = [self.config._names.constrained(density)[1] for density in ("normal", "poisson")]
        return TensorViewer([here for here in places if here.size], self.batch_size)

    def has_pdf(self) -> bool:
        """Whether any parameter is constrained."""
        return self.config.nauxdata > 0

    def make_pdf(self, pars: Any) -> Simultaneous | None:
        """The distribution of the auxiliary data; None where no parameter is constrained.

        Raises:
            Unsupported: Some have a density that pyhf's format has not.
        """
        if not self.has_pdf():
            return None
        if self._model.likelihood.is_beyond:
            raise Unsupported(
                "Some auxiliary data have densities of the model language, which are no objects of the documented API: "
                "use model.logpdf, and the verbs, which draw toys of them."
            )
        names, values = self.config._names, self._model.likelihood.values
        asked = self._model._kind(pars)
        pars = backend_of(asked).astensor(self._model._checked_pars(pars, asked))
        terms = []
        for density, scale in (("normal", values.normal_sigma), ("poisson", values.poisson_factor)):
            here, _ = names.constrained(density)
            if here.size:
                term = self._normal if density == "normal" else self._poisson
                terms.append(Independent(term(pars, here, scale), batch_size=self.batch_size))
        return Simultaneous(terms, self.constraints_tv, self.batch_size)

    def _normal(self, pars: Any, here: np.ndarray, sigmas: Any) -> Normal:
        tensorlib = backend_for(pars)
        means = take(tensorlib, pars, here)
        return Normal(means, _like(means, sigmas))

    def _poisson(self, pars: Any, here: np.ndarray, factors: Any) -> Poisson:
        counts = take(backend_for(pars), pars, here)
        return Poisson(counts * _like(counts, factors))

    def logpdf(self, auxdata: Any, pars: Any) -> Any:
        """Log density of the auxiliary data; shape () or (batch_size,)."""
        return self._model.constraint_logpdf(auxdata, pars)


def _like(tensor: Any, values: Any) -> Any:
    """Numbers of the engine as a tensor of another tensor's kind."""
    tensorlib = backend_for(tensor)
    plain = isinstance(values, jax.Array) and tensorlib.name != "jax"
    return tensorlib.astensor(np.asarray(values) if plain else values)
