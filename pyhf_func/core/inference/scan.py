"""Hypothesis tests of many values of the parameter of interest."""

from __future__ import annotations

from typing import Any

import jax
from jax import Array

from pyhf_func.core.compiler.overrides import Start
from pyhf_func.core.fit.problem import Minimiser
from pyhf_func.core.fit.result import FitResult
from pyhf_func.core.inference.hypotest import hypotest
from pyhf_func.core.likelihood.structure import Likelihood
from pyhf_func.core.statistics import Statistic
from pyhf_func.results.base import Result
from pyhf_func.results.tables import band


class ScanResult(Result):
    """Hypothesis tests at n values of the POI: a `HypotestResult` with an axis more.

    Returned by `pyhf_func.scan`.
    """

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


ONCE = "free_fit", "asimov_fit", "free_fit_asimov"
"""Fits that do not depend on the tested value."""


def scan(
    minimiser: Minimiser, statistic: Statistic, mus: Array, data: Array, model: Likelihood, start: Start
) -> ScanResult:
    """Test every value; the fits that do not depend on it are made once."""
    if mus.shape[0] == 0:
        raise ValueError("mus is empty; give at least one value to test.")
    every = jax.vmap(lambda mu: hypotest(minimiser, statistic, mu, data, model, start))(mus)
    once = {name: jax.tree.map(lambda x: x[0], getattr(every, name)) for name in ONCE}
    return ScanResult(mus, **{**every._asdict(), **once})
