"""From an ordered spec and its parameters to arrays. NumPy and plain lists; runs once per model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pyhf_func._lookup import unknown
from pyhf_func.core import codes
from pyhf_func.core.compiler.order import Order, order_spec
from pyhf_func.core.compiler.parameters import collect_parameters
from pyhf_func.core.compiler.terms import Layout, Terms, table
from pyhf_func.core.constraints import DENSITIES
from pyhf_func.core.likelihood.structure import Correlation, Indices, Likelihood, Measured, Private, Space, Values
from pyhf_func.core.parameters import ParameterSet
from pyhf_func.exceptions import InvalidInterpCode, InvalidModel

_FILLED = 0.25
"""The share of bins that have a private parameter more, for it to be worth a place in all bins."""


class Compiled(NamedTuple):
    """A likelihood without names, its leaves NumPy's arrays, and the names."""

    likelihood: Likelihood
    order: Order
    parameters: tuple[ParameterSet, ...]
    terms: Terms

    @property
    def layout(self) -> Layout:
        """Where the names lie in the leaves."""
        return self.terms.layout()


def parameter_slices(parameters: Sequence[ParameterSet]) -> dict[str, slice]:
    """Where each named parameter lies in the parameter vector."""
    slices, start = {}, 0
    for parameter in parameters:
        slices[parameter.name] = slice(start, start + parameter.n_parameters)
        start += parameter.n_parameters
    return slices


