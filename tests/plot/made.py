"""Results made by hand, without a fit: what pictures of them show is known, and drawing is all that takes time."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from scipy.special import ndtr

import pyhf_func as pf

_MU = {"name": "mu", "type": "normfactor", "data": None}
_TILT = {"name": "tilt", "type": "histosys", "data": {"hi_data": [54.0, 31.0, 9.0], "lo_data": [47.0, 29.0, 11.0]}}
_RATE = {"name": "rate", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}
_TOP = {"name": "top_rate", "type": "normsys", "data": {"lo": 0.8, "hi": 1.2}}
SPEC: dict[str, Any] = {
    "version": "1.0.0",
    "channels": [
        {
            "name": "SR",
            "samples": [
                {"name": "signal", "data": [0.0, 4.0, 6.0], "modifiers": [_MU]},
                {"name": "background", "data": [50.0, 30.0, 10.0], "modifiers": [_TILT, _RATE]},
            ],
        },
        {
            "name": "CR_low",
            "samples": [
                {"name": "signal", "data": [0.3], "modifiers": [_MU]},
                {"name": "top", "data": [1.5], "modifiers": [_TOP]},
            ],
        },
        {"name": "CR_high", "samples": [{"name": "top", "data": [5.5], "modifiers": [_TOP, _RATE]}]},
    ],
    "observations": [
        {"name": "SR", "data": [61.0, 43.0, 12.0]},
        {"name": "CR_low", "data": [0.0]},
        {"name": "CR_high", "data": [5.0]},
    ],
    "measurements": [{"name": "search", "config": {"poi": "mu", "parameters": []}}],
}
"""A region of three bins and two of one, one of them without events."""
METADATA = {
    "energy": 13,
    "luminosity": 139,
    "labels": {"mu": r"$\mu$", "SR": "signal region"},
    "axes": {"SR": [{"title": "$m$", "unit": "GeV", "edges": [0, 50, 100, 150]}]},
}


BEST = {"mu": 1.2, "tilt": -1.1, "rate": 0.4}


@functools.cache
def model() -> pf.Model:
    return pf.Workspace(SPEC).model()


def made(kind: Any, **known: Any) -> Any:
    """A result with these fields; all others have their default, or are not a number."""
    return kind(**{**dict.fromkeys(kind._fields, np.float64(np.nan)), **kind._field_defaults, **known})


def fitted(pars: Any, status: int = pf.Status.CONVERGED) -> pf.FitResult:
    return made(pf.FitResult, pars=np.asarray(pars, float), status=np.int32(status))


def covariance(n: int | None = None) -> pf.CovarianceResult:
    """Of the model's four parameters; or of ``n``, with the standard errors 0.5, and 1 with the neighbour."""
    count = model().config.npars if n is None else n
    errors = np.resize([0.5, 0.9, 1.0], count)
    correlation = np.fromfunction(lambda i, j: (-0.6) ** np.abs(i - j), (count, count))
    return made(
        pf.CovarianceResult,
        covariance=correlation * np.outer(errors, errors),
        correlation=correlation,
        errors=errors,
        status=np.int32(0),
        identified=np.ones(count, bool),
        fit=fitted([BEST.get(name, 0.1) for name in (model().config.par_names if n is None else range(n))]),
    )


def yields() -> pf.YieldsResult:
    """Before the fit the nominal yields, after it nine tenths of them; errors of a tenth."""
    config = model().config
    samples = np.zeros((len(config.samples), config.nmaindata))
    for channel in SPEC["channels"]:
        for sample in channel["samples"]:
            samples[config.samples.index(sample["name"]), config.channel_slices[channel["name"]]] = sample["data"]

    def band(scale: float) -> pf.YieldBand:
        total = scale * samples.sum(axis=0)
        return made(pf.YieldBand, samples=scale * samples, total=total, total_error=0.1 * total)

    data = np.concatenate([next(o for o in SPEC["observations"] if o["name"] == c)["data"] for c in config.channels])
    return pf.YieldsResult(data, band(1.0), band(0.9), np.int32(0), covariance())


def impacts() -> pf.ImpactResult:
    places = np.array([i for i in range(model().config.npars) if i != model().config.poi_index])
    sizes = 0.3 / np.arange(1, len(places) + 1)
    return made(
        pf.ImpactResult,
        parameters=places,
        prefit_up=1.3 * sizes,
        prefit_down=-1.2 * sizes,
        postfit_up=sizes,
        postfit_down=np.append(-0.9 * sizes[:-1], np.nan),
        pulls=np.resize([0.4, -1.1, 0.0], len(places)),
        constraints=np.resize([0.8, 0.95, 0.0], len(places)),
        poi=np.int32(model().config.poi_index),
        poi_best=np.float64(1.2),
        covariance=covariance(),
    )


