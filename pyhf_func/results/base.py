"""The class of all results: a named tuple, a pytree of arrays, that knows the names of its model."""

from __future__ import annotations

import collections
import html
import json
import os
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self, dataclass_transform

import jax
import numpy as np

from pyhf_func import _files
from pyhf_func.exceptions import InvalidPdfParameters
from pyhf_func.results.about import About
from pyhf_func.results.extras import needed
from pyhf_func.results.names import ModelNames
from pyhf_func.results.status import Status, is_status, statuses_of
from pyhf_func.results.tables import Table
from pyhf_func.results.writing import document_of

_FITS = ("free_fit", "fit", "covariance")
"""Fields in which the fit of all parameters is found; the first one that a result has."""
_make_tuple: Callable[..., Any] = collections.namedtuple
KINDS: dict[str, type[Result]] = {}
"""All results by the names of their classes."""


@dataclass_transform(frozen_default=True)
class Result(tuple[Any, ...]):
    """A named tuple that is a pytree of its fields, with the names of a model beside them.

    A subclass lists its fields as a `typing.NamedTuple` does. Names are the static part of the pytree: they survive
    `jax.jit`, `jax.vmap` and `jax.grad`. What a result was made with, in ``about``, does not.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        kinds = {name: str(kind) for name, kind in cls.__annotations__.items() if "ClassVar" not in str(kind)}
        defaults = [vars(cls)[name] for name in kinds if name in vars(cls)]
        plain = _make_tuple(cls.__name__, tuple(kinds), defaults=defaults)
        for name in ("__new__", "_fields", "_field_defaults", "__match_args__"):
            setattr(cls, name, vars(plain)[name])
        for place, (name, kind) in enumerate(kinds.items()):
            setattr(cls, name, vars(plain)[name] if kind == "Array" and not is_status(name) else _field(place, name))
        KINDS[cls.__name__] = cls
        jax.tree_util.register_pytree_with_keys(cls, _with_keys, cls._unflatten, _flatten)

    @classmethod
    def _unflatten(cls, names: ModelNames | None, children: Iterable[Any]) -> Self:
        made = tuple.__new__(cls, children)
        return named(made, names)

    @classmethod
    def _make(cls, fields: Iterable[Any]) -> Self:
        """A result of these fields, in their order."""
        return cls(*fields)

    def _asdict(self) -> dict[str, Any]:
        """From the names of the fields to what they hold."""
        return dict(zip(self._fields, self, strict=True))

    def _replace(self, **changes: Any) -> Self:
        """A copy with some fields replaced."""
        return self._unflatten(self.model_names, type(self)(**{**self._asdict(), **changes}))

    def __reduce__(self) -> Any:
        return _restored, (type(self), tuple(self), vars(self))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({fields})"

    @property
    def model_names(self) -> ModelNames | None:
        """The names of the model; None for a result that was made by hand."""
        return vars(self).get("_names")

    def to_dict(self) -> dict[str, Any]:
        """The whole result as a JSON document, a dictionary: see `pyhf_func.results.writing`."""
        return document_of(self)

    def to_json(self) -> str:
        """The same as text."""
        return json.dumps(self.to_dict(), allow_nan=False)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result to a JSON file, which `pyhf_func.load` reads; one that is there is replaced at once.

        Raises:
            OSError: It can't be written.
        """
        content = f"{self.to_json()}\n".encode()
        _files.replace(path, lambda file: file.write(content))

    def table(self) -> Table:
        """The numbers for people, with names; a result with batches in front has a row for each member."""
        if not (shape := self._shape):
            return Table(self._rows())
        members = ((index, jax.tree.map(lambda x, i=index: x[i], self)) for index in np.ndindex(*shape))
        return Table([{"member": ", ".join(map(str, i)), **row} for i, member in members for row in member._rows()])

    def summary(self) -> str:
        """The kind of result, how it ended, and its table.

        Example:
            >>> import pyhf_func as pf
            >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
            >>> print(pf.fit([51, 48, *model.config.auxdata], model).summary())
            FitResult: CONVERGED. The fit converged.
            parameter            value  at_bound
            mu                       0      True
            uncorr_bkguncrt[0]   1.003     False
            uncorr_bkguncrt[1]  0.9627     False
        """
        return f"{self._headline()}\n{self.table()}".rstrip("\n")

    def to_pandas(self) -> Any:
        """The table as a data frame of pandas; of toys, a row for each toy.

        Raises:
            ImportBackendError: pandas is not installed.
        """
        return self._records().to_pandas()

    def to_xarray(self) -> Any:
        """The same as a dataset of xarray: over the tested values, the grid, the parameters, the points or the toys.

        Raises:
            ImportBackendError: pandas or xarray is not installed.
        """
        needed("xarray", "datasets", "pandas")
        records = self._records()
        members = ["member"] if "member" in records.columns else []
        return records.to_pandas().set_index([*members, *self._keys(records)]).to_xarray()

    @property
    def _shape(self) -> tuple[int, ...]:
        """Sizes of the axes of batches in front."""
        return tuple(self.best_pars.shape[:-1])

    def _records(self) -> Table:
        """The content of data frames."""
        return self.table()

    def _keys(self, records: Table) -> tuple[str, ...]:
        """Columns that tell the rows apart."""
        return tuple(name for name in records.columns if name != "member")[:1]

    def _independent(self, table: Table) -> tuple[str, ...]:
        """Columns that are the independent variables of HEPData's table."""
        return self._keys(table)

    def _root_objects(self) -> dict[str, Any]:
        """Trees, as dictionaries, and histograms, as (values, errors), by their places in a ROOT file."""
        raise TypeError(
            f"A {type(self).__name__} has no form in ROOT: give results of yields, covariance, upper_limit."
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self._headline())}</p>{self.table().to_html()}"

    def _headline(self) -> str:
        if "status" not in self._fields:
            return type(self).__name__
        worst = Status(int(np.max(np.asarray(self.status))))  # type: ignore[attr-defined]
        return f"{type(self).__name__}: {worst.name}. {worst.sentence}"

    def _rows(self) -> list[dict[str, Any]]:
        """Rows of the table; of a result without batches in front."""
        raise NotImplementedError

    @property
    def about(self) -> dict[str, Any]:
        """How it was made: ``verb``, ``versions``, ``digest`` of the workspace, ``measurement``, ``settings``,
        ``seed``; empty for a result that came out of `jax.jit` or another transformation.
        """
        about: About | None = vars(self).get("_about")
        return {} if about is None else about.content

    def __getitem__(self, key: Any) -> Any:
        """A field by its place; or the best value of a parameter by its name."""
        return self._of_name(key) if isinstance(key, str) else tuple.__getitem__(self, key)

    def _of_name(self, name: str) -> Any:
        """The best value of a parameter, shape (), or (components,) where it has several; batches in front."""
        return self._part(self.best_pars, name)

    def _part(self, array: Any, name: str) -> Any:
        """The part of a parameter, or of a component of one, of an array of shape (..., pars)."""
        names = self._known_names()
        place = names.place(name)
        single = place.stop - place.start == 1
        return array[..., place.start] if single else array[..., place]

    def values_for(self, names: ModelNames, argument: str) -> dict[str, Any]:
        """The best values of those parameters that another model has, too, by their names.

        Raises:
            InvalidPdfParameters: There is none, or the numbers of components differ.
        """
        own = names if self.model_names is None else self.model_names
        sizes, pars = dict(names.parameters), self.best_pars
        if pars.shape != (len(own.par_names),):
            raise InvalidPdfParameters(
                f"{argument} is a {type(self).__name__} with best values of shape {pars.shape}; the model needs "
                f"({len(names.par_names)},): take one member of a batch, jax.tree.map(lambda x: x[i], result)."
            )
        shared = [name for name, _ in own.parameters if name in sizes]
        if not shared:
            raise InvalidPdfParameters(f"{argument}: the {type(self).__name__} has no parameter of this model.")
        if wrong := [name for name in shared if dict(own.parameters)[name] != sizes[name]]:
            raise InvalidPdfParameters(
                f"{argument}: {wrong[0]!r} has {dict(own.parameters)[wrong[0]]} components in the "
                f"{type(self).__name__}, and {sizes[wrong[0]]} in the model."
            )
        return {name: pars[own.slices[name]] for name in shared}

    @property
    def best_pars(self) -> Any:
        """(pars,) best values of all parameters: those of the fit of all of them to the data.

        Raises:
            TypeError: The result is made of many fits, or none.
        """
        found: Any = self
        while "pars" not in found._fields:
            field = next((name for name in _FITS if name in found._fields), None)
            if field is None:
                raise TypeError(f"A {type(self).__name__} has no fit of all parameters, and no best values.")
            found = getattr(found, field)
        return found.pars

    def values_by_name(self, values: Any = None) -> dict[str, Any]:
        """Values of all parameters by their names.

        Args:
            values: An array of shape (..., pars), such as ``errors`` of a `CovarianceResult`; the best values where it
                is None.

        Example:
            >>> import pyhf_func as pf
            >>> model = pf.simplemodels.uncorrelated_background([12.0, 11.0], [50.0, 52.0], [3.0, 7.0])
            >>> found = pf.covariance([51, 48, *model.config.auxdata], model)
            >>> {name: error.round(3).tolist() for name, error in found.values_by_name(found.errors).items()}
            {'mu': 0.0, 'uncorr_bkguncrt': [0.055, 0.095]}
        """
        array = self.best_pars if values is None else values
        return {name: self._part(array, name) for name, _ in self._known_names().parameters}

    def _par_names(self) -> tuple[str, ...]:
        return self._known_names().par_names

    def _known_names(self) -> ModelNames:
        if self.model_names is None:
            raise TypeError(f"This {type(self).__name__} knows no names: no verb made it, such as pyhf_func.fit.")
        return self.model_names


def named(result: Any, names: ModelNames | None, about: About | None = None) -> Any:
    """A result that was just made, with the names of its model, where it is of one, and what it was made with."""
    vars(result)["_names"] = names
    if about is not None:
        vars(result)["_about"] = about
    return result


def _restored(kind: type[Result], fields: tuple[Any, ...], others: dict[str, Any]) -> Result:
    """A result that was copied or pickled."""
    made = tuple.__new__(kind, fields)
    vars(made).update(others)
    return made


def _flatten(result: Result) -> tuple[tuple[Any, ...], ModelNames | None]:
    return tuple(result), result.model_names


def _with_keys(result: Result) -> tuple[tuple[Any, ...], ModelNames | None]:
    keys = map(jax.tree_util.GetAttrKey, result._fields)
    return tuple(zip(keys, result, strict=True)), result.model_names


def _field(place: int, name: str) -> property:
    """A field whose statuses print their words, and whose results know the names of the whole."""

    def get(result: Result) -> Any:
        value = tuple.__getitem__(result, place)
        if isinstance(value, Result):
            names = result.model_names
            return value if names is None or value.model_names is not None else value._unflatten(names, value)
        return statuses_of(value) if is_status(name) else value

    return property(get, doc=f"Field number {place}.")
