"""The terms of modifiers: what each does to the yields of which sample, as lists of numbers and places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np

from pyhf_func.core.compiler.order import Order, Row
from pyhf_func.core.expression import parse
from pyhf_func.core.likelihood.interpolation import ADDITIVE, MULTIPLICATIVE
from pyhf_func.core.likelihood.structure import Derived, Formulas, Group, Morphs, Spreads
from pyhf_func.core.modifiers import MODIFIERS

Place = tuple[str, str]
Term = tuple[str, str, str]
Factor = tuple[Literal["histosys", "formula", "sum", "morph", "spread"], int]
"""A derived factor: its kind, and its number among those of that kind."""


@dataclass(frozen=True)
class Layout:
    """Where names lie in the leaves of a `Likelihood`: rows and terms by (channel, sample[, modifier])."""

    entries: Mapping[Place, slice]
    histosys: Mapping[Term, slice]
    normsys: Mapping[Term, int]
    n_entries: int
    """Number of entries, also of those behind the samples' that hold uncertainties of whole channels."""


class Terms:
    """Walks the rows and collects the terms of every modifier.

    Behind the rows of samples may come one for the entries of uncertainties that samples share, and one, without
    entries, for normsys terms that add up to one factor.
    """

    def __init__(self, order: Order, slices: Mapping[str, slice], codes: Mapping[str, str]) -> None:
        self.slices = slices
        self.rows = order.rows
        self.codes = codes
        self.nominal: list[float] = [value for row in order.rows for value in row.spec["data"]]
        self.entry_bin = [row.first_bin + b for row in order.rows for b in range(row.n_bins)]
        self.entry_row = [row.number for row in order.rows for _ in range(row.n_bins)]
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
        self._starts: dict[str, dict[str, int]] = {}
        self._histosys_group: list[Group] = []
        self._normsys_group: list[Group] = []
        self._derived = DerivedTerms(order)
        for row in order.rows:
            self._add_row(row)
        self._add_spreads()
        self._add_sums()
        self.histosys_groups = self._sort_histosys()
        self.normsys_groups = self._sort_normsys()

    def _add_row(self, row: Row) -> None:
        self.scales += ([] for _ in range(row.n_bins))
        self.row_normsys.append([])
        self._derived.add_morphed(row)
        for modifier in row.modifiers:
            if "expression" in modifier:
                self._derived.add_formula(row, modifier, self.slices)
            else:
                MODIFIERS[modifier["type"]].add(self, row, modifier, self.slices[modifier["name"]].start)

    def scale(self, row: Row, par: int) -> None:
        """One parameter is a factor of all entries of a row."""
        self._derived.row_scales[row.number].append(par)
        for scales in self.scales[row.entries]:
            scales.append(par)

    def scale_bins(self, row: Row, first: int) -> None:
        """A parameter of its own, from ``first`` on, is a factor of each entry of a row."""
        for b, scales in enumerate(self.scales[row.entries]):
            scales.append(first + b)

    def add_errors(self, row: Row, errors: Sequence[float], first: int) -> None:
        """Uncertainties of a sample, to be added in quadrature to those of others, of parameters from ``first`` on."""
        self._derived.add_errors(row, errors, first)

    def add_histosys(self, row: Row, modifier: Mapping[str, Any], par: int) -> None:
        """Yields at one standard deviation of a parameter: one term of each entry of a row."""
        start, data = len(self.histosys_entry), modifier["data"]
        code = modifier.get("interpolation", self.codes["histosys"])
        effect: Literal["shift", "factor", "morph"] = "morph" if row.number in self._derived.morphed else "shift"
        if code in MULTIPLICATIVE:
            effect = "factor"
        self.histosys_place[row.channel, row.sample, modifier["name"]] = list(range(start, start + row.n_bins))
        self.histosys_lo.extend(data["lo_data"])
        self.histosys_hi.extend(data["hi_data"])
        self.histosys_entry += range(row.first_entry, row.first_entry + row.n_bins)
        self.histosys_par += [par] * row.n_bins
        self._histosys_group += [Group(code, float(modifier.get("smooth", 1.0)), effect)] * row.n_bins

    def add_normsys(self, row: Row, modifier: Mapping[str, Any], par: int) -> None:
        """A factor at one standard deviation of a parameter: one term of a row."""
        place = len(self.normsys_par)
        self.normsys_place[row.channel, row.sample, modifier["name"]] = place
        self.row_normsys[row.number].append(place)
        self.normsys_lo.append(modifier["data"]["lo"])
        self.normsys_hi.append(modifier["data"]["hi"])
        self.normsys_row.append(row.number)
        self.normsys_par.append(par)
        self._normsys_group.append(Group(modifier.get("interpolation", self.codes["normsys"])))

    def first_bin(self, name: str, row: Row) -> int:
        """The component for a row's first bin of a parameter with one for each bin of its channels, in turn."""
        starts = self._starts.setdefault(name, {})
        if row.channel not in starts:
            widths = {r.channel: r.n_bins for r in self.rows}
            starts[row.channel] = sum(widths[channel] for channel in starts)
        return starts[row.channel]

    def _add_spreads(self) -> None:
        """An entry of one for each uncertainty that samples share: its parameter and its spread scale it."""
        if not self._derived.spreads:
            return
        for par, b in self._derived.spreads:
            self.nominal.append(1.0)
            self.entry_bin.append(b)
            self.entry_row.append(len(self.row_normsys))
            self.scales.append([par])
        self.row_normsys.append([])

    def _add_sums(self) -> None:
        """Several additive codes of a row add up to one factor, which is not a product."""
        for row in self.rows:
            added = [t for t in self.row_normsys[row.number] if self._normsys_group[t].code in ADDITIVE]
            if len(added) > 1:
                self._derived.add_sum(row, added)
                self.row_normsys[row.number] = [t for t in self.row_normsys[row.number] if t not in added]
                for term in added:
                    self.normsys_row[term] = len(self.row_normsys)
        if self._derived.sums:
            self.row_normsys.append([])

    def _sort_histosys(self) -> tuple[Group, ...]:
        """Sort the histosys terms by group, then by entry: a sum over the terms of an entry reads them in a row."""
        groups, order = _sorted(self._histosys_group, self.histosys_entry, Group(self.codes["histosys"]))
        place = _inverse(order)
        for name in ("histosys_lo", "histosys_hi", "histosys_entry", "histosys_par", "_histosys_group"):
            values = getattr(self, name)
            setattr(self, name, [values[i] for i in order])
        self.histosys_place = {key: place[terms].tolist() for key, terms in self.histosys_place.items()}
        terms = zip(self.histosys_entry, self._histosys_group, strict=True)
        self._derived.add_histosys([entry for entry, group in terms if group.effect == "factor"])
        return groups

    def _sort_normsys(self) -> tuple[Group, ...]:
        """Sort the normsys terms by group."""
        groups, order = _sorted(self._normsys_group, [0] * len(self.normsys_par), Group(self.codes["normsys"]))
        place = _inverse(order)
        for name in ("normsys_lo", "normsys_hi", "normsys_row", "normsys_par"):
            values = getattr(self, name)
            setattr(self, name, [values[i] for i in order])
        self.normsys_place = {key: int(place[term]) for key, term in self.normsys_place.items()}
        self.row_normsys = [place[terms].tolist() for terms in self.row_normsys]
        self._derived.sums = [place[terms].tolist() for terms in self._derived.sums]
        return groups

    def other_pars(self) -> list[int]:
        """Parameters that do more than scale entries."""
        return [*self.histosys_par, *self.normsys_par, *self._derived.pars()]

    def derived(self) -> Derived | None:
        """The derived factors; None where there are none."""
        return self._derived.finished()

    def layout(self) -> Layout:
        """Where the names lie."""
        histosys = {key: _even_slice(terms) for key, terms in self.histosys_place.items()}
        entries = {(row.channel, row.sample): row.entries for row in self.rows}
        return Layout(entries, histosys, self.normsys_place, len(self.nominal))