def scan() -> pf.ScanResult:
    """CLs of a Gaussian measurement of 0.4 ± 0.6."""
    mu = np.linspace(0.0, 2.5, 26)
    shift = np.array([2.0, 1.0, 0.0, -1.0, -2.0])
    distance = mu / 0.6
    expected = ndtr(-(distance[:, None] + shift)) / ndtr(-shift)
    return made(pf.ScanResult, mu=mu, cls=ndtr(-(distance - 0.7)) / ndtr(0.7), cls_expected=expected)


def limit(scale: float = 1.0) -> pf.LimitResult:
    return made(pf.LimitResult, observed=np.float64(1.3 * scale), expected=scale * np.array([0.6, 0.8, 1.1, 1.6, 2.2]))


def profile() -> pf.ProfileResult:
    """A parabola around 1.2 with the standard error 0.5."""
    mu = np.linspace(0.0, 3.0, 25)
    return made(pf.ProfileResult, values=(mu,), ratio=((mu - 1.2) / 0.5) ** 2, free_fit=covariance().fit)


def profile_of_two() -> pf.ProfileResult:
    mu, tilt = np.linspace(-0.5, 3.0, 21), np.linspace(-2.5, 3.0, 23)
    x, y = np.meshgrid((mu - 1.2) / 0.5, (tilt + 1.1) / 0.9, indexing="ij")
    return made(pf.ProfileResult, values=(mu, tilt), ratio=(x**2 + y**2 - x * y) / 0.75, free_fit=covariance().fit)


def toys() -> pf.ToysResult:
    """``qtilde`` of a Gaussian measurement of 1 or 0 ± 0.5, and two toys that failed."""
    random = np.random.default_rng(3).normal(size=2000)

    def qtilde(best: Any) -> Any:
        below = np.where(best < 0, 1 - 2 * best, (1 - best) ** 2)
        return np.where(best > 1, 0.0, below) / 0.25

    sb, b = qtilde(1 + 0.5 * random), qtilde(0.5 * random)
    return made(
        pf.ToysResult,
        mu=np.float64(1.0),
        teststat=np.float64(3.0),
        teststats_sb=np.append(sb, np.nan),
        teststats_b=np.append(b, np.nan),
        clsb=np.mean(sb >= 3.0),
        clb=np.mean(b >= 3.0),
        conditional_fit=fitted([1.0]),
        asimov_fit=fitted([0.0]),
    )


def test_of_toys() -> pf.HypotestResult:
    """The asymptotic test of the same measurement."""
    return made(pf.HypotestResult, teststat_asimov=np.float64(4.0))


def goodness() -> pf.GoodnessResult:
    return made(
        pf.GoodnessResult,
        statistic=np.float64(9.2),
        degrees_of_freedom=np.int32(5),
        p_value=np.float64(0.101),
        status=np.int32(0),
    )


def grid(places: Any, significance: Any) -> pf.GridResult:
    """Points at places with an observed significance, and one expected half a standard deviation higher."""
    bands = np.asarray(significance)[:, None] + 0.5 + np.array([2.0, 1.0, 0.0, -1.0, -2.0])
    nothing = np.full(len(places), np.nan)
    return pf.GridResult(
        ("m1", "m2"),
        tuple(f"point{i}" for i in range(len(places))),
        tuple((float(x), float(y)) for x, y in places),
        1.0,
        0.05,
        ndtr(-np.asarray(significance)),
        ndtr(-bands),
        nothing,
        np.stack([nothing] * 5, axis=1),
        np.zeros(len(places), int),
        ("",) * len(places),
        np.zeros(len(places), int),
        np.zeros(len(places), int),
        np.full(len(places), pf.Status.NOT_COMPUTED),
        np.full((len(places), 5), pf.Status.NOT_COMPUTED),
    )


def masses(n: int, noise: float, seed: int = 1) -> tuple[Any, Any]:
    """An irregular grid of two masses like those of searches, with the significance there and its scatter: it falls
    with both masses, and to nothing at the diagonal."""
    random = np.random.default_rng(seed)
    m1, m2 = random.uniform(150.0, 1100.0, 3 * n), random.uniform(0.0, 500.0, 3 * n)
    allowed = np.flatnonzero(m1 - m2 > 125.0)[:n]
    places = np.round(np.column_stack([m1, m2])[allowed])
    return places, significance(*places.T) + noise * random.normal(size=len(places))


def significance(m1: Any, m2: Any) -> Any:
    reach = 4.5 * (1 - (m1 / 1000.0) ** 2.2 - (m2 / 450.0) ** 1.6)
    return reach * np.sqrt(np.clip((m1 - m2 - 125.0) / 120.0, 0.0, 1.0))
