"""The leaves of a compiled model: numbers that can be differentiated, and indices that say where they act.

Words: a *bin* is a bin of a channel; an *entry* is one (channel, sample, bin); a *row* is one (channel, sample).
Axis names in the annotations below: ``bins``, ``entries``, ``rows``, ``pars``, ``aux`` and, for the terms of
each modifier type, ``histosys`` (one per entry and modifier) and ``normsys`` (one per row and modifier).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

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


class Custom(Protocol):
    """What modifiers that users define do to the entries: a pure, hashable function of the parameters."""

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
    n_bins: int = field(metadata={"static": True})
    histosys_code: str = field(metadata={"static": True})
    normsys_code: str = field(metadata={"static": True})
    custom: Custom | None = field(default=None, metadata={"static": True})
    least_entry: float | None = field(default=None, metadata={"static": True})
    """No entry is expected to yield less."""
    least_bin: float | None = field(default=None, metadata={"static": True})
    """No bin is expected to yield less."""
    continued: bool = field(default=False, metadata={"static": True})
    """The density of a bin without events goes on below a yield of zero, as minus the yield."""
    others: tuple[Measured, ...] = ()
    """Measurements of other densities than those in ``values``; none of pyhf's format."""
    correlation: Correlation | None = None

    @property
    def is_plain(self) -> bool:
        """Whether every yield is a sum of one-parameter shifts times a product of one-parameter factors."""
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