class DerivedTerms:
    """Collects the factors that are more than a parameter, and what they scale."""

    def __init__(self, order: Order) -> None:
        self.entry_factors: list[list[Factor]] = [[] for _ in range(order.n_entries)]
        self.row_factors: list[list[Factor]] = [[] for _ in order.rows]
        self.row_scales: list[list[int]] = [[] for _ in order.rows]
        self.n_histosys = 0
        self.formulas: dict[tuple[str | int | float, ...], dict[tuple[int, ...], int]] = {}
        self.sums: list[list[int]] = []
        self.morphed: dict[int, tuple[Row, float]] = {}
        self.spreads: dict[tuple[int, int], int] = {}  # (parameter, bin) and number
        self.errors: list[tuple[float, int, int]] = []  # size, row and spread

    def _scale_row(self, row: Row, factor: Factor) -> None:
        self.row_factors[row.number].append(factor)
        for entry in range(row.first_entry, row.first_entry + row.n_bins):
            self.entry_factors[entry].append(factor)

    def add_histosys(self, entries: Sequence[int]) -> None:
        """The factors of histosys terms, each on one entry."""
        self.n_histosys = len(entries)
        for number, entry in enumerate(entries):
            self.entry_factors[entry].append(("histosys", number))

    def add_formula(self, row: Row, modifier: Mapping[str, Any], slices: Mapping[str, slice]) -> None:
        """A factor that is an expression of parameters."""
        expression = parse(modifier["expression"], modifier.get("arguments", ()))
        args = tuple(slices[name].start for name in expression.names)
        known = self.formulas.setdefault(expression.postfix(), {})
        if args not in known:
            known[args] = sum(map(len, self.formulas.values()))
        self._scale_row(row, ("formula", known[args]))

    def add_sum(self, row: Row, terms: list[int]) -> None:
        """A factor that is one plus the effects of normsys terms."""
        self._scale_row(row, ("sum", len(self.sums)))
        self.sums.append(terms)

    def add_morphed(self, row: Row) -> None:
        """A row that is scaled to the sum of its nominal yields, where it is."""
        if "floor" in row.spec or any(modifier.get("interpolation") == "shapen" for modifier in row.modifiers):
            first = sum(other.n_bins for other, _ in self.morphed.values())
            self.morphed[row.number] = row, float(row.spec.get("floor", -np.inf))
            for b in range(row.n_bins):
                self.entry_factors[row.first_entry + b].append(("morph", first + b))

    def add_errors(self, row: Row, errors: Sequence[float], first: int) -> None:
        """Uncertainties of a sample that are added in quadrature to those of others, of parameters from ``first``."""
        for b, error in enumerate(errors):
            spread = self.spreads.setdefault((first + b, row.first_bin + b), len(self.spreads))
            self.errors.append((float(error), row.number, spread))

    def pars(self) -> Iterator[int]:
        """Parameters of expressions, and those of rows whose uncertainties are added in quadrature."""
        for known in self.formulas.values():
            yield from chain.from_iterable(known)
        if self.spreads:
            yield from chain.from_iterable(self.row_scales)

    def finished(self) -> Derived | None:
        """All derived factors; None where there are none."""
        spreads: list[list[Factor]] = [[("spread", number)] for number in range(len(self.spreads))]
        entries = [*self.entry_factors, *spreads]
        if not any(entries):
            return None
        numbers = self._numbers()
        formulas = tuple(
            Formulas(program, np.array(list(args), dtype=np.int32).reshape(len(args), -1))  # type: ignore[arg-type]
            for program, args in self.formulas.items()
        )
        found: Any = {
            "entry_factors": table([[numbers(f) for f in here] for here in entries], -1),
            "formulas": formulas,
            "sums": table(self.sums, -1),
            "morphs": self._morphs() if self.morphed else None,
            "spreads": self._spreads(numbers) if self.spreads else None,
        }
        return Derived(**found)

    def _numbers(self) -> Any:
        """From a derived factor to its number among all."""
        formulas: dict[int, int] = {}
        for args in self.formulas.values():
            for place in args.values():
                formulas[place] = len(formulas)
        sizes = {"histosys": self.n_histosys, "formula": len(formulas), "sum": len(self.sums)}
        sizes["morph"] = sum(row.n_bins for row, _ in self.morphed.values())
        starts = dict(zip([*sizes, "spread"], np.cumsum([0, *sizes.values()]).tolist(), strict=True))

        def number(factor: Factor) -> int:
            kind, place = factor
            return int(starts[kind] + (formulas[place] if kind == "formula" else place))

        return number

    def _morphs(self) -> Morphs:
        rows = [row for row, _ in self.morphed.values()]
        found: Any = {
            "entry": np.concatenate([np.arange(row.first_entry, row.first_entry + row.n_bins) for row in rows]),
            "row": np.repeat(np.arange(len(rows)), [row.n_bins for row in rows]),
            "floor": np.array([floor for _, floor in self.morphed.values()]),
        }
        return Morphs(**found)

    def _spreads(self, numbers: Any) -> Spreads:
        sizes, rows, spreads = zip(*self.errors, strict=True)
        first = len(self.entry_factors)
        found: Any = {
            "entry": np.arange(first, first + len(self.spreads)),
            "error": np.array(sizes, dtype=float),
            "error_row": np.array(rows, dtype=np.int32),
            "error_spread": np.array(spreads, dtype=np.int32),
            "row_scales": table(self.row_scales, -1),
            "row_factors": table([[numbers(f) for f in here] for here in self.row_factors], -1),
            "size": len(self.spreads),
        }
        return Spreads(**found)


