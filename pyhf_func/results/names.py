"""Names of a model's parameters, channels and samples, as results know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pyhf_func._lookup import shown, unknown
from pyhf_func.exceptions import InvalidPdfParameters


@dataclass(frozen=True, eq=False)
class ModelNames:
    """The names of a model, for results of it: static, hashable and shared by all of them.

    Example:
        >>> names = ModelNames((("mu", 1), ("gamma", 2)), "mu", (("SR", 2),), ("signal", "background"))
        >>> names.par_names, names.place("gamma[1]")
        (('mu', 'gamma[0]', 'gamma[1]'), slice(2, 3, None))
    """

    parameters: tuple[tuple[str, int], ...]
    """names of the parameters with their numbers of components, in the order of the parameter vector."""
    poi: str | None
    """the parameter of interest."""
    channels: tuple[tuple[str, int], ...]
    """names of the channels with their numbers of bins, in the order of the data."""
    samples: tuple[str, ...]
    """names of the samples, in the order of tables of yields."""
    axes: tuple[str, ...] = ()
    """the parameters that span the grid of a profile likelihood."""

    @cached_property
    def _content(self) -> tuple[Any, ...]:
        return self.parameters, self.poi, self.channels, self.samples, self.axes

    @cached_property
    def _hash(self) -> int:
        return hash(self._content)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, ModelNames) and self._hash == other._hash and self._content == other._content
        )

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> Any:
        return ModelNames, self._content

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each parameter lies in the parameter vector."""
        found, first = {}, 0
        for name, size in self.parameters:
            found[name] = slice(first, first + size)
            first += size
        return found

    @cached_property
    def par_names(self) -> tuple[str, ...]:
        """The name of each element of the parameter vector, ``"name[i]"`` for components."""
        return tuple(name if size == 1 else f"{name}[{i}]" for name, size in self.parameters for i in range(size))

    def place(self, name: Any) -> slice:
        """Where a parameter, or a component of one, lies in the parameter vector.

        Raises:
            InvalidPdfParameters: There is no such parameter.
        """
        return place_of(self.slices, name)

    def with_axes(self, axes: tuple[str, ...]) -> ModelNames:
        """The names of a profile likelihood over these parameters."""
        return replace(self, axes=axes)


def place_of(slices: Mapping[str, slice], name: Any, argument: str = "") -> slice:
    """Where a parameter (``"mu"``, ``"gamma"``), or a component of one (``"gamma[3]"``), lies.

    Args:
        slices: Where each parameter lies.
        name: The name.
        argument: The argument that it was given in, for the message.

    Raises:
        InvalidPdfParameters: There is no such parameter or component.
    """
    where = f"{argument}: " if argument else ""
    if not isinstance(name, str):
        raise InvalidPdfParameters(f"{where}{shown(name)} is not the name of a parameter; names are strings.")
    if name in slices:
        return slices[name]
    stem, bracket, rest = name.rpartition("[")
    if not bracket or not rest.endswith("]") or stem not in slices:
        raise InvalidPdfParameters(f"{where}{unknown('parameter', name, slices)}")
    place, number = slices[stem], rest[:-1]
    if number.isdecimal() and int(number) < place.stop - place.start:
        return slice(place.start + int(number), place.start + int(number) + 1)
    raise InvalidPdfParameters(
        f"{where}{name!r} is not a component of {stem!r}, which has {place.stop - place.start}: "
        f"the last one is '{stem}[{place.stop - place.start - 1}]'."
    )
