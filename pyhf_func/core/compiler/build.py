"""From an ordered spec and its parameters to arrays. NumPy and plain lists; runs once per model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array

from pyhf_func._lookup import unknown
from pyhf_func.core.compiler.order import Order, Row, order_spec
from pyhf_func.core.compiler.parameters import ParameterSet, collect_parameters
from pyhf_func.core.constraints import DENSITIES
from pyhf_func.core.likelihood.interpolation import ADDITIVE, MULTIPLICATIVE
from pyhf_func.core.likelihood.structure import Correlation, Indices, Likelihood, Measured, Space, Values
from pyhf_func.exceptions import InvalidInterpCode, InvalidModel

Place = tuple[str, str]
Term = tuple[str, str, str]


@dataclass(frozen=True)
class Layout:
    """Where names lie in the leaves of a `Likelihood`: rows and terms by (channel, sample[, modifier])."""

    entries: Mapping[Place, slice]
    histosys: Mapping[Term, slice]
    normsys: Mapping[Term, int]


class Compiled(NamedTuple):
    """A likelihood without names, and the names."""

    likelihood: Likelihood
    order: Order
    parameters: tuple[ParameterSet, ...]
    layout: Layout


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
    for kind, default, known in (("histosys", "code4p", ADDITIVE), ("normsys", "code4", MULTIPLICATIVE)):
        code = settings.get(kind, {}).get("interpcode", default)
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
    terms = _Terms(order, slices)
    entry_bin = [row.first_bin + b for row in order.rows for b in range(row.n_bins)]
    nominal = [value for row in order.rows for value in row.spec["data"]]
    normal, poisson, *others = _measurements(parameters, slices)
    likelihood = Likelihood(
        values=Values(
            nominal=_floats(nominal),
            histosys_lo=_floats(terms.histosys_lo),
            histosys_hi=_floats(terms.histosys_hi),
            normsys_lo=_floats(terms.normsys_lo),
            normsys_hi=_floats(terms.normsys_hi),
            normal_sigma=normal.numbers[0],
            poisson_factor=poisson.numbers[0],
        ),
        indices=Indices(
            entry_bin=_ints(entry_bin),
            entry_row=_ints([row.number for row in order.rows for _ in range(row.n_bins)]),
            bin_entries=_padded(_places(entry_bin, order.n_bins), none=len(entry_bin)),
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
        n_bins=order.n_bins,
        histosys_code=histosys_code,
        normsys_code=normsys_code,
        others=tuple(each for each in others if each.par.shape[0]),
        correlation=correlation_of(spec.get("correlations"), parameters),
    )
    return Compiled(likelihood, order, parameters, terms.layout())


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


class _Terms:
    """Walks the rows and collects the terms of every modifier."""

    def __init__(self, order: Order, slices: Mapping[str, slice]) -> None:
        self.slices = slices
        self.rows = order.rows
        self.scales: list[list[int]] = []
        self.row_normsys: list[list[int]] = []
        self.histosys_lo: list[float] = []
        self.histosys_hi: list[float] = []
        self.histosys_entry: list[int] = []
        self.histosys_par: list[int] = []
        self.normsys_lo: list[float] = []
        self.normsys_hi: list[float] = []
        self.normsys_row: list[int] = []
        self.normsys_par: list[int] = []
        self.histosys_place: dict[Term, list[int]] = {}
        self.normsys_place: dict[Term, int] = {}
        self.staterror_start: dict[str, dict[str, int]] = {}
        for row in order.rows:
            self._add_row(row)
        self._sort_histosys()

    def _add_row(self, row: Row) -> None:
        scales: list[list[int]] = [[] for _ in range(row.n_bins)]
        normsys: list[int] = []
        for modifier in row.modifiers:
            name, kind, data = modifier["name"], modifier["type"], modifier["data"]
            first = self.slices[name].start
            match kind:
                case "histosys":
                    self.histosys_place[row.channel, row.sample, name] = list(
                        range(len(self.histosys_entry), len(self.histosys_entry) + row.n_bins)
                    )
                    self.histosys_lo.extend(data["lo_data"])
                    self.histosys_hi.extend(data["hi_data"])
                    self.histosys_entry += range(row.first_entry, row.first_entry + row.n_bins)
                    self.histosys_par += [first] * row.n_bins
                case "normsys":
                    self.normsys_place[row.channel, row.sample, name] = len(self.normsys_par)
                    normsys.append(len(self.normsys_par))
                    self.normsys_lo.append(data["lo"])
                    self.normsys_hi.append(data["hi"])
                    self.normsys_row.append(row.number)
                    self.normsys_par.append(first)
                case "normfactor" | "lumi":
                    for here in scales:
                        here.append(first)
                case _:
                    if kind == "staterror":
                        first += self._staterror_offset(name, row)
                    for b, here in enumerate(scales):
                        here.append(first + b)
        self.scales += scales
        self.row_normsys.append(normsys)

    def _staterror_offset(self, name: str, row: Row) -> int:
        """A staterror has one component per bin of all its channels, one channel after the other."""
        starts = self.staterror_start.setdefault(name, {})
        if row.channel not in starts:
            widths = {r.channel: r.n_bins for r in self.rows}
            starts[row.channel] = sum(widths[channel] for channel in starts)
        return starts[row.channel]

    def _sort_histosys(self) -> None:
        """Sort the histosys terms by entry, so that a sum over the terms of an entry reads them in a row."""
        order = np.argsort(np.asarray(self.histosys_entry, dtype=np.int64), kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(order.size)
        for name in ("histosys_lo", "histosys_hi", "histosys_entry", "histosys_par"):
            values = getattr(self, name)
            setattr(self, name, [values[i] for i in order])
        self.histosys_place = {key: place[terms].tolist() for key, terms in self.histosys_place.items()}

    def layout(self) -> Layout:
        """Where the names lie."""
        histosys = {key: _even_slice(terms) for key, terms in self.histosys_place.items()}
        return Layout({(row.channel, row.sample): row.entries for row in self.rows}, histosys, self.normsys_place)


def _even_slice(terms: Sequence[int]) -> slice:
    """The terms of one modifier on one row, evenly spaced: the entries of a row have equally many terms."""
    step = terms[1] - terms[0] if len(terms) > 1 else 1
    return slice(terms[0], terms[-1] + 1, step)


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
        poi=jax.device_put(np.asarray(poi, dtype=np.int32)),
    )


def _floats(values: Sequence[float] | np.ndarray | np.floating[Any]) -> Array:
    return jax.device_put(np.asarray(values, dtype=float))


def _flags(values: Sequence[bool]) -> Array:
    return jax.device_put(np.asarray(values, dtype=bool))


def _ints(values: Sequence[int]) -> Array:
    return jax.device_put(np.asarray(values, dtype=np.int32))


def _places(groups: Sequence[int], n_groups: int) -> list[list[int]]:
    """Where each group occurs."""
    places: list[list[int]] = [[] for _ in range(n_groups)]
    for place, group in enumerate(groups):
        places[group].append(place)
    return places


def _padded(rows: Sequence[Sequence[int]], none: int) -> Array:
    """A rectangle of indices; short rows are filled with ``none``."""
    width = max(map(len, rows), default=0)
    full = np.full((len(rows), width), none, dtype=np.int32)
    for target, row in zip(full, rows, strict=True):
        target[: len(row)] = row
    return jax.device_put(full)