def table(rows: Sequence[Sequence[int]], none: int) -> np.ndarray:
    """A rectangle of indices; short rows are filled with ``none``."""
    width = max(map(len, rows), default=0)
    full = np.full((len(rows), width), none, dtype=np.int32)
    for target, row in zip(full, rows, strict=True):
        target[: len(row)] = row
    return full


def _sorted(groups: Sequence[Group], then: Sequence[int], default: Group) -> tuple[tuple[Group, ...], np.ndarray]:
    """The groups with their sizes, and the order of the terms by group, then by another number."""
    found = sorted(set(groups) or {default})
    numbers = {group: number for number, group in enumerate(found)}
    number = np.array([numbers[group] for group in groups], dtype=np.int64)
    order = np.lexsort((np.asarray(then, dtype=np.int64), number))
    if len(found) == 1 and found[0].effect == "shift":
        return tuple(found), order
    sizes = np.bincount(number, minlength=len(found)).tolist()
    return tuple(group._replace(size=size) for group, size in zip(found, sizes, strict=True)), order


def _inverse(order: np.ndarray) -> np.ndarray:
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return place


def _even_slice(terms: Sequence[int]) -> slice:
    """The terms of one modifier on one row, evenly spaced: the entries of a row have equally many terms."""
    step = terms[1] - terms[0] if len(terms) > 1 else 1
    return slice(terms[0], terms[-1] + 1, step)
