"""The test of the background-only hypothesis: p0 and the significance."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.problem import Minimiser
from pyhf_func.core.fit.result import FitResult
from pyhf_func.core.inference.asymptotics import EXPECTED_SIGMAS, square_root
from pyhf_func.core.inference.hypotest import hypotest
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.statistics import Q0
from pyhf_func.results.base import Result
from pyhf_func.results.tables import band


class DiscoveryResult(Result):
    """A test of the background-only hypothesis.

    The expected values are those for data with the nominal signal (POI at one) at -2, -1, 0, 1 and 2 standard
    deviations of the test statistic; first the most significant. A bin with events that the background-only hypothesis
    leaves empty excludes it: p0 is zero and the significance infinite.

    Returned by `pyhf_func.discovery`.
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
