"""Scans over values of the POI, and the discovery test."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.problem import Minimiser
from pyhf_func.core.fit.result import FitResult
from pyhf_func.core.inference.asymptotics import EXPECTED_SIGMAS, square_root
from pyhf_func.core.inference.hypotest import hypotest
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.statistics import Q0, Statistic
from pyhf_func.results.base import Result
from pyhf_func.results.tables import band


class ScanResult(Result):
    """Hypothesis tests at n values of the POI: a `HypotestResult` with an axis more."""

    mu: Array
    """(n,) tested values."""
    cls: Array
    """(n,) CLs = CLs+b / CLb."""
    clsb: Array
    """(n,) p-values of the tested hypotheses."""
    clb: Array
    """(n,) p-values of the alternative."""
    cls_expected: Array
    """(n, 5) expected CLs."""
    clsb_expected: Array
    """(n, 5) expected CLs+b."""
    clb_expected: Array
    """(n, 5) expected CLb."""
    teststat: Array
    """(n,) the test statistic for the data."""
    teststat_asimov: Array
    """(n,) the test statistic for the Asimov data."""
    status: Array
    """(n,) the worst status of all that each test is made of: a `Status`."""
    cls_status: Array
    """(n,) of ``cls`` and ``clb``: a `Status`."""
    clsb_status: Array
    """(n,) of ``clsb``."""
    teststat_status: Array
    """(n,) of ``teststat``."""
    expected_status: Array
    """(n,) of the expected values and ``teststat_asimov``."""
    free_fit: FitResult
    """all parameters fitted to the data."""
    conditional_fit: FitResult
    """(n, ...) fitted to the data with the POI at the tested values."""
    asimov_fit: FitResult
    """fitted to the data with the POI at the Asimov value: the source of the Asimov data."""
    free_fit_asimov: FitResult
    """all parameters fitted to the Asimov data."""
    conditional_fit_asimov: FitResult
    """(n, ...) fitted to the Asimov data with the POI at the tested values."""

    def _rows(self) -> list[dict[str, Any]]:
        columns = zip(self.mu, self.cls, self.cls_expected, self.status, strict=True)
        return [{"mu": mu, "CLs": x, **band("CLs_exp", five), "status": str(s)} for mu, x, five, s in columns]


def scan(
    minimiser: Minimiser, statistic: Statistic, mus: Array, data: Array, model: Likelihood, start: Start
) -> ScanResult:
    """Test every value; the fits that do not depend on it are made once."""
    if mus.shape[0] == 0:
        raise ValueError("mus is empty; give at least one value to test.")
    every = jax.vmap(lambda mu: hypotest(minimiser, statistic, mu, data, model, start))(mus)
    once = {
        name: jax.tree.map(lambda x: x[0], getattr(every, name))
        for name in ("free_fit", "asimov_fit", "free_fit_asimov")
    }
    return ScanResult(mus, **{**every._asdict(), **once})


class DiscoveryResult(Result):
    """A test of the background-only hypothesis.

    The expected values are those for data with the nominal signal (POI at one) at -2, -1, 0, 1 and 2 standard
    deviations of the test statistic; first the most significant. A bin with events that the background-only hypothesis
    leaves empty excludes it: p0 is zero and the significance infinite.
    """

    p0: Array
    """() p-value of the background-only hypothesis: Equation (52)."""
    z: Array
    """() significance, in standard deviations: Equation (53)."""
    p0_expected: Array
    """(5,) expected p-values."""
    z_expected: Array
    """(5,) expected significances."""
    status: Array
    """() the worst of the two statuses that follow: a `Status`."""
    p0_status: Array
    """() of ``p0`` and ``z``."""
    expected_status: Array
    """() of ``p0_expected`` and ``z_expected``."""
    free_fit: FitResult
    """all parameters fitted to the data."""
    conditional_fit: FitResult
    """fitted to the data with the POI at zero."""
    asimov_fit: FitResult
    """fitted to the data with the POI at one: the source of the Asimov data."""
    free_fit_asimov: FitResult
    """all parameters fitted to the Asimov data."""
    conditional_fit_asimov: FitResult
    """fitted to the Asimov data with the POI at zero."""

    def _rows(self) -> list[dict[str, Any]]:
        numbers = ("p0", self.p0, self.p0_expected), ("significance", self.z, self.z_expected)
        status = str(self.p0_status)
        return [{"quantity": name, "observed": x, **band("expected", e), "status": status} for name, x, e in numbers]


def discovery(minimiser: Minimiser, data: Array, model: Likelihood, start: Start) -> DiscoveryResult:
    """The test of POI = 0 with `Q0`."""
    found = hypotest(minimiser, Q0, jnp.zeros((), data.dtype), data, model, start)
    fits = {name: value for name, value in found._asdict().items() if isinstance(value, FitResult)}
    return DiscoveryResult(
        p0=found.clsb,
        z=square_root(found.teststat),
        p0_expected=found.clsb_expected,
        z_expected=square_root(found.teststat_asimov) - jnp.asarray(EXPECTED_SIGMAS, data.dtype),
        status=found.status,
        p0_status=found.clsb_status,
        expected_status=found.expected_status,
        **fits,
    )
