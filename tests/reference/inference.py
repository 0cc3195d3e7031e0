"""Test statistics and asymptotic p-values of arXiv:1007.1727, from the patient fit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import norm

from tests.reference.fit import Fit, fit, fit_fixed_poi
from tests.reference.model import ReferenceModel
from tests.reference.numbers import real


@dataclass(frozen=True)
class Hypotest:
    """p-values of one hypothesis test; `teststat` is q itself, not its square root."""

    cls: float
    clsb: float
    clb: float
    clsb_expected: tuple[float, ...]
    cls_expected: tuple[float, ...]
    teststat: float
    teststat_asimov: float
    free_fit: Fit
    fixed_fit: Fit
    asimov_data: tuple[float, ...]


def teststat(kind: str, mu: float, free: Fit, conditional: Fit, poi_index: int) -> float:
    """q_mu, Eq. (14), q~_mu, Eq. (16), or q_0, Eq. (12); for q~ the free fit keeps the POI from negative values."""
    muhat = free.pars[poi_index]
    ratio = max(conditional.twice_nll - free.twice_nll, 0.0)
    if kind == "q0":
        return 0.0 if muhat < 0 else ratio
    return 0.0 if muhat > mu else ratio


def hypotest(model: ReferenceModel, data: Sequence[float], mu: float, kind: str = "qtilde") -> Hypotest:
    """CLs of the signal strength mu, observed and expected; "q0" tests the background-only hypothesis."""
    assert model.poi_index is not None
    tested = 0.0 if kind == "q0" else mu
    asimov_mu = 1.0 if kind == "q0" else 0.0
    bounds = [*model.bounds]
    if kind == "qtilde":
        bounds[model.poi_index] = (max(bounds[model.poi_index][0], 0.0), bounds[model.poi_index][1])
    free, conditional = fit(model, data, bounds=bounds), fit_fixed_poi(model, data, tested)
    q = teststat(kind, tested, free, conditional, model.poi_index)
    asimov_pars = list(fit_fixed_poi(model, data, asimov_mu).pars)
    asimov = [real(x) for x in model.expected_data(asimov_pars)]
    free_asimov = fit(
        model, asimov, init=asimov_pars, bounds=bounds, starts=1
    )  # they are the true parameters of these data
    conditional_asimov = fit_fixed_poi(model, asimov, tested)
    q_asimov = teststat(kind, tested, free_asimov, conditional_asimov, model.poi_index)
    clsb, clb = observed_pvalues(kind, q, q_asimov)
    band = [expected_pvalues(q_asimov, n) for n in (-2, -1, 0, 1, 2)]
    return Hypotest(
        cls=clsb / clb,
        clsb=clsb,
        clb=clb,
        clsb_expected=tuple(sb for sb, _ in band),
        cls_expected=tuple(sb / b for sb, b in band),
        teststat=q,
        teststat_asimov=q_asimov,
        free_fit=free,
        fixed_fit=conditional,
        asimov_data=tuple(asimov),
    )


def observed_pvalues(kind: str, q: float, q_asimov: float) -> tuple[float, float]:
    """(CLsb, CLb): Eqs. (57) and (59) for "q" and "q0"; Eqs. (65) and (66) for "qtilde" above Asimov's."""
    if kind == "qtilde" and q > q_asimov:
        sigma = 2 * math.sqrt(q_asimov)
        return float(norm.sf((q + q_asimov) / sigma)), float(norm.sf((q - q_asimov) / sigma))
    return float(norm.sf(math.sqrt(q))), float(norm.sf(math.sqrt(q) - math.sqrt(q_asimov)))


def expected_pvalues(q_asimov: float, n: float) -> tuple[float, float]:
    """(CLsb, CLb) where background-only data lie n standard deviations to the signal-like side, Eq. (89)."""
    return float(norm.sf(math.sqrt(q_asimov) - n)), float(norm.sf(-n))
