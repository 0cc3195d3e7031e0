"""The leaves of a compiled model: numbers that can be differentiated, and indices that say where they act.

Words: a *bin* is a bin of a channel; an *entry* is one (channel, sample, bin); a *row* is one (channel, sample).
Axis names in the annotations below: ``bins``, ``entries``, ``rows``, ``pars``, ``aux`` and, for the terms of
each modifier type, ``histosys`` (one per entry and modifier) and ``normsys`` (one per row and modifier).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

import jax
from jax import Array

from pyhf_func.core.constraints import Density


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Values:
    """Every number of the model that a gradient can be taken of. All leaves are floating point."""

    nominal: Array  # (entries,) nominal yields
    histosys_lo: Array  # (histosys,) yields at alpha = -1
    histosys_hi: Array  # (histosys,) yields at alpha = +1
    normsys_lo: Array  # (normsys,) factors at alpha = -1
    normsys_hi: Array  # (normsys,) factors at alpha = +1
    normal_sigma: Array  # (normal,) widths of the Gaussian constraints
    poisson_factor: Array  # (poisson,) expected auxiliary counts per unit of the parameter


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Indices:
    """Where each number acts. All leaves are integers."""

    entry_bin: Array  # (entries,) bin of each entry
    entry_row: Array  # (entries,) row of each entry
    bin_entries: Array  # (bins, entries per bin) entries of each bin; ``entries`` for none
    entry_scales: Array  # (entries, scales) parameters that scale the entry; ``pars`` for none
    histosys_entry: Array  # (histosys,) entry that the term shifts
    histosys_par: Array  # (histosys,)
    row_normsys: Array  # (rows, normsys per row) normsys terms of the row; ``normsys`` for none
    normsys_row: Array  # (normsys,) row that the term scales
    normsys_par: Array  # (normsys,)
    normal_par: Array  # (normal,) parameter of each Gaussian constraint
    normal_aux: Array  # (normal,) its place in the auxiliary data
    poisson_par: Array  # (poisson,)
    poisson_aux: Array  # (poisson,)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Space:
    """The parameters' suggested start, bounds and fixed flags, and which one is the parameter of interest."""

    init: Array  # (pars,)
    lower: Array  # (pars,)
    upper: Array  # (pars,)
    fixed: Array  # (pars,) bool
    default_upper: Array  # (pars,) bool: nobody has set the upper bound, which means nothing
    poi: Array  # () index, or -1 where the model has none


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Private:
    """Which parameters are *private*: they do nothing but scale yields of one bin. All others are *shared*.

    ``place`` counts the shared ones first, ``shared`` places, then the private ones by bins, ``per_bin`` places each;
    places may be empty.
    """

    place: Array  # (pars,)
    shared: int = field(metadata={"static": True})
    per_bin: int = field(metadata={"static": True})


class Group(NamedTuple):
    """Terms of a modifier type that one interpolation code evaluates; they lie beside each other.

    ``size`` is None for a group that holds all terms of the type. A ``shift`` is added to the yields, a ``factor``
    multiplies them; what is part of a ``morph`` is evaluated by `Morphs`.
    """

    code: str
    smooth: float = 1.0
    effect: Literal["shift", "factor", "morph"] = "shift"
    size: int | None = None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Formulas:
    """Factors that are one expression of different parameters."""

    program: tuple[str | int | float, ...] = field(metadata={"static": True})
    """The expression in postfix order: operations, numbers of arguments, and numbers."""
    args: Array  # (formulas, arguments) parameters


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Morphs:
    """Yields of entries that are morphed and scaled to the nominal sum of their row."""

    entry: Array  # (morphed,)
    row: Array  # (morphed,) number among the morphed rows
    floor: Array  # (morphed rows,) least yield of an entry, in units of the row's sum; -inf for none


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Spreads:
    """Uncertainties of bins, added in quadrature over the samples: sqrt(sum of (C error)^2), C factors of rows."""

    entry: Array  # (spreads,) the entry that each scales, of no sample
    error: Array  # (errors,) of a row in a bin
    error_row: Array  # (errors,)
    error_spread: Array  # (errors,) which spread it belongs to
    row_scales: Array  # (rows, scales) parameters that scale all entries of the row; -1 for none
    row_factors: Array  # (rows, factors) derived factors that do; -1 for none
    size: int = field(metadata={"static": True})
    """Number of spreads."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Derived:
    """Factors of entries that are more than a parameter: the *derived factors*, in the order of the attributes.

    First come those of histosys terms whose code gives a factor.
    """

    entry_factors: Array  # (entries, factors) derived factors that scale the entry; -1 for none
    formulas: tuple[Formulas, ...]
    sums: Array  # (sums, normsys terms) terms whose effects add up to one factor; -1 for none
    morphs: Morphs | None
    spreads: Spreads | None


class Custom(Protocol):
    """The effect of modifiers that users define on the entries: a pure, hashable function of the parameters."""

    def __call__(self, pars: Array) -> tuple[Array, Array]:
        """Shifts and factors; they broadcast to (entries,)."""

    def __hash__(self) -> int:
        """Equal functions share compiled programs."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Measured:
    """The auxiliary measurements of one density."""

    numbers: tuple[Array, ...]  # (n,) each: what describes them, such as widths
    par: Array  # (n,) parameter of each
    aux: Array  # (n,) its place in the auxiliary data
    density: Density = field(metadata={"static": True})


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Correlation:
    """Gaussian measurements that are correlated: ``n`` of them have the correlation matrix C."""

    place: Array  # (n,) which of the Gaussian measurements
    excess: Array  # (n, n) the inverse of C, less one
    root: Array  # (n, n) its lower Cholesky factor
    log_determinant: Array  # () of C


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Likelihood:
    """A HistFactory likelihood without names: what every function of the engine works on."""

    values: Values
    indices: Indices
    space: Space
    private: Private
    n_bins: int = field(metadata={"static": True})
    histosys: tuple[Group, ...] = field(metadata={"static": True})
    normsys: tuple[Group, ...] = field(metadata={"static": True})
    derived: Derived | None = None
    custom: Custom | None = field(default=None, metadata={"static": True})
    least_entry: float | None = field(default=None, metadata={"static": True})
    """No entry of a sample is expected to yield less."""
    least_bin: float | None = field(default=None, metadata={"static": True})
    """No bin is expected to yield less."""
    continued: bool = field(default=False, metadata={"static": True})
    """The density of a bin without events goes on below a yield of zero, as minus the yield."""
    others: tuple[Measured, ...] = ()
    """Measurements of other densities than those in ``values``; none of pyhf's format."""
    correlation: Correlation | None = None

    def of_group(self, kind: Literal["histosys", "normsys"], group: Group, terms: Array) -> Array:
        """The terms of one group, from those of its modifier type."""
        if group.size is None:
            return terms
        groups = getattr(self, kind)
        start = sum(other.size or 0 for other in groups[: groups.index(group)])
        return terms[start : start + group.size]

    @property
    def is_plain(self) -> bool:
        """Whether every yield is a sum of one-parameter shifts times a product of factors."""
        return self.custom is None and self.least_entry is None and self.least_bin is None

    @property
    def is_beyond(self) -> bool:
        """Whether there are auxiliary measurements that pyhf's format cannot hold."""
        return bool(self.others) or self.correlation is not None

    @property
    def n_pars(self) -> int:
        """Number of parameters."""
        return self.space.init.shape[-1]

    @property
    def n_aux(self) -> int:
        """Number of auxiliary measurements."""
        every = self.indices.normal_aux, self.indices.poisson_aux, *(each.aux for each in self.others)
        return sum(aux.shape[-1] for aux in every)
