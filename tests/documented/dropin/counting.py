"""Fits, tests and limits on small models, through many doors of the interface."""

from typing import Any

import numpy as np
import pyhf
import pyhf.infer
import pyhf.infer.intervals.upper_limits
from pyhf.infer import calculators, hypotest, mle, test_statistics
from pyhf.infer.utils import create_calculator


def main(backend: str) -> dict[str, Any]:
    """Numbers that a user of the interface looks at."""
    pyhf.set_backend(backend, pyhf.optimize.scipy_optimizer(tolerance=1e-12))
    tensorlib, optimizer = pyhf.get_backend()
    model = pyhf.simplemodels.uncorrelated_background(signal=[5.0, 9.0], bkg=[40.0, 30.0], bkg_uncertainty=[4.0, 3.5])
    data = tensorlib.astensor([44.0, 36.0, *model.config.auxdata])
    start = model.config.suggested_init(), model.config.suggested_bounds(), model.config.suggested_fixed()
    out: dict[str, Any] = {"names": [tensorlib.name, optimizer.name, tensorlib.precision]}

    out["config"] = [model.config.par_order, model.config.poi_index, model.config.npars, *start]
    out["fit"] = mle.fit(data, model, return_fitted_val=True)
    out["fixed"] = mle.fixed_poi_fit(1.5, data, model, return_fitted_val=True)
    out["twice_nll"] = mle.twice_nll(tensorlib.astensor(start[0]), data, model)
    out["logpdf"] = model.logpdf(tensorlib.astensor(start[0]), data)
    out["statistics"] = [
        getattr(test_statistics, name)(0.0 if name == "q0" else 1.2, data, model, *start)
        for name in ("q0", "qmu_tilde", "tmu_tilde")
    ]
    for test_stat in ("q0", "q", "qtilde"):
        out[test_stat] = hypotest(
            0.0 if test_stat == "q0" else 1.0,
            data,
            model,
            test_stat=test_stat,
            return_tail_probs=True,
            return_expected=True,
            return_expected_set=True,
        )
    calculator = create_calculator("asymptotics", data, model, test_stat="qtilde")
    out["calculator"] = [calculator.teststatistic(1.3), calculator.sqrtqmuA_v]
    signal, background = calculator.distributions(1.3)
    out["distributions"] = [signal.pvalue(0.2), background.expected_value(1), signal.shift]
    out["fitted"] = [calculator.fitted_pars.free_fit_to_data, calculator.fitted_pars.asimov_pars]
    out["asimov"] = calculators.generate_asimov_data(0.0, data, model, *start)
    if backend == "numpy":  # pyhf's own limits fail with current PyTorch and JAX
        out["limit"] = pyhf.infer.intervals.upper_limits.upper_limit(data, model, np.linspace(0.2, 4.0, 6))
        out["search"] = pyhf.infer.intervals.upper_limits.toms748_scan(data, model, 0.0, 5.0, rtol=1e-6)
    out["expected"] = model.expected_data(tensorlib.astensor(start[0]))

    pyhf.set_backend(backend, "minuit")
    out["minuit"] = mle.fit(data, model, return_uncertainties=True, return_correlations=True)
    return out
