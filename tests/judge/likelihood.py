"""The likelihood of `tests.reference`, vectorised over points, with exact gradients. NumPy alone.

Arrays have a leading axis of lanes: points that are evaluated together. The interpolation codes that have kinks are
smooth on each side of them; a lane may be told its *piece* (-1, 0 or 1 for each parameter), on which the likelihood is
continued smoothly to the kink itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from tests.reference import reference_model
from tests.reference.interpolation import code4_coefficients
from tests.reference.model import ReferenceModel, nbins

Array = NDArray[np.float64]


class Slopes(NamedTuple):
    """Twice the negative log-likelihood and what minimisers need."""

    value: Array  # (lanes,) +inf where the data have no density
    gradient: Array  # (lanes, pars)
    curvature: Array  # (lanes, pars, pars) by Gauss and Newton, positive semidefinite


class Judged:
    """Twice the negative log-likelihood of one model and its data.

    A bin that is expected to yield less than nothing has no density, whatever was observed.
    """

    def __init__(self, workspace: Mapping[str, Any], codes: tuple[str, str], data: Sequence[float]) -> None:
        """``codes`` are those of normsys and histosys; ``data`` are main and auxiliary ones."""
        model = reference_model(workspace)
        self.reference: ReferenceModel = model.with_codes(normsys=codes[0], histosys=codes[1])
        self.codes = codes
        self.n_pars, self.n_bins = model.npars, model.nmaindata
        self.lower, self.upper = np.array(model.bounds, dtype=float).T
        self.init = np.array(model.inits, dtype=float)
        self.fixed = np.array(model.fixed, dtype=bool)
        self.poi = -1 if model.poi_index is None else model.poi_index
        self._collect()
        self._constraints()
        self.set_data(data)

    def set_data(self, data: Sequence[float]) -> None:
        """Take other data."""
        full = np.asarray(data, dtype=float)
        self.main, aux = full[: self.n_bins], full[self.n_bins :]
        self.normal_aux, self.poisson_aux = aux[self.normal_place], aux[self.poisson_place]
        self.constant = 2 * (
            _saturated(self.main) + _saturated(self.poisson_aux) + np.log(self.sigma * np.sqrt(2 * np.pi)).sum()
        )

    def _collect(self) -> None:
        """Lists of terms, in the reference's order of channels, samples and bins."""
        model, first_bin = self.reference, 0
        nominal: list[float] = []
        entry_bin: list[int] = []
        factors: list[list[int]] = []  # of each entry: numbers of factors; scales first, then normsys terms
        shifts: list[tuple[int, int, float, float]] = []
        normsys: list[tuple[int, float, float]] = []
        for channel in model.channels:
            for sample in channel["samples"]:
                rows: list[list[int]] = [[] for _ in range(nbins(channel))]
                for modifier in sample["modifiers"]:
                    name, kind, data = modifier["name"], modifier["type"], modifier["data"]
                    start = model.starts[name]
                    if kind == "staterror":
                        start += model._bins_before(channel, name)
                    if kind == "normsys":
                        normsys.append((start, data["lo"], data["hi"]))
                    for b in range(nbins(channel)):
                        if kind == "histosys":
                            shifts.append((len(nominal) + b, start, data["lo_data"][b], data["hi_data"][b]))
                        elif kind == "normsys":
                            rows[b].append(self.n_pars + len(normsys) - 1)
                        elif kind in ("lumi", "normfactor"):
                            rows[b].append(start)
                        else:
                            rows[b].append(start + b)
                factors += rows
                entry_bin += [first_bin + b for b in range(nbins(channel))]
                nominal += [float(x) for x in sample["data"]]
            first_bin += nbins(channel)
        self.nominal = np.array(nominal)
        self.to_bins = np.zeros((len(nominal), self.n_bins))
        self.to_bins[np.arange(len(nominal)), entry_bin] = 1.0
        self._keep_factors(factors, normsys)
        self._keep_shifts(shifts)

    def _keep_factors(self, factors: list[list[int]], normsys: list[tuple[int, float, float]]) -> None:
        width, none = max(1, *map(len, factors)), self.n_pars + len(normsys)
        self.factors = np.full((len(factors), width), none)
        for place, row in zip(self.factors, factors, strict=True):
            place[: len(row)] = row
        self.factor_par = np.array([*range(self.n_pars), *[par for par, _, _ in normsys], 0])
        self.normsys_par = np.array([par for par, _, _ in normsys], dtype=int)
        self.normsys_lo = np.array([float(lo) for _, lo, _ in normsys])
        self.normsys_hi = np.array([float(hi) for _, _, hi in normsys])
        self.polynomial = np.array(
            [code4_coefficients(hi, lo, 1.0) for lo, hi in zip(self.normsys_lo, self.normsys_hi, strict=True)]
        ).reshape(-1, 6)

    def _keep_shifts(self, shifts: list[tuple[int, int, float, float]]) -> None:
        self.up, self.down = np.zeros((2, self.n_pars, self.nominal.size))
        for entry, par, lo, hi in shifts:
            self.up[par, entry] = hi - self.nominal[entry]
            self.down[par, entry] = self.nominal[entry] - lo
        self.shifting = np.unique([par for _, par, _, _ in shifts]).astype(int)

    def _constraints(self) -> None:
        normal, poisson = [], []
        aux = 0
        for p in self.reference.parameters:
            for i in range(p.size if p.constraint else 0):
                place = self.reference.starts[p.name] + i
                if p.constraint == "normal":
                    normal.append((place, aux, p.sigmas[i]))
                else:
                    poisson.append((place, aux, p.factors[i]))
                aux += 1
        self.normal_par = np.array([x for x, _, _ in normal], dtype=int)
        self.normal_place = np.array([x for _, x, _ in normal], dtype=int)
        self.sigma = np.array([x for _, _, x in normal], dtype=float)
        self.poisson_par = np.array([x for x, _, _ in poisson], dtype=int)
        self.poisson_place = np.array([x for _, x, _ in poisson], dtype=int)
        self.tau = np.array([x for _, _, x in poisson], dtype=float)

    @property
    def alphas(self) -> NDArray[np.int_]:
        """The parameters that interpolate between variations."""
        return np.union1d(self.shifting, self.normsys_par)

    @property
    def kinked(self) -> NDArray[np.int_]:
        """The parameters along which the likelihood has a kink at zero, or for code2 a step at -1 and 1."""
        none = np.zeros(0, int)
        return np.union1d(
            self.normsys_par if self.codes[0] == "code1" else none,
            self.shifting if self.codes[1] in ("code0", "code2") else none,
        )

    def expected(self, pars: Array, piece: Array | None = None) -> tuple[Array, Array]:
        """Expected main data (lanes, bins) and their derivatives (lanes, bins, pars)."""
        lanes = np.arange(len(pars))[:, None]
        basis, slope = self._additive(pars, piece)
        shifted = self.nominal + basis[0] @ self.up + basis[1] @ self.down
        terms, slopes = self._factors(pars, piece)
        picked = terms[:, self.factors]  # (lanes, entries, width)
        product = np.prod(picked, axis=-1)
        jacobian = product[:, None, :] * (slope[0][..., None] * self.up + slope[1][..., None] * self.down)
        for k in range(self.factors.shape[1]):
            others = np.prod(np.delete(picked, k, axis=-1), axis=-1)
            number = self.factors[:, k]
            entry = np.arange(number.size)[None, :]
            jacobian[lanes, self.factor_par[number][None, :], entry] += shifted * others * slopes[:, number]
        return (shifted * product) @ self.to_bins, np.swapaxes(jacobian @ self.to_bins, 1, 2)

    def _additive(self, pars: Array, piece: Array | None) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """What multiplies the up and the down shift, and the derivatives."""
        code, a = self.codes[1], pars
        if code == "code0":
            up = (a > 0) if piece is None else np.where(piece != 0, piece > 0, a > 0)
            return (np.where(up, a, 0.0), np.where(up, 0.0, a)), (up * 1.0, ~up * 1.0)
        size, sign = np.abs(a), np.sign(a)
        if code == "code2":
            outside = size > 1
            even, deven = np.where(outside, 2 * (size - 1), a**2), np.where(outside, 2 * sign, 2 * a)
            odd, dodd = np.where(outside, sign * (size - 1), a), np.ones_like(a)
        else:
            outside, square = size > 1, a**2
            even = np.where(outside, size, square * (15 + square * (3 * square - 10)) / 8)
            deven = np.where(outside, sign, a * (30 + square * (18 * square - 40)) / 8)
            odd, dodd = a, np.ones_like(a)
        # even multiplies (up - down) / 2, odd (up + down) / 2
        return ((even + odd) / 2, (odd - even) / 2), ((deven + dodd) / 2, (dodd - deven) / 2)

    def _factors(self, pars: Array, piece: Array | None) -> tuple[Array, Array]:
        """The value and the derivative of each factor by its own parameter: parameters, normsys terms, and one."""
        a, lo, hi = pars[:, self.normsys_par], self.normsys_lo, self.normsys_hi
        sign = np.zeros_like(a) if piece is None or self.codes[0] == "code4" else piece[:, self.normsys_par]
        up = np.where(sign != 0, sign > 0, a >= 0)
        rate = np.where(up, np.log(hi), -np.log(lo))
        value = np.exp(a * rate)
        slope = value * rate
        if self.codes[0] == "code4":
            c = self.polynomial.T
            inside = 1 + a * (c[0] + a * (c[1] + a * (c[2] + a * (c[3] + a * (c[4] + a * c[5])))))
            dinside = c[0] + a * (2 * c[1] + a * (3 * c[2] + a * (4 * c[3] + a * (5 * c[4] + a * 6 * c[5]))))
            middle = np.abs(a) < 1
            value, slope = np.where(middle, inside, value), np.where(middle, dinside, slope)
        one = np.ones((len(pars), 1))
        return np.hstack([pars, value, one]), np.hstack([np.ones_like(pars), slope, 0 * one])

    def value(self, pars: Array) -> Array:
        """Twice the negative log-likelihood at each lane's point; also of shape (pars,) alone."""
        lanes = np.atleast_2d(pars)
        found = self.slopes(lanes).value
        return found if np.ndim(pars) == 2 else found[0]

    def slopes(self, pars: Array, piece: Array | None = None, barrier: float = 0.0) -> Slopes:
        """Value, gradient and curvature; with a barrier, bins without events shun rates of zero."""
        rates, jacobian = self.expected(pars, piece)
        main = np.where(self.main > 0, self.main, barrier)
        tau_rates = pars[:, self.poisson_par] * self.tau
        aux = np.where(self.poisson_aux > 0, self.poisson_aux, barrier)
        pull = (pars[:, self.normal_par] - self.normal_aux) / self.sigma
        with np.errstate(divide="ignore", invalid="ignore"):
            value = 2 * (_poisson(main, rates) + _poisson(aux, tau_rates)) + (pull**2).sum(-1) + self.constant
            share, aux_share = (np.where(n > 0, n / r, 0.0) for n, r in ((main, rates), (aux, tau_rates)))
            weight = np.where(rates > 0, np.maximum(main, 1e-3 * rates) / rates**2, 0.0)
            aux_weight = np.where(tau_rates > 0, aux / tau_rates**2, 0.0)
        gradient = 2 * np.einsum("lb,lbp->lp", 1 - share, jacobian)
        curvature = 2 * np.swapaxes(jacobian * weight[..., None], 1, 2) @ jacobian
        np.add.at(gradient, (slice(None), self.normal_par), 2 * pull / self.sigma)
        np.add.at(gradient, (slice(None), self.poisson_par), 2 * self.tau * (1 - aux_share))
        curvature[:, self.normal_par, self.normal_par] += 2 / self.sigma**2
        curvature[:, self.poisson_par, self.poisson_par] += 2 * self.tau**2 * aux_weight
        return Slopes(np.where(np.isfinite(value), value, np.inf), gradient, curvature)


def _poisson(n: Array, rate: Array) -> Array:
    """``rate - n - n log(rate / n)`` summed over the last axis: digits are kept where n is large.

    It is +inf where the rate is negative, or zero with events.
    """
    logarithm = np.where(n > 0, n * np.log(np.where(rate > 0, rate, 1.0) / np.where(n > 0, n, 1.0)), 0.0)
    wrong = (rate < 0) | ((rate <= 0) & (n > 0))
    return np.where(wrong, np.inf, rate - n - logarithm).sum(-1)


def _saturated(n: Array) -> float:
    """What `_poisson` leaves out: the value at ``rate = n``."""
    return float((gammaln(n + 1) + n - n * np.log(np.where(n > 0, n, 1.0))).sum())