def interpolation_codes(settings: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """The codes for histosys and normsys; pyhf 0.7.6's where the settings are silent.

    Raises:
        InvalidInterpCode: the code does not exist or does not fit the modifier type.
    """
    chosen = []
    for kind in ("histosys", "normsys"):
        known = codes.of_settings(kind)
        code = settings.get(kind, {}).get("interpcode", codes.DEFAULT_CODES[kind])
        if code not in known:
            raise InvalidInterpCode(
                f"Interpolation code {code!r} is not one for {kind} modifiers: choose one of {', '.join(known)}."
            )
        chosen.append(code)
    return chosen[0], chosen[1]


def compile_model(
    spec: Mapping[str, Any],
    poi_name: str | None,
    settings: Mapping[str, Mapping[str, Any]],
    parameters: tuple[ParameterSet, ...] | None = None,
) -> Compiled:
    """Compile a checked model spec ``{"channels": [...], "parameters": [...]}``.

    ``parameters`` are those that the modifiers of the spec ask for, unless given: in another order, or with more.

    Raises:
        InvalidModel: the POI or a parameter does not fit the model.
        InvalidNameReuse: one name for modifiers that need different parameters.
        InvalidInterpCode: an interpolation code that does not exist.
    """
    histosys_code, normsys_code = interpolation_codes(settings)
    order = order_spec(spec)
    if parameters is None:
        parameters = collect_parameters(order, spec.get("parameters", ()))
    if not parameters:
        raise InvalidModel("The model has no parameters: give at least one sample a modifier.")
    slices = parameter_slices(parameters)
    terms = Terms(order, slices, {"histosys": histosys_code, "normsys": normsys_code})
    normal, poisson, *others = _measurements(parameters, slices)
    likelihood = Likelihood(
        values=Values(
            nominal=_floats(terms.nominal),
            histosys_lo=_floats(terms.histosys_lo),
            histosys_hi=_floats(terms.histosys_hi),
            normsys_lo=_floats(terms.normsys_lo),
            normsys_hi=_floats(terms.normsys_hi),
            normal_sigma=normal.numbers[0],
            poisson_factor=poisson.numbers[0],
        ),
        indices=Indices(
            entry_bin=_ints(terms.entry_bin),
            entry_row=_ints(terms.entry_row),
            bin_entries=_padded(_places(terms.entry_bin, order.n_bins), none=len(terms.entry_bin)),
            entry_scales=_padded(terms.scales, none=sum(p.n_parameters for p in parameters)),
            histosys_entry=_ints(terms.histosys_entry),
            histosys_par=_ints(terms.histosys_par),
            row_normsys=_padded(terms.row_normsys, none=len(terms.normsys_par)),
            normsys_row=_ints(terms.normsys_row),
            normsys_par=_ints(terms.normsys_par),
            normal_par=normal.par,
            normal_aux=normal.aux,
            poisson_par=poisson.par,
            poisson_aux=poisson.aux,
        ),
        space=parameter_space(parameters, poi_index(poi_name, parameters)),
        private=_private(terms, order.n_bins, sum(p.n_parameters for p in parameters)),
        n_bins=order.n_bins,
        histosys=terms.histosys_groups,
        normsys=terms.normsys_groups,
        derived=terms.derived(),
        others=tuple(each for each in others if each.par.shape[0]),
        correlation=correlation_of(spec.get("correlations"), parameters),
    )
    return Compiled(likelihood, order, parameters, terms)


def poi_index(poi_name: str | None, parameters: Sequence[ParameterSet]) -> int:
    """Index of the POI in the parameter vector; -1 without one.

    Raises:
        InvalidModel: there is no such parameter, or it has several components.
    """
    if not poi_name:
        return -1
    by_name = {parameter.name: parameter for parameter in parameters}
    if poi_name not in by_name:
        raise InvalidModel(
            f"The parameter of interest: {unknown('parameter', poi_name, by_name)} "
            "Give poi_name=None for a model without one."
        )
    if by_name[poi_name].n_parameters > 1:
        raise InvalidModel(
            f"The parameter of interest {poi_name!r} has {by_name[poi_name].n_parameters} components; "
            "it must have exactly one."
        )
    return parameter_slices(parameters)[poi_name].start


def _measurements(parameters: Sequence[ParameterSet], slices: Mapping[str, slice]) -> list[Measured]:
    """The auxiliary measurements of every density that there is."""
    places, aux = {}, 0
    for parameter in parameters:
        places[parameter.name] = range(aux, aux + len(parameter.auxdata))
        aux += len(parameter.auxdata)
    found = []
    for name, density in DENSITIES.items():
        here = [parameter for parameter in parameters if parameter.constraint == name]
        rows = [row for parameter in here for row in zip(*density.numbers(parameter), strict=True)]
        columns = list(zip(*rows, strict=True)) or [()] * len(density.attributes)
        pars = [i for p in here for i in range(slices[p.name].start, slices[p.name].stop)]
        own = [i for p in here for i in places[p.name]]
        found.append(Measured(tuple(map(_floats, columns)), _ints(pars), _ints(own), density))
    return found


def correlation_of(given: Mapping[str, Any] | None, parameters: Sequence[ParameterSet]) -> Correlation | None:
    """The correlation of Gaussian measurements, from their parameters' names and the matrix.

    Raises:
        InvalidModel: A parameter has no Gaussian measurement, or several, or the matrix is not positive definite.
    """
    if not given or not given["names"]:
        return None
    first, place = 0, {}
    for parameter in parameters:
        if parameter.constraint == "normal":
            place[parameter.name] = first
            first += parameter.n_parameters
    single = {p.name for p in parameters if p.n_parameters == 1}
    for name in given["names"]:
        if name not in place or name not in single:
            raise InvalidModel(f"correlations: {name!r} is no single parameter with a Gaussian constraint.")
    matrix = np.asarray(given["matrix"], dtype=float)
    try:
        root = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        raise InvalidModel("correlations: the matrix is not positive definite.") from error
    return Correlation(
        place=_ints([place[name] for name in given["names"]]),
        excess=_floats(np.linalg.inv(matrix) - np.eye(len(matrix))),
        root=_floats(root),
        log_determinant=_floats(2 * np.sum(np.log(np.diagonal(root)))),
    )


def parameter_space(parameters: Sequence[ParameterSet], poi: int) -> Space:
    """The parameters' suggestions to fits, and the place of the parameter of interest (-1 for none)."""
    bounds = np.asarray([bound for p in parameters for bound in p.bounds], dtype=float).reshape(-1, 2)
    return Space(
        init=_floats([value for p in parameters for value in p.inits]),
        lower=_floats(bounds[:, 0]),
        upper=_floats(bounds[:, 1]),
        fixed=_flags([flag for p in parameters for flag in p.fixed]),
        default_upper=_flags([p.default_bounds for p in parameters for _ in p.bounds]),
        poi=_ints(poi),
    )


def _private(terms: Terms, n_bins: int, n_pars: int) -> Private:
    """Which parameters do nothing but scale yields of one bin; as many of each bin as many bins have."""
    bins = np.repeat(terms.entry_bin, [len(scales) for scales in terms.scales]).astype(int)
    pars = np.array([par for scales in terms.scales for par in scales], dtype=int)
    first, last = np.full(n_pars, n_bins), np.full(n_pars, -1)
    np.minimum.at(first, pars, bins)
    np.maximum.at(last, pars, bins)
    single = first == last
    single[terms.other_pars()] = False
    found = np.flatnonzero(single)
    found = found[np.argsort(first[found], kind="stable")]
    rank = np.arange(found.size) - np.searchsorted(first[found], first[found])
    per_bin = int(np.sum(np.bincount(rank) >= _FILLED * n_bins)) if found.size else 0
    private = found[rank < per_bin]
    shared = np.setdiff1d(np.arange(n_pars), private)
    n_shared = max(shared.size, 1)  # a matrix without columns is no use to anyone
    place: Any = np.empty(n_pars, dtype=np.int32)
    place[shared] = np.arange(shared.size)
    place[private] = n_shared + first[private] * per_bin + rank[rank < per_bin]
    return Private(place, n_shared, per_bin)


def _floats(values: Sequence[float] | np.ndarray | np.floating[Any]) -> Any:
    return np.asarray(values, dtype=float)


def _flags(values: Sequence[bool]) -> Any:
    return np.asarray(values, dtype=bool)


def _ints(values: Sequence[int] | int) -> Any:
    return np.asarray(values, dtype=np.int32)


def _places(groups: Sequence[int], n_groups: int) -> list[list[int]]:
    """Where each group occurs."""
    places: list[list[int]] = [[] for _ in range(n_groups)]
    for place, group in enumerate(groups):
        places[group].append(place)
    return places


def _padded(rows: Sequence[Sequence[int]], none: int) -> Any:
    return table(rows, none)
